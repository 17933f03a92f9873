"""Append, read, verify: the box's one append-only ledger.

Owns the chain. Promises that an event, its body and the projection rows that it changes are one
transaction; that ``seq`` has no gaps; that bytes are stored as they were hashed; and that
appending the same event id twice stores it once.
"""

from __future__ import annotations

import os
import sqlite3
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

from edge import chain, events, projections, proof
from edge.chain import Event, event_from_row
from edge.clock import STEP, Clock
from edge.clock_events import ClockStepped
from edge.events import Body, LedgerBorn, LedgerBranched
from edge.keys import KeyProblem, Signer
from edge.later_migrations import PROJECTIONS, box
from edge.lineage import Lineage
from edge.model import Duration, Instant, Reading
from edge.proof import Record, Report
from edge.store import Store

SOFTWARE = version("classbox")
_BATCH = 1000


class LedgerError(Exception):
    """The ledger cannot be opened or used; the message says what to do."""


class Writer:
    """An open write transaction: append events, and change rows that belong to them."""

    def __init__(self, connection: sqlite3.Connection, signer: Signer, clock: Clock) -> None:
        """Read the head inside the transaction that *connection* has open."""
        self.connection = connection
        self._signer = signer
        self._clock = clock
        row = connection.execute("SELECT seq, hash FROM head").fetchone()
        self._seq: int = row["seq"]
        self._hash: bytes = row["hash"]
        self._before: tuple[str, int] | None = None

    def append(self, body: Body, event_id: str | None = None) -> Event:
        """Append one event and its projections; with a known *event_id*, return what is stored.

        Where the time jumped since the event before, an event that says so is put in between.
        """
        if event_id is not None:
            stored = self.find(event_id)
            if stored is not None:
                return stored
        reading = self._clock.now()
        after = _offset(reading.at, reading.mono)
        boot, before = self._before or self._last() or (reading.boot, after)
        if boot == reading.boot and abs(after - before) > STEP:
            self._append(ClockStepped(boot, before, after), uuid.uuid4().hex, reading)
        return self._append(body, event_id or uuid.uuid4().hex, reading)

    def _append(self, body: Body, identity: str, reading: Reading) -> Event:
        content = events.encode(body)
        salt = os.urandom(chain.SALT_BYTES)
        seq = self._seq + 1
        hashed = chain.body_hash(salt, content)
        own = chain.header_hash(seq, identity, body.kind, reading, hashed, self._hash)
        event = Event(
            seq, identity, body.kind, reading, hashed, self._hash, own, self._signer.sign(own)
        )
        self.connection.execute(
            "INSERT INTO event VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                seq,
                identity,
                body.kind,
                reading.at,
                reading.boot,
                reading.mono,
                reading.clock,
                hashed,
                self._hash,
                own,
                event.signature,
            ),
        )
        self.connection.execute("INSERT INTO body VALUES (?, ?, ?)", (seq, salt, content))
        self.connection.execute("UPDATE head SET seq = ?, hash = ?", (seq, own))
        projections.apply(self.connection, event, body)
        self._seq, self._hash = seq, own
        self._before = (reading.boot, _offset(reading.at, reading.mono))
        return event

    def _last(self) -> tuple[str, int] | None:
        """Return boot, and wall time minus monotonic clock, of the last event."""
        row = self.connection.execute(
            "SELECT boot, at, mono FROM event WHERE seq = ?", (self._seq,)
        ).fetchone()
        return (row["boot"], _offset(row["at"], row["mono"])) if row else None

    def find(self, event_id: str) -> Event | None:
        """Return the stored event with that id."""
        row = self.connection.execute("SELECT * FROM event WHERE id = ?", (event_id,)).fetchone()
        return event_from_row(row) if row else None

    def execute(self, sql: str, arguments: tuple[Any, ...] | dict[str, Any] = ()) -> sqlite3.Cursor:
        """Run *sql* in the same transaction."""
        return self.connection.execute(sql, arguments)


