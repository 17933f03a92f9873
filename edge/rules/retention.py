"""Which media files may leave the box, and by which rule (rules: decision 20, R18).

Owns the rule of retention. Promises that nothing may go that no receipt names, except ordinary
video past its own limit where the profile says so; that nothing of a lesson which is still being
taught may go; that a full disk takes video and never a snapshot or a photo; and that with a clock
nobody vouches for nothing goes by age. Attendance records and events are no media and never go by
it. Pure.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from edge.model import DAY, Instant, RetentionRule

SAFE = "safe"  # a receipt names it, and its days on the box are over
SPACE = "space"  # video that a receipt names, and the disk needs the room
EXPIRED = "expired"  # video that stands for evidence, safe, and past the years of keeping
LIMIT = "limit"  # ordinary video past its own limit, whether or not it reached the centre

# Of the rules by which a file's uses let it go, the event names the one that asks for least.
_BOLDEST = (LIMIT, SPACE, EXPIRED, SAFE)


@dataclass(frozen=True, slots=True)
class Use:
    """One event that names a file, as far as its keeping depends on it.

    ``sort``: snapshot | photo | recording. ``since``: the end of its lesson, or when it was taken.
    ``safe_at``: the centre's time of the receipt that names the file, None without one.
    ``evidence``: video that stands for more than itself: it replaced snapshots, or its lesson was
    corrected, drawn or secret. ``running``: its lesson is still being taught.
    """

    sort: str
    since: Instant
    safe_at: Instant | None
    rule: RetentionRule
    evidence: bool = False
    running: bool = False


def may_go(uses: Sequence[Use], now: Instant | None, pressed: bool = False) -> str:
    """Return the rule by which a file with these *uses* may go; empty when it must stay.

    *now* is None when nobody vouches for the clock. *pressed*: the disk needs room.
    """
    found = [_rule_of(use, now, pressed) for use in uses]
    if not found or not all(found):
        return ""
    return next(rule for rule in _BOLDEST if rule in found)


def _rule_of(use: Use, now: Instant | None, pressed: bool) -> str:
    rule = use.rule
    if use.running:
        return ""
    if use.evidence:
        over = _over(use.since, rule.evidence_days, now)
        return EXPIRED if over and use.safe_at is not None else ""
    if use.sort == "recording" and rule.video == LIMIT:
        if _over(use.since, rule.video_days, now):
            return LIMIT
    elif use.safe_at is not None:
        days = _days(use.sort, rule)
        if days == 0 or _over(use.safe_at, days, now):
            return SAFE
    return SPACE if pressed and use.sort == "recording" and use.safe_at is not None else ""


def _days(sort: str, rule: RetentionRule) -> int:
    days = {
        "snapshot": rule.snapshot_days,
        "photo": rule.photo_days,
        "recording": rule.video_days,
    }
    return days[sort]


def _over(since: Instant, days: int, now: Instant | None) -> bool:
    if now is None:
        return False
    return now - since >= days * DAY
