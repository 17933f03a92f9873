"""What the ledger knows of the cameras as things: the rows, and the questions about them.

Owns the tables ``camera_fact`` (what was last stated of each camera, one row for each sort),
``camera_link`` and ``recording_order``. ``edge.projections`` applies the events; nothing else
changes these rows.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from typing import Any

from edge.camera_events import ROLES as ROLES
from edge.camera_events import (
    CameraBound,
    CameraClockSet,
    CameraIdentified,
    CameraLinked,
    CameraMoved,
    CameraSetUp,
    CameraUnbound,
    RecordingOrdered,
)
from edge.chain import Event
from edge.events import Body, canonical
from edge.model import Instant

BOUND, UNBOUND, IDENTIFIED = "bound", "unbound", "identified"
MOVED, CLOCK, SET_UP = "moved", "clock", "set_up"
Fact = dict[str, Any]
Facts = dict[str, Fact]


def stated(connection: sqlite3.Connection) -> dict[str, Facts]:
    """Return what was last stated of each camera: camera → sort → fields (and ``at``)."""
    found: dict[str, Facts] = {}
    for row in connection.execute("SELECT * FROM camera_fact ORDER BY camera, sort"):
        facts = found.setdefault(row["camera"], {})
        facts[row["sort"]] = {**json.loads(row["content"]), "at": row["at"]}
    return found


def labels(connection: sqlite3.Connection) -> dict[str, str]:
    """Return what stands on the cable of each camera that was bound and films the classroom."""
    return {
        camera: facts[BOUND]["label"]
        for camera, facts in stated(connection).items()
        if BOUND in facts and facts[BOUND]["role"] != "door"
    }


def links(connection: sqlite3.Connection) -> dict[str, frozenset[str]]:
    """Return the cameras that each lesson with links is filmed by."""
    found: dict[str, frozenset[str]] = {}
    for row in connection.execute("SELECT lesson_id, camera FROM camera_link"):
        found[row["lesson_id"]] = found.get(row["lesson_id"], frozenset()) | {row["camera"]}
    return found


def roles(connection: sqlite3.Connection) -> dict[str, str]:
    """Return the role of each camera that was bound."""
    return {
        camera: str(facts[BOUND]["role"])
        for camera, facts in stated(connection).items()
        if BOUND in facts
    }


def ordered(connection: sqlite3.Connection) -> dict[str, Instant]:
    """Return the lessons that somebody ordered to be recorded, and since when (R14)."""
    rows = connection.execute("SELECT lesson_id, at FROM recording_order")
    return {row["lesson_id"]: row["at"] for row in rows}


def address_now(configured: str, facts: Facts) -> str:
    """Return where a camera configured at *configured* is: there, or where it was found again."""
    moved = facts.get(MOVED)
    return str(moved["after"]) if moved and moved["before"] == configured else configured


def _bound(connection: sqlite3.Connection, event: Event, body: CameraBound) -> None:
    connection.execute("DELETE FROM camera_fact WHERE camera = ?", (body.camera,))
    _put(connection, event, body.camera, BOUND, vars(body))


def _unbound(connection: sqlite3.Connection, event: Event, body: CameraUnbound) -> None:
    for table, column in (("camera_fact", "camera"), ("camera_link", "camera"), ("camera", "id")):
        connection.execute(f"DELETE FROM {table} WHERE {column} = ?", (body.camera,))
    # Its id stays known, lest another camera get it: recordings go by it.
    _put(connection, event, body.camera, UNBOUND, vars(body))


def _linked(connection: sqlite3.Connection, event: Event, body: CameraLinked) -> None:
    if body.linked:
        connection.execute(
            "INSERT OR IGNORE INTO camera_link VALUES (?, ?)", (body.lesson_id, body.camera)
        )
    else:
        connection.execute(
            "DELETE FROM camera_link WHERE lesson_id = ? AND camera = ?",
            (body.lesson_id, body.camera),
        )


def _identified(connection: sqlite3.Connection, event: Event, body: CameraIdentified) -> None:
    _put(connection, event, body.camera, IDENTIFIED, vars(body))


def _moved(connection: sqlite3.Connection, event: Event, body: CameraMoved) -> None:
    """Keep the first address of a chain of moves: it is the one that stands in the settings."""
    earlier = stated(connection).get(body.camera, {}).get(MOVED)
    before = earlier["before"] if earlier and earlier["after"] == body.before else body.before
    _put(connection, event, body.camera, MOVED, {**vars(body), "before": before})


def _clock_set(connection: sqlite3.Connection, event: Event, body: CameraClockSet) -> None:
    _put(connection, event, body.camera, CLOCK, vars(body))


def _set_up(connection: sqlite3.Connection, event: Event, body: CameraSetUp) -> None:
    _put(connection, event, body.camera, SET_UP, vars(body))


def _ordered(connection: sqlite3.Connection, event: Event, body: RecordingOrdered) -> None:
    """Keep the first order: recording began by it."""
    connection.execute(
        "INSERT OR IGNORE INTO recording_order VALUES (?, ?, ?)",
        (body.lesson_id, body.by, event.reading.at),
    )


def _put(
    connection: sqlite3.Connection, event: Event, camera: str, sort: str, content: dict[str, Any]
) -> None:
    connection.execute(
        "INSERT OR REPLACE INTO camera_fact VALUES (?, ?, ?, ?)",
        (camera, sort, event.reading.at, canonical(content).decode("utf-8")),
    )


APPLY: dict[type[Body], Callable[[sqlite3.Connection, Event, Any], None]] = {
    CameraBound: _bound,
    CameraUnbound: _unbound,
    CameraLinked: _linked,
    CameraIdentified: _identified,
    CameraMoved: _moved,
    CameraClockSet: _clock_set,
    CameraSetUp: _set_up,
    RecordingOrdered: _ordered,
}
