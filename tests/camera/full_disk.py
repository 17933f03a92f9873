"""Scenarios on a small disk of their own, run by test_faults in a mount namespace.

``python -m tests.camera.full_disk SCENARIO FOLDER``; the folder is the small disk. An assertion
that fails ends with its trace and status 1.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from itertools import groupby
from pathlib import Path

from camera import footage
from camera.recording import Order
from camera.supervision import Child
from edge.clock import SystemClock
from edge.disk import Ballast
from edge.events import CameraHealth, MediaDeleted, RecordingGap, RecordingStored, ScanMade
from edge.health_events import DiskPlanned
from edge.media import MediaStore
from edge.model import MINUTE, SECOND, Window
from edge.rules.disk import marks
from tests.boxes import open_ledger, roster_of, send_documents
from tests.camera.room import (
    HOUR_S,
    Room,
    everything_plays,
    frames,
    lesson_from,
    now,
    ongoing,
    short_profile,
)
from tests.processes import wait_for
from tests.virtual_cameras import VirtualCamera

MIB = 1024**2


def filling(disk: Path) -> None:
    """Something fills the disk bit by bit during a lesson, to the last byte, and goes again."""
    with VirtualCamera(kilobits=2000) as camera, VirtualCamera(kilobits=200) as small:
        cameras = [{"address": camera.address, "substream": small.address}]
        room = Room(disk, cameras, segment="00:10")
        window = ongoing(room)
        records_at(room, "full")
        own = marks(shutil.disk_usage(disk).total)

        leave(disk, own.floor + 60 * MIB)
        records_at(room, "substream")
        leave(disk, own.floor + 8 * MIB)
        records_at(room, "key_frames")
        leave(disk, own.floor - MIB)
        wait_for("the lamp shows it", lambda: room.state() == "disk_full", 30)
        assert "disk is full" in room.cause()

        leave(disk, 0)
        wait_for("the ballast gives its room", lambda: not Ballast(room.data_dir).held)
        everything_small_is_kept(room, window)

        for filler in disk.glob("filler-*"):
            filler.unlink()
        records_at(room, "full")
        room.recorder.stop()
        assert Ballast(room.data_dir).held
        everything_plays(room, window)
    in_turn = ["full", "substream", "key_frames", "stopped", "full"]
    assert [key for key, _ in groupby(room.facts(DiskPlanned), key=quality)] == in_turn
    recorded = [key for key, _ in groupby(room.facts(RecordingStored), key=quality)]
    assert recorded == ["full", "substream", "key_frames", "full"]
    gaps = room.facts(RecordingGap)
    assert {gap.cause for gap in gaps[1:]} == {"disk_full"}, gaps
    assert [fact.state for fact in room.facts(CameraHealth)] == ["online", "disk_full", "online"]
    assert room.facts(MediaDeleted) == []


def quality(fact: DiskPlanned | RecordingStored) -> str:
    """Return the quality that *fact* speaks of."""
    return fact.quality


def records_at(room: Room, wanted: str) -> None:
    """Wait until the ledger says *wanted*, and video of that quality reaches the disk."""
    media = MediaStore(room.data_dir / "media")

    def grows() -> bool:
        planned = [quality(fact) for fact in room.facts(DiskPlanned)]
        parts = media.unfinished([RecordingStored.kind])
        qualities = {part.body.quality for part in parts if isinstance(part.body, RecordingStored)}
        return planned[-1:] == [wanted] and wanted in qualities and room.state() == "recording"

    wait_for(f"it records {wanted}", grows, 30)


def leave(disk: Path, free: int) -> None:
    """Fill the disk until *free* bytes are left."""
    taken = shutil.disk_usage(disk).free - free
    filler = disk / f"filler-{len(list(disk.glob('filler-*')))}"
    with filler.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, taken)


def everything_small_is_kept(room: Room, window: Window) -> None:
    """A class checks in and a snapshot is taken on a disk that had no byte left."""
    start = now() - SECOND
    lessons = (lesson_from(window.opens, HOUR_S), lesson_from(start, HOUR_S, "lesson-2"))
    profile = short_profile(HOUR_S, margin_s=0, slots=((0, 0, HOUR_S),))
    media = MediaStore(room.data_dir / "media")
    with room.ledger() as ledger:
        send_documents(ledger, lessons, roster_of(), {profile.name: profile}, version=2)
        for number in range(40):
            draft = media.draft(ScanMade(f"p-{number}", now(), "face", ""), "photo")
            draft.write(os.urandom(30_000))
            draft.store(ledger)
        assert media.missing(ledger) == []
    wait_for(
        "the snapshot is taken",
        lambda: (0, 1, "taken") in room.snapshots("lesson-2"),
        30,
    )
    assert len(room.facts(ScanMade)) == 40


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
    {"filling": filling, "last_byte": last_byte}[sys.argv[1]](Path(sys.argv[2]))
