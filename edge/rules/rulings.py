"""Decisions of people as the rules see them (decisions 9 to 15), and their deadline. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from edge.model import SECOND, Instant, Lesson, Profile
from edge.rules.reasons import Code

_SATURDAY = 5


class Action(StrEnum):
    """What a decision does.

    ``APPLY``: the school asks, with proof, that hours be judged anew. ``ACCEPT`` and ``REJECT``:
    the authority decides about hours. ``WAIVE``: a reviewer settles one doubt (``settles``), and
    what it held back counts by the rules. ``EXTEND``: check-out of a lesson that ran over is open
    until ``until``.
    """

    APPLY = "apply"
    ACCEPT = "accept"
    REJECT = "reject"
    WAIVE = "waive"
    EXTEND = "extend"


@dataclass(frozen=True, slots=True)
class Decision:
    """One decision about a lesson. ``trainee`` empty: everybody; ``hours`` empty: every hour.

    ``hours`` count from 0. ``by``: a person or an authority; ``at``: when it was decided.
    """

    id: str
    lesson_id: str
    action: Action
    by: str
    at: Instant
    reason: str
    trainee: str = ""
    hours: tuple[int, ...] = ()
    settles: Code | None = None
    until: Instant | None = None

    def concerns(self, person_id: str, hour: int) -> bool:
        """Tell whether it speaks of that lesson hour of that trainee."""
        return self.trainee in ("", person_id) and (not self.hours or hour in self.hours)


def last_application(lesson: Lesson, profile: Profile) -> Instant:
    """Return until when the school may apply for a correction of *lesson* (decision 9).

    The end of the profile's last working day after the lesson; Monday to Friday are working days,
    since public holidays are in no document. The authority may accept a later one all the same.
    """
    zone = ZoneInfo(profile.time_zone)
    day = datetime.fromtimestamp(lesson.end // SECOND, zone).replace(hour=0, minute=0, second=0)
    left = profile.classes.correction_days
    while left:
        day += timedelta(days=1)
        left -= day.weekday() < _SATURDAY
    return int((day + timedelta(days=1)).timestamp()) * SECOND - SECOND
