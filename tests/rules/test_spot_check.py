"""R6: a spot check only of drawn lessons, from S + 15 to E - 25 minutes, greyed out otherwise."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.model import MINUTE, SECOND, LessonState, SpotCheckRule
from edge.queries import shipped_profile
from edge.rules.lessons import TAUGHT
from edge.rules.spot_check import Standing, spot_check_standing, spot_check_window
from tests.boxes import at, two_hours

PROFILE = shipped_profile("default")
LESSON = two_hours(at("09:00"))  # until 10:30


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (at("09:15") - 1, Standing.EARLY),
        (at("09:15"), Standing.OPEN),
        (at("10:05") + SECOND - 1, Standing.OPEN),
        (at("10:05") + SECOND, Standing.OVER),
    ],
)
def test_the_window_of_a_drawn_lesson_has_both_its_edges(now: int, expected: Standing) -> None:
    """From the fifteenth minute to the twenty-fifth before the end, both seconds included."""
    assert spot_check_standing(LESSON, PROFILE, True, now) is expected
    assert spot_check_standing(LESSON, PROFILE, False, now) is Standing.NOT_DRAWN


def test_a_lesson_of_less_than_forty_minutes_cannot_be_checked() -> None:
    """无法抽查: forty minutes leave one moment, anything shorter none."""
    forty, shorter = (two_hours(at("09:00"), minutes) for minutes in (20, 19))
    window = spot_check_window(forty, PROFILE)
    assert window is not None
    assert window.opens == window.closes == at("09:15")
    assert spot_check_standing(shorter, PROFILE, True, at("09:15")) is Standing.TOO_SHORT


@given(
    minutes=st.integers(1, 300),
    now=st.integers(-120, 720),
    drawn=st.booleans(),
    state=st.sampled_from(list(LessonState)),
    after=st.integers(0, 60),
    before=st.integers(0, 60),
)
def test_open_means_drawn_taught_and_inside(
    minutes: int, now: int, drawn: bool, state: LessonState, after: int, before: int
) -> None:
    """Whatever the lesson and the profile, it is open at exactly those moments."""
    lesson = replace(two_hours(at("09:00"), minutes), state=state)
    profile = replace(PROFILE, spot_check=SpotCheckRule(after * MINUTE, before * MINUTE))
    moment = at("09:00") + now * MINUTE
    inside = lesson.start + after * MINUTE <= moment <= lesson.end - before * MINUTE
    found = spot_check_standing(lesson, profile, drawn, moment)
    assert (found is Standing.OPEN) == (drawn and state in TAUGHT and inside)
    assert (found is Standing.TOO_SHORT) == (
        drawn and state in TAUGHT and 2 * minutes < after + before
    )
