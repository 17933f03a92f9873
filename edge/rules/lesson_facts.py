"""What a lesson's hours depend on, and what an hour may come to. Pure: values only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from edge.model import Instant, Lesson, Profile, Scan, Window
from edge.rules.moments import Moment
from edge.rules.reasons import Reason
from edge.rules.rulings import Action, Decision


class Credit(StrEnum):
    """State of a lesson hour: 有效, 待审核, 无效. On the box all of them are provisional (暂计)."""

    VALID = "valid"
    PENDING = "pending"
    INVALID = "invalid"


@dataclass(frozen=True, slots=True)
class Seen:
    """A scan with what its credit depends on: when it surely was, its photo, its coded reason."""

    scan: Scan
    moment: Moment
    photo: bool = True
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Opener:
    """Who started a lesson. ``filed``: among the filed instructors (R34)."""

    id: str
    name: str
    filed: bool

    @classmethod
    def among(cls, by: str, filed: Mapping[str, str]) -> Opener | None:
        """Return who *by* is among those *filed* (id → name); None where nobody can tell."""
        return cls(by, filed.get(by, ""), by in filed) if by and filed else None


@dataclass(frozen=True, slots=True)
class Drawn:
    """A lesson drawn for a spot check by ``by``; ``result`` is empty until it is decided (R7)."""

    by: str
    result: str = ""
    decided_by: str = ""
    why: str = ""


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything that a lesson's hours depend on; what is not known is left at its default.

    ``seen``: each trainee's scans, of all boxes, by person. ``received_at``: when the filing of the
    class was received (R33). ``missed``: lesson hour → snapshots missed. ``earlier_manual``: person
    → earlier lessons with a manual entry. ``now``: None when nothing can follow any more.
    ``documents``: kind → SHA-256 of what judges it, carried through for the record.
    """

    lesson: Lesson
    profile: Profile
    trainees: tuple[str, ...]
    seen: Mapping[str, Sequence[Seen]]
    opener: Opener | None = None
    received_at: Instant | None = None
    drawn: Drawn | None = None
    missed: Mapping[int, int] = field(default_factory=dict)
    earlier_manual: Mapping[str, int] = field(default_factory=dict)
    decisions: tuple[Decision, ...] = ()
    now: Instant | None = None
    documents: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class HourCredit:
    """The credit of one lesson hour (index from 0) for one trainee, and why.

    ``former``: what it was before each decision about it, oldest first (decision 9).
    """

    hour: int
    credit: Credit
    reasons: tuple[Reason, ...]
    former: tuple[HourCredit, ...] = ()


def touches(moment: Moment, window: Window) -> bool:
    """Tell whether what happened at *moment* may have happened inside *window*."""
    return moment.earliest <= window.last and (
        moment.latest is None or moment.latest >= window.opens
    )


def of_kind(facts: Facts, *actions: Action) -> list[Decision]:
    """Return the decisions about the lesson that are one of *actions*, the oldest first."""
    made = (one for one in facts.decisions if one.lesson_id == facts.lesson.id)
    return sorted((one for one in made if one.action in actions), key=lambda one: (one.at, one.id))
