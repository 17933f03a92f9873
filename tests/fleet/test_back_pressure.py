"""More comes than a slow store takes: what waits in memory is bounded, and all of it arrives."""

from __future__ import annotations

import fcntl
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from threading import Event, Semaphore, Thread

import pytest

from sync.central import ingest
from sync.central.config import parse
from sync.central.ingest import Reception
from sync.central.outgoing import Outgoing
from sync.line import Connected, Happening, Line
from sync.messages import EVENTS, KIB, topic
from tests.brokers import Broker
from tests.fleet.boxes import complete, connected_fleet
from tests.fleet.stage import staged
from tests.processes import wait_for

BOXES = 60
EVENTS_EACH = 40
AT_ONCE = 2
# One broker connection's own window: several publishers fill the broker's queue sooner.
PUBLISHERS = 6


class SlowStore:
    """Takes one helping of messages each time that it is let."""

    def __init__(self) -> None:
        self.may = Semaphore(0)
        self.taken = 0

    def take(self, arrived: Sequence[tuple[str, bytes]]) -> list[Outgoing]:
        """Count what was taken, when it may."""
        self.may.acquire()
        self.taken += len(arrived)
        return []

    def has_taken_more_than(self, count: int) -> bool:
        """Tell whether it took a helping since it had taken *count*."""
        return self.taken > count


class Publishers:
    """Clients of the broker that send what no store is waiting for."""

    def __init__(self, port: int) -> None:
        self._lines: list[Line] = []
        for number in range(PUBLISHERS):
            connected = Event()
            line = Line("127.0.0.1", port, f"room-{number}", ["nothing"], _notes(connected))
            line.start()
            assert connected.wait(30)
            self._lines.append(line)

    def send(self, count: int, size: int) -> None:
        """Send *count* messages of *size* bytes, in turn from each."""
        for number in range(count):
            which = number % PUBLISHERS
            assert self._lines[which].publish(topic(f"room-{which}", EVENTS), bytes(size))

    def close(self) -> None:
        """End them."""
        for line in self._lines:
            line.close()


def _notes(connected: Event) -> Callable[[Happening], None]:
    def into(happening: Happening) -> None:
        if isinstance(happening, Connected):
            connected.set()

    return into


@pytest.fixture
def slow(tmp_path: Path) -> Iterator[tuple[Reception, SlowStore, Publishers]]:
    """A reception at a real broker before a slow store, and clients that send to it."""
    with ExitStack() as stack:
        broker = stack.enter_context(Broker())
        toml = f'[broker]\nhost = "127.0.0.1"\nport = {broker.port}\nsecurity = "none"\n'
        store = SlowStore()
        reception = Reception(
            parse(toml, "centre.toml", tmp_path),
            "centre.ingest-1",
            "0123456789abcdef",
            [EVENTS],
            store.take,
            None,
        )
        over = Event()

        def work() -> None:
            while not over.is_set():
                reception.step()

        worker = Thread(target=work)
        reception.line.start()
        wait_for("it is connected", reception.step)
        worker.start()
        publishers = Publishers(broker.port)

        def end() -> None:
            over.set()
            store.may.release(10_000)
            worker.join(30)
            publishers.close()
            reception.line.close()

        stack.callback(end)
        yield reception, store, publishers


@pytest.mark.parametrize(("size", "by_bytes"), [(100, False), (100 * KIB, True)])
def test_what_waits_before_a_slow_store_is_bounded(
    slow: tuple[Reception, SlowStore, Publishers], size: int, by_bytes: bool
) -> None:
    """By count where messages are small, by bytes where they are large, whatever the broker does.

    Mosquitto 2.0.11 sends as many as it may for *each* PUBACK: its flow control bounds nothing.
    """
    reception, store, publishers = slow
    bound = ingest.MOST_WAITING_BYTES // size if by_bytes else ingest.MOST_WAITING
    rounds = 0
    while not reception.dropped:
        rounds += 1
        assert rounds < 50, f"only {reception.waiting()} of {bound} messages ever waited"
        publishers.send(600, size)
        taken = store.taken
        store.may.release()
        wait_for("it takes a helping", partial(store.has_taken_more_than, taken))
        assert reception.waiting() <= bound
        assert reception.waiting_bytes() <= ingest.MOST_WAITING_BYTES
    assert reception.waiting() > bound // 2


def test_everything_arrives_though_the_store_was_stuck(tmp_path: Path) -> None:
    """Boxes send more than waits anywhere while nothing is stored; then all of it is, once."""
    most: list[float] = []
    with (
        staged(tmp_path) as stage,
        connected_fleet(stage.broker.port, stage.store, BOXES, AT_ONCE) as fleet,
    ):
        stage.start()
        (ingester,) = stage.ingesters

        def watched(until: Callable[[], bool]) -> Callable[[], bool]:
            def seen() -> bool:
                most.append(ingester.figures()["classbox_queue_messages"])
                return until()

            return seen

        fleet.run("everybody is known", lambda: complete(fleet.boxes))
        with (stage.config.data_dir / "centre.db.lock").open("ab") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            fleet.write(EVENTS_EACH)
            stuck = watched(lambda: not any(box.complete() or box.reached for box in fleet.boxes))
            fleet.run("everybody notices", stuck)
            assert sum(box.sent for box in fleet.boxes) > ingest.MOST_WAITING
        fleet.run("all is there", watched(lambda: complete(fleet.boxes)))
        fleet.compare()
    assert max(most) <= ingest.MOST_WAITING
