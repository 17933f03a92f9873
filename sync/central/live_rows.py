"""Who looked into which room, as the boxes say: the centre's rows of live view."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import Connection, select, update

from edge.events import Body
from edge.live_events import LiveViewEnded, LiveViewStarted
from sync.central import tables
from sync.central.origin import Origin
from sync.central.store import insert_new


def of_lesson(connection: Connection, lesson_id: str) -> Sequence[Any]:
    """Return who looked into a lesson, as rows of ``live_view``, the first first."""
    view = tables.live_view
    query = select(view).where(view.c.lesson_id == lesson_id).order_by(view.c.started_at, view.c.id)
    return connection.execute(query).all()


def _started(connection: Connection, origin: Origin, body: LiveViewStarted) -> None:
    row = {
        "box": origin.box,
        "id": body.request_id,
        "camera": body.camera,
        "lesson_id": body.lesson_id,
        "by": body.by,
        "started_at": origin.at,
        "ended_at": None,
        "frames": None,
        "cause": None,
    }
    insert_new(connection, tables.live_view, [row])


def _ended(connection: Connection, origin: Origin, body: LiveViewEnded) -> None:
    view = tables.live_view
    connection.execute(
        update(view)
        .where(view.c.box == origin.box, view.c.id == body.request_id, view.c.ended_at.is_(None))
        .values(ended_at=origin.at, frames=body.frames, cause=body.cause)
    )


APPLY: dict[type[Body], Callable[[Connection, Origin, Any], None]] = {
    LiveViewStarted: _started,
    LiveViewEnded: _ended,
}
