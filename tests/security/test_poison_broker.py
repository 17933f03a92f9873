"""Poison through a real broker into real processes: they live, and a good box is served."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge.events import ServiceStarted
from sync import wire
from sync.central import tables
from sync.messages import (
    ACK,
    DOC,
    EVENTS,
    HELLO,
    MEDIA,
    MEDIA_ACK,
    REQUEST,
    Ack,
    Chunk,
    Document,
    MediaAck,
    Message,
    Offer,
    Refused,
    Request,
    topic,
)
from tests.central.centres import hello_of
from tests.chains import Chain
from tests.faults.stage import BOX, Stage, staged
from tests.processes import wait_for
from tests.security.poison import HOW, Bend
from tests.security.stage import Caller

UP, DOWN = (HELLO, EVENTS, MEDIA), (ACK, REQUEST, f"{DOC}/roster/1", MEDIA_ACK)


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    """A box and a centre around a broker that lets everybody say anything."""
    with staged(tmp_path) as opened:
        yield opened


def true_words(box: str) -> list[bytes]:
    """Return one message of each kind, of a box of that name with another ledger."""
    chain = Chain(box, "ledger-of-a-stranger")
    chain.append(ServiceStarted("link", "1"))
    content = b"a file" * 50
    name = hashlib.sha256(content).hexdigest()
    said: list[Message] = [
        hello_of(chain),
        chain.batch(),
        Offer(name, len(content), "photo"),
        Chunk(name, len(content), 0, content),
        Ack(chain.uuid, 7),
        Refused(chain.uuid, "fork", "two disks"),
        MediaAck(name, 5),
        Document("roster", "e", 1, name, content),
        Request("r-1", 2**40, content),
    ]
    return [wire.encode(message) for message in said]


def bends() -> Iterator[Bend]:
    """Yield some hundred ways to bend a message, the same ones in every run."""
    for number, (how, which) in enumerate(itertools.product(sorted(set(HOW)), range(9))):
        yield Bend(how, which, 37 * number, 11 * number, bytes([number % 256]) * 20)


def test_poison_on_every_topic_stops_nobody(stage: Stage) -> None:
    """The ingest and the link stay the processes that they were, and everything still arrives."""
    stage.start(stage.ingest, stage.link)
    stage.write(20)
    wait_for("it works", lambda: stage.told().get("acked") == stage.ledger.head()[0], 60)
    before = (stage.ingest.pid, stage.link.pid)
    caller = Caller(stage.broker.port, None, "poisoner")
    assert caller.connect() == "Success"
    sent = 0
    for box, channels in ((BOX, UP + DOWN), ("room-999", UP)):
        true = true_words(box)
        for channel, bend in itertools.product(channels, bends()):
            assert caller.publish(topic(box, channel), bend.of(true)) in (
                "Success",
                "No matching subscribers",
            )
            sent += 1
    assert sent > 500
    caller.close()
    stage.write(20)
    name = stage.snapshot(b"a good picture" * 10_000)
    wait_for("the rest arrives", lambda: stage.told().get("acked") == stage.ledger.head()[0], 120)
    stage.wait_for_media(name)
    assert (stage.ingest.pid, stage.link.pid) == before
    assert stage.ingest.running()
    assert stage.link.running()
    held = [
        (row.seq, bytes(row.hash))
        for row in stage.rows(tables.event)
        if row.ledger == stage.ledger.uuid
    ]
    written = [(record.event.seq, record.event.hash) for record in stage.ledger.records()]
    assert sorted(held) == written[: len(held)]
    assert len(held) >= 40
    causes = {row.cause for row in stage.rows(tables.incident)}
    assert {"bad_message", "other_key"} <= causes
    assert "unreadable" not in causes
    assert "Traceback" not in stage.ingest.log.read_text("utf-8")
    assert "Traceback" not in stage.link.log.read_text("utf-8")
