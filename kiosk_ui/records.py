"""A lesson's records for reading: attendance, photos, recordings, gaps, all on one line of time."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo

from edge import pictures, queries
from edge.clock import local
from edge.config import Config
from edge.model import (
    Instant,
    Instructor,
    Lesson,
    LessonState,
    Scan,
    Trainee,
    Window,
)
from edge.pictures import Copy
from edge.queries import LessonRun
from edge.rules.attendance import Credit, HourCredit, Mark, credit
from edge.rules.heads import present_at
from edge.rules.lessons import over, recording_window
from edge.rules.snapshots import plan
from kiosk_ui import facts
from kiosk_ui.parts import Parts
from kiosk_ui.screen import Sheet


@dataclass(frozen=True, slots=True)
class Entry:
    """What stands beside a scan: its photo and, for a manual entry, by whom and why."""

    photo: str
    entered_by: str
    reason: str


@dataclass(frozen=True, slots=True)
class Line:
    """One trainee of a lesson."""

    trainee: Trainee
    marks: tuple[Mark, ...]
    credits: tuple[HourCredit, ...]

    @property
    def valid(self) -> int:
        """How many lesson hours count, provisionally."""
        return sum(one.credit is Credit.VALID for one in self.credits)

    @property
    def pending(self) -> int:
        """How many lesson hours wait for a review."""
        return sum(one.credit is Credit.PENDING for one in self.credits)


@dataclass(frozen=True, slots=True)
class Bar:
    """A stretch on the line of time, in thousandths of its length."""

    kind: str
    left: int
    width: int


@dataclass(frozen=True, slots=True)
class Record:
    """One lesson with everything that this box has stored of it."""

    sheet: Sheet
    status: str
    run: LessonRun | None
    instructors: dict[str, Instructor]
    lines: tuple[Line, ...]
    entries: dict[str, Entry]
    snapshots: Sequence[sqlite3.Row]
    recordings: Sequence[sqlite3.Row]
    gaps: Sequence[sqlite3.Row]
    cameras: dict[str, str]
    axis: Window
    bars: tuple[Bar, ...]
    deleted: set[str]
    copies: dict[str, Copy]

    def shown(self, snapshot: sqlite3.Row) -> str:
        """Return the file to show of a snapshot: its marked copy as soon as there is one."""
        copy = self.copies.get(snapshot["sha256"])
        return copy.sha256 if copy else str(snapshot["sha256"])

    def counted(self, snapshot: sqlite3.Row) -> tuple[int, int] | None:
        """Return the heads in a snapshot and who was checked in then; None while not counted."""
        copy = self.copies.get(snapshot["sha256"])
        if copy is None:
            return None
        sheet = self.sheet
        return copy.heads, present_at((sheet.of(one.id) for one in sheet.trainees), snapshot["at"])

    @property
    def lesson(self) -> Lesson:
        """The lesson itself."""
        return self.sheet.lesson

    def entry(self, scan: Scan) -> Entry:
        """Return what stands beside *scan*."""
        return self.entries.get(scan.id, Entry("", "", ""))

    @property
    def parts(self) -> list[tuple[str, sqlite3.Row]]:
        """Recordings and gaps in the order of time."""
        found = [("recording", row) for row in self.recordings]
        found += [("gap", row) for row in self.gaps]
        return sorted(found, key=lambda one: int(one[1]["starts"]))

    @property
    def playable(self) -> list[sqlite3.Row]:
        """The recordings that are still on this box."""
        return [row for row in self.recordings if row["sha256"] not in self.deleted]

    def when(self, snapshot: sqlite3.Row) -> Instant:
        """Return when a snapshot was taken; of a missed one when it should have been."""
        return _when(snapshot, self.sheet)


def status_of(lesson: Lesson, closed: bool) -> str:
    """Return the lesson's state for a list: a planned one that nobody held is ``missed``."""
    if lesson.state is LessonState.PLANNED and closed:
        return "missed"
    return lesson.state.value


