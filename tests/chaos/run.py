"""One run of chaos: boxes, broker and centre under load, killed at random, then compared.

Everything is real but the people at the door: the links, a recorder with its camera, two
ingesters, Mosquitto without persistence. Owns every process it starts; ends bounded in time.
"""

from __future__ import annotations

import json
import random
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from threading import Event
from typing import Any

from sqlalchemy import func, select

from edge.clock import SystemClock
from edge.documents import PROFILES, TIMETABLE, timetable_to_json
from edge.ledger import Ledger
from edge.media import MediaStore
from edge.model import MINUTE
from edge.rulebook import Rulebook, profiles_to_json
from sync.central import tables
from sync.central.books import shipped_profile
from sync.central.config import load
from sync.central.documents import store_document
from sync.central.store import CentralStore
from tests.boxes import two_hours
from tests.brokers import Broker
from tests.faults.wires import Wire
from tests.processes import CLASSBOX, Child, wait_for
from tests.virtual_cameras import VirtualCamera

BOXES = ("room-203", "room-204")
INGESTERS = 2
SETTLE_WITHIN_S = 180.0
# Of a slowed network: about a mobile phone's uplink where there is hardly any.
SLOW_BYTES_A_SECOND = 200_000

Say = Callable[[str], None]


@dataclass
class Outcome:
    """What a run came to. ``lost`` and ``doubled`` are ids and hashes; both should be empty."""

    kills: Counter[str] = field(default_factory=Counter)
    written: int = 0
    witnessed: int = 0
    arrived: int = 0
    files: int = 0
    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    incidents: list[str] = field(default_factory=list)

    @property
    def held(self) -> bool:
        """Whether the promise held."""
        return not (self.lost or self.doubled or self.problems or self.incidents)

    def lines(self) -> Iterator[str]:
        """Yield the outcome in words."""
        kills = ", ".join(f"{name} {count}" for name, count in sorted(self.kills.items()))
        yield f"kills: {self.kills.total()} ({kills})"
        yield f"written: {self.written} events, {self.witnessed} of them witnessed at their commit"
        yield f"arrived: {self.arrived} events, {self.files} files"
        yield f"lost: {len(self.lost)}, doubled: {len(self.doubled)}"
        for name in ("lost", "doubled", "problems", "incidents"):
            for one in getattr(self, name)[:20]:
                yield f"{name}: {one}"


class BoxUnderFire:
    """One box: its link behind a wire of its own, a writer, and perhaps a recorder."""

    def __init__(self, folder: Path, box_id: str, broker_port: int, camera: str, seed: int) -> None:
        self.id = box_id
        self.folder = folder / box_id
        self.folder.mkdir()
        self.wire = Wire(broker_port)
        self.witness = self.folder / "witness"
        toml = self.folder / "box.toml"
        toml.write_text(self._settings(camera), "utf-8")
        with self.ledger() as ledger:  # born before the services quarrel about who bears it
            self.first = ledger.uuid
        classbox = [str(CLASSBOX), "--config", str(toml)]
        writer = [sys.executable, "-m", "tests.chaos.writer", str(toml), str(self.witness)]
        self.link = self._child("link", [*classbox, "link"])
        self.writer = self._child("writer", [*writer, str(seed)])
        self.recorder = self._child("recorder", [*classbox, "recorder"]) if camera else None

    @contextmanager
    def ledger(self) -> Iterator[Ledger]:
        """Open the ledger beside the running services."""
        ledger = Ledger.open(self.folder / "data", self.id, SystemClock())
        try:
            yield ledger
        finally:
            ledger.close()

    def children(self) -> dict[str, Child]:
        """Return the box's processes by name."""
        named = {"link": self.link, "writer": self.writer, "recorder": self.recorder}
        return {name: child for name, child in named.items() if child is not None}

    def told(self) -> dict[str, Any]:
        """Return what the link shows of itself."""
        try:
            return dict(json.loads((self.folder / "run" / "link.json").read_bytes()))
        except FileNotFoundError:
            return {}

    def caught_up(self) -> bool:
        """Tell whether the link knows that everything is at the centre."""
        with self.ledger() as ledger:
            head = ledger.head()[0]
        told = self.told()
        return told.get("acked") == head and told.get("media_waiting") == 0

    def _child(self, name: str, arguments: list[str]) -> Child:
        return Child(f"{self.id} {name}", arguments, self.folder / f"{name}.log")

    def _settings(self, camera: str) -> str:
        settings = (
            f'[box]\nid = "{self.id}"\nroom = "{self.id}"\ndata_dir = "data"\nruntime_dir = "run"\n'
            f'[recording]\nsegment = "00:10"\n'
            f'[link]\nhost = "127.0.0.1"\nport = {self.wire.port}\nsecurity = "none"\n'
        )
        if camera:
            settings += f'[[camera]]\nid = "classroom"\naddress = "{camera}"\n'
        return settings


