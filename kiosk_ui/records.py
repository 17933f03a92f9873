"""A lesson's records for reading: attendance, photos, recordings, gaps, all on one line of time."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from zoneinfo import ZoneInfo

from edge import credits, pictures, queries, times
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
from edge.rules.attendance import Mark
from edge.rules.credit import Credit, HourCredit, Judged
from edge.rules.dating import Filmed, Span, dated_gap
from edge.rules.heads import present_at
from edge.rules.lessons import over, recording_window
from edge.rules.moments import Moment, certain
from edge.rules.snapshots import plan
from kiosk_ui import facts
from kiosk_ui.parts import Parts
from kiosk_ui.screen import Sheet


@dataclass(frozen=True, slots=True)
class Entry:
    """What stands beside a scan: its photo and, for a manual entry, by whom and why.

    ``moment``: when it was, as exactly as is known.
    """

    photo: str
    entered_by: str
    reason: str
    moment: Moment | None = None


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
class Piece:
    """A part of the recording (``sha256`` names its file), or what is missing of it (empty)."""

    span: Span
    camera: str
    sha256: str = ""
    interrupted: bool = False


@dataclass(frozen=True, slots=True)
class Picture:
    """A planned snapshot: when it was taken, or should have been (``sha256`` is empty).

    ``copy`` is the marked one with its head count, None while there is none; ``present``: who was
    checked in then. ``method`` and ``cause`` are those of the event.
    """

    moment: Moment
    hour: int
    number: int
    sha256: str
    method: str
    cause: str
    copy: Copy | None
    present: int

    @property
    def shown(self) -> str:
        """Return the file to show: the marked copy as soon as there is one."""
        return self.copy.sha256 if self.copy else self.sha256


@dataclass(frozen=True, slots=True)
class Record:
    """One lesson with everything that this box has stored of it."""

    sheet: Sheet
    status: str
    run: LessonRun | None
    instructors: dict[str, Instructor]
    lines: tuple[Line, ...]
    judged: Judged
    entries: dict[str, Entry]
    opened: Moment | None
    ended: Moment | None
    snapshots: tuple[Picture, ...]
    recordings: tuple[Piece, ...]
    gaps: tuple[Piece, ...]
    cameras: dict[str, str]
    axis: Window
    bars: tuple[Bar, ...]
    deleted: set[str]

    @property
    def lesson(self) -> Lesson:
        """The lesson itself."""
        return self.sheet.lesson

    def entry(self, scan: Scan) -> Entry:
        """Return what stands beside *scan*."""
        return self.entries.get(scan.id, Entry("", "", ""))

    @property
    def parts(self) -> list[Piece]:
        """Recordings and gaps in the order of time."""
        return sorted((*self.recordings, *self.gaps), key=lambda one: one.span.starts.at)

    @property
    def playable(self) -> list[Piece]:
        """The recordings that are still on this box."""
        return [one for one in self.recordings if one.sha256 not in self.deleted]


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
    judged = credits.of_lesson(connection, lesson, now)
    lines = tuple(Line(one, sheet.of(one.id), judged.hours[one.id]) for one in sheet.trainees)
    dating = times.Dating(connection)
    axis = recording_window(lesson, sheet.profile)
    recordings, gaps = _film(connection, dating, lesson.id, axis)
    snapshots = _snapshots(connection, dating, sheet)
    run = queries.run(connection, lesson.id)
    return Record(
        sheet=sheet,
        status=status_of(lesson, over(lesson, sheet.profile, now)),
        run=run,
        instructors={one.id: one for one in queries.instructors(connection)},
        lines=lines,
        judged=judged,
        entries=entries,
        opened=dating.event(run.opened_seq)[1] if run and run.opened_seq else None,
        ended=dating.event(run.ended_seq)[1] if run and run.ended_seq else None,
        snapshots=snapshots,
        recordings=recordings,
        gaps=gaps,
        cameras={one.id: one.label for one in config.cameras},
        axis=axis,
        bars=_bars(axis, sheet, recordings, gaps, snapshots),
        deleted=queries.deleted_media(connection),
    )


def _entries(connection: sqlite3.Connection, sheet: Sheet) -> dict[str, Entry]:
    wanted = [scan for scans in sheet.scans.values() for scan in scans]
    if not wanted:
        return {}
    rows = connection.execute(
        "SELECT * FROM scan WHERE at BETWEEN ? AND ?",
        (min(scan.at for scan in wanted), max(scan.at for scan in wanted)),
    ).fetchall()
    dating = times.Dating(connection)
    return {
        row["id"]: Entry(row["photo"], row["entered_by"], row["reason"], dating.scan(row))
        for row in rows
    }


def _film(
    connection: sqlite3.Connection, dating: times.Dating, lesson_id: str, axis: Window
) -> tuple[tuple[Piece, ...], tuple[Piece, ...]]:
    """Return the parts of the recording and what is missing of it, by corrected times."""
    rows = queries.recordings(connection, lesson_id)
    films: dict[str, list[Filmed]] = {}
    pieces: list[Piece] = []
    for row in rows:
        span = dating.span(row)
        films.setdefault(row["camera"], []).append(Filmed(Window(row["starts"], row["ends"]), span))
        pieces.append(Piece(span, row["camera"], row["sha256"], bool(row["interrupted"])))
    gaps = [
        Piece(span, row["camera"])
        for row in queries.gaps(connection, lesson_id)
        for span in dated_gap(
            Window(row["starts"], row["ends"]),
            axis,
            films.get(row["camera"], ()),
            partial(dating.beside, row["seq"]),
        )
    ]
    pieces.sort(key=lambda one: one.span.starts.at)
    return tuple(pieces), tuple(gaps)


def _snapshots(
    connection: sqlite3.Connection, dating: times.Dating, sheet: Sheet
) -> tuple[Picture, ...]:
    aims = {(slot.hour, slot.number): slot.aim for slot in plan(sheet.lesson, sheet.profile)}
    copies = pictures.copies(connection, sheet.lesson.id)
    found: list[Picture] = []
    for row in queries.snapshots(connection, sheet.lesson.id):
        slot = (row["hour"], row["number"])
        moment = dating.snapshot(row)
        if row["state"] == "missed" and slot in aims:
            moment = certain(aims[slot])
        present = present_at((sheet.of(one.id) for one in sheet.trainees), moment.at)
        copy = copies.get(row["sha256"])
        found.append(
            Picture(moment, *slot, row["sha256"], row["method"], row["cause"], copy, present)
        )
    return tuple(found)


def _bars(
    axis: Window,
    sheet: Sheet,
    recordings: Sequence[Piece],
    gaps: Sequence[Piece],
    snapshots: Sequence[Picture],
) -> tuple[Bar, ...]:
    length = max(1, axis.closes - axis.opens)

    def bar(kind: str, starts: Instant, ends: Instant, least: int = 2) -> Bar:
        left = min(1000, max(0, (starts - axis.opens) * 1000 // length))
        right = min(1000, max(left, (ends - axis.opens) * 1000 // length))
        return Bar(kind, left, max(least, right - left))

    return (
        *(bar("hour", hour.start, hour.end) for hour in sheet.lesson.hours),
        *(bar("recording", one.span.starts.at, one.span.ends.at) for one in recordings),
        *(bar("gap", one.span.starts.at, one.span.ends.at, 4) for one in gaps),
        *(
            bar("taken" if one.sha256 else "missed", one.moment.at, one.moment.at, 3)
            for one in snapshots
        ),
    )
