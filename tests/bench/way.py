"""A box with a backlog and a centre, as real processes, for ``bench sync``: to be timed.

Owns the processes and what is read of them: rates, processor time, memory.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import select

from edge.clock import SystemClock
from edge.events import Body, RecordingGap, ScanMade, ServiceStarted, SnapshotMissed
from edge.ledger import Ledger
from edge.media import MediaStore
from sync.central import tables
from sync.central.config import load
from sync.central.store import CentralStore
from tests.bench.figures import CannotMeasure
from tests.bench.usage import own_bytes
from tests.brokers import Broker
from tests.faults.wires import Wire
from tests.processes import CLASSBOX, Child, wait_for

BOX = "room-203"
_TICKS = os.sysconf("SC_CLK_TCK")
_IN_ONE_COMMIT = 1000
_WITHIN_S = 600.0


@dataclass(frozen=True)
class Drained:
    """What a drain took: events a second; of link and ingest CPU µs an event and MB grown."""

    rate: float
    link_cpu: float
    ingest_cpu: float
    link_growth: float
    ingest_growth: float


def a_long_absence(number: int) -> Body:
    """Return event *number* of weeks without a network: mostly people at the door."""
    match number % 10:
        case 7:
            return SnapshotMissed(f"lesson-{number // 100}", 0, number, "classroom", "camera_gone")
        case 8:
            return RecordingGap(
                f"lesson-{number // 100}", "classroom", number, number + 1, "no_packets"
            )
        case 9:
            return ServiceStarted("recorder", "0.1.0")
    return ScanMade(
        person_id=f"person-{number % 50}",
        at=SystemClock().now().at,
        way="face",
        photo="",
        score=6200,
        margin=2100,
        frames=5,
        model="fr_feature",
        model_version="0.0.1",
    )


def write_backlog(folder: Path, events: int) -> None:
    """Make a box's data folder with *events* signed events, as its services would append them."""
    ledger = Ledger.open(folder, BOX, SystemClock("trusted"))
    try:
        for first in range(1, events, _IN_ONE_COMMIT):
            with ledger.writing() as writer:
                for number in range(first, min(first + _IN_ONE_COMMIT, events)):
                    writer.append(a_long_absence(number))
        ledger.store.checkpoint(truncate=True)
    finally:
        ledger.close()


class Way:
    """One box's link, a broker and one ingest; *wire* lies between link and broker."""

    def __init__(
        self,
        folder: Path,
        backlog: Path | None,
        database: str = "",
        wired: bool = False,
        limit_kib: int | None = None,
    ) -> None:
        self.folder = folder
        if backlog is not None:
            shutil.copytree(backlog, folder / "box")
        self._broker = Broker()
        self._broker.start()
        self.wire = Wire(self._broker.port) if wired else None
        self.port = self.wire.port if self.wire else self._broker.port
        box, centre = folder / "box.toml", folder / "centre.toml"
        box.write_text(
            f'[box]\nid = "{BOX}"\nroom = "203"\ndata_dir = "box"\nruntime_dir = "run"\n'
            f'clock = "trusted"\n[link]\nhost = "127.0.0.1"\nport = {self.port}\n'
            'security = "none"\n' + (f"media_rate_kib = {limit_kib}\n" if limit_kib else ""),
            "utf-8",
        )
        where = f'database = "{database}"\n' if database else ""
        centre.write_text(
            f'[centre]\ndata_dir = "centre"\nclock = "trusted"\n{where}'
            f'[broker]\nhost = "127.0.0.1"\nport = {self._broker.port}\nsecurity = "none"\n',
            "utf-8",
        )
        self.config = load(centre)
        self.config.data_dir.mkdir()
        self.store = CentralStore(self.config.database)
        self.ledger = Ledger.open(folder / "box", BOX, SystemClock("trusted"))
        self.media = MediaStore(folder / "box" / "media")
        self.link = Child("link", [CLASSBOX, "--config", box, "link"], folder / "link.log")
        self.ingest = Child(
            "ingest",
            [CLASSBOX, "--config", centre, "centre", "ingest"],
            folder / "ingest.log",
        )

    def start(self) -> None:
        """Start the centre and then the box."""
        for child, up in ((self.ingest, "ingest: connected"), (self.link, "ready")):
            child.log.touch()
            child.start()
            wait_for(f"{child.name} is up", partial(child.said, up))

    def told(self) -> dict[str, Any]:
        """Return what the link shows of itself."""
        try:
            return dict(json.loads((self.folder / "run" / "link.json").read_bytes()))
        except FileNotFoundError:
            return {}

    def acknowledged(self) -> bool:
        """Tell whether the link knows that every event is at the centre."""
        return bool(self.told().get("acked") == self.ledger.head()[0])

    def drain(self) -> Drained:
        """Let the backlog go home; measured from the box's first word to the last answer."""
        self.start()
        both = (self.link, self.ingest)
        cpu = [cpu_seconds(child.pid) for child in both]
        memory = [own_bytes(child.pid) for child in both]
        most = list(memory)

        def home() -> bool:
            for number, child in enumerate(both):
                most[number] = max(most[number], own_bytes(child.pid))
            return self.acknowledged()

        wait_for("the backlog is home", home, _WITHIN_S)
        used = [cpu_seconds(child.pid) - before for child, before in zip(both, cpu, strict=True)]
        grown = [(now - before) / 1e6 for now, before in zip(most, memory, strict=True)]
        with self.store.reading() as connection:
            first = connection.execute(select(tables.box.c.first_seen)).scalar_one()
            held = connection.execute(select(tables.ledger.c.last)).scalar_one()
        events = self.ledger.head()[0]
        if held != events:
            raise CannotMeasure(f"the link says all is home, the centre holds {held} of {events}")
        took = (self.told()["acked_at"] - first) / 1e6
        return Drained(events / took, *(1e6 * one / events for one in used), *grown)

    def close(self) -> None:
        """End everything."""
        for child in (self.link, self.ingest):
            child.stop()
        self.ledger.close()
        self.store.close()
        if self.wire is not None:
            self.wire.close()
        self._broker.__exit__(None, None, None)


@contextmanager
def opened(
    folder: Path,
    backlog: Path | None = None,
    database: str = "",
    wired: bool = False,
    limit_kib: int | None = None,
) -> Iterator[Way]:
    """Lend a way in a fresh folder below *folder*, and clear it away."""
    fresh = folder / "way"
    fresh.mkdir()
    way = Way(fresh, backlog, database, wired, limit_kib)
    try:
        yield way
    finally:
        way.close()
        shutil.rmtree(fresh)


def cpu_seconds(pid: int) -> float:
    """Return user and system time of a process (proc(5), stat)."""
    fields = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS
