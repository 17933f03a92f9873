"""Planned snapshots of a real camera that fails: taken, found in the recording, or missed."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import cv2

from camera.excerpt import Part, clip, frame
from edge import pictures
from edge.events import RecordingStored, SnapshotMissed, SnapshotTaken
from edge.model import SECOND, MissCause, Window
from edge.picture_events import PictureProcessed
from tests.camera.parts import drafts
from tests.camera.room import Room, frames, lesson_from, now, ongoing, short_profile
from tests.processes import wait_for
from tests.virtual_cameras import VirtualCamera


def test_a_camera_that_comes_back_within_the_window_still_gives_its_snapshot(
    tmp_path: Path,
) -> None:
    """Dead at the aim, alive again before the window closes: taken then, with its true time."""
    with VirtualCamera() as camera:
        address = camera.address
        camera.kill()
        room = Room(tmp_path, [{"address": address}])
        ongoing(room, slots=((0, 0, 100),))
        wait_for(
            "the first try has failed", lambda: "snapshot of lesson" in room.recorder.tail(200)
        )
        dead = now()
        camera.restart()
        wait_for("it is taken", lambda: room.facts(SnapshotTaken), 60)
        room.recorder.stop()
    (taken,) = room.facts(SnapshotTaken)
    assert taken.at > dead
    assert taken.method in ("key_frame", "fast_open")
    assert room.facts(SnapshotMissed) == []


def test_a_snapshot_that_the_box_slept_through_is_found_in_the_recording(tmp_path: Path) -> None:
    """Killed before the aim and back after the window: a frame from within it, and its time."""
    profile = short_profile(60, margin_s=5, slots=((0, 20, 22),))
    with VirtualCamera() as camera:
        room = Room(tmp_path, [{"address": camera.address}], segment="01:00")
        start = now()
        room.plan((lesson_from(start, 60),), profile)
        room.start()
        wait_for("some seconds are recorded", lambda: _reaches(room) > start + 4 * SECOND, 60)
        room.recorder.kill()
        reached = _reaches(room)
        wait_for("the window is over", lambda: now() > start + 24 * SECOND, 40)
        assert reached < start + 20 * SECOND
        room.start()
        wait_for("the snapshot is found", lambda: room.facts(SnapshotTaken), 40)
        room.recorder.stop()

    (found,) = room.facts(SnapshotTaken)
    part = room.facts(RecordingStored)[0]
    assert found.method == "from_recording"
    assert found.camera == "cam-1"
    assert start <= found.at <= start + 22 * SECOND
    # Nothing was recorded at the aim; the nearest there is to it is the last frame.
    assert abs(found.at - part.end) < SECOND
    assert room.media(found.sha256).read_bytes().startswith(b"\xff\xd8")
    assert room.facts(SnapshotMissed) == []


def _reaches(room: Room) -> int:
    """Return until when the part that is being written can be read."""
    found = 0
    for body, path in drafts(room.data_dir):
        with_frames = _frames(path)
        if with_frames:
            found = max(found, body.start + round(with_frames[-1] * SECOND))
    return found


def _frames(path: Path) -> list[float]:
    try:
        return frames(path)
    except (OSError, ValueError):
        return []


def test_a_missed_snapshot_says_why_in_one_word_and_a_sentence(tmp_path: Path) -> None:
    """A dead camera, a refused password and a room without cameras are told apart."""
    with VirtualCamera(user="viewer", password="right") as locked:
        causes: dict[str, list[dict[str, str]]] = {
            "dead": [{"address": "rtsp://127.0.0.1:9/main"}],
            "locked": [{"address": locked.address, "user": "viewer", "password": "wrong-one"}],
            "none": [],
        }
        rooms = {}
        for name, cameras in causes.items():
            (tmp_path / name).mkdir()
            rooms[name] = Room(tmp_path / name, cameras)
            ongoing(rooms[name], slots=((0, 1, 12),))
        for room in rooms.values():
            wait_for("it is given up", partial(room.facts, SnapshotMissed), 60)
            room.recorder.stop()
    said = {name: room.facts(SnapshotMissed)[0] for name, room in rooms.items()}
    assert {name: one.cause for name, one in said.items()} == {
        "dead": MissCause.CAMERA_UNREACHABLE,
        "locked": MissCause.LOGIN_REFUSED,
        "none": MissCause.NO_CAMERA,
    }
    assert "power" in said["dead"].detail
    assert "password" in said["locked"].detail and "wrong-one" not in said["locked"].detail
    assert "classbox cameras add" in said["none"].detail


def test_a_snapshot_is_marked_and_counted_beside_the_recording(tmp_path: Path) -> None:
    """The copy bears a strip below the untouched picture; the original stays as it was taken."""
    with VirtualCamera() as camera:
        room = Room(tmp_path, [{"address": camera.address}])
        ongoing(room, slots=((0, 1, 60),))
        wait_for("the picture is processed", lambda: room.facts(PictureProcessed), 60)
        room.recorder.stop()
    (taken,) = room.facts(SnapshotTaken)
    (processed,) = room.facts(PictureProcessed)
    assert processed.original == taken.sha256 != processed.sha256
    assert (processed.model, processed.heads >= 0) == ("fr_detect", True)
    original = cv2.imread(str(room.media(taken.sha256)))
    copy = cv2.imread(str(room.media(processed.sha256)))
    assert original is not None and copy is not None
    height, width = original.shape[:2]
    assert copy.shape[1] == width and copy.shape[0] > height
    assert cv2.PSNR(original, copy[:height]) > 30
    with room.ledger() as ledger, ledger.store.read() as connection:
        assert pictures.copies(connection, "lesson-1")[taken.sha256].heads == processed.heads
        assert pictures.unprocessed(connection) == []


def test_a_frame_and_a_clip_come_from_a_part_that_is_still_being_written(tmp_path: Path) -> None:
    """What lies in ``incoming`` can be read as far as it goes; a clip begins at a key frame."""
    with VirtualCamera() as camera:
        room = Room(tmp_path, [{"address": camera.address}], segment="05:00")
        ongoing(room)
        began = now()
        wait_for("some seconds are recorded", lambda: _reaches(room) > began + 6 * SECOND, 60)
        ((body, path),) = drafts(room.data_dir)
        part = Part("cam-1", path, body.start)
        aim = body.start + 2 * SECOND
        window = Window(body.start, body.start + 30 * SECOND)
        at = frame(part, window, aim, tmp_path / "frame.jpg")
        begins = clip(part, 3.0, tmp_path / "clip.mp4")
        room.recorder.stop()
    assert abs(at - aim) < SECOND // 5
    assert cv2.imread(str(tmp_path / "frame.jpg")) is not None
    shown = frames(tmp_path / "clip.mp4")
    assert shown[0] == 0
    assert 3.0 <= shown[-1] < 5.0
    assert body.start < begins < now()
