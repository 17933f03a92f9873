"""Why a segment has no pair of scans: the one reason that tells the person most. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from edge.model import Instant, Profile, Scan, Segment
from edge.rules.attendance import Mark
from edge.rules.reasons import Code, Reason
from edge.rules.segments import day_of


@dataclass(frozen=True, slots=True)
class Missing:
    """A segment whose mark is not complete, with all of the person's scans; ``now`` as in Facts."""

    segment: Segment
    mark: Mark
    scans: Sequence[Scan]
    profile: Profile
    now: Instant | None


def missing_pair(of: Missing) -> Reason:
    """Return why the pair is missing."""
    scans = sorted(of.scans, key=lambda one: (one.at, one.id))
    came = of.mark.check_in
    return _no_check_in(of, scans) if came is None else _no_check_out(of, came, scans)


def _no_check_in(of: Missing, scans: Sequence[Scan]) -> Reason:
    window = of.segment.check_in
    bounds = {"opens": window.opens, "closes": window.closes}
    for one in beyond_limit(scans, of.profile):
        if window.holds(one.at):
            return Reason(Code.BEYOND_LIMIT, {"at": one.at, "limit": of.profile.scans_a_day})
    inside = [one for one in scans if window.holds(one.at)]
    if inside:
        return Reason(Code.SERVED_BEFORE, {"at": inside[-1].at, "closes": window.closes})
    if of.now is not None and of.now <= window.last:
        return Reason(Code.CHECK_IN_DUE, bounds)
    tried = _nearest(of, scans)
    if tried is not None and tried.at < window.opens:
        return Reason(Code.CHECK_IN_EARLY, {"at": tried.at, "opens": window.opens})
    if tried is not None:
        return Reason(Code.CHECK_IN_LATE, {"at": tried.at, "closes": window.closes})
    return Reason(Code.NO_SCAN, bounds)


def _nearest(of: Missing, scans: Sequence[Scan]) -> Scan | None:
    """Return the scan by which the person most likely tried to check in, None when there is none.

    What is long before belongs to what was taught then, what comes when check-out opens is one.
    """
    window = of.segment.check_in
    tried = [
        (one.at - window.last, one)
        for one in scans
        if window.last < one.at < max(of.segment.check_out.opens, window.last)
    ]
    if of.segment.number == 0:
        reach = window.opens - of.profile.lesson_hour
        tried += [(window.opens - one.at, one) for one in scans if reach <= one.at < window.opens]
    return min(tried, key=lambda one: one[0])[1] if tried else None


def _no_check_out(of: Missing, came: Scan, scans: Sequence[Scan]) -> Reason:
    window = of.segment.check_out
    bounds = {"check_in": came.at, "opens": window.opens, "closes": window.closes}
    for one in beyond_limit(scans, of.profile):
        if window.holds(one.at):
            return Reason(Code.BEYOND_LIMIT, {"at": one.at, "limit": of.profile.scans_a_day})
    if of.now is not None and of.now <= window.last:
        return Reason(Code.CHECK_OUT_DUE, bounds)
    after = [one for one in scans if one.at > came.at]
    inside = [one for one in after if window.holds(one.at)]
    least = of.profile.minimum_presence
    if inside:
        values = {"check_in": came.at, "at": inside[-1].at, "least": least}
        return Reason(Code.TOO_SOON, values)
    late = [one for one in after if one.at > window.last]
    early = [one for one in after if least <= one.at - came.at and one.at < window.opens]
    if early:
        return Reason(Code.CHECK_OUT_EARLY, {"at": early[-1].at, "opens": window.opens})
    if late:
        return Reason(Code.CHECK_OUT_LATE, {"at": late[0].at, "closes": window.closes})
    return Reason(Code.NO_CHECK_OUT, bounds)


def beyond_limit(scans: Iterable[Scan], profile: Profile) -> list[Scan]:
    """Return the scans that were one too many on their day (R11); a check-out may still be one."""
    found: list[Scan] = []
    if profile.scans_a_day:
        today: Counter[Instant] = Counter()
        for one in sorted(scans, key=lambda one: (one.at, one.id)):
            day = day_of(one.at, profile).opens
            if today[day] >= profile.scans_a_day:
                found.append(one)
            today[day] += 1
    return found
