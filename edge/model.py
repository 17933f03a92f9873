"""The frozen values that the whole product speaks of.

Owns the vocabulary (see docs/glossary.md); promises that a value, once constructed, is valid.
Pure: no I/O, no clock, no randomness.

Units of time are those of ``edge.units``; what a region decides is in ``edge.policies``.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum

from edge.policies import ManualEntryRule as ManualEntryRule
from edge.policies import Margin as Margin
from edge.policies import Policy as Policy
from edge.policies import Profile as Profile
from edge.policies import RetentionRule as RetentionRule
from edge.policies import SnapshotRule as SnapshotRule
from edge.policies import SpotCheckRule as SpotCheckRule
from edge.policies import Way as Way
from edge.units import DAY as DAY
from edge.units import MINUTE as MINUTE
from edge.units import SECOND as SECOND
from edge.units import Duration as Duration
from edge.units import Instant as Instant
from edge.units import Invalid as Invalid
from edge.units import require


class ClockQuality(StrEnum):
    """How far the wall clock of an event can be trusted (invariant 7)."""

    SYNCHRONISED = "synchronised"
    UNSYNCHRONISED = "unsynchronised"


@dataclass(frozen=True, slots=True)
class Reading:
    """One look at the clocks.

    ``at`` is wall time; ``mono`` is nanoseconds since boot, suspend included; ``boot`` is the
    kernel's boot id, so that a boot without a battery clock can be corrected later.
    """

    at: Instant
    boot: str
    mono: int
    clock: ClockQuality

    def when(self, at: Instant) -> Reading:
        """Return the clocks when the time that this reading goes by was *at*.

        ``mono`` is negative where that was before the boot.
        """
        return replace(self, at=at, mono=self.mono + (at - self.at) * 1000)


class LessonState(StrEnum):
    """Decision 18 of the rules."""

    PLANNED = "planned"
    OPEN = "open"
    HELD = "held"
    CANCELLED = "cancelled"
    POSTPONED = "postponed"
    MADE_UP = "made_up"


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of time, both edges included to the second (decision 4)."""

    opens: Instant
    closes: Instant

    def __post_init__(self) -> None:
        require(self.opens <= self.closes, "window: opens must not be after closes")

    @property
    def last(self) -> Instant:
        """The last instant inside: the closing second counts to its end."""
        return self.closes // SECOND * SECOND + SECOND - 1

    def holds(self, instant: Instant) -> bool:
        """Tell whether *instant* lies inside; the closing second counts to its end."""
        return self.opens // SECOND <= instant // SECOND <= self.closes // SECOND


@dataclass(frozen=True, slots=True)
class LessonHour:
    """One 课时 with its own start and end (R3)."""

    start: Instant
    end: Instant

    def __post_init__(self) -> None:
        require(self.start < self.end, "lesson hour: start must be before end")


@dataclass(frozen=True, slots=True)
class Lesson:
    """One sitting on the timetable, in a room, with each of its lesson hours."""

    id: str
    class_id: str
    class_name: str
    room: str
    instructors: tuple[str, ...]
    hours: tuple[LessonHour, ...]
    profile: str
    state: LessonState = LessonState.PLANNED
    reason: str = ""

    def __post_init__(self) -> None:
        require(bool(self.id), "lesson: id is missing")
        require(bool(self.hours), f"lesson {self.id}: hours: at least one lesson hour is needed")
        for before, after in zip(self.hours, self.hours[1:], strict=False):
            require(
                before.end <= after.start,
                f"lesson {self.id}: hours: lesson hours must follow one another",
            )

    @property
    def start(self) -> Instant:
        """S of the rules."""
        return self.hours[0].start

    @property
    def end(self) -> Instant:
        """E of the rules."""
        return self.hours[-1].end


@dataclass(frozen=True, slots=True)
class Trainee:
    """One line of a roster. ``number`` is the student number shown beside a masked name.

    ``pin_hash`` is an argon2 hash, empty while no PIN was issued; the PIN itself is nowhere.
    ``card_hash``: of the code on the printed card (edge.card), empty while there is none.
    """

    id: str
    number: str
    name: str
    pin_hash: str = field(default="", repr=False)
    card_hash: str = field(default="", repr=False)

    def __post_init__(self) -> None:
        require(bool(self.id), "trainee: id is missing")
        require(bool(self.name), f"trainee {self.id}: name is missing")


