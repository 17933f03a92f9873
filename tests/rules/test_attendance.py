"""What scans mean (R1, R2, R4; decisions 1, 4, 5, 7)."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.model import MINUTE, SECOND, Scan, Way
from edge.queries import shipped_profile
from edge.rules.attendance import Kind, attend, fresh, meaning
from edge.rules.segments import segments_of
from tests.boxes import at, lesson_of

DEFAULT = shipped_profile("default")
ONE = segments_of(lesson_of(("09:00", "09:45"), ("09:45", "10:30")), DEFAULT)
TWO = segments_of(
    lesson_of(("09:00", "09:45"), ("09:45", "10:30"), ("10:30", "11:15"), ("11:15", "12:00")),
    DEFAULT,
)


def scan(time: str, way: Way = Way.FACE) -> Scan:
    return Scan(f"scan-{time}", "p-1", at(time), way)


@pytest.mark.parametrize(
    ("rule", "before", "look", "kind", "segment", "next_at"),
    [
        ("R1: the window opens at S−15", [], "08:45", Kind.CHECK_IN, 0, "10:29"),
        ("R1: a second earlier it is shut", [], "08:44:59", Kind.TOO_EARLY, 0, "08:45"),
        ("R1: and closes with 09:15:00", [], "09:15", Kind.CHECK_IN, 0, "10:29"),
        ("decision 7: late, the next is open later", [], "09:16", Kind.TOO_LATE, 0, "10:15"),
        ("a second glance is no departure", ["08:52"], "08:53", Kind.ALREADY, 0, "10:29"),
        ("R2: no check-out before E−1", ["08:52"], "10:28:59", Kind.ALREADY, 0, "10:29"),
        ("R2: check-out from E−1", ["08:52"], "10:29", Kind.CHECK_OUT, 0, "10:29"),
        ("decision 5: 10:20 hears 10:29", ["08:52"], "10:20", Kind.ALREADY, 0, "10:29"),
        ("decision 5: 10:30 checks out", ["08:52"], "10:30", Kind.CHECK_OUT, 0, "10:30"),
        ("decision 5: one look more: in", ["08:52", "10:30"], "10:31", Kind.CHECK_IN, 1, "11:59"),
        ("decision 5: who missed the first may come", [], "10:20", Kind.CHECK_IN, 1, "11:59"),
        ("forgotten check-out, next segment open", ["08:52"], "10:46", Kind.TOO_LATE, 1, None),
        ("after everything", ["08:52", "10:30"], "13:00", Kind.OUTSIDE, None, None),
    ],
    ids=lambda value: value if isinstance(value, str) and ":" in value and " " in value else "",
)  # fmt: skip
def test_a_look_means(
    rule: str, before: list[str], look: str, kind: Kind, segment: int | None, next_at: str | None
) -> None:
    """Each line of the table: after those scans, a look at that time means this."""
    marks = attend(TWO, [scan(time) for time in before], DEFAULT)
    found = meaning(marks, at(look), DEFAULT)
    assert found.kind is kind, rule
    assert (found.segment.number if found.segment else None) == segment, rule
    assert found.next_at == (at(next_at) if next_at else None), rule


def test_the_last_valid_check_out_counts() -> None:
    """Decision 4: a repeat does no harm; the first check-in and the last check-out count."""
    (mark,) = attend(ONE, [scan(time) for time in ("08:50", "08:55", "10:30", "10:40")], DEFAULT)
    assert mark.check_in == scan("08:50")
    assert mark.check_out == scan("10:40")


def test_two_complete_segments_need_four_scans() -> None:
    """Decision 3: four lesson hours are 2+2, in and out each."""
    scans = [scan(time) for time in ("08:50", "10:30", "10:31", "12:01")]
    assert all(mark.complete for mark in attend(TWO, scans, DEFAULT))


times = st.lists(st.integers(0, 4 * 3600), max_size=12)


@given(times, st.randoms(use_true_random=False))
def test_the_order_of_arrival_changes_nothing(seconds: list[int], shuffle: random.Random) -> None:
    """Decision 2: boxes are merged later, so the result may not depend on the order."""
    scans = [
        Scan(f"{number:03d}", "p-1", at("08:30") + second * SECOND, Way.FACE)
        for number, second in enumerate(seconds)
    ]
    mixed = list(scans)
    shuffle.shuffle(mixed)
    assert attend(TWO, scans, DEFAULT) == attend(TWO, mixed, DEFAULT)


@given(times)
def test_what_the_screen_says_is_what_the_credit_counts(seconds: list[int]) -> None:
    """The sentence at the door and the marks afterwards come from one function."""
    scans = sorted(
        (
            Scan(f"{number:03d}", "p-1", at("08:30") + second * SECOND, Way.FACE)
            for number, second in enumerate(seconds)
        ),
        key=lambda entry: (entry.at, entry.id),
    )
    for count in range(len(scans)):
        before = attend(TWO, scans[:count], DEFAULT)
        said = meaning(before, scans[count].at, DEFAULT)
        after = attend(TWO, scans[: count + 1], DEFAULT)
        if said.kind in (Kind.CHECK_IN, Kind.CHECK_OUT):
            assert after != before
        else:
            assert after == before


@given(times)
def test_no_mark_lies_outside_its_window(seconds: list[int]) -> None:
    """Every check-in and check-out that counts lies inside its window, the pair in order."""
    scans = [Scan(str(s), "p-1", at("08:30") + s * SECOND, Way.FACE) for s in seconds]
    for mark in attend(TWO, scans, DEFAULT):
        if mark.check_in:
            assert mark.segment.check_in.holds(mark.check_in.at)
        if mark.check_out:
            assert mark.check_in is not None
            assert mark.segment.check_out.holds(mark.check_out.at)
            assert mark.check_out.at - mark.check_in.at >= DEFAULT.minimum_presence


def test_nobody_is_checked_in_before_being_seen() -> None:
    """Fresh marks hold nothing."""
    assert not any(mark.check_in or mark.check_out for mark in fresh(ONE))


def test_the_minimum_presence_guards_windows_that_meet() -> None:
    """Decision 5: in a short lesson a second glance within minutes is not a departure."""
    short = segments_of(lesson_of(("09:00", "09:10")), DEFAULT)
    marks = attend(short, [scan("09:08")], DEFAULT)
    found = meaning(marks, at("09:10"), DEFAULT)
    assert (found.kind, found.next_at) == (Kind.ALREADY, at("09:08") + 5 * MINUTE)
    assert meaning(marks, at("09:13"), DEFAULT).kind is Kind.CHECK_OUT
