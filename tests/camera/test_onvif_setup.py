"""Setting cameras up: what is out of bounds is set, and what cannot be is said."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta

import pytest

from camera import onvif
from camera.failures import Failure, StreamFailed
from camera.findings import Finding, words
from camera.onvif_setup import Encoding, Offer, SetUp, set_up, wanted_of
from tests.virtual_cameras.onvif import OnvifCamera
from tests.virtual_cameras.onvif_device import Encoder, Faults, OnvifDevice, Osd

ZONE = "Asia/Shanghai"
TEXT = "203 教室"
A_DAY = timedelta(days=1)


@pytest.fixture
def device() -> Iterator[OnvifDevice]:
    """Lend a device whose owner cared for nothing."""
    with OnvifDevice() as running:
        yield running


def look_up(device: OnvifDevice, zone: str = "") -> onvif.Identity:
    return onvif.look_up(device.address, device.user, device.password, zone=zone)


def done(device: OnvifDevice, zone: str = ZONE) -> SetUp:
    return set_up(device.address, device.user, device.password, zone=zone, text=TEXT)


def test_home_assistant_121952_camera_clock_reset_breaks_login(device: OnvifDevice) -> None:
    """A camera back in 1970 refuses every login that carries today's time.

    It is asked its time first, logged in by it, set right, and logged in by the right time since.
    """
    device.clock_offset = -56 * 365 * A_DAY
    identity = look_up(device, ZONE)
    assert identity.serial == device.serial
    assert identity.clock == "set"
    assert identity.clock_ahead < -55 * 365 * 86_400
    assert abs(device.clock_offset) < timedelta(seconds=2)
    assert device.zone == "CST-8"
    assert device.refused == 0


def test_a_camera_that_keeps_its_clock_is_used_all_the_same(device: OnvifDevice) -> None:
    """It agrees to be set and is not: said so, and its own time goes on opening it."""
    device.clock_offset, device.faults.keeps_clock = 2 * A_DAY, True
    identity = look_up(device, ZONE)
    assert (identity.clock, identity.stream) == ("refused", "rtsp://127.0.0.1:554/main")
    assert device.refused == 0


def test_a_camera_that_tells_its_time_only_to_users_is_logged_in_by_its_date(
    device: OnvifDevice,
) -> None:
    """The Date of its refusal is its clock."""
    device.clock_offset, device.faults.time_needs_login = 2 * A_DAY, True
    identity = look_up(device)
    assert identity.clock == "kept"  # no time zone given: the clock is left alone
    assert abs(identity.clock_ahead - 2 * 86_400) <= 2
    assert identity.mac == "44:19:b6:00:11:22"


def test_python_onvif_zeep_60_hang_without_operation_timeout(device: OnvifDevice) -> None:
    """A camera that takes connections and never answers ends the question."""
    device.faults.deaf = True
    with pytest.raises(StreamFailed) as caught:
        look_up(device)
    assert caught.value.kind is Failure.UNREACHABLE
    assert device.password not in str(caught.value)


def test_a_camera_is_set_to_what_a_recording_needs(device: OnvifDevice) -> None:
    """Too small, key frames 7 s apart, 8 Mbit/s: set; the rate of 15 pictures is left alone."""
    result = done(device)
    assert result.findings == (Finding.NO_SNAPSHOT_ADDRESS,)
    assert device.encoder == Encoder("H264", 1920, 1080, 15, 30, 4096)
    assert result.encoding.key_frame_every == 2000
    assert [(one.sort, one.text, one.corner) for one in device.osds] == [
        ("DateAndTime", "", "UpperLeft"),
        ("Plain", TEXT, "LowerLeft"),
    ]


def test_what_is_well_is_left_alone(device: OnvifDevice) -> None:
    """A second set-up sets nothing; a new name of the room replaces the old one only."""
    device.osds.append(Osd("vendor", "Plain", "Acme", "UpperRight"))
    done(device)
    device.asked.clear()
    done(device)
    assert not [call for call in device.asked if call.startswith(("Set", "Create"))]
    set_up(device.address, device.user, device.password, zone=ZONE, text="204")
    assert [one.text for one in device.osds] == ["Acme", "", "204"]


@pytest.mark.parametrize(
    ("faults", "expected"),
    [
        (Faults(no_osd=True), {Finding.NO_OSD}),
        (Faults(no_chinese=True), {Finding.NO_OSD_ROOM}),
        (
            Faults(keeps_encoder=True),
            {
                Finding.ENCODER_FIXED,
                Finding.SMALL_PICTURE,
                Finding.RARE_KEY_FRAMES,
                Finding.HIGH_BITRATE,
            },
        ),
    ],
)
def test_each_limitation_is_named(
    device: OnvifDevice, faults: Faults, expected: set[Finding]
) -> None:
    """What a camera refuses, or agrees to and does not do, is found by asking again."""
    device.faults = faults
    assert set(done(device).findings) == expected | {Finding.NO_SNAPSHOT_ADDRESS}


def test_a_camera_of_another_encoding_is_set_to_h264_where_it_can(device: OnvifDevice) -> None:
    """Browsers play nothing else; where there is none, that is said."""
    device.encoder = Encoder("JPEG", 640, 360, 15, 0, 8192)
    device.faults.no_h264 = True
    assert Finding.NO_H264 in done(device).findings
    device.faults.no_h264 = False
    assert Finding.NO_H264 not in done(device).findings
    assert device.encoder.encoding == "H264"


def test_a_box_that_does_not_know_the_time_sets_no_clock(device: OnvifDevice) -> None:
    """Two clocks would be wrong then."""
    device.clock_offset = A_DAY
    assert Finding.BOX_TIME_UNKNOWN in done(device, zone="").findings
    assert device.clock_offset == A_DAY


def test_ipycam_is_used_within_its_limits() -> None:
    """A camera nobody here wrote, which can be set in nothing: every limitation is in the list."""
    with OnvifCamera() as camera:
        question = {"address": camera.address, "user": camera.user, "password": camera.password}
        answered = subprocess.run(
            [*camera.inside, sys.executable, "-m", "camera.onvif_setup"],
            input=json.dumps({**question, "zone": ZONE, "text": TEXT}),
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
    answer = json.loads(answered.stdout)
    assert answer["encoding"]["encoding"] == "H264"
    assert {Finding.SMALL_PICTURE, Finding.NO_OSD} <= set(answer["findings"])


@pytest.mark.parametrize(
    ("now", "offer", "wanted"),
    [
        (
            Encoding("H264", 2560, 1440, 30, 30, 4096),
            Offer(((2560, 1440), (1280, 720), (1920, 1080)), 30, 250),
            Encoding("H264", 1920, 1080, 25, 30, 4096),
        ),
        (
            Encoding("H264", 1280, 720, 12, 24, 2048),
            Offer(((1920, 1080),), 30, 250),
            Encoding("H264", 1280, 720, 12, 24, 2048),
        ),
        (
            Encoding("JPEG", 640, 480, 5, 0, 0),
            Offer(((640, 480),), 15, 20),
            Encoding("H264", 640, 480, 15, 20, 4096),
        ),
    ],
)
def test_only_what_is_out_of_bounds_is_wanted_otherwise(
    now: Encoding, offer: Offer, wanted: Encoding
) -> None:
    """Too large, all well, and an encoder with narrow limits of its own."""
    assert wanted_of(now, offer) == wanted


def test_every_finding_has_words_in_both_languages() -> None:
    """Each code of the events is a sentence for staff."""
    for finding in Finding:
        chinese, english = words(finding)
        assert chinese.endswith(("。", "）。")) and english.endswith(".")
