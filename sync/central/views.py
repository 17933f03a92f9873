"""What the console shows, as frozen values: lessons, their evidence, boxes. Pure.

Owns what can be counted from them; how they are read from the store is for ``books``,
``evidence`` and ``fleet``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from edge.directions import Draw
from edge.model import (
    ClockQuality,
    Duration,
    Instant,
    Instructor,
    Lesson,
    LessonState,
    Profile,
    Scan,
    Segment,
    SnapshotSlot,
    Trainee,
    Way,
    Window,
)
from edge.rules.attendance import Mark
from edge.rules.credit import Credit, Judged
from edge.rules.dating import Span
from edge.rules.moments import Moment

# A synchronised clock is within a second; the way of a hello adds a moment.
_CLOCK_OFF: Duration = 10_000_000


@dataclass(frozen=True, slots=True)
class Run:
    """How a lesson was taught. ``documents``: kind → SHA-256, frozen at its opening.

    ``opened``, ``ended``: when that was, as exactly as is known; where a lesson is shown.
    """

    opened_at: Instant
    opened_by: str
    ended_at: Instant | None
    ended_by: str | None
    documents: Mapping[str, str]
    opened: Moment | None = None
    ended: Moment | None = None


@dataclass(frozen=True, slots=True)
class Planned:
    """A lesson, the boxes that it takes place at, and how it was taught, if it was."""

    lesson: Lesson
    boxes: tuple[str, ...]
    run: Run | None


@dataclass(frozen=True, slots=True)
class Shot:
    """One planned snapshot and what became of it. ``state``: taken | missed | due | planned.

    ``recovered``: it is a frame of the recording. ``copy``: the marked one, empty until it is here.
    ``heads`` in the picture, -1 while they are not counted; ``present``: who was checked in then.
    """

    slot: SnapshotSlot
    state: str
    at: Instant
    sha256: str = ""
    arrived: bool = False
    cause: str = ""
    moment: Moment | None = None
    recovered: bool = False
    copy: str = ""
    heads: int = -1
    present: int = 0

    @property
    def shown(self) -> str:
        """Return the file to show: the marked copy once it is here."""
        return self.copy or self.sha256


@dataclass(frozen=True, slots=True)
class SpotItem:
    """One photo or clip of a spot check. ``copy``: the marked one, empty until it is here."""

    sort: str
    source: str
    at: Instant
    sha256: str
    arrived: bool
    copy: str
    heads: int

    @property
    def shown(self) -> str:
        """Return the file to show."""
        return self.copy or self.sha256


@dataclass(frozen=True, slots=True)
class SpotCheck:
    """A confirmed spot check (R6). ``present``: who was checked in when it was confirmed."""

    by: str
    at: Instant
    present: int
    items: tuple[SpotItem, ...]


@dataclass(frozen=True, slots=True)
class Film:
    """A stretch of recording; ``running`` while the box has not said that it ended.

    ``where``: here | coming (``percent`` of it are here) | box | gone (deleted there, never here).
    """

    starts: Instant
    ends: Instant
    camera: str
    bytes: int
    interrupted: bool
    running: bool
    sha256: str = ""
    where: str = "box"
    percent: int = 0
    span: Span | None = None
    stated: Window | None = None  # as the box believed


@dataclass(frozen=True, slots=True)
class Hole:
    """Recording that should exist and does not."""

    starts: Instant
    ends: Instant
    camera: str
    cause: str
    span: Span | None = None


@dataclass(frozen=True, slots=True)
class Look:
    """A scan with what the pure rules do not need.

    ``moment`` says how exactly its time is known; ``doubtful``: not exactly enough to tell on which
    side of a window's edge it lies (decision 15).
    """

    scan: Scan
    photo: str
    reason: str
    moment: Moment
    doubtful: bool


@dataclass(frozen=True, slots=True)
class Attendee:
    """One line of the roster with what was seen of the person."""

    trainee: Trainee
    marks: tuple[Mark, ...]

    @property
    def seen(self) -> bool:
        """Whether the person checked in to any segment."""
        return any(mark.check_in for mark in self.marks)


@dataclass(frozen=True, slots=True)
class Evidence:
    """Everything of one lesson. ``looks`` are by scan id; ``strangers`` are not on the roster.

    ``undated``: scans that may belong to it, of a box that did not know the time.
    """

    planned: Planned
    profile: Profile
    segments: tuple[Segment, ...]
    window: Window
    attendance: Window
    instructors: tuple[Instructor, ...]
    attendees: tuple[Attendee, ...]
    looks: dict[str, Look]
    strangers: int
    undated: int
    judged: Judged
    shots: tuple[Shot, ...]
    films: tuple[Film, ...]
    holes: tuple[Hole, ...]
    draw: Draw | None = None
    spot_checks: tuple[SpotCheck, ...] = ()

    @property
    def lesson(self) -> Lesson:
        """The lesson itself."""
        return self.planned.lesson

    @property
    def open(self) -> bool:
        """Whether it is being taught."""
        return self.lesson.state is LessonState.OPEN

    def segment_at(self, now: Instant) -> Segment:
        """Return the segment that check-ins count for at *now*, the first before it begins."""
        begun = [segment for segment in self.segments if segment.check_in.opens <= now]
        return begun[-1] if begun else self.segments[0]

    def checked_in(self, segment: Segment) -> int:
        """Return how many of the class checked in to *segment*."""
        return sum(1 for one in self.attendees if one.marks[segment.number].check_in)

    def absent(self, segment: Segment) -> list[Trainee]:
        """Return who of the class has not checked in to *segment*."""
        return [one.trainee for one in self.attendees if not one.marks[segment.number].check_in]

    def not_checked_out(self, now: Instant) -> int:
        """Return how many are still checked in to a segment whose check-out has closed."""
        return sum(
            1
            for one in self.attendees
            for mark in one.marks
            if mark.check_in and not mark.check_out and mark.segment.check_out.closes < now
        )

    def counted(self, person_id: str, credit: str) -> int:
        """Return how many of a trainee's lesson hours have that credit."""
        return sum(one.credit is Credit(credit) for one in self.judged.hours[person_id])

    def entered_by_hand(self) -> int:
        """Return how many of the class have a manual entry."""
        return sum(
            1
            for one in self.attendees
            if any(
                scan is not None and scan.way is Way.MANUAL
                for mark in one.marks
                for scan in (mark.check_in, mark.check_out)
            )
        )

    def missed(self) -> list[Shot]:
        """Return the snapshots that are missing for good."""
        return [shot for shot in self.shots if shot.state == "missed"]


