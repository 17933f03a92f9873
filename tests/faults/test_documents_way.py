"""Documents on their way to a box, and messages that nobody should send."""

from __future__ import annotations

import os

import pytest

from edge.documents import ROSTER, TIMETABLE, roster_to_json, timetable_to_json
from edge.keys import Signer
from sync import wire
from sync.central import documents, tables
from sync.central.documents import Stored
from sync.line import Connected, Happening, Inbox, Line, Lost
from sync.messages import (
    EVENTS,
    HELLO,
    MEDIA,
    PACKET_BYTES,
    document_topic,
    topic,
)
from tests.boxes import at, roster_of, two_hours
from tests.brokers import Broker
from tests.faults.stage import BOX, Stage
from tests.processes import wait_for


def rosters(count: int) -> bytes:
    """Return a roster document with that many trainees."""
    return roster_to_json(roster_of(count))


def intruder(broker: Broker) -> tuple[Inbox[Happening], Line]:
    """Connect somebody who may do anything."""
    inbox: Inbox[Happening] = Inbox()
    line = Line("127.0.0.1", broker.port, "intruder", ["nothing"], inbox.put)
    line.start()
    assert inbox.take(10) == [Connected()]
    return inbox, line


def say(broker: Broker, *messages: tuple[str, bytes]) -> None:
    """Publish raw messages, retained, as somebody who may do anything."""
    _, line = intruder(broker)
    for topic_text, payload in messages:
        assert line.publish(topic_text, payload, retain=True)
    line.close()


def test_documents_reach_a_box_that_runs_and_one_that_comes_later(stage: Stage) -> None:
    """Stored by the command, sent within moments; what was missed follows the hello."""
    stage.publish(ROSTER, rosters(2))
    stage.start(stage.ingest, stage.link)
    wait_for("the roster is in force", lambda: stage.in_force() == {ROSTER: 1})
    stage.publish(TIMETABLE, timetable_to_json((two_hours(at("09:00")),)))
    wait_for("so is the timetable", lambda: stage.in_force() == {ROSTER: 1, TIMETABLE: 1})
    stage.link.stop()
    for count in (3, 4):
        stage.publish(ROSTER, rosters(count))
    stage.start(stage.link)
    wait_for("the newest is in force", lambda: stage.in_force() == {ROSTER: 3, TIMETABLE: 1})
    stage.wait_until_complete()
    applied = [row.kind for row in stage.rows(tables.event)].count("document.applied")
    assert applied == 3


def test_documents_survive_a_broker_that_forgets(stage: Stage) -> None:
    """Retained messages are gone with the broker; the ingest and the hello bring them again."""
    stage.start(stage.ingest, stage.link)
    stage.wait_until_complete()
    stage.link.stop()
    stage.publish(ROSTER, rosters(2))
    stage.broker.kill()
    stage.broker.start()
    stage.start(stage.link)
    wait_for("the roster is in force", lambda: stage.in_force() == {ROSTER: 1})


def test_a_bad_document_is_refused_and_the_good_one_stays(stage: Stage) -> None:
    """The box says once what is wrong, keeps what is in force, and takes the next good one."""
    stage.publish(ROSTER, rosters(2))
    stage.start(stage.ingest, stage.link)
    wait_for("the roster is in force", lambda: stage.in_force() == {ROSTER: 1})
    bad = Stored(ROSTER, stage.store.epoch, 2, b'{"classes":[],"instructors":"nobody"}')
    signer = Signer(stage.config.data_dir / "keys" / "centre.key")
    (box,) = stage.rows(tables.box)
    for _ in range(2):
        for part in documents.sealed(bad, BOX, box.sealing_key, signer):
            say(stage.broker, (document_topic(BOX, ROSTER, part.part), wire.encode(part)))
    wait_for("the link refuses it", lambda: stage.link.said("refused version 2 of the roster"))
    stage.publish(ROSTER, rosters(3))
    stage.publish(ROSTER, rosters(4))
    wait_for("a later one is in force", lambda: stage.in_force() == {ROSTER: 3})
    assert stage.link.log.read_text("utf-8").count("refused version 2") == 1
    assert "instructors: must be a list" in stage.link.log.read_text("utf-8")


def test_messages_that_nobody_should_send_stop_nobody(stage: Stage) -> None:
    """Nonsense on every topic, up to the largest packet: both ends go on, the centre counts it."""
    stage.start(stage.ingest, stage.link)
    stage.wait_until_complete()
    nonsense = (b"", b"\x00", b"{}", b'{"v":9}', os.urandom(PACKET_BYTES), b"[" * 100_000)
    channels = (HELLO, EVENTS, MEDIA, "down/ack", "down/media_ack", "down/doc/roster")
    say(
        stage.broker,
        *((topic(BOX, channel), payload) for channel in channels for payload in nonsense),
    )
    stage.write(20)
    wait_for("the nonsense is counted", lambda: stage.rows(tables.incident))
    wait_for("facts go on", lambda: stage.held() == stage.ledger.head()[0])
    sha256 = stage.snapshot(b"still works")
    stage.wait_for_media(sha256)
    assert {row.cause for row in stage.rows(tables.incident)} == {"bad_message"}


@pytest.mark.parametrize("ends", ["box", "centre"])
def test_a_packet_over_the_brokers_limit_only_hurts_its_sender(stage: Stage, ends: str) -> None:
    """The broker hangs up on whoever sends it; facts of the box keep flowing."""
    stage.start(stage.ingest, stage.link)
    stage.wait_until_complete()
    channel = EVENTS if ends == "centre" else "down/ack"
    inbox, line = intruder(stage.broker)
    # The broker may hang up while the packet is still being written, so either answer is right.
    line.publish(topic(BOX, channel), os.urandom(2 * PACKET_BYTES))
    assert isinstance(inbox.take(10)[0], Lost)
    line.close()
    stage.write(20)
    stage.wait_until_complete()
