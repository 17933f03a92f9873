"""What the centre does with a batch of events: decided here, carried out by ``ingest``. Pure.

Owns the centre's side of "nothing lost, nothing twice". Promises that only events which follow
what is held, hash to what they say and are signed by the ledger's key are stored; that a
redelivery changes nothing; and that two different events in one place are kept apart as an
incident, never acknowledged and never overwritten.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from edge.chain import body_hash, genesis, recomputed_hash
from edge.signing import signed
from sync.messages import Batch, Record


@dataclass(frozen=True, slots=True)
class Known:
    """What the centre holds of a ledger: its key, its last event's seq and hash."""

    ledger: str
    public_key: bytes
    last: int
    last_hash: bytes

    @classmethod
    def born(cls, ledger: str, public_key: bytes) -> Known:
        """Return a ledger of which nothing has arrived yet."""
        return cls(ledger, public_key, 0, genesis(ledger))


@dataclass(frozen=True, slots=True)
class Place:
    """Where an event id is held already."""

    ledger: str
    seq: int


@dataclass(frozen=True, slots=True)
class Gap:
    """Something is missing before the batch: store nothing, say again what is held."""


@dataclass(frozen=True, slots=True)
class Redelivery:
    """Everything in the batch is held already: say again what is held."""


@dataclass(frozen=True, slots=True)
class Store:
    """Store these records, then acknowledge ``last``."""

    records: tuple[Record, ...]
    last: int
    last_hash: bytes


@dataclass(frozen=True, slots=True)
class Incident:
    """The batch contradicts what is held or itself: store none of it, keep the record apart.

    ``cause``: fork | forged | duplicate_id. ``seq`` is where; ``text`` is for people.
    """

    cause: str
    seq: int
    text: str
    record: Record


Verdict = Gap | Redelivery | Store | Incident


def judge(
    known: Known, batch: Batch, held: Mapping[int, bytes], ids: Mapping[str, Place]
) -> Verdict:
    """Return what to do with *batch*.

    *held*: hashes by seq of this ledger's events that the batch names again; *ids*: where the
    batch's event ids are held, in any ledger.
    """
    if batch.prev_seq > known.last:
        return Gap()
    for record in batch.records:
        event = record.event
        if event.seq > known.last:
            break
        if held.get(event.seq) != event.hash:
            return Incident(
                "fork",
                event.seq,
                f"event {event.seq} is held with another content: this ledger was copied, or "
                "restored from an older backup and carried on",
                record,
            )
    fresh = batch.records[max(0, known.last - batch.prev_seq) :]
    if not fresh:
        return Redelivery()
    previous = known.last_hash
    for record in fresh:
        event = record.event
        if event.prev_hash != previous:
            if previous == known.last_hash:
                return Incident(
                    "fork",
                    event.seq,
                    f"event {event.seq} does not follow the event {known.last} that is held",
                    record,
                )
            return Incident("forged", event.seq, f"event {event.seq} breaks the chain", record)
        problem = _false(record)
        if problem:
            return Incident("forged", event.seq, f"event {event.seq}: {problem}", record)
        place = ids.get(event.id, Place(known.ledger, event.seq))
        if place != Place(known.ledger, event.seq):
            return Incident(
                "duplicate_id",
                event.seq,
                f"event {event.seq}: its id is held as event {place.seq} of {place.ledger}",
                record,
            )
        previous = event.hash
    last = fresh[-1]
    # The chain covers the events before the last one, so one signature vouches for all.
    if not signed(known.public_key, last.event.hash, last.event.signature):
        return Incident(
            "forged",
            last.event.seq,
            f"event {last.event.seq}: not signed by this ledger's key",
            last,
        )
    return Store(fresh, last.event.seq, last.event.hash)


def _false(record: Record) -> str:
    """Return what is wrong with a record's own hashes, nothing when they hold."""
    event = record.event
    if recomputed_hash(event) != event.hash:
        return "its header does not hash to what it says"
    if record.salt is None or record.body is None:
        return ""  # erased: the hash stays as the witness that something was there
    if body_hash(record.salt, record.body) != event.body_hash:
        return "its body does not hash to what it says"
    return ""
