"""What the link itself remembers: how far the centre is, which media are still to go or safe.

Owns ``link.db``, apart from the ledger so that moving a cursor wakes nobody. Losing it costs
time, never facts: the centre says in its answer to the next hello what it holds.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlite_utils import Database, Migrations

from edge.ledger import Ledger
from edge.store import Store
from sync.messages import Receipt

migrations = Migrations("classbox.link")

# What somebody waits for first, then evidence, and small before large.
PREFERRED = 0
RANKS = {"snapshot": 1, "photo": 2, "recording": 3}

# The newest first; of a recording the newest lesson, and its parts in the order of time.
_NEXT = "rank, lesson DESC, starts, seq DESC"


@migrations()
def begin(db: Database) -> None:
    """The cursor and the media on their way."""
    db.conn.execute(
        """
CREATE TABLE cursor (
    name  TEXT PRIMARY KEY,                      -- acked | media_seen
    value INTEGER NOT NULL                       -- a seq of the ledger
) STRICT
"""
    )
    db.conn.execute(
        """
CREATE TABLE media (
    sha256 TEXT PRIMARY KEY,
    seq    INTEGER NOT NULL,                     -- the first event that names the file
    sort   TEXT NOT NULL,
    rank   INTEGER NOT NULL,                     -- what goes first
    state  TEXT NOT NULL CHECK (state IN ('waiting', 'stored', 'missing', 'refused'))
) STRICT
"""
    )
    db.conn.execute("CREATE INDEX media_waiting ON media (rank, seq) WHERE state = 'waiting'")


@migrations()
def recordings(db: Database) -> None:
    """Recordings travel too: by lesson, and its parts in the order of time."""
    for column in ("lesson", "starts"):  # the lesson's start, the part's; 0 for pictures
        db.conn.execute(f"ALTER TABLE media ADD COLUMN {column} INTEGER NOT NULL DEFAULT 0")
    db.conn.execute("DROP INDEX media_waiting")
    db.conn.execute(
        "CREATE INDEX media_waiting ON media (rank, lesson DESC, starts, seq DESC) "
        "WHERE state = 'waiting'"
    )
    # Those that were passed over so far are found again.
    db.conn.execute("DELETE FROM cursor WHERE name = 'media_seen'")


@migrations()
def receipts(db: Database) -> None:
    """What the centre vouched for: the only leave to delete anything."""
    db.conn.execute(
        """
