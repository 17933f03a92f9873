"""Whatever arrives at the centre is taken, or set aside with its cause: it stops nobody."""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from edge.events import ScanMade, ServiceStarted
from sync import wire
from sync.central import tables
from sync.messages import (
    EVENTS,
    HELLO,
    MEDIA,
    SPEAKS,
    Ack,
    Ask,
    BadMessage,
    Batch,
    Chunk,
    Compare,
    Hello,
    MediaAck,
    Message,
    Offer,
    Point,
    topic,
)
from tests.central.centres import Centre, hello_of, open_centre
from tests.chains import Chain
from tests.security.poison import ODD, Bend, bends

BOX, OTHER = "room-203", "room-204"
# All but what counts how often somebody spoke, and what was set aside.
FACTS = (tables.ledger, tables.event, tables.body, tables.document, tables.erasure, tables.media,
         tables.media_erased, tables.request, tables.anchor, *tables.PROJECTIONS)  # fmt: skip
PHOTO = b"a photo" * 100
numbers = itertools.count()
channels = st.sampled_from((HELLO, EVENTS, MEDIA))


class Stage:
    """A centre that two boxes are known at. ``good`` goes on whatever came before."""

    def __init__(self, centre: Centre) -> None:
        self.centre = centre
        self.chain, self.other = Chain(BOX), Chain(OTHER, "ledger-2")
        for chain in (self.chain, self.other):
            self.centre.hear(chain.box, self.hello(chain))
            self.centre.learn(chain, ServiceStarted("link", "1"))

    def hello(self, chain: Chain) -> Hello:
        """Return a hello as boxes of today say it: signed."""
        hello = hello_of(chain, f"h{next(numbers)}", speaks=SPEAKS)
        return replace(hello, signature=chain.sign(wire.signed_part(hello)))

    def facts(self) -> dict[str, set[Any]]:
        """Return all that is held."""
        return {table.name: {tuple(row) for row in self.centre.rows(table)} for table in FACTS}

    def take(self, channel: str, payload: bytes, box: str = BOX) -> None:
        """Let the ingest take one message, and say what it answers."""
        intake = self.centre.files if channel == MEDIA else self.centre.events
        for out in intake.take([(topic(box, channel), payload)]):
            out.payload()

    def good_facts(self, chain: Chain) -> None:
        """The next true hello and batch of a box are taken."""
        chain.append(ServiceStarted("link", "again"))
        told = self.centre.hear(chain.box, self.hello(chain), chain.batch(chain.head - 1))
        assert Ack(chain.uuid, chain.head) in told, told

    def good_file(self, content: bytes, box: str = BOX) -> None:
        """A true file is taken, from where the centre says, as boxes do.

        At the second try, where the end showed that what had come before was not right.
        """
        name = hashlib.sha256(content).hexdigest()
        for _ in range(2):
            (told,) = self.centre.hear(box, Offer(name, len(content), "photo"))
            assert isinstance(told, MediaAck)
            if not told.stored:
                rest = Chunk(name, len(content), told.offset, content[told.offset :])
                (told,) = self.centre.hear(box, rest)
            if told == MediaAck(name, len(content), stored=True):
                return
            assert told == MediaAck(name, 0, refused="its hash is wrong")
        raise AssertionError("the file is not taken")


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def stage(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stage]:
    """One centre for all that is thrown at it: it has to go on, as in life."""
    folder = tmp_path_factory.mktemp("centre")
    if request.param == "sqlite":
        with open_centre(folder) as centre:
            yield Stage(centre)
        return
    with (
        request.getfixturevalue("postgres").database() as address,
        open_centre(folder, database=address) as centre,
    ):
        yield Stage(centre)


def true_facts(stage: Stage, chain: Chain) -> list[bytes]:
    """Return what a box says of its facts: hello, the next events, both questions."""
    following = chain.copy()
    for kind in (ServiceStarted("link", "2"), ScanMade("p-1", 5, "face", "")):
        following.append(kind)
    said: list[Message] = [
        stage.hello(following),
        following.batch(chain.head),
        Compare("q.1", chain.uuid, (Point(1, chain.records[0].event.hash),)),
        Ask("a.1", chain.uuid, ("ab" * 32,)),
    ]
    return [wire.encode(message) for message in said]


def means_the_same(true: list[bytes], payload: bytes) -> bool:
    """Tell whether the bytes still say something true: an ignored field more, or a body less.

    Without its body an event is one that was erased: a box may send it so.
    """
    try:
        message = wire.decode(payload)
    except BadMessage:
        return False
    for one in map(wire.decode, true):
        if message == one:
            return True
        if isinstance(message, Batch) and isinstance(one, Batch):
            events = tuple(record.event for record in one.records)
            theirs = tuple(record.event for record in message.records)
            whole = all(
                given.body is None or given == own
                for given, own in zip(message.records, one.records, strict=False)
            )
            if message.ledger == one.ledger and whole and theirs == events[: len(theirs)]:
                return True
    return False


