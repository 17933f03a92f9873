"""A lesson is recorded and photographed by itself, through a real RTSP session."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

from edge.events import (
    CameraHealth,
    RecordingGap,
    RecordingStarted,
    RecordingStored,
    SnapshotMissed,
    SnapshotTaken,
)
from edge.model import SECOND, LessonState, Window
from tests.camera.room import Room, frames, lesson_from, now, short_profile, sound_of
from tests.processes import wait_for
from tests.virtual_cameras import VirtualCamera


def test_a_lesson_is_recorded_and_photographed_by_itself(tmp_path: Path) -> None:
    """Nobody touches anything: the whole window is on film, each slot has its picture, once."""
    profile = short_profile(7, margin_s=2, slots=((0, 1, 3), (3, 4, 7)))
    with VirtualCamera(user="viewer", password="it's: @ secret", audio="aac") as camera:
        room = Room(
            tmp_path,
            [{"address": camera.address, "user": "viewer", "password": "it's: @ secret"}],
            segment="00:03",
        )
        start = now() + 6 * SECOND
        room.plan((lesson_from(start, 7),), profile)
        room.start()
        wait_for("the lamp is lit", lambda: room.state() == "recording")
        wait_for("the lesson is over", lambda: room.state() == "waiting", 40)
        room.recorder.stop()

    parts = room.facts(RecordingStored)
    window = Window(start - 2 * SECOND, start + 9 * SECOND)
    assert room.unaccounted("lesson-1", window) == ()
    assert len(parts) >= 3
    for part, following in pairwise(parts):
        assert part.end == following.start
    for part in parts:
        assert not part.interrupted
        file = room.media(part.sha256)
        assert file.stat().st_size == part.bytes
        shown = frames(file)
        assert abs(shown[-1] - shown[0] - (part.end - part.start) / SECOND) < 0.5
        assert sound_of(file)[0] == "aac"
    # On a busy machine the recorder may be late; nothing is lost once it records.
    assert all(gap.end <= parts[0].start for gap in room.facts(RecordingGap))
    assert len(room.facts(RecordingStarted)) == 1
    assert [fact.state for fact in room.facts(CameraHealth)] == ["online"]
    assert room.snapshots() == [(0, 1, "taken"), (0, 2, "taken")]
    for picture, opens, closes in zip(room.facts(SnapshotTaken), (0, 3), (3, 7), strict=True):
        assert picture.method == "key_frame"
        assert start + opens * SECOND <= picture.at <= start + (closes + 1) * SECOND
        assert room.media(picture.sha256).read_bytes().startswith(b"\xff\xd8")
    assert room.unfinished() == []
    with room.ledger() as ledger:
        assert ledger.verify().intact
    assert "secret" not in room.recorder.log.read_text("utf-8")


def test_the_video_of_an_overlap_belongs_to_both_lessons(tmp_path: Path) -> None:
    """One stream serves lessons that follow each other; the shared part is one file, two facts."""
    profile = short_profile(3, margin_s=3)
    with VirtualCamera() as camera:
        room = Room(tmp_path, [{"address": camera.address}], segment="01:00")
        first = now() + 5 * SECOND
        second = first + 3 * SECOND
        room.plan((lesson_from(first, 3), lesson_from(second, 3, "lesson-2")), profile)
        room.start()
        wait_for("the lamp is lit", lambda: room.state() == "recording")
        child = room.recording_process()
        wait_for("both lessons record", lambda: len(room.facts(RecordingStarted)) == 2)
        assert room.recording_process() == child
        wait_for("both are over", lambda: room.state() == "waiting", 40)
        room.recorder.stop()

    assert room.unaccounted("lesson-1", Window(first - 3 * SECOND, first + 6 * SECOND)) == ()
    assert room.unaccounted("lesson-2", Window(second - 3 * SECOND, second + 6 * SECOND)) == ()
    parts = room.facts(RecordingStored)
    of_first = {part.sha256 for part in parts if part.lesson_id == "lesson-1"}
    of_second = {part.sha256 for part in parts if part.lesson_id == "lesson-2"}
    assert of_first & of_second
    assert room.unfinished() == []
    for sha256 in of_first | of_second:
        assert len(frames(room.media(sha256))) > 1


def test_two_cameras_record_at_once(tmp_path: Path) -> None:
    """What befalls one leaves the other alone: each has its own parts and its own gaps."""
    profile = short_profile(10, margin_s=2, slots=((0, 1, 10),))
    with VirtualCamera() as front, VirtualCamera(audio="aac") as back:
        room = Room(tmp_path, [{"address": front.address}, {"address": back.address}])
        start = now() + 6 * SECOND
        room.plan((lesson_from(start, 10),), profile)
        room.start()
        both = {"recording"}
        wait_for("the lamps are lit", lambda: {room.state("cam-1"), room.state("cam-2")} == both)
        front.kill()
        wait_for("the lamp shows it", lambda: room.state("cam-1") == "offline")
        wait_for("the lesson is over", lambda: room.state("cam-2") == "waiting", 40)
        room.recorder.stop()

    window = Window(start - 2 * SECOND, start + 12 * SECOND)
    parts = room.facts(RecordingStored)
    for camera in ("cam-1", "cam-2"):
        assert room.unaccounted("lesson-1", window, camera) == ()
        assert any(part.camera == camera for part in parts)
    begun = min(part.start for part in parts if part.camera == "cam-2")
    assert all(gap.end <= begun for gap in room.facts(RecordingGap) if gap.camera == "cam-2")
    assert any(gap.end == window.closes for gap in room.facts(RecordingGap))
    for part in parts:
        assert len(frames(room.media(part.sha256))) > 1
    assert room.snapshots() == [(0, 1, "taken")]


def test_a_cancelled_lesson_is_not_recorded(tmp_path: Path) -> None:
    """A lesson that does not take place leaves the camera alone."""
    profile = short_profile(20, slots=((0, 1, 2),))
    with VirtualCamera() as camera:
        room = Room(tmp_path, [{"address": camera.address}])
        cancelled = replace(
            lesson_from(now() - 5 * SECOND, 20, "cancelled"), state=LessonState.CANCELLED
        )
        taught = lesson_from(now() - 5 * SECOND, 20, "taught")
        room.plan((cancelled, taught), profile)
        room.start()
        wait_for("the other lesson records", lambda: room.facts(RecordingStarted))
        room.recorder.stop()
    assert {fact.lesson_id for fact in room.facts(RecordingStored)} == {"taught"}
    assert {fact.lesson_id for fact in room.facts(RecordingGap)} == {"taught"}
    assert {fact.lesson_id for fact in room.facts(SnapshotMissed)} == {"taught"}


def test_what_passed_while_the_box_was_off_is_stated(tmp_path: Path) -> None:
    """A box that wakes after the lesson says what is missing of it, once, and why."""
    profile = short_profile(3, margin_s=1, slots=((0, 1, 2), (2, 2, 3)))
    room = Room(tmp_path, [{"address": "rtsp://127.0.0.1:9/main"}])
    start = now() + 1 * SECOND
    room.plan((lesson_from(start, 3),), profile)
    wait_for("the lesson is over", lambda: now() > start + 6 * SECOND)
    for _ in range(2):
        room.start()
        wait_for("it is stated", lambda: len(room.snapshots()) == 2 and room.facts(RecordingGap))
        room.recorder.stop()
    assert room.snapshots() == [(0, 1, "missed"), (0, 2, "missed")]
    assert len(room.facts(SnapshotMissed)) == 2
    (gap,) = room.facts(RecordingGap)
    assert (gap.start, gap.end) == (start - SECOND, start + 4 * SECOND)
    assert gap.cause == "recorder_off"
    assert room.facts(CameraHealth) == []
