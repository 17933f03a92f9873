"""How fast one event becomes durable: our append against plain sqlite3 on the same disk.

What ours adds to a commit costs processor time and three more pages, whatever the disk does: the
faster the disk syncs, the lower the ratio.
"""

from __future__ import annotations

import os
import sqlite3
import tempfile
import uuid
from collections.abc import Callable, Generator
from functools import partial
from pathlib import Path

from edge import events
from edge.clock import BoxClock, monotonic
from edge.events import Body, RequestRefused, ScanMade
from edge.ledger import Ledger
from tests.bench.figures import Figure

EVENTS = 200
# Short rounds, many of them: what else the disk does meets ours and the reference alike.
ROUNDS = 21
REFERENCE = "plain sqlite3, WAL, FULL, one row of the same bytes and a unique id a commit"


def figures() -> Generator[Figure, None, None]:
    """Append one event a commit: alone (hashes, signature, lock), and a scan with its rows."""
    with tempfile.TemporaryDirectory(prefix="bench-ledger-") as folder:
        ours = Ledger.open(Path(folder) / "ours", "bench", BoxClock.of(Path(folder), "ntp"))
        plain = sqlite3.connect(Path(folder) / "plain.db", isolation_level=None)
        plain.execute("PRAGMA journal_mode=WAL")
        plain.execute("PRAGMA synchronous=FULL")
        plain.execute("CREATE TABLE row (seq INTEGER PRIMARY KEY, id TEXT UNIQUE, bytes BLOB)")
        try:
            for name, make, goal in (
                ("append", _plain_event, ">= 0.7"),
                ("append a scan", _scan, ">= 0.3"),
            ):
                _append(ours, make)  # the WAL has its size from here on, as on a running box
                _insert(plain, make)
                yield Figure(
                    name=name,
                    ours=partial(_append, ours, make),
                    reference=partial(_insert, plain, make),
                    unit="events/s",
                    reference_is=REFERENCE,
                    goal=goal,
                    rounds=ROUNDS,
                )
        finally:
            plain.close()
            ours.close()


def _plain_event(number: int) -> Body:
    return RequestRefused(os.urandom(16).hex(), "enrol", f"reason {number}: " + "x" * 200)


def _scan(number: int) -> Body:
    return ScanMade(
        person_id=f"person-{number % 50}",
        at=number,
        way="face",
        photo=os.urandom(32).hex(),
        score=6200,
        margin=2100,
        frames=5,
        model="fr_feature",
        model_version="0.0.1",
    )


def _append(ledger: Ledger, make: Callable[[int], Body]) -> float:
    bodies = [make(number) for number in range(EVENTS)]
    begun = monotonic()
    for body in bodies:
        ledger.append(body)
    elapsed = monotonic() - begun
    ledger.store.checkpoint()  # as the link does, now and then; it is not part of an append
    return EVENTS / elapsed


def _insert(connection: sqlite3.Connection, make: Callable[[int], Body]) -> float:
    rows = [(uuid.uuid4().hex, events.encode(make(number))) for number in range(EVENTS)]
    begun = monotonic()
    for row in rows:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("INSERT INTO row (id, bytes) VALUES (?, ?)", row)
        connection.execute("COMMIT")
    return EVENTS / (monotonic() - begun)
