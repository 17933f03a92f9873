"""When a lesson is filmed by itself, and when somebody may have it filmed by hand (R14)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from edge.model import MINUTE, SECOND, LessonState, Window
from edge.rules.lessons import kept_from_recording, recorded_at
from tests.boxes import at, two_hours

START = at("09:00")
LESSON = two_hours(START)
WINDOW = Window(START, LESSON.end)  # a profile without margins


@pytest.mark.parametrize(
    ("time", "why"),
    [
        ("08:49:59", "too_early"),
        ("08:50:00", None),
        ("09:30:00", None),
        ("10:30:00", None),
        ("10:30:01", "too_late"),
    ],
)
def test_by_hand_from_ten_minutes_before_until_the_end(time: str, why: str | None) -> None:
    """Both edges belong to it, to the second."""
    assert kept_from_recording(LESSON, at(time)) == why


def test_a_box_without_a_date_refuses_nothing_as_too_early() -> None:
    """It only knows that it is not earlier; what is over by then is over."""
    assert kept_from_recording(LESSON, at("03:00"), dated=False) is None
    assert kept_from_recording(LESSON, at("11:00"), dated=False) == "too_late"


@pytest.mark.parametrize("state", [LessonState.CANCELLED, LessonState.POSTPONED])
def test_what_does_not_take_place_is_not_recorded(state: LessonState) -> None:
    """Not by itself, not by hand."""
    fallen = replace(LESSON, state=state)
    assert kept_from_recording(fallen, START) == state
    assert not recorded_at(fallen, WINDOW, START, ordered=True)


def test_an_ordered_lesson_is_filmed_before_its_margin_and_never_after_it() -> None:
    """An order begins early; it makes no recording longer at the end."""
    early, late = START - 9 * MINUTE, LESSON.end + 5 * SECOND
    assert not recorded_at(LESSON, WINDOW, early)
    assert recorded_at(LESSON, WINDOW, early, ordered=True)
    assert not recorded_at(LESSON, WINDOW, late, ordered=True)
    held = replace(LESSON, state=LessonState.HELD)
    assert not recorded_at(held, WINDOW, early, ordered=True)
