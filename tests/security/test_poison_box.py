"""Whatever a broker brings to a box is obeyed, or refused: nothing of it stops the box."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge import config as configuration
from edge import events
from edge.box import BoxService
from edge.clock import BoxClock, SimulatedClock
from edge.document_events import DocumentApplied
from edge.documents import ROSTER, roster_to_json
from edge.events import AnchorReceived, RequestAnswered, ServiceStarted
from edge.keys import Signer
from edge.ledger import Ledger
from edge.model import DAY, SECOND, ClockQuality
from edge.service import Service
from sync import messages, seal, wire
from sync.cursor import Cursor
from sync.facts import Facts
from sync.letters import Letters
from sync.live import Live
from sync.media import Media
from sync.messages import (
    ACK,
    DOC,
    MEDIA_ACK,
    REQUEST,
    SPEAKS,
    Ack,
    Anchor,
    Ask,
    BadMessage,
    Compared,
    Document,
    Hello,
    MediaAck,
    Message,
    Receipt,
    Refused,
    Request,
    topic,
)
from sync.seal import Letter
from tests.boxes import at, roster_of
from tests.security.poison import Bend, bends

BOX = "room-203"
numbers = itertools.count(1)
channels = st.sampled_from((ACK, REQUEST, f"{DOC}/roster/1", MEDIA_ACK))


class Wire:
    """Stands for the connection: what the box publishes is kept in ``said``."""

    def __init__(self) -> None:
        self.said: list[Message] = []

    def publish(self, topic_text: str, payload: bytes, retain: bool = False) -> bool:
        """Take a message."""
        self.said.append(wire.decode(payload))
        return True

    def last(self, kind: type[Any]) -> Any:
        """Return the last message of that kind, None before the first."""
        return next((one for one in reversed(self.said) if isinstance(one, kind)), None)


class Box:
    """The link's two halves without a broker, and a centre to answer them."""

    def __init__(self, folder: Path) -> None:
        toml = folder / "box.toml"
        toml.write_text(
            f'[box]\nid = "{BOX}"\nroom = "203"\ndata_dir = "data"\nruntime_dir = "run"\n'
            '[link]\nhost = "127.0.0.1"\nport = 1\nsecurity = "none"\nmedia_hours = "18:00-06:30"\n'
        )
        config = configuration.load(toml)
        assert config.link is not None
        # A clock that nobody vouches for, so that the centre's word about the time counts.
        self.machine = SimulatedClock(at("09:00"), quality=ClockQuality.UNSYNCHRONISED)
        clock = BoxClock(self.machine, folder / "run" / "clock.json", "ntp", folder / "no-battery")
        self.ledger = Ledger.open(folder / "data", BOX, clock)
        self.centre = Signer(folder / "centre.key")
        service = BoxService(Service("link"), config, clock, self.ledger)
        self.cursor = Cursor(folder / "data" / "link.db")
        self.wire, self.media_wire = Wire(), Wire()
        self.media = Media(service, self.cursor, self.media_wire, config.link)  # type: ignore[arg-type]
        letters = Letters(BOX, config.data_dir, trust_first=False)
        self.live = Live(service, letters, self.media_wire)  # type: ignore[arg-type]
        self.facts = Facts(
            service,
            self.cursor,
            self.wire,  # type: ignore[arg-type]
            lambda: None,
            letters,
            self.live.start,
        )
        self.now = 0.0
        self.version = 0
        self.facts.connected(self.now)
        self.media.connected(self.now)

    def step(self, seconds: float = 4.0) -> None:
        """Let time pass and the link do what is due."""
        self.now += seconds
        self.machine.advance(int(seconds * SECOND))
        self.facts.look()
        self.facts.step(self.now)
        self.media.step(self.now)

    def hear(self, channel: str, message: Message | bytes) -> bool:
        """Let a message come as the link hears it; False when it was refused."""
        payload = message if isinstance(message, bytes) else wire.encode(message)
        part: Facts | Media = self.media if channel == MEDIA_ACK else self.facts
        try:
            part.hear(topic(BOX, channel), payload, self.now)
        except BadMessage:
            return False
        return True

    def true_words(self) -> list[bytes]:
        """Return one true message of each kind, that would take effect now."""
        self.step(20.0)
        hello, ask = self.wire.last(Hello), self.wire.last(Ask)
        seq, digest = self.ledger.head()
        uuid = self.ledger.lineage().ledger
        anchor = Anchor(uuid, seq, digest, 5)
        receipt = Receipt(uuid, seq, digest, (), "backup", 5, ask.id if ask else "x.1")
        said: list[Message] = [
            self.answer(hello),
            Ack(uuid, seq),
            Refused(uuid, "fork", "two disks"),
            Compared(hello.id, uuid, 1),
            replace(anchor, signature=self.centre.sign(wire.signed_part(anchor))),
            replace(receipt, signature=self.centre.sign(wire.signed_part(receipt))),
            self.document(),
            self.request(),
            MediaAck("ab" * 32, 5),
            MediaAck("ab" * 32, 5, stored=True),
        ]
        return [wire.encode(message) for message in said]

    def answer(self, hello: Hello) -> Ack:
        """Return the centre's answer to *hello*: it holds all, and knows the time."""
        when = self.ledger.clock.now().at
        key = self.centre.public_key
        return Ack(hello.ledger, hello.head, hello.id, True, when, "synchronised", key, SPEAKS)

    def document(self) -> Document:
        """Return the next roster, sealed to this box."""
        self.version += 1
        head: dict[str, str | int] = {"kind": ROSTER, "epoch": "e", "version": self.version}
        letter = Letter(BOX, "document", head, roster_to_json(roster_of(self.version % 7 + 1)))
        sealed = seal.seal(letter, self.facts._letters.public_key, self.centre.sign)
        return Document(ROSTER, "e", self.version, hashlib.sha256(sealed).hexdigest(), sealed)

    def request(self) -> Request:
        """Return a request that can be carried out at once."""
        name = f"request-{next(numbers)}"
        expires = self.ledger.clock.now().at + DAY
        head: dict[str, str | int] = {"id": name, "kind": "resync", "expires": expires}
        letter = Letter(BOX, "request", head, events.canonical({}))
        sealed = seal.seal(letter, self.facts._letters.public_key, self.centre.sign)
        return Request(name, expires, sealed)

    def told_of(self, *kinds: type[Any]) -> int:
        """Return how many events of those kinds the ledger holds."""
        wanted = {kind.kind for kind in kinds}
        return sum(record.event.kind in wanted for record in self.ledger.records())

    def good(self) -> None:
        """The centre's next true words take effect, whatever came before."""
        self.ledger.append(ServiceStarted("link", "again"))
        for _ in range(40):  # a refusal is asked about again after a minute
            self.step()
            if self.facts.reached and self.facts.delivery.acked == self.ledger.head()[0]:
                break
            comparing = self.wire.last(messages.Compare)
            if comparing is not None:
                seq = max(point.seq for point in comparing.points)
                self.hear(ACK, Compared(comparing.id, comparing.ledger, seq))
            assert self.hear(ACK, self.answer(self.wire.last(Hello)))
        else:
            raise AssertionError(f"nothing flows any more: {self.facts.delivery}")
        applied = self.told_of(DocumentApplied)
        assert self.hear(f"{DOC}/roster/1", self.document())
        assert self.told_of(DocumentApplied) == applied + 1
        answered = self.told_of(RequestAnswered)
        assert self.hear(REQUEST, self.request())
        self.step()
        assert self.told_of(RequestAnswered) == answered + 1

    def close(self) -> None:
        """Let go of everything."""
        self.cursor.close()
        self.ledger.close()


