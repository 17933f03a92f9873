"""Disks set back or copied, a centre set back, and a wire that does its worst: who holds what then.

Nothing that survived is lost, nothing is overwritten or doubled, and people are told. These are
the pure cores of box and centre with the centre's real store behind them, in memory.
"""

from __future__ import annotations

import contextlib
import itertools
import sqlite3
import tempfile
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any, cast

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from sqlalchemy import select

from edge.clock import SimulatedClock
from edge.events import LedgerBranched, ServiceStarted
from edge.keys import Signer
from edge.lineage import Lineage
from edge.model import DAY
from sync import delivery, replica, wire
from sync.central import tables
from sync.central.intake import EventIntake
from sync.central.media import MediaFolder
from sync.central.receipts import Receipts
from sync.central.store import CentralStore
from sync.delivery import Compare, Delivery, Greet, Part, Send, State
from sync.messages import (
    EVENTS,
    HELLO,
    SPEAKS,
    Ack,
    Ancestor,
    BadMessage,
    Compared,
    Hello,
    Message,
    Point,
    Refused,
    topic,
)
from sync.messages import Compare as Question
from tests.chains import Chain

BOX = "room-203"
_numbers = itertools.count()


@dataclass
class Disk:
    """A box's disk: its chain, the names that it goes by, and what the link on it knows."""

    chain: Chain
    branches: list[tuple[str, int, int]] = field(default_factory=list)  # name, base, seq
    here: Delivery = field(default_factory=Delivery)
    persisted: int = 0
    token: str = ""
    compares: bool = False

    def copy(self) -> Disk:
        """Return the disk as it stands, with nobody running on it."""
        return Disk(self.chain.copy(), list(self.branches), persisted=self.persisted)

    @property
    def lineage(self) -> Lineage:
        return Lineage.of(self.chain.uuid, [(name, base) for name, base, _ in self.branches])

    def write(self) -> None:
        number = next(_numbers)
        self.chain.append(ServiceStarted("link", str(number)), event_id=f"event-{number}")
        self.here = delivery.grown(self.here, self.chain.head)

    def crash(self) -> None:
        """Forget what only memory held."""
        self.token = f"t{next(_numbers)}"
        self.here = delivery.grown(Delivery(acked=self.persisted), self.chain.head)
        self.compares = False

    def say(self, now: float, size: int) -> tuple[str, bytes] | None:
        """Do the next step; return channel and payload where it says something."""
        what = delivery.step(self.here, now)
        match what:
            case Greet():
                self.here = delivery.greeted(self.here, what.number, now)
                return HELLO, wire.encode(self.hello(what.number))
            case Send():
                stretch = self.lineage.at(what.after + 1)
                ends = self.lineage.ends(stretch.ledger)
                upto = min(what.after + size, ends or self.chain.head)
                records = self.chain.records[what.after : upto]
                payload, count = wire.encode_batch(stretch.ledger, what.after, records)
                self.here = delivery.sent(self.here, what.after + count, now)
                return EVENTS, payload
            case Compare():
                ledger = replica.known_as(self.here, self.lineage)
                points = tuple(Point(seq, self.hash_at(seq)) for seq in what.seqs)
                self.here = delivery.questioned(self.here, what.number, now)
                question = Question(f"{self.token}.{what.number}", ledger, points)
                return HELLO, wire.encode(question)
            case Part():
                name = f"branch-{next(_numbers)}"
                parent = self.lineage.at(max(what.base, 1)).ledger
                cause = "restored" if what.base == self.chain.head else "forked"
                body = LedgerBranched(name, parent, what.base, "", cause)
                self.chain.append(body, event_id=name)
                self.branches.append((name, what.base, self.chain.head))
                self.here = delivery.grown(self.here, self.chain.head)
                self.here = delivery.branched(self.here, now)
                return "", b""
        return None

    def hear(self, message: Message, now: float) -> None:
        assert isinstance(message, Ack | Refused | Compared)
        if isinstance(message, Ack) and replica.own(message.answer, self.token) is not None:
            self.compares = "compare" in message.speaks
        with contextlib.suppress(BadMessage):  # what the centre says to the other disk
            self.here = replica.hear(
                self.here, message, self.lineage, self.token, self.compares, now
            )

    def hash_at(self, seq: int) -> bytes:
        return self.chain.records[seq - 1].event.hash

    def hello(self, number: int) -> Hello:
        hello = Hello(
            id=f"{self.token}.{number}",
            ledger=self.lineage.ledger,
            head=self.chain.head,
            head_hash=self.hash_at(self.chain.head),
            acked=self.here.acked,
            public_key=self.chain.public_key,
            sealing_key=bytes(32),
            at=0,
            clock="synchronised",
            software="test",
            media_waiting=0,
            lineage=tuple(Ancestor(*older) for older in self.lineage.ancestors()),
            speaks=SPEAKS,
        )
        return replace(hello, signature=self.chain.sign(wire.signed_part(hello)))