class Ledger:
    """The ledger of one box, open in one process. Threads may share it.

    ``uuid`` is the name that it was born under and is verified by; ``lineage`` tells which names
    its stretches go by at the centre.
    """

    def __init__(self, store: Store, signer: Signer, clock: Clock, box_id: str) -> None:
        """Use ``Ledger.open`` instead."""
        self.store = store
        self.clock = clock
        self.box_id = box_id
        self.public_key = signer.public_key
        self._signer = signer
        with store.read() as connection:
            self.uuid: str = connection.execute("SELECT ledger_uuid FROM head").fetchone()[0]

    @classmethod
    def open(cls, data_dir: Path, box_id: str, clock: Clock) -> Ledger:
        """Open the ledger in *data_dir*; the first call makes its key, database and first event.

        Raises LedgerError when the key does not belong to the ledger, or the ledger to the box.
        """
        store = Store(data_dir / "ledger.db", box)
        try:
            with store.locked():
                signer = Signer(data_dir / "keys" / "ledger.key")
                with store.write() as connection:
                    if connection.execute("SELECT 1 FROM head").fetchone() is None:
                        _begin(connection, signer, clock, box_id)
            ledger = cls(store, signer, clock, box_id)
            ledger._check_identity()
        except KeyProblem as error:
            store.close()
            raise LedgerError(str(error)) from error
        except BaseException:
            store.close()
            raise
        return ledger

    def sign(self, message: bytes) -> bytes:
        """Return the signature of the box's key under *message*."""
        return self._signer.sign(message)

    def lineage(self) -> Lineage:
        """Return the names of this chain's stretches."""
        with self.store.read() as connection:
            return self._lineage(connection)

    def branch(self, base: int) -> str:
        """Let the chain go by a new name behind event *base*; return the name.

        For a centre that holds other events than this ledger behind it.
        """
        name = str(uuid.uuid4())
        with self.writing() as writer:
            head = writer.connection.execute("SELECT seq FROM head").fetchone()["seq"]
            row = writer.connection.execute(
                "SELECT hash FROM event WHERE seq = ?", (base,)
            ).fetchone()
            base_hash = row["hash"] if row else chain.genesis(self.uuid)
            parent = self._lineage(writer.connection).at(max(base, 1)).ledger
            cause = "restored" if base == head else "forked"
            writer.append(LedgerBranched(name, parent, base, base_hash.hex(), cause))
        return name

    def anchored(self, ledger: str) -> int:
        """Return the last seq of *ledger* that a signature of the centre covers, 0 for none."""
        with self.store.read() as connection:
            row = connection.execute(
                "SELECT max(seq) FROM anchor WHERE ledger = ?", (ledger,)
            ).fetchone()
        return int(row[0] or 0)

    def append(self, body: Body, *, event_id: str | None = None) -> Event:
        """Store one event and what it changes, in one transaction, and return it."""
        with self.writing() as writer:
            return writer.append(body, event_id)

    @contextmanager
    def writing(self) -> Iterator[Writer]:
        """Open a write transaction, for several events or for reading before appending."""
        with self.store.write() as connection:
            yield Writer(connection, self._signer, self.clock)

    def head(self) -> tuple[int, bytes]:
        """Return seq and hash of the last event."""
        with self.store.read() as connection:
            row = connection.execute("SELECT seq, hash FROM head").fetchone()
        return row["seq"], row["hash"]

    def hash_at(self, seq: int) -> bytes | None:
        """Return the hash of event *seq*, None where there is none."""
        with self.store.read() as connection:
            row = connection.execute("SELECT hash FROM event WHERE seq = ?", (seq,)).fetchone()
        return row["hash"] if row else None

    def events(self, after_seq: int = 0, limit: int = _BATCH) -> list[Record]:
        """Return up to *limit* records with ``seq > after_seq``, in order."""
        with self.store.read() as connection:
            rows = connection.execute(
                "SELECT event.*, salt, bytes FROM event LEFT JOIN body USING (seq) "
                "WHERE seq > ? ORDER BY seq LIMIT ?",
                (after_seq, limit),
            ).fetchall()
        return [Record(event_from_row(row), row["salt"], row["bytes"]) for row in rows]

    def last_at(self) -> Instant | None:
        """Return the time that the last event carries, None before the first."""
        with self.store.read() as connection:
            row = connection.execute(
                "SELECT at FROM event WHERE seq = (SELECT seq FROM head)"
            ).fetchone()
        return row["at"] if row else None

    def records(self) -> Iterator[Record]:
        """Yield every record in order, holding no transaction between batches."""
        seq = 0
        while batch := self.events(seq):
            yield from batch
            seq = batch[-1].event.seq

    def verify(self) -> Report:
        """Check every hash, link, signature and body, and that the head is the last event."""
        return proof.check(self.records(), self.uuid, self.public_key, self.head())

    def rebuild(self) -> None:
        """Empty the projections and fill them again from the events, in one transaction."""
        with self.store.write() as connection:
            for table in PROJECTIONS:
                connection.execute(f'DELETE FROM "{table}"')
            for record in self._all_in(connection):
                if record.body is not None:
                    body = events.decode(record.event.kind, record.body)
                    projections.apply(connection, record.event, body)

    def close(self) -> None:
        """Close the database."""
        self.store.close()

    def _all_in(self, connection: sqlite3.Connection) -> Iterator[Record]:
        rows = connection.execute(
            "SELECT event.*, salt, bytes FROM event LEFT JOIN body USING (seq) ORDER BY seq"
        )
        for row in rows:
            yield Record(event_from_row(row), row["salt"], row["bytes"])

    def _lineage(self, connection: sqlite3.Connection) -> Lineage:
        rows = connection.execute("SELECT ledger, base FROM branch ORDER BY seq")
        return Lineage.of(self.uuid, [(row["ledger"], row["base"]) for row in rows])

    def _check_identity(self) -> None:
        first = self.events(0, 1)[0]
        if first.body is None:
            return
        born = events.decode(first.event.kind, first.body)
        if not isinstance(born, LedgerBorn):
            raise LedgerError("the ledger does not begin with its birth: restore it from a backup")
        if born.box_id != self.box_id:
            raise LedgerError(
                f"this ledger belongs to box {born.box_id!r}, but the configuration says "
                f"{self.box_id!r}. Correct the key `id` under [box], or use another data_dir."
            )
        if born.public_key != self.public_key.hex():
            raise LedgerError(
                "the signing key does not belong to this ledger. Put the box's own "
                "keys/ledger.key back, or move the whole data folder away to begin a new ledger."
            )


def _begin(connection: sqlite3.Connection, signer: Signer, clock: Clock, box_id: str) -> None:
    ledger_uuid = str(uuid.uuid4())
    connection.execute(
        "INSERT INTO head VALUES (1, ?, 0, ?)", (ledger_uuid, chain.genesis(ledger_uuid))
    )
    born = LedgerBorn(ledger_uuid, box_id, signer.public_key.hex(), SOFTWARE)
    Writer(connection, signer, clock).append(born)


def _offset(at: Instant, mono: int) -> Duration:
    return at - mono // 1000


def projection_rows(ledger: Ledger) -> dict[str, list[tuple[Any, ...]]]:
    """Return the rows of every projection, sorted, to hold a rebuilt ledger against a live one."""
    with ledger.store.read() as connection:
        return {
            table: sorted(
                (tuple(row) for row in connection.execute(f'SELECT * FROM "{table}"')), key=repr
            )
            for table in PROJECTIONS
        }
