"""Failures that others met in the field, each named after the report of it."""

from __future__ import annotations

import os
import subprocess
from itertools import pairwise
from pathlib import Path

import pytest

from camera.failures import StreamFailed
from camera.recording import DRIFT, Order
from camera.segment import duration_of, mend
from camera.stream import Stream
from camera.supervision import Child
from edge.events import RecordingGap, RecordingStored
from edge.model import SECOND
from tests.camera.parts import drafts, said
from tests.camera.room import Room, everything_plays, frames, ongoing, records_again
from tests.processes import wait_for
from tests.virtual_cameras import VirtualCamera
from tests.virtual_cameras.udp_camera import UdpCamera


def film(path: Path, seconds: int) -> Path:
    """Write an H.264 film with a key frame each second and in-band parameters."""
    picture = f"testsrc=size=320x240:rate=10:duration={seconds}"
    subprocess.run(
        [
            *("ffmpeg", "-v", "error", "-nostdin", "-f", "lavfi", "-i", picture),
            *("-c:v", "libx264", "-preset", "ultrafast", "-g", "10", "-bf", "0", str(path)),
        ],
        check=True,
    )
    return path


def recording_of(folder: Path, address: str, transport: str = "auto") -> Child:
    """Record for lesson-1 in parts of ten minutes."""
    child = Child(Order("cam-1", address, transport, str(folder / "media"), 600 * SECOND))
    child.record(("lesson-1",))
    return child


def test_frigate_3122_no_recovery_after_a_camera_restart(tmp_path: Path) -> None:
    """A camera that restarts several times in a lesson is recorded again each time, by itself."""
    with VirtualCamera() as camera:
        room = Room(tmp_path, [{"address": camera.address}], segment="01:00")
        window = ongoing(room)
        records_again(room, 1)
        for restarts in (1, 2):
            camera.restart()
            records_again(room, 1 + restarts)
        room.recorder.stop()
    causes = {gap.cause for gap in room.facts(RecordingGap)[1:]}
    assert causes <= {"camera_hung_up", "camera_unreachable"}
    everything_plays(room, window)


def test_frigate_6499_corrupt_segments_on_dts_jumps(tmp_path: Path) -> None:
    """Time stamps that jump back end the part; every part plays from its first picture."""
    with VirtualCamera(film=film(tmp_path / "film.mp4", 40)) as camera:
        child = recording_of(tmp_path, camera.address)
        wait_for("some seconds are recorded", lambda: len(said(child, "alive")) >= 7)
        with Stream(camera.address):  # a second client: the film is rewound for all
            wait_for("another part is open", lambda: len(said(child, "opened")) >= 2)
        count = len(said(child, "alive"))
        wait_for("it goes on", lambda: len(said(child, "alive")) >= count + 3)
        child.stop()
    parts = drafts(tmp_path)
    assert len(parts) >= 2
    for body, path in parts:
        shown = frames(path)
        assert shown[0] == 0.0
        assert max(later - sooner for sooner, later in pairwise(shown)) < 1.0
        assert abs(shown[-1] - (body.end - body.start) / SECOND) < 2.0


@pytest.mark.parametrize("audio", ["alaw", "mulaw"])
def test_viseron_344_g711_in_mp4(tmp_path: Path, audio: str) -> None:
    """G.711 cannot stand in an MP4: it becomes AAC, and no second of the picture is lost."""
    with VirtualCamera(audio=audio) as camera:
        child = recording_of(tmp_path, camera.address)
        wait_for("video is on the disk", lambda: len(said(child, "alive")) >= 5)
        child.stop()
    ((body, path),) = drafts(tmp_path)
    tracks = subprocess.run(
        [
            *("ffprobe", "-v", "error", "-show_entries", "stream=codec_name"),
            *("-of", "csv=p=0", str(path)),
        ],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    assert tracks == ["h264", "aac"]
    assert abs(frames(path)[-1] - (body.end - body.start) / SECOND) < 1.0


def test_moonfire_350_clock_drift_in_a_stream(tmp_path: Path) -> None:
    """A camera whose clock runs a quarter fast: parts are set right by the box's time."""
    with UdpCamera(tmp_path, film(tmp_path / "film.mp4", 60), speed=1.25) as camera:
        child = recording_of(tmp_path, camera.address)
        wait_for("a third part is open", lambda: len(said(child, "opened")) >= 3, 60)
        child.stop()
    parts = drafts(tmp_path)
    for (body, _), (following, _) in pairwise(parts):
        assert body.end == following.start
    for body, path in parts:
        played = duration_of(path)
        assert played is not None
        # Two key frames in a row are looked at, a second apart.
        assert abs(played - (body.end - body.start)) < DRIFT + 2 * SECOND


def test_moonfire_9_wrong_index_after_power_loss(tmp_path: Path) -> None:
    """What a power cut leaves after the last sync, such as zeros, is cut off and not counted."""
    with VirtualCamera() as camera:
        child = recording_of(tmp_path, camera.address)
        wait_for("some seconds are recorded", lambda: len(said(child, "alive")) >= 4)
        child.kill()
    ((_, path),) = drafts(tmp_path)
    mend(path)
    whole, played = path.read_bytes(), duration_of(path)
    shown = frames(path)
    for left in (bytes(4096), os.urandom(4096), bytes([0, 0, 0x10, 0]) + b"moof" + bytes(300)):
        path.write_bytes(whole + left)
        mend(path)
        assert path.read_bytes() == whole
        assert duration_of(path) == played and frames(path) == shown


def test_stream_parameters_that_change_in_mid_stream(tmp_path: Path) -> None:
    """Another resolution begins another part without a gap, and each part says its own."""
    with VirtualCamera() as camera:
        child = recording_of(tmp_path, camera.address)
        wait_for("it records", lambda: len(said(child, "alive")) >= 3)
        camera.resize(640, 360)
        wait_for("another part is open", lambda: len(said(child, "opened")) == 2)
        wait_for("it goes on", lambda: len(said(child, "alive")) >= 7)
        picture = tmp_path / "picture.jpg"
        child.photo(picture)
        child.stop()
    (first, large), (second, small) = drafts(tmp_path)
    assert first.end == second.start
    assert (size_of(large), size_of(small)) == ((1280, 720), (640, 360))
    assert size_of(picture) == (640, 360)
    assert frames(small)[0] == 0.0 and len(frames(small)) > 5


def size_of(path: Path) -> tuple[int, int]:
    """Return the width and height that the header of *path* names, once all of it was decoded."""
    import av

    with av.open(str(path)) as container:
        context = container.streams.video[0].codec_context
        named = (context.width, context.height)
        sizes = {(frame.width, frame.height) for frame in container.decode(video=0)}
    assert sizes == {named}
    return named


def test_a_camera_that_serves_udp_only(tmp_path: Path) -> None:
    """Debian's rtsp-server-perl: it refuses TCP with status 400, and is recorded all the same."""
    with UdpCamera(tmp_path, film(tmp_path / "film.mp4", 60)) as camera:
        with pytest.raises(StreamFailed, match="does not offer this transport"):
            Stream(camera.address, transport="tcp")
        room = Room(tmp_path, [{"address": camera.address}])
        window = ongoing(room, slots=((0, 1, 60),))
        records_again(room, 1)
        wait_for("a part is stored", lambda: room.facts(RecordingStored))
        wait_for("the snapshot is taken", lambda: room.snapshots() == [(0, 1, "taken")])
        room.recorder.stop()
    everything_plays(room, window)