@dataclass(frozen=True, slots=True)
class Instructor:
    """A filed instructor (R34). ``pin_hash`` is an argon2 hash; the PIN itself is nowhere."""

    id: str
    name: str
    pin_hash: str

    def __post_init__(self) -> None:
        require(bool(self.id), "instructor: id is missing")
        require(bool(self.name), f"instructor {self.id}: name is missing")


@dataclass(frozen=True, slots=True)
class TrainingClass:
    """A class (班期) with its period id and its roster; from the approved filing (R33).

    ``prescribed_hours``: of the whole course by the filing (R17), 0 where it does not say.
    """

    id: str
    name: str
    period_id: str
    approved_by: str
    received_at: Instant
    trainees: tuple[Trainee, ...]
    prescribed_hours: int = 0

    def __post_init__(self) -> None:
        require(
            self.prescribed_hours >= 0, f"class {self.id}: prescribed_hours must not be negative"
        )
        ids = [trainee.id for trainee in self.trainees]
        require(len(set(ids)) == len(ids), f"class {self.id}: a trainee stands on the roster twice")


class GapCause(StrEnum):
    """Why video that should exist does not: the closed vocabulary of ``recording.gap``.

    ``camera_silent``: it froze, or its cable was cut, with the connection open.
    ``camera_hung_up``: it ended the session, as it does when it is restarted.
    ``video_unusable``: it answers, with nothing that can be recorded.
    ``writing_failed``: the recording process died or could not write, though the disk has room.
    ``recorder_off``: the box was off, or its recorder. ``known_late``: the lesson was.
    ``no_picture_yet``: the camera was dialled in time and gave its first picture late.
    """

    CAMERA_UNREACHABLE = "camera_unreachable"
    CAMERA_SILENT = "camera_silent"
    CAMERA_HUNG_UP = "camera_hung_up"
    LOGIN_REFUSED = "login_refused"
    VIDEO_UNUSABLE = "video_unusable"
    DISK_FULL = "disk_full"
    WRITING_FAILED = "writing_failed"
    RECORDER_OFF = "recorder_off"
    KNOWN_LATE = "known_late"
    NO_PICTURE_YET = "no_picture_yet"


class MissCause(StrEnum):
    """Why a planned snapshot does not exist: the closed vocabulary of ``snapshot.missed``.

    Words that it shares with GapCause mean the same. ``no_camera``: none is bound to the room.
    ``picture_unusable``: what came was damaged. ``answered_late``: it came after the window.
    """

    CAMERA_UNREACHABLE = "camera_unreachable"
    CAMERA_SILENT = "camera_silent"
    CAMERA_HUNG_UP = "camera_hung_up"
    LOGIN_REFUSED = "login_refused"
    PICTURE_UNUSABLE = "picture_unusable"
    ANSWERED_LATE = "answered_late"
    DISK_FULL = "disk_full"
    RECORDER_OFF = "recorder_off"
    NO_CAMERA = "no_camera"


@dataclass(frozen=True, slots=True)
class Scan:
    """One presence of one person at one box, untyped (decision 1)."""

    id: str
    person_id: str
    at: Instant
    way: Way


@dataclass(frozen=True, slots=True)
class Segment:
    """A run of lesson hours that one check-in/check-out pair covers (考勤段).

    ``hours`` are indices into the lesson's hours, from 0.
    """

    number: int
    hours: tuple[int, ...]
    start: Instant
    end: Instant
    check_in: Window
    check_out: Window


@dataclass(frozen=True, slots=True)
class SnapshotSlot:
    """One planned snapshot: which lesson hour (from 0), its number in it (from 1), and when."""

    lesson_id: str
    hour: int
    number: int
    window: Window
    aim: Instant


@dataclass(frozen=True, slots=True)
class Notice:
    """A text of the centre for the people in the room, of at most 140 characters (R26).

    Shown from ``valid_from`` until before ``valid_until``.
    """

    id: str
    valid_from: Instant
    valid_until: Instant
    title_zh: str
    title_en: str
    body_zh: str
    body_en: str

    def shown(self, now: Instant, dated: bool = True) -> bool:
        """Tell whether it is shown at *now*.

        Who has no date (*dated* false) knows only that it is not earlier than *now*, and shows it
        unless it is surely over.
        """
        return now < self.valid_until and (self.valid_from <= now or not dated)
