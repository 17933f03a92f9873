"""Hellos and events: what is stored, what is answered, what is set aside."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import delete, select

from edge.events import ServiceStarted, canonical
from sync import wire
from sync.central import projections, tables
from sync.messages import (
    EVENTS,
    HELLO,
    Ack,
    Chunk,
    Record,
    Refused,
    topic,
)
from tests.central.centres import Centre, hello_of
from tests.central.days import beside_the_lesson, busy_day
from tests.chains import Chain, batch_of


def started(chain: Chain, count: int) -> Chain:
    """Let *chain* grow by some events."""
    for _ in range(count):
        chain.append(ServiceStarted("link", "1"))
    return chain


def test_a_hello_is_answered_with_how_far_the_centre_is(centre: Centre) -> None:
    """The first answer is 0, later ones what is committed, each naming the hello."""
    chain = started(Chain(), 4)
    assert centre.hear("room-203", hello_of(chain, "a")) == [Ack(chain.uuid, 0, "a")]
    centre.hear("room-203", chain.batch())
    assert centre.hear("room-203", hello_of(chain, "b")) == [Ack(chain.uuid, 5, "b")]


def test_events_are_stored_as_they_were_sent(centre: Centre) -> None:
    """Header, salt and body of every event stand in the store byte for byte."""
    chain = started(Chain(), 2)
    centre.know(chain)
    assert centre.hear("room-203", chain.batch()) == [Ack(chain.uuid, 3)]
    events, bodies = centre.rows(tables.event), centre.rows(tables.body)
    for record, event, body in zip(chain.records, events, bodies, strict=True):
        assert (event.seq, event.id, event.hash) == (
            record.event.seq,
            record.event.id,
            record.event.hash,
        )
        assert event.signature == record.event.signature
        assert (body.salt, body.content) == (record.salt, record.body)


def test_an_erased_body_is_stored_as_erased(centre: Centre) -> None:
    """An event whose body was erased on the box arrives with its header alone."""
    chain = started(Chain(), 1)
    centre.know(chain)
    erased = Record(chain.records[1].event, None, None)
    assert centre.hear("room-203", batch_of(chain.uuid, [chain.records[0], erased])) == [
        Ack(chain.uuid, 2)
    ]
    assert [row.seq for row in centre.rows(tables.body)] == [1]


def test_a_redelivery_is_acknowledged_and_stores_nothing(centre: Centre) -> None:
    """The same batch again, whole or overlapping, changes nothing but is answered."""
    chain = started(Chain(), 9)
    centre.know(chain)
    centre.hear("room-203", chain.batch(0, 6))
    assert centre.hear("room-203", chain.batch(0, 6)) == [Ack(chain.uuid, 6)]
    assert centre.hear("room-203", chain.batch(3, 7)) == [Ack(chain.uuid, 10)]
    assert [row.seq for row in centre.rows(tables.event)] == list(range(1, 11))
    assert centre.incidents() == []


def test_a_gap_stores_nothing_and_says_again_what_is_held(centre: Centre) -> None:
    """A batch that begins too late is not stored; the box hears where to go on."""
    chain = started(Chain(), 9)
    centre.know(chain)
    centre.hear("room-203", chain.batch(0, 3))
    assert centre.hear("room-203", chain.batch(5, 2)) == [Ack(chain.uuid, 3)]
    assert len(centre.rows(tables.event)) == 3


def test_many_messages_share_one_acknowledgement(centre: Centre) -> None:
    """Acknowledgements are cumulative: of one transaction only the last is sent."""
    chain = started(Chain(), 9)
    centre.know(chain)
    said = centre.hear("room-203", chain.batch(0, 3), chain.batch(3, 3), chain.batch(6, 4))
    assert said == [Ack(chain.uuid, 10)]
    said = centre.hear("room-203", hello_of(chain, "x"), chain.batch(6, 4))
    assert said == [Ack(chain.uuid, 10, "x"), Ack(chain.uuid, 10)]


def test_a_fork_is_kept_apart_and_not_acknowledged(centre: Centre) -> None:
    """Two different events in one place: the first stays, the second is an incident."""
    chain = started(Chain(), 2)
    twin = chain.copy()
    chain.append(ServiceStarted("recorder", "1"))
    twin.append(ServiceStarted("kiosk", "1"))
    centre.know(chain)
    centre.hear("room-203", chain.batch())
    for sent in (twin.batch(), twin.batch(3)):
        (said,) = centre.hear("room-203", sent)
        assert isinstance(said, Refused)
        assert said.cause == "fork"
    later = started(twin, 1)
    (said,) = centre.hear("room-203", later.batch(4))
    assert isinstance(said, Refused)
    assert centre.incidents() == ["fork", "fork"]
    assert [row.hash for row in centre.rows(tables.event)] == [
        record.event.hash for record in chain.records
    ]


@pytest.mark.parametrize("what", ["body", "header", "link", "signature"])
def test_a_changed_event_is_refused(centre: Centre, what: str) -> None:
    """A body, header, link or signature that does not hold is found before it is stored."""
    chain = started(Chain(), 3)
    centre.know(chain)
    records = list(chain.records)
    event = records[3].event
    if what == "body":
        records[3] = replace(records[3], body=b'{"service":"forged"}')
    elif what == "header":
        records[3] = replace(records[3], event=replace(event, kind="scan.made"))
    elif what == "link":
        records[3] = replace(records[3], event=replace(event, prev_hash=bytes(32)))
    else:
        records[3] = replace(records[3], event=replace(event, signature=bytes(64)))
    (said,) = centre.hear("room-203", batch_of(chain.uuid, records))
    assert isinstance(said, Refused)
    assert said.cause == "forged"
    assert centre.rows(tables.event) == []
    assert centre.hear("room-203", chain.batch()) == [Ack(chain.uuid, 4)]


def test_a_forged_batch_hurts_none_that_came_with_it(centre: Centre) -> None:
    """Of batches that came together those before the forged one are stored, and it is set aside."""
    chain = started(Chain(), 11)
    centre.know(chain)
    forged = list(chain.records[4:8])
    forged[2] = replace(forged[2], body=b'{"service":"forged"}')
    said = centre.hear(
        "room-203", chain.batch(0, 4), batch_of(chain.uuid, forged), chain.batch(8, 4)
    )
    assert [type(one) for one in said] == [Ack, Refused, Ack]
    assert said[0] == said[2] == Ack(chain.uuid, 4)
    assert [row.seq for row in centre.rows(tables.event)] == [1, 2, 3, 4]
    assert centre.incidents() == ["forged"]
    assert centre.hear("room-203", chain.batch(4)) == [Ack(chain.uuid, 12)]


def test_batches_of_several_boxes_may_come_mixed(centre: Centre) -> None:
    """What two boxes say in turn is stored for each in its order, and answered to each once."""
    one, other = started(Chain(), 5), started(Chain("room-204", "ledger-2"), 5)
    centre.know(one)
    centre.know(other)
    arrived = [
        (topic(chain.box, EVENTS), wire.encode(chain.batch(after, 2)))
        for after in (0, 2, 4)
        for chain in (one, other)
    ]
    said = centre.events.take(arrived)
    assert [out.message for out in said] == [Ack(one.uuid, 6), Ack(other.uuid, 6)]
    assert len(centre.rows(tables.event)) == 12


def test_an_event_id_counts_once_in_all_ledgers(centre: Centre) -> None:
    """The same id in another ledger is an incident, not a second fact."""
    one, other = Chain(), Chain(box="room-204", name="ledger-2")
    one.append(ServiceStarted("link", "1"), event_id="same")
    other.append(ServiceStarted("link", "1"), event_id="same")
    centre.know(one)
    centre.know(other)
    centre.hear("room-203", one.batch())
    (said,) = centre.hear("room-204", other.batch())
    assert isinstance(said, Refused)
    assert centre.incidents() == ["duplicate_id"]


def test_another_key_under_a_known_name_is_refused(centre: Centre) -> None:
    """The key of a box is trusted at first sight and pinned; a second one is an incident."""
    centre.know(Chain())
    impostor = Chain(name="ledger-9")
    (said,) = centre.hear("room-203", hello_of(impostor))
    assert isinstance(said, Refused)
    assert said.cause == "other_key"
    assert centre.hear("room-203", impostor.batch()) == []
    assert centre.incidents() == ["other_key"]


def test_a_ledger_under_another_name_is_refused(centre: Centre) -> None:
    """A disk that was copied into another box does not write into the first one's ledger."""
    chain = Chain()
    centre.know(chain)
    (said,) = centre.hear("room-999", hello_of(chain))
    assert isinstance(said, Refused)
    assert said.cause == "other_box"
    assert centre.hear("room-999", chain.batch()) == []


