"""What the ledger says is wrong now, and how the disk is used: the rows and the questions.

Owns the tables ``alert`` (those that stand) and ``disk_plan`` (the last one). ``edge.projections``
applies the events; nothing else changes these rows.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from edge.chain import Event
from edge.events import Body
from edge.health_events import AlertCleared, AlertRaised, DiskPlanned
from edge.model import Instant
from edge.rules.alerts import Case, Code


@dataclass(frozen=True, slots=True)
class Alert:
    """An alert that stands. ``detail``: what was seen; ``at``: when it was raised."""

    case: Case
    detail: str
    at: Instant


def standing(connection: sqlite3.Connection) -> tuple[Alert, ...]:
    """Return the alerts that stand, worst first: in the order of ``Code`` for each subject."""
    known = {str(code): code for code in Code}
    found = [
        Alert(Case(row["subject"], known[row["code"]]), row["detail"], row["at"])
        for row in connection.execute("SELECT * FROM alert")
        if row["code"] in known
    ]
    order = list(Code)
    return tuple(sorted(found, key=lambda one: (order.index(one.case.code), one.case.subject)))


def disk_plan(connection: sqlite3.Connection) -> DiskPlanned | None:
    """Return how the disk was last said to be used, None before it was ever looked at."""
    row = connection.execute("SELECT * FROM disk_plan").fetchone()
    if row is None:
        return None
    return DiskPlanned(
        row["quality"], bool(row["ballast"]), row["free"], row["total"], row["days_left"]
    )


def _raised(connection: sqlite3.Connection, event: Event, body: AlertRaised) -> None:
    connection.execute(
        "INSERT OR REPLACE INTO alert VALUES (?, ?, ?, ?, ?)",
        (body.subject, body.code, body.detail, body.lesson_id, event.reading.at),
    )


def _cleared(connection: sqlite3.Connection, event: Event, body: AlertCleared) -> None:
    connection.execute(
        "DELETE FROM alert WHERE subject = ? AND code = ?", (body.subject, body.code)
    )


def _planned(connection: sqlite3.Connection, event: Event, body: DiskPlanned) -> None:
    connection.execute("DELETE FROM disk_plan")
    connection.execute(
        "INSERT INTO disk_plan VALUES (?, ?, ?, ?, ?, ?)",
        (
            body.quality,
            int(body.ballast),
            body.free,
            body.total,
            body.days_left,
            event.reading.at,
        ),
    )


APPLY: dict[type[Body], Callable[[sqlite3.Connection, Event, Any], None]] = {
    AlertRaised: _raised,
    AlertCleared: _cleared,
    DiskPlanned: _planned,
}