@settings(max_examples=60)
@given(bend=bends, channel=channels)
def test_no_message_about_facts_does_harm(stage: Stage, bend: Bend, channel: str) -> None:
    """Bent hellos, events and questions on every topic: nothing changes, the box goes on."""
    true = true_facts(stage, stage.chain)
    payload = bend.of(true)
    assume(not means_the_same(true, payload))
    before = stage.facts()
    stage.take(channel, payload)
    assert stage.facts() == before
    stage.good_facts(stage.chain)


@settings(max_examples=60)
@given(bend=bends, channel=channels)
def test_no_message_about_media_does_harm(stage: Stage, bend: Bend, channel: str) -> None:
    """Bent offers and chunks of a file: the file itself still arrives, whole or not at all."""
    content = PHOTO + str(next(numbers)).encode()
    name = hashlib.sha256(content).hexdigest()
    true = [
        wire.encode(Offer(name, len(content), "photo")),
        wire.encode(Chunk(name, len(content), 0, content[:300])),
        wire.encode(Chunk(name, len(content), 0, content)),
    ]
    payload = bend.of(true)
    assume(payload not in true)
    stage.take(channel, payload)
    held = {row.sha256 for row in stage.centre.rows(tables.media)}
    for sha256 in held & {name}:  # the bytes were bent where it does not matter
        assert stage.centre.media.path(sha256).read_bytes() == content
    stage.good_file(content)


@settings(max_examples=30)
@given(which=st.integers(0, 3), box=st.sampled_from((OTHER, "room-999")), channel=channels)
def test_nobody_says_anything_in_anothers_name(
    stage: Stage, which: int, box: str, channel: str
) -> None:
    """True messages of one box on the topics of another, or of one that is not known."""
    payload = true_facts(stage, stage.chain)[which]
    before = stage.facts()
    keys = {(row.id, bytes(row.public_key)) for row in stage.centre.rows(tables.box)}
    stage.take(channel, payload, box)
    assert stage.facts() == before
    assert {(row.id, bytes(row.public_key)) for row in stage.centre.rows(tables.box)} == keys
    stage.good_facts(stage.other)
    stage.good_facts(stage.chain)


@pytest.mark.parametrize("name", ["\ud800", "\x00", "x" * 5000])
def test_a_name_that_no_database_holds_is_reported_and_does_no_harm(
    stage: Stage, name: str
) -> None:
    """JSON can name a field by what is no text: the incident that reports it must be storable."""
    head = json.loads(wire.encode(stage.hello(stage.chain)))
    for entry in ({"epoch": 1}, {"epoch": "e", "version": 1}):
        head["documents"] = {name: entry}
        stage.take(HELLO, json.dumps(head).encode("ascii"))
        stage.good_facts(stage.chain)


@settings(max_examples=40)
@given(poison=st.binary(max_size=100), place=st.integers(0, 3))
def test_a_poisoned_message_among_others_costs_none_of_them(
    stage: Stage, poison: bytes, place: int
) -> None:
    """What came in the same transaction is stored and acknowledged all the same."""
    chain = stage.chain
    arrived = [(topic(chain.box, HELLO), wire.encode(stage.hello(chain)))]
    for _ in range(2):
        chain.append(ServiceStarted("link", "many"))
        arrived.append((topic(chain.box, EVENTS), wire.encode(chain.batch(chain.head - 1))))
    arrived.insert(place, (topic(OTHER, EVENTS), poison))
    told = [out.message for out in stage.centre.events.take(arrived)]
    assert Ack(chain.uuid, chain.head) in told


@settings(max_examples=30)
@given(text=st.text(max_size=60))
def test_a_topic_of_nobody_is_passed_over(stage: Stage, text: str) -> None:
    """Topics that are not of this protocol name no box to report: nothing is stored."""
    before = stage.facts()
    for intake in (stage.centre.events, stage.centre.files):
        for name in (text, f"classbox/1/0/{text}/up/hello", f"classbox/{text}/up/media"):
            assert intake.take([(name, b"{}")]) == []
    assert stage.facts() == before


@settings(max_examples=40)
@given(
    kind=st.sampled_from(("scan.made", "lesson.opened", "snapshot.taken", "body.erased", "x")),
    field=st.sampled_from(("person_id", "at", "seqs", "lesson_id", "sha256", "photo")),
    value=st.sampled_from([odd for odd in ODD if odd != 10**400]),
)
def test_events_whose_bodies_make_no_sense_are_kept_or_refused(
    stage: Stage, kind: str, field: str, value: Any
) -> None:
    """A box that signs nonsense is answered; others go on. Facts that fit the chain are kept."""
    mad = Chain("room-mad", f"ledger-mad-{next(numbers)}")
    stage.centre.clock.advance(1)
    body = {"person_id": "p-1", "at": 1, "way": "face", "photo": "", field: value}
    mad.append_raw(kind, json.dumps(body).encode("ascii"))
    box = f"room-{next(numbers)}"
    hello = hello_of(mad, f"h{next(numbers)}")
    told = [out.message for out in stage.centre.heard(box, hello, mad.batch())]
    assert any(isinstance(message, Ack) for message in told)
    for message in told:
        if message is not None:
            wire.encode(message)
    stage.good_facts(stage.chain)
