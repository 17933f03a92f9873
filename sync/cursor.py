"""What the link itself remembers: how far the centre is, and which media are still to go.

Owns ``link.db``, apart from the ledger so that moving a cursor wakes nobody. Losing it costs
time, never facts: the centre says in its answer to the next hello what it holds.
"""

from __future__ import annotations

from pathlib import Path

from sqlite_utils import Database, Migrations

from edge.ledger import Ledger
from edge.store import Store

migrations = Migrations("classbox.link")

# Evidence first, and small before large. Recordings follow with the retention rules.
SORTS = {"snapshot": 1, "photo": 2}


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
            rows = connection.execute(
                "SELECT seq, sha256, sort FROM media WHERE seq > ? ORDER BY seq", (seen,)
            ).fetchall()
        if not rows:
            return
        with self.store.write() as connection:
            connection.executemany(
                "INSERT OR IGNORE INTO media VALUES (?, ?, ?, ?, 'waiting')",
                [
                    (row["sha256"], row["seq"], row["sort"], SORTS[row["sort"]])
                    for row in rows
                    if row["sort"] in SORTS
                ],
            )
            connection.execute(
                "INSERT OR REPLACE INTO cursor VALUES ('media_seen', ?)", (rows[-1]["seq"],)
            )

    def next_media(self) -> tuple[str, str] | None:
        """Return hash and sort of the file that goes next: snapshots first, newest first."""
        with self.store.read() as connection:
            row = connection.execute(
                "SELECT sha256, sort FROM media WHERE state = 'waiting' "
                "ORDER BY rank, seq DESC LIMIT 1"
            ).fetchone()
        return (row["sha256"], row["sort"]) if row else None

    def note_media(self, sha256: str, state: str) -> None:
        """Remember what became of a file: stored | missing | refused."""
        with self.store.write() as connection:
            connection.execute("UPDATE media SET state = ? WHERE sha256 = ?", (state, sha256))

    def try_again(self) -> None:
        """Let files that were missing or refused wait again: somebody may have mended them."""
        with self.store.write() as connection:
            connection.execute(
                "UPDATE media SET state = 'waiting' WHERE state IN ('missing', 'refused')"
            )

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
