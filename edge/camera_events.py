"""The kinds of event about cameras as things: bound, known, moved, set up.

What cameras film is in ``edge.events``. No address here holds a login, and no password or
verification code is ever in an event. Pure.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from edge.events import Body

ROLES = ("classroom", "spare", "door")


@dataclass(frozen=True)
class CameraBound(Body, kind="camera.bound"):
    """A camera belongs to this room from here on (R13); a second one of the same id replaces it.

    ``type``, ``manufacturer``, ``model``, ``serial``: as staff record them (设备类型, 品牌, 型号,
    序列号); ``camera.identified`` is what the camera says itself. ``role``: one of ROLES.
    ``protocol``: onvif | rtsp | v4l2. ``by``: box (somebody at it) | centre (a document).
    """

    camera: str
    label: str
    type: str
    role: str
    room: str
    protocol: str
    address: str
    transport: str
    serial: str
    by: str
    manufacturer: str = ""
    model: str = ""


@dataclass(frozen=True)
class CameraUnbound(Body, kind="camera.unbound"):
    """A camera no longer belongs to this room."""

    camera: str
    by: str


@dataclass(frozen=True)
class CameraLinked(Body, kind="camera.linked"):
    """A camera films a lesson, or does so no more (``linked`` false).

    A lesson with links is filmed by those cameras; any other by all classroom cameras.
    """

    camera: str
    lesson_id: str
    linked: bool
    by: str


@dataclass(frozen=True)
class CameraIdentified(Body, kind="camera.identified"):
    """What a camera says of itself (ONVIF), stated when it differs from what was known."""

    camera: str
    manufacturer: str
    model: str
    serial: str
    firmware: str
    mac: str


@dataclass(frozen=True)
class CameraMoved(Body, kind="camera.moved"):
    """A camera was found again by its serial number under another address."""

    camera: str
    serial: str
    before: str
    after: str


@dataclass(frozen=True)
class CameraClockSet(Body, kind="camera.clock_set"):
    """A camera's clock was ``ahead`` seconds ahead of the box's, and was set or refused to be.

    ``outcome``: set | refused. Times drawn into its pictures before were wrong by that much.
    """

    camera: str
    ahead: int
    outcome: str


@dataclass(frozen=True)
class CameraSetUp(Body, kind="camera.set_up"):
    """A camera was set up through ONVIF: what it sends now, and each limitation found.

    ``key_frame_every``: milliseconds. ``findings``: codes of ``camera.findings``.
    """

    camera: str
    encoding: str
    width: int
    height: int
    frame_rate: int
    key_frame_every: int
    kilobits: int
    findings: Sequence[str]


@dataclass(frozen=True)
class RecordingOrdered(Body, kind="recording.ordered"):
    """Somebody wants a lesson recorded from here on, without waiting for its margin (R14).

    ``by``: an instructor's id, or who asked at the centre. ``request_id``: what this answers.
    """

    lesson_id: str
    by: str
    request_id: str
