"""What scans mean: which one is a check-in, which one a check-out. Pure.

One function, ``meaning``, answers both the person at the door ("what was that look?") and the
count of hours (``edge.rules.credit``), so that the screen cannot promise what the credit does not
keep. Scans are facts and stay untyped (decision 1); everything here can be derived again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from edge.model import Instant, Profile, Scan, Segment
from edge.policies import Handover
from edge.rules.segments import day_of


class Kind(StrEnum):
    """What a scan turns out to be.

    ``HANDOVER``: out of one segment and into the next at once. ``UNUSED``: beyond the profile's
    scans a day; it is kept and counts for nothing.
    """

    CHECK_IN = "check_in"
    CHECK_OUT = "check_out"
    ALREADY = "already"
    TOO_EARLY = "too_early"
    TOO_LATE = "too_late"
    OUTSIDE = "outside"
    HANDOVER = "handover"
    UNUSED = "unused"


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


def fresh(segments: Iterable[Segment]) -> tuple[Mark, ...]:
    """Return the marks of somebody who has not been seen yet."""
    return tuple(Mark(segment) for segment in segments)


def meaning(
    marks: Sequence[Mark], at: Instant, profile: Profile, earlier_today: int = 0
) -> Meaning:
    """Return what a scan at *at* means for somebody with *marks*.

    *earlier_today*: how many scans of the person there were before it on its calendar day. A limit
    of scans a day never keeps anybody from the check-out that is still missing (decision 5).
    """
    found = _meaning(marks, at, profile)
    if profile.scans_a_day and earlier_today >= profile.scans_a_day:
        segment = found.segment
        missing = segment is not None and marks[segment.number].check_out is None
        if not (found.kind in (Kind.CHECK_OUT, Kind.HANDOVER) and missing):
            return Meaning(Kind.UNUSED, None, None)
    return found


def _meaning(marks: Sequence[Mark], at: Instant, profile: Profile) -> Meaning:
    """Return what a scan means where nothing limits their number.

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
            return _leaving(marks, segment, at, profile)
        if at < segment.check_out.closes:
            opens = max(segment.check_out.opens, mark.check_in.at + profile.minimum_presence)
            return Meaning(Kind.ALREADY, segment, opens)
    for mark in marks:
        if mark.check_in is None and mark.segment.check_in.holds(at):
            return Meaning(Kind.CHECK_IN, mark.segment, mark.segment.check_out.opens)
    for mark in marks:
        # A repeated check-out does no harm, and the last valid one counts (decision 4).
        if mark.complete and mark.segment.check_out.holds(at):
            return _leaving(marks, mark.segment, at, profile)
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


def _leaving(marks: Sequence[Mark], segment: Segment, at: Instant, profile: Profile) -> Meaning:
    """Return a check-out, which under a one-scan handover also checks in to what follows."""
    follower = _handed_over(marks, segment, at, profile)
    if follower is not None:
        return Meaning(Kind.HANDOVER, segment, follower.check_out.opens)
    return Meaning(Kind.CHECK_OUT, segment, _next_check_in(marks, segment, at))


def _handed_over(
    marks: Sequence[Mark], segment: Segment, at: Instant, profile: Profile
) -> Segment | None:
    following = segment.number + 1
    if profile.handover is not Handover.ONE_SCAN or following >= len(marks):
        return None
    mark = marks[following]
    return mark.segment if mark.check_in is None and mark.segment.check_in.holds(at) else None


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
    today: Counter[Instant] = Counter()
    for scan in sorted(scans, key=lambda scan: (scan.at, scan.id)):
        # The calendar matters to a limit a day only, and reading it costs.
        day = day_of(scan.at, profile).opens if profile.scans_a_day else 0
        found = meaning(marks, scan.at, profile, today[day])
        today[day] += 1
        if found.segment is None:
            continue
        number = found.segment.number
        if found.kind is Kind.CHECK_IN:
            marks[number] = Mark(found.segment, scan)
        elif found.kind in (Kind.CHECK_OUT, Kind.HANDOVER):
            marks[number] = Mark(found.segment, marks[number].check_in, scan)
        if found.kind is Kind.HANDOVER:
            marks[number + 1] = Mark(marks[number + 1].segment, scan)
    return tuple(marks)
