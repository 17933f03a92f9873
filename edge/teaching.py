"""A lesson is opened and ended: the acts of the instructor, or of the timetable.

Promises that each happens once, however often a finger taps or a process restarts.
"""

from __future__ import annotations

from edge import documents, queries
from edge.events import LessonEnded, LessonOpened
from edge.ledger import Ledger
from edge.model import LessonState
from edge.rules.lessons import kept_from_starting, may_become, over

TIMETABLE = "timetable"


class NotAllowed(Exception):
    """The lesson cannot be opened or ended now; ``code`` says why, for the screen's words."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def open_lesson(ledger: Ledger, lesson_id: str, instructor_id: str) -> bool:
    """Open a lesson and freeze what judges it; False when it is open already.

    Raises NotAllowed: ``unknown_lesson``, ``too_early``, ``too_late``, or the state
    (``cancelled``, ``postponed``, ``made_up``, ``held``) that forbids it.
    """
    with ledger.writing() as writer:
        lesson = queries.lesson(writer.connection, lesson_id)
        if lesson is None:
            raise NotAllowed("unknown_lesson")
        if lesson.state is LessonState.OPEN:
            return False
        if not may_become(lesson.state, LessonState.OPEN):
            raise NotAllowed(lesson.state)
        profile = queries.profile_of(writer.connection, lesson)
        now, dated = ledger.clock.now().at, ledger.clock.dated()
        refused = kept_from_starting(lesson, profile, now, dated)
        if refused is not None:
            raise NotAllowed(refused)
        in_force = {
            row["kind"]: row["sha256"]
            for row in queries.documents_in_force(writer.connection)
            if row["kind"] in documents.JUDGING
        }
        writer.append(
            LessonOpened(
                lesson_id=lesson.id,
                by=instructor_id,
                documents=in_force,
                profile=profile.name,
                profile_version=profile.version,
                lesson=documents.lesson_to_json(lesson),
            )
        )
    return True


def end_lesson(ledger: Ledger, lesson_id: str, by: str) -> bool:
    """End an open lesson; False when it has ended already.

    Raises NotAllowed: ``unknown_lesson`` or ``planned`` when it was never opened.
    """
    with ledger.writing() as writer:
        taught = queries.run(writer.connection, lesson_id)
        if taught is None:
            known = queries.lesson(writer.connection, lesson_id)
            raise NotAllowed(known.state if known else "unknown_lesson")
        if taught.state is LessonState.HELD:
            return False
        writer.append(LessonEnded(lesson_id, by))
    return True


def end_forgotten(ledger: Ledger) -> list[str]:
    """End the lessons that nobody ended though their last check-out window has closed."""
    now = ledger.clock.now().at
    with ledger.store.read() as connection:
        forgotten = [
            lesson.id
            for lesson in queries.open_lessons(connection)
            if over(lesson, queries.profile_of(connection, lesson), now)
        ]
    return [lesson_id for lesson_id in forgotten if end_lesson(ledger, lesson_id, TIMETABLE)]
