"""The light 本节课监管条件正常: when it is shown, what puts it out, and what does not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from edge.model import MINUTE, SECOND, Instant, LessonState
from edge.queries import shipped_profile
from edge.rules.alerts import BOX, Case, Code
from edge.rules.conditions import RISKS, Conditions, Doubt, conditions
from tests.boxes import at, lesson_of

LESSON = lesson_of(("09:00", "09:45"), ("09:45", "10:30"))
PROFILE = shipped_profile("default")
NINE = at("09:00")


def look(
    now: Instant = NINE,
    standing: tuple[Case, ...] = (),
    cameras: dict[str, str] | None = None,
    *,
    silent: bool = False,
    clock_trusted: bool = True,
    door: bool = True,
) -> Conditions | None:
    """Look at a lesson whose camera records and of which all is well, but for what is said."""
    return conditions(
        LESSON,
        PROFILE,
        now,
        standing=standing,
        cameras=None if silent else cameras or {"cam-1": "recording"},
        clock_trusted=clock_trusted,
        door=door,
    )


def test_the_light_is_shown_from_a_quarter_of_an_hour_before_until_the_recording_ends() -> None:
    """S−15 to E+15, to the second; before and after there is nothing to say."""
    assert look(at("08:45") - SECOND) is None
    for now in (at("08:45"), at("09:50"), at("10:45")):
        found = look(now)
        assert found is not None and found.good
    assert look(at("10:46")) is None


def test_a_lesson_that_does_not_take_place_has_no_light() -> None:
    """A cancelled lesson is not at risk."""
    cancelled = replace(LESSON, state=LessonState.CANCELLED)
    found = conditions(
        cancelled,
        PROFILE,
        at("09:00"),
        standing=(),
        cameras={},
        clock_trusted=True,
        door=True,
    )
    assert found is None


@pytest.mark.parametrize("code", list(Code))
def test_an_alert_puts_the_light_out_only_where_hours_are_at_risk(code: Code) -> None:
    """A slow stream or a card that fills in some days is no reason to fear for a lesson."""
    found = look(standing=(Case("cam-1", code),))
    assert found is not None
    assert found.at_risk == (code in RISKS)
    assert found.good == (code not in RISKS)


def test_reasons_come_worst_first() -> None:
    """What stops the video comes before what spoils it."""
    turned, out = Case("cam-2", Code.VIEW_CHANGED), Case("cam-1", Code.OFFLINE)
    full = Case(BOX, Code.DISK_FULL)
    found = look(standing=(turned, full, out), clock_trusted=False, door=False)
    assert found is not None
    assert found.alerts == (out, full, turned)
    assert found.doubts == (Doubt.CLOCK, Doubt.DOOR)


def test_a_camera_that_is_out_counts_before_it_is_an_alert() -> None:
    """The light is honest at once; calling a person has patience."""
    found = look(cameras={"cam-1": "recording", "cam-2": "offline"})
    assert found is not None and found.alerts == (Case("cam-2", Code.OFFLINE),)
    again = look(standing=found.alerts, cameras={"cam-2": "offline"})
    assert again is not None and again.alerts == found.alerts


def test_a_recorder_that_is_silent_is_a_reason_and_a_camera_being_dialled_is_none() -> None:
    """In the first seconds the light is neither on nor out."""
    found = look(silent=True)
    assert found is not None and found.doubts == (Doubt.RECORDER_SILENT,)
    dialled = look(at("08:45") + MINUTE // 10, cameras={"cam-1": "waiting"})
    assert dialled is not None and not dialled.good and not dialled.at_risk
