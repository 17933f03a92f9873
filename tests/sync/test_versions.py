"""An old box with a new centre, a new box with an old centre, and either with one to come.

The literal messages were written by the first version of the protocol and are never changed: what
they say must be read for as long as such boxes are in classrooms.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from edge.lineage import Lineage
from sync import delivery, replica, wire
from sync.central import tables
from sync.delivery import Delivery, State
from sync.messages import (
    EVENTS,
    HELLO,
    MEDIA,
    Ack,
    Anchor,
    BadMessage,
    Compared,
    Message,
    Receipt,
    Refused,
    UnknownMessage,
    topic,
)
from tests.central.centres import Centre, hello_of, open_centre
from tests.chains import Chain

BOX = "room-203"

OLD_HELLO = (
    b'{"acked":0,"at":1793491200000000,"clock":"unsynchronised","documents":{"roster":{"epoch":'
    b'"epoch-1","version":4}},"head":2,"id":"1a2b.1","ledger":"ledger-1","media_waiting":3,'
    b'"public_key":"D43bl/pf2trvsBD8lVIn9Z1lzs7xaZ/skVUtGZBtjOo=","software":"0.1.0","type":'
    b'"hello","v":1}'
)
OLD_EVENTS = (
    b'{"ledger":"ledger-1","prev_seq":0,"records":[{"at":1,"body":"eyJib3hfaWQiOiJyb29tLTIwMyIsI'
    b"mxlZGdlcl91dWlkIjoibGVkZ2VyLTEiLCJwdWJsaWNfa2V5IjoiMGY4ZGRiOTdmYTVmZGFkYWVmYjAxMGZjOTU1MjI3"
    b'ZjU5ZDY1Y2VjZWYxNjk5ZmVjOTE1NTJkMTk5MDZkOGNlYSIsInNvZnR3YXJlIjoidGVzdCJ9","body_hash":"7Y53'
    b'bG6XMmTdTdCXJkzlNuU5kK2TcRsXdP4nwhVgS2Y=","boot":"boot-1","clock":"synchronised","hash":"Kd3'
    b'yt3LGKgZSdhKE/m4juMksAQE0H3R4tsj+rAAwV+A=","id":"ledger-1-1","kind":"ledger.born","mono":1,"'
    b'prev_hash":"Lx6TuMFdaaf7YYoj347CcAYiznn3/a2BzSqFE1mg0iU=","salt":"O10ehj5P+JSvIkJ0WdMVvleo2/'
    b'oJnQjm0AzaX5djELo=","seq":1,"signature":"sn8ye/A9+nCGSZqfNCKcymUZcNbeabkCqSWgmiMl4okwaf4KQcR'
    b'mdZZXNbM3fwlqW0kHjxc3FTTYqAqyLD5pAw=="},{"at":1,"body":"eyJzZXJ2aWNlIjoibGluayIsInNvZnR3YXJl'
    b'IjoiMC4xLjAifQ==","body_hash":"u9gqyl8mrrX2lInANvHG9r+z1fmt2HZPwOZS5KvWqTI=","boot":"boot-1"'
    b',"clock":"synchronised","hash":"jx3OEoNB2wzpHcl+2gJT9h08Quwl6gaDPht/RBZ54fw=","id":"ledger-1'
    b'-2","kind":"service.started","mono":2,"prev_hash":"Kd3yt3LGKgZSdhKE/m4juMksAQE0H3R4tsj+rAAwV'
    b'+A=","salt":"9RwCRDYfKse+zUlDnhSrQ/UL42iRhHuTVhAwnXnIamg=","seq":2,"signature":"6XO4Ls2IDpge'
    b'fy+nrRFTWLemjNlHwX/Mer27hU+qZpNUkBuZPgbdQXXj2CsAUad8gm39X/E4klYWbZd0x6HBBw=="}],"type":"even'
    b'ts","v":1}'
)
OLD_ACK = b'{"answer":"1a2b.1","ledger":"ledger-1","seq":2,"type":"ack","v":1}'
OLD_REFUSED = (
    b'{"answer":"","cause":"fork","ledger":"ledger-1","text":"event 2 is held with another content"'
    b',"type":"refused","v":1}'
)
OLD_DOCUMENT = b'{"epoch":"epoch-1","kind":"roster","type":"document","v":1,"version":4}\n{}'
# What the first version reads of an answer, and of what type.
OLD_READS: dict[str, dict[str, type]] = {
    "ack": {"ledger": str, "seq": int, "answer": str},
    "refused": {"ledger": str, "cause": str, "text": str, "answer": str},
}


@pytest.fixture
def centre(tmp_path: Path) -> Iterator[Centre]:
    """An empty centre."""
    with open_centre(tmp_path) as opened:
        yield opened


def told(centre: Centre, channel: str, payload: bytes) -> list[Message]:
    """Let the centre hear bytes; return what it answers."""
    take = centre.files.take if channel == MEDIA else centre.events.take
    return [out.message for out in take([(topic(BOX, channel), payload)]) if out.message]


def heads(messages: list[Message]) -> list[dict[str, Any]]:
    """Return the heads of messages as they travel."""
    return [json.loads(wire.encode(message).partition(b"\n")[0]) for message in messages]


def test_an_old_box_brings_its_facts_to_a_new_centre(centre: Centre) -> None:
    """It says nothing that it did not know of, and hears nothing that it cannot read."""
    hello = told(centre, HELLO, OLD_HELLO)
    events = told(centre, EVENTS, OLD_EVENTS)
    for head in heads(hello + events):
        assert head["v"] == 1
        for name, sort in OLD_READS[head["type"]].items():
            assert isinstance(head[name], sort)
    assert [(head["seq"], head["answer"]) for head in heads(hello + events)] == [
        (0, "1a2b.1"),
        (2, ""),
    ]
    assert [row.kind for row in centre.rows(tables.event)] == ["ledger.born", "service.started"]
    assert centre.incidents() == []


def test_a_forked_old_box_is_refused_in_words_that_it_reads(centre: Centre) -> None:
    """It is not asked to compare, which it could not; the incident is there all the same."""
    told(centre, HELLO, OLD_HELLO)
    told(centre, EVENTS, OLD_EVENTS)
    spoilt = OLD_EVENTS.replace(b'"id":"ledger-1-2"', b'"id":"ledger-1-X"').replace(
        b"jx3OEoNB2wzp", b"jx3OEoNB2wzq"
    )
    (head,) = heads(told(centre, EVENTS, spoilt))
    assert (head["type"], head["cause"]) == ("refused", "fork")
    for name, sort in OLD_READS["refused"].items():
        assert isinstance(head[name], sort)


def asked(head: int) -> Delivery:
    """Return a box's delivery that has said hello ``1a2b.1``."""
    return delivery.greeted(delivery.connected(Delivery(head=head), 0.0), 1, 0.0)


