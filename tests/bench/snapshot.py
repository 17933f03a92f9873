"""How long a snapshot takes while the lesson is being recorded.

``latency``: from asking the recorder for a picture until the JPEG lies in a file, against a still
taken by ffmpeg, which has to dial the camera and wait for its next key frame.
"""

from __future__ import annotations

import shutil
import statistics
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from threading import Event

from camera.recording import Order
from camera.supervision import Child
from edge.clock import monotonic
from edge.model import MINUTE
from tests.bench.figures import CannotMeasure, Figure
from tests.processes import wait_for
from tests.virtual_cameras import VirtualCamera

PICTURES = 20


def figures() -> Iterator[Figure]:
    """Measure on a virtual camera: 720p, 25 frames a second, 4 Mbit/s, key frames each 2 s."""
    if shutil.which("ffmpeg") is None:
        raise CannotMeasure("ffmpeg is the reference: apt install ffmpeg")
    with (
        tempfile.TemporaryDirectory(prefix="bench-snapshot-") as name,
        VirtualCamera(rate=25, kilobits=4000, key_frame_seconds=2.0) as camera,
    ):
        folder = Path(name)
        child = Child(Order("cam-1", camera.address, "tcp", str(folder / "media"), 10 * MINUTE))
        child.record(("lesson-1",))
        try:
            wait_for("it records", lambda: child.grows())
            yield Figure(
                name="latency",
                ours=lambda: _ours(child, folder / "ours.jpg"),
                reference=lambda: _by_ffmpeg(camera.address, folder / "reference.jpg"),
                unit="ms, median",
                reference_is="ffmpeg -frames:v 1 of the same stream",
                goal="ours <= 50",
            )
        finally:
            child.kill()


def _ours(child: Child, target: Path) -> float:
    taken = []
    for _ in range(PICTURES):
        began = monotonic()
        child.photo(target)
        taken.append(monotonic() - began)
        Event().wait(0.1)  # as if asked at any moment, not in a burst
    return statistics.median(taken) * 1000


def _by_ffmpeg(address: str, target: Path) -> float:
    began = monotonic()
    subprocess.run(
        [
            *("ffmpeg", "-v", "error", "-nostdin", "-y", "-rtsp_transport", "tcp"),
            *("-i", address, "-frames:v", "1", "-q:v", "3", str(target)),
        ],
        check=True,
    )
    return (monotonic() - began) * 1000
