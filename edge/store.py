"""The only door to SQLite.

Owns how a database file is opened, locked, written, watched and checkpointed. Promises that a
write is on the disk when ``write()`` returns (WAL, synchronous=FULL), and that the WAL-reset bug
of SQLite 3.7.0–3.51.2 (sqlite.org/wal.html) cannot strike: every write transaction, connection
close and checkpoint holds one flock, and nothing checkpoints by itself.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlite_utils import Database, Migrations

from edge.clock import monotonic

BUSY_TIMEOUT_MS = 10_000
_WATCH_EVERY_S = 0.1
# A WAL grows beyond this only while somebody reads without end.
_LARGE_WAL = 64 * 1024 * 1024
# SQLite's primary result code for a disk that has no room (sqlite.org/rescode.html).
_SQLITE_FULL = 13


class StoreError(Exception):
    """The database cannot be used; the message says what to do."""


class DiskFull(StoreError):
    """There is no room left to store a fact. Nothing of the transaction was stored."""


class Store:
    """One SQLite file, used by several processes and threads.

    Reading: ``with store.read() as connection``. Writing: ``with store.write() as connection``,
    one transaction, rolled back when the block raises.
    """

    def __init__(self, path: Path, migrations: Migrations) -> None:
        """Open *path*, creating and migrating it where needed. Raises StoreError."""
        self.path = path
        self._writing = threading.RLock()
        self._depth = 0
        self._free: list[sqlite3.Connection] = []
        self._free_lock = threading.Lock()
        self._closed = False
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock_file = os.open(
            path.with_name(path.name + ".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o660
        )
        try:
            with self.locked():
                self._writer = self._connect()
                migrations.apply(Database(self._writer, execute_plugins=False))
        except sqlite3.DatabaseError as error:
            os.close(self._lock_file)
            raise _explained(error, path) from error

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the one lock of this database, across processes and threads; re-entrant."""
        with self._writing:
            if self._depth == 0:
                fcntl.flock(self._lock_file, fcntl.LOCK_EX)
            self._depth += 1
            try:
                yield
            finally:
                self._depth -= 1
                if self._depth == 0:
                    fcntl.flock(self._lock_file, fcntl.LOCK_UN)

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """Run one transaction; committed and on the disk when the block ends.

        Raises DiskFull or StoreError, with nothing stored. Does not nest.
        """
        with self.locked():
            if self._depth > 1 and self._writer.in_transaction:
                raise StoreError("a write transaction is already open in this thread")
            try:
                self._writer.execute("BEGIN IMMEDIATE")
                try:
                    yield self._writer
                except BaseException:
                    self._roll_back()
                    raise
                try:
                    self._writer.execute("COMMIT")
                except BaseException:
                    self._roll_back()
                    raise
            except sqlite3.OperationalError as error:
                raise _explained(error, self.path) from error

    @contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """Lend a connection that only reads, outside any transaction."""
        with self._free_lock:
            connection = self._free.pop() if self._free else None
        if connection is None:
            connection = self._connect()
            connection.execute("PRAGMA query_only=ON")
        try:
            yield connection
        finally:
            with self._free_lock:
                self._free.append(connection)

    def watch(self) -> Watch:
        """Return something that notices every change to the database, by any process."""
        return Watch(self._connect(), self)

    def checkpoint(self, truncate: bool = False) -> bool:
        """Move the WAL into the database file; False when a reader was in the way.

        Only the link calls this (the recorder where there is none), and an erasure: all under the
        lock that every writer holds.

        The WAL keeps its size and is written again from its beginning, because syncing a file
        that grows costs more than syncing one that does not; *truncate*, or a very large WAL,
        gives the room back. Never waits for a reader, since all writers would wait with it.
        """
        with self.locked():
            mode = "TRUNCATE" if truncate or self.wal_bytes() > _LARGE_WAL else "PASSIVE"
            self._writer.execute("PRAGMA busy_timeout=0")
            try:
                busy, _, _ = self._writer.execute(f"PRAGMA wal_checkpoint({mode})").fetchone()
                return not busy
            finally:
                self._writer.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")

    def wal_bytes(self) -> int:
        """Return the size of the WAL: above some megabytes a checkpoint is due."""
        try:
            return self.path.with_name(self.path.name + "-wal").stat().st_size
        except FileNotFoundError:
            return 0

    def close_connection(self, connection: sqlite3.Connection) -> None:
        """Close *connection* under the lock: the last close of a database checkpoints it."""
        with self.locked():
            connection.close()

    def close(self) -> None:
        """Close everything; a second call does nothing."""
        if self._closed:
            return
        self._closed = True
        with self.locked():
            for connection in (*self._free, self._writer):
                connection.close()
            self._free.clear()
        os.close(self._lock_file)

    def _roll_back(self) -> None:
        # SQLite itself rolls back on some errors (disk full, I/O): then there is nothing to do.
        if self._writer.in_transaction:
            self._writer.execute("ROLLBACK")

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self.path,
            isolation_level=None,
            check_same_thread=False,
            timeout=BUSY_TIMEOUT_MS / 1000,
        )
        connection.row_factory = sqlite3.Row
        for pragma in (
            "journal_mode=WAL",
            "synchronous=FULL",
            "wal_autocheckpoint=0",
            "foreign_keys=ON",
            # What is deleted is overwritten: names and scans of a person must not outlive them.
            "secure_delete=ON",
        ):
            connection.execute(f"PRAGMA {pragma}")
        return connection


class Watch:
    """Notices changes by ``PRAGMA data_version`` on a connection of its own."""

    def __init__(self, connection: sqlite3.Connection, store: Store) -> None:
        self._connection = connection
        self._store = store
        self._seen = -1

    def changed(self) -> bool:
        """Tell whether the database changed since the last call; the first call says yes."""
        (version,) = self._connection.execute("PRAGMA data_version").fetchone()
        if version == self._seen:
            return False
        self._seen = version
        return True

    def wait(self, timeout: float, stop: threading.Event) -> bool:
        """Wait up to *timeout* seconds for a change; True when there was one."""
        until = monotonic() + timeout
        while True:
            if self.changed():
                return True
            left = until - monotonic()
            if left <= 0 or stop.wait(min(_WATCH_EVERY_S, left)):
                return False

    def close(self) -> None:
        """Close the connection."""
        self._store.close_connection(self._connection)


def _explained(error: sqlite3.DatabaseError, path: Path) -> StoreError:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code == _SQLITE_FULL:
        return DiskFull(
            f"{path}: the disk is full; the record was not stored. Free some space: "
            "recordings that the centre holds may go first."
        )
    return StoreError(f"{path}: {error}. See `classbox ledger verify`.")
