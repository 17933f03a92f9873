"""Segments, windows and the snapshot plan (R1, R2, R4, R5)."""

from __future__ import annotations

import pytest

from edge.model import MINUTE, SECOND, Invalid, LessonHour, Window
from edge.queries import shipped_profile
from edge.rules.lessons import attendance_window, over, recording_window, start_window
from edge.rules.segments import segments_of
from edge.rules.snapshots import plan
from tests.boxes import at, lesson_of

DEFAULT = shipped_profile("default")
MORNING = lesson_of(("09:00", "09:45"), ("09:45", "10:30"))


@pytest.mark.parametrize(
    ("hours", "expected"),
    [
        ([("08:00", "08:45")], [(0,)]),
        ([("08:00", "08:45"), ("08:45", "09:30"), ("09:40", "10:25")], [(0, 1), (2,)]),
        (
            [("08:00", "08:45"), ("08:55", "09:40"), ("09:50", "10:35"), ("10:45", "11:30")],
            [(0, 1), (2, 3)],
        ),
        ([("11:00", "11:45"), ("13:30", "14:15")], [(0,), (1,)]),
        ([("11:00", "11:45"), ("12:05", "12:50")], [(0, 1)]),
        ([("11:00", "11:45"), ("12:06", "12:51")], [(0,), (1,)]),
    ],
    ids=["one", "3 → 2+1", "4 → 2+2", "lunch splits", "20 min joins", "21 min splits"],
)
def test_a_segment_holds_at_most_two_lesson_hours(
    hours: list[tuple[str, str]], expected: list[tuple[int, ...]]
) -> None:
    """Decision 3: runs of at most two lesson hours, ended early by a long break."""
    found = segments_of(lesson_of(*hours), DEFAULT)
    assert [segment.hours for segment in found] == expected
    assert [segment.number for segment in found] == list(range(len(expected)))


def test_windows_stand_around_start_and_end() -> None:
    """R1 and R2 (Jinan): check-in [S−15, S+15], check-out [E−1, E+15]."""
    (segment,) = segments_of(MORNING, DEFAULT)
    assert segment.check_in == Window(at("08:45"), at("09:15"))
    assert segment.check_out == Window(at("10:29"), at("10:45"))


def test_a_window_includes_its_edges_to_the_second() -> None:
    """Decision 4: the closing second counts to its end, the next one does not."""
    window = Window(at("08:45"), at("09:15"))
    assert window.holds(at("08:45"))
    assert not window.holds(at("08:45") - 1)
    assert window.holds(at("09:15") + SECOND - 1)
    assert not window.holds(at("09:15") + SECOND)


def test_a_lesson_reaches_beyond_its_hours() -> None:
    """Recording S−15 … E+15, scans from the first check-in to the last check-out."""
    assert recording_window(MORNING, DEFAULT) == Window(at("08:45"), at("10:45"))
    assert attendance_window(MORNING, DEFAULT) == Window(at("08:45"), at("10:45"))
    assert start_window(MORNING, DEFAULT) == Window(at("08:45"), at("10:30"))
    assert not over(MORNING, DEFAULT, at("10:45"))
    assert over(MORNING, DEFAULT, at("10:46"))


def test_three_snapshots_are_planned_for_each_lesson_hour() -> None:
    """R5, decision 11: [0,10] aimed at 5, [10,35] at 22:30, [35,45] at 40."""
    slots = plan(MORNING, DEFAULT)
    assert [(slot.hour, slot.number) for slot in slots] == [
        (0, 1), (0, 2), (0, 3), (1, 1), (1, 2), (1, 3),
    ]  # fmt: skip
    first, middle, last = slots[:3]
    assert (first.window, first.aim) == (Window(at("09:00"), at("09:10")), at("09:05"))
    assert (middle.window, middle.aim) == (Window(at("09:10"), at("09:35")), at("09:22:30"))
    assert (last.window, last.aim) == (Window(at("09:35"), at("09:45")), at("09:40"))


def test_a_shortened_lesson_hour_keeps_its_snapshots_inside_itself() -> None:
    """A lesson hour of 38 minutes has its last snapshot by its end, and never one after it."""
    slots = plan(lesson_of(("09:00", "09:38")), DEFAULT)
    assert len(slots) == 3
    assert all(slot.window.closes <= at("09:38") for slot in slots)
    assert all(slot.aim <= slot.window.closes for slot in slots)


def test_the_demo_profile_is_the_default_in_fast_motion() -> None:
    """The demo's lesson hour lasts 3 minutes and everything else fits into it."""
    demo = shipped_profile("demo")
    assert demo.lesson_hour == 3 * MINUTE
    assert len(demo.snapshots) == len(DEFAULT.snapshots)
    assert demo.hours_a_segment == DEFAULT.hours_a_segment


def test_a_lesson_that_contradicts_itself_is_refused() -> None:
    """Bad input: the error names the lesson and the field."""
    with pytest.raises(Invalid, match="start must be before end"):
        LessonHour(at("09:45"), at("09:00"))
    with pytest.raises(Invalid, match="lesson-1: hours: lesson hours must follow"):
        lesson_of(("09:00", "09:45"), ("09:30", "10:15"))
