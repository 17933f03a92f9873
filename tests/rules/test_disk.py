"""How a disk is shared out: order, latest moment, and fourteen days without the centre."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.model import DAY
from edge.rules.disk import HORIZON, ORDER, Disk, Load, Plan, Quality, marks, plan

GIB = 1024**3
MIB = 1024**2
LOOKS = 32  # a day: every quarter of an hour of its lessons
# Two cameras of 4 Mbit/s for eight hours a day; substreams of half a megabit; key frames.
DAILY = Load({Quality.FULL: 29 * GIB, Quality.SUBSTREAM: 4 * GIB, Quality.KEY_FRAMES: 2 * GIB})

loads = st.builds(
    lambda full, parts, has, small: Load(
        {
            Quality.FULL: full,
            **({Quality.SUBSTREAM: full // parts[0]} if has else {}),
            Quality.KEY_FRAMES: full // (parts[0] * parts[1]),
        },
        small,
    ),
    st.integers(LOOKS, 100 * GIB),
    st.tuples(st.integers(1, 8), st.integers(1, 2)),
    st.booleans(),
    st.integers(0, 20 * MIB),
)
totals = st.integers(8 * MIB, 2000 * GIB)
aways = st.integers(0, 40 * DAY)
befores = st.sampled_from(ORDER)


def worse(one: Quality, other: Quality) -> bool:
    """Tell whether *one* records less than *other*."""
    return ORDER.index(one) > ORDER.index(other)


@given(total=totals, share=st.floats(0, 1), load=loads, away=aways, before=befores)
def test_below_the_floor_nothing_is_recorded_and_above_it_something_is(
    total: int, share: float, load: Load, away: int, before: Quality
) -> None:
    """What is left below the floor is for attendance and snapshots, in every state of the disk."""
    free = int(total * share)
    made = plan(Disk(total, free, True), load, away, before, recording=False)
    own = marks(total)
    if free <= own.floor:
        assert made.quality is Quality.STOPPED
    elif free > own.floor + own.low + load.small * 18:
        assert made.quality is not Quality.STOPPED


@given(
    total=totals,
    shares=st.tuples(st.floats(0, 1), st.floats(0, 1)),
    load=loads,
    away=aways,
    before=befores,
    recording=st.booleans(),
)
def test_more_room_never_records_less(
    total: int,
    shares: tuple[float, float],
    load: Load,
    away: int,
    before: Quality,
    recording: bool,
) -> None:
    """Of two disks alike, the one with more room has the same quality or a better one."""
    less, more = (
        plan(Disk(total, int(total * share), True), load, away, before, recording)
        for share in sorted(shares)
    )
    assert not worse(more.quality, less.quality)
    assert more.shed <= less.shed


@given(total=totals, share=st.floats(0, 1), load=loads, away=aways, before=befores)
def test_a_quality_that_was_chosen_is_kept(
    total: int, share: float, load: Load, away: int, before: Quality
) -> None:
    """Looked at again, the same disk gives the same answer: nothing flaps."""
    disk = Disk(total, int(total * share), True)
    once = plan(disk, load, away, before, recording=False).quality
    assert plan(disk, load, away, once, recording=False).quality is once
    assert plan(disk, load, away, once, recording=True).quality is once


@given(total=totals, share=st.floats(0, 1), load=loads, away=aways, before=befores)
def test_no_stream_improves_in_mid_recording(
    total: int, share: float, load: Load, away: int, before: Quality
) -> None:
    """A change of stream leaves a gap; one that only gives more can wait for the lesson's end."""
    made = plan(Disk(total, int(total * share), True), load, away, before, recording=True)
    if before is not Quality.STOPPED:
        assert not worse(before, made.quality)


@given(total=totals, share=st.floats(0, 1), load=loads, away=aways)
def test_video_is_shed_before_a_stream_is_degraded(
    total: int, share: float, load: Load, away: int
) -> None:
    """Whenever recording gives way, what may go should have gone already."""
    made = plan(Disk(total, int(total * share), True), load, away, Quality.FULL, recording=True)
    if made.quality is not Quality.FULL and share < 1:
        assert made.shed > 0


def outage(total: int, load: Load, days: int) -> list[tuple[Quality, Plan]]:
    """Teach *days* days offline from an empty disk on; return the plan at each look."""
    disk, quality, looks = Disk(total, total, True), Quality.FULL, []
    for day in range(days):
        for _ in range(LOOKS):
            made = plan(disk, load, day * DAY, quality, recording=True)
            quality = made.quality
            free = disk.free - -(-(load.of(quality) + load.small) // LOOKS)
            disk = replace(disk, free=max(0, free), ballast=made.ballast)
            looks.append((quality, made))
    return looks


@settings(max_examples=25)
@given(load=loads, spare=st.integers(10, 500))
def test_fourteen_days_offline_end_with_video_and_no_quality_comes_back(
    load: Load, spare: int
) -> None:
    """A disk that holds fourteen days of the lowest quality never stops before they are over."""
    days = HORIZON // DAY
    room = days * (min(load.a_day.values()) + load.small)
    total = (room + room * spare // 100) * 8 // 7 + 8 * MIB
    qualities = [quality for quality, _ in outage(total, load, days)]
    assert Quality.STOPPED not in qualities
    assert [ORDER.index(one) for one in qualities] == sorted(map(ORDER.index, qualities))


@pytest.mark.parametrize(
    ("gib", "full_days", "last"),
    [
        (58, 1, Quality.KEY_FRAMES),  # a card of 64 GB
        (117, 2, Quality.KEY_FRAMES),  # 128 GB
        (233, 6, Quality.KEY_FRAMES),  # 256 GB
        (466, 14, Quality.FULL),  # 500 GB
    ],
)
def test_cards_as_they_are_sold(gib: int, full_days: int, last: Quality) -> None:
    """How many days of two cameras each card keeps at full quality, and what the last day has."""
    looks = outage(gib * GIB, DAILY, 14)
    full = [quality for quality, _ in looks].count(Quality.FULL) // LOOKS
    assert (full, looks[-1][0]) == (full_days, last)


def test_the_ballast_is_given_up_at_need_and_made_again_with_room() -> None:
    """Something else filled the disk: its room goes to what is small and matters more."""
    total = 64 * GIB
    own = marks(total)

    def held(free: int, ballast: bool) -> bool:
        return plan(Disk(total, free, ballast), DAILY, 0, Quality.STOPPED, False).ballast

    assert held(own.low, True)
    assert not held(own.low - 1, True)
    assert not held(own.low - 1 + own.ballast, False)
    assert not held(own.floor + own.ballast - 1, False)
    assert held(own.floor + own.ballast, False)
    # Made again, it does not push recording below its floor.
    assert own.floor + own.ballast - own.ballast >= own.floor


def test_days_left_are_told_at_the_quality_in_force() -> None:
    """A fuller disk records less, and its days are counted by what it records then."""
    free = 60 * GIB
    floor = marks(2000 * GIB).floor
    made = plan(Disk(2000 * GIB, free + floor, True), DAILY, 0, Quality.FULL, True)
    assert (made.quality, made.days_left) == (Quality.FULL, 2)
    made = plan(Disk(2000 * GIB, free + floor, True), DAILY, 0, Quality.SUBSTREAM, True)
    assert (made.quality, made.days_left) == (Quality.SUBSTREAM, 15)
    stopped = plan(Disk(2000 * GIB, floor, True), DAILY, 0, Quality.FULL, True)
    assert (stopped.quality, stopped.days_left) == (Quality.STOPPED, None)
