"""Whether a lesson is being supervised as its hours need it: 本节课监管条件正常, or why not. Pure.

Owns which faults put a lesson's hours at risk. A fault that only spoils comfort, such as a slow
frame rate or a disk that will be full in a few days, is an alert and no risk.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum

from edge.model import Instant, Lesson, Profile, Window
from edge.rules.alerts import Case, Code
from edge.rules.lessons import TAUGHT, recording_window, start_window

RISKS = (
    Code.NOT_BOUND,
    Code.OFFLINE,
    Code.REFUSED,
    Code.UNUSABLE,
    Code.NOT_RECORDING,
    Code.DISK_FULL,
    Code.PICTURE_BLACK,
    Code.PICTURE_COVERED,
    Code.PICTURE_FROZEN,
    Code.VIEW_CHANGED,
)
_OUT = (Code.OFFLINE, Code.REFUSED, Code.UNUSABLE, Code.NOT_RECORDING)


class Doubt(StrEnum):
    """What else puts hours at risk, beside the alerts that stand."""

    RECORDER_SILENT = "recorder_silent"
    CLOCK = "clock_doubtful"
    DOOR = "door_camera_out"


@dataclass(frozen=True, slots=True)
class Conditions:
    """How a lesson stands. ``known``: whether a camera shows by now that it records.

    ``alerts`` and ``doubts`` are the reasons, worst first.
    """

    known: bool
    alerts: tuple[Case, ...]
    doubts: tuple[Doubt, ...]

    @property
    def good(self) -> bool:
        """Whether nothing is known that puts the hours at risk."""
        return self.known and not self.at_risk

    @property
    def at_risk(self) -> bool:
        """Whether something puts the hours at risk."""
        return bool(self.alerts or self.doubts)


def light_window(lesson: Lesson, profile: Profile) -> Window:
    """Return when the light is shown: from the first check-in (S−15) to the recording's end."""
    opens = start_window(lesson, profile).opens
    return Window(opens, max(opens, recording_window(lesson, profile).closes))


def conditions(
    lesson: Lesson,
    profile: Profile,
    now: Instant,
    *,
    standing: Collection[Case],
    cameras: Mapping[str, str] | None,
    clock_trusted: bool,
    door: bool,
) -> Conditions | None:
    """Return how *lesson* stands at *now*; None outside of its time, or when it does not happen.

    *standing*: the alerts that stand. *cameras*: the state of each classroom camera as the
    recorder shows it, None when it does not answer. *door*: the door camera gives a picture, or
    none is set up.
    """
    if lesson.state not in TAUGHT or not light_window(lesson, profile).holds(now):
        return None
    # That a camera is out counts at once: the light needs no patience, it calls nobody.
    out = {Case(name, Code(state)) for name, state in (cameras or {}).items() if state in _OUT}
    risks = sorted(
        {case for case in standing if case.code in RISKS} | out,
        key=lambda case: (RISKS.index(case.code), case.subject),
    )
    doubts = [
        doubt
        for doubt, holds in (
            (Doubt.RECORDER_SILENT, cameras is None),
            (Doubt.CLOCK, not clock_trusted),
            (Doubt.DOOR, not door),
        )
        if holds
    ]
    # In the first seconds a camera is being dialled: that is neither good nor bad. One that stays
    # away, or a second one, has its alert soon.
    seen = "recording" in (cameras or {}).values()
    return Conditions(seen, tuple(risks), tuple(doubts))
