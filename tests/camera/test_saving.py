"""Recording that saves room: key frames only, and back, without an end of the session."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

from camera.disk import recorded
from camera.recording import Order
from camera.supervision import Child
from edge.model import MINUTE, SECOND
from edge.rules.disk import Quality
from tests.camera.parts import drafts, said
from tests.camera.room import frames, sound_of
from tests.processes import wait_for
from tests.virtual_cameras import VirtualCamera


def test_key_frames_alone_take_a_part_of_the_room_and_play(tmp_path: Path) -> None:
    """From one key frame to the next the quality changes; nothing is left out between the parts."""
    with VirtualCamera(audio="aac", key_frame_seconds=2) as camera:
        child = Child(Order("cam-1", camera.address, "tcp", str(tmp_path / "media"), 60 * MINUTE))
        child.record(("lesson-1",))
        wait_for("all of it is recorded", lambda: len(said(child, "alive")) >= 4)
        child.record(("lesson-1",), Quality.KEY_FRAMES)
        wait_for("another part is open", lambda: len(said(child, "opened")) == 2)
        before = len(said(child, "alive"))
        wait_for("key frames are recorded", lambda: len(said(child, "alive")) >= before + 7)
        child.record(("lesson-1",))
        wait_for("all of it again", lambda: len(said(child, "opened")) == 3)
        child.stop()
    (whole, whole_path), (saved, saved_path), (again, _) = drafts(tmp_path)
    assert [part.quality for part in (whole, saved, again)] == ["full", "key_frames", "full"]
    assert (whole.end, saved.end) == (saved.start, again.start)
    shown = frames(saved_path)
    assert len(shown) >= 3
    # One picture for each group of pictures, each of them at its own time.
    assert all(abs(later - earlier - 2) < 0.5 for earlier, later in pairwise(shown))
    assert sound_of(saved_path)[0] == "" and sound_of(whole_path)[0] == "aac"

    def rate(path: Path, lasted: int) -> float:
        return path.stat().st_size * SECOND / lasted

    assert rate(saved_path, saved.end - saved.start) < rate(whole_path, whole.end - whole.start) / 2


def test_without_a_substream_key_frames_stand_in_for_it() -> None:
    """What is recorded never takes more room than the disk was planned for."""
    assert recorded(Quality.SUBSTREAM, small=True) is Quality.SUBSTREAM
    assert recorded(Quality.SUBSTREAM, small=False) is Quality.KEY_FRAMES
    assert recorded(Quality.FULL, small=False) is Quality.FULL
