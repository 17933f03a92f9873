"""The documents that the centre sends down: timetable, roster, profiles, bindings and more. Pure.

Owns which kinds there are, and the JSON form of timetable and roster. A document is taken whole or
refused whole; an error names the place inside it, so that the person who made it can mend it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from edge.decisions import parse_decisions
from edge.directions import (
    Bindings,
    Draw,
    parse_bindings,
    parse_draws,
    parse_notices,
)
from edge.events import canonical
from edge.forms import BadDocument as BadDocument
from edge.forms import built, listing, text, time, time_to_json, unique
from edge.model import (
    Instructor,
    Lesson,
    LessonHour,
    LessonState,
    Notice,
    Trainee,
    TrainingClass,
)
from edge.rulebook import Rulebook, parse_profiles
from edge.rules.rulings import Decision

BINDINGS = "bindings"
DECISIONS = "decisions"
DRAWS = "draws"
NOTICES = "notices"
PROFILES = "profiles"
ROSTER = "roster"
TIMETABLE = "timetable"
# In the order in which they are sent and applied.
KINDS = (PROFILES, ROSTER, TIMETABLE, DRAWS, DECISIONS, BINDINGS, NOTICES)
# By these a lesson is judged; its opening freezes them.
JUDGING = (PROFILES, ROSTER, TIMETABLE, DRAWS)


@dataclass(frozen=True, slots=True)
class Roster:
    """The classes that meet in this room and the filed instructors who teach them."""

    classes: tuple[TrainingClass, ...]
    instructors: tuple[Instructor, ...]


Parsed = (
    tuple[Lesson, ...]
    | Roster
    | Rulebook
    | Bindings
    | tuple[Draw, ...]
    | tuple[Decision, ...]
    | tuple[Notice, ...]
)


def parse(kind: str, content: bytes) -> Parsed:
    """Return what the document *content* of *kind* states; raises BadDocument."""
    try:
        values = json.loads(content)
    except ValueError as error:
        raise BadDocument(f"{kind}: not JSON ({error}). Send the document again.") from error
    if not isinstance(values, dict):
        raise BadDocument(f"{kind}: must be a JSON object")
    readers: dict[str, Callable[[Mapping[str, Any]], Any]] = {
        TIMETABLE: parse_timetable,
        ROSTER: parse_roster,
        PROFILES: parse_profiles,
        BINDINGS: parse_bindings,
        DRAWS: parse_draws,
        DECISIONS: parse_decisions,
        NOTICES: parse_notices,
    }
    if kind not in readers:
        raise BadDocument(f"{kind}: not a kind of document. Known: {', '.join(KINDS)}.")
    result: Parsed = readers[kind](values)
    return result


def parse_timetable(values: Mapping[str, Any]) -> tuple[Lesson, ...]:
    """Return the lessons of a timetable in the order of their start."""
    lessons = [
        lesson_from_json(entry, f"lessons[{number}]")
        for number, entry in enumerate(listing(values, "lessons", ""))
    ]
    unique([lesson.id for lesson in lessons], "lessons")
    return tuple(sorted(lessons, key=lambda lesson: (lesson.start, lesson.id)))


def timetable_to_json(lessons: tuple[Lesson, ...]) -> bytes:
    """Return the document that ``parse_timetable`` reads."""
    return canonical({"lessons": [lesson_to_json(lesson) for lesson in lessons]})


def parse_roster(values: Mapping[str, Any]) -> Roster:
    """Return the classes and instructors of a roster document."""
    classes = tuple(
        _class(entry, f"classes[{number}]")
        for number, entry in enumerate(listing(values, "classes", ""))
    )
    instructors = tuple(
        _instructor(entry, f"instructors[{number}]")
        for number, entry in enumerate(listing(values, "instructors", ""))
    )
    unique([entry.id for entry in classes], "classes")
    unique([entry.id for entry in instructors], "instructors")
    return Roster(classes, instructors)


def roster_to_json(roster: Roster) -> bytes:
    """Return the document that ``parse_roster`` reads."""
    return canonical(
        {
            "classes": [
                {
                    "id": entry.id,
                    "name": entry.name,
                    "period_id": entry.period_id,
                    "approved_by": entry.approved_by,
                    "received_at": time_to_json(entry.received_at),
                    **(
                        {"prescribed_hours": entry.prescribed_hours}
                        if entry.prescribed_hours
                        else {}
                    ),
                    "trainees": [_trainee_to_json(trainee) for trainee in entry.trainees],
                }
                for entry in roster.classes
            ],
            "instructors": [
                {"id": entry.id, "name": entry.name, "pin_hash": entry.pin_hash}
                for entry in roster.instructors
            ],
        }
    )


def _trainee_to_json(trainee: Trainee) -> dict[str, str]:
    entry = {"id": trainee.id, "number": trainee.number, "name": trainee.name}
    # Left out while there is none: such a roster keeps the bytes, and the hash, that it had.
    secrets = {"pin_hash": trainee.pin_hash, "card_hash": trainee.card_hash}
    return {**entry, **{key: value for key, value in secrets.items() if value}}


def roster_without(content: bytes, person_id: str) -> bytes | None:
    """Return a roster document without that person, None when they are not on it."""
    if person_id not in people_on(content):
        return None
    roster = json.loads(content)
    for entry in roster["classes"]:
        entry["trainees"] = [one for one in entry["trainees"] if one["id"] != person_id]
    roster["instructors"] = [one for one in roster["instructors"] if one["id"] != person_id]
    return canonical(roster)


def people_on(content: bytes) -> set[str]:
    """Return the ids of everybody on a roster document."""
    roster = parse_roster(json.loads(content))
    trainees = {trainee.id for entry in roster.classes for trainee in entry.trainees}
    return trainees | {entry.id for entry in roster.instructors}


def lesson_from_json(entry: Any, place: str = "lesson") -> Lesson:
    """Return one lesson; times are ISO 8601 with their offset from UTC."""
    hours = tuple(
        built(
            LessonHour,
            f"{place}.hours[{number}]",
            start=time(hour, "start", f"{place}.hours[{number}]"),
            end=time(hour, "end", f"{place}.hours[{number}]"),
        )
        for number, hour in enumerate(listing(entry, "hours", place))
    )
    state = text(entry, "state", place, LessonState.PLANNED)
    if state not in set(LessonState):
        raise BadDocument(f"{place}.state: {state!r} is not a state of a lesson")
    return built(
        Lesson,
        place,
        id=text(entry, "id", place),
        class_id=text(entry, "class_id", place),
        class_name=text(entry, "class_name", place),
        room=text(entry, "room", place),
        instructors=tuple(str(value) for value in listing(entry, "instructors", place)),
        hours=hours,
        profile=text(entry, "profile", place, "default"),
        state=LessonState(state),
        reason=text(entry, "reason", place, ""),
    )


def lesson_to_json(lesson: Lesson) -> dict[str, Any]:
    """Return the JSON form that ``lesson_from_json`` reads."""
    return {
        "id": lesson.id,
        "class_id": lesson.class_id,
        "class_name": lesson.class_name,
        "room": lesson.room,
        "instructors": list(lesson.instructors),
        "hours": [
            {"start": time_to_json(hour.start), "end": time_to_json(hour.end)}
            for hour in lesson.hours
        ],
        "profile": lesson.profile,
        "state": str(lesson.state),
        "reason": lesson.reason,
    }


def _class(entry: Any, place: str) -> TrainingClass:
    trainees = tuple(
        built(
            Trainee,
            f"{place}.trainees[{number}]",
            id=text(trainee, "id", f"{place}.trainees[{number}]"),
            number=text(trainee, "number", f"{place}.trainees[{number}]"),
            name=text(trainee, "name", f"{place}.trainees[{number}]"),
            pin_hash=text(trainee, "pin_hash", f"{place}.trainees[{number}]", ""),
            card_hash=text(trainee, "card_hash", f"{place}.trainees[{number}]", ""),
        )
        for number, trainee in enumerate(listing(entry, "trainees", place))
    )
    return built(
        TrainingClass,
        place,
        id=text(entry, "id", place),
        name=text(entry, "name", place),
        period_id=text(entry, "period_id", place, ""),
        approved_by=text(entry, "approved_by", place, ""),
        received_at=time(entry, "received_at", place),
        trainees=trainees,
        prescribed_hours=_whole(entry, "prescribed_hours", place),
    )


def _whole(entry: Any, key: str, place: str) -> int:
    value = entry.get(key, 0)
    if not isinstance(value, int) or isinstance(value, bool):
        raise BadDocument(f"{place}.{key}: must be a whole number, not {value!r}")
    return value


def _instructor(entry: Any, place: str) -> Instructor:
    return built(
        Instructor,
        place,
        id=text(entry, "id", place),
        name=text(entry, "name", place),
        pin_hash=text(entry, "pin_hash", place),
    )