@dataclass(frozen=True, slots=True)
class Camera:
    """A classroom camera as its box last said; only ``online`` is a good ``state``."""

    id: str
    state: str
    cause: str
    at: Instant


@dataclass(frozen=True, slots=True)
class Paper:
    """A kind of document for a box: which version was published, which one it has in force.

    ``in_force`` is 0 while it has none of this epoch; ``reason``: why it refused the published one.
    """

    kind: str
    published: int
    in_force: int
    reason: str = ""

    @property
    def state(self) -> str:
        """How it stands: in_force | refused | coming."""
        if self.in_force >= self.published:
            return "in_force"
        return "refused" if self.reason else "coming"


@dataclass(frozen=True, slots=True)
class Alert:
    """What a box says is wrong. ``subject``: a camera's id, or ``box``."""

    subject: str
    code: str
    detail: str
    at: Instant


@dataclass(frozen=True, slots=True)
class Disk:
    """How a box uses its disk. ``days_left``: days of lessons, -1 when nothing is recorded."""

    quality: str
    free: int
    total: int
    days_left: int


@dataclass(frozen=True, slots=True)
class Box:
    """One box. ``silent`` when nothing was heard for longer than the centre's setting."""

    id: str
    last_seen: Instant
    silent: bool
    held: int
    backlog: int
    media_waiting: int
    clock: str
    clock_ahead: Duration
    software: str
    cameras: tuple[Camera, ...]
    papers: tuple[Paper, ...] = ()
    alerts: tuple[Alert, ...] = ()
    disk: Disk | None = None

    @property
    def clock_doubtful(self) -> bool:
        """Whether its times may be wrong."""
        return self.clock != ClockQuality.SYNCHRONISED or abs(self.clock_ahead) > _CLOCK_OFF


@dataclass(frozen=True, slots=True)
class Trouble:
    """An incident that a person must look at."""

    box: str
    cause: str
    text: str
    times: int
    last_at: Instant
