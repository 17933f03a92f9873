"""What scans mean: check-in, check-out and the credit of each lesson hour. Pure.

One function, ``meaning``, answers both the person at the door ("what was that look?") and the
count of hours, so that the screen cannot promise what the credit does not keep. Scans are facts
and stay untyped (decision 1); everything here is derived and can be derived again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from edge.model import Instant, Profile, Scan, Segment, Way


class Kind(StrEnum):
    """What a scan turns out to be."""

    CHECK_IN = "check_in"
    CHECK_OUT = "check_out"
    ALREADY = "already"
    TOO_EARLY = "too_early"
    TOO_LATE = "too_late"
    OUTSIDE = "outside"


@dataclass(frozen=True, slots=True)
class Mark:
    """What one person has of one segment so far."""

    segment: Segment
    check_in: Scan | None = None
    check_out: Scan | None = None

    @property
    def complete(self) -> bool:
        """Whether both ends are there."""
        return self.check_in is not None and self.check_out is not None


@dataclass(frozen=True, slots=True)
class Meaning:
    """A scan's meaning. ``next_at``: when the next scan will be of use, None when none is."""

    kind: Kind
    segment: Segment | None
    next_at: Instant | None


class Credit(StrEnum):
    """State of a lesson hour: 有效, 待审核, 无效. On the box all of them are provisional (暂计)."""

    VALID = "valid"
    PENDING = "pending"
    INVALID = "invalid"


class Reason(StrEnum):
    """Why a lesson hour has its credit."""

    COMPLETE = "complete"
    MANUAL_WITHOUT_PHOTO = "manual_without_photo"
    NO_CHECK_IN = "no_check_in"
    NO_CHECK_OUT = "no_check_out"


@dataclass(frozen=True, slots=True)
class HourCredit:
    """The credit of one lesson hour (index from 0) for one trainee."""

    hour: int
    credit: Credit
    reason: Reason


def fresh(segments: Iterable[Segment]) -> tuple[Mark, ...]:
    """Return the marks of somebody who has not been seen yet."""
    return tuple(Mark(segment) for segment in segments)


def meaning(marks: Sequence[Mark], at: Instant, profile: Profile) -> Meaning:
    """Return what a scan at *at* means for somebody with *marks*.

    The open segment is served first (decision 5): who is checked in and not yet out checks out
    when that window is open, and otherwise hears when it opens. Within the minimum presence a
    second glance is not a departure.
    """
    for mark in marks:
        if mark.check_in is None or mark.check_out is not None:
            continue
        segment = mark.segment
        present = at - mark.check_in.at
        if segment.check_out.holds(at) and present >= profile.minimum_presence:
            return Meaning(Kind.CHECK_OUT, segment, _next_check_in(marks, segment, at))
        if at < segment.check_out.closes:
            opens = max(segment.check_out.opens, mark.check_in.at + profile.minimum_presence)
            return Meaning(Kind.ALREADY, segment, opens)
    for mark in marks:
        if mark.check_in is None and mark.segment.check_in.holds(at):
            return Meaning(Kind.CHECK_IN, mark.segment, mark.segment.check_out.opens)
    for mark in marks:
        # A repeated check-out does no harm, and the last valid one counts (decision 4).
        if mark.complete and mark.segment.check_out.holds(at):
            return Meaning(Kind.CHECK_OUT, mark.segment, _next_check_in(marks, mark.segment, at))
    for mark in marks:
        if mark.check_in is None and at < mark.segment.check_in.opens:
            started = [other for other in marks if other.segment.number < mark.segment.number]
            missed = [
                other.segment
                for other in started
                if other.check_in is None and at <= other.segment.check_out.closes
            ]
            if missed:
                return Meaning(Kind.TOO_LATE, missed[-1], mark.segment.check_in.opens)
            return Meaning(Kind.TOO_EARLY, mark.segment, mark.segment.check_in.opens)
    for mark in marks:
        if mark.check_in is None and at <= mark.segment.check_out.closes:
            return Meaning(Kind.TOO_LATE, mark.segment, None)
    return Meaning(Kind.OUTSIDE, None, None)


def _next_check_in(marks: Sequence[Mark], segment: Segment, at: Instant) -> Instant | None:
    """Return when check-in to the segment after *segment* opens: *at* if it is open already."""
    for mark in marks:
        later = mark.segment.number > segment.number
        if later and mark.check_in is None and at <= mark.segment.check_in.closes:
            return max(at, mark.segment.check_in.opens)
    return None


def attend(
    segments: Sequence[Segment], scans: Iterable[Scan], profile: Profile
) -> tuple[Mark, ...]:
    """Return one person's marks for *segments*, from all their scans of all boxes.

    The first valid check-in and the last valid check-out of a segment count (decision 4).
    Scans may come in any order.
    """
    marks = list(fresh(segments))
    for scan in sorted(scans, key=lambda scan: (scan.at, scan.id)):
        found = meaning(marks, scan.at, profile)
        if found.segment is None:
            continue
        number = found.segment.number
        if found.kind is Kind.CHECK_IN:
            marks[number] = Mark(found.segment, scan)
        elif found.kind is Kind.CHECK_OUT:
            marks[number] = Mark(found.segment, marks[number].check_in, scan)
    return tuple(marks)


def credit(
    marks: Iterable[Mark], without_photo: frozenset[str] = frozenset()
) -> tuple[HourCredit, ...]:
    """Return the credit of every lesson hour that *marks* cover, in order.

    ``without_photo`` holds the ids of scans that no photo supports: a manual entry among them
    makes the hours pending (decision 8).
    """
    credits: list[HourCredit] = []
    for mark in marks:
        state, reason = _segment_credit(mark, without_photo)
        credits.extend(HourCredit(hour, state, reason) for hour in mark.segment.hours)
    return tuple(sorted(credits, key=lambda entry: entry.hour))


def _segment_credit(mark: Mark, without_photo: frozenset[str]) -> tuple[Credit, Reason]:
    if mark.check_in is None:
        return Credit.INVALID, Reason.NO_CHECK_IN
    if mark.check_out is None:
        return Credit.INVALID, Reason.NO_CHECK_OUT
    for scan in (mark.check_in, mark.check_out):
        if scan.way is Way.MANUAL and scan.id in without_photo:
            return Credit.PENDING, Reason.MANUAL_WITHOUT_PHOTO
    return Credit.VALID, Reason.COMPLETE
