"""Requests: what one service asks another to do, answered by an event.

A request is a row with a unique id; its answer commits together with its event; a claim on it
expires, so that a worker that died does not keep it.
"""

from __future__ import annotations

import json
import sqlite3
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from edge import events
from edge.chain import Event
from edge.events import Body
from edge.ledger import Ledger, Writer
from edge.model import SECOND, Duration, Instant

CLAIM: Duration = 30 * SECOND
# Kinds that a service of this box takes by ``claim``; the link carries out its own.
CAMERA_DISCOVER, CAMERA_SET_UP, CAMERA_TEST = "camera.discover", "camera.set_up", "camera.test"
SPOT_CHECK, RECORD = "spot_check", "record"
OF_SERVICES = ("enrol", RECORD, SPOT_CHECK, CAMERA_DISCOVER, CAMERA_SET_UP, CAMERA_TEST)


class CannotDo(ValueError):
    """A request that cannot be carried out; the message says why, and what to do."""


@dataclass(frozen=True, slots=True)
class Request:
    """Something to do."""

    id: str
    kind: str
    args: Mapping[str, Any]


def ask(ledger: Ledger, kind: str, args: Mapping[str, Any], ttl: Duration) -> str:
    """File a request that is worth answering for *ttl*, and return its id."""
    request_id = uuid.uuid4().hex
    with ledger.writing() as writer:
        writer.execute(
            "INSERT INTO request VALUES (?, ?, ?, ?, NULL, NULL, NULL)",
            (
                request_id,
                kind,
                events.canonical(dict(args)).decode("utf-8"),
                ledger.clock.now().at + ttl,
            ),
        )
    return request_id


def file(
    writer: Writer, request_id: str, kind: str, args: Mapping[str, Any], expires: Instant
) -> bool:
    """File a request that came from the centre; False when it was filed before."""
    row = (request_id, kind, events.canonical(dict(args)).decode("utf-8"), expires)
    inserted = writer.execute(
        "INSERT OR IGNORE INTO request VALUES (?, ?, ?, ?, NULL, NULL, NULL)", row
    )
    return inserted.rowcount > 0


def unanswered(
    connection: sqlite3.Connection, kinds: Iterable[str]
) -> list[tuple[Request, Instant]]:
    """Return the requests of *kinds* without an answer and when each expires, oldest first."""
    wanted = tuple(kinds)
    rows = connection.execute(
        f"SELECT * FROM request WHERE kind IN ({','.join('?' * len(wanted))}) "
        "AND answered IS NULL ORDER BY rowid",
        wanted,
    ).fetchall()
    return [
        (Request(row["id"], row["kind"], json.loads(row["args"])), row["expires"]) for row in rows
    ]


def claim(ledger: Ledger, kinds: Iterable[str], worker: str) -> Request | None:
    """Take the oldest open request of *kinds*; None when there is none."""
    wanted = tuple(kinds)
    marks = ",".join("?" * len(wanted))
    now = ledger.clock.now().at
    open_one = (
        f"SELECT * FROM request WHERE kind IN ({marks}) AND answered IS NULL AND expires > ? "
        "AND (claimed_until IS NULL OR claimed_until < ?) ORDER BY expires LIMIT 1"
    )
    with ledger.store.read() as connection:  # most looks find nothing and need no write lock
        if connection.execute(open_one, (*wanted, now, now)).fetchone() is None:
            return None
    with ledger.writing() as writer:
        row = writer.execute(open_one, (*wanted, now, now)).fetchone()
        if row is None:
            return None
        writer.execute(
            "UPDATE request SET claimed_by = ?, claimed_until = ? WHERE id = ?",
            (worker, now + CLAIM, row["id"]),
        )
    return Request(row["id"], row["kind"], json.loads(row["args"]))


def answer(writer: Writer, request_id: str, body: Body) -> Event:
    """Append *body* as the answer to a request, in the caller's transaction."""
    event = writer.append(body)
    writer.execute("UPDATE request SET answered = ? WHERE id = ?", (event.seq, request_id))
    return event


def answer_of(connection: sqlite3.Connection, request_id: str) -> Body | None:
    """Return the answer to a request, None while there is none."""
    row = connection.execute(
        "SELECT event.kind, body.bytes FROM request JOIN event ON event.seq = answered "
        "JOIN body USING (seq) WHERE request.id = ?",
        (request_id,),
    ).fetchone()
    return events.decode(row["kind"], row["bytes"]) if row else None
