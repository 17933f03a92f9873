"""Centres to test with: a store and a media folder that need no broker."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from sqlalchemy import Table, select

from edge.clock import SimulatedClock
from edge.events import Body
from edge.keys import Signer
from edge.model import DAY, Instant
from sync import seal, wire
from sync.central import tables
from sync.central.intake import EventIntake
from sync.central.media import MediaFolder
from sync.central.media_intake import MediaIntake
from sync.central.outgoing import Outgoing
from sync.central.receipts import Receipts
from sync.central.store import CentralStore
from sync.messages import EVENTS, HELLO, MEDIA, Ack, Ask, Batch, Document, Hello, Message, topic
from tests.chains import Chain

# What the centre writes to the boxes of these tests is sealed to this key.
SEALING_KEY = X25519PrivateKey.from_private_bytes(bytes(range(32)))


class Centre:
    """A centre without a network: messages go in, answers come out."""

    def __init__(self, folder: Path, at: Instant = 1_000_000, database: str = "") -> None:
        self.folder = folder
        self.clock = SimulatedClock(at)
        self.store = CentralStore(database or f"sqlite:///{folder}/centre.db")
        self.media = MediaFolder(folder / "media")
        self.signer = Signer(folder / "keys" / "centre.key")
        self.receipts = Receipts(self.media, self.clock, self.signer, 60 * DAY)
        self.events = EventIntake(self.store, self.clock, self.signer, self.receipts)
        self.files = MediaIntake(self.store, self.media, self.clock)

    def hear(self, box: str, *messages: Message) -> list[Message]:
        """Take in what *box* says and return what it is told, letters opened.

        Of an acknowledgement only what it says of the box's ledger is left.
        """
        told: list[Message] = []
        for out in self.heard(box, *messages):
            message = out.message
            if message is None:
                continue  # the broker is to forget something
            if isinstance(message, Document):
                message = replace(message, letter="", sealed=opened(message, box, self.signer))
            elif isinstance(message, Ack):
                message = Ack(message.ledger, message.seq, message.answer, message.agrees)
            told.append(message)
        return told

    def heard(self, box: str, *messages: Message) -> list[Outgoing]:
        """The same, with topics."""
        facts: list[tuple[str, bytes]] = []
        files: list[tuple[str, bytes]] = []
        for message in messages:
            encoded = wire.encode(message)
            if isinstance(message, Hello | Ask):
                facts.append((topic(box, HELLO), encoded))
            elif isinstance(message, Batch):
                facts.append((topic(box, EVENTS), encoded))
            else:
                files.append((topic(box, MEDIA), encoded))
        said = self.events.take(facts) if facts else []
        return said + (self.files.take(files) if files else [])

    def rows(self, table: Table) -> Sequence[Any]:
        """Return every row of a table."""
        with self.store.reading() as connection:
            return connection.execute(select(table)).all()

    def incidents(self) -> list[str]:
        """Return the causes of the incidents, in their order."""
        return [row.cause for row in self.rows(tables.incident)]

    def know(self, chain: Chain) -> None:
        """Let the box of *chain* say hello."""
        self.hear(chain.box, hello_of(chain))

    def learn(self, chain: Chain, *bodies: Body, at: Instant = 1) -> None:
        """Let the box of *chain* write *bodies* and send them."""
        with self.store.reading() as connection:
            query = select(tables.ledger.c.last).where(tables.ledger.c.uuid == chain.uuid)
            last = connection.execute(query).scalar() or 0
        for body in bodies:
            chain.append(body, at)
        if chain.head > last:
            self.hear(chain.box, chain.batch(last))


def opened(part: Document, box: str, signer: Signer) -> bytes:
    """Return what a document of one part says to *box*."""
    assert (part.part, part.parts) == (1, 1)
    letter = seal.unseal(part.sealed, box, "document", SEALING_KEY, signer.public_key)
    assert letter.head == {"kind": part.kind, "epoch": part.epoch, "version": part.version}
    return letter.content


def hello_of(chain: Chain, number: str = "1", **changes: Any) -> Hello:
    """Return the hello of the box of *chain*."""
    values: dict[str, Any] = {
        "id": number,
        "ledger": chain.uuid,
        "head": chain.head,
        "head_hash": chain.records[-1].event.hash,
        "acked": 0,
        "public_key": chain.public_key,
        "sealing_key": SEALING_KEY.public_key().public_bytes_raw(),
        "at": 1_000_000,
        "clock": "synchronised",
        "software": "test",
        "media_waiting": 0,
    }
    return Hello(**{**values, **changes})


@contextmanager
def open_centre(folder: Path, at: Instant = 1_000_000, database: str = "") -> Iterator[Centre]:
    """Open a centre (on SQLite unless said otherwise) and close it afterwards."""
    centre = Centre(folder, at, database)
    try:
        yield centre
    finally:
        centre.store.close()
