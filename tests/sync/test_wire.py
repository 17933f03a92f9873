"""Messages, their bytes and their limits."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.chain import Event
from edge.events import BODY_BYTES, ServiceStarted
from edge.model import ClockQuality, Reading
from sync import messages, wire
from sync.messages import (
    Ack,
    Ancestor,
    Anchor,
    Ask,
    BadMessage,
    Batch,
    Chunk,
    Compare,
    Compared,
    Document,
    Frame,
    Held,
    Hello,
    MediaAck,
    Message,
    Offer,
    Point,
    Receipt,
    Record,
    Refused,
    Request,
    TooLarge,
    UnknownMessage,
    Watch,
)
from tests.chains import Chain

JPEG = b"\xff\xd8\xff"
names = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=0, max_size=40)
wholes = st.integers(0, 2**63 - 1)
hashes = st.binary(min_size=32, max_size=32)
sha256s = st.binary(min_size=32, max_size=32).map(bytes.hex)
signatures = st.binary(min_size=64, max_size=64)
points = st.builds(Point, st.integers(1, 2**40), hashes)
readings = st.builds(Reading, wholes, names, wholes, st.sampled_from(ClockQuality))


@st.composite
def batches(draw: st.DrawFn) -> Batch:
    """Any batch that the protocol allows, with bodies erased here and there."""
    after = draw(st.integers(0, 2**40))
    records = []
    for place in range(1, draw(st.integers(1, 4)) + 1):
        event = Event(
            after + place,
            draw(names),
            draw(names),
            draw(readings),
            draw(hashes),
            draw(hashes),
            draw(hashes),
            draw(st.binary(min_size=64, max_size=64)),
        )
        erased = draw(st.booleans())
        records.append(
            Record(event, None, None)
            if erased
            else Record(event, draw(hashes), draw(st.binary(max_size=200)))
        )
    return Batch(draw(names), after, tuple(records))


anything: st.SearchStrategy[Message] = st.one_of(
    batches(),
    st.builds(
        Hello,
        names,
        names,
        wholes,
        hashes,
        wholes,
        hashes,
        hashes,
        wholes,
        names,
        names,
        wholes,
        wholes,
        wholes,
        st.dictionaries(names, st.builds(Held, names, wholes), max_size=3),
        st.lists(st.builds(Ancestor, names, wholes), max_size=3).map(tuple),
        st.lists(names, max_size=3).map(tuple),
        signatures,
    ),
    st.builds(Ack, names, wholes, names, st.booleans(), wholes, names, hashes),
    st.builds(Refused, names, st.just("other_key"), names, names),
    st.builds(Offer, sha256s, st.integers(1, 2**40), st.just("snapshot")),
    st.builds(
        Chunk, sha256s, st.just(2**40), wholes.map(lambda n: n % 2**39), st.binary(min_size=1)
    ),
    st.builds(MediaAck, sha256s, wholes, st.booleans(), names),
    st.builds(Document, st.just("roster"), names, st.integers(1, 2**40), sha256s, st.binary()),
    st.builds(Compare, names, names, st.lists(points, min_size=1, max_size=4).map(tuple)),
    st.builds(Compared, names, names, wholes),
    st.builds(Ask, names, names, st.lists(sha256s, max_size=3).map(tuple)),
    st.builds(
        Receipt,
        names,
        wholes,
        hashes,
        st.lists(sha256s, max_size=3).map(tuple),
        st.just("backup"),
        wholes,
        names,
        signatures,
    ),
    st.builds(Anchor, names, wholes, hashes, wholes, signatures),
    st.builds(Request, names, wholes, st.binary()),
    st.builds(Watch, names, st.binary()),
    st.builds(
        Frame,
        st.just("front"),
        st.integers(1, 2**40),
        wholes,
        st.dictionaries(names, wholes, max_size=3),
        st.just(""),
        st.binary().map(lambda rest: JPEG + rest),
    ),
    st.builds(
        Frame,
        st.just("front"),
        st.integers(1, 2**40),
        wholes,
        st.dictionaries(names, wholes, max_size=3),
        st.just("offline"),
    ),
)


@given(anything)
def test_what_is_encoded_decodes_to_the_same(message: Message) -> None:
    """Every message survives the wire, bytes of bodies and files included."""
    assert wire.decode(wire.encode(message)) == message


@settings(max_examples=300)
@given(st.one_of(st.binary(max_size=300), st.text(max_size=100).map(str.encode)))
def test_bytes_that_are_no_message_are_refused(payload: bytes) -> None:
    """Whatever arrives, the answer is a BadMessage and nothing else."""
    with pytest.raises(BadMessage):
        wire.decode(payload)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)


@settings(max_examples=300)
@given(anything, st.data())
def test_a_message_with_one_field_spoilt_is_read_or_refused(message: Message, data: Any) -> None:
    """A field of the wrong type or range never gets further than a BadMessage."""
    head, newline, rest = wire.encode(message).partition(b"\n")
    values = json.loads(head)
    values[data.draw(st.sampled_from(sorted(values)))] = data.draw(json_values)
    try:
        decoded = wire.decode(json.dumps(values).encode() + newline + rest)
    except BadMessage:
        return
    assert type(decoded) is type(message)


def test_a_newer_version_and_an_unknown_type_are_told_apart_from_nonsense() -> None:
    """What a newer box says is set aside as unknown; fields that it adds are ignored."""
    with pytest.raises(UnknownMessage):
        wire.decode(b'{"v":2,"type":"hello"}')
    with pytest.raises(UnknownMessage):
        wire.decode(b'{"v":1,"type":"live_view"}')
    assert wire.decode(b'{"v":1,"type":"ack","ledger":"l","seq":3,"moon":"full"}') == Ack("l", 3)


@pytest.mark.parametrize(
    "frame",
    [
        Frame("front", 1, 0, {}, data=JPEG + bytes(messages.FRAME_BYTES)),
        Frame("front", 1, 0, {}, data=b"<html>"),
        Frame("front", 1, 0, {}, state="offline", data=JPEG),
        Frame("front", 1, 0, {}),
        Frame("../door", 1, 0, {}, data=JPEG),
        Frame("front", 1, 0, {f"view-{number}": 1 for number in range(17)}, data=JPEG),
    ],
)
def test_a_frame_that_is_too_large_or_no_picture_is_refused(frame: Frame) -> None:
    """Neither end shows anything but a JPEG of a size that memory was planned for."""
    with pytest.raises((BadMessage, TooLarge)):
        wire.decode(wire.encode(frame))


def test_a_batch_takes_what_fits_and_no_more() -> None:
    """Many small events are cut at the limit of bytes; the rest goes with the next batch."""
    chain = Chain()
    for _ in range(600):
        chain.append(ServiceStarted("link", "x" * 120))
    payload, count = wire.encode_batch(chain.uuid, 0, chain.records)
    assert 100 <= count <= 500
    assert len(payload) <= messages.BATCH_BYTES
    assert wire.decode(payload) == chain.batch(0, count)


def test_an_event_larger_than_a_batch_travels_alone() -> None:
    """It goes by itself as long as a broker takes it, and is refused clearly beyond that."""
    chain = Chain()
    chain.append_raw("big", b"x" * 120_000)
    chain.append(ServiceStarted("link", "1"))
    payload, count = wire.encode_batch(chain.uuid, 1, chain.records[1:])
    assert (count, len(payload) > messages.BATCH_BYTES) == (1, True)
    assert wire.decode(payload) == chain.batch(1, 1)
    huge = Chain()
    huge.append_raw("big", b"x" * 300_000)
    with pytest.raises(TooLarge, match="event 2"):
        wire.encode_batch(huge.uuid, 1, huge.records[1:])


def test_every_body_that_a_ledger_takes_fits_into_a_batch() -> None:
    """The largest body, in the form in which it travels, leaves room in a batch."""
    chain = Chain()
    record = chain.append_raw("largest", b"x" * BODY_BYTES)
    payload, _ = wire.encode_batch(chain.uuid, 1, [record])
    assert len(payload) < messages.BATCH_BYTES


def test_a_chunk_or_document_over_the_limit_is_not_made() -> None:
    """A poison message, which a broker would answer by hanging up, cannot be encoded."""
    with pytest.raises(TooLarge):
        wire.encode(Chunk("0" * 64, 2**20, 0, bytes(messages.CHUNK_BYTES + 1)))
    with pytest.raises(TooLarge):
        wire.encode(Document("roster", "e", 1, "0" * 64, bytes(messages.PART_BYTES + 1)))


def test_a_batch_with_a_hole_is_refused() -> None:
    """Events of one batch follow one another without gaps, or the batch is none."""
    chain = Chain()
    for _ in range(3):
        chain.append(ServiceStarted("link", "1"))
    torn = Batch(chain.uuid, 0, (chain.records[0], chain.records[2]))
    with pytest.raises(BadMessage, match="seq 3"):
        wire.decode(wire.encode(torn))


def test_topics_name_the_box_and_the_channel() -> None:
    """A topic made for a box reads back; foreign topics and versions are unknown."""
    text = messages.topic("room-203", messages.EVENTS)
    assert text == "classbox/1/f/room-203/up/events"
    assert messages.parse_topic(text) == ("room-203", messages.EVENTS)
    for foreign in (
        "classbox/2/f/room-203/up/events",
        "weather",
        "classbox/1/f/ro+m/up/x",
        "classbox/1/0/room-203/up/events",  # the digit of another box
        "classbox/1/f/room-203.media/up/events",  # facts over the media connection
        "classbox/1/f/room-203/up/media",
    ):
        with pytest.raises(UnknownMessage):
            messages.parse_topic(foreign)
    with pytest.raises(BadMessage):
        messages.topic("room/203", messages.EVENTS)
