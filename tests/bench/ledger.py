"""How fast one event becomes durable: our append against plain sqlite3 on the same disk."""

from __future__ import annotations

import os
import sqlite3
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

from edge import events
from edge.clock import SystemClock, monotonic
from edge.events import ScanMade
from edge.ledger import Ledger
from tests.bench.figures import Figure

EVENTS = 600
ROUNDS = 7


def figures() -> Iterator[Figure]:
    """Append scans one commit each; ours hashes, signs, locks and projects as the box does."""
    with tempfile.TemporaryDirectory(prefix="bench-ledger-") as folder:
        ours = Ledger.open(Path(folder) / "ours", "bench", SystemClock())
        plain = sqlite3.connect(Path(folder) / "plain.db", isolation_level=None)
        plain.execute("PRAGMA journal_mode=WAL")
        plain.execute("PRAGMA synchronous=FULL")
        plain.execute("CREATE TABLE row (seq INTEGER PRIMARY KEY, id TEXT UNIQUE, bytes BLOB)")
        try:
            yield Figure(
                name="append",
                ours=lambda: _append(ours),
                reference=lambda: _insert(plain),
                unit="events/s",
                reference_is="plain sqlite3, WAL, FULL, one row of the same bytes with a unique id a commit",
                goal=">= 0.7",
                rounds=ROUNDS,
            )
        finally:
            plain.close()
            ours.close()


def _scan(number: int) -> ScanMade:
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


def _append(ledger: Ledger) -> float:
    scans = [_scan(number) for number in range(EVENTS)]
    begun = monotonic()
    for scan in scans:
        ledger.append(scan)
    elapsed = monotonic() - begun
    ledger.store.checkpoint()  # as the link does, now and then; it is not part of an append
    return EVENTS / elapsed


def _insert(connection: sqlite3.Connection) -> float:
    rows = [(uuid.uuid4().hex, events.encode(_scan(number))) for number in range(EVENTS)]
    begun = monotonic()
    for row in rows:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("INSERT INTO row (id, bytes) VALUES (?, ?)", row)
        connection.execute("COMMIT")
    return EVENTS / (monotonic() - begun)
