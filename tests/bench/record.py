"""What a recording costs, and what a kill costs it.

``cpu``: the whole recorder service with one camera (service, recording process, snapshots, ledger)
against ``ffmpeg -c copy`` on the same stream, in CPU seconds for each minute of video.
``lost after kill``: how much of the end of a recording is gone after kill -9 of the recording
process, against fragmented MP4 written by ffmpeg and killed at the same moments.
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from threading import Event

from camera.recording import Order
from camera.segment import duration_of, mend
from camera.supervision import Child
from edge.clock import SystemClock, monotonic
from edge.events import RecordingStarted, RecordingStored
from edge.media import MediaStore
from edge.model import MINUTE, SECOND
from tests.bench.figures import CannotMeasure, Figure
from tests.camera.room import Room, lesson_from, now, short_profile
from tests.processes import wait_for
from tests.virtual_cameras import VirtualCamera

MEASURED_S = 15.0
# Kills at moments spread over a group of pictures.
RECORDED_S = (4.0, 4.55, 5.1, 5.65, 6.2)
TICKS = os.sysconf("SC_CLK_TCK")
FFMPEG = (
    *("ffmpeg", "-v", "error", "-nostdin", "-y", "-rtsp_transport", "tcp"),
    *("-timeout", "5000000"),
)
COPY = ("-map", "0", "-c", "copy", "-f", "mp4")
FRAGMENTED = ("-movflags", "frag_keyframe+empty_moov+default_base_moof")


def figures() -> Iterator[Figure]:
    """Measure on a virtual camera: 720p, 25 frames a second, 4 Mbit/s, key frames each 2 s, AAC."""
    if shutil.which("ffmpeg") is None:
        raise CannotMeasure("ffmpeg is the reference: apt install ffmpeg")
    with (
        tempfile.TemporaryDirectory(prefix="bench-record-") as name,
        VirtualCamera(rate=25, kilobits=4000, key_frame_seconds=2.0, audio="aac") as camera,
    ):
        folder = Path(name)
        yield Figure(
            name="cpu",
            ours=lambda: _cpu_of_the_recorder(_fresh(folder), camera.address),
            reference=lambda: _cpu_of_ffmpeg(_fresh(folder), camera.address),
            unit="CPU s / stream minute",
            reference_is="ffmpeg -c copy into a fragmented MP4, same stream",
            goal="ours <= 2",
            rounds=2,
        )
        yield Figure(
            name="lost after kill",
            ours=lambda: _lost_by_ours(_fresh(folder), camera.address),
            reference=lambda: _lost_by_ffmpeg(_fresh(folder), camera.address),
            unit="s, mean",
            reference_is="ffmpeg -c copy into a fragmented MP4, killed in the same way",
            goal="<= 1",
            rounds=1,
        )


def _fresh(folder: Path) -> Path:
    return Path(tempfile.mkdtemp(dir=folder))


def _cpu_of_the_recorder(folder: Path, address: str) -> float:
    room = Room(folder, [{"address": address}], segment="01:00")
    start = now() - SECOND
    room.plan((lesson_from(start, 300),), short_profile(300, slots=((1, 8, 60),)))
    room.start()
    try:
        wait_for("it records", lambda: room.facts(RecordingStarted))
        return _per_minute([room.recorder.pid, room.recording_process()])
    finally:
        room.recorder.stop()


def _cpu_of_ffmpeg(folder: Path, address: str) -> float:
    target = folder / "reference.mp4"
    with subprocess.Popen([*FFMPEG, "-i", address, *COPY, *FRAGMENTED, str(target)]) as reference:
        try:
            wait_for("ffmpeg records", lambda: target.exists() and target.stat().st_size > 100_000)
            return _per_minute([reference.pid])
        finally:
            reference.kill()


def _per_minute(pids: list[int]) -> float:
    """Return the CPU seconds that the processes use in a minute, from a stretch of it."""
    before, began = sum(map(_cpu_seconds, pids)), monotonic()
    Event().wait(MEASURED_S)
    used, passed = sum(map(_cpu_seconds, pids)) - before, monotonic() - began
    return used * 60 / passed


def _cpu_seconds(pid: int) -> float:
    """Return user and system time of a process and of its ended children (proc(5), stat)."""
    fields = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()
    return sum(int(value) for value in fields[11:15]) / TICKS


def _lost_by_ours(folder: Path, address: str) -> float:
    return statistics.mean(_kill_ours(_fresh(folder), address, length) for length in RECORDED_S)


def _kill_ours(folder: Path, address: str, length: float) -> float:
    child = Child(Order("cam-1", address, "tcp", str(folder), 10 * MINUTE))
    child.record(("lesson-1",))
    wait_for("a part is open", lambda: any(r["say"] == "opened" for r in list(child.reports)))
    Event().wait(length)
    killed = SystemClock().now().at
    child.kill()
    (draft,) = MediaStore(folder).unfinished([RecordingStored.kind])
    body = draft.body
    assert isinstance(body, RecordingStored)
    mend(draft.path)
    return (killed - body.start - (duration_of(draft.path) or 0)) / SECOND


def _lost_by_ffmpeg(folder: Path, address: str) -> float:
    return statistics.mean(_kill_ffmpeg(_fresh(folder), address, length) for length in RECORDED_S)


def _kill_ffmpeg(folder: Path, address: str, length: float) -> float:
    """Return what ffmpeg loses; when its video began follows from its own progress reports."""
    target = folder / "reference.mp4"
    report = ("-progress", "pipe:1", "-stats_period", "0.1")
    with subprocess.Popen(
        [*FFMPEG, *report, "-i", address, *COPY, *FRAGMENTED, str(target)],
        stdout=subprocess.PIPE,
        text=True,
    ) as reference:
        assert reference.stdout is not None
        began: list[float] = []
        for line in reference.stdout:
            name, _, value = line.strip().partition("=")
            if name == "out_time_us" and value.isdigit() and int(value) > 0:
                began.append(SystemClock().now().at - int(value))
                if int(value) > length * SECOND:
                    break
        killed = SystemClock().now().at
        reference.kill()
    played = duration_of(target) if target.stat().st_size else None
    return (killed - min(began) - (played or 0)) / SECOND
