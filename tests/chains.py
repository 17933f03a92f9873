"""Ledgers without a database: signed records as a box would send them, for tests of the centre."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from edge.chain import Event, body_hash, genesis, header_hash
from edge.events import Body, LedgerBorn, encode
from edge.model import ClockQuality, Instant, Reading
from sync.messages import Batch, Record


class Chain:
    """A ledger in memory. Equal names give equal keys and uuids, so that tests repeat."""

    def __init__(self, box: str = "room-203", name: str = "ledger-1", born: Instant = 1) -> None:
        self.box = box
        self.uuid = name
        self._key = Ed25519PrivateKey.from_private_bytes(hashlib.sha256(name.encode()).digest())
        self.public_key = self._key.public_key().public_bytes_raw()
        self.records: list[Record] = []
        self.append(LedgerBorn(name, box, self.public_key.hex(), "test"), at=born)

    @property
    def head(self) -> int:
        """The last seq."""
        return len(self.records)

    def append(self, body: Body, at: Instant = 1, event_id: str = "") -> Record:
        """Add one event and return it."""
        return self.append_raw(body.kind, encode(body), at, event_id)

    def append_raw(self, kind: str, content: bytes, at: Instant = 1, event_id: str = "") -> Record:
        """Add an event whose body is any bytes: what no box of ours would write."""
        seq = len(self.records) + 1
        salt = hashlib.sha256(f"{self.uuid} {seq}".encode()).digest()
        hashed = body_hash(salt, content)
        previous = self.records[-1].event.hash if self.records else genesis(self.uuid)
        reading = Reading(at, "boot-1", seq, ClockQuality.SYNCHRONISED)
        identity = event_id or f"{self.uuid}-{seq}"
        own = header_hash(seq, identity, kind, reading, hashed, previous)
        event = Event(seq, identity, kind, reading, hashed, previous, own, self._key.sign(own))
        self.records.append(Record(event, salt, content))
        return self.records[-1]

    def sign(self, message: bytes) -> bytes:
        """Return the signature of the ledger's key."""
        return self._key.sign(message)

    def copy(self) -> Chain:
        """Return this ledger as it stands, to carry on differently: a cloned card."""
        twin = Chain(self.box, self.uuid)
        twin.records = list(self.records)
        return twin

    def batch(self, after: int = 0, count: int = 500) -> Batch:
        """Return up to *count* events after seq *after*."""
        return Batch(self.uuid, after, tuple(self.records[after : after + count]))


def batch_of(ledger: str, records: Sequence[Record]) -> Batch:
    """Return a batch of just these records."""
    return Batch(ledger, records[0].event.seq - 1, tuple(records))
