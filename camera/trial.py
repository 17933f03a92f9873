"""Trying a camera out and setting it up, for the command line and the recorder alike.

Owns what becomes known of a camera that way: the facts go into the ledger here. Everything raises
StreamFailed with a sentence that says what to do.
"""

from __future__ import annotations

from pathlib import Path

from camera import onvif, photo
from camera.findings import Finding
from camera.onvif import Identity
from camera.onvif_setup import SetUp, set_up
from camera.stream import with_login
from camera.whereabouts import same_camera, state_clock
from edge.camera_events import CameraSetUp
from edge.config import CameraConfig
from edge.ledger import Ledger
from edge.model import ClockQuality


def try_out(camera: CameraConfig, picture: Path) -> Identity | None:
    """Log in, and write a test photo to *picture*; return who the camera says it is (ONVIF)."""
    if camera.kind == "v4l2":
        photo.from_device(camera.address, picture)
        return None
    identity, address = None, camera.address
    if camera.kind == "onvif":
        identity = onvif.look_up(camera.address, camera.user, camera.password)
        address = identity.stream
    photo.from_stream(with_login(address, camera.user, camera.password), camera.transport, picture)
    return identity


def adjust(ledger: Ledger, camera: CameraConfig, zone: str, room: str) -> SetUp:
    """Set the ONVIF camera up, with the *room* in its picture, and state what came of it."""
    synchronised = ledger.clock.now().clock is ClockQuality.SYNCHRONISED
    done = set_up(
        camera.address,
        camera.user,
        camera.password,
        zone=zone if synchronised else "",
        text=room,
    )
    state_clock(ledger, camera.id, done.clock, done.clock_ahead)
    ledger.append(
        CameraSetUp(
            camera=camera.id,
            encoding=done.encoding.encoding,
            width=done.encoding.width,
            height=done.encoding.height,
            frame_rate=done.encoding.frame_rate,
            key_frame_every=done.encoding.key_frame_every,
            kilobits=done.encoding.kilobits,
            findings=tuple(str(finding) for finding in done.findings),
        )
    )
    return done


def findings_of(camera: CameraConfig, identity: Identity | None) -> list[Finding]:
    """Return what is to be known of *camera* before anything is set."""
    if camera.kind == "rtsp":
        return [Finding.NO_ONVIF]
    if identity is not None and not same_camera(camera.serial, identity.serial):
        return [Finding.OTHER_SERIAL]
    return []