def test_messages_that_make_no_sense_are_counted_and_hurt_nobody(centre: Centre) -> None:
    """Poison beside good messages: the good ones arrive, the bad are one counted incident."""
    chain = started(Chain(), 1)
    poison = [
        (topic("room-203", EVENTS), b"\xff\xfe nonsense"),
        (topic("room-203", EVENTS), b'{"v":1,"type":"live_view"}'),
        (topic("room-203", EVENTS), b"x" * 600_000),
        (topic("room-203", HELLO), wire.encode(Chunk("0" * 64, 9, 0, b"x"))),
        ("classbox/1/bad box/up/events", b"{}"),
        ("weather/today", b"sunny"),
    ]
    good = [
        (topic("room-203", HELLO), wire.encode(hello_of(chain))),
        (topic("room-203", EVENTS), wire.encode(chain.batch())),
    ]
    said = centre.events.take([*poison[:3], good[0], *poison[3:], good[1]])
    acks = [out.message for out in said if isinstance(out.message, Ack)]
    assert [(ack.seq, ack.answer) for ack in acks] == [(0, "1"), (2, "")]
    assert len(said) == 2
    (incident,) = centre.rows(tables.incident)
    assert (incident.cause, incident.times) == ("bad_message", 4)


def test_a_body_that_makes_no_sense_is_stored_and_reported(centre: Centre) -> None:
    """The fact is kept whatever it says; only its projection is missing, as an incident."""
    chain = Chain()
    centre.know(chain)
    record = chain.append(ServiceStarted("link", "1"))
    for kind, content in (
        ("scan.made", {"person_id": 7, "at": "now", "way": "face", "photo": ""}),
        ("lesson.opened", {"lesson_id": "x"}),
        ("hologram.seen", {"depth": 3}),
    ):
        chain.append_raw(kind, canonical(content))
    assert centre.hear("room-203", chain.batch()) == [Ack(chain.uuid, 5)]
    assert record.event.seq == 2
    assert centre.incidents() == ["unreadable", "unreadable"]
    assert centre.rows(tables.scan) == []


