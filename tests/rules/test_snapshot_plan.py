"""The snapshot plan and head counts: properties of the pure rules (R5, decision 11)."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from edge.model import MINUTE, SECOND, Lesson, LessonHour, Scan, Way
from edge.queries import shipped_profile
from edge.rules.attendance import attend
from edge.rules.heads import Agreement, compare, present_at
from edge.rules.segments import segments_of
from edge.rules.snapshots import plan
from tests.boxes import at, lesson_of, two_hours

PROFILE = shipped_profile("default")


@st.composite
def lessons(draw: st.DrawFn) -> Lesson:
    """Return a lesson of one to five lesson hours of any length, with any breaks."""
    start = at("08:00")
    hours = []
    for _ in range(draw(st.integers(1, 5))):
        start += draw(st.integers(0, 40)) * MINUTE
        end = start + draw(st.integers(1, 45 * 60)) * SECOND
        hours.append(LessonHour(start, end))
        start = end
    return replace(two_hours(at("08:00")), hours=tuple(hours))


@given(lesson=lessons())
def test_every_slot_lies_in_its_lesson_hour_and_can_be_taken(lesson: Lesson) -> None:
    """Aim and window lie within the hour, in the order of the plan, each slot once."""
    slots = plan(lesson, PROFILE)
    for slot in slots:
        hour = lesson.hours[slot.hour]
        assert hour.start <= slot.window.opens <= slot.aim <= slot.window.closes <= hour.end
    keys = [(slot.hour, slot.number) for slot in slots]
    assert keys == sorted(set(keys))
    aims = [slot.aim for slot in slots]
    assert aims == sorted(aims)


@given(lesson=lessons())
def test_every_lesson_hour_has_a_snapshot_and_a_whole_one_three(lesson: Lesson) -> None:
    """At least three in 45 minutes: the first ten, the middle, the last ten."""
    slots = plan(lesson, PROFILE)
    for index, hour in enumerate(lesson.hours):
        mine = [slot for slot in slots if slot.hour == index]
        assert mine
        if hour.end - hour.start == 45 * MINUTE:
            assert [(slot.aim - hour.start) / MINUTE for slot in mine] == [5, 22.5, 40]
            assert [slot.window.closes - hour.start for slot in mine] == [
                10 * MINUTE,
                35 * MINUTE,
                45 * MINUTE,
            ]


@given(present=st.integers(0, 60), heads=st.integers(0, 80))
def test_a_count_is_said_to_differ_only_beyond_what_may_be_hidden(present: int, heads: int) -> None:
    """Two heads, or a tenth, are within a count's error; direction follows the difference."""
    said = compare(heads, present)
    if abs(heads - present) <= 2:
        assert said is Agreement.AGREES
    elif said is not Agreement.AGREES:
        assert (said is Agreement.MORE) == (heads > present)
    if abs(heads - present) > max(2, present // 10):
        assert said is not Agreement.AGREES


def test_present_are_those_between_check_in_and_check_out() -> None:
    """Somebody counts from the scan that checked them in until the one that checked them out."""
    lesson = lesson_of(("09:00", "09:45"), ("09:45", "10:30"))
    segments = segments_of(lesson, PROFILE)
    stayed = attend(segments, [Scan("a", "p-1", at("08:55"), Way.FACE)], PROFILE)
    left = attend(
        segments,
        [Scan("b", "p-2", at("09:10"), Way.FACE), Scan("c", "p-2", at("10:30"), Way.FACE)],
        PROFILE,
    )
    never = attend(segments, [], PROFILE)
    people = [stayed, left, never]
    counted = [present_at(people, at(time)) for time in ("08:50", "09:05", "09:30", "10:40")]
    assert counted == [0, 1, 2, 1]
