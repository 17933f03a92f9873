"""The three lamps at the foot: network, recording, clock.

A lamp is never colour alone, and speaks only when it is not green. Must be called inside a
request, which has the language.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from edge.config import Config
from edge.look.language import _
from edge.rules.alerts import BOX, Case, Code
from kiosk_ui import faults
from kiosk_ui.facts import Facts
from kiosk_ui.faults import Fault
from kiosk_ui.runtime import Camera

# What the recorder says of a camera before it is an alert: that a cable is out shows at once.
FAULTS = {
    "disk_full": Code.DISK_FULL,
    "refused": Code.REFUSED,
    "unusable": Code.UNUSABLE,
    "offline": Code.OFFLINE,
    "not_recording": Code.NOT_RECORDING,
}


@dataclass(frozen=True, slots=True)
class Lamp:
    """One lamp. ``state``: good | care | idle. ``short`` fits the foot, ``words`` say it all."""

    name: str
    state: str
    short: str
    words: str


def lamps(facts: Facts, config: Config) -> tuple[Lamp, Lamp, Lamp]:
    """Return the lamps in the order in which they stand."""
    return network(facts, config), recording(facts), clock(facts)


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


def recording(facts: Facts) -> Lamp:
    """Return whether the classroom is being recorded; green only while video reaches the disk."""
    name = _("Recording")
    states = facts.services.recorder
    if not facts.labels:
        return Lamp(name, "idle", name, _("No classroom camera is set up."))
    if states is None:
        return Lamp(
            name,
            "care",
            _("The recorder does not answer"),
            _(
                "The recorder does not answer. It starts again by itself; "
                "if this stays, call the technician. Check-in is not affected"
            ),
        )
    fault = _worst(facts, states)
    if fault is not None:
        return Lamp(name, "care", fault.short, fault.words)
    if any(camera.state == "recording" for camera in states.values()):
        return Lamp(name, "good", name, _("The classroom is being recorded."))
    return Lamp(name, "idle", name, _("Ready. Recording starts by itself with the lesson."))


def _worst(facts: Facts, states: Mapping[str, Camera]) -> Fault | None:
    """Return the worst fault: what the recorder says this moment, then the alerts that stand."""
    for state, code in FAULTS.items():
        for camera_id, camera in states.items():
            if camera.state == state:
                subject = BOX if code is Code.DISK_FULL else camera_id
                return faults.of_case(Case(subject, code), facts.labels)
    return next((faults.of_case(one.case, facts.labels) for one in facts.alerts), None)


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
