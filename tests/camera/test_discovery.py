"""Cameras are found, whatever their answers look like."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from camera.discovery import Found, devices, read_answer
from tests.processes import CLASSBOX
from tests.virtual_cameras.network import NOT_ROOT, Cable, may_lay_cables
from tests.virtual_cameras.onvif import OnvifCamera

ASK = (
    "import json, dataclasses; from camera import discovery; "
    "print(json.dumps([dataclasses.asdict(one) for one in discovery.on_the_network()]))"
)


@pytest.mark.skipif(not may_lay_cables(), reason=NOT_ROOT)
def test_a_camera_at_the_other_end_of_a_cable_is_found() -> None:
    """Ipycam answers with the Action …/ProbeMatch, which the WSDiscovery package misses.

    It is found at the address that it has, not at the one it reports.
    """
    with Cable() as cable, OnvifCamera(cable):
        cable.give("192.0.2.99")
        done = subprocess.run(
            [*cable.box, sys.executable, "-c", ASK], capture_output=True, text=True, check=True
        )
    found = json.loads(done.stdout)
    assert [one["address"] for one in found] == ["onvif://192.0.2.99:8081"]
    assert found[0]["name"] and found[0]["endpoint"].startswith("urn:uuid:")


@pytest.mark.skipif(not may_lay_cables(), reason=NOT_ROOT)
def test_the_command_lists_make_and_serial_number_to_a_user(tmp_path: Path) -> None:
    """``classbox cameras discover``: what a technician reads off, and what is bound already."""
    settings = tmp_path / "box.toml"
    with Cable() as cable, OnvifCamera(cable) as camera:
        settings.write_text(
            '[box]\nid = "b"\nroom = "1"\ndata_dir = "box"\nruntime_dir = "run"\n'
            f'[[camera]]\nid = "front"\naddress = "{camera.address}"\n',
            "utf-8",
        )
        (tmp_path / "password").write_text(camera.password)
        command = [*cable.box, str(CLASSBOX), "--config", str(settings), "cameras", "discover"]
        login = ["--user", camera.user, "--password-file", str(tmp_path / "password")]
        done = subprocess.run([*command, *login], capture_output=True, text=True, check=True)
    assert camera.address in done.stdout and camera.serial in done.stdout
    assert "bound: front" in done.stdout and camera.password not in done.stdout


def match(xaddrs: str, scopes: str = "", prefix: str = "d:") -> str:
    return (
        f"<{prefix}ProbeMatch><{prefix}EndpointReference><a:Address>urn:uuid:7</a:Address>"
        f"</{prefix}EndpointReference><{prefix}Scopes>{scopes}</{prefix}Scopes>"
        f"<{prefix}XAddrs>{xaddrs}</{prefix}XAddrs></{prefix}ProbeMatch>"
    )


@pytest.mark.parametrize(
    ("xaddrs", "address"),
    [
        ("http://10.0.0.8/onvif/device_service", "onvif://10.0.0.8"),
        ("http://10.0.0.8:8000/onvif/device_service", "onvif://10.0.0.8:8000"),
        ("http://192.168.1.64/onvif/device_service", "onvif://10.0.0.8"),
        ("http://[fe80::1]/onvif/device_service http://10.0.0.8:85/odd", "onvif://10.0.0.8:85/odd"),
        ("https://10.0.0.8/onvif/device_service", "https://10.0.0.8/onvif/device_service"),
        ("http://10.0.0.8:port/ http://10.0.0.9:81/", "onvif://10.0.0.8:81"),
    ],
)
def test_the_address_is_the_senders(xaddrs: str, address: str) -> None:
    """Of what a camera reports, the port and path count; the host is where the answer came from."""
    assert [one.address for one in read_answer(match(xaddrs).encode(), "10.0.0.8")] == [address]


def test_an_answer_is_read_whatever_its_form() -> None:
    """No namespaces, broken XML, two cameras in one answer, percent signs."""
    scopes = (
        "onvif://www.onvif.org/name/%E6%95%99%E5%AE%A4 onvif://www.onvif.org/hardware/DS-2CD2T25 "
        "odd://vendor/mac/44-19-B6-00-11-22 onvif://www.onvif.org/name/second"
    )
    first, second = read_answer(
        (
            match("http://10.0.0.8/", scopes, prefix="") + match("http://10.0.0.8:81/") + "<&"
        ).encode(),
        "10.0.0.8",
    )
    assert first == Found(
        "onvif://10.0.0.8", "教室", "DS-2CD2T25", "44:19:b6:00:11:22", "urn:uuid:7"
    )
    assert second.address == "onvif://10.0.0.8:81"


@pytest.mark.parametrize(
    "content",
    [b"", b"\xff\xfe", b"<Probe/>", match("ftp://10.0.0.8/").encode(), match("").encode()],
)
def test_what_is_no_camera_is_not_listed(content: bytes) -> None:
    """Noise, other hosts' probes and answers without a usable address are passed over."""
    assert read_answer(content, "10.0.0.8") == []


def test_usb_cameras_are_listed_once(tmp_path: Path) -> None:
    """A UVC camera has a node for pictures and one for metadata; only the first is a camera."""
    for node, index in (("video0", "0"), ("video1", "1"), ("video10", "0"), ("video2", "0")):
        (tmp_path / node).mkdir()
        (tmp_path / node / "index").write_text(f"{index}\n")
        (tmp_path / node / "name").write_text(f"HD Webcam {node}\n")
    assert [(one.address, one.name) for one in devices(tmp_path)] == [
        ("v4l2:/dev/video0", "HD Webcam video0"),
        ("v4l2:/dev/video2", "HD Webcam video2"),
        ("v4l2:/dev/video10", "HD Webcam video10"),
    ]
