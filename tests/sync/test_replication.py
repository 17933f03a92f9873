"""The box's delivery and the centre's ingest, joined by a wire that does its worst."""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from edge.events import ServiceStarted
from sync import delivery, wire
from sync.central.ingest_core import Gap, Known, Place, Redelivery, Store, judge
from sync.delivery import Delivery, Greet, Input, Send, State
from sync.messages import Ack, Batch, Hello, Message, Record
from sync.pace import Pace
from tests.chains import Chain


@dataclass
class Centre:
    """The centre's store: what is committed survives a crash, a backup may be restored."""

    known: Known
    rows: dict[int, Record] = field(default_factory=dict)
    stored: list[str] = field(default_factory=list)
    backup: tuple[Known, dict[int, Record]] | None = None
    most: int = 0

    def take(self, message: Message) -> Ack | None:
        """Do what ingest does, in memory."""
        if isinstance(message, Hello):
            return Ack(self.known.ledger, self.known.last, message.id)
        assert isinstance(message, Batch)
        held = {seq: record.event.hash for seq, record in self.rows.items()}
        ids = {record.event.id: Place(self.known.ledger, seq) for seq, record in self.rows.items()}
        verdict = judge(self.known, message, held, ids)
        if isinstance(verdict, Store):
            for record in verdict.records:
                assert record.event.seq not in self.rows, "an event was stored twice"
                self.rows[record.event.seq] = record
            self.known = Known(
                self.known.ledger, self.known.public_key, verdict.last, verdict.last_hash
            )
        else:
            assert isinstance(verdict, Gap | Redelivery), verdict
        self.most = max(self.most, self.known.last)
        return Ack(self.known.ledger, self.known.last)

    def announce(self) -> Ack:
        """Return what an ingester that starts tells the box."""
        return Ack(self.known.ledger, self.known.last)


