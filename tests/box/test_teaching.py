"""Lessons are opened and ended once, by people or by the timetable."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from edge import queries
from edge.clock import SimulatedClock
from edge.ledger import Ledger
from edge.model import MINUTE, LessonState
from edge.teaching import NotAllowed, end_forgotten, end_lesson, open_lesson
from tests.boxes import LESSON_ID, TEACHER_ID, at, open_ledger, roster_of, send_documents, two_hours

LESSON = two_hours(at("09:00"))


@pytest.fixture
def clock() -> SimulatedClock:
    return SimulatedClock(at("08:50"))


@pytest.fixture
def ledger(tmp_path: Path, clock: SimulatedClock) -> Iterator[Ledger]:
    with open_ledger(tmp_path, clock) as opened:
        send_documents(opened, (LESSON,), roster_of())
        yield opened


def state(ledger: Ledger) -> LessonState:
    with ledger.store.read() as connection:
        lesson = queries.lesson(connection, LESSON_ID)
    assert lesson is not None
    return lesson.state


def test_a_double_tap_opens_a_lesson_once(ledger: Ledger) -> None:
    """Two threads of the kiosk open the same lesson: one event."""
    results: list[bool] = []
    taps = [
        threading.Thread(target=lambda: results.append(open_lesson(ledger, LESSON_ID, TEACHER_ID)))
        for _ in range(2)
    ]
    for tap in taps:
        tap.start()
    for tap in taps:
        tap.join()
    assert sorted(results) == [False, True]
    kinds = [record.event.kind for record in ledger.events()]
    assert kinds.count("lesson.opened") == 1


def test_a_lesson_goes_from_planned_to_open_to_held(ledger: Ledger) -> None:
    """Decision 18: each step once, in this order."""
    with pytest.raises(NotAllowed, match="planned"):
        end_lesson(ledger, LESSON_ID, TEACHER_ID)
    assert open_lesson(ledger, LESSON_ID, TEACHER_ID)
    assert state(ledger) is LessonState.OPEN
    assert end_lesson(ledger, LESSON_ID, TEACHER_ID)
    assert state(ledger) is LessonState.HELD
    assert not end_lesson(ledger, LESSON_ID, TEACHER_ID)
    with pytest.raises(NotAllowed, match="held"):
        open_lesson(ledger, LESSON_ID, TEACHER_ID)


@pytest.mark.parametrize(
    ("time", "code"),
    [("08:44", "too_early"), ("10:31", "too_late")],
)
def test_a_lesson_opens_only_around_its_time(
    ledger: Ledger, clock: SimulatedClock, time: str, code: str
) -> None:
    """From S−15 until E; the refusal says which side it was."""
    clock.jump(at(time))
    with pytest.raises(NotAllowed, match=code):
        open_lesson(ledger, LESSON_ID, TEACHER_ID)


def test_a_cancelled_lesson_does_not_open(ledger: Ledger) -> None:
    """The state is the reason."""
    cancelled = replace(LESSON, state=LessonState.CANCELLED, reason="停电")
    send_documents(ledger, (cancelled,), roster_of(), version=2)
    with pytest.raises(NotAllowed, match="cancelled"):
        open_lesson(ledger, LESSON_ID, TEACHER_ID)


def test_the_timetable_ends_what_nobody_ended(ledger: Ledger, clock: SimulatedClock) -> None:
    """After the last check-out window a forgotten lesson is held, once, and says by whom."""
    open_lesson(ledger, LESSON_ID, TEACHER_ID)
    clock.jump(at("10:45"))
    assert end_forgotten(ledger) == []
    clock.advance(MINUTE)
    assert end_forgotten(ledger) == [LESSON_ID]
    assert end_forgotten(ledger) == []
    with ledger.store.read() as connection:
        taught = queries.run(connection, LESSON_ID)
    assert taught is not None
    assert taught.ended_by == "timetable"
