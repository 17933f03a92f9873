"""Whom the lessons expect at the door, and whether a scan would mean something."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from camera import expectations
from camera.faces.decide import COOL_DOWN, may_scan
from camera.greeter import last_scans, moment
from edge.clock import SimulatedClock
from edge.events import ScanMade
from edge.ledger import Ledger
from edge.model import MINUTE, SECOND
from tests.boxes import TEACHER_ID, at, lesson_of, open_ledger, roster_of, send_documents

# Four lesson hours: two segments, 09:00-10:30 and 10:30-12:00.
MORNING = lesson_of(("09:00", "09:45"), ("09:45", "10:30"), ("10:30", "11:15"), ("11:15", "12:00"))


@pytest.fixture
def clock() -> SimulatedClock:
    return SimulatedClock(at("08:50"))


@pytest.fixture
def ledger(tmp_path: Path, clock: SimulatedClock) -> Iterator[Ledger]:
    with open_ledger(tmp_path, clock) as opened:
        send_documents(opened, (MORNING,), roster_of(2))
        yield opened


def scan(ledger: Ledger, person_id: str, time: str) -> None:
    """Store a scan by face at that time of day."""
    ledger.append(ScanMade(person_id, at(time), "face", photo=""))


def counts(ledger: Ledger, person_id: str, time: str) -> bool:
    """Tell whether a scan at that time of day would count."""
    with ledger.store.read() as connection:
        return expectations.would_count(connection, person_id, at(time))


def test_the_lesson_in_its_window_expects_its_class_and_its_instructor(ledger: Ledger) -> None:
    """Fifteen minutes before the start they are expected; an hour before, nobody is."""
    with ledger.store.read() as connection:
        assert expectations.expected(connection, at("08:45")) == {"p-1", "p-2", TEACHER_ID}
        assert expectations.expected(connection, at("12:15")) == {"p-1", "p-2", TEACHER_ID}
        assert expectations.expected(connection, at("08:00")) == frozenset()


def test_a_scan_counts_as_check_in_once(ledger: Ledger) -> None:
    """The first look inside the window counts; the next one says "already"."""
    assert not counts(ledger, "p-1", "08:44")
    assert counts(ledger, "p-1", "08:50")
    scan(ledger, "p-1", "08:50")
    assert not counts(ledger, "p-1", "08:51")
    assert counts(ledger, "p-2", "08:51")


def test_checking_out_counts_once_and_then_checking_in_to_the_next_segment(
    ledger: Ledger,
) -> None:
    """At 10:30 one look checks out, and one more checks in: both count, a third does not."""
    scan(ledger, "p-1", "08:50")
    assert not counts(ledger, "p-1", "10:20")
    assert counts(ledger, "p-1", "10:30")
    scan(ledger, "p-1", "10:30")
    assert counts(ledger, "p-1", "10:31")
    scan(ledger, "p-1", "10:31")
    assert not counts(ledger, "p-1", "10:32")


def test_whoever_has_no_lesson_counts_for_nothing(ledger: Ledger) -> None:
    """Scans of others are facts too, but no check-in."""
    assert not counts(ledger, "somebody", "08:50")


def test_a_restarted_greeter_remembers_who_was_scanned_just_now(
    ledger: Ledger, clock: SimulatedClock
) -> None:
    """The cool-down survives a restart: nobody is scanned twice by a kill."""
    scan(ledger, "p-1", "08:50")
    scan(ledger, "p-2", "08:48")
    clock.advance(4 * SECOND)
    with ledger.store.read() as connection:
        last = last_scans(connection, clock.now())
    assert set(last) == {"p-1"}
    now = moment(clock.now())
    assert not may_scan(last["p-1"], now, counts=False)
    assert may_scan(last["p-1"], now + COOL_DOWN - 4 * SECOND, counts=False)
    clock.advance(MINUTE)
    with ledger.store.read() as connection:
        assert last_scans(connection, clock.now()) == {}
