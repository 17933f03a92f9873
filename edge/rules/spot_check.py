"""When the pictures of a spot check (抽查) may be taken (R6). Pure.

Only for a lesson that was drawn, from S + 15 to E - 25 minutes by the shipped profile. Whoever asks
outside of that is told why not.
"""

from __future__ import annotations

from enum import StrEnum

from edge.model import Instant, Lesson, Profile, Window
from edge.rules.lessons import TAUGHT


class Standing(StrEnum):
    """Whether a spot check can be taken now; all but OPEN say why not."""

    NOT_DRAWN = "not_drawn"
    NOT_TAUGHT = "not_taught"  # cancelled, postponed or made up elsewhere
    TOO_SHORT = "too_short"  # 无法抽查: the lesson has no such window
    EARLY = "early"
    OPEN = "open"
    OVER = "over"


def spot_check_window(lesson: Lesson, profile: Profile) -> Window | None:
    """Return when pictures may be taken, both edges included; None when *lesson* is too short."""
    opens = lesson.start + profile.spot_check.after_start
    closes = lesson.end - profile.spot_check.before_end
    return Window(opens, closes) if opens <= closes else None


def spot_check_standing(lesson: Lesson, profile: Profile, drawn: bool, now: Instant) -> Standing:
    """Return whether a spot check of *lesson* can be taken at *now*."""
    if not drawn:
        return Standing.NOT_DRAWN
    if lesson.state not in TAUGHT:
        return Standing.NOT_TAUGHT
    window = spot_check_window(lesson, profile)
    if window is None:
        return Standing.TOO_SHORT
    if window.holds(now):
        return Standing.OPEN
    return Standing.EARLY if now < window.opens else Standing.OVER
