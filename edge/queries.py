"""What the services ask of the projections. Each function is one question on one connection.

Owns no state and reads no clock; the caller says which time it asks about.
"""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import cast

from edge import documents
from edge.directions import Draw, verdict_from
from edge.model import (
    Instant,
    Instructor,
    Lesson,
    LessonState,
    Notice,
    Profile,
    Scan,
    Trainee,
    TrainingClass,
    Way,
    Window,
)
from edge.rulebook import Rulebook
from edge.rules.rulings import Decision
from edge.shipped import shipped_profile as shipped_profile

# No window of a shipped profile reaches further beyond a lesson than this.
_REACH = 6 * 3600 * 1_000_000


@dataclass(frozen=True, slots=True)
class LessonRun:
    """How a lesson was actually taught; times are wall times, None while it is still open."""

    lesson_id: str
    state: LessonState
    opened_at: Instant
    opened_by: str
    ended_at: Instant | None
    ended_by: str | None
    documents: dict[str, str]
    opened_seq: int | None = None
    ended_seq: int | None = None


def lessons(connection: sqlite3.Connection, opens: Instant, closes: Instant) -> list[Lesson]:
    """Return the lessons that touch [opens, closes], in the order of their start.

    A lesson that was opened is returned as it was frozen then, with its present state.
    """
    planned = connection.execute(
        "SELECT content FROM lesson WHERE starts <= ? AND ends >= ?", (closes, opens)
    ).fetchall()
    found = {lesson.id: lesson for lesson in (_lesson(row["content"]) for row in planned)}
    # A run replaces its plan, which may meanwhile have moved to another time.
    for row in connection.execute("SELECT * FROM lesson_run WHERE ends >= ?", (opens - _REACH,)):
        found.pop(row["lesson_id"], None)
        if row["starts"] <= closes and row["ends"] >= opens:
            found[row["lesson_id"]] = _taught(row)
    return sorted(found.values(), key=lambda lesson: (lesson.start, lesson.id))


def lesson(connection: sqlite3.Connection, lesson_id: str) -> Lesson | None:
    """Return one lesson, as frozen at its opening if it was opened."""
    row = connection.execute(
        "SELECT * FROM lesson_run WHERE lesson_id = ?", (lesson_id,)
    ).fetchone()
    if row:
        return _taught(row)
    row = connection.execute("SELECT content FROM lesson WHERE id = ?", (lesson_id,)).fetchone()
    return _lesson(row["content"]) if row else None


def planned_lessons(connection: sqlite3.Connection) -> list[Lesson]:
    """Return the lessons of the timetable that were never opened."""
    rows = connection.execute(
        "SELECT content FROM lesson WHERE id NOT IN (SELECT lesson_id FROM lesson_run)"
    ).fetchall()
    return [_lesson(row["content"]) for row in rows]


def run(connection: sqlite3.Connection, lesson_id: str) -> LessonRun | None:
    """Return how a lesson was taught, None when it was never opened."""
    row = connection.execute(
        "SELECT * FROM lesson_run WHERE lesson_id = ?", (lesson_id,)
    ).fetchone()
    if row is None:
        return None
    return LessonRun(
        lesson_id=row["lesson_id"],
        state=LessonState(row["state"]),
        opened_at=row["opened_at"],
        opened_by=row["opened_by"],
        ended_at=row["ended_at"],
        ended_by=row["ended_by"],
        documents=json.loads(row["documents"]),
        opened_seq=row["opened_seq"],
        ended_seq=row["ended_seq"],
    )


def open_lessons(connection: sqlite3.Connection) -> list[Lesson]:
    """Return the lessons that are open, whatever the time."""
    rows = connection.execute("SELECT * FROM lesson_run WHERE state = 'open'").fetchall()
    return [_taught(row) for row in rows]


def lessons_of_person(connection: sqlite3.Connection, person_id: str, at: Instant) -> list[Lesson]:
    """Return the lessons near *at* that *person_id* attends or teaches."""
    near = lessons(connection, at - _REACH, at + _REACH)
    classes = {
        row["class_id"]
        for row in connection.execute(
            "SELECT class_id FROM trainee WHERE person_id = ?", (person_id,)
        )
    }
    return [entry for entry in near if entry.class_id in classes or person_id in entry.instructors]


