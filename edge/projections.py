"""Event → rows: what people see of the ledger.

Owns the only way in which a projection changes. Promises that replaying the events gives the
same rows: nothing here reads a clock, and nothing outside the transaction but documents, which
are cited by their hash.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable
from typing import Any, TypeVar, cast

from edge import (
    alerts,
    cameras,
    consents,
    documents,
    events,
    evidence,
    live_views,
    pictures,
    queries,
    times,
)
from edge.chain import Event
from edge.clock_events import ClockCorrected
from edge.directions import Draw, verdict_to_json
from edge.document_events import DocumentApplied
from edge.events import Body
from edge.model import ClockQuality, Lesson, Reading, Window
from edge.rules.attendance import attend
from edge.rules.lessons import attendance_window
from edge.rules.moments import correct
from edge.rules.segments import segments_of

B = TypeVar("B", bound=Body)
Apply = Callable[[sqlite3.Connection, Event, Any], None]
_APPLY: dict[type[Body], Apply] = {
    **cameras.APPLY,
    **alerts.APPLY,
    **consents.APPLY,
    **evidence.APPLY,
    **pictures.APPLY,
    **live_views.APPLY,
}


def apply(connection: sqlite3.Connection, event: Event, body: Body) -> None:
    """Change the rows that *event* changes; kinds without a projection change none."""
    change = _APPLY.get(type(body))
    if change is not None:
        change(connection, event, body)


def forget(connection: sqlite3.Connection, people: Iterable[str], seqs: Iterable[int]) -> None:
    """Take back what the events *seqs* changed, which are all that is about *people*.

    What is left is what a rebuild makes of the events whose bodies are still there.
    """
    for table in ("scan", "media"):
        connection.executemany(f"DELETE FROM {table} WHERE seq = ?", [(seq,) for seq in seqs])
    for table in ("attendance", "consent", "enrolment"):
        connection.executemany(
            f"DELETE FROM {table} WHERE person_id = ?", [(person,) for person in people]
        )


def _of(
    kind: type[B],
) -> Callable[
    [Callable[[sqlite3.Connection, Event, B], None]],
    Callable[[sqlite3.Connection, Event, B], None],
]:
    def register(
        change: Callable[[sqlite3.Connection, Event, B], None],
    ) -> Callable[[sqlite3.Connection, Event, B], None]:
        _APPLY[kind] = change
        return change

    return register


def _json(value: Any) -> str:
    return events.canonical(value).decode("utf-8")


@_of(DocumentApplied)
def _document_applied(connection: sqlite3.Connection, event: Event, body: DocumentApplied) -> None:
    connection.execute(
        "INSERT OR REPLACE INTO document_in_force VALUES (?, ?, ?, ?)",
        (body.document, body.epoch, body.version, body.sha256),
    )
    row = connection.execute(
        "SELECT content FROM document WHERE sha256 = ?", (body.sha256,)
    ).fetchone()
    if row is None:
        return  # a notice that is over: nothing of it is shown any more
    parsed = documents.parse(body.document, row["content"])
    match body.document:
        case documents.TIMETABLE:
            _replace_timetable(connection, cast("tuple[Lesson, ...]", parsed))
        case documents.ROSTER:
            _replace_roster(connection, cast("documents.Roster", parsed))
        case documents.PROFILES:
            pass  # asked for by its document
        case documents.DRAWS:
            _replace_draws(connection, cast("tuple[Draw, ...]", parsed))
            return
        case _:
            return  # notices are read from their document; bindings are events of their own
    # A lesson that was opened is judged by what was frozen then; only the others change.
    connection.execute(
        "DELETE FROM attendance WHERE lesson_id NOT IN (SELECT lesson_id FROM lesson_run)"
    )
    _refresh_attendance(connection, queries.planned_lessons(connection))


def _replace_timetable(connection: sqlite3.Connection, lessons: Iterable[Lesson]) -> None:
    connection.execute("DELETE FROM lesson")
    connection.executemany(
        "INSERT INTO lesson VALUES (?, ?, ?, ?, ?)",
        [
            (
                lesson.id,
                lesson.class_id,
                lesson.start,
                lesson.end,
                _json(documents.lesson_to_json(lesson)),
            )
            for lesson in lessons
        ],
    )


def _replace_roster(connection: sqlite3.Connection, roster: documents.Roster) -> None:
    for table in ("class", "trainee", "instructor"):
        connection.execute(f"DELETE FROM {table}")
    connection.executemany(
        "INSERT INTO class VALUES (?, ?, ?, ?, ?)",
        [
            (entry.id, entry.name, entry.period_id, entry.approved_by, entry.received_at)
            for entry in roster.classes
        ],
    )
    connection.executemany(
        "INSERT INTO trainee VALUES (?, ?, ?, ?, ?, ?, ?)",
        [
            (
                entry.id,
                trainee.id,
                trainee.number,
                trainee.name,
                position,
                trainee.pin_hash,
                trainee.card_hash,
            )
            for entry in roster.classes
            for position, trainee in enumerate(entry.trainees)
        ],
    )
    connection.executemany(
        "INSERT INTO instructor VALUES (?, ?, ?)",
        [(entry.id, entry.name, entry.pin_hash) for entry in roster.instructors],
    )


def _replace_draws(connection: sqlite3.Connection, draws: Iterable[Draw]) -> None:
    """A lesson that was opened stays drawn: what was taken for the authority stays evidence."""
    connection.execute("DELETE FROM draw WHERE lesson_id NOT IN (SELECT lesson_id FROM lesson_run)")
    connection.executemany(
        "INSERT OR REPLACE INTO draw VALUES (?, ?, ?, ?)",
        [
            (
                draw.lesson_id,
                draw.by,
                draw.drawn_at,
                _json(verdict_to_json(draw.verdict)) if draw.verdict else "",
            )
            for draw in draws
        ],
    )


@_of(events.LessonOpened)
def _lesson_opened(connection: sqlite3.Connection, event: Event, body: events.LessonOpened) -> None:
    lesson = documents.lesson_from_json(body.lesson)
    connection.execute(
        "INSERT OR IGNORE INTO lesson_run "
        "VALUES (?, 'open', ?, ?, NULL, NULL, ?, ?, ?, ?, ?, NULL)",
        (
            body.lesson_id,
            event.reading.at,
            body.by,
            lesson.start,
            lesson.end,
            _json(body.documents),
            _json(body.lesson),
            event.seq,
        ),
    )
    _refresh_attendance(connection, [lesson])


@_of(events.LessonEnded)
def _lesson_ended(connection: sqlite3.Connection, event: Event, body: events.LessonEnded) -> None:
    connection.execute(
        "UPDATE lesson_run SET state = 'held', ended_at = ?, ended_by = ?, ended_seq = ? "
        "WHERE lesson_id = ? AND state = 'open'",
        (event.reading.at, body.by, event.seq, body.lesson_id),
    )


@_of(events.PersonEnrolled)
def _person_enrolled(
    connection: sqlite3.Connection, event: Event, body: events.PersonEnrolled
) -> None:
    connection.execute(
        "INSERT OR REPLACE INTO enrolment VALUES (?, ?, ?, ?)",
        (body.person_id, body.model, body.model_version, event.reading.at),
    )


@_of(events.TemplateDeleted)
def _template_deleted(
    connection: sqlite3.Connection, event: Event, body: events.TemplateDeleted
) -> None:
    connection.execute("DELETE FROM enrolment WHERE person_id = ?", (body.person_id,))


@_of(events.ScanMade)
def _scan_made(connection: sqlite3.Connection, event: Event, body: events.ScanMade) -> None:
    taken = body.taken(event.reading)
    at, error = correct(taken, times.truths(connection, taken.boot))
    connection.execute(
        "INSERT INTO scan VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            event.seq,
            event.id,
            body.person_id,
            at,
            body.way,
            body.photo,
            body.score,
            body.entered_by,
            body.reason,
            taken.boot,
            taken.mono,
            taken.clock,
            error,
        ),
    )
    evidence.add_media(connection, event, body.photo, "photo")
    lessons = queries.lessons_of_person(connection, body.person_id, at)
    _refresh_attendance(connection, lessons, body.person_id)


@_of(ClockCorrected)
def _clock_corrected(connection: sqlite3.Connection, event: Event, body: ClockCorrected) -> None:
    """Note the truth, and judge the scans of its boot again by when they were really made."""
    if body.boot != event.reading.boot:
        return  # of another boot's monotonic clock this event knows nothing
    connection.execute(
        "INSERT INTO clock_truth VALUES (?, ?, ?, ?, ?, ?)",
        (event.seq, body.boot, event.reading.mono, body.offset, body.error, body.source),
    )
    known = times.truths(connection, body.boot)
    for row in connection.execute(
        "SELECT * FROM scan WHERE boot = ? AND clock = ? ORDER BY seq",
        (body.boot, ClockQuality.UNSYNCHRONISED),
    ).fetchall():
        before = Reading(row["at"], row["boot"], row["mono"], ClockQuality(row["clock"]))
        at, error = correct(before, known)
        connection.execute(
            "UPDATE scan SET at = ?, error = ? WHERE seq = ?", (at, error, row["seq"])
        )
        person = row["person_id"]
        lessons = {
            lesson.id: lesson
            for near in (before.at, at)
            for lesson in queries.lessons_of_person(connection, person, near)
        }
        _refresh_attendance(connection, lessons.values(), person)


def _refresh_attendance(
    connection: sqlite3.Connection, lessons: Iterable[Lesson], person_id: str | None = None
) -> None:
    """Derive the attendance of *lessons* again, of one person or of all who were scanned."""
    for lesson in lessons:
        profile = queries.profile_of(connection, lesson)
        segments = segments_of(lesson, profile)
        window = attendance_window(lesson, profile)
        people = [person_id] if person_id else _seen(connection, lesson, window)
        for person in people:
            scans = queries.scans_of_person(connection, person, window)
            marks = attend(segments, scans, profile)
            connection.execute(
                "DELETE FROM attendance WHERE lesson_id = ? AND person_id = ?", (lesson.id, person)
            )
            connection.executemany(
                "INSERT INTO attendance VALUES (?, ?, ?, ?, ?)",
                [
                    (
                        lesson.id,
                        person,
                        mark.segment.number,
                        mark.check_in.id,
                        mark.check_out.id if mark.check_out else None,
                    )
                    for mark in marks
                    if mark.check_in
                ],
            )


def _seen(connection: sqlite3.Connection, lesson: Lesson, window: Window) -> list[str]:
    """Return who of the class and its instructors was scanned inside *window*."""
    rows = connection.execute(
        "SELECT DISTINCT person_id FROM scan WHERE at BETWEEN ? AND ? AND (person_id IN "
        "(SELECT person_id FROM trainee WHERE class_id = ?) OR person_id IN "
        "(SELECT value FROM json_each(?))) ORDER BY person_id",
        (window.opens, window.last, lesson.class_id, _json(lesson.instructors)),
    ).fetchall()
    return [row["person_id"] for row in rows]


@_of(events.LedgerBranched)
def _ledger_branched(
    connection: sqlite3.Connection, event: Event, body: events.LedgerBranched
) -> None:
    connection.execute(
        "INSERT INTO branch VALUES (?, ?, ?)", (event.seq, body.ledger_uuid, body.base)
    )


@_of(events.AnchorReceived)
def _anchor_received(
    connection: sqlite3.Connection, event: Event, body: events.AnchorReceived
) -> None:
    connection.execute(
        "INSERT OR IGNORE INTO anchor VALUES (?, ?, ?)", (body.ledger, body.seq, body.at)
    )