class Replication(RuleBasedStateMachine):
    """A box writes and sends; the wire drops, doubles and shuffles; everybody crashes."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.chain = Chain()
        self.centre = Centre(Known.born(self.chain.uuid, self.chain.public_key))
        self.delivery = delivery.grown(Delivery(), self.chain.head)
        self.persisted = 0
        self.up: list[bytes] = []
        self.down: list[bytes] = []

    @rule(count=st.integers(1, 5))
    def write(self, count: int) -> None:
        for _ in range(count):
            self.chain.append(ServiceStarted("link", "1"))
        self.delivery = delivery.grown(self.delivery, self.chain.head)

    @rule(most=st.integers(1, 6), size=st.integers(1, 4))
    def send(self, most: int, size: int) -> None:
        for _ in range(most):
            what = delivery.step(self.delivery, self.now)
            if isinstance(what, Greet):
                self.up.append(wire.encode(self.hello(what.number)))
                self.delivery = delivery.greeted(self.delivery, what.number, self.now)
            elif isinstance(what, Send):
                records = self.chain.records[what.after : what.after + size]
                payload, count = wire.encode_batch(self.chain.uuid, what.after, records)
                self.up.append(payload)
                self.delivery = delivery.sent(self.delivery, what.after + count, self.now)
            else:
                return

    def hello(self, number: int) -> Hello:
        return Hello(
            id=str(number),
            ledger=self.chain.uuid,
            head=self.chain.head,
            head_hash=self.chain.records[-1].event.hash,
            acked=self.delivery.acked,
            public_key=self.chain.public_key,
            sealing_key=bytes(32),
            at=0,
            clock="synchronised",
            software="test",
            media_waiting=0,
        )

    @precondition(lambda self: self.up)
    @rule(place=st.integers(0, 50), keep=st.booleans(), acknowledge=st.booleans())
    def arrive(self, place: int, keep: bool, acknowledge: bool) -> None:
        """Any message arrives, perhaps again later; the centre may die before it answers."""
        place %= len(self.up)
        message = wire.decode(self.up[place])
        if not keep:
            del self.up[place]
        answer = self.centre.take(message)
        if acknowledge and answer is not None:
            self.down.append(wire.encode(answer))

    @precondition(lambda self: self.up)
    @rule(place=st.integers(0, 50))
    def drop_upward(self, place: int) -> None:
        del self.up[place % len(self.up)]

    @precondition(lambda self: self.down)
    @rule(place=st.integers(0, 50), keep=st.booleans())
    def hear(self, place: int, keep: bool) -> None:
        place %= len(self.down)
        ack = wire.decode(self.down[place])
        if not keep:
            del self.down[place]
        assert isinstance(ack, Ack)
        if ack.answer:
            self.delivery = delivery.answered(self.delivery, int(ack.answer), ack.seq, self.now)
        else:
            self.delivery = delivery.acknowledged(self.delivery, ack.seq, self.now)

    @precondition(lambda self: self.down)
    @rule(place=st.integers(0, 50))
    def drop_downward(self, place: int) -> None:
        del self.down[place % len(self.down)]

    @rule(seconds=st.floats(0.01, 20))
    def wait(self, seconds: float) -> None:
        self.now += seconds
        self.delivery = delivery.ticked(self.delivery, self.now)

    @rule(
        what=st.sampled_from(
            (
                "new connection",
                "connection lost",
                "broker forgets",
                "cursor persisted",
                "box crashes",
                "ingester starts",
                "backup",
                "restore",
            )
        )
    )
    def disturb(self, what: str) -> None:
        if what == "new connection":
            self.delivery = delivery.connected(self.delivery, self.now)
        elif what == "connection lost":
            self.delivery = delivery.lost(self.delivery)
        elif what == "broker forgets":
            self.delivery = delivery.lost(self.delivery)
            self.up.clear()
            self.down.clear()
        elif what == "cursor persisted":
            self.persisted = self.delivery.acked
        elif what == "box crashes":
            self.delivery = delivery.grown(Delivery(acked=self.persisted), self.chain.head)
        elif what == "ingester starts":
            self.down.append(wire.encode(self.centre.announce()))
        elif what == "backup":
            self.centre.backup = (self.centre.known, dict(self.centre.rows))
        elif self.centre.backup is not None:
            known, rows = self.centre.backup
            self.centre.known, self.centre.rows = known, dict(rows)

    @initialize()
    def begin_well(self) -> None:
        self.all_is_well()

    @rule()
    def all_is_well(self) -> None:
        """For a moment the wire is good: what is under way arrives and is answered in order."""
        if self.delivery.state is State.OFFLINE:
            self.delivery = delivery.connected(self.delivery, self.now)
        self.send(3, 2)
        for payload in self.up:
            answer = self.centre.take(wire.decode(payload))
            assert answer is not None
            self.down.append(wire.encode(answer))
        self.up.clear()
        while self.down:
            self.hear(0, keep=False)

    @invariant()
    def held_is_a_prefix(self) -> None:
        assert sorted(self.centre.rows) == list(range(1, self.centre.known.last + 1))
        for seq, record in self.centre.rows.items():
            assert record == self.chain.records[seq - 1]

    @invariant()
    def acked_was_committed(self) -> None:
        assert max(self.delivery.acked, self.persisted) <= self.centre.most

    @invariant()
    def window_is_bounded(self) -> None:
        assert len(self.delivery.window) <= self.delivery.pace.window

    def teardown(self) -> None:
        """Whatever happened, once the wire is good everything arrives."""
        self.up.clear()
        self.down.clear()
        for _ in range(200):
            self.all_is_well()
            if self.delivery.acked == self.chain.head == self.centre.known.last:
                break
            self.wait(1.0)
        assert self.centre.known.last == self.chain.head
        assert self.delivery.acked == self.chain.head


Replication.TestCase.settings = settings(
    max_examples=120, stateful_step_count=40, deadline=None, derandomize=True
)


TestReplication = Replication.TestCase


def streaming(head: int = 10, acked: int = 0) -> Delivery:
    """Return a delivery whose hello was answered at time 0."""
    start = delivery.connected(delivery.grown(Delivery(acked=acked), head), 0.0)
    start = delivery.greeted(start, 1, 0.0)
    return delivery.answered(start, 1, acked, 0.0)


def test_nothing_is_sent_before_the_centre_said_how_far_it_is() -> None:
    """After connecting the first step is a hello, and then patience until its answer."""
    start = delivery.connected(delivery.grown(Delivery(), 10), 5.0)
    assert delivery.step(start, 5.0) == Greet(1)
    asked = delivery.greeted(start, 1, 5.0)
    assert isinstance(delivery.step(asked, 5.0), delivery.Wait)
    assert delivery.step(delivery.answered(asked, 1, 4, 5.1), 5.1) == Send(4)


def test_a_repeated_acknowledgement_rewinds_once() -> None:
    """The centre repeats itself for each message behind a gap; the box rewinds for the first."""
    moving = streaming()
    for upto in (2, 4, 6):
        moving = delivery.sent(moving, upto, 0.1)
    rewound = delivery.acknowledged(moving, 0, 0.2)
    assert delivery.step(rewound, 0.2) == Send(0)
    again = delivery.sent(rewound, 2, 0.2)
    assert delivery.acknowledged(again, 0, 0.3) == again


def test_silence_makes_the_box_ask_again() -> None:
    """After the patience of the pace, what is unacknowledged is given up and a hello is due."""
    waiting = delivery.sent(streaming(), 3, 1.0)
    assert delivery.ticked(waiting, 3.9) == waiting
    asking = delivery.ticked(waiting, 4.0)
    assert asking.state is State.ASKING
    assert delivery.step(asking, 4.0) == Greet(2)


def test_an_idle_box_notices_that_the_centre_is_gone() -> None:
    """With nothing to send, a heartbeat that nobody answers makes the box ask again and again."""
    idle = streaming(head=0)
    assert delivery.ticked(idle, 9.9) == idle
    assert delivery.step(idle, 10.0) == Greet(2)
    beaten = delivery.greeted(idle, 2, 10.0)
    assert delivery.ticked(beaten, 13.0).state is State.ASKING
    assert delivery.ticked(delivery.answered(beaten, 2, 0, 10.1), 19.0).state is State.STREAMING


def test_only_the_answer_to_the_last_hello_sets_the_cursor_back() -> None:
    """A late acknowledgement of long ago is not mistaken for a restored centre."""
    moving = streaming(head=10, acked=8)
    late = delivery.acknowledged(moving, 3, 1.0)
    assert (late.acked, late.state) == (8, State.ASKING)
    asked = delivery.greeted(late, 2, 1.0)
    assert delivery.answered(asked, 1, 3, 1.1).acked == 8
    assert delivery.answered(asked, 2, 3, 1.1).acked == 3


def test_a_refused_ledger_is_asked_about_again_later() -> None:
    """A refusal stops the stream and is tried again after a minute, not at once."""
    no = delivery.refused(streaming(), 1.0)
    assert delivery.ticked(no, 60.0) == no
    assert delivery.ticked(no, 61.0).state is State.ASKING


@pytest.mark.parametrize("state", list(State))
def test_inputs_that_do_not_belong_change_nothing(state: State) -> None:
    """Every input outside a state's row of the table leaves the delivery as it was."""
    here = replace(streaming(), state=state)
    row = delivery.NEXT[state]
    if Input.LOST not in row:
        assert delivery.lost(here) == here
    if Input.ANSWERED not in row:
        assert delivery.answered(here, 1, 5, 1.0) == here
    if Input.ADVANCED not in row:
        assert delivery.acknowledged(here, 5, 1.0) == here
    if Input.REFUSED not in row:
        assert delivery.refused(here, 1.0) == here


def test_a_long_outage_drains_in_order_within_the_window() -> None:
    """A month's backlog goes up in sequence with never more than the window under way."""
    pace = Pace(window=4)
    moving = streaming(head=1000)
    moving = replace(moving, pace=pace)
    now, expected = 0.0, 0
    lucky = random.Random(7)
    while moving.acked < 1000:
        what = delivery.step(moving, now)
        if isinstance(what, Send):
            assert what.after == moving.sent
            moving = delivery.sent(moving, min(1000, what.after + lucky.randint(1, 50)), now)
            assert len(moving.window) <= 4
            continue
        assert moving.window
        moving = delivery.acknowledged(moving, moving.window[0], now)
        assert moving.acked > expected
        expected = moving.acked
        now += 0.01
