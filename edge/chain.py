"""The hash chain: what links one event to the next, and how a body is bound to its event.

An event's header never holds personal data; its body stands beside the chain and may be erased,
since the header holds only a salted hash of it. Promises that equal headers hash alike on box
and centre, and that nothing here re-encodes a body in order to verify it. Pure.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from json.encoder import encode_basestring as quoted
from typing import Any

from edge.events import BadBody
from edge.model import ClockQuality, Reading

SALT_BYTES = 32
FORMAT = "classbox-event-1"


def body_hash(salt: bytes, content: bytes) -> bytes:
    """Return SHA-256 of 32 random bytes followed by the body's bytes."""
    if len(salt) != SALT_BYTES:
        raise BadBody(f"salt: {len(salt)} bytes instead of {SALT_BYTES}")
    return hashlib.sha256(salt + content).digest()


def genesis(ledger_uuid: str) -> bytes:
    """Return what stands in place of a previous hash before the first event of a ledger."""
    return hashlib.sha256(b"classbox-ledger-1:" + ledger_uuid.encode("ascii")).digest()


@dataclass(frozen=True, slots=True)
class Event:
    """One link of the chain. Hashes and signature are raw bytes; ``seq`` starts at 1."""

    seq: int
    id: str
    kind: str
    reading: Reading
    body_hash: bytes
    prev_hash: bytes
    hash: bytes
    signature: bytes


def header_hash(
    seq: int, event_id: str, kind: str, reading: Reading, body: bytes, prev: bytes
) -> bytes:
    """Return an event's hash: SHA-256 of its header fields as one JSON array.

    ``body`` is the body's hash and ``prev`` the hash of the event before; because ``prev`` of the
    first event is made from the ledger's uuid, equal events of two ledgers differ.

    The array is ``edge.events.canonical``'s, put together by hand in a third of the time: every
    event is hashed on both sides.
    """
    header = (
        f'["{FORMAT}",{seq},{quoted(event_id)},{quoted(kind)},{reading.at},{quoted(reading.boot)},'
        f'{reading.mono},{quoted(reading.clock)},"{body.hex()}","{prev.hex()}"]'
    )
    return hashlib.sha256(header.encode("utf-8")).digest()


def recomputed_hash(event: Event) -> bytes:
    """Return the hash that *event* should carry according to its own fields."""
    return header_hash(
        event.seq, event.id, event.kind, event.reading, event.body_hash, event.prev_hash
    )


def event_from_row(row: Mapping[str, Any]) -> Event:
    """Return the event of a database row or wire record with the ledger's column names."""
    return Event(
        seq=row["seq"],
        id=row["id"],
        kind=row["kind"],
        reading=Reading(row["at"], row["boot"], row["mono"], ClockQuality(row["clock"])),
        body_hash=bytes(row["body_hash"]),
        prev_hash=bytes(row["prev_hash"]),
        hash=bytes(row["hash"]),
        signature=bytes(row["signature"]),
    )
