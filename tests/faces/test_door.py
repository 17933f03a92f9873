"""The door camera's sources: folder, film and RTSP, and what each says when it fails."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event

import numpy as np
import pytest

from camera.door import LONGEST_SIDE, Door, DoorError, Frame, read_picture
from camera.faces.align import Picture
from edge.clock import SystemClock, monotonic
from edge.config import DoorConfig
from tests.demo.door_film import write_film
from tests.faces.pictures import save, save_all
from tests.processes import wait_for
from tests.virtual_cameras import VirtualCamera

WITHIN_S = 20.0


@contextmanager
def door_of(source: str, frames_per_second: int = 30) -> Iterator[Door]:
    """Open a door camera and close it afterwards."""
    door = Door(DoorConfig(source, frames_per_second, "D1"), SystemClock())
    try:
        yield door
    finally:
        door.close()


def next_frame(door: Door) -> Frame:
    """Wait for the next picture."""
    until = monotonic() + WITHIN_S
    while monotonic() < until:
        frame = door.next(1.0)
        if frame is not None:
            return frame
    raise AssertionError("no picture in time")


def failure_of(source: str) -> str:
    """Return what the door says of a source that cannot be used."""
    with door_of(source) as door, pytest.raises(DoorError) as failed:
        next_frame(door)
    return str(failed.value)


def flat(grey: int, width: int = 64, height: int = 48) -> Picture:
    """Return a picture of one grey."""
    return np.full((height, width, 3), grey, dtype=np.uint8)


def test_a_folder_is_shown_in_the_order_of_names_over_and_over(tmp_path: Path) -> None:
    """Images come in order and begin again after the last one."""
    folder = save_all([flat(40), flat(120), flat(200)], tmp_path / "door")
    (folder / "notes.txt").write_text("no picture", "utf-8")
    with door_of(f"folder:{folder}", frames_per_second=5) as door:
        greys = [round(next_frame(door).picture.mean() / 40) for _ in range(7)]
    assert greys in ([1, 3, 5, 1, 3, 5, 1], [3, 5, 1, 3, 5, 1, 3], [5, 1, 3, 5, 1, 3, 5])


def test_a_film_is_shown_over_and_over(film_frames: list[Picture], tmp_path: Path) -> None:
    """A film goes on after its end, from its beginning, and its frames carry their time."""
    path = write_film(film_frames[:4], tmp_path / "short.mp4")
    with door_of(f"file:{path}") as door:
        frames = [next_frame(door) for _ in range(9)]
    assert all(frame.picture.shape == (480, 640, 3) for frame in frames)
    moments = [frame.reading.mono for frame in frames]
    assert moments == sorted(set(moments))


def test_a_slow_watcher_gets_the_newest_picture(tmp_path: Path) -> None:
    """Pictures that nobody fetched are dropped, not queued."""
    folder = save_all([flat(grey) for grey in range(0, 250, 10)], tmp_path / "door")
    with door_of(f"folder:{folder}", frames_per_second=50) as door:

        def some_were_dropped() -> bool:
            one = next_frame(door).picture.mean()
            Event().wait(0.2)  # a watcher that is busy with something else
            return bool(abs(next_frame(door).picture.mean() - one) > 15)

        wait_for("a picture that is not the next one", some_were_dropped)


def test_a_large_picture_is_reduced(tmp_path: Path) -> None:
    """Nothing larger than needed is carried around."""
    path = write_film([flat(90, 1920, 1080)], tmp_path / "large.mp4")
    with door_of(f"file:{path}") as door:
        assert next_frame(door).picture.shape == (720, LONGEST_SIDE, 3)


def test_sources_that_cannot_be_used_say_what_to_do(tmp_path: Path) -> None:
    """Each failure names the place and the remedy."""
    (tmp_path / "empty").mkdir()
    text = tmp_path / "text.mp4"
    text.write_text("this is no film", "utf-8")
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "one.jpg").write_bytes(b"\xff\xd8 this is no picture")
    assert "no such folder" in failure_of(f"folder:{tmp_path / 'nowhere'}")
    assert "no images" in failure_of(f"folder:{tmp_path / 'empty'}")
    assert "Remove it" in failure_of(f"folder:{broken}")
    assert "not a film" in failure_of(f"file:{text}")
    assert "not a film" in failure_of(f"file:{tmp_path / 'nothing.mp4'}")
    assert "Plug it in" in failure_of("v4l2:/dev/video-that-is-not-there")
    assert "cannot be opened" in failure_of("v4l2:/dev/null")


def test_a_picture_file_that_is_none_is_no_picture(tmp_path: Path, portrait: Picture) -> None:
    """An unreadable, an empty and a missing file give nothing; a picture gives itself."""
    empty = tmp_path / "empty.png"
    empty.touch()
    assert read_picture(empty) is None
    assert read_picture(tmp_path) is None
    assert read_picture(tmp_path / "missing.png") is None
    saved = save(portrait, tmp_path / "portrait.png")
    again = read_picture(saved)
    assert again is not None and np.array_equal(again, portrait)


def test_an_rtsp_camera_is_seen_and_missed(portrait_path: Path) -> None:
    """An RTSP door camera shows its picture; when its plug is pulled, the door says so."""
    with VirtualCamera(picture=portrait_path) as camera, door_of(camera.address) as door:
        assert next_frame(door).picture.shape == (512, 512, 3)
        camera.kill()
        with pytest.raises(DoorError):
            while True:
                next_frame(door)


def test_an_rtsp_camera_that_refuses_the_password_is_told_apart(portrait_path: Path) -> None:
    """A wrong password is named as such, and stands in no message."""
    with VirtualCamera(user="viewer", password="right", picture=portrait_path) as camera:
        address = camera.address.replace("rtsp://", "rtsp://viewer:wr0ng-one@")
        said = failure_of(address)
        right = camera.address.replace("rtsp://", "rtsp://viewer:right@")
        with door_of(right) as door:
            assert next_frame(door).picture.shape == (512, 512, 3)
    assert "password" in said
    assert "wr0ng-one" not in said


def test_an_rtsp_camera_that_freezes_is_noticed(portrait_path: Path) -> None:
    """A camera that goes silent without hanging up ends in an error, not in a wait for ever."""
    with VirtualCamera(picture=portrait_path) as camera, door_of(camera.address) as door:
        next_frame(door)
        camera.freeze()
        try:
            with pytest.raises(DoorError, match=r"silent|no picture"):
                while True:
                    next_frame(door)
        finally:
            camera.resume()
