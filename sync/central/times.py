"""What the centre knows about when things happened on a box: truths of boots, intervals.

As ``edge.times`` on the box, by the same rules; beyond that the centre knows when it received an
event, which cannot have been written later.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, func, or_, select

from edge.model import ClockQuality, Instant, Reading
from edge.rules.moments import FIRST_RELEASE, Boot, Moment, Reach, Truth, certain, settle
from sync.central import tables


def truths(connection: Connection, box: str, boot: str) -> tuple[Truth, ...]:
    """Return what *box* stated about the time of *boot*, in the order of its ledger."""
    table = tables.clock_truth
    rows = connection.execute(
        select(table.c.mono, table.c.clock_offset, table.c.error)
        .where(table.c.box == box, table.c.boot == boot)
        .order_by(table.c.seq)
    )
    return tuple(Truth(*row) for row in rows)


class Dating:
    """When things on boxes really happened, for one look: what is known of a boot is kept."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._reaches: dict[tuple[str, str], Reach] = {}

    def moment(self, reading: Reading, box: str, ledger: str, seq: int) -> Moment:
        """Return when *reading*, which event *seq* of *ledger* states, was really taken."""
        if reading.clock is ClockQuality.SYNCHRONISED or reading.mono < 0:
            return certain(reading.at)
        key = (ledger, reading.boot)
        if key not in self._reaches:
            place = self._within(ledger, seq, reading.boot)
            self._reaches[key] = (
                reach(self._connection, box, ledger, place, reading.boot)
                if place
                else Reach(
                    Boot(reading.boot, 0, truths(self._connection, box, reading.boot)),
                    FIRST_RELEASE,
                    None,
                )
            )
        return self._reaches[key].moment(reading)

    def stated(self, row: Any, at: Instant) -> Moment:
        """Return when it was *at* by the clocks in *row*, a projection's that has them."""
        if row.clock is None:
            return certain(at)  # from before the centre kept them
        base = row.starts if "starts" in row._fields else row.at
        reading = Reading(base, row.boot, row.mono, ClockQuality(row.clock))
        return self.moment(reading.when(at), row.box, row.ledger, row.seq)

    def event(self, box: str, ledger: str, seq: int, at: Instant) -> Moment:
        """Return when it was *at* by the time that event *seq* goes by; its own time among them."""
        row = self._connection.execute(
            select(tables.event).where(tables.event.c.ledger == ledger, tables.event.c.seq == seq)
        ).one_or_none()
        if row is None:
            return certain(at)
        return self.moment(reading_of(row).when(at), box, ledger, seq)

    def _within(self, ledger: str, seq: int, boot: str) -> int:
        """Return the last event up to *seq* of that boot, 0 for none.

        After a crash an event may have been written in a later boot than it speaks of.
        """
        event = tables.event
        found = self._connection.execute(
            select(event.c.seq)
            .where(_line(self._connection, ledger), event.c.boot == boot, event.c.seq <= seq)
            .order_by(event.c.seq.desc())
            .limit(1)
        ).scalar()
        return int(found or 0)


def reach(connection: Connection, box: str, ledger: str, seq: int, boot: str) -> Reach:
    """Return what is known of the time of *boot* of *box*, in which event *seq* was written.

    Only the events between the nearest synchronised ones are looked at: others add nothing.
    """
    event = tables.event
    line = _line(connection, ledger)
    synchronised = and_(line, event.c.clock == str(ClockQuality.SYNCHRONISED))
    before = connection.execute(
        select(event).where(synchronised, event.c.seq < seq).order_by(event.c.seq.desc()).limit(1)
    ).one_or_none()
    after = connection.execute(
        select(event).where(synchronised, event.c.seq > seq).order_by(event.c.seq).limit(1)
    ).one_or_none()
    around = [row for row in (before, after) if row is not None]
    within = [line]
    if before is not None:
        within.append(event.c.seq >= before.seq)
    if after is not None:
        within.append(event.c.seq <= after.seq)
    rows = connection.execute(
        select(
            event.c.boot,
            func.max(event.c.mono).label("span"),
            func.min(event.c.received_at - event.c.mono // 1000).label("received"),
        )
        .where(*within)
        .group_by(event.c.boot)
        .order_by(func.min(event.c.seq))
    )
    boots = [
        Boot(
            row.boot,
            row.span,
            truths(connection, box, row.boot)
            + tuple(Truth.of(reading_of(one)) for one in around if one.boot == row.boot),
            row.received,
        )
        for row in rows.all()
    ]
    known = settle(boots)
    # A scan that a crash left half stored may name a boot that wrote nothing itself.
    return known.get(boot) or Reach(Boot(boot, 0), 0, None)


def _line(connection: Connection, ledger: str) -> ColumnElement[bool]:
    """Return what holds for the events of *ledger* and of those that it branched off from."""
    event, table = tables.event, tables.ledger
    parts = [event.c.ledger == ledger]
    row = connection.execute(select(table).where(table.c.uuid == ledger)).one_or_none()
    while row is not None and row.parent:
        parts.append(and_(event.c.ledger == row.parent, event.c.seq <= row.base))
        row = connection.execute(select(table).where(table.c.uuid == row.parent)).one_or_none()
    return or_(*parts)


def reading_of(row: Any) -> Reading:
    """Return the clocks that a row of events or scans states."""
    return Reading(row.at, row.boot, row.mono, ClockQuality(row.clock))
