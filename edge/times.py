"""What the box's ledger knows about when things happened: truths of boots, corrected times.

Reads events and the truths stated among them; the reckoning is ``edge.rules.moments``'s.
"""

from __future__ import annotations

import sqlite3

from edge.chain import event_from_row
from edge.model import ClockQuality, Instant, Reading
from edge.rules.dating import Span
from edge.rules.moments import FIRST_RELEASE, Boot, Moment, Reach, Truth, certain, settle

# Beyond every seq that SQLite can hold.
_NO_END = 2**63 - 1


def truths(connection: sqlite3.Connection, boot: str) -> tuple[Truth, ...]:
    """Return what was stated about the time of *boot*, in the order of the ledger."""
    rows = connection.execute(
        "SELECT mono, clock_offset, error FROM clock_truth WHERE boot = ? ORDER BY seq", (boot,)
    ).fetchall()
    return tuple(Truth(*row) for row in rows)


def last_truth(connection: sqlite3.Connection, boot: str) -> tuple[Truth, ...]:
    """Return the newest of them, which is the nearest to now; none when there is none."""
    rows = connection.execute(
        "SELECT mono, clock_offset, error FROM clock_truth WHERE boot = ? "
        "ORDER BY seq DESC LIMIT 1",
        (boot,),
    ).fetchall()
    return tuple(Truth(*row) for row in rows)


def moment(connection: sqlite3.Connection, seq: int) -> Moment:
    """Return when event *seq*, which exists, was really written."""
    row = connection.execute("SELECT * FROM event WHERE seq = ?", (seq,)).fetchone()
    reading = event_from_row(row).reading
    return reach(connection, seq, reading.boot).moment(reading)


class Dating:
    """When things on this box really happened, for one look: what is known of a boot is kept."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._reaches: dict[str, Reach] = {}

    def moment(self, reading: Reading, seq: int) -> Moment:
        """Return when *reading*, which event *seq* states, was really taken."""
        if reading.clock is ClockQuality.SYNCHRONISED or reading.mono < 0:
            return certain(reading.at)
        if reading.boot not in self._reaches:
            self._reaches[reading.boot] = self._reach(reading.boot, seq)
        return self._reaches[reading.boot].moment(reading)

    def event(self, seq: int) -> tuple[Reading, Moment]:
        """Return the reading of event *seq*, and when it was really written."""
        row = self._connection.execute("SELECT * FROM event WHERE seq = ?", (seq,)).fetchone()
        reading = event_from_row(row).reading
        return reading, self.moment(reading, seq)

    def span(self, row: sqlite3.Row) -> Span:
        """Return from when to when the part of a recording in *row* was filmed."""
        begun = _reading(row, "starts")
        moments = (self.moment(begun.when(at), row["seq"]) for at in (row["starts"], row["ends"]))
        return Span(*moments)

    def snapshot(self, row: sqlite3.Row) -> Moment:
        """Return when the snapshot in *row* was taken or given up."""
        return self.moment(_reading(row), row["seq"])

    def scan(self, row: sqlite3.Row) -> Moment:
        """Return when the scan in *row* was made: its time is a corrected one already."""
        if row["error"] is not None:
            at, error = row["at"], row["error"]
            return Moment(at, at - error, at + error, known=True)
        if row["clock"] != ClockQuality.UNSYNCHRONISED:
            return certain(row["at"])
        return self.moment(_reading(row), row["seq"])

    def beside(self, seq: int, at: Instant) -> Moment:
        """Return when it was *at* by the time that event *seq* goes by."""
        reading, _ = self.event(seq)
        return self.moment(reading.when(at), seq)

    def _reach(self, boot: str, seq: int) -> Reach:
        # After a crash the event may have been written in a later boot than it speaks of.
        row = self._connection.execute(
            "SELECT seq FROM event WHERE boot = ? AND seq <= ? ORDER BY seq DESC LIMIT 1",
            (boot, seq),
        ).fetchone()
        if row is None:
            return Reach(Boot(boot, 0, truths(self._connection, boot)), FIRST_RELEASE, None)
        return reach(self._connection, row["seq"], boot)


def reach(connection: sqlite3.Connection, seq: int, boot: str) -> Reach:
    """Return what is known of the time of *boot*, in which event *seq* was written.

    Only the events between the nearest synchronised ones are looked at: others add nothing.
    """
    before = _synchronised(connection, "seq < ? ORDER BY seq DESC", seq)
    after = _synchronised(connection, "seq > ? ORDER BY seq", seq)
    rows = connection.execute(
        "SELECT boot, max(mono) AS span FROM event WHERE seq BETWEEN ? AND ? "
        "GROUP BY boot ORDER BY min(seq)",
        (before[0] if before else 0, after[0] if after else _NO_END),
    ).fetchall()
    around = [reading for _, reading in filter(None, (before, after))]
    boots = [
        Boot(
            row["boot"],
            row["span"],
            truths(connection, row["boot"])
            + tuple(Truth.of(reading) for reading in around if reading.boot == row["boot"]),
        )
        for row in rows
    ]
    return settle(boots)[boot]


def _synchronised(
    connection: sqlite3.Connection, where: str, seq: int
) -> tuple[int, Reading] | None:
    row = connection.execute(
        f"SELECT * FROM event WHERE clock = '{ClockQuality.SYNCHRONISED}' AND {where} LIMIT 1",
        (seq,),
    ).fetchone()
    return (row["seq"], event_from_row(row).reading) if row else None


def _reading(row: sqlite3.Row, at: str = "at") -> Reading:
    return Reading(row[at], row["boot"], row["mono"], ClockQuality(row["clock"]))
