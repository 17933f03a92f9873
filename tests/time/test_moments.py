"""Corrected times and intervals, purely reckoned: they contain the truth, whatever clocks do."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.model import MINUTE, SECOND, ClockQuality, Duration, Instant, Reading
from edge.queries import shipped_profile
from edge.rules.moments import (
    FIRST_RELEASE,
    Boot,
    Moment,
    Truth,
    correct,
    doubtful,
    settle,
    worth_stating,
)
from edge.rules.segments import segments_of
from tests.boxes import at, lesson_of

HOUR: Duration = 60 * MINUTE
# What integers lose: a microsecond for each division.
ROUNDING: Duration = 5


@dataclass(frozen=True)
class Happened:
    """A boot as it really was: each event's true time and what the monotonic clock said."""

    boot: Boot
    events: tuple[tuple[Instant, int], ...]


def mono_after(elapsed: Duration, ppm: int) -> int:
    """Return what a clock that runs *ppm* too fast says after *elapsed* microseconds."""
    return elapsed * 1000 + elapsed * ppm // 1000


@st.composite
def histories(draw: st.DrawFn) -> list[Happened]:
    """Some boots one after another, with drifting clocks; some met a source, some did not."""
    now = FIRST_RELEASE + draw(st.integers(0, 1000 * HOUR))
    history: list[Happened] = []
    for number in range(draw(st.integers(1, 5))):
        now += draw(st.integers(0, 1000 * HOUR))
        ppm = draw(st.integers(-90, 90))
        elapsed = 0
        events: list[tuple[Instant, int]] = []
        for _ in range(draw(st.integers(1, 4))):
            elapsed += draw(st.integers(0, 100 * HOUR))
            events.append((now + elapsed, mono_after(elapsed, ppm)))
        truths: list[Truth] = []
        for true, mono in draw(st.lists(st.sampled_from(events), max_size=3, unique=True)):
            error = draw(st.integers(0, SECOND))
            wrong = draw(st.integers(-error, error))
            truths.append(Truth(mono, true - mono // 1000 + wrong, error + ROUNDING))
        received = None
        if draw(st.booleans()):
            delay = draw(st.integers(0, 1000 * HOUR))
            received = min(true + delay - mono // 1000 for true, mono in events)
        boot = Boot(f"boot-{number}", events[-1][1], tuple(truths), received)
        history.append(Happened(boot, tuple(events)))
        now += elapsed
    return history


def reading(mono: int, boot: str, believed: Instant = 0) -> Reading:
    """Return what such an event carries: a wall time that means nothing."""
    return Reading(believed, boot, mono, ClockQuality.UNSYNCHRONISED)


@given(histories(), st.integers(0, 2 * FIRST_RELEASE))
def test_an_interval_contains_the_truth(history: list[Happened], believed: Instant) -> None:
    """With or without a source, earliest and latest lie on either side of when it happened."""
    known = settle([one.boot for one in history])
    for one in history:
        for true, mono in one.events:
            moment = known[one.boot.boot].moment(reading(mono, one.boot.boot, believed))
            assert moment.earliest - ROUNDING <= true
            assert moment.latest is None or true <= moment.latest + ROUNDING
            assert moment.earliest <= moment.at
            assert moment.latest is None or moment.at <= moment.latest
            assert moment.known is bool(one.boot.truths)


@given(histories())
def test_a_boot_that_met_a_source_is_as_exact_as_it(history: list[Happened]) -> None:
    """The error is the source's and the drift since, whatever is known of other boots."""
    known = settle([one.boot for one in history])
    for one in history:
        for true, mono in one.events if one.boot.truths else ():
            moment = known[one.boot.boot].moment(reading(mono, one.boot.boot))
            best = min(
                truth.error + abs(mono - truth.mono) // 10_000_000 for truth in one.boot.truths
            )
            assert abs(moment.at - true) <= moment.error + ROUNDING
            assert moment.error <= 2 * best + ROUNDING


@given(histories())
def test_boots_beyond_one_with_a_truth_add_nothing(history: list[Happened]) -> None:
    """So box and centre may look at a stretch of the ledger instead of all of it."""
    boots = [one.boot for one in history]
    whole = settle(boots)
    for index, boot in enumerate(boots):
        first = max((i for i in range(index) if boots[i].truths), default=0)
        last = min((i for i in range(index, len(boots)) if boots[i].truths), default=len(boots))
        part = settle(boots[first : last + 1])
        event = reading(boot.span, boot.boot)
        assert part[boot.boot].moment(event) == whole[boot.boot].moment(event)


@given(histories())
def test_equal_knowledge_gives_equal_corrections(history: list[Happened]) -> None:
    """A scan corrected by its boot's truths alone comes out as by all that is known."""
    known = settle([one.boot for one in history])
    for one in history:
        for _, mono in one.events if one.boot.truths else ():
            event = reading(mono, one.boot.boot)
            moment = known[one.boot.boot].moment(event)
            assert correct(event, one.boot.truths) == (moment.at, moment.error)


def test_a_boot_of_1970_that_meets_a_source_a_week_later_is_right_to_a_second() -> None:
    """A steady clock's first events come out where they were; the bound allows for its drift."""
    week = 7 * 24 * HOUR
    start = at("07:40")
    truth = Truth(week * 1000, start, 20_000)
    moment, error = correct(reading(80 * MINUTE * 1000, "b", 80 * MINUTE), [truth])
    assert abs(moment - at("09:00")) <= SECOND
    assert error is not None
    assert error == pytest.approx(week // 10_000, rel=0.02)


def test_between_two_truths_the_drift_is_shared_out() -> None:
    """A clock that lost two seconds in ten hours had lost one after five."""
    truths = [Truth(0, 1000, 10), Truth(10 * HOUR * 1000, 1000 + 2 * SECOND, 10)]
    moment, _ = correct(reading(5 * HOUR * 1000, "b"), truths)
    assert moment == 5 * HOUR + 1000 + SECOND


def test_sources_that_contradict_each_other_leave_the_whole_range() -> None:
    """Nobody can tell which of them was right, so neither is taken for true."""
    truths = [Truth(0, 0, 1000), Truth(0, HOUR, 1000)]
    moment = settle([Boot("b", 0, tuple(truths))])["b"].moment(reading(0, "b"))
    assert (moment.earliest, moment.latest) == (-1000, HOUR + 1000)


def test_a_synchronised_time_is_taken_as_it_stands() -> None:
    """What was right when it was written is neither moved nor doubted."""
    written = Reading(at("09:00"), "b", 77, ClockQuality.SYNCHRONISED)
    assert correct(written, [Truth(0, 5, 5)]) == (at("09:00"), None)


def test_a_truth_is_stated_when_it_adds_something() -> None:
    """The first, a contradiction, and one after hours of drift; not the heartbeat's every ten s."""
    first = Truth(0, 0, 100_000)
    assert worth_stating([], first)
    assert not worth_stating([first], Truth(10 * SECOND * 1000, 50_000, 100_000))
    assert not worth_stating([first], Truth(HOUR * 1000, 50_000, 100_000))
    assert worth_stating([first], Truth(2 * HOUR * 1000, 50_000, 100_000))
    assert worth_stating([first], Truth(10 * SECOND * 1000, 3 * SECOND, 100_000))


@pytest.mark.parametrize(
    ("earliest", "latest", "in_doubt"),
    [
        ("08:50", "08:55", False),  # inside the check-in window, wherever in it
        ("08:44", "08:46", True),  # the window opens at 08:45
        ("09:14", "09:16", True),  # and closes at 09:15
        ("09:20", "09:40", False),  # outside, wherever
    ],
)
def test_a_time_is_in_doubt_where_a_windows_edge_lies_within_its_error(
    earliest: str, latest: str, in_doubt: bool
) -> None:
    """Decision 15: such a scan is for a person to judge."""
    rules = shipped_profile("default")
    segments = segments_of(lesson_of(("09:00", "09:45"), ("09:45", "10:30")), rules)
    moment = Moment(at(earliest), at(earliest), at(latest), known=True)
    assert doubtful(moment, segments) is in_doubt


def test_a_time_without_an_upper_bound_is_in_doubt() -> None:
    """It may lie in any window to come."""
    rules = shipped_profile("default")
    segments = segments_of(lesson_of(("09:00", "09:45")), rules)
    assert doubtful(Moment(at("07:00"), at("07:00"), None, known=False), segments)
