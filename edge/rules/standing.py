"""How a trainee and a class stand: the 80 % test, and warnings about size and teachers. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from edge.model import Profile
from edge.rules.credit import Credit, HourCredit


@dataclass(frozen=True, slots=True)
class Hours:
    """Lesson hours of one trainee, counted by their credit."""

    valid: int = 0
    pending: int = 0
    invalid: int = 0

    @classmethod
    def of(cls, hours: Iterable[HourCredit]) -> Hours:
        """Count *hours*."""
        states = [one.credit for one in hours]
        return cls(*(states.count(one) for one in Credit))

    @property
    def whole(self) -> int:
        """All of them."""
        return self.valid + self.pending + self.invalid


def passes(valid: int, prescribed: int, profile: Profile) -> bool:
    """Tell whether *valid* hours suffice of those that the filing prescribes (R17, decision 10).

    In integers: no rounding decides about a certificate. Raises ValueError where nothing is
    prescribed, since then nobody can pass or fail.
    """
    if prescribed <= 0:
        raise ValueError("prescribed hours: the filing names none; ask for the class's filing")
    return valid * 100 >= prescribed * profile.pass_percent


class Unusual(StrEnum):
    """What is unusual about a class. Never a reason to refuse it (R16)."""

    TOO_LARGE = "too_large"
    TOO_FEW_TEACHERS = "too_few_teachers"
    NO_FULL_TIME_TEACHER = "no_full_time_teacher"


def warnings(
    trainees: int, teachers: int, profile: Profile, full_time: int | None = None
) -> tuple[Unusual, ...]:
    """Return what to warn of: a class over its size, or with too few teachers filed for it.

    *full_time*: how many of them are, None where the filing does not say.
    """
    rule = profile.classes
    found = (
        (Unusual.TOO_LARGE, trainees > rule.size),
        (Unusual.TOO_FEW_TEACHERS, trainees > teachers * rule.trainees_a_teacher),
        (Unusual.NO_FULL_TIME_TEACHER, full_time == 0),
    )
    return tuple(warning for warning, holds in found if holds)
