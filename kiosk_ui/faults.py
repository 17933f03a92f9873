"""What is wrong with cameras, room and disk, and what to do about it, in words.

Owns the sentences for the codes of ``edge.rules.alerts`` and ``conditions``; their translation is
in ``translations``. Must be called inside a request, which has the language.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from edge.look.language import _
from edge.rules.alerts import BOX, Case, Code
from edge.rules.conditions import Conditions, Doubt


@dataclass(frozen=True, slots=True)
class Fault:
    """``short`` names it, ``remedy`` says what to do."""

    short: str
    remedy: str

    @property
    def words(self) -> str:
        """Both in one."""
        return _("%(short)s. %(remedy)s", short=self.short, remedy=self.remedy)


def of_case(case: Case, labels: Mapping[str, str]) -> Fault:
    """Return the words for an alert. *labels*: camera → what stands on its cable."""
    label = labels.get(case.subject, case.subject)
    if case.subject == BOX:
        return _of_box(case.code)
    technician = _("Call the technician. Check-in is not affected")
    return {
        Code.OFFLINE: Fault(
            _("Classroom camera not connected: check cable %(label)s", label=label),
            _("Check-in is not affected"),
        ),
        Code.REFUSED: Fault(_("Camera %(label)s refuses the password", label=label), technician),
        Code.UNUSABLE: Fault(_("Camera %(label)s gives no usable video", label=label), technician),
        Code.NOT_RECORDING: Fault(
            _("Camera %(label)s is not being recorded", label=label),
            _("Pull its plug for ten seconds; if this stays, call the technician"),
        ),
        Code.PICTURE_BLACK: Fault(
            _("Camera %(label)s shows a black picture", label=label),
            _("Switch on the light, or take the cap off the lens"),
        ),
        Code.PICTURE_COVERED: Fault(
            _("Something covers camera %(label)s", label=label),
            _("Take away what hangs before the lens, or wipe it"),
        ),
        Code.PICTURE_FROZEN: Fault(
            _("Camera %(label)s repeats a single picture", label=label),
            _("Pull its plug for ten seconds"),
        ),
        Code.VIEW_CHANGED: Fault(
            _("Camera %(label)s was turned away", label=label),
            _(
                "It shows another view than in the last lesson: turn it back to the classroom. If "
                "it was moved on purpose, the technician accepts the new view"
            ),
        ),
        Code.FRAME_RATE: Fault(
            _("Camera %(label)s sends too few pictures", label=label),
            _("Check its cable and the network switch"),
        ),
        Code.CLOCK: Fault(
            _("The time in the picture of camera %(label)s is wrong", label=label),
            _("The box cannot set it: the technician sets it on the camera's own page"),
        ),
    }.get(case.code, Fault(_("Camera %(label)s needs attention", label=label), technician))


def _of_box(code: Code) -> Fault:
    if code is Code.NOT_BOUND:
        return Fault(
            _("No classroom camera is bound to this room"),
            _("Lessons are not recorded: the technician binds a camera. Check-in is not affected"),
        )
    more_room = _("Connect the box to the centre, or ask for a larger card")
    if code is Code.DISK_FULL:
        return Fault(
            _("Storage is full, recording has stopped"),
            _("Attendance and snapshots are still kept. %(remedy)s", remedy=more_room),
        )
    if code is Code.DISK_DEGRADED:
        return Fault(
            _("Storage is filling, video is recorded smaller"),
            _("Attendance and snapshots come first. %(remedy)s", remedy=more_room),
        )
    return Fault(_("Storage lasts for a few more days only"), more_room)


def of_doubt(doubt: Doubt) -> Fault:
    """Return the words for what no alert says."""
    if doubt is Doubt.RECORDER_SILENT:
        return Fault(
            _("The recorder does not answer"),
            _("It starts again by itself; if this stays, call the technician"),
        )
    if doubt is Doubt.CLOCK:
        return Fault(
            _("The clock may be wrong"),
            _("Compare it with a phone; records say so and are corrected later"),
        )
    return Fault(
        _("The door camera gives no picture"),
        _("Check its cable; the instructor can enter people by hand"),
    )


def of_conditions(found: Conditions, labels: Mapping[str, str]) -> list[Fault]:
    """Return why hours may not count, worst first."""
    return [
        *(of_case(case, labels) for case in found.alerts),
        *(of_doubt(doubt) for doubt in found.doubts),
    ]
