"""A real link on a machine whose wall clock is wrong, a real ingest, a real broker between them.

The link's process sees another wall time by libfaketime (Debian's package ``faketime``); the
monotonic clock is left as it is, as it is on a box.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from edge import events, times
from edge.clock import RELEASED, BoxClock, SystemClock
from edge.clock_events import ClockCorrected, ClockStepped
from edge.events import Body, ServiceStarted
from edge.ledger import Ledger
from edge.model import SECOND, ClockQuality
from sync.central import tables
from sync.central.config import load
from sync.central.store import CentralStore
from tests.brokers import Broker
from tests.processes import CLASSBOX, Child, in_another_time, set_wall, wait_for

BOX = "room-203"
WITHIN = 60.0


class Stage:
    """One box whose link lives in another time, and a centre that knows what time it is."""

    def __init__(self, folder: Path, broker: Broker) -> None:
        self.folder = folder
        self._wall = folder / "wall"
        link = f'[link]\nhost = "127.0.0.1"\nport = {broker.port}\nsecurity = "none"\n'
        (folder / "box.toml").write_text(
            f'[box]\nid = "{BOX}"\nroom = "203"\ndata_dir = "box"\nruntime_dir = "run"\n'
            f'clock = "untrusted"\n{link}',
            "utf-8",
        )
        (folder / "centre.toml").write_text(
            f'[centre]\ndata_dir = "centre"\nclock = "trusted"\n[broker]{link[6:]}', "utf-8"
        )
        self.link = Child(
            "link",
            [CLASSBOX, "--config", folder / "box.toml", "link"],
            folder / "link.log",
            in_another_time(self._wall, "@1970-01-01 00:00:10"),
        )
        self.ingest = Child(
            "ingest",
            [CLASSBOX, "--config", folder / "centre.toml", "centre", "ingest"],
            folder / "ingest.log",
        )

    def set_wall(self, to: str) -> None:
        """Set the wall clock of the box's machine, in the words of libfaketime."""
        set_wall(self._wall, to)

    def open(self) -> tuple[BoxClock, Ledger]:
        """Open the box's ledger as another of its services, by the same time."""
        clock = BoxClock.of(self.folder / "run", "untrusted")
        return clock, Ledger.open(self.folder / "box", BOX, clock)

    def said(self, ledger: Ledger, kind: type[Body]) -> list[Body]:
        """Return the bodies of the events of *kind*."""
        return [
            events.decode(record.event.kind, record.body)
            for record in ledger.records()
            if record.event.kind == kind.kind and record.body is not None
        ]

    def told(self) -> dict[str, object]:
        """Return what the link shows of itself."""
        try:
            return dict(json.loads((self.folder / "run" / "link.json").read_bytes()))
        except FileNotFoundError:
            return {}


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    with Broker() as broker:
        made = Stage(tmp_path, broker)
        yield made
        made.link.stop()
        made.ingest.stop()


def test_a_box_that_wakes_in_1970_learns_the_time_from_its_centre(stage: Stage) -> None:
    """Before the hello it is no later than its floor; after it, right to a second, and it says so.

    Then the machine's clock jumps a day back and to 2099, and box time does not.
    """
    stage.link.start()
    wait_for("the link is ready", lambda: stage.link.said("ready"), WITHIN)
    clock, ledger = stage.open()
    before = ledger.append(ServiceStarted("kiosk", "1"))
    true_before = SystemClock().now().at
    assert 0 <= before.reading.at - RELEASED < 600 * SECOND
    assert before.reading.clock is ClockQuality.UNSYNCHRONISED
    stage.ingest.start()
    wait_for("the truth arrives", lambda: stage.said(ledger, ClockCorrected), WITHIN)
    now, true = clock.now(), SystemClock().now()
    assert abs(now.at - true.at) < SECOND
    assert now.clock is ClockQuality.SYNCHRONISED
    with ledger.store.read() as connection:
        moment = times.moment(connection, before.seq)
    assert abs(moment.at - true_before) < SECOND
    assert moment.known
    head = ledger.head()[0]
    wait_for("everything is at the centre", lambda: stage.told().get("acked") == head, WITHIN)
    store = CentralStore(load(stage.folder / "centre.toml").database)
    with store.reading() as centre, ledger.store.read() as box:
        held = centre.execute(
            select(tables.clock_truth.c.mono, tables.clock_truth.c.clock_offset)
        ).all()
        stated = box.execute("SELECT mono, clock_offset FROM clock_truth").fetchall()
    store.close()
    assert [tuple(row) for row in held] == [tuple(row) for row in stated]

    for number, to in enumerate(("-1d", "@2099-01-01 00:00:00"), 1):
        stage.set_wall(to)
        wait_for(
            "the jump is noticed",
            lambda number=number: len(machine_steps(stage, ledger)) == number,  # type: ignore[misc]
            WITHIN,
        )
        assert abs(clock.now().at - SystemClock().now().at) < SECOND
    later = ledger.append(ServiceStarted("kiosk", "1"))
    assert abs(later.reading.at - SystemClock().now().at) < SECOND
    assert len(stage.said(ledger, ClockCorrected)) == 1
    assert ledger.verify().intact
    ledger.close()


def machine_steps(stage: Stage, ledger: Ledger) -> list[ClockStepped]:
    """Return the jumps of the machine's clock that were stated."""
    steps = stage.said(ledger, ClockStepped)
    return [one for one in steps if isinstance(one, ClockStepped) and one.clock == "machine"]
