"""What the centre can no longer lose, said to the boxes under its signature: leave to delete.

Owns receipts and the notes of backups that they rest on. Promises that a receipt never names
what is in no noted backup and not older than the centre's limit, nor a file that is not here;
and that a file which a box believes to be here and which is not is asked for again.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection, func, insert, select

from edge.chain import genesis
from edge.clock import Clock
from edge.keys import Signer
from edge.model import ClockQuality, Duration, Instant, Reading
from sync import wire
from sync.central import lines, tables
from sync.central.media import MediaHolder
from sync.central.outgoing import Outgoing
from sync.messages import ACK, MEDIA_ACK, Ask, MediaAck, Receipt, topic


class BadNote(ValueError):
    """A backup cannot be noted like this; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Backup:
    """A backup that holds what arrived before ``until``; ``place`` says where it lies."""

    number: int
    until: Instant
    noted_at: Instant
    place: str


def note(connection: Connection, until: Instant, place: str, now: Instant) -> None:
    """Note that a backup in *place* holds what arrived before *until*. Raises BadNote."""
    if until > now:
        raise BadNote("a backup cannot hold what has yet to arrive: give the time it was begun")
    if not place.strip():
        raise BadNote("say where the backup lies, so that somebody finds it")
    connection.execute(insert(tables.backup).values(until=until, noted_at=now, place=place))


def noted(connection: Connection) -> list[Backup]:
    """Return the noted backups, the latest note first."""
    rows = connection.execute(select(tables.backup).order_by(tables.backup.c.number.desc()))
    return [Backup(row.number, row.until, row.noted_at, row.place) for row in rows]


class Receipts:
    """The answers to boxes that ask what they may let go of."""

    def __init__(
        self, media: MediaHolder, clock: Clock, signer: Signer, safe_after: Duration
    ) -> None:
        """*safe_after*: what arrived so long ago counts as safe even without a noted backup."""
        self._media = media
        self._clock = clock
        self._signer = signer
        self._safe_after = safe_after

    def answer(self, connection: Connection, box: str, ask: Ask) -> list[Outgoing]:
        """Return what to say to *ask*: a receipt, and which files are not here at all."""
        row = lines.row_of(connection, ask.ledger)
        if row is None or row.box != box:
            return []
        reading = self._clock.now()
        limit, basis = self._limit(connection, reading)
        seq = _safe_seq(connection, row, limit)
        digest = genesis(row.root) if seq == 0 else lines.hash_at(connection, row, seq)
        stored_at = _stored(connection, ask.media)
        here = [sha256 for sha256 in ask.media if sha256 in stored_at and self._media.has(sha256)]
        receipt = Receipt(
            ledger=ask.ledger,
            seq=seq,
            hash=digest or b"",
            media=tuple(sha256 for sha256 in here if stored_at[sha256] <= limit),
            basis=basis,
            at=reading.at,
            answer=ask.id,
        )
        receipt = replace(receipt, signature=self._signer.sign(wire.signed_part(receipt)))
        gone = sorted(set(ask.media) - set(here))
        return [
            Outgoing(topic(box, ACK), receipt),
            *(Outgoing(topic(box, MEDIA_ACK), MediaAck(sha256, 0)) for sha256 in gone),
        ]

    def _limit(self, connection: Connection, reading: Reading) -> tuple[Instant, str]:
        """Return until when what arrived is safe, and why."""
        backed_up = connection.execute(select(func.max(tables.backup.c.until))).scalar() or 0
        # A clock that jumped ahead would make everything old.
        sure = reading.clock is ClockQuality.SYNCHRONISED
        aged = reading.at - self._safe_after if sure else 0
        return (backed_up, "backup") if backed_up >= aged else (aged, "age")


def _safe_seq(connection: Connection, row: Any, limit: Instant) -> int:
    """Return up to which event the line of a ledger's *row* arrived before *limit*."""
    stretches = [(row.uuid, row.last)]
    while row.parent:
        base = row.base
        row = lines.row_of(connection, row.parent)
        stretches.append((row.uuid, base))
    table = tables.event
    for uuid, ends in reversed(stretches):
        first = connection.execute(
            select(func.min(table.c.seq)).where(
                table.c.ledger == uuid, table.c.seq <= ends, table.c.received_at > limit
            )
        ).scalar()
        if first is not None:
            return int(first) - 1
    return int(stretches[0][1])


def _stored(connection: Connection, sha256s: tuple[str, ...]) -> dict[str, Instant]:
    table = tables.media
    rows = connection.execute(
        select(table.c.sha256, table.c.stored_at).where(table.c.sha256.in_(sha256s))
    )
    return {row.sha256: row.stored_at for row in rows}
