"""Boxes to test with: lessons, rosters and ledgers that need no set-up beyond a folder."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from edge import config
from edge.clock import Clock
from edge.config import Config
from edge.documents import (
    PROFILES,
    ROSTER,
    TIMETABLE,
    Roster,
    roster_to_json,
    timetable_to_json,
)
from edge.forms import time_from_json
from edge.inbox import apply_document
from edge.ledger import Ledger
from edge.model import (
    MINUTE,
    Instant,
    Instructor,
    Lesson,
    LessonHour,
    Profile,
    Trainee,
    TrainingClass,
)
from edge.rulebook import Rulebook, profiles_to_json

CLASS_ID = "class-1"
LESSON_ID = "lesson-1"
TEACHER_ID = "t-wang"


def at(text: str, day: str = "2026-11-23") -> Instant:
    """Return the instant of a time of day in Jinan, such as ``at("09:15")``."""
    return time_from_json(f"{day}T{text}+08:00")


def lesson_of(*hours: tuple[str, str], profile: str = "default") -> Lesson:
    """Return a lesson with lesson hours given as pairs of times of day."""
    return Lesson(
        id=LESSON_ID,
        class_id=CLASS_ID,
        class_name="中式面点师（初级）2026-3 班",
        room="203",
        instructors=(TEACHER_ID,),
        hours=tuple(LessonHour(at(start), at(end)) for start, end in hours),
        profile=profile,
    )


def two_hours(start: Instant, minutes: int = 45, profile: str = "default") -> Lesson:
    """Return a lesson of two lesson hours on end, the first beginning at *start*."""
    length = minutes * MINUTE
    return Lesson(
        id=LESSON_ID,
        class_id=CLASS_ID,
        class_name="中式面点师（初级）2026-3 班",
        room="203",
        instructors=(TEACHER_ID,),
        hours=(
            LessonHour(start, start + length),
            LessonHour(start + length, start + 2 * length),
        ),
        profile=profile,
    )


def roster_of(count: int = 3, pin_hash: str = "not a hash") -> Roster:
    """Return a class of *count* fictional trainees, ``p-1`` and so on, and one instructor."""
    names = ("李明华", "赵敏", "陈晓明", "欧阳飞雪", "吴刚")
    trainees = tuple(
        Trainee(f"p-{number}", f"{number:02d}", names[(number - 1) % len(names)])
        for number in range(1, count + 1)
    )
    return Roster(
        classes=(
            TrainingClass(
                id=CLASS_ID,
                name="中式面点师（初级）2026-3 班",
                period_id="2026-JN-0031",
                approved_by="县人社局",
                received_at=at("08:00", "2026-11-01"),
                trainees=trainees,
            ),
        ),
        instructors=(Instructor(TEACHER_ID, "王老师", pin_hash),),
    )


def send_documents(
    ledger: Ledger,
    lessons: tuple[Lesson, ...],
    roster: Roster,
    profiles: dict[str, Profile] | None = None,
    version: int = 1,
) -> None:
    """Put a timetable, a roster and profiles in force, as the centre would."""
    if profiles:
        apply_document(
            ledger, PROFILES, "epoch-1", version, profiles_to_json(Rulebook.of(profiles.values()))
        )
    apply_document(ledger, ROSTER, "epoch-1", version, roster_to_json(roster))
    apply_document(ledger, TIMETABLE, "epoch-1", version, timetable_to_json(lessons))


@contextmanager
def open_ledger(data_dir: Path, clock: Clock, box_id: str = "room-203") -> Iterator[Ledger]:
    """Open a box's ledger and close it afterwards."""
    ledger = Ledger.open(data_dir, box_id, clock)
    try:
        yield ledger
    finally:
        ledger.close()


def with_a_camera(folder: Path) -> Config:
    """Return the settings of a box in *folder* whose file names one camera, ``wall``."""
    settings = """
[box]
id = "room-203"
room = "203"
[[camera]]
id = "wall"
address = "onvif://10.0.0.8"
"""
    return replace(config.parse(settings, "box.toml", folder), data_dir=folder)
