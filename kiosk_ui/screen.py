"""What a lesson looks like at one moment: phase, window, who is in and who is missing. Pure.

Owns no rule: windows and marks come from ``edge.rules``; this only chooses which of them a person
at the door needs to see now, and says when that choice will change next.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from edge.model import (
    MINUTE,
    SECOND,
    Instant,
    Lesson,
    LessonState,
    Profile,
    Scan,
    Segment,
    Trainee,
    Window,
)
from edge.rules.attendance import Kind, Mark, Meaning, attend, fresh, meaning
from edge.rules.lessons import TAUGHT, attendance_window, kept_from_starting
from edge.rules.segments import segments_of

# How long "saved, you may go" stays after the last window has closed.
FAREWELL = 5 * MINUTE


class Phase(StrEnum):
    """Where in its course a lesson stands, as the person at the door sees it."""

    UPCOMING = "upcoming"
    CHECK_IN = "check_in"
    TEACHING = "teaching"
    CHECK_OUT = "check_out"
    OVER = "over"


@dataclass(frozen=True, slots=True)
class Sheet:
    """One lesson with its roster and what everybody's scans make of it."""

    lesson: Lesson
    profile: Profile
    segments: tuple[Segment, ...]
    trainees: tuple[Trainee, ...]
    scans: Mapping[str, tuple[Scan, ...]]
    marks: Mapping[str, tuple[Mark, ...]]
    drawn: bool = False  # for a spot check

    def of(self, person_id: str) -> tuple[Mark, ...]:
        """Return the marks of one person: fresh ones when they were never seen."""
        return self.marks.get(person_id) or fresh(self.segments)

    def trainee(self, person_id: str) -> Trainee | None:
        """Return the roster's line of *person_id*, None when there is none."""
        return next((one for one in self.trainees if one.id == person_id), None)

    @property
    def held(self) -> bool:
        """Whether the lesson was taught and ended."""
        return self.lesson.state is LessonState.HELD

    @property
    def taught(self) -> bool:
        """Whether the lesson takes place at all: it is not cancelled, postponed or made up."""
        return self.lesson.state in TAUGHT


def sheet_of(
    lesson: Lesson,
    profile: Profile,
    trainees: Iterable[Trainee],
    scans: Iterable[Scan],
    drawn: bool = False,
) -> Sheet:
    """Return the sheet of *lesson*; *scans* may come in any order and from any box."""
    segments = segments_of(lesson, profile)
    by_person: dict[str, list[Scan]] = {}
    for scan in scans:
        by_person.setdefault(scan.person_id, []).append(scan)
    return Sheet(
        lesson=lesson,
        profile=profile,
        segments=segments,
        trainees=tuple(sorted(trainees, key=lambda one: (_number(one.number), one.number))),
        scans={person: tuple(made) for person, made in by_person.items()},
        marks={person: attend(segments, made, profile) for person, made in by_person.items()},
        drawn=drawn,
    )


def _number(text: str) -> int:
    return int(text) if text.isdecimal() else 10**9


@dataclass(frozen=True, slots=True)
class Moment:
    """A lesson at one instant.

    ``segment`` is the one that matters now. ``window`` is open now (check-in or check-out) and
    ``until`` its end, or the instant at which the next one opens. ``also`` is a segment whose
    check-in is open at the same time. ``next_is_out`` tells what opens at ``until`` in TEACHING.
    """

    phase: Phase
    segment: Segment
    window: Window | None
    until: Instant | None
    next_is_out: bool
    also: Segment | None
    done: tuple[Trainee, ...]
    waiting: tuple[Trainee, ...]
    after_end: bool

    @property
    def total(self) -> int:
        """How many people the count speaks of."""
        return len(self.done) + len(self.waiting)


