"""Whom the lessons expect at the door now, and whether a scan would mean something.

Reads projections; the rules themselves are edge.rules.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

from edge import queries
from edge.model import MINUTE, Duration, Instant, Lesson, Profile, Window
from edge.rules.attendance import Kind, attend, meaning
from edge.rules.lessons import attendance_window
from edge.rules.segments import segments_of

# Wider than any profile's windows around a lesson.
_AROUND: Duration = 360 * MINUTE


def expected(connection: sqlite3.Connection, at: Instant) -> frozenset[str]:
    """Return the trainees and instructors of the lessons whose attendance windows hold *at*."""
    people: set[str] = set()
    for lesson, _, _ in _lessons_now(connection, at):
        people.update(lesson.instructors)
        group = queries.training_class(connection, lesson.class_id)
        people.update(trainee.id for trainee in (group.trainees if group else ()))
    return frozenset(people)


def would_count(connection: sqlite3.Connection, person_id: str, at: Instant) -> bool:
    """Tell whether a scan at *at* would be a check-in, or the first check-out of a segment."""
    own = {lesson.id for lesson in queries.lessons_of_person(connection, person_id, at)}
    for lesson, profile, window in _lessons_now(connection, at):
        if lesson.id not in own:
            continue
        scans = queries.scans_of_person(connection, person_id, window)
        marks = attend(segments_of(lesson, profile), scans, profile)
        means = meaning(marks, at, profile)
        if means.kind is Kind.CHECK_IN:
            return True
        if means.kind is Kind.CHECK_OUT and means.segment is not None:
            return marks[means.segment.number].check_out is None
    return False


def _lessons_now(
    connection: sqlite3.Connection, at: Instant
) -> Iterator[tuple[Lesson, Profile, Window]]:
    for lesson in queries.lessons(connection, at - _AROUND, at + _AROUND):
        profile = queries.profile_of(connection, lesson)
        window = attendance_window(lesson, profile)
        if window.holds(at):
            yield lesson, profile, window
