"""What the ledger says of time: steps, truths, and scans judged by when they were made."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from edge import events, timekeeping, times
from edge.clock import SimulatedClock
from edge.clock_events import ClockCorrected, ClockStepped
from edge.events import ScanMade, ServiceStarted
from edge.ledger import Ledger, projection_rows
from edge.model import MINUTE, SECOND, Instant
from edge.teaching import NotAllowed, end_forgotten, open_lesson
from tests.boxes import LESSON_ID, TEACHER_ID, at
from tests.time.stage import DAY, IN_2099, SYNCHRONISED, UNSYNCHRONISED, WEEK, Box, hold_the_lesson


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Box]:
    """A box that woke in 1970 on the morning of its lesson, without a network."""
    made = Box(tmp_path, at("08:40"))
    yield made
    made.ledger.close()


def test_a_lesson_in_1970_counts_when_the_truth_comes_a_week_later(box: Box) -> None:
    """Corrected times equal the truth to a second; attendance is derived again from them."""
    scans = hold_the_lesson(box)
    assert box.attendance() == {}
    box.wait(WEEK)
    assert box.learn()
    assert box.attendance() == {"p-1": (True, True), "p-2": (True, True)}
    with box.ledger.store.read() as connection:
        for seq, true in scans:
            moment = times.moment(connection, seq)
            assert moment.known
            assert abs(moment.at - true) < SECOND
            row = connection.execute("SELECT at, error FROM scan WHERE seq = ?", (seq,)).fetchone()
            assert (row["at"], row["error"]) == (moment.at, moment.error)
    assert box.ledger.verify().intact


def test_what_was_written_is_never_rewritten(box: Box) -> None:
    """The events keep the time that the box believed, and say that it was not synchronised."""
    scans = hold_the_lesson(box)
    before = [box.ledger.events(seq - 1, 1)[0] for seq, _ in scans]
    box.wait(WEEK)
    box.learn()
    assert [box.ledger.events(seq - 1, 1)[0] for seq, _ in scans] == before
    assert {record.event.reading.clock for record in before} == {UNSYNCHRONISED}


def test_rebuilt_tables_equal_the_live_ones_after_corrections(box: Box) -> None:
    """A replay of the events arrives at the same corrected scans and the same attendance."""
    hold_the_lesson(box)
    box.wait(WEEK)
    box.learn()
    box.wait(DAY)
    box.learn()
    live = projection_rows(box.ledger)
    assert len(live["clock_truth"]) == 2
    box.ledger.rebuild()
    assert projection_rows(box.ledger) == live


def test_a_boot_that_met_no_source_has_an_honest_interval(box: Box) -> None:
    """It lies after what came before it and before what came after it, and says no more."""
    box.learn()
    known = box.scan("p-1")
    box.reboot("boot-2", off=DAY)
    box.wait(10 * MINUTE)
    lost, when_lost = box.scan("p-1"), box.true
    box.reboot("boot-3", off=2 * DAY)
    box.learn()
    with box.ledger.store.read() as connection:
        moment = times.moment(connection, lost)
        before = times.moment(connection, known)
    assert not moment.known
    assert moment.latest is not None
    assert before.at < moment.earliest <= when_lost <= moment.latest <= box.true + 20_000


def test_the_last_boot_is_bounded_from_one_side_only(box: Box) -> None:
    """Until anything is known, nobody can say how late it is."""
    box.learn()
    box.reboot("boot-2", off=DAY)
    lost = box.scan("p-1")
    with box.ledger.store.read() as connection:
        moment = times.moment(connection, lost)
    assert (moment.known, moment.latest) == (False, None)
    assert moment.earliest <= box.true


@pytest.mark.parametrize("to", [IN_2099, at("09:00") - DAY], ids=["2099", "a day back"])
def test_a_lesson_goes_on_when_the_machines_clock_jumps(box: Box, to: Instant) -> None:
    """It stays open and its scans count; that the clock jumped is recorded once."""
    box.learn()
    box.wait(at("08:50") - box.true)
    open_lesson(box.ledger, LESSON_ID, TEACHER_ID)
    box.scan("p-1")
    box.wait(40 * MINUTE)
    box.machine.jump(to)
    for _ in range(3):
        timekeeping.keep(box.ledger, box.clock)
    assert end_forgotten(box.ledger) == []
    box.wait(at("10:31") - box.true)
    box.scan("p-1")
    assert box.attendance() == {"p-1": (True, True)}
    stepped = [one for one in box.said(ClockStepped) if isinstance(one, ClockStepped)]
    assert [one.clock for one in stepped] == ["box", "machine"]  # the first: from 1970 to now
    taught = box.ledger.events(box.kinds().index("lesson.opened"))
    ats = [record.event.reading.at for record in taught]
    assert ats == sorted(ats)


def test_a_step_of_the_boxs_own_time_is_stated_before_what_follows_it(tmp_path: Path) -> None:
    """Where `at` goes back or leaps by more than a second, the event before says so."""
    clock = SimulatedClock(at("09:00"))
    ledger = Ledger.open(tmp_path, "room-203", clock)
    clock.jump(at("09:00") + SECOND // 2)
    ledger.append(ServiceStarted("link", "1"))
    clock.jump(at("08:00"))
    ledger.append(ServiceStarted("kiosk", "1"))
    clock.reboot(at("12:00"), "boot-2", SYNCHRONISED)
    ledger.append(ServiceStarted("link", "1"))
    records = ledger.events()
    assert [record.event.kind for record in records] == [
        "ledger.born",
        "service.started",
        "clock.stepped",
        "service.started",
        "service.started",
    ]
    assert records[2].body is not None
    body = events.decode("clock.stepped", records[2].body)
    assert isinstance(body, ClockStepped)
    assert (body.after - body.before, body.clock) == (-60 * MINUTE - SECOND // 2, "box")
    assert ledger.verify().intact
    ledger.close()


def test_truth_and_step_are_one_transaction(box: Box) -> None:
    """No event by the old time stands behind the step, and none by the new one before it."""
    box.scan("p-1")
    box.learn()
    assert box.kinds()[-2:] == ["clock.stepped", "clock.corrected"]
    assert [record.event.reading.clock for record in box.ledger.records()][-2:] == [
        SYNCHRONISED,
        SYNCHRONISED,
    ]


def test_a_time_service_is_stated_once_by_whichever_service_looks(box: Box) -> None:
    """A box without a centre records the truth too, and not each second."""
    box.machine.jump(box.true)
    box.machine.quality = SYNCHRONISED
    for _ in range(5):
        timekeeping.keep(box.ledger, box.clock)
        box.wait(SECOND)
    (truth,) = box.said(ClockCorrected)
    assert isinstance(truth, ClockCorrected)
    assert (truth.boot, truth.source) == ("boot-1", "ntp")
    assert truth.offset == box.true - box.machine.mono // 1000


def test_a_long_boot_is_told_the_time_again(box: Box) -> None:
    """When the drift since the last truth may be half a second, the next one is worth an event."""
    told = 0
    for _ in range(24 * 60):
        told += box.learn()
        box.wait(MINUTE)
    assert 10 <= told <= 24


def test_a_scan_that_a_crash_left_over_is_dated_by_its_own_boot(box: Box) -> None:
    """Its event is written after the reboot; its time belongs to the boot of its frame."""
    now = box.clock.now()
    left = ScanMade("p-1", now.at, "face", "", boot=now.boot, mono=now.mono, clock=now.clock)
    when = box.true
    box.learn()
    box.reboot("boot-2", off=DAY)
    box.ledger.append(left)
    with box.ledger.store.read() as connection:
        row = connection.execute("SELECT at FROM scan").fetchone()
    assert abs(row["at"] - when) < SECOND


def test_without_a_date_an_instructor_may_start_any_lesson_to_come(box: Box) -> None:
    """A box that was off for weeks believes its last event; the person at the door knows better."""
    assert box.clock.now().at < at("09:00") - DAY
    assert open_lesson(box.ledger, LESSON_ID, TEACHER_ID)
    (opened,) = [
        record.event for record in box.ledger.records() if record.event.kind == "lesson.opened"
    ]
    assert opened.reading.clock is UNSYNCHRONISED


def test_with_a_date_the_window_holds(box: Box) -> None:
    """A box that knows the time keeps to it."""
    box.learn()
    box.wait(-30 * MINUTE)
    with pytest.raises(NotAllowed, match="too_early"):
        open_lesson(box.ledger, LESSON_ID, TEACHER_ID)


def test_what_is_surely_over_cannot_be_started(box: Box) -> None:
    """Without a date a box still knows that it is not earlier than its last event."""
    box.learn()
    box.wait(DAY)
    box.ledger.append(ServiceStarted("link", "1"))
    box.reboot("boot-2")
    assert not box.clock.dated()
    with pytest.raises(NotAllowed, match="too_late"):
        open_lesson(box.ledger, LESSON_ID, TEACHER_ID)