def training_class(connection: sqlite3.Connection, class_id: str) -> TrainingClass | None:
    """Return a class with its roster."""
    row = connection.execute("SELECT * FROM class WHERE id = ?", (class_id,)).fetchone()
    if row is None:
        return None
    trainees = connection.execute(
        "SELECT person_id, number, name, pin_hash, card_hash FROM trainee WHERE class_id = ? "
        "ORDER BY position",
        (class_id,),
    ).fetchall()
    return TrainingClass(
        id=row["id"],
        name=row["name"],
        period_id=row["period_id"],
        approved_by=row["approved_by"],
        received_at=row["received_at"],
        trainees=tuple(Trainee(*entry) for entry in trainees),
    )


def person_with_card(connection: sqlite3.Connection, card_hash: str) -> str | None:
    """Return whose card that is, None when it is nobody's on this box."""
    row = connection.execute(
        "SELECT person_id FROM trainee WHERE card_hash = ? LIMIT 1", (card_hash,)
    ).fetchone()
    return str(row["person_id"]) if row else None


def instructors(connection: sqlite3.Connection) -> list[Instructor]:
    """Return the filed instructors."""
    rows = connection.execute("SELECT id, name, pin_hash FROM instructor ORDER BY id").fetchall()
    return [Instructor(*row) for row in rows]


def person_name(connection: sqlite3.Connection, person_id: str) -> str | None:
    """Return the full name of a trainee or instructor; screens mask it."""
    row = connection.execute(
        "SELECT name FROM trainee WHERE person_id = ? "
        "UNION ALL SELECT name FROM instructor WHERE id = ?",
        (person_id, person_id),
    ).fetchone()
    return row["name"] if row else None


def profile_of(connection: sqlite3.Connection, lesson: Lesson) -> Profile:
    """Return the rules that judge *lesson*: frozen at its opening, else those in force.

    Of several versions that one which holds when the lesson starts. A profile that no document
    states is the shipped one; an unknown name falls back to ``default``, since a lesson must never
    fail for want of rules.
    """
    taught = run(connection, lesson.id)
    book = (
        _rulebook(_content(connection, taught.documents.get(documents.PROFILES, "")))
        if taught
        else rulebook(connection)
    )
    return book.holding(lesson.profile, lesson.start) or shipped_profile(lesson.profile)


def rulebook(connection: sqlite3.Connection) -> Rulebook:
    """Return the profiles that the document in force states."""
    return _rulebook(_content_in_force(connection, documents.PROFILES))


def draw_of(connection: sqlite3.Connection, lesson_id: str) -> Draw | None:
    """Return the draw by which a lesson is to be spot-checked (R6), None when it was not drawn."""
    row = connection.execute("SELECT * FROM draw WHERE lesson_id = ?", (lesson_id,)).fetchone()
    if row is None:
        return None
    verdict = verdict_from(json.loads(row["verdict"]), "draw") if row["verdict"] else None
    return Draw(row["lesson_id"], row["drawn_by"], row["drawn_at"], verdict)


def decisions(connection: sqlite3.Connection, lesson_id: str) -> tuple[Decision, ...]:
    """Return what people decided about a lesson, by the document in force, in order of time."""
    found = _decisions(_content_in_force(connection, documents.DECISIONS))
    return tuple(one for one in found if one.lesson_id == lesson_id)


def notices(connection: sqlite3.Connection) -> tuple[Notice, ...]:
    """Return the notices in force, in the order of their beginning; ``Notice.shown`` says when."""
    return _notices(_content_in_force(connection, documents.NOTICES))


def scans(connection: sqlite3.Connection, lesson: Lesson, window: Window) -> list[Scan]:
    """Return the scans of the class's trainees inside *window*, in the order of time."""
    rows = connection.execute(
        "SELECT scan.id, scan.person_id, at, way FROM trainee JOIN scan USING (person_id) "
        "WHERE class_id = ? AND at BETWEEN ? AND ? ORDER BY at, scan.seq",
        (lesson.class_id, window.opens, window.last),
    ).fetchall()
    return [_scan(row) for row in rows]


