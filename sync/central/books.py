"""Which timetable, roster and rules hold for a lesson at the centre.

Promises that a lesson which was opened is shown as it was frozen then, by the documents that it
cites, and every other one by those in force. Documents never change, so what was read once is
kept by its hash.
"""

from __future__ import annotations

import json
from dataclasses import replace
from functools import lru_cache
from typing import Any, cast

from sqlalchemy import Connection, func, select

from edge import documents
from edge.documents import Roster, lesson_from_json
from edge.model import Instant, Lesson, LessonState, Profile, TrainingClass
from edge.rulebook import Rulebook
from edge.shipped import shipped_profile as shipped_profile
from sync.central import tables
from sync.central.documents import content_of
from sync.central.views import Planned, Run


def lessons(connection: Connection, opens: Instant, closes: Instant) -> list[Planned]:
    """Return the lessons that begin within [opens, closes), in the order of start and room."""
    found: dict[str, Planned] = {}
    for box, content in in_force(connection, documents.TIMETABLE):
        for lesson in _timetable(content):
            _add(found, box, lesson, None)
    table = tables.lesson_run
    query = select(table).where(table.c.starts < closes + _DAY, table.c.starts >= opens - _DAY)
    for row in connection.execute(query):
        _add(found, row.box, *_taught(row))
    return sorted(
        (planned for planned in found.values() if opens <= planned.lesson.start < closes),
        key=lambda planned: (planned.lesson.start, planned.lesson.room, planned.lesson.id),
    )


def lesson(connection: Connection, lesson_id: str) -> Planned | None:
    """Return one lesson, None when no box and no timetable names it."""
    found: dict[str, Planned] = {}
    for box, content in in_force(connection, documents.TIMETABLE):
        for entry in _timetable(content):
            if entry.id == lesson_id:
                _add(found, box, entry, None)
    table = tables.lesson_run
    for row in connection.execute(select(table).where(table.c.lesson_id == lesson_id)):
        _add(found, row.box, *_taught(row))
    return found.get(lesson_id)


def profile_of(connection: Connection, planned: Planned) -> Profile:
    """Return the rules that judge a lesson; the shipped ones when no document states them."""
    name = planned.lesson.profile
    for content in _contents(connection, planned, documents.PROFILES):
        book = cast("Rulebook", _parsed(documents.PROFILES, content))
        holding = book.holding(name, planned.lesson.start)
        if holding is not None:
            return holding
    return shipped_profile(name)


def roster_of(connection: Connection, planned: Planned) -> Roster:
    """Return the classes and instructors that the lesson's boxes know."""
    for content in _contents(connection, planned, documents.ROSTER):
        return cast("Roster", _parsed(documents.ROSTER, content))
    return Roster((), ())


def class_of(connection: Connection, planned: Planned) -> TrainingClass | None:
    """Return the lesson's class with its roster."""
    classes = roster_of(connection, planned).classes
    return next((entry for entry in classes if entry.id == planned.lesson.class_id), None)


_DAY = 86_400_000_000


def _add(found: dict[str, Planned], box: str, lesson: Lesson, run: Run | None) -> None:
    """Join what one box says of a lesson to what others say; what was taught outweighs a plan."""
    before = found.get(lesson.id)
    if before is None:
        found[lesson.id] = Planned(lesson, (box,), run)
        return
    boxes = before.boxes if box in before.boxes else (*before.boxes, box)
    if run is not None and before.run is None:
        found[lesson.id] = Planned(lesson, boxes, run)
    else:
        found[lesson.id] = replace(before, boxes=boxes)


def _taught(row: Any) -> tuple[Lesson, Run]:
    lesson = replace(_lesson(row.content), state=LessonState(row.state))
    frozen = json.loads(row.documents)
    return lesson, Run(row.opened_at, row.opened_by, row.ended_at, row.ended_by, frozen)


def _contents(connection: Connection, planned: Planned, kind: str) -> list[bytes]:
    """Return the documents to ask, the best first."""
    found: list[bytes] = []
    if planned.run is not None:
        frozen = content_of(connection, planned.run.documents.get(kind, ""))
        if frozen is not None:
            return [frozen]
    for box, content in in_force(connection, kind):
        if box in planned.boxes:
            found.append(content)
    return found


def in_force(connection: Connection, kind: str) -> list[tuple[str, bytes]]:
    """Return the newest document of *kind* of each box."""
    table = tables.document
    last = (
        select(func.max(table.c.number)).where(table.c.kind == kind).group_by(table.c.box)
    ).scalar_subquery()
    rows = connection.execute(
        select(table.c.box, table.c.content).where(table.c.number.in_(last)).order_by(table.c.box)
    )
    return [(row.box, bytes(row.content)) for row in rows]


def _timetable(content: bytes) -> tuple[Lesson, ...]:
    return cast("tuple[Lesson, ...]", _parsed(documents.TIMETABLE, content))


@lru_cache(maxsize=512)
def _parsed(kind: str, content: bytes) -> object:
    return documents.parse(kind, content)


@lru_cache(maxsize=4096)
def _lesson(content: str) -> Lesson:
    return lesson_from_json(json.loads(content))