class Centre:
    """The centre's real intake over a store in memory that can be set back."""

    def __init__(self, folder: Path) -> None:
        signer, clock = Signer(folder / "centre.key"), SimulatedClock(1)
        self.store = CentralStore("sqlite://")
        receipts = Receipts(MediaFolder(folder / "media"), clock, signer, 60 * DAY)
        self.intake = EventIntake(self.store, clock, signer, receipts)
        self.empty = self.save()

    def save(self) -> bytes:
        return self._connection().serialize()

    def set_back(self, saved: bytes) -> None:
        self._connection().deserialize(saved)

    def rows(self, table: Any) -> list[Any]:
        with self.store.reading() as connection:
            return list(connection.execute(select(table)).all())

    def _connection(self) -> sqlite3.Connection:
        return cast("sqlite3.Connection", self.store.engine.raw_connection().driver_connection)


@cache
def the_centre() -> Centre:
    """Return the one centre of this module; each example begins by setting it back to nothing."""
    return Centre(Path(tempfile.mkdtemp(prefix="classbox-test-")))


class Disasters(RuleBasedStateMachine):
    """Two disks at most write under one box's name; either side may be set back at any time."""

    def __init__(self) -> None:
        super().__init__()
        self.centre = the_centre()
        self.now = 0.0
        self.centre.set_back(self.centre.empty)
        self.disks = [Disk(Chain())]
        self.disks[0].crash()
        self.up: list[tuple[str, bytes]] = []
        self.down: list[bytes] = []
        self.old_disk: Disk | None = None
        self.old_centre: bytes | None = None
        self.written: set[bytes] = set()

    @initialize()
    def begin(self) -> None:
        self.all_is_well(0)

    def disk(self, number: int) -> Disk:
        return self.disks[number % len(self.disks)]

    @rule(number=st.integers(0, 1), count=st.integers(1, 5))
    def write(self, number: int, count: int) -> None:
        for _ in range(count):
            self.disk(number).write()

    @rule(number=st.integers(0, 1), most=st.integers(1, 6), size=st.integers(1, 4))
    def speak(self, number: int, most: int, size: int) -> None:
        disk = self.disk(number)
        for _ in range(most):
            said = disk.say(self.now, size)
            if said is None:
                return
            channel, payload = said
            if channel:
                self.up.append((topic(BOX, channel), payload))

    @precondition(lambda self: self.up)
    @rule(place=st.integers(0, 50), keep=st.booleans(), answer=st.booleans())
    def arrive(self, place: int, keep: bool, answer: bool) -> None:
        """Any message arrives, perhaps again later; the centre may die before it answers."""
        place %= len(self.up)
        message = self.up[place] if keep else self.up.pop(place)
        said = self.centre.intake.take([message])
        if answer:
            self.down += [out.payload() for out in said]

    @precondition(lambda self: self.down)
    @rule(place=st.integers(0, 50), keep=st.booleans(), number=st.integers(0, 1))
    def hear(self, place: int, keep: bool, number: int) -> None:
        """One of the disks hears what the centre said to either."""
        place %= len(self.down)
        payload = self.down[place] if keep else self.down.pop(place)
        self.disk(number).hear(wire.decode(payload), self.now)

    @rule(seconds=st.floats(0.1, 20))
    def wait(self, seconds: float) -> None:
        self.now += seconds
        for disk in self.disks:
            disk.here = delivery.ticked(disk.here, self.now)

    @rule(number=st.integers(0, 1), what=st.sampled_from(("connect", "lose", "persist", "crash")))
    def disturb(self, number: int, what: str) -> None:
        disk = self.disk(number)
        if what == "connect":
            disk.here = delivery.connected(disk.here, self.now)
        elif what == "lose":
            disk.here = delivery.lost(disk.here)
        elif what == "persist":
            disk.persisted = disk.here.acked
        else:
            disk.crash()

    @rule()
    def the_broker_forgets(self) -> None:
        self.up.clear()
        self.down.clear()
        for disk in self.disks:
            disk.here = delivery.lost(disk.here)

    @rule(number=st.integers(0, 1))
    def back_up_a_disk(self, number: int) -> None:
        self.old_disk = self.disk(number).copy()

    @precondition(lambda self: self.old_disk is not None)
    @rule(number=st.integers(0, 1))
    def set_a_disk_back(self, number: int) -> None:
        assert self.old_disk is not None
        self._remember()
        self.disks[number % len(self.disks)] = self.old_disk.copy()
        self.disk(number).crash()

    @precondition(lambda self: len(self.disks) == 1)
    @rule()
    def clone_the_card(self) -> None:
        self.disks.append(self.disks[0].copy())
        self.disks[1].crash()

    @precondition(lambda self: len(self.disks) == 2)
    @rule(number=st.integers(0, 1))
    def lose_a_disk(self, number: int) -> None:
        self._remember()
        del self.disks[number]

    @rule()
    def back_up_the_centre(self) -> None:
        self.old_centre = self.centre.save()

    @precondition(lambda self: self.old_centre is not None)
    @rule()
    def set_the_centre_back(self) -> None:
        assert self.old_centre is not None
        self.centre.set_back(self.old_centre)

    @rule(number=st.integers(0, 1))
    def all_is_well(self, number: int) -> None:
        """For a moment one disk alone is heard, in order and without loss."""
        disk = self.disk(number)
        if disk.here.state is State.OFFLINE:
            disk.here = delivery.connected(disk.here, self.now)
        for _ in range(4):
            said = disk.say(self.now, 3)
            if said is None:
                break
            if said[0]:
                for out in self.centre.intake.take([(topic(BOX, said[0]), said[1])]):
                    disk.hear(wire.decode(out.payload()), self.now)

    @invariant()
    def the_window_is_bounded(self) -> None:
        for disk in self.disks:
            assert len(disk.here.window) <= disk.here.pace.window

    def teardown(self) -> None:
        """Once the wire is good, whoever survived brings everything home."""
        self._remember()
        self.up.clear()
        self.down.clear()
        # A disk that comes later may show the earlier one that the centre holds other events.
        for number in [*range(len(self.disks))] * 2:
            self._settle(self.disks[number])
        self._remember()
        self._compare()

    def _settle(self, disk: Disk) -> None:
        disk.here = delivery.connected(delivery.lost(disk.here), self.now)
        for _ in range(400):
            self.all_is_well(self.disks.index(disk))
            here = disk.here
            if here.state is State.STREAMING and here.acked == disk.chain.head:
                break
            self.now += 1.0
            disk.here = delivery.ticked(here, self.now)
        assert disk.here.acked == disk.chain.head, disk.here
        disk.here = delivery.lost(disk.here)

    def _remember(self) -> None:
        for disk in self.disks:
            self.written |= {record.event.hash for record in disk.chain.records}

    def _compare(self) -> None:
        ledgers = {row.uuid: row for row in self.centre.rows(tables.ledger)}
        events = {(row.ledger, row.seq): row for row in self.centre.rows(tables.event)}
        for (ledger, seq), row in events.items():
            assert bytes(row.hash) in self.written, "an event that nobody wrote"
            line = ledgers[ledger]
            assert line.base < seq <= line.last
            if seq > 1:
                before = events[_name(ledgers, ledger, seq - 1), seq - 1]
                assert bytes(before.hash) == bytes(row.prev_hash), "not a chain"
        for uuid, row in ledgers.items():
            held = sorted(seq for ledger, seq in events if ledger == uuid)
            assert held == list(range(row.base + 1, row.last + 1)), "a gap"
        for disk in self.disks:
            for record in disk.chain.records:
                event = record.event
                name = disk.lineage.at(event.seq).ledger
                assert bytes(events[name, event.seq].hash) == event.hash, "lost or overwritten"
        told = {row.cause for row in self.centre.rows(tables.incident)}
        assert told <= {"restored", "forked", "lost", "cloned", "fork", "centre_behind"}, told
        branched = any(row.kind == LedgerBranched.kind for row in events.values())
        assert not branched or told & {"restored", "forked"}, "a branch that nobody was told of"


def _name(ledgers: dict[str, Any], ledger: str, seq: int) -> str:
    """Return the ledger that holds event *seq* on the line of *ledger*."""
    while ledgers[ledger].parent and seq <= ledgers[ledger].base:
        ledger = ledgers[ledger].parent
    return ledger


Disasters.TestCase.settings = settings(
    max_examples=150, stateful_step_count=50, deadline=None, derandomize=True
)


TestDisasters = Disasters.TestCase