class Chaos:
    """Everything that is killed, and the lots that say when."""

    def __init__(self, folder: Path, seed: int, camera: str, broker: Broker) -> None:
        self.lots = random.Random(seed)
        self.broker = broker
        toml = folder / "centre.toml"
        toml.write_text(
            '[centre]\ndata_dir = "centre"\n'
            f'[broker]\nhost = "127.0.0.1"\nport = {broker.port}\nsecurity = "none"\n',
            "utf-8",
        )
        self.config = load(toml)
        self.config.data_dir.mkdir()
        self.store = CentralStore(self.config.database)
        self.boxes = [
            BoxUnderFire(folder, box_id, broker.port, camera if number == 0 else "", seed + number)
            for number, box_id in enumerate(BOXES)
        ]
        self.ingesters = [
            Child(
                f"ingest {number}",
                [
                    *(CLASSBOX, "--config", toml, "centre", "ingest"),
                    *("--number", str(number), "--of", str(INGESTERS)),
                ],
                folder / f"ingest-{number}.log",
            )
            for number in range(1, INGESTERS + 1)
        ]
        self._pause = Event()

    def start(self) -> None:
        """Start everything, give the boxes a lesson, and wait until the facts flow."""
        now = SystemClock().now().at
        lesson = two_hours(now - 5 * MINUTE)
        profile = shipped_profile("default")
        for box in self.boxes:
            for kind, content in (
                (PROFILES, profiles_to_json(Rulebook.of([profile]))),
                (TIMETABLE, timetable_to_json((lesson,))),
            ):
                store_document(self.store, box.id, kind, content, now)
        for child in self.all():
            child.start()
        for child in self.all():
            wait_for(f"{child.name} is ready", partial(child.said, "ready"), 60)

    def all(self) -> list[Child]:
        """Return every process but the broker."""
        return self.ingesters + [child for box in self.boxes for child in box.children().values()]

    def strike(self) -> str:
        """Kill or hinder something, and let it come back; return what was hit."""
        targets: dict[str, Callable[[], None]] = {
            "broker": self._kill_broker,
            "ingest": lambda: self._kill(self.lots.choice(self.ingesters)),
            "link": lambda: self._kill(self.lots.choice(self.boxes).link),
            "writer": lambda: self._kill(self.lots.choice(self.boxes).writer),
            "recorder": self._kill_recorder,
        }
        for box in self.boxes:
            self._hinder(box.wire)
        name = self.lots.choices(list(targets), weights=[2, 3, 3, 2, 1])[0]
        targets[name]()
        self._pause.wait(self.lots.uniform(0, 1.0))
        return name

    def settle(self) -> None:
        """Stop the load, let the network be well, and wait until everybody says: all there."""
        for box in self.boxes:
            _well(box.wire)
            for child in (box.writer, box.recorder):
                if child is not None:
                    child.stop()
        for child in [*self.ingesters, *(box.link for box in self.boxes)]:
            if not child.running():
                child.start()
        for box in self.boxes:
            wait_for(f"{box.id} has brought everything home", box.caught_up, SETTLE_WITHIN_S)

    def compare(self, outcome: Outcome) -> None:
        """Hold every box's ledger and its witness against what the centre stores."""
        with self.store.reading() as connection:
            rows = connection.execute(
                select(tables.event.c.id, tables.event.c.hash, tables.ledger.c.box).join(
                    tables.ledger, tables.ledger.c.uuid == tables.event.c.ledger
                )
            ).all()
            stored = {row.sha256 for row in connection.execute(select(tables.media.c.sha256))}
            outcome.incidents = [
                f"{row.box}: {row.cause}: {row.text}"
                for row in connection.execute(select(tables.incident))
            ]
            shown = connection.execute(select(func.count()).select_from(tables.scan)).scalar()
        times = Counter(bytes(row.hash) for row in rows)
        outcome.arrived = len(rows)
        outcome.doubled = [digest.hex() for digest, count in times.items() if count > 1]
        scans = 0
        for box in self.boxes:
            with box.ledger() as ledger:
                report = ledger.verify()
                outcome.problems += [f"{box.id}: {problem}" for problem in report.problems]
                own = {}
                for record in ledger.records():
                    own[record.event.id] = record.event.hash
                    scans += record.event.kind == "scan.made"
                missing = MediaStore(ledger.store.path.parent / "media").missing(ledger)
                with ledger.store.read() as connection:
                    named = {row[0] for row in connection.execute("SELECT sha256 FROM media")}
            outcome.problems += [f"{box.id}: media {sha256} is gone" for sha256 in missing]
            outcome.written += len(own)
            outcome.lost += [f"{box.id}: {one}" for one, digest in own.items() if not times[digest]]
            witnessed = box.witness.read_text("ascii").splitlines() if box.witness.exists() else []
            outcome.witnessed += len(witnessed)
            outcome.lost += [f"{box.id}: {one} (witnessed)" for one in witnessed if one not in own]
            folder = self.config.data_dir / "media"
            for sha256 in named:
                if sha256 not in stored or not (folder / sha256[:2] / sha256).is_file():
                    outcome.lost.append(f"{box.id}: file {sha256}")
            outcome.files += len(named)
        if shown != scans:
            outcome.problems.append(f"the centre shows {shown} scans of {scans}")

    def close(self) -> None:
        """End everything."""
        for child in self.all():
            child.kill()
        for box in self.boxes:
            box.wire.close()
        self.store.close()

    def _kill(self, child: Child) -> None:
        child.kill()
        self._pause.wait(self.lots.choice((0.0, 0.0, self.lots.uniform(0, 1.5))))
        child.start()

    def _kill_broker(self) -> None:
        self.broker.kill()
        self._pause.wait(self.lots.uniform(0, 1.5))
        self.broker.start()

    def _kill_recorder(self) -> None:
        recorder = self.boxes[0].recorder
        self._kill(recorder if recorder is not None else self.boxes[0].writer)

    def _hinder(self, wire: Wire) -> None:
        what = self.lots.choices(("well", "cut", "held", "slow"), weights=[5, 2, 1, 1])[0]
        _well(wire)
        if what == "cut":
            wire.cut()
        elif what == "held":
            wire.hold(self.lots.choice(("up", "down")))
        elif what == "slow":
            wire.throttle(SLOW_BYTES_A_SECOND)


def _well(wire: Wire) -> None:
    wire.flow()
    wire.throttle(None)


def run(folder: Path, kills: int, seed: int, camera: bool, say: Say) -> Outcome:
    """Kill *kills* times and compare; *camera*: with a recorder and a virtual camera."""
    outcome = Outcome()
    with ExitStack() as stack:
        broker = stack.enter_context(Broker())
        address = stack.enter_context(VirtualCamera(kilobits=300)).address if camera else ""
        chaos = Chaos(folder, seed, address, broker)
        stack.callback(chaos.close)
        chaos.start()
        for number in range(1, kills + 1):
            outcome.kills[chaos.strike()] += 1
            if number % 25 == 0:
                say(f"{number} of {kills} kills")
        say("the load stops; everybody comes home")
        chaos.settle()
        chaos.compare(outcome)
    return outcome
