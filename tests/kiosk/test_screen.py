"""What a lesson looks like at one moment."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.model import MINUTE, SECOND, Instant, Lesson, LessonState, Scan, Way
from edge.queries import shipped_profile
from kiosk_ui.screen import Phase, Sheet, changes_after, current, may_start, moment, sheet_of
from tests.boxes import at, lesson_of, roster_of, two_hours

PROFILE = shipped_profile("default")
LESSON = two_hours(at("09:00"))
FOUR_HOURS = lesson_of(
    ("09:00", "09:45"), ("09:45", "10:30"), ("10:30", "11:15"), ("11:15", "12:00")
)


def sheet(lesson: Lesson = LESSON, **scans: str) -> Sheet:
    """Return a sheet; scans are given as p_1="09:00 10:30"."""
    made = [
        Scan(f"{person}-{time}", person.replace("_", "-"), at(time), Way.FACE)
        for person, times in scans.items()
        for time in times.split()
    ]
    return sheet_of(lesson, PROFILE, roster_of(3).classes[0].trainees, made)


@pytest.mark.parametrize(
    ("time", "phase", "until"),
    [
        ("08:44:59", Phase.UPCOMING, "08:45"),
        ("08:45", Phase.CHECK_IN, "09:15:01"),
        ("09:15:00", Phase.CHECK_IN, "09:15:01"),
        ("09:15:01", Phase.TEACHING, "10:29"),
        ("10:29", Phase.CHECK_OUT, "10:45:01"),
        ("10:45:00", Phase.CHECK_OUT, "10:45:01"),
        ("10:45:01", Phase.OVER, None),
    ],
)
def test_a_lesson_passes_through_its_phases(time: str, phase: Phase, until: str | None) -> None:
    """Edges are inclusive to the second, and the countdown runs to the next edge."""
    found = moment(sheet(), at(time))
    assert found.phase is phase
    assert found.until == (at(until) if until else None)


def test_missing_means_not_in_before_and_not_out_after() -> None:
    """While people arrive the missing are those not in; when they leave, those still in."""
    made = sheet(p_1="08:50 10:30", p_2="08:51")
    arriving = moment(made, at("09:00"))
    assert [one.id for one in arriving.waiting] == ["p-3"]
    leaving = moment(made, at("10:31"))
    assert [one.id for one in leaving.waiting] == ["p-2"]
    assert [one.id for one in leaving.done] == ["p-1"]
    assert leaving.after_end


def test_where_windows_overlap_the_open_segment_is_served_first() -> None:
    """People still in the first part are asked to check out; the next part is named too."""
    found = moment(sheet(FOUR_HOURS, p_1="08:50"), at("10:30"))
    assert (found.phase, found.segment.number) == (Phase.CHECK_OUT, 0)
    assert found.also is not None and found.also.number == 1


def test_when_nobody_is_left_in_the_next_segment_is_shown() -> None:
    """After the last check-out of the first part the screen turns to the second."""
    found = moment(sheet(FOUR_HOURS, p_1="08:50 10:29"), at("10:35"))
    assert (found.phase, found.segment.number) == (Phase.CHECK_IN, 1)


def test_an_ended_lesson_whose_people_are_out_is_over() -> None:
    """The instructor need not wait for the window to close."""
    held = two_hours(at("09:00"))
    held = replace(held, state=LessonState.HELD)
    assert moment(sheet(held, p_1="08:50 10:30"), at("10:32")).phase is Phase.OVER
    assert moment(sheet(held, p_1="08:50"), at("10:32")).phase is Phase.CHECK_OUT


@given(
    st.integers(0, 4 * 60 * 60),
    st.lists(st.integers(0, 4 * 60 * 60), max_size=4),
)
def test_nothing_changes_by_time_alone_before_it_was_announced(
    seconds: int, scans: list[int]
) -> None:
    """A page that waits until ``changes_after`` misses no phase."""
    begin = at("08:30")
    made = sheet_of(
        FOUR_HOURS,
        PROFILE,
        roster_of(1).classes[0].trainees,
        [Scan(f"s{n}", "p-1", begin + one * SECOND, Way.FACE) for n, one in enumerate(scans)],
    )
    now: Instant = begin + seconds * SECOND
    following = changes_after(made, now)
    before = (following or now + MINUTE) - SECOND
    if before >= now:
        first, last = moment(made, now), moment(made, before)
        assert (first.phase, first.segment, first.until) == (last.phase, last.segment, last.until)


def test_a_room_is_about_the_lesson_being_taught() -> None:
    """An open lesson outranks one whose check-in has begun."""
    first = sheet(replace(LESSON, state=LessonState.OPEN))
    second = sheet(lesson_of(("10:40", "11:25")))
    assert current([second, first], at("10:35")) is first
    assert current([second], at("10:35")) is second
    assert current([second], at("08:00")) is None


def test_a_cancelled_lesson_does_not_hold_the_room() -> None:
    """A lesson that does not take place is never shown as the present one."""
    gone = sheet(replace(LESSON, state=LessonState.CANCELLED))
    assert current([gone], at("09:00")) is None
    assert not may_start(gone, at("09:00"))


@pytest.mark.parametrize(
    ("time", "allowed"),
    [("08:44:59", False), ("08:45", True), ("10:30", True), ("10:30:01", False)],
)
def test_a_lesson_may_start_from_the_first_check_in_until_its_end(time: str, allowed: bool) -> None:
    """R14's margin comes from the profile."""
    assert may_start(sheet(), at(time)) is allowed
