"""What a region decides: one rule profile and its parts, as frozen values. Pure.

Promises that a profile, once constructed, does not contradict itself. Numbers come from
``edge.rules.profiles``; the rule of each field stands beside it (design: the rules of a lesson).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from edge.units import MINUTE, Duration, require


class Way(StrEnum):
    """How a presence was established. UNKNOWN: a way that newer software added."""

    FACE = "face"
    CARD = "card"
    PIN = "pin"
    MANUAL = "manual"
    WALK_IN = "walk_in"
    UNKNOWN = "unknown"

    @classmethod
    def of(cls, text: str) -> Way:
        """Return the way that *text* names, UNKNOWN for one that this version does not know."""
        return cls(text) if text in set(cls) else cls.UNKNOWN


class Policy(StrEnum):
    """Whether what a scan proves counts by itself, or waits for a person (decision 19)."""

    COUNTS = "counts"
    PENDING = "pending"


class Pairing(StrEnum):
    """What one pair of check-in and check-out covers."""

    SEGMENT = "segment"
    LESSON = "lesson"
    DAY = "day"  # no windows: the first and the last scan of the local calendar day (R11)


class Basis(StrEnum):
    """By what the limit of lesson hours in one pair is measured (decision 3)."""

    SCHEDULE = "schedule"
    CLOCK = "clock"


class Handover(StrEnum):
    """How many scans lead from one segment into the next (decision 5)."""

    TWO_SCANS = "two_scans"
    ONE_SCAN = "one_scan"


@dataclass(frozen=True, slots=True)
class SnapshotRule:
    """One line of a profile's snapshot plan, as offsets from the lesson hour's start (R5)."""

    earliest: Duration
    aim: Duration
    latest: Duration

    def __post_init__(self) -> None:
        require(
            0 <= self.earliest <= self.aim <= self.latest,
            "snapshot plan: need 0 <= from <= aim <= to",
        )


@dataclass(frozen=True, slots=True)
class Margin:
    """How long before and after a moment something is allowed or done."""

    before: Duration
    after: Duration


@dataclass(frozen=True, slots=True)
class ManualEntryRule:
    """R9 and decision 8. Above ``review_percent`` of a class, manual entries are 待审核.

    So are those of a trainee who needs them in ``review_times`` lessons or more.
    """

    allowed: bool
    reasons: tuple[str, ...]
    review_percent: int
    review_times: int = 3


@dataclass(frozen=True, slots=True)
class RetentionRule:
    """How long media stay on the box, in days (decision 20, R18).

    Pictures: after the centre's receipt for them. Ordinary video: with ``video`` ``safe`` after the
    receipt, with ``limit`` after the lesson, whether or not it reached the centre. Video that
    stands for evidence: ``evidence_days`` after the lesson, and not without a receipt.
    """

    snapshot_days: int = 180
    photo_days: int = 30
    video: str = "safe"
    video_days: int = 14
    evidence_days: int = 1827  # five years

    def __post_init__(self) -> None:
        require(self.video in ("safe", "limit"), "retention: video is safe or limit")
        require(
            min(self.snapshot_days, self.photo_days, self.video_days) >= 0,
            "retention: days must not be negative",
        )
        require(
            self.evidence_days >= self.video_days,
            "retention: evidence_days must not be less than video_days",
        )


@dataclass(frozen=True, slots=True)
class SpotCheckRule:
    """When pictures of a spot check are taken: S + ``after_start`` to E - ``before_end`` (R6)."""

    after_start: Duration = 15 * MINUTE
    before_end: Duration = 25 * MINUTE


@dataclass(frozen=True, slots=True)
class ClassRule:
    """How large a class may be before a warning, and how it is run (R16, R22, R24, R29, R35).

    ``id_types`` and ``masked`` are of the filing: ID cards are shown with their first six places.
    ``roster_freeze``: none | on_publish. ``correction_days``: working days in which the school may
    apply for a correction (decision 9).
    """

    size: int = 50
    trainees_a_teacher: int = 25
    roster_freeze: str = "none"
    exports_a_day: int = 3
    id_types: tuple[str, ...] = ("resident_id",)
    masking: str = "first_six"
    correction_days: int = 3

    def __post_init__(self) -> None:
        require(self.size >= 1, "class: size must be 1 or more")
        require(self.trainees_a_teacher >= 1, "class: trainees_a_teacher must be 1 or more")
        require(
            self.roster_freeze in ("none", "on_publish"),
            "class: roster_freeze is none or on_publish",
        )
        require(self.masking == "first_six", "class: masking is first_six (R22)")
        require(bool(self.id_types), "class: id_types: name at least one, such as resident_id")


# What counts where a profile says nothing: the machine's word. A person's word waits.
SHIPPED_WAYS: Mapping[Way, Policy] = {
    Way.FACE: Policy.COUNTS,
    Way.CARD: Policy.COUNTS,
    Way.PIN: Policy.COUNTS,
    Way.MANUAL: Policy.COUNTS,
    Way.WALK_IN: Policy.PENDING,
}


@dataclass(frozen=True, slots=True)
class Profile:
    """One region's numbers, versioned; a lesson is judged by the version it was taught under.

    ``check_in`` and ``check_out`` are unused with ``pairing`` ``day``, which knows no windows.
    ``scans_a_day`` and ``qr_seconds`` are 0 where there is no limit and no dynamic QR.
    """

    name: str
    version: int
    time_zone: str
    authority: str
    lesson_hour: Duration
    hours_a_segment: int
    break_ends_segment: Duration
    check_in: Margin
    check_out: Margin
    minimum_presence: Duration
    manual_entry: ManualEntryRule
    snapshots: tuple[SnapshotRule, ...]
    recording: Margin
    pass_percent: int
    shown_days_before: int
    retention: RetentionRule = RetentionRule()
    spot_check: SpotCheckRule = SpotCheckRule()
    pairing: Pairing = Pairing.SEGMENT
    basis: Basis = Basis.SCHEDULE
    handover: Handover = Handover.TWO_SCANS
    ways: Mapping[Way, Policy] = field(default_factory=lambda: SHIPPED_WAYS, hash=False)
    scans_a_day: int = 0
    qr_seconds: int = 0
    classes: ClassRule = ClassRule()

    def __post_init__(self) -> None:
        where = f"profile {self.name}"
        require(self.version >= 1, f"{where}: version must be 1 or more")
        require(self.hours_a_segment >= 1, f"{where}: hours_a_segment must be >= 1")
        require(0 < self.pass_percent <= 100, f"{where}: pass_percent is 1 to 100")
        require(self.lesson_hour > 0, f"{where}: lesson_hour must be positive")
        for rule in self.snapshots:
            require(
                rule.latest <= self.lesson_hour,
                f"{where}: snapshots: 'to' lies after the lesson hour's end",
            )
        require(
            self.handover is Handover.TWO_SCANS or self.pairing is Pairing.SEGMENT,
            f'{where}: handover: one_scan leads from segment to segment: write pairing = "segment"',
        )
        require(
            self.handover is Handover.TWO_SCANS or self.authority != "city_platform",
            f"{where}: handover: one_scan is not allowed under a city platform (Jinan): "
            'write handover = "two_scans"',
        )
        require(
            self.scans_a_day == 0 or self.scans_a_day >= 2,
            f"{where}: scans_a_day: check-in and check-out need two; write 0 for no limit",
        )
        require(
            self.basis is Basis.SCHEDULE or self.pairing is not Pairing.DAY,
            f'{where}: basis: with pairing = "day" class times are not limited (R11): '
            'write basis = "schedule"',
        )

    def policy(self, way: Way) -> Policy:
        """Return whether a scan made that way counts; what nobody decided waits."""
        return self.ways.get(way, Policy.PENDING)
