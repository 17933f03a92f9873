"""The three lamps at the foot: network, recording, clock.

A lamp is never colour alone, and speaks only when it is not green. Must be called inside a
request, which has the language.
"""

from __future__ import annotations

from dataclasses import dataclass

from edge.config import Config
from edge.look.language import _
from kiosk_ui.facts import Facts
from kiosk_ui.runtime import Camera

FAULTS = ("disk_full", "refused", "unusable", "offline")


@dataclass(frozen=True, slots=True)
class Lamp:
    """One lamp. ``state``: good | care | idle. ``short`` fits the foot, ``words`` say it all."""

    name: str
    state: str
    short: str
    words: str


def lamps(facts: Facts, config: Config) -> tuple[Lamp, Lamp, Lamp]:
    """Return the lamps in the order in which they stand."""
    return network(facts, config), recording(facts, config), clock(facts)


def network(facts: Facts, config: Config) -> Lamp:
    """Return whether the centre is reached; check-in does not depend on it."""
    name = _("Network")
    link = facts.services.link
    if config.link is None:
        return Lamp(name, "idle", name, _("No centre is set up. All records stay on this box."))
    if link.connected:
        return Lamp(name, "good", name, _("Connected to the centre."))
    return Lamp(
        name,
        "care",
        _("No network. Attendance is recorded as usual"),
        _("No network. Check-in is recorded as usual and uploads by itself later"),
    )


def recording(facts: Facts, config: Config) -> Lamp:
    """Return whether the classroom is being recorded; green only while video reaches the disk."""
    name = _("Recording")
    cameras = facts.services.recorder
    if not config.cameras:
        return Lamp(name, "idle", name, _("No classroom camera is set up."))
    if cameras is None:
        return Lamp(
            name,
            "care",
            _("The recorder does not answer"),
            _(
                "The recorder does not answer. It starts again by itself; "
                "if this stays, call the technician. Check-in is not affected"
            ),
        )
    labels = {one.id: one.label for one in config.cameras}
    for fault in FAULTS:
        for camera_id, camera in cameras.items():
            if camera.state == fault:
                return _fault(name, camera, labels.get(camera_id, camera_id))
    if cameras and all(camera.state == "recording" for camera in cameras.values()):
        return Lamp(name, "good", name, _("The classroom is being recorded."))
    return Lamp(name, "idle", name, _("Ready. Recording starts by itself with the lesson."))


def _fault(name: str, camera: Camera, label: str) -> Lamp:
    if camera.state == "disk_full":
        short = _("Storage is full, recording has stopped")
        return Lamp(
            name, "care", short, _("Storage is nearly full: attendance and snapshots come first")
        )
    if camera.state == "refused":
        short = _("Camera %(label)s refuses the password", label=label)
        words = _(
            "Camera %(label)s refuses the password. Call the technician. Check-in is not affected",
            label=label,
        )
        return Lamp(name, "care", short, words)
    if camera.state == "unusable":
        short = _("Camera %(label)s gives no usable video", label=label)
        words = _(
            "Camera %(label)s gives no usable video. Call the technician. Check-in is not affected",
            label=label,
        )
        return Lamp(name, "care", short, words)
    short = _("Classroom camera not connected: check cable %(label)s", label=label)
    words = _(
        "Classroom camera not connected: check cable %(label)s. Check-in is not affected",
        label=label,
    )
    return Lamp(name, "care", short, words)


def clock(facts: Facts) -> Lamp:
    """Return whether the time can be trusted."""
    name = _("Clock")
    if facts.clock_trusted:
        return Lamp(name, "good", name, _("The clock is synchronised."))
    return Lamp(
        name,
        "care",
        _("The clock may be wrong"),
        _(
            "The clock may be wrong: instructor, please compare with a phone. "
            "Records say so and are corrected later"
        ),
    )
