"""Scenarios on a small disk of their own, run by test_faults in a mount namespace.

``python -m tests.camera.full_disk SCENARIO FOLDER``; the folder is the small disk. An assertion
that fails ends with its trace and status 1.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from camera import footage
from camera.recording import Order
from camera.supervision import Child
from edge.clock import SystemClock
from edge.events import CameraHealth, RecordingGap, RecordingStored
from edge.media import MediaStore
from edge.model import MINUTE, SECOND
from tests.boxes import open_ledger
from tests.camera.room import Room, everything_plays, frames, now, ongoing, records_again
from tests.processes import wait_for
from tests.virtual_cameras import VirtualCamera


def floor(disk: Path) -> None:
    """The recorder itself keeps room free for what is small and matters more."""
    with VirtualCamera(kilobits=6000) as camera:
        room = Room(disk, [{"address": camera.address}], segment="01:00")
        window = ongoing(room)
        wait_for("the lamp shows it", lambda: room.state() == "disk_full", 60)
        assert "disk is full" in room.cause()
        wait_for("it is stored", lambda: room.facts(RecordingStored) and not room.unfinished())
        wait_for("it is a fact", lambda: len(room.facts(CameraHealth)) == 2)
        assert [fact.state for fact in room.facts(CameraHealth)] == ["online", "disk_full"]
        end = room.facts(RecordingStored)[-1].end
        wait_for("something is missing", lambda: now() > end + 2 * SECOND)
        grow(disk, 300)
        records_again(room, 2)
        room.recorder.stop()
        gap = room.facts(RecordingGap)[1]
        assert gap.cause == "disk_full" and "Connect the box" in gap.detail
        everything_plays(room, window)


def last_byte(disk: Path) -> None:
    """Something else took the whole disk while a part was being written."""
    media = MediaStore(disk / "media")
    with VirtualCamera(kilobits=6000) as camera:
        child = Child(Order("cam-1", camera.address, "tcp", str(media.root), 60 * MINUTE))
        child.record(("lesson-1",))
        wait_for("it gives up", lambda: not child.running, 60)
        child.kill()
    assert child.reports[-1]["say"] == "failed"
    assert child.reports[-1]["kind"] == "disk_full"
    (draft,) = media.unfinished([RecordingStored.kind])
    assert draft.path.stat().st_size > 500_000
    grow(disk, 30)
    with open_ledger(disk / "box", SystemClock()) as ledger:
        footage.adopt(media, ledger)
        body = draft.body
        assert isinstance(body, RecordingStored)
        with ledger.store.read() as connection:
            (row,) = connection.execute("SELECT * FROM recording").fetchall()
        assert row["interrupted"] == 1
        assert row["ends"] - row["starts"] > 1_000_000
        assert len(frames(media.path(row["sha256"]))) > 10


def grow(disk: Path, megabytes: int) -> None:
    """Give the disk more room, as somebody does who deletes old files."""
    subprocess.run(["mount", "-o", f"remount,size={megabytes}m", str(disk)], check=True)


if __name__ == "__main__":
    {"floor": floor, "last_byte": last_byte}[sys.argv[1]](Path(sys.argv[2]))