def moment(sheet: Sheet, now: Instant) -> Moment:
    """Return *sheet* at *now*; the open segment is served first (decision 5)."""
    last = sheet.segments[-1]
    joining = next((one for one in sheet.segments if one.check_in.holds(now)), None)
    leaving = [one for one in sheet.segments if one.check_out.holds(now)]
    for segment in leaving:
        if _still_in(sheet, segment) or (joining is None and segment is last):
            if sheet.held and segment is last and not _still_in(sheet, segment):
                break
            return _at(sheet, now, Phase.CHECK_OUT, segment, segment.check_out, joining)
    if joining is not None:
        return _at(sheet, now, Phase.CHECK_IN, joining, joining.check_in, None)
    opening = sorted(
        (window.opens, segment.number, out)
        for segment in sheet.segments
        for out, window in ((False, segment.check_in), (True, segment.check_out))
        if window.opens > now
    )
    if not opening:
        return _at(sheet, now, Phase.OVER, last, None, None)
    opens, number, next_is_out = opening[0]
    upcoming = not next_is_out and number == 0
    segment = sheet.segments[number]
    if not next_is_out and number > 0:
        segment = sheet.segments[number - 1]
    phase = Phase.UPCOMING if upcoming else Phase.TEACHING
    found = _at(sheet, now, phase, segment, None, None)
    return Moment(
        phase=found.phase,
        segment=found.segment,
        window=None,
        until=opens,
        next_is_out=next_is_out,
        also=None,
        done=found.done,
        waiting=found.waiting,
        after_end=False,
    )


def _still_in(sheet: Sheet, segment: Segment) -> bool:
    return any(
        mark.check_in is not None and mark.check_out is None
        for mark in (sheet.of(trainee.id)[segment.number] for trainee in sheet.trainees)
    )


def _at(
    sheet: Sheet,
    now: Instant,
    phase: Phase,
    segment: Segment,
    window: Window | None,
    also: Segment | None,
) -> Moment:
    done: list[Trainee] = []
    waiting: list[Trainee] = []
    for trainee in sheet.trainees:
        mark = sheet.of(trainee.id)[segment.number]
        if phase in (Phase.CHECK_OUT, Phase.OVER):
            if mark.check_in is not None:
                (done if mark.check_out is not None else waiting).append(trainee)
        else:
            (done if mark.check_in is not None else waiting).append(trainee)
    return Moment(
        phase=phase,
        segment=segment,
        window=window,
        until=window.closes + SECOND if window else None,
        next_is_out=False,
        also=also,
        done=tuple(done),
        waiting=tuple(waiting),
        after_end=now >= segment.end,
    )


def changes_after(sheet: Sheet, now: Instant) -> Instant | None:
    """Return the next instant at which ``moment`` may differ by time alone."""
    edges = {attendance_window(sheet.lesson, sheet.profile).closes + FAREWELL + SECOND}
    for segment in sheet.segments:
        edges |= {segment.start, segment.end}
        for window in (segment.check_in, segment.check_out):
            edges |= {window.opens, window.closes - window.closes % SECOND + SECOND}
    return min((edge for edge in edges if edge > now), default=None)


def current(sheets: Sequence[Sheet], now: Instant) -> Sheet | None:
    """Return the lesson that the room is about at *now*, None when it is idle.

    A lesson being taught comes first, then one that people still have to leave, then one that
    they can join, then one that has just been saved.
    """
    ranked: list[tuple[int, Instant, int]] = []
    for index, sheet in enumerate(sheets):
        if not sheet.taught:
            continue
        reach = attendance_window(sheet.lesson, sheet.profile)
        if sheet.lesson.state is LessonState.OPEN:
            rank = 0
        elif reach.holds(now):
            found = moment(sheet, now)
            if found.phase is Phase.OVER:
                rank = 3
            elif found.phase is Phase.CHECK_OUT and found.waiting:
                rank = 1
            else:
                rank = 2
        elif sheet.held and reach.closes < now <= reach.closes + FAREWELL:
            rank = 3
        else:
            continue
        ranked.append((rank, sheet.lesson.start, index))
    return sheets[min(ranked)[2]] if ranked else None


def may_start(sheet: Sheet, now: Instant, dated: bool = True) -> bool:
    """Tell whether an instructor may start the lesson now; *dated*: whether the box has a date."""
    refused = kept_from_starting(sheet.lesson, sheet.profile, now, dated)
    return sheet.lesson.state is LessonState.PLANNED and refused is None


def what_it_was(
    sheet: Sheet, scan: Scan, scans: Iterable[Scan]
) -> tuple[Meaning, tuple[Mark, ...]]:
    """Return what *scan* meant when it was made, and its person's marks before it.

    *scans* are all of that person's scans that may belong to the lesson.
    """
    earlier = [other for other in scans if (other.at, other.id) < (scan.at, scan.id)]
    marks = attend(sheet.segments, earlier, sheet.profile)
    return meaning(marks, scan.at, sheet.profile), marks


def what_it_would_be(sheet: Sheet, person_id: str, at: Instant) -> Kind:
    """Return what a scan of *person_id* at *at* would turn out to be."""
    return meaning(sheet.of(person_id), at, sheet.profile).kind