def scans_of_person(connection: sqlite3.Connection, person_id: str, window: Window) -> list[Scan]:
    """Return one person's scans inside *window*, in the order of time."""
    rows = connection.execute(
        "SELECT id, person_id, at, way FROM scan WHERE person_id = ? AND at BETWEEN ? AND ? "
        "ORDER BY at, seq",
        (person_id, window.opens, window.last),
    ).fetchall()
    return [_scan(row) for row in rows]


def snapshots(connection: sqlite3.Connection, lesson_id: str) -> list[sqlite3.Row]:
    """Return the rows of ``snapshot`` of a lesson, in the order of the plan."""
    return connection.execute(
        "SELECT * FROM snapshot WHERE lesson_id = ? ORDER BY hour, number", (lesson_id,)
    ).fetchall()


def recordings(connection: sqlite3.Connection, lesson_id: str) -> list[sqlite3.Row]:
    """Return the rows of ``recording`` of a lesson, in the order of time."""
    return connection.execute(
        "SELECT * FROM recording WHERE lesson_id = ? ORDER BY starts, seq", (lesson_id,)
    ).fetchall()


def gaps(connection: sqlite3.Connection, lesson_id: str) -> list[sqlite3.Row]:
    """Return the rows of ``recording_gap`` of a lesson, in the order of time."""
    return connection.execute(
        "SELECT * FROM recording_gap WHERE lesson_id = ? ORDER BY starts, seq", (lesson_id,)
    ).fetchall()


def deleted_media(connection: sqlite3.Connection) -> set[str]:
    """Return the hashes of the media files that were deleted from this box."""
    return {row["sha256"] for row in connection.execute("SELECT sha256 FROM media_deleted")}


def profiles(connection: sqlite3.Connection) -> list[Profile]:
    """Return the rule profiles in force, the shipped default when no document states any."""
    return list(rulebook(connection).profiles) or [shipped_profile("default")]


def cameras(connection: sqlite3.Connection) -> list[sqlite3.Row]:
    """Return the last stated health of each camera."""
    return connection.execute("SELECT * FROM camera ORDER BY id").fetchall()


def camera_state(connection: sqlite3.Connection, camera: str) -> str:
    """Return the last stated health of one camera, empty while nothing was stated."""
    row = connection.execute("SELECT state FROM camera WHERE id = ?", (camera,)).fetchone()
    return str(row["state"]) if row else ""


def documents_in_force(connection: sqlite3.Connection) -> list[sqlite3.Row]:
    """Return kind, epoch, version and sha256 of each document in force."""
    return connection.execute("SELECT * FROM document_in_force ORDER BY kind").fetchall()


@lru_cache(maxsize=4096)
def _lesson(content: str) -> Lesson:
    return documents.lesson_from_json(json.loads(content))


@lru_cache(maxsize=64)
def _rulebook(content: bytes) -> Rulebook:
    return cast("Rulebook", documents.parse(documents.PROFILES, content))


@lru_cache(maxsize=4)
def _notices(content: bytes) -> tuple[Notice, ...]:
    return cast("tuple[Notice, ...]", documents.parse(documents.NOTICES, content))


@lru_cache(maxsize=4)
def _decisions(content: bytes) -> tuple[Decision, ...]:
    return cast("tuple[Decision, ...]", documents.parse(documents.DECISIONS, content))


# What a document states that is not there: nothing, whatever its kind.
_NOTHING = {
    documents.PROFILES: b'{"profiles":[]}',
    documents.NOTICES: b'{"notices":[]}',
    documents.DECISIONS: b'{"decisions":[]}',
}


def _content(connection: sqlite3.Connection, sha256: str) -> bytes:
    row = connection.execute("SELECT content FROM document WHERE sha256 = ?", (sha256,)).fetchone()
    return bytes(row["content"]) if row else _NOTHING[documents.PROFILES]


def _content_in_force(connection: sqlite3.Connection, kind: str) -> bytes:
    row = connection.execute(
        "SELECT content FROM document_in_force JOIN document USING (sha256) "
        "WHERE document_in_force.kind = ?",
        (kind,),
    ).fetchone()
    return bytes(row["content"]) if row else _NOTHING[kind]


def _taught(row: sqlite3.Row) -> Lesson:
    return replace(_lesson(row["content"]), state=LessonState(row["state"]))


def _scan(row: sqlite3.Row) -> Scan:
    return Scan(row["id"], row["person_id"], row["at"], Way.of(row["way"]))
