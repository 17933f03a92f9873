"""Filings → the documents of each box: the classes that meet in its room, and their lessons.

Promises that a room without a box, and an instructor without a PIN, are named instead of left out
in silence.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import Connection, select

from edge.documents import ROSTER, TIMETABLE, Roster, roster_to_json, timetable_to_json
from edge.model import DAY, Instant, Instructor, Lesson, LessonHour, Trainee, TrainingClass
from sync.central.documents import store_document
from sync.central.filing.tables import (
    class_instructor,
    class_trainee,
    filed_class,
    filed_lesson,
    instructor,
    person,
    room,
)
from sync.central.store import CentralStore

# A lesson stays on its box for as long, for instructors to look at.
BEHIND = 7 * DAY


@dataclass(frozen=True, slots=True)
class Published:
    """What a box was given. ``without_pin``: instructors who cannot log in there yet."""

    box: str
    room: str
    lessons: int
    trainees: int
    without_pin: tuple[str, ...]


def rooms_without_a_box(connection: Connection, now: Instant) -> list[str]:
    """Return the rooms in which lessons are to come and no box is known."""
    rows = connection.execute(
        select(filed_lesson.c.room)
        .distinct()
        .where(filed_lesson.c.ends > now, filed_lesson.c.room.not_in(select(room.c.name)))
        .order_by(filed_lesson.c.room)
    )
    return [row.room for row in rows]


def publish(store: CentralStore, now: Instant) -> list[Published]:
    """Give every box with a room its timetable and roster; what did not change is not sent again.

    Raises BadDocument or TooBig.
    """
    with store.reading() as connection:
        rooms = connection.execute(select(room).order_by(room.c.name)).all()
        made = [_documents(connection, one.name, now) for one in rooms]
    told: list[Published] = []
    for one, (roster, lessons) in zip(rooms, made, strict=True):
        store_document(store, one.box, ROSTER, roster_to_json(roster), now)
        store_document(store, one.box, TIMETABLE, timetable_to_json(lessons), now)
        people = {trainee.id for entry in roster.classes for trainee in entry.trainees}
        without = tuple(entry.id for entry in roster.instructors if not entry.pin_hash)
        told.append(Published(one.box, one.name, len(lessons), len(people), without))
    return told


def _documents(
    connection: Connection, room_name: str, now: Instant
) -> tuple[Roster, tuple[Lesson, ...]]:
    rows = connection.execute(
        select(filed_lesson, filed_class.c.name, filed_class.c.profile)
        .join(filed_class, filed_class.c.period_id == filed_lesson.c.period_id)
        .where(filed_lesson.c.room == room_name, filed_lesson.c.ends > now - BEHIND)
        .order_by(filed_lesson.c.starts, filed_lesson.c.id)
    ).all()
    lessons = tuple(
        Lesson(
            id=row.id,
            class_id=row.period_id,
            class_name=row.name,
            room=row.room,
            instructors=tuple(json.loads(row.instructors)),
            hours=tuple(LessonHour(starts, ends) for starts, ends in json.loads(row.hours)),
            profile=row.profile,
        )
        for row in rows
    )
    periods = list(dict.fromkeys(row.period_id for row in rows))
    classes = tuple(_classes(connection, periods))
    return Roster(classes, tuple(_instructors(connection, periods))), lessons


def _classes(connection: Connection, periods: list[str]) -> Iterator[TrainingClass]:
    for period in periods:
        head = connection.execute(
            select(filed_class).where(filed_class.c.period_id == period)
        ).one()
        rows = connection.execute(
            select(
                person.c.id,
                class_trainee.c.number,
                person.c.name,
                person.c.pin_hash,
                person.c.card_hash,
            )
            .join(class_trainee, class_trainee.c.person_id == person.c.id)
            .where(class_trainee.c.period_id == period)
            .order_by(class_trainee.c.number)
        )
        yield TrainingClass(
            id=period,
            name=head.name,
            period_id=period,
            approved_by=head.approved_by,
            received_at=head.received_at,
            trainees=tuple(
                Trainee(row.id, row.number, row.name, row.pin_hash, row.card_hash) for row in rows
            ),
        )


def _instructors(connection: Connection, periods: list[str]) -> Iterator[Instructor]:
    rows = connection.execute(
        select(instructor)
        .distinct()
        .join(class_instructor, class_instructor.c.instructor_id == instructor.c.id)
        .where(class_instructor.c.period_id.in_(periods))
        .order_by(instructor.c.id)
    )
    for row in rows:
        yield Instructor(row.id, row.name, row.pin_hash)
