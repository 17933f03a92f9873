"""What the ledger knows of who looks into the room: the rows, and the questions about them.

Owns the table ``live_view``. ``edge.projections`` applies the events; nothing else changes its
rows.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from edge.chain import Event
from edge.events import Body
from edge.live_events import LiveViewEnded, LiveViewStarted
from edge.model import Instant


@dataclass(frozen=True, slots=True)
class View:
    """Somebody looks through *camera*. ``id``: of the request that asked for it."""

    id: str
    camera: str
    lesson_id: str
    by: str
    started_at: Instant
    until: Instant


def running(connection: sqlite3.Connection) -> tuple[View, ...]:
    """Return the views that have not ended, the oldest first."""
    rows = connection.execute(
        "SELECT id, camera, lesson_id, by, started_at, until FROM live_view "
        "WHERE ended_at IS NULL ORDER BY started_at, id"
    )
    return tuple(View(*row) for row in rows)


def _started(connection: sqlite3.Connection, event: Event, body: LiveViewStarted) -> None:
    connection.execute(
        "INSERT OR IGNORE INTO live_view VALUES (?, ?, ?, ?, ?, ?, NULL)",
        (
            body.request_id,
            body.camera,
            body.lesson_id,
            body.by,
            event.reading.at,
            body.until,
        ),
    )


def _ended(connection: sqlite3.Connection, event: Event, body: LiveViewEnded) -> None:
    connection.execute(
        "UPDATE live_view SET ended_at = ? WHERE id = ? AND ended_at IS NULL",
        (event.reading.at, body.request_id),
    )


APPLY: dict[type[Body], Callable[[sqlite3.Connection, Event, Any], None]] = {
    LiveViewStarted: _started,
    LiveViewEnded: _ended,
}