def test_what_the_box_said_of_itself_is_kept(centre: Centre) -> None:
    """Last seen, head, waiting media, clock and its difference are there for the console."""
    chain = started(Chain(), 3)
    centre.clock.at = 50_000_000
    said = hello_of(chain, at=52_000_000, clock="unsynchronised", media_waiting=7)
    centre.hear("room-203", said)
    (box,) = centre.rows(tables.box)
    assert (box.id, box.head, box.media_waiting) == ("room-203", 4, 7)
    assert (box.last_seen, box.clock_ahead, box.clock) == (50_000_000, 2_000_000, "unsynchronised")
    centre.clock.at = 60_000_000
    centre.hear("room-203", chain.batch())
    (box,) = centre.rows(tables.box)
    assert box.last_seen == 60_000_000


def test_rebuilt_projections_equal_the_live_ones(centre: Centre) -> None:
    """Emptying the projections and deriving them again from the events changes nothing."""
    chain = Chain()
    centre.know(chain)
    beside_the_lesson(centre, chain, busy_day(centre, chain))

    def projected() -> dict[str, list[tuple[object, ...]]]:
        return {
            table.name: sorted((tuple(row) for row in centre.rows(table)), key=repr)
            for table in tables.PROJECTIONS
        }

    live = projected()
    assert all(live.values()), "the day should fill every projection"
    with centre.store.writing() as connection:
        connection.execute(delete(tables.scan))
        projections.rebuild(connection)
    assert projected() == live


def test_a_transaction_that_fails_leaves_nothing_behind(centre: Centre) -> None:
    """When the block raises, rows, cursor and projections are as they were."""
    chain = started(Chain(), 1)
    centre.know(chain)
    with pytest.raises(RuntimeError), centre.store.writing() as connection:
        connection.execute(delete(tables.box))
        raise RuntimeError
    with centre.store.reading() as connection:
        assert connection.execute(select(tables.box.c.id)).scalar() == "room-203"
