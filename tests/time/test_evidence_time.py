"""Snapshots, recordings, opening and end of a lesson, when they were: on both sides alike."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from edge import queries
from edge.config import Config, parse
from edge.events import RecordingGap, RecordingStored
from edge.model import MINUTE, SECOND, ClockQuality, Instant
from edge.rules.moments import FIRST_RELEASE, Moment
from edge.teaching import end_lesson, open_lesson
from kiosk_ui import records
from kiosk_ui.records import Record
from sync.central import books, evidence
from sync.central.views import Evidence
from tests.boxes import LESSON_ID, TEACHER_ID, at
from tests.time.both import Both
from tests.time.stage import DAY, WEEK

SETTINGS = '[box]\nid = "room-203"\nroom = "203"\n'


@dataclass
class Truth:
    """When everything of the lesson really happened."""

    opened: Instant = 0
    ended: Instant = 0
    film: tuple[Instant, Instant] = (0, 0)
    shot: Instant = 0


def teach(both: Both) -> Truth:
    """Hold the lesson of 09:00 on a box that woke in 1970; return when things really were."""
    box, truth = both.box, Truth()
    box.wait(at("08:58") - box.true)
    truth.opened = box.true
    open_lesson(box.ledger, LESSON_ID, TEACHER_ID)
    box.wait(2 * MINUTE)
    begun = box.true
    box.film(20 * MINUTE)
    truth.film = (begun, box.true)
    truth.shot = box.true
    box.shoot(2)
    box.wait(at("10:31") - box.true)
    truth.ended = box.true
    end_lesson(box.ledger, LESSON_ID, TEACHER_ID)
    return truth


def kiosk(both: Both) -> Record:
    """Return what the kiosk shows of the lesson."""
    config: Config = parse(SETTINGS, "box.toml", Path())
    with both.box.ledger.store.read() as connection:
        lesson = queries.lesson(connection, LESSON_ID)
        assert lesson is not None
        return records.read(connection, lesson, config, both.box.true)


def console(both: Both) -> Evidence:
    """Return what the console shows of the lesson."""
    with both.centre.store.reading() as connection:
        planned = books.lesson(connection, LESSON_ID)
        assert planned is not None
        planned = evidence.dated(connection, planned)
        return evidence.of_lesson(connection, planned, both.box.true)


def on_the_box(record: Record) -> dict[str, Moment]:
    """Return the moments that the kiosk shows."""
    (film,), (shot,) = record.recordings, record.snapshots
    assert record.opened is not None
    assert record.ended is not None
    return {
        "opened": record.opened,
        "ended": record.ended,
        "film begins": film.span.starts,
        "film ends": film.span.ends,
        "snapshot": shot.moment,
    }


def at_the_centre(shown: Evidence) -> dict[str, Moment]:
    """Return the same of the console."""
    (film,) = shown.films
    (shot,) = [one for one in shown.shots if one.moment is not None]
    run = shown.planned.run
    assert run is not None
    assert run.opened is not None
    assert run.ended is not None
    assert film.span is not None
    assert shot.moment is not None
    return {
        "opened": run.opened,
        "ended": run.ended,
        "film begins": film.span.starts,
        "film ends": film.span.ends,
        "snapshot": shot.moment,
    }


def really(truth: Truth) -> dict[str, Instant]:
    """Return when those were."""
    return {
        "opened": truth.opened,
        "ended": truth.ended,
        "film begins": truth.film[0],
        "film ends": truth.film[1],
        "snapshot": truth.shot,
    }


def test_a_correction_a_week_later_puts_everything_right_to_a_second(both: Both) -> None:
    """Kiosk and console show the same corrected times, and how exact they are."""
    truth = teach(both)
    believed = kiosk(both)
    both.box.wait(WEEK)
    both.box.learn()
    both.bring()
    box, centre = on_the_box(kiosk(both)), at_the_centre(console(both))
    assert box == centre
    for name, when in really(truth).items():
        assert abs(box[name].at - when) <= SECOND, name
        assert box[name].known
        assert box[name].earliest <= when <= (box[name].latest or 0), name
    # Nothing was rewritten: the rows still hold what the box believed.
    assert believed.run == kiosk(both).run


def test_a_boot_that_never_knew_the_time_gets_honest_intervals(both: Both) -> None:
    """Each holds the truth, says that it is no more than an interval, and both sides agree."""
    truth = teach(both)
    both.box.reboot("boot-2", off=DAY)
    both.box.learn()
    both.box.scan("p-1")
    both.bring()
    box, centre = on_the_box(kiosk(both)), at_the_centre(console(both))
    for name, when in really(truth).items():
        for one in (box[name], centre[name]):
            assert not one.known
            assert one.latest is not None
            assert FIRST_RELEASE <= one.earliest <= when <= one.latest, name
            assert one.earliest < one.latest
        # The centre knows besides when it received it, and so never less.
        assert box[name].earliest == centre[name].earliest
        assert (centre[name].latest or 0) <= (box[name].latest or 0)


def test_a_part_that_a_power_cut_left_is_dated_by_the_boot_that_filmed_it(both: Both) -> None:
    """Its event is written after the reboot, when the box knows the time of another boot."""
    box = both.box
    open_lesson(box.ledger, LESSON_ID, TEACHER_ID)
    box.learn()
    begun, true = box.clock.now(), box.true
    box.wait(3 * MINUTE)
    box.reboot("boot-2")
    part = RecordingStored(
        LESSON_ID,
        "front",
        begun.at,
        begun.at + 2 * MINUTE,
        "a" * 64,
        1000,
        interrupted=True,
        boot=begun.boot,
        mono=begun.mono,
        clock="unsynchronised",
    )
    box.ledger.append(part)
    box.wait(DAY)
    box.learn()
    both.bring()
    (film,), (same,) = kiosk(both).recordings, console(both).films
    assert film.span == same.span
    assert abs(film.span.starts.at - true) <= SECOND
    assert film.span.starts.known


def test_a_gap_goes_where_the_video_was_filmed_after_all(both: Both) -> None:
    """The box believed to be late and said that the beginning is missing; both sides see it is not.

    What is really missing stays, at its corrected time.
    """
    box = both.box
    box.wait(at("08:45") - box.true)
    box.machine.reboot(0, "boot-2", ClockQuality.UNSYNCHRONISED)
    box.clock.not_before(at("09:20"))  # as after a battery clock that was ahead
    open_lesson(box.ledger, LESSON_ID, TEACHER_ID)
    believed_start = box.clock.now().at
    assert believed_start >= at("09:20")
    box.film(60 * MINUTE)
    believed_end = box.clock.now().at
    box.wait(10 * MINUTE)
    believed = box.clock.now().at
    box.film(35 * MINUTE)
    for starts, ends, cause in (
        (at("08:45"), believed_start, "known_late"),
        (believed_end, believed, "camera_silent"),
    ):
        box.ledger.append(RecordingGap(LESSON_ID, "front", starts, ends, cause))
    assert len(kiosk(both).gaps) == 2
    box.wait(DAY)
    box.learn()
    both.bring()
    (gap,), (hole,) = kiosk(both).gaps, console(both).holes
    assert gap.span == hole.span
    assert abs(gap.span.starts.at - at("09:45")) <= SECOND
    assert abs(gap.span.ends.at - at("09:55")) <= SECOND
    assert hole.cause == "camera_silent"
