"""``classbox kiosk`` as the service manager sees it: a process of its own."""

from __future__ import annotations

import socket
import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge import teaching
from edge.clock import SimulatedClock, SystemClock
from edge.events import ScanMade
from edge.ledger import Ledger
from edge.media import MediaStore
from edge.model import MINUTE
from tests.boxes import LESSON_ID, TEACHER_ID, roster_of, send_documents, two_hours
from tests.kiosk.stage import SETTINGS
from tests.processes import CLASSBOX, Child, free_port, wait_for


class Box:
    """A box's folder and its kiosk process."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.toml = folder / "box.toml"
        settings = SETTINGS.format(language="en") + f"[kiosk]\nport = {self.port}\n"
        self.toml.write_text(settings, "utf-8")
        arguments: list[str | Path] = [CLASSBOX, "--config", self.toml, "kiosk"]
        self.kiosk = Child("kiosk", arguments, folder / "kiosk.log")

    def start(self) -> None:
        """Start the kiosk and wait until it is ready."""
        self.kiosk.log.write_bytes(b"")
        self.kiosk.start()
        wait_for("the kiosk is ready", lambda: self.kiosk.said("ready"))

    def get(self, path: str) -> str:
        """Return a page."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=10) as page:
            return str(page.read().decode())

    def ledger(self, clock: SimulatedClock | None = None) -> Ledger:
        """Open the box's ledger beside the kiosk."""
        return Ledger.open(self.folder / "data", "room-203", clock or SystemClock())


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Box]:
    """Return a box whose kiosk ends with the test."""
    made = Box(tmp_path)
    yield made
    made.kiosk.stop()


def kinds(ledger: Ledger) -> list[str]:
    """Return the kinds of the ledger's events."""
    return [record.event.kind for record in ledger.events()]


def test_the_kiosk_serves_with_no_other_service_and_no_network(box: Box) -> None:
    """READY and the first page need nothing but the disk."""
    box.start()
    assert "Room 203" in box.get("/")


def test_the_kiosk_comes_back_after_a_kill_with_what_was_stored(box: Box) -> None:
    """A lesson that was open is open, and an entry that was under way is in the ledger."""
    now = SystemClock().now().at
    ledger = box.ledger()
    send_documents(ledger, (two_hours(now + 5 * MINUTE),), roster_of(3))
    teaching.open_lesson(ledger, LESSON_ID, TEACHER_ID)
    box.start()
    box.kiosk.kill()
    entry = ScanMade("p-2", now, "manual", "", entered_by=TEACHER_ID, reason="camera_out")
    MediaStore(box.folder / "data" / "media").draft(entry, sha_field="photo").write(
        b"a photo \xff\xd9"
    )
    box.start()
    page = box.get("/")
    assert "<b>1</b>" in page and "/ 3 checked in" in page
    assert kinds(ledger).count("scan.made") == 1
    assert ledger.verify().intact
    ledger.close()


def test_a_forgotten_lesson_is_ended_by_the_running_kiosk(box: Box) -> None:
    """Also when the box was off while it should have ended."""
    clock = SimulatedClock(SystemClock().now().at - 300 * MINUTE)
    ledger = box.ledger(clock)
    send_documents(ledger, (two_hours(clock.at),), roster_of(3))
    teaching.open_lesson(ledger, LESSON_ID, TEACHER_ID)
    box.start()
    wait_for("the lesson has ended", lambda: "lesson.ended" in kinds(ledger))
    assert kinds(ledger).count("lesson.ended") == 1
    ledger.close()


def test_a_taken_port_is_said_with_its_remedy(box: Box) -> None:
    """One line, not a stack of calls."""
    with socket.create_server(("127.0.0.1", box.port)):
        done = subprocess.run(
            [CLASSBOX, "--config", box.toml, "kiosk"],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert done.returncode != 0
    assert f"port {box.port} of 127.0.0.1 cannot be used" in done.stderr
    assert "change `port` under [kiosk]" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_kiosk_ends_at_once_though_a_page_is_open(box: Box) -> None:
    """SIGTERM ends the streams too; the browser will ask again."""
    box.start()
    with urllib.request.urlopen(f"http://127.0.0.1:{box.port}/stream", timeout=10) as stream:
        assert stream.readline().startswith(b"event")
        box.kiosk.stop()
    assert "stopped" in box.kiosk.log.read_text("utf-8")