def test_a_new_box_brings_its_facts_to_an_old_centre() -> None:
    """An answer without the newer fields agrees, tells no time, and can be asked no questions."""
    message = wire.decode(OLD_ACK)
    assert isinstance(message, Ack)
    assert (message.agrees, message.at, message.centre_key, message.speaks) == (True, 0, b"", ())
    here = replica.hear(asked(5), message, Lineage.of("ledger-1", ()), "1a2b", False, 1.0)
    assert (here.state, here.acked) == (State.STREAMING, 2)
    assert delivery.step(here, 1.0) == delivery.Send(2)


def test_a_new_box_that_an_old_centre_refuses_waits_and_does_not_compare() -> None:
    """The old centre would not understand the question; a person must look."""
    message = wire.decode(OLD_REFUSED)
    assert isinstance(message, Refused)
    here = replica.hear(asked(5), message, Lineage.of("ledger-1", ()), "1a2b", False, 1.0)
    assert here.state is State.REFUSED


def test_a_document_that_nobody_signed_is_refused_by_a_new_box() -> None:
    """The first version sent them in the open; what is in force stays in force."""
    with pytest.raises(BadMessage, match="letter"):
        wire.decode(OLD_DOCUMENT)


def newer(payload: bytes, **fields: Any) -> bytes:
    """Return a message as a later version may send it, with *fields* that we do not know."""
    head, newline, rest = payload.partition(b"\n")
    return json.dumps({**json.loads(head), **fields}).encode() + newline + rest


def test_a_newer_box_is_understood_as_far_as_we_speak(centre: Centre) -> None:
    """Fields and abilities that we do not know are ignored; its facts arrive."""
    chain = Chain()
    hello = hello_of(chain, speaks=("compare-2", "holograms"))
    said = told(centre, HELLO, newer(wire.encode(hello), mood="fine", battery={"percent": 80}))
    assert [(head["type"], head["seq"]) for head in heads(said)] == [("ack", 0)]
    said = told(centre, EVENTS, newer(wire.encode(chain.batch()), zipped=False))
    assert [(head["type"], head["seq"]) for head in heads(said)] == [("ack", 1)]
    assert centre.incidents() == []


@pytest.mark.parametrize("channel", [HELLO, EVENTS, MEDIA])
@pytest.mark.parametrize(
    "payload", [b'{"v":2,"type":"hello"}', b'{"v":1,"type":"hologram"}\n\x00\x01', b'{"v":"1"}']
)
def test_what_only_a_newer_version_says_is_set_aside(
    centre: Centre, channel: str, payload: bytes
) -> None:
    """It goes unanswered, is kept as an incident, and the next message is dealt with."""
    chain = Chain()
    centre.know(chain)
    assert told(centre, channel, payload) == []
    assert centre.incidents() == ["bad_message"]
    assert centre.hear(BOX, chain.batch()) == [Ack(chain.uuid, 1)]


def test_a_newer_topic_is_nobodys(centre: Centre) -> None:
    """A change that we would misread has another number in the topic: we do not even look."""
    text = topic(BOX, EVENTS).replace("classbox/1/", "classbox/2/")
    assert centre.events.take([(text, b"anything")]) == []
    assert centre.incidents() == []


@pytest.mark.parametrize(
    "message",
    [
        Ack("ledger-1", 2, "1a2b.1"),
        Refused("ledger-1", "moonless", "a cause to come"),
        Compared("1a2b.1", "ledger-1", 1),
        Anchor("ledger-1", 1, bytes(32), 5, bytes(64)),
        Receipt("ledger-1", 1, bytes(32), (), "vault", 5, "x", bytes(64)),
    ],
    ids=lambda message: type(message).__name__,
)
def test_a_newer_centre_is_understood_as_far_as_we_speak(message: Message) -> None:
    """Fields that we do not know are ignored, in every message that a box hears."""
    assert wire.decode(newer(wire.encode(message), mood="fine", more=[1, 2])) == message


@pytest.mark.parametrize("payload", [b'{"v":2,"type":"ack"}', b'{"v":1,"type":"dance"}'])
def test_what_only_a_newer_centre_says_is_unknown_to_the_box(payload: bytes) -> None:
    """The link sets it aside with a line in its log, as every BadMessage."""
    with pytest.raises(UnknownMessage):
        wire.decode(payload)
