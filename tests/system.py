"""The whole product on one machine: broker, centre, box and cameras, all on loopback.

The demo and the journeys use it. Owns the folder it is given and every process it starts;
promises that all of them end with ``close`` or with this process.
"""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from hashlib import sha256
from pathlib import Path

from argon2 import PasswordHasher

from edge import queries
from edge.clock import SystemClock
from edge.documents import (
    PROFILES,
    ROSTER,
    TIMETABLE,
    Roster,
    roster_to_json,
    timetable_to_json,
)
from edge.ledger import Ledger
from edge.model import Instant, Lesson, LessonHour, Profile, Trainee, TrainingClass
from edge.rulebook import Rulebook, profiles_to_json
from tests.boxes import CLASS_ID, LESSON_ID, TEACHER_ID, roster_of
from tests.brokers import Broker
from tests.processes import CLASSBOX, Child, free_port, wait_for

BOX_ID = "room-203"
ROOM = "203"
PIN = "246810"
# The portrait at the door belongs to this trainee; everybody else of the class stays away.
PERSON_AT_THE_DOOR = "p-1"
BOX_SERVICES = ("link", "recorder", "greeter", "kiosk")


class System:
    """Broker, centre and box in one folder. ``children`` are the running processes by name.

    An empty address or source leaves the classroom camera, or the door's, out of the settings.
    """

    def __init__(self, folder: Path, broker: Broker, camera_address: str, door_source: str) -> None:
        self.folder = folder
        self.broker = broker
        self.children: dict[str, Child] = {}
        self.kiosk_port = free_port()
        self.console_port = free_port()
        self.box_toml = folder / "box.toml"
        self.centre_toml = folder / "centre.toml"
        self._version = 0
        self._published: set[str] = set()
        (folder / "logs").mkdir()
        self.box_toml.write_text(self._box_settings(camera_address, door_source), "utf-8")
        self.centre_toml.write_text(self._centre_settings(), "utf-8")

    @property
    def kiosk_url(self) -> str:
        """Address of the touch screen."""
        return f"http://127.0.0.1:{self.kiosk_port}/"

    @property
    def console_url(self) -> str:
        """Address of the staff's console."""
        return f"http://127.0.0.1:{self.console_port}/"

    def start_centre(self) -> None:
        """Start ingest and console and wait until both are up."""
        for name in ("ingest", "console"):
            self._start(name, self.centre_toml, "centre", name)
        wait_for("ingest is ready", lambda: self.children["ingest"].said("ready"))
        wait_for("the console answers", lambda: _answers(self.console_url))

    def start_box(self, *names: str) -> None:
        """Start those services of the box (all of them by default) and wait until they are up."""
        for name in names or BOX_SERVICES:
            self._start(name, self.box_toml, name)
        for name in names or BOX_SERVICES:
            wait_for(f"{name} is ready", partial(self.children[name].said, "ready"), 60)
        if "kiosk" in (names or BOX_SERVICES):
            wait_for("the kiosk answers", lambda: _answers(self.kiosk_url))

    def restart(self, name: str) -> None:
        """Kill a service of the box as a power cut would, and start it as systemd would."""
        self.children[name].kill()
        self.children[name].start()

    def publish(self, lesson: Lesson, profile: Profile, roster: Roster) -> None:
        """Hand the three documents to the centre, which sends them to the box."""
        self._version += 1
        documents = {
            PROFILES: profiles_to_json(Rulebook.of([profile])),
            ROSTER: roster_to_json(roster),
            TIMETABLE: timetable_to_json((lesson,)),
        }
        self._published = {sha256(content).hexdigest() for content in documents.values()}
        for kind, content in documents.items():
            file = self.folder / f"{kind}-{self._version}.json"
            file.write_bytes(content)
            self.run(self.centre_toml, "centre", "publish", BOX_ID, kind, str(file))

    def run(self, settings: Path, *arguments: str) -> str:
        """Run a ``classbox`` command to its end and return what it printed."""
        done = subprocess.run(
            [str(CLASSBOX), "--config", str(settings), *arguments],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        if done.returncode != 0:
            raise RuntimeError(f"classbox {' '.join(arguments)}:\n{done.stdout}{done.stderr}")
        return done.stdout

    @contextmanager
    def ledger(self) -> Iterator[Ledger]:
        """Open the box's ledger beside the running services."""
        ledger = Ledger.open(self.folder / "box", BOX_ID, SystemClock())
        try:
            yield ledger
        finally:
            ledger.close()

    def wait_for_documents(self) -> None:
        """Wait until everything published last is in force on the box."""

        def in_force() -> bool:
            with self.ledger() as ledger, ledger.store.read() as connection:
                rows = queries.documents_in_force(connection)
            return {row["sha256"] for row in rows} == self._published

        wait_for("the documents reach the box", in_force, 60)

    def close(self) -> None:
        """End every process, the last started first."""
        for child in reversed(list(self.children.values())):
            child.stop()

    def _start(self, name: str, settings: Path, *command: str) -> None:
        log = self.folder / "logs" / f"{name}.log"
        child = Child(name, [CLASSBOX, "--config", settings, *command], log)
        self.children[name] = child
        child.start()

    def _box_settings(self, camera_address: str, door_source: str) -> str:
        camera = (
            f"""
[[camera]]
id = "classroom"
label = "A1"
address = {json.dumps(camera_address)}
"""
            if camera_address
            else ""
        )
        door = (
            f"""
[door]
source = {json.dumps(door_source)}
"""
            if door_source
            else ""
        )
        return f"""\
[box]
id = "{BOX_ID}"
room = "{ROOM}"
data_dir = "box"
runtime_dir = "run"
{camera}{door}
[link]
host = "127.0.0.1"
port = {self.broker.port}
security = "none"

[kiosk]
port = {self.kiosk_port}
"""

    def _centre_settings(self) -> str:
        return f"""\
[centre]
data_dir = "centre"

[broker]
host = "127.0.0.1"
port = {self.broker.port}
security = "none"

[console]
port = {self.console_port}
"""


def lesson_at(start: Instant, profile: Profile, hours: int = 2) -> Lesson:
    """Return a lesson in the box's room whose first lesson hour begins at *start*."""
    length = profile.lesson_hour
    return Lesson(
        id=LESSON_ID,
        class_id=CLASS_ID,
        class_name="中式面点师（初级）2026-3 班",
        room=ROOM,
        instructors=(TEACHER_ID,),
        hours=tuple(
            LessonHour(start + number * length, start + (number + 1) * length)
            for number in range(hours)
        ),
        profile=profile.name,
    )


def roster(names: Mapping[str, str]) -> Roster:
    """Return the class with those trainees (number → name) and an instructor with ``PIN``."""
    base = roster_of(1, PasswordHasher().hash(PIN))
    trainees = tuple(
        Trainee(f"p-{index}", number, name)
        for index, (number, name) in enumerate(names.items(), start=1)
    )
    (the_class,) = base.classes
    classes: tuple[TrainingClass, ...] = (replace(the_class, trainees=trainees),)
    return replace(base, classes=classes)


def portrait() -> Path:
    """Return scikit-image's public-domain portrait of an astronaut, without importing it all."""
    found = [
        Path(entry) / "skimage" / "data" / "astronaut.png"
        for entry in sys.path
        if (Path(entry) / "skimage" / "data" / "astronaut.png").is_file()
    ]
    return found[0]


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as response:
            return bool(response.status == 200)
    except OSError:
        return False
