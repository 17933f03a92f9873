"""What the recorder proposes for a spot check, through real cameras."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2

from edge import requests
from edge.events import RequestAnswered, RequestRefused
from edge.model import MINUTE, SECOND
from tests.camera.room import Room, frames, now, ongoing
from tests.processes import wait_for
from tests.virtual_cameras import VirtualCamera


def propose(room: Room) -> str:
    """Ask for a spot check as the kiosk does."""
    with room.ledger() as ledger:
        return requests.ask(ledger, requests.SPOT_CHECK, {"lesson_id": "lesson-1"}, MINUTE)


def answer(room: Room, request_id: str) -> Any:
    """Wait for the recorder's answer."""
    found: list[Any] = []

    def answered() -> bool:
        with room.ledger() as ledger, ledger.store.read() as connection:
            found[:] = [requests.answer_of(connection, request_id)]
        return found[0] is not None

    wait_for("the recorder answers", answered, 90)
    return found[0]


def test_one_request_gives_several_photos_and_a_clip(tmp_path: Path) -> None:
    """Four pictures some seconds apart, each counted, and the last ten seconds of video."""
    with VirtualCamera() as camera:
        room = Room(tmp_path, [{"address": camera.address}], segment="05:00")
        ongoing(room)
        wait_for("it records", lambda: room.state() == "recording")
        asked = now()
        done = answer(room, propose(room))
        room.recorder.stop()
    assert isinstance(done, RequestAnswered)
    items = done.result["items"]
    photos = [one for one in items if one["sort"] == "photo"]
    (clip,) = [one for one in items if one["sort"] == "clip"]
    assert len(photos) == 4 and len({one["at"] for one in photos}) == 4
    for one in photos:
        assert (one["source"], one["camera"]) == ("classroom", "cam-1")
        assert one["at"] > asked - 10 * SECOND and one["heads"] >= 0
        assert cv2.imread(str(tmp_path / "run" / one["file"])) is not None
    assert clip["camera"] == "cam-1"
    assert frames(tmp_path / "run" / clip["file"])[-1] > 3


def test_with_the_classroom_camera_dead_the_spare_one_is_asked(tmp_path: Path) -> None:
    """Its pictures are marked as such; with both dead the answer says why, without a login."""
    with VirtualCamera(user="viewer", password="it is secret") as spare:
        login = {"user": "viewer", "password": "it is secret"}
        room = Room(
            tmp_path,
            [
                {"address": "rtsp://127.0.0.1:9/main", **login},
                {"address": spare.address, "role": "spare", **login},
            ],
        )
        ongoing(room)
        wait_for("the lamp tells", lambda: room.state() == "offline")
        first = answer(room, propose(room))
        spare.kill()
        second = answer(room, propose(room))
        room.recorder.stop()
    assert isinstance(first, RequestAnswered)
    assert {(one["source"], one["camera"]) for one in first.result["items"]} == {("spare", "cam-2")}
    assert isinstance(second, RequestRefused)
    assert "C1" in second.reason and "C2" in second.reason
    assert "secret" not in second.reason + room.recorder.log.read_text("utf-8")
