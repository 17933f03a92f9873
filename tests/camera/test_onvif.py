"""A camera given by its ONVIF address, from a package that nobody here wrote."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from camera.failures import Failure, StreamFailed
from camera.onvif import look_up
from camera.onvif_client import dialled, service_address
from edge.events import RecordingStored
from tests.camera.room import Room, everything_plays, ongoing, records_again
from tests.processes import in_another_time
from tests.virtual_cameras.onvif import OnvifCamera


@pytest.fixture(scope="module")
def camera() -> Iterator[OnvifCamera]:
    """Lend one ONVIF camera in its own network."""
    with OnvifCamera() as running:
        yield running


def asked(camera: OnvifCamera, module: str, question: dict[str, Any]) -> dict[str, Any]:
    """Return what a one-shot process answers inside the camera's network."""
    done = subprocess.run(
        [*camera.inside, sys.executable, "-m", module],
        input=json.dumps(question),
        stdout=subprocess.PIPE,
        text=True,
        timeout=60,
        check=True,
    )
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def test_an_onvif_address_is_enough_to_record(camera: OnvifCamera, tmp_path: Path) -> None:
    """Address → stream address → recording, although the camera reports a host of its own."""
    settings = {"address": camera.address, "user": camera.user, "password": camera.password}
    room = Room(tmp_path, [settings], inside=camera.inside)
    window = ongoing(room, slots=((0, 1, 60),))
    records_again(room, 1)
    room.recorder.stop()
    assert room.facts(RecordingStored)
    everything_plays(room, window)
    assert camera.password not in room.recorder.log.read_text("utf-8")


def test_the_camera_says_who_it_is(camera: OnvifCamera) -> None:
    """Identity for the record, addresses that can be dialled, and how far its clock is off."""
    answer = asked(
        camera,
        "camera.onvif",
        {"address": camera.address, "user": camera.user, "password": camera.password},
    )
    assert answer["manufacturer"] and answer["model"] and answer["serial"]
    assert answer["stream"].startswith("rtsp://127.0.0.1:")
    assert answer["snapshot"].startswith("http://127.0.0.1:")
    assert abs(answer["clock_ahead"]) < 3600


def test_a_wrong_onvif_password_is_refused(camera: OnvifCamera) -> None:
    """The library's constructor proves nothing; our answer names the password and the remedy."""
    answer = asked(
        camera,
        "camera.onvif",
        {"address": camera.address, "user": camera.user, "password": "wrong-one"},
    )
    assert answer["failure"] == "refused"
    assert "password" in answer["message"] and "wrong-one" not in answer["message"]


def test_home_assistant_121952_a_clock_hours_off_breaks_no_login(tmp_path: Path) -> None:
    """Ipycam refuses time stamps that are not of its own time: it is asked for that first."""
    behind = in_another_time(tmp_path / "clock", "-3h")
    with OnvifCamera(environment=behind) as late:
        answer = asked(
            late,
            "camera.onvif",
            {"address": late.address, "user": late.user, "password": late.password},
        )
    assert answer["serial"] == late.serial
    assert abs(answer["clock_ahead"] + 3 * 3600) < 60


def test_python_onvif_zeep_60_a_frozen_camera_ends_the_question() -> None:
    """Its connections stay open and nothing is answered: it is given up, and the remedy said."""
    with OnvifCamera() as frozen:
        frozen.freeze()
        answer = asked(
            frozen,
            "camera.onvif",
            {"address": frozen.address, "user": frozen.user, "password": frozen.password},
        )
    assert answer["failure"] == "unreachable"
    assert frozen.password not in answer["message"]


def test_a_picture_comes_from_the_snapshot_address(camera: OnvifCamera, tmp_path: Path) -> None:
    """The camera's own snapshot address gives a JPEG, with the login it asks for."""
    address = f"http://127.0.0.1:{camera.port}/snapshot.jpg"
    picture = tmp_path / "picture.jpg"
    question = {
        "snapshot": address,
        "user": camera.user,
        "password": camera.password,
        "path": str(picture),
    }
    assert asked(camera, "camera.photo", question)["at"] > 0
    assert picture.read_bytes().startswith(b"\xff\xd8")
    refused = asked(camera, "camera.photo", {**question, "password": "wrong-one"})
    assert refused["failure"] == "refused"


def test_another_service_is_not_taken_for_onvif(camera: OnvifCamera) -> None:
    """What answers without speaking ONVIF is told from what does not answer."""
    answer = asked(
        camera,
        "camera.onvif",
        {"address": "onvif://127.0.0.1:8554", "user": "", "password": ""},
    )
    assert answer["failure"] == "unusable"
    assert "ONVIF" in answer["message"]


def test_an_absent_onvif_camera_is_unreachable() -> None:
    """A dead address ends soon, with what to look at."""
    with pytest.raises(StreamFailed, match="power") as caught:
        look_up("onvif://127.0.0.1:9", "admin", "secret")
    assert caught.value.kind is Failure.UNREACHABLE


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("onvif://10.0.0.8", "http://10.0.0.8/onvif/device_service"),
        ("onvif://10.0.0.8:8000/", "http://10.0.0.8:8000/onvif/device_service"),
        ("https://cam.local/odd/path", "https://cam.local/odd/path"),
    ],
)
def test_a_short_address_means_the_usual_path(given: str, meant: str) -> None:
    """HOST:PORT is enough; an unusual path can be given."""
    assert service_address(given) == meant


def test_a_reported_host_is_replaced_and_its_port_kept() -> None:
    """Cameras report the address that they had at the factory; the port is right, though."""
    reported = "rtsp://192.168.1.64:554/Streaming/Channels/101?transportmode=unicast"
    assert dialled(reported, "http://10.0.0.8:8000/onvif/device_service") == (
        "rtsp://10.0.0.8:554/Streaming/Channels/101?transportmode=unicast"
    )
