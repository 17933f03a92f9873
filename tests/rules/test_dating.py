"""What is missing of a recording once it is known when its parts were really filmed."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from edge.model import MINUTE, Instant, Window
from edge.rules.dating import Filmed, Span, dated_gap
from edge.rules.moments import Moment, certain

PLAN = Window(0, 120 * MINUTE)


def film(starts: Instant, ends: Instant, moved: int = 0) -> Filmed:
    """Return a part that the box believed to be there, and that was really *moved* later."""
    span = Span(certain(starts + moved), certain(ends + moved))
    return Filmed(Window(starts, ends), span)


def missing(gap: Window, *films: Filmed, moved: int = 0) -> list[tuple[Instant, Instant]]:
    """Return what is missing, on a box whose time was wrong by *moved*."""
    found = dated_gap(gap, PLAN, films, lambda at: certain(at + moved))
    return [(one.starts.at, one.ends.at) for one in found]


def test_a_gap_of_a_box_that_knew_the_time_stands_as_stated() -> None:
    """Nothing is reckoned where nothing was in doubt."""
    before, after = film(0, 10 * MINUTE), film(30 * MINUTE, 120 * MINUTE)
    assert missing(Window(10 * MINUTE, 30 * MINUTE), before, after) == [(10 * MINUTE, 30 * MINUTE)]


def test_a_gap_up_to_a_part_ends_where_the_part_really_began() -> None:
    """The plan's edge was never in doubt; the other one is the part's."""
    late = film(50 * MINUTE, 90 * MINUTE, moved=-20 * MINUTE)
    assert missing(Window(0, 50 * MINUTE), late) == [(0, 30 * MINUTE)]


def test_where_video_was_filmed_after_all_there_is_no_gap() -> None:
    """A box that believed to be late stated a gap for time that it had filmed."""
    whole = film(40 * MINUTE, 160 * MINUTE, moved=-40 * MINUTE)
    assert missing(Window(0, 40 * MINUTE), whole) == []
    half = film(40 * MINUTE, 60 * MINUTE, moved=-30 * MINUTE)
    assert missing(Window(0, 40 * MINUTE), half) == [(0, 10 * MINUTE)]
    inside = film(200 * MINUTE, 210 * MINUTE, moved=-180 * MINUTE)
    assert missing(Window(0, 40 * MINUTE), inside) == [
        (0, 20 * MINUTE),
        (30 * MINUTE, 40 * MINUTE),
    ]


def test_an_edge_that_is_neither_of_plan_nor_part_is_dated_by_the_boot_that_stated_it() -> None:
    """A gap that still grew when it was stated ends where that boot then was."""
    assert missing(Window(0, 10 * MINUTE), moved=5 * MINUTE) == [(0, 15 * MINUTE)]


def test_a_span_is_exact_when_nothing_was_reckoned() -> None:
    """Screens say something about exactness only where there is something to say."""
    about = Moment(5, 0, 10, known=True)
    assert Span(certain(1), certain(2)).exact
    assert not Span(certain(1), about).exact


@given(
    gap=st.tuples(st.integers(0, 120), st.integers(1, 60)),
    parts=st.lists(
        st.tuples(st.integers(0, 200), st.integers(1, 40), st.integers(-60, 60)), max_size=5
    ),
    moved=st.integers(-30, 30),
)
def test_what_is_missing_and_what_was_filmed_never_overlap(
    gap: tuple[int, int], parts: list[tuple[int, int, int]], moved: int
) -> None:
    """Whatever the box believed, what is left of a gap lies in order and holds no video."""
    films = [film(start, start + length, by) for start, length, by in parts]
    stated = Window(gap[0], gap[0] + gap[1])
    left = missing(stated, *films, moved=moved)
    assert all(starts < ends for starts, ends in left)
    assert left == sorted(left)
    for starts, ends in left:
        for one in films:
            assert one.span.ends.at <= starts or one.span.starts.at >= ends
