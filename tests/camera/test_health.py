"""Wanted against actual, as pure functions."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from camera.failures import Failure, redacted
from camera.health import (
    CAUSE_OF,
    LEAD,
    LONGEST_PAUSE_S,
    STATE_AFTER,
    Actual,
    Planned,
    Step,
    due,
    missing,
    next_step,
    passed,
    pause_after,
    slot_key,
    wanted,
)
from edge.model import SECOND, LessonState, SnapshotSlot, Window
from edge.rules.timeline import SHORTEST_GAP
from tests.camera.room import lesson_from

START = 1_000_000 * SECOND


def planned(lesson_id: str = "lesson-1", start: int = START, hour_s: int = 60) -> Planned:
    """Return a lesson that is recorded from 10 s before it until 10 s after it."""
    lesson = lesson_from(start, hour_s, lesson_id)
    window = Window(lesson.start - 10 * SECOND, lesson.end + 10 * SECOND)
    return Planned(lesson, window, ())


def test_recording_begins_early_enough_to_have_the_first_picture() -> None:
    """The camera is dialled a little before the window opens, and not earlier."""
    entry = planned()
    opens = entry.recording.opens
    assert wanted([entry], opens - LEAD - 1) == ()
    assert wanted([entry], opens - LEAD) == ("lesson-1",)


def test_the_closing_second_is_recorded_to_its_end() -> None:
    """Window edges are inclusive to the second (decision 4)."""
    entry = planned()
    assert wanted([entry], entry.recording.closes + SECOND - 1) == ("lesson-1",)
    assert wanted([entry], entry.recording.closes + SECOND) == ()


def test_a_lesson_opened_by_hand_is_recorded_from_then_on() -> None:
    """R14: started by hand from S-10, also where the profile's own margin is shorter."""
    entry = planned()
    opened = replace(entry, lesson=replace(entry.lesson, state=LessonState.OPEN))
    early = entry.recording.opens - 5 * 60 * SECOND
    assert wanted([entry], early) == ()
    assert wanted([opened], early) == ("lesson-1",)


def test_without_a_date_what_is_open_is_recorded() -> None:
    """The clock says nothing then; that the instructor opened the lesson does."""
    entry = planned()
    opened = replace(entry, lesson=replace(entry.lesson, state=LessonState.OPEN))
    long_before = entry.recording.opens - 30 * 86_400 * SECOND
    long_after = entry.recording.closes + 86_400 * SECOND
    assert wanted([opened], long_after, dated=True) == ()
    assert wanted([opened], long_before, dated=False) == ("lesson-1",)
    assert wanted([entry], long_before, dated=False) == ()


@pytest.mark.parametrize("state", [LessonState.PLANNED, LessonState.OPEN, LessonState.HELD])
def test_a_lesson_is_recorded_whether_or_not_anybody_opened_it(state: LessonState) -> None:
    """Recording starts and stops by itself (R14), and check-outs after the end are on film."""
    entry = planned()
    entry = replace(entry, lesson=replace(entry.lesson, state=state))
    assert wanted([entry], START) == ("lesson-1",)


@pytest.mark.parametrize(
    "state", [LessonState.CANCELLED, LessonState.POSTPONED, LessonState.MADE_UP]
)
def test_a_lesson_that_does_not_take_place_is_not_recorded(state: LessonState) -> None:
    """Cameras do not run for lessons that fell out."""
    entry = planned()
    entry = replace(entry, lesson=replace(entry.lesson, state=state))
    assert wanted([entry], START) == ()


def test_overlapping_margins_want_both_lessons_in_the_order_of_their_windows() -> None:
    """Between two lessons on end the video belongs to both."""
    first, second = planned(), planned("lesson-2", START + 60 * SECOND)
    assert wanted([second, first], START + 60 * SECOND) == ("lesson-1", "lesson-2")


actuals = st.builds(
    Actual,
    running=st.booleans(),
    lessons=st.sampled_from([(), ("a",), ("a", "b")]),
    hangs=st.booleans(),
    retry_at=st.sampled_from([0.0, 50.0, 150.0]),
)
wants = st.sampled_from([(), ("a",), ("b",), ("a", "b")])


