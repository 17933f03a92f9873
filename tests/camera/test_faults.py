"""What breaks in classrooms: each test is named after the failure that it guards against."""

from __future__ import annotations

import os
import signal
from dataclasses import replace
from pathlib import Path

from edge.events import CameraHealth, RecordingGap, RecordingStored, SnapshotMissed, SnapshotTaken
from edge.media import MediaStore
from edge.model import SECOND, LessonState
from tests.boxes import roster_of, send_documents
from tests.camera.room import (
    HOUR_S,
    Room,
    everything_plays,
    lesson_from,
    now,
    ongoing,
    records_again,
    short_profile,
)
from tests.camera.small_disk import in_own_disk
from tests.processes import wait_for
from tests.virtual_cameras import VirtualCamera


def test_kills_and_a_restarted_camera_cost_moments_only(tmp_path: Path) -> None:
    """The recording process, the recorder and the camera die in one lesson: three stated gaps."""
    with VirtualCamera() as camera:
        room = Room(tmp_path, [{"address": camera.address}], segment="01:00")
        window = ongoing(room, slots=((0, 1, 60),))
        records_again(room, 1)
        child = room.recording_process()
        os.kill(child, signal.SIGKILL)
        records_again(room, 2)
        orphan = room.recording_process()
        room.recorder.kill()
        wait_for("the child dies with its parent", lambda: not Path(f"/proc/{orphan}").exists())
        assert room.unfinished() != []
        room.start()
        records_again(room, 3)
        camera.kill()
        wait_for("the lamp shows it", lambda: room.state() == "offline")
        camera.restart()
        records_again(room, 4)
        room.recorder.stop()

    causes = [gap.cause for gap in room.facts(RecordingGap)]
    assert causes[:3] == ["recorder_off", "writing_failed", "recorder_off"]
    assert causes[3] in ("camera_hung_up", "camera_unreachable")
    interrupted = [part.interrupted for part in room.facts(RecordingStored)]
    assert interrupted == [True, True, True, False]
    assert room.snapshots() == [(0, 1, "taken")]
    assert len(room.facts(SnapshotTaken)) == 1
    everything_plays(room, window)


def test_a_frozen_camera_is_dialled_again(tmp_path: Path) -> None:
    """A camera that goes silent with its connection open is noticed, stated and recovered."""
    with VirtualCamera() as camera:
        room = Room(tmp_path, [{"address": camera.address}], segment="01:00")
        window = ongoing(room)
        records_again(room, 1)
        camera.freeze()
        froze = now()
        wait_for("the lamp shows it", lambda: room.state() == "offline", 30)
        camera.resume()
        records_again(room, 2)
        room.recorder.stop()

    frozen = room.facts(RecordingGap)[1]
    assert frozen.cause == "camera_silent"
    # The gap is as old as the silence, not as the moment at which it was noticed.
    assert abs(frozen.start - froze) <= 2 * SECOND
    assert "silent" in frozen.detail or "hung" in frozen.detail
    assert [fact.state for fact in room.facts(CameraHealth)] == ["online", "offline", "online"]
    everything_plays(room, window)


def test_a_camera_that_is_back_as_the_lesson_ends_is_no_longer_called_gone(tmp_path: Path) -> None:
    """What it still gave was too short to be announced as a recording; it is no fault any more."""
    with VirtualCamera() as camera:
        room = Room(tmp_path, [{"address": camera.address}], segment="01:00")
        window = ongoing(room)
        records_again(room, 1)
        camera.kill()
        wait_for("the lamp shows it", lambda: room.state() == "offline")
        camera.restart()
        media = MediaStore(room.data_dir / "media")
        wait_for("it gives video", lambda: media.unfinished([RecordingStored.kind]))
        with room.ledger() as ledger:
            over = replace(lesson_from(window.opens, HOUR_S), state=LessonState.CANCELLED)
            profile = short_profile(HOUR_S, margin_s=0)
            send_documents(ledger, (over,), roster_of(), {profile.name: profile}, version=2)
        wait_for("nothing is wrong", lambda: room.state() == "waiting")
        room.recorder.stop()


def test_cameras_that_give_no_video_are_told_apart(tmp_path: Path) -> None:
    """A wrong password, a wrong codec and an absent camera each have their own remedy."""
    with (
        VirtualCamera(user="viewer", password="right") as locked,
        VirtualCamera(codec="h265") as modern,
    ):
        room = Room(
            tmp_path,
            [
                {"address": locked.address, "user": "viewer", "password": "wrong-one"},
                {"address": modern.address},
                {"address": "rtsp://127.0.0.1:9/main"},
            ],
        )
        ongoing(room, slots=((0, 1, 12),))
        expected = {"cam-1": "refused", "cam-2": "unusable", "cam-3": "offline"}
        wait_for(
            "the lamps tell",
            lambda: {camera: room.state(camera) for camera in expected} == expected,
        )
        wait_for("the snapshot is given up", lambda: room.facts(SnapshotMissed))
        causes = {camera: room.cause(camera) for camera in expected}
        room.recorder.stop()

    assert "password" in causes["cam-1"]
    assert "H.264" in causes["cam-2"]
    assert "power" in causes["cam-3"]
    stated = {fact.camera: fact.state for fact in room.facts(CameraHealth)}
    assert stated == expected
    (missed,) = room.facts(SnapshotMissed)
    assert "refused" in missed.cause
    told = room.recorder.log.read_text("utf-8") + missed.cause + "".join(causes.values())
    assert "wrong-one" not in told


def test_frigate_8533_open_nvr_244_a_full_disk_stops_the_video_not_silently(
    tmp_path: Path,
) -> None:
    """Substream, key frames, stop; attendance and snapshots on the last byte; and all back."""
    in_own_disk(tmp_path, "tests.camera.full_disk", "filling", kilobytes=200 * 1024)


def test_a_disk_without_a_byte_left_loses_only_the_last_moment(tmp_path: Path) -> None:
    """ENOSPC in the middle of a file: it is reported, plays, and is stored when there is room."""
    in_own_disk(tmp_path, "tests.camera.full_disk", "last_byte", kilobytes=1_500)
