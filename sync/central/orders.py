"""Lessons that staff have recorded by hand, one or many at once (R14), and what became of it.

Owns no table: an order is a request of the kind ``record`` for each box of the lesson, worth doing
until the lesson's end, and its answer is the box's event.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Connection, select

from edge.camera_events import RecordingOrdered
from edge.events import RequestRefused
from edge.model import Instant
from edge.rules.lessons import kept_from_recording
from sync.central import requests, tables
from sync.central.views import Planned


@dataclass(frozen=True, slots=True)
class Order:
    """One order for one box. ``state``: done | refused | waiting | expired; ``why`` refused."""

    lesson_id: str
    box: str
    by: str
    at: Instant
    state: str
    answered_at: Instant | None = None
    why: str = ""


def give(connection: Connection, now: Instant, lessons: Iterable[Planned], by: str) -> int:
    """File an order for each box of *lessons*; return how many. Lessons out of time get none."""
    count = 0
    for planned in lessons:
        if kept_from_recording(planned.lesson, now) is not None:
            continue
        for box in planned.boxes:
            args = {"lesson": planned.lesson.id, "by": by}
            lasts = planned.lesson.end - now
            try:
                requests.file(connection, now, box, requests.RECORD, args, by, lasts)
            except requests.NoSuchBox:
                continue  # it stands on a timetable and never said hello: the page names it
            count += 1
    return count


def of_lessons(connection: Connection, now: Instant, lessons: Iterable[str]) -> list[Order]:
    """Return the orders for *lessons*, the latest first."""
    wanted = set(lessons)
    table = tables.request
    rows = connection.execute(
        select(table)
        .where(table.c.kind == requests.RECORD)
        .order_by(table.c.filed_at.desc(), table.c.box)
        .limit(500)
    ).all()
    found = []
    for row in rows:
        lesson_id = str(json.loads(bytes(row.args or b"{}")).get("lesson", ""))
        if lesson_id not in wanted:
            continue
        state, why = ("waiting" if row.expires > now else "expired"), ""
        if row.answered_at is not None:
            match requests.answer_to(connection, row.id):
                case RecordingOrdered():
                    state = "done"
                case RequestRefused(reason=reason):
                    state, why = "refused", reason
        order = Order(lesson_id, row.box, row.filed_by, row.filed_at, state, row.answered_at, why)
        found.append(order)
    return found
