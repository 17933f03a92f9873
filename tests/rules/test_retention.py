"""The rule of retention: what may leave the box, and what never may."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.model import DAY, Invalid, RetentionRule
from edge.rules.retention import Use, may_go

RULE = RetentionRule(
    snapshot_days=180, photo_days=30, video="safe", video_days=14, evidence_days=1827
)
LIMITED = replace(RULE, video="limit", video_days=20)

rules = st.builds(
    RetentionRule,
    snapshot_days=st.integers(0, 400),
    photo_days=st.integers(0, 400),
    video=st.sampled_from(["safe", "limit"]),
    video_days=st.integers(0, 400),
    evidence_days=st.integers(400, 4000),
)
uses = st.builds(
    Use,
    sort=st.sampled_from(["snapshot", "photo", "recording"]),
    since=st.integers(0, 500 * DAY),
    safe_at=st.none() | st.integers(0, 500 * DAY),
    rule=rules,
    evidence=st.booleans(),
    running=st.booleans(),
)
nows = st.none() | st.integers(0, 5000 * DAY)


@given(uses=st.lists(uses, max_size=3), now=nows, pressed=st.booleans())
def test_nothing_goes_without_a_receipt_except_ordinary_video_past_its_limit(
    uses: list[Use], now: int | None, pressed: bool
) -> None:
    """Invariant 4, for every file, rule, time and need of room."""
    rule = may_go(uses, now, pressed)
    if not rule:
        return
    assert not any(use.running for use in uses)
    for use in uses:
        if use.safe_at is None:
            assert (use.sort, use.rule.video, use.evidence) == ("recording", "limit", False)
            assert now is not None
            assert now - use.since >= use.rule.video_days * DAY
            assert rule == "limit"


@given(uses=st.lists(uses, min_size=1, max_size=3), now=nows)
def test_waiting_never_takes_back_what_may_go(uses: list[Use], now: int | None) -> None:
    """What may go today may go tomorrow, and when the disk is full too."""
    if may_go(uses, now):
        assert may_go(uses, None if now is None else now + DAY)
        assert may_go(uses, now, pressed=True)


@pytest.mark.parametrize(
    ("use", "days", "rule"),
    [
        (Use("snapshot", 0, 5 * DAY, RULE), 184, ""),
        (Use("snapshot", 0, 5 * DAY, RULE), 185, "safe"),
        (Use("photo", 0, DAY, RULE), 31, "safe"),
        (Use("recording", 0, DAY, RULE), 15, "safe"),
        (Use("recording", 0, None, RULE), 4000, ""),
        (Use("recording", 0, None, LIMITED), 19, ""),
        (Use("recording", 0, None, LIMITED), 20, "limit"),
        (Use("snapshot", 0, None, LIMITED), 4000, ""),
        (Use("recording", 0, DAY, RULE, evidence=True), 1826, ""),
        (Use("recording", 0, DAY, RULE, evidence=True), 1827, "expired"),
        (Use("recording", 0, None, LIMITED, evidence=True), 4000, ""),
        (Use("recording", 0, DAY, RULE, running=True), 4000, ""),
    ],
)
def test_each_kind_has_its_days(use: Use, days: int, rule: str) -> None:
    """Pictures and video stay their days after they are safe; evidence stays five years."""
    assert may_go([use], days * DAY) == rule


def test_a_full_disk_takes_what_is_safe_but_no_evidence() -> None:
    """Before a lesson goes unrecorded, what the centre holds safely goes early."""
    safe = Use("recording", 0, DAY, RULE)
    assert may_go([safe], DAY, pressed=True) == "space"
    assert may_go([replace(safe, safe_at=None)], DAY, pressed=True) == ""
    assert may_go([replace(safe, evidence=True)], DAY, pressed=True) == ""


def test_a_clock_nobody_vouches_for_deletes_nothing_by_age() -> None:
    """A box that woke in 2099 keeps everything; what needs no age may still go."""
    assert may_go([Use("recording", 0, None, LIMITED)], None) == ""
    assert may_go([Use("photo", 0, DAY, RULE)], None) == ""
    assert may_go([Use("photo", 0, DAY, replace(RULE, photo_days=0))], None) == "safe"


def test_a_file_of_two_lessons_stays_for_the_stricter_one() -> None:
    """A part of a recording that two lessons share goes when both let it go."""
    ordinary = Use("recording", 0, None, LIMITED)
    assert may_go([ordinary, replace(ordinary, evidence=True)], 100 * DAY) == ""
    assert may_go([ordinary, replace(ordinary, since=90 * DAY)], 100 * DAY) == ""
    assert may_go([ordinary, replace(ordinary, since=80 * DAY)], 100 * DAY) == "limit"
    assert may_go([], 100 * DAY) == ""


def test_a_rule_that_makes_no_sense_is_refused() -> None:
    """Evidence is not kept for a shorter time than ordinary video."""
    with pytest.raises(Invalid):
        replace(RULE, evidence_days=10)
    with pytest.raises(Invalid):
        replace(RULE, video="sometimes")