def by_day(
    box: Parts, lessons: Sequence[Lesson], now: Instant
) -> list[tuple[Instant, list[tuple[Lesson, str, list[Instructor]]]]]:
    """Return *lessons* by calendar day: today and what comes first, then the past, newest first."""
    zone = ZoneInfo(box.config.time_zone)
    grouped: dict[date, list[tuple[Lesson, str, list[Instructor]]]] = {}
    with box.ledger.store.read() as connection:
        known = {one.id: one for one in queries.instructors(connection)}
        for lesson in lessons:
            closed = over(lesson, queries.profile_of(connection, lesson), now)
            teachers = [known[one] for one in lesson.instructors if one in known]
            day = local(lesson.start, zone).date()
            grouped.setdefault(day, []).append((lesson, status_of(lesson, closed), teachers))
    today = local(now, zone).date()
    order = sorted(day for day in grouped if day >= today)
    order += sorted((day for day in grouped if day < today), reverse=True)
    return [(grouped[day][0][0].start, grouped[day]) for day in order]


def read(connection: sqlite3.Connection, lesson: Lesson, config: Config, now: Instant) -> Record:
    """Return the record of *lesson*."""
    sheet = facts.sheet(connection, lesson)
    entries = _entries(connection, sheet)
    without_photo = frozenset(scan_id for scan_id, one in entries.items() if not one.photo)
    lines = tuple(
        Line(trainee, marks, credit(marks, without_photo))
        for trainee, marks in ((one, sheet.of(one.id)) for one in sheet.trainees)
    )
    recordings = queries.recordings(connection, lesson.id)
    gaps = queries.gaps(connection, lesson.id)
    snapshots = queries.snapshots(connection, lesson.id)
    axis = recording_window(lesson, sheet.profile)
    return Record(
        sheet=sheet,
        status=status_of(lesson, over(lesson, sheet.profile, now)),
        run=queries.run(connection, lesson.id),
        instructors={one.id: one for one in queries.instructors(connection)},
        lines=lines,
        entries=entries,
        snapshots=snapshots,
        recordings=recordings,
        gaps=gaps,
        cameras={one.id: one.label for one in config.cameras},
        axis=axis,
        bars=_bars(axis, sheet, recordings, gaps, snapshots),
        deleted=queries.deleted_media(connection),
        copies=pictures.copies(connection, lesson.id),
    )


def _entries(connection: sqlite3.Connection, sheet: Sheet) -> dict[str, Entry]:
    wanted = [scan for scans in sheet.scans.values() for scan in scans]
    if not wanted:
        return {}
    rows = connection.execute(
        "SELECT id, photo, entered_by, reason FROM scan WHERE at BETWEEN ? AND ?",
        (min(scan.at for scan in wanted), max(scan.at for scan in wanted)),
    )
    return {row["id"]: Entry(row["photo"], row["entered_by"], row["reason"]) for row in rows}


def _when(snapshot: sqlite3.Row, sheet: Sheet) -> Instant:
    if snapshot["state"] == "missed":
        for slot in plan(sheet.lesson, sheet.profile):
            if (slot.hour, slot.number) == (snapshot["hour"], snapshot["number"]):
                return slot.aim
    return int(snapshot["at"])


def _bars(
    axis: Window,
    sheet: Sheet,
    recordings: Sequence[sqlite3.Row],
    gaps: Sequence[sqlite3.Row],
    snapshots: Sequence[sqlite3.Row],
) -> tuple[Bar, ...]:
    length = max(1, axis.closes - axis.opens)

    def bar(kind: str, starts: Instant, ends: Instant, least: int = 2) -> Bar:
        left = min(1000, max(0, (starts - axis.opens) * 1000 // length))
        right = min(1000, max(left, (ends - axis.opens) * 1000 // length))
        return Bar(kind, left, max(least, right - left))

    return (
        *(bar("hour", hour.start, hour.end) for hour in sheet.lesson.hours),
        *(bar("recording", row["starts"], row["ends"]) for row in recordings),
        *(bar("gap", row["starts"], row["ends"], 4) for row in gaps),
        *(bar(row["state"], _when(row, sheet), _when(row, sheet), 3) for row in snapshots),
    )
