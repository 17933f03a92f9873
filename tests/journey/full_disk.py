"""A disk that fills in mid-lesson, as the touch screen and the console tell it.

``python -m tests.journey.full_disk FOLDER``; the folder is the small disk, where the box has its
data and nothing else is. Run by test_alerts in a mount namespace.
"""

from __future__ import annotations

import os
import shutil
import sys
import urllib.request
from functools import partial
from pathlib import Path

from edge import alerts, queries
from edge.clock import SystemClock
from edge.events import RecordingGap, RecordingStarted, ScanMade, SnapshotTaken
from edge.media import MediaStore
from edge.model import SECOND
from edge.rules.disk import marks
from tests.boxes import LESSON_ID
from tests.brokers import Broker
from tests.camera.full_disk import MIB, leave
from tests.processes import wait_for
from tests.system import System, lesson_at, roster
from tests.virtual_cameras import VirtualCamera

ON_THE_KIOSK = "存储已满，录像已停止"
ON_THE_CONSOLE = "存储已满"
CLEARED_WITHIN = 150


def main(disk: Path) -> None:
    """Fill it, look at both screens, make room, look again."""
    with Broker() as broker, VirtualCamera() as camera:
        system = System(disk.parent, broker, camera.address, "")
        try:
            system.start_centre()
            system.start_box("link", "recorder", "kiosk")
            profile = queries.shipped_profile("demo")
            lesson = lesson_at(SystemClock().now().at + 15 * SECOND, profile)
            system.publish(lesson, profile, roster({"01": "艾琳"}))
            play(system, disk)
        finally:
            system.close()


def play(system: System, disk: Path) -> None:
    """Let the disk fill before the first snapshot is due, and empty again after it."""
    on_the_kiosk = partial(_says, f"{system.kiosk_url}status", ON_THE_KIOSK)
    on_the_console = partial(_says, system.console_url, ON_THE_CONSOLE)
    wait_for("it records", lambda: _count(system, RecordingStarted.kind) == 1, 60)
    assert not on_the_kiosk() and not on_the_console()
    assert _count(system, SnapshotTaken.kind) == 0
    leave(disk, marks(shutil.disk_usage(disk).total).floor - MIB)
    wait_for("the alarm stands", lambda: "disk_full" in _standing(system), 30)
    wait_for("the touch screen says so", on_the_kiosk, 30)
    assert _says(f"{system.kiosk_url}status", "签到与抓拍照常保存")
    assert _says(system.kiosk_url, "有不计课时风险")
    wait_for("the console says so", on_the_console, 30)

    with system.ledger() as ledger:
        draft = MediaStore(disk / "media").draft(
            ScanMade("p-1", SystemClock().now().at, "face", ""), "photo"
        )
        draft.write(os.urandom(30_000))
        draft.store(ledger)
    wait_for("the snapshot is taken", lambda: _count(system, SnapshotTaken.kind) == 1, 60)

    (disk / "filler-0").unlink()
    wait_for("the alarm is over", lambda: "disk_full" not in _standing(system), CLEARED_WITHIN)
    wait_for("the touch screen is quiet", lambda: not on_the_kiosk(), 30)
    wait_for("the console is quiet", lambda: not on_the_console(), 30)
    assert _count(system, RecordingGap.kind) >= 1
    with system.ledger() as ledger:
        assert MediaStore(disk / "media").missing(ledger) == []
        assert ledger.verify().intact
        with ledger.store.read() as connection:
            taken = queries.snapshots(connection, LESSON_ID)
    assert [row["state"] for row in taken] == ["taken"] * len(taken)


def _count(system: System, kind: str) -> int:
    with system.ledger() as ledger:
        return sum(record.event.kind == kind for record in ledger.records())


def _standing(system: System) -> set[str]:
    with system.ledger() as ledger, ledger.store.read() as connection:
        return {one.case.code for one in alerts.standing(connection)}


def _says(url: str, text: str) -> bool:
    with urllib.request.urlopen(url, timeout=10) as answer:
        return text in answer.read().decode("utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
