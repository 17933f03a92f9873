"""A lesson's recording on one line of time: everything has its place, once."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from edge.model import SECOND, Window
from edge.rules.timeline import Gap, Mark, Part, Sort, timeline

START = 1_000_000 * SECOND
AXIS = Window(START, START + 100 * SECOND)


def sec(second: float) -> int:
    """Return the instant of that second of the line."""
    return START + round(second * SECOND)


def part(starts: float, ends: float, *, deleted: bool = False) -> Part:
    """Return a part at those seconds."""
    return Part(sec(starts), sec(ends), f"{starts}-{ends}", 1, deleted)


def test_a_broken_lesson_shows_each_stretch_with_its_cause() -> None:
    """Video, a stated gap, video that was deleted, what nobody explained, what is to come."""
    line = timeline(
        AXIS,
        [part(30, 50), part(0, 20), part(50, 60, deleted=True)],
        [Gap(sec(20), sec(30), "camera_silent")],
        [Mark(sec(40), "snapshot", "abc"), Mark(sec(5), "check_in", "p-1")],
        now=sec(70),
    )
    assert [(one.sort, (one.starts - START) // SECOND, one.cause) for one in line.stretches] == [
        (Sort.VIDEO, 0, ""),
        (Sort.GAP, 20, "camera_silent"),
        (Sort.VIDEO, 30, ""),
        (Sort.DELETED, 50, ""),
        (Sort.UNSTATED, 60, ""),
        (Sort.AHEAD, 70, ""),
    ]
    assert [line.offset(mark.at) // SECOND for mark in line.marks] == [5, 40]
    assert line.lasting(Sort.VIDEO) == 40 * SECOND
    assert line.lasting(Sort.GAP, Sort.AHEAD) == 40 * SECOND


def test_video_is_right_where_a_gap_claims_the_same_moment() -> None:
    """A kill can leave a part that reaches into the gap: what plays is no gap."""
    line = timeline(AXIS, [part(0, 52), part(60, 100)], [Gap(sec(50), sec(60), "recorder_off")])
    assert [(one.sort, one.starts, one.ends) for one in line.stretches] == [
        (Sort.VIDEO, sec(0), sec(52)),
        (Sort.GAP, sec(52), sec(60)),
        (Sort.VIDEO, sec(60), sec(100)),
    ]


def test_a_frame_or_two_is_no_gap() -> None:
    """Parts are cut at key frames; a fraction of a second between two says nothing."""
    line = timeline(AXIS, [part(0, 50), part(50.9, 100)], [])
    assert [one.sort for one in line.stretches] == [Sort.VIDEO, Sort.VIDEO]


moments = st.integers(min_value=-20, max_value=120).map(sec)
stretches = st.lists(
    st.tuples(moments, moments).map(lambda pair: (min(pair), max(pair))), max_size=6
)


@given(videos=stretches, holes=stretches, now=st.none() | moments)
def test_every_moment_of_the_line_has_one_place(
    videos: list[tuple[int, int]], holes: list[tuple[int, int]], now: int | None
) -> None:
    """Nothing overlaps, nothing of the window is left out, and all that is video is shown so."""
    parts = [Part(start, end, str(number), 1) for number, (start, end) in enumerate(videos)]
    line = timeline(AXIS, parts, [Gap(start, end, "x") for start, end in holes], now=now)
    for one, following in pairwise(line.stretches):
        assert one.ends <= following.starts
    for at in range(AXIS.opens, AXIS.closes, SECOND):
        found = [one for one in line.stretches if one.starts <= at < one.ends]
        if any(start <= at < end for start, end in videos):
            assert [one.sort for one in found] == [Sort.VIDEO]
        elif any(start <= at < end for start, end in holes):
            assert [one.sort for one in found] == [Sort.GAP]
        else:
            ahead = now is not None and at >= now
            assert [one.sort for one in found] == [Sort.AHEAD if ahead else Sort.UNSTATED]


def test_video_on_another_machine_is_neither_video_nor_a_gap() -> None:
    """At the centre: what has not arrived is named as such, and wins over a gap as video does."""
    away = Part(sec(20), sec(60), "away", 1, here=False)
    line = timeline(AXIS, [part(0, 20), away], [Gap(sec(55), sec(100), "disk_full")])
    assert [(one.sort, one.starts, one.ends) for one in line.stretches] == [
        (Sort.VIDEO, sec(0), sec(20)),
        (Sort.ELSEWHERE, sec(20), sec(60)),
        (Sort.GAP, sec(60), sec(100)),
    ]


def test_a_film_reaches_from_the_first_video_to_the_last() -> None:
    """What is missing before it and after it is on the line only; without video there is none."""
    gaps = [Gap(sec(0), sec(10), "known_late"), Gap(sec(30), sec(40), "disk_full")]
    line = timeline(AXIS, [part(10, 30), part(40, 50)], gaps, now=sec(70))
    film = line.filmed()
    assert film is not None
    assert [(one.sort, one.starts) for one in film.stretches] == [
        (Sort.VIDEO, sec(10)),
        (Sort.GAP, sec(30)),
        (Sort.VIDEO, sec(40)),
    ]
    assert (film.begins, film.axis.closes) == (sec(10), sec(50))
    assert timeline(AXIS, [part(0, 9, deleted=True)], gaps).filmed() is None
