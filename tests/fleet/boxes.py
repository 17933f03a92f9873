"""Many light boxes in one process: each a signed chain, the real delivery and a line of its own.

What a box is made of here is the product's: keys, events, hashes and signatures, ``sync.delivery``
deciding what goes next, ``sync.wire`` making the bytes, ``sync.line`` over a real broker. Only its
disk is missing. Every acknowledgement that comes is held at once against what the centre has
committed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from threading import Event

from sqlalchemy import select

from edge.clock import monotonic
from edge.events import ServiceStarted
from edge.lineage import Lineage
from sync import delivery, replica, wire
from sync.central import tables
from sync.central.store import CentralStore
from sync.delivery import Delivery, Greet, Send, State, Wait
from sync.line import Arrived, Connected, Happening, Inbox, Line, Lost
from sync.messages import ACK, EVENTS, HELLO, SPEAKS, Ack, Anchor, topic
from tests.central.centres import hello_of
from tests.chains import Chain
from tests.processes import NotInTime

_LOOK_EVERY_S = 0.1
_TOKEN = "light"  # what the names of these boxes' hellos begin with


class LightBox:
    """One box. Everything but its line's thread happens in the thread that calls it.

    ``acked``: what it was told is committed; ``sent``: how many messages of events it sent.
    """

    def __init__(
        self, name: str, port: int, into: Callable[[Happening], None], at_once: int
    ) -> None:
        """*at_once*: events in one message."""
        self.name = name
        self.chain = Chain(name, f"ledger of {name}")
        self.sent = 0
        self._at_once = at_once
        self._lineage = Lineage.of(self.chain.uuid, ())
        self._delivery = delivery.grown(Delivery(), self.chain.head)
        self._line = Line("127.0.0.1", port, name, [topic(name, ACK)], into)

    @property
    def acked(self) -> int:
        """The last event that the centre said it holds."""
        return self._delivery.acked

    @property
    def reached(self) -> bool:
        """Whether the centre answers, as far as the box knows."""
        return self._delivery.state is State.STREAMING

    def start(self) -> None:
        """Begin to connect."""
        self._line.start()

    def write(self, count: int) -> None:
        """Let *count* events happen."""
        for _ in range(count):
            self.chain.append(ServiceStarted("link", "1"))
        self._delivery = delivery.grown(self._delivery, self.chain.head)

    def hear(self, happening: Happening, now: float) -> int:
        """Deal with what has come; return the seq that it acknowledges, 0 when it does not."""
        match happening:
            case Connected():
                self._delivery = delivery.connected(self._delivery, now)
            case Lost():
                self._delivery = delivery.lost(self._delivery)
            case Arrived():
                happening.done()
                message = wire.decode(happening.payload)
                if isinstance(message, Anchor):
                    return message.seq  # nor may anything be signed that is not committed
                # Nothing is refused here, and nobody forks: whatever else comes is a failure.
                assert isinstance(message, Ack), message
                self._delivery = replica.hear(
                    self._delivery, message, self._lineage, _TOKEN, compares=True, now=now
                )
                return message.seq
        return 0

    def step(self, now: float) -> None:
        """Send what may go now."""
        self._delivery = delivery.ticked(self._delivery, now)
        while not isinstance(what := delivery.step(self._delivery, now), Wait):
            if isinstance(what, Greet):
                hello = hello_of(
                    self.chain, f"{_TOKEN}.{what.number}", acked=self.acked, speaks=SPEAKS
                )
                signature = self.chain.sign(wire.signed_part(hello))
                if not self._line.publish(
                    topic(self.name, HELLO), wire.encode(replace(hello, signature=signature))
                ):
                    return
                self._delivery = delivery.greeted(self._delivery, what.number, now)
            else:
                assert isinstance(what, Send), what
                records = self.chain.records[what.after : what.after + self._at_once]
                payload, count = wire.encode_batch(self.chain.uuid, what.after, records)
                if not self._line.publish(topic(self.name, EVENTS), payload):
                    return
                self.sent += 1
                self._delivery = delivery.sent(self._delivery, what.after + count, now)

    def complete(self) -> bool:
        """Tell whether it knows that everything it wrote is at the centre."""
        return self.acked == self.chain.head

    def close(self) -> None:
        """End its connection."""
        self._line.close()


class Fleet:
    """Boxes around one broker, and the store that their facts must reach."""

    def __init__(self, port: int, store: CentralStore, count: int, at_once: int) -> None:
        self._store = store
        self._inbox: Inbox[tuple[LightBox, Happening]] = Inbox()
        self._pause = Event()
        self.boxes: list[LightBox] = []
        for number in range(count):
            name = f"room-{number:03d}"
            self.boxes.append(LightBox(name, port, partial(self._comes, name=number), at_once))

    def start(self) -> None:
        """Let every box connect."""
        for box in self.boxes:
            box.start()

    def write(self, count: int) -> None:
        """Let *count* events happen on every box."""
        for box in self.boxes:
            box.write(count)

    def run(self, what: str, until: Callable[[], bool], within: float = 60.0) -> None:
        """Let all boxes do their work until *until*; raises NotInTime after *within* seconds.

        Whatever is acknowledged meanwhile must be committed by then.
        """
        ends = monotonic() + within
        while not until():
            if monotonic() > ends:
                lacking = sum(not box.complete() for box in self.boxes)
                raise NotInTime(
                    f"not within {within:.0f} s: {what}; {lacking} boxes lack something"
                )
            said: dict[str, int] = {}
            # Looking now and then, at all that has come, leaves the processor to the ingesters.
            self._pause.wait(_LOOK_EVERY_S)
            for box, happening in self._inbox.take(0, most=10_000):
                seq = box.hear(happening, monotonic())
                said[box.chain.uuid] = max(seq, said.get(box.chain.uuid, 0))
            self._check(said)
            now = monotonic()
            for box in self.boxes:
                box.step(now)

    def _check(self, said: dict[str, int]) -> None:
        if not any(said.values()):
            return
        held = self.held()
        beyond = {uuid: seq for uuid, seq in said.items() if seq > held.get(uuid, 0)}
        assert not beyond, f"acknowledged and not committed: {beyond}"

    def held(self) -> dict[str, int]:
        """Return what the centre has committed: the last seq of each ledger."""
        with self._store.reading() as connection:
            rows = connection.execute(select(tables.ledger.c.uuid, tables.ledger.c.last))
            return {row.uuid: row.last for row in rows}

    def compare(self) -> None:
        """Hold what every box wrote against what the centre stores: all of it, once, unchanged."""
        event, incident = tables.event, tables.incident
        with self._store.reading() as connection:
            rows = connection.execute(
                select(event.c.ledger, event.c.seq, event.c.id, event.c.hash, event.c.signature)
            ).all()
            bodies = Counter(connection.execute(select(tables.body.c.ledger)).scalars())
            incidents = connection.execute(select(incident.c.cause, incident.c.text)).all()
        assert incidents == []
        stored: dict[str, list[tuple[int, str, bytes, bytes]]] = {}
        for row in rows:
            stored.setdefault(row.ledger, []).append((row.seq, row.id, row.hash, row.signature))
        for box in self.boxes:
            written = [
                (one.event.seq, one.event.id, one.event.hash, one.event.signature)
                for one in box.chain.records
            ]
            assert sorted(stored[box.chain.uuid]) == written, f"{box.name}: lost, doubled, changed"
            assert bodies[box.chain.uuid] == box.chain.head

    def close(self) -> None:
        """End every connection."""
        for box in self.boxes:
            box.close()

    def _comes(self, happening: Happening, name: int) -> None:
        self._inbox.put((self.boxes[name], happening))


def complete(boxes: Sequence[LightBox]) -> bool:
    """Tell whether all of *boxes* know that everything is at the centre."""
    return all(box.complete() for box in boxes)


def acknowledged(boxes: Iterable[LightBox]) -> int:
    """Return how many events *boxes* were told are committed."""
    return sum(box.acked for box in boxes)


@contextmanager
def connected_fleet(port: int, store: CentralStore, count: int, at_once: int) -> Iterator[Fleet]:
    """Connect a fleet and let it go afterwards."""
    fleet = Fleet(port, store, count, at_once)
    try:
        fleet.start()
        yield fleet
    finally:
        fleet.close()