@contextmanager
def opened(folder: Path) -> Iterator[Box]:
    """Open a box that was enrolled, and close it."""
    (folder / "data" / "keys").mkdir(parents=True)
    (folder / "data" / "keys" / "centre.pub").write_bytes(Signer(folder / "centre.key").public_key)
    box = Box(folder)
    try:
        yield box
    finally:
        box.close()


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Box]:
    """One box for all that is thrown at it."""
    with opened(tmp_path_factory.mktemp("box")) as one:
        yield one


@settings(max_examples=120)
@given(bend=bends, channel=channels)
def test_no_bent_message_stops_a_box(box: Box, bend: Bend, channel: str) -> None:
    """On every topic it is refused by one kind of error, and what the centre says next counts.

    No document, request, receipt or anchor takes effect but those that it truly wrote.
    """
    true = box.true_words()
    payload = bend.of(true)
    kinds = (DocumentApplied, RequestAnswered, AnchorReceived)
    before = (box.told_of(*kinds), box.cursor.last_receipt())
    box.hear(channel, payload)
    box.step()
    if not means_the_same(true, payload):
        assert (box.told_of(*kinds), box.cursor.last_receipt()) == before
    assert box.ledger.verify().problems == []
    box.good()


def means_the_same(true: list[bytes], payload: bytes) -> bool:
    """Tell whether the bytes still are a true message: only what nobody reads was bent.

    Of a letter the seal decides, not what stands on the envelope.
    """
    try:
        message = wire.decode(payload)
    except BadMessage:
        return False
    for one in map(wire.decode, true):
        if isinstance(message, Document) and isinstance(one, Document):
            if message.sealed == one.sealed:
                return True
        elif message == one:
            return True
    return False


@pytest.mark.parametrize("when", [2**63 - 1, 2**62, 10**18, 1, at("09:00") * 100])
def test_a_time_that_cannot_be_is_not_believed(tmp_path: Path, when: int) -> None:
    """A centre that says an impossible year would take the box's calendar with it."""
    with opened(tmp_path) as box:
        box.step()
        before = box.ledger.clock.now().at
        said = replace(box.answer(box.wire.last(Hello)), at=when)
        box.hear(ACK, said)
        box.step()
        assert abs(box.ledger.clock.now().at - before) < 60 * SECOND
        box.good()


def test_documents_that_never_end_take_bounded_memory(box: Box) -> None:
    """Parts of letters that nobody finishes: only the latest of each kind that there is is kept."""
    content = bytes(messages.PART_BYTES)
    for number in range(200):
        kind = "k" + "".join(chr(97 + int(digit)) for digit in str(number))
        box.hear(f"{DOC}/{kind}/1", Document(kind, "e", 1, "ab" * 32, content, 1, 64))
        box.hear(f"{DOC}/{ROSTER}/1", Document(ROSTER, "e", 1, f"{number:064x}", content, 1, 64))
    held = sum(
        len(part) for _, parts in box.facts._letters._parts.values() for part in parts.values()
    )
    assert held <= 2 * len(content)
    box.good()