@given(want=wants, actual=actuals, room=st.booleans())
def test_every_difference_leads_to_a_step_that_lessens_it(
    want: tuple[str, ...], actual: Actual, room: bool
) -> None:
    """From any state, carrying out the steps reaches what is wanted and then rests there."""
    now = 100.0
    for _ in range(6):
        step = next_step(want, actual, now, room=room)
        if step is Step.NOTHING and actual.running == bool(want and room):
            break
        match step:
            case Step.START:
                actual = Actual(True, ())
            case Step.TELL:
                actual = replace(actual, lessons=want)
            case Step.STOP | Step.KILL:
                actual = Actual(False, retry_at=now + 1)
            case Step.NOTHING:
                now += 60
    assert next_step(want, actual, now, room=room) is Step.NOTHING
    assert actual.running == bool(want and room)
    assert not actual.running or (actual.lessons == want and not actual.hangs)


def test_pauses_grow_to_half_a_minute_and_a_refusal_waits_longest() -> None:
    """1, 2, 4 … 30 s; wrong passwords are not hammered, for cameras lock the account."""
    pauses = [pause_after(number, Failure.UNREACHABLE) for number in range(1, 8)]
    assert pauses == [1, 2, 4, 8, 16, 30, 30]
    assert pause_after(1, Failure.REFUSED) == LONGEST_PAUSE_S


def test_every_failure_has_a_state_and_a_cause() -> None:
    """Nothing that can go wrong leaves the lamp without a colour or a gap without its word."""
    assert set(STATE_AFTER) == set(CAUSE_OF) == set(Failure)


moments = st.integers(min_value=-40, max_value=140).map(lambda second: START + second * SECOND)
stretches = st.lists(st.tuples(moments, moments).map(lambda pair: (min(pair), max(pair))))


@given(covered=stretches, until=moments)
def test_gaps_and_video_together_cover_the_window_exactly_once(
    covered: list[tuple[int, int]], until: int
) -> None:
    """A gap lies inside the window, touches no video, and stating it leaves nothing missing."""
    window = Window(START, START + 100 * SECOND)
    holes = missing(window, covered, until)
    for hole in holes:
        assert window.opens <= hole.opens < hole.closes <= min(until, window.closes)
        assert hole.closes - hole.opens >= SHORTEST_GAP
        assert not any(start < hole.closes and hole.opens < end for start, end in covered)
    stated = [(hole.opens, hole.closes) for hole in holes]
    assert missing(window, covered + stated, until) == ()


def slot(number: int, opens: int, aim: int, closes: int) -> SnapshotSlot:
    """Return a slot at those seconds of the lesson."""
    window = Window(START + opens * SECOND, START + closes * SECOND)
    return SnapshotSlot("lesson-1", 0, number, window, START + aim * SECOND)


def test_a_snapshot_is_due_from_its_aim_to_the_end_of_its_window() -> None:
    """Retried to the closing second; then it is missed, unless it was answered."""
    only = slot(1, 0, 5, 10)
    assert due([only], set(), START + 5 * SECOND - 1) == ()
    assert due([only], set(), START + 5 * SECOND) == (only,)
    assert due([only], set(), START + 11 * SECOND - 1) == (only,)
    assert passed([only], set(), START + 11 * SECOND - 1) == ()
    assert due([only], set(), START + 11 * SECOND) == ()
    assert passed([only], set(), START + 11 * SECOND) == (only,)
    assert due([only], {slot_key(only)}, START + 6 * SECOND) == ()
    assert passed([only], {slot_key(only)}, START + 60 * SECOND) == ()


@given(now=moments)
def test_a_slot_is_never_both_due_and_passed(now: int) -> None:
    """At each moment a slot waits, is due or is over."""
    slots = [slot(1, 0, 5, 10), slot(2, 10, 22, 35), slot(3, 35, 40, 45)]
    assert not set(due(slots, set(), now)) & set(passed(slots, set(), now))


@pytest.mark.parametrize(
    "text",
    [
        "rtsp://user:pass@10.0.0.8/main: no",
        "'rtsp://user:p%40ss@10.0.0.8:554/x' and http://a:pass@h/",
        "rtsp://user:p@ss@10.0.0.8/main",
    ],
)
def test_no_message_holds_a_login(text: str) -> None:
    """The errors of libavformat contain the whole address."""
    assert "pass" not in redacted(text) and "user" not in redacted(text)
    assert "p@ss" not in redacted(text) and "p%40" not in redacted(text)
