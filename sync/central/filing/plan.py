"""The timetable of a filing: rows of lesson hours → lessons, with what does not fit. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from datetime import date, time
from itertools import pairwise
from zoneinfo import ZoneInfo

from edge.model import MINUTE, Instant, Lesson, LessonHour, Profile
from edge.rules.spot_check import spot_check_window
from sync.central.filing.cells import Row, Rows, Tell, day_of, instant, time_of
from sync.central.filing.model import FiledLesson

_SEPARATORS = re.compile(r"[、,，;；\s]+")
Placed = tuple[Row, LessonHour]


def lessons_of(
    rows: Rows,
    profile: Profile,
    instructors: Collection[str],
    received: Instant | None,
    today: Instant,
    tell: Tell,
    warn: Tell,
) -> tuple[FiledLesson, ...]:
    """Return the lessons of the timetable; each row is one lesson hour.

    *instructors*: the ids filed for the class. *received*: when the approval came (R33).
    """
    zone = ZoneInfo(profile.time_zone)
    by_lesson: dict[int, list[Placed]] = {}
    first: dict[int, Row] = {}
    none = True
    for row in rows:
        none = False
        number = row.shown("lesson")
        if not (number.isascii() and number.isdigit() and int(number)):
            if number:
                tell(row.fault("lesson", "lesson_number"))
            continue
        hour = _hour(row, zone, tell)
        _same(row, first.setdefault(int(number), row), tell)
        for unknown in (one for one in _ids(row) if one not in instructors):
            tell(row.fault("instructors", "instructor_unknown", id=unknown))
        if hour is not None:
            by_lesson.setdefault(int(number), []).append((row, hour))
    if none:
        tell(rows.nothing())
    found = [
        _lesson(number, sorted(placed, key=lambda one: one[1].start), tell)
        for number, placed in sorted(by_lesson.items())
    ]
    for lesson in found:
        _warn(lesson, by_lesson[lesson.number], profile, received, today, warn)
    _collide(found, by_lesson, tell)
    return tuple(found)


def _hour(row: Row, zone: ZoneInfo, tell: Tell) -> LessonHour | None:
    day = _read(row, "day", day_of, "day_format", tell)
    start = _read(row, "start", time_of, "time_format", tell)
    end = _read(row, "end", time_of, "time_format", tell)
    if not (isinstance(day, date) and isinstance(start, time) and isinstance(end, time)):
        return None
    if end <= start:
        tell(row.fault("end", "end_before_start", start=f"{start:%H:%M}"))
        return None
    return LessonHour(instant(day, start, zone), instant(day, end, zone))


def _read(
    row: Row, key: str, read: Callable[..., date | time | None], code: str, tell: Tell
) -> date | time | None:
    found = read(row.contents.get(key))
    if found is None and key in row.contents:
        tell(row.fault(key, code))
    return found


def _same(row: Row, other: Row, tell: Tell) -> None:
    """A lesson is in one room with the same instructors."""
    for key, name in (("room", "教室"), ("instructors", "教师工号")):
        if row.shown(key) and row.shown(key) != other.shown(key):
            where = {"other": str(other.cells[key]), "value": other.shown(key), "name": name}
            tell(row.fault(key, "lesson_differs", **where))


def _lesson(number: int, placed: list[Placed], tell: Tell) -> FiledLesson:
    for (before, earlier), (row, hour) in pairwise(placed):
        if hour.start < earlier.end:
            tell(row.fault("start", "hours_overlap", other=str(before.cells["start"])))
    row = placed[0][0]
    return FiledLesson(number, row.shown("room"), _ids(row), tuple(hour for _, hour in placed))


def _ids(row: Row) -> tuple[str, ...]:
    return tuple(one for one in _SEPARATORS.split(row.shown("instructors")) if one)


def _warn(
    lesson: FiledLesson,
    placed: list[Placed],
    profile: Profile,
    received: Instant | None,
    today: Instant,
    warn: Tell,
) -> None:
    row = placed[0][0]
    for one, hour in placed:
        if hour.end - hour.start != profile.lesson_hour:
            lengths = {
                "minutes": str((hour.end - hour.start) // MINUTE),
                "expected": str(profile.lesson_hour // MINUTE),
            }
            warn(one.fault("end", "hour_length", **lengths))
    start, end = lesson.hours[0].start, max(hour.end for hour in lesson.hours)
    if received is not None and received > start:
        warn(row.fault("start", "received_late"))
    if end < today:
        warn(row.fault("day", "lesson_past"))
    if _no_spot_check(start, end, profile):
        warn(row.fault("lesson", "no_spot_check"))


def _no_spot_check(start: Instant, end: Instant, profile: Profile) -> bool:
    whole = Lesson("check", "", "", "", (), (LessonHour(start, end),), profile.name)
    return spot_check_window(whole, profile) is None


def _collide(found: list[FiledLesson], by_lesson: dict[int, list[Placed]], tell: Tell) -> None:
    """Two lessons of the class at one time: a room, an instructor and everybody is in both."""
    hours = sorted(
        (
            (hour.start, hour.end, lesson.number, row)
            for lesson in found
            for row, hour in by_lesson[lesson.number]
        ),
        key=lambda one: one[:3],
    )
    for (_, until, earlier, before), (start, _, number, row) in pairwise(hours):
        if start < until and number != earlier:
            tell(row.fault("start", "trainee_taken", other=str(before.cells["start"])))