CREATE TABLE receipt (
    number INTEGER PRIMARY KEY,
    ledger TEXT NOT NULL,
    seq    INTEGER NOT NULL,                     -- events up to here are safe
    at     INTEGER NOT NULL,                     -- the centre's wall time
    basis  TEXT NOT NULL,                        -- backup | age
    whole  BLOB NOT NULL                         -- the message as the centre signed it
) STRICT
"""
    )
    # The receipt that names the file; absent, it is not known to be safe.
    db.conn.execute("ALTER TABLE media ADD COLUMN receipt INTEGER REFERENCES receipt (number)")
    db.conn.execute(
        "CREATE INDEX media_not_safe ON media (seq) WHERE state = 'stored' AND receipt IS NULL"
    )


@dataclass(frozen=True, slots=True)
class Waiting:
    """A file that has yet to reach the centre; the lowest rank goes first."""

    sha256: str
    sort: str
    rank: int


class Cursor:
    """The link's own memory."""

    def __init__(self, path: Path) -> None:
        self.store = Store(path, migrations)

    @property
    def acked(self) -> int:
        """The last seq that the centre said it holds."""
        return self._value("acked")

    def note_acked(self, seq: int) -> None:
        """Remember it."""
        self._put("acked", seq)

    def find_media(self, ledger: Ledger) -> None:
        """Take note of media that events have named since the last look; repeatable."""
        seen = self._value("media_seen")
        with ledger.store.read() as connection:
            # A part may be stored before its lesson is opened, or of a lesson nobody opens.
            rows = connection.execute(
                "SELECT media.seq, media.sha256, sort, coalesce(recording.starts, 0) AS starts, "
                "coalesce(lesson_run.starts, lesson.starts, recording.starts, 0) AS lesson "
                "FROM media LEFT JOIN recording USING (seq) "
                "LEFT JOIN lesson_run ON lesson_run.lesson_id = recording.lesson_id "
                "LEFT JOIN lesson ON lesson.id = recording.lesson_id "
                "WHERE media.seq > ? ORDER BY media.seq",
                (seen,),
            ).fetchall()
        if not rows:
            return
        with self.store.write() as connection:
            connection.executemany(
                "INSERT OR IGNORE INTO media (sha256, seq, sort, rank, state, lesson, starts) "
                "VALUES (?, ?, ?, ?, 'waiting', ?, ?)",
                [
                    (
                        row["sha256"],
                        row["seq"],
                        row["sort"],
                        RANKS[row["sort"]],
                        row["lesson"],
                        row["starts"],
                    )
                    for row in rows
                ],
            )
            connection.execute(
                "INSERT OR REPLACE INTO cursor VALUES ('media_seen', ?)", (rows[-1]["seq"],)
            )

    def next_media(self, recordings: bool = True) -> Waiting | None:
        """Return the file that goes next; without *recordings* only those that always may."""
        with self.store.read() as connection:
            row = connection.execute(
                "SELECT sha256, sort, rank FROM media WHERE state = 'waiting' AND rank < ? "
                f"ORDER BY {_NEXT} LIMIT 1",
                (RANKS["recording"] + (1 if recordings else 0),),
            ).fetchone()
        return Waiting(*row) if row else None

    def prefer(self, sha256s: Sequence[str]) -> int:
        """Let these files go before all others, at any hour; return how many are known here.

        What was delivered already is offered again, which costs one small message.
        """
        with self.store.write() as connection:
            return sum(
                connection.execute(
                    "UPDATE media SET rank = ?, state = 'waiting' WHERE sha256 = ?",
                    (PREFERRED, sha256),
                ).rowcount
                for sha256 in sha256s
            )

    def note_media(self, sha256: str, state: str) -> None:
        """Remember what became of a file: stored | missing | refused."""
        with self.store.write() as connection:
            connection.execute("UPDATE media SET state = ? WHERE sha256 = ?", (state, sha256))

    def note_lost(self, sha256: str) -> bool:
        """The centre does not hold that file (any more); True when it was thought to.

        A receipt for it is void: the centre did lose it.
        """
        with self.store.read() as connection:  # mostly it is one on its way: that needs no lock
            row = connection.execute(
                "SELECT 1 FROM media WHERE sha256 = ? AND state = 'stored'", (sha256,)
            ).fetchone()
        if row is None:
            return False
        with self.store.write() as connection:
            connection.execute(
                "UPDATE media SET state = 'waiting', receipt = NULL WHERE sha256 = ?", (sha256,)
            )
        return True

    def offer_again(self) -> None:
        """The centre may have lost files that it stored: let all of them wait again."""
        with self.store.write() as connection:
            connection.execute(
                "UPDATE media SET state = 'waiting', receipt = NULL WHERE state = 'stored'"
            )

    def try_again(self) -> None:
        """Let files that were missing or refused wait again: somebody may have mended them."""
        with self.store.write() as connection:
            connection.execute(
                "UPDATE media SET state = 'waiting' WHERE state IN ('missing', 'refused')"
            )

    def try_refused(self, sha256: str) -> None:
        """Let a file wait again that was refused, if it is still one of the box's."""
        with self.store.write() as connection:
            connection.execute(
                "UPDATE media SET state = 'waiting' WHERE sha256 = ? AND state = 'refused'",
                (sha256,),
            )

    def safe(self, ledger: str) -> int:
        """Return up to which event of *ledger* the centre has vouched for, 0 for none."""
        with self.store.read() as connection:
            row = connection.execute(
                "SELECT max(seq) AS seq FROM receipt WHERE ledger = ?", (ledger,)
            ).fetchone()
        return int(row["seq"] or 0)

    def last_receipt(self) -> sqlite3.Row | None:
        """Return ledger, seq, at (the centre's time), basis and whole of the newest receipt."""
        with self.store.read() as connection:
            row: sqlite3.Row | None = connection.execute(
                "SELECT * FROM receipt ORDER BY number DESC LIMIT 1"
            ).fetchone()
        return row

    def not_safe(self, after: int, most: int) -> list[tuple[str, int]]:
        """Return hash and seq of files that are delivered and not known to be safe, oldest first.

        Only those first named by an event behind seq *after*, and at most *most*.
        """
        with self.store.read() as connection:
            rows = connection.execute(
                "SELECT sha256, seq FROM media WHERE state = 'stored' AND receipt IS NULL "
                "AND seq > ? ORDER BY seq LIMIT ?",
                (after, most),
            ).fetchall()
        return [(row["sha256"], row["seq"]) for row in rows]

    def safe_media(self) -> dict[str, int]:
        """Return the files that a receipt names, each with the centre's time of the receipt."""
        with self.store.read() as connection:
            rows = connection.execute(
                "SELECT sha256, receipt.at FROM media JOIN receipt ON receipt.number = receipt"
            ).fetchall()
        return {row["sha256"]: row["at"] for row in rows}

    def known(self) -> set[str]:
        """Return every file that is to go, has gone, or cannot."""
        with self.store.read() as connection:
            return {row["sha256"] for row in connection.execute("SELECT sha256 FROM media")}

    def forget(self, sha256s: Sequence[str]) -> None:
        """These files were deleted from the box: there is nothing more to do for them."""
        with self.store.write() as connection:
            connection.executemany(
                "DELETE FROM media WHERE sha256 = ?", [(sha256,) for sha256 in sha256s]
            )

    def keep_receipt(self, receipt: Receipt, whole: bytes) -> None:
        """Keep a receipt that was checked; one that says nothing new is not kept."""
        if not receipt.media and receipt.seq <= self.safe(receipt.ledger):
            return
        with self.store.write() as connection:
            number = connection.execute(
                "INSERT INTO receipt (ledger, seq, at, basis, whole) VALUES (?, ?, ?, ?, ?)",
                (receipt.ledger, receipt.seq, receipt.at, receipt.basis, whole),
            ).lastrowid
            # One that was found lost since the question must be asked about again.
            connection.executemany(
                "UPDATE media SET receipt = ? WHERE sha256 = ? AND state = 'stored'",
                [(number, sha256) for sha256 in receipt.media],
            )

    def waiting(self) -> list[str]:
        """Return the hashes of the files that have yet to reach the centre."""
        with self.store.read() as connection:
            rows = connection.execute("SELECT sha256 FROM media WHERE state = 'waiting'").fetchall()
        return [row["sha256"] for row in rows]

    def media_waiting(self) -> int:
        """Return how many files have yet to reach the centre."""
        with self.store.read() as connection:
            (count,) = connection.execute(
                "SELECT count(*) FROM media WHERE state = 'waiting'"
            ).fetchone()
        return int(count)

    def close(self) -> None:
        """Close the database."""
        self.store.close()

    def _value(self, name: str) -> int:
        with self.store.read() as connection:
            row = connection.execute("SELECT value FROM cursor WHERE name = ?", (name,)).fetchone()
        return int(row["value"]) if row else 0

    def _put(self, name: str, value: int) -> None:
        with self.store.write() as connection:
            connection.execute("INSERT OR REPLACE INTO cursor VALUES (?, ?)", (name, value))
