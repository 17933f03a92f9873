"""Where a camera is, and whether it is the one that was bound.

Owns a camera's address in the course of a run: asking it who it is (ONVIF), and looking for it on
the network when it no longer answers where it was. Promises that nothing here waits (questions run
beside the service loop), that a camera of another room, which got this one's address, is never
recorded in its place, and that no camera is asked twice with a login that it refused.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import replace

from camera import discovery, onvif
from camera.discovery import Found
from camera.failures import Failure, StreamFailed
from camera.onvif import Identity
from camera.stream import with_login
from camera.task import Task
from edge import cameras
from edge.camera_events import CameraClockSet, CameraIdentified, CameraMoved
from edge.clock import monotonic
from edge.config import CameraConfig
from edge.ledger import Ledger
from edge.model import ClockQuality

log = logging.getLogger("classbox")

# A camera that restarts is away for a minute; one that moved stays away.
SEARCH_AFTER = 3
SEARCH_EVERY_S = 60.0
# A shorter number on a label would end many others.
_TELLING = 6

# What was asked and refused: address, endpoint.
Refusals = set[tuple[str, str]]


class Whereabouts:
    """One camera's address. ``camera`` is as it is dialled now, ``identity`` as it last said."""

    def __init__(self, camera: CameraConfig, ledger: Ledger, zone: str) -> None:
        """*zone*: the box's time zone, for the camera's clock."""
        self.camera = camera
        self.identity: Identity | None = None
        self._ledger = ledger
        self._zone = zone
        self._asking: Task[Identity] | None = None
        self._searching: Task[str] | None = None
        self._search_at = 0.0
        self._refused: Refusals = set()

    def stream(self) -> str:
        """Return the RTSP address with its login; empty while an ONVIF camera is not looked up."""
        camera = self.camera
        if camera.kind != "onvif":
            return with_login(camera.address, camera.user, camera.password)
        if self.identity is None:
            return ""
        return with_login(self.identity.stream, camera.user, camera.password)

    def substream(self) -> str:
        """Return the address of the smaller stream with its login; empty where none is known."""
        camera = self.camera
        found = self.identity.substream if self.identity else camera.substream
        return with_login(found, camera.user, camera.password) if found else ""

    def address(self) -> str:
        """Return where to dial, empty while that is being found out. Raises StreamFailed."""
        if self.camera.kind == "onvif" and self.identity is None:
            if self._asking is None:
                self._asking = self._ask()
            if not self._asking.done:
                return ""
            task, self._asking = self._asking, None
            self._recognise(task.result())
        return self.stream()

    def failed(self, kind: Failure, times: int, busy: Iterable[str]) -> None:
        """Take note of a failure, *times* in a row; look for the camera when it is gone.

        *busy*: addresses at which other cameras of this room work; those are not asked.
        """
        if self.camera.kind != "onvif":
            return
        if kind in (Failure.UNREACHABLE, Failure.UNUSABLE, Failure.SILENT):
            self.identity = None  # it may have another address for its stream now
        lost = kind in (Failure.UNREACHABLE, Failure.SILENT) and times >= SEARCH_AFTER
        if (lost or kind is Failure.ANOTHER) and monotonic() >= self._search_at:
            self._search(busy)

    def look(self) -> bool:
        """Take over what a search found; True when the camera has another address now."""
        if self._searching is None or not self._searching.done:
            return False
        task, self._searching = self._searching, None
        address, camera = task.result(), self.camera
        if address in ("", camera.address):
            return False
        self._ledger.append(CameraMoved(camera.id, camera.serial, camera.address, address))
        log.warning("camera %s: found again by its serial number at %s", camera.id, address)
        self.camera, self.identity = replace(camera, address=address), None
        return True

    def _ask(self) -> Task[Identity]:
        camera = self.camera
        synchronised = self._ledger.clock.now().clock is ClockQuality.SYNCHRONISED
        zone = self._zone if synchronised else ""
        return Task(lambda: onvif.look_up(camera.address, camera.user, camera.password, zone=zone))

    def _search(self, busy: Iterable[str]) -> None:
        if self._searching is None and self.camera.serial:
            self._search_at = monotonic() + SEARCH_EVERY_S
            camera, passed_over = self.camera, frozenset(busy)
            self._searching = Task(
                lambda: find(camera, passed_over, self._refused, discovery.on_the_network())
            )

    def _recognise(self, identity: Identity) -> None:
        """Take *identity* for the camera's, unless it is another's. Raises StreamFailed."""
        camera = self.camera
        state_clock(self._ledger, camera.id, identity.clock, identity.clock_ahead)
        if not same_camera(camera.serial, identity.serial):
            raise StreamFailed(
                Failure.ANOTHER,
                f"{camera.address}: another camera answers there (serial number {identity.serial}, "
                f"not {camera.serial}). The box looks for its own. If it was replaced, bind the "
                "new one: classbox cameras add.",
            )
        self.identity = identity
        state(self._ledger, camera.id, identity)
        self.camera = replace(camera, serial=identity.serial or camera.serial)


def state_clock(ledger: Ledger, camera: str, outcome: str, ahead: int) -> None:
    """Append what became of a camera's clock; that it refuses to be set is stated once."""
    if outcome == "kept":
        return
    with ledger.writing() as writer:
        known = cameras.stated(writer.connection).get(camera, {}).get(cameras.CLOCK, {})
        if not outcome == known.get("outcome") == "refused":
            writer.append(CameraClockSet(camera, ahead, outcome))


def state(ledger: Ledger, camera: str, identity: Identity) -> None:
    """Append what a camera says of itself, unless the ledger says so already."""
    said = CameraIdentified(
        camera,
        identity.manufacturer,
        identity.model,
        identity.serial,
        identity.firmware,
        identity.mac,
    )
    with ledger.writing() as writer:
        facts = cameras.stated(writer.connection).get(camera, {})
        known = facts.get(cameras.IDENTIFIED, {})
        if any(known.get(name) != value for name, value in vars(said).items()):
            writer.append(said)


def find(
    camera: CameraConfig, busy: frozenset[str], refused: Refusals, seen: Iterable[Found]
) -> str:
    """Return at which of the *seen* cameras' addresses *camera* answers now, empty for none.

    Cameras that refuse its login are put among *refused* and not asked again: some lock the account
    of who tries often.
    """
    for found in seen:
        key = (found.address, found.endpoint)
        if found.address in busy or key in refused:
            continue
        try:
            identity = onvif.look_up(found.address, camera.user, camera.password)
        except StreamFailed as failure:
            if failure.kind is Failure.REFUSED:
                refused.add(key)
            continue
        if identity.serial and same_camera(camera.serial, identity.serial):
            return found.address
    return ""


def same_camera(known: str, said: str) -> bool:
    """Tell whether two serial numbers mean one camera; an empty one tells nothing against it.

    Labels show the end of what ONVIF says (DS-2CD2143G0-I20180801AAWRC31234567, C31234567).
    """
    one, other = sorted((known.strip().upper(), said.strip().upper()), key=len)
    return not one or one == other or (len(one) >= _TELLING and other.endswith(one))
