"""Lessons that somebody wants recorded now, without waiting for their margin (R14).

Owns the recorder's requests of the kind ``record``, from the kiosk and from the centre. Promises
one answer to each, in one transaction with its event.
"""

from __future__ import annotations

from edge import queries, requests
from edge.camera_events import RecordingOrdered
from edge.events import Body, RequestRefused
from edge.ledger import Ledger
from edge.rules.lessons import kept_from_recording

_WHY = {
    "unknown_lesson": "this box knows no such lesson; publish its timetable",
    "too_early": "too early: a lesson may be recorded by hand from ten minutes before its start",
    "too_late": "too late: the lesson is over",
}


def take(ledger: Ledger) -> tuple[str, ...]:
    """Answer what waits; return the lessons that are to be recorded from here on."""
    begun: list[str] = []
    while (request := requests.claim(ledger, (requests.RECORD,), "recorder")) is not None:
        lesson_id = str(request.args.get("lesson", ""))
        with ledger.writing() as writer:
            lesson = queries.lesson(writer.connection, lesson_id)
            now, dated = ledger.clock.now().at, ledger.clock.dated()
            refused = (
                "unknown_lesson" if lesson is None else kept_from_recording(lesson, now, dated)
            )
            answer: Body
            if refused is None:
                by = str(request.args.get("by", ""))
                answer = RecordingOrdered(lesson_id, by, request.id)
                begun.append(lesson_id)
            else:
                why = _WHY.get(refused, f"the lesson does not take place: it is {refused}")
                answer = RequestRefused(request.id, request.kind, why)
            requests.answer(writer, request.id, answer)
    return tuple(begun)
