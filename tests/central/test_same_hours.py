"""Box and centre reckon alike: one ledger, its real projections on both sides, equal hours.

The box writes events by a clock that may be wrong and is corrected later; the centre takes in the
same signed records through its ingest. What each reads from its own tables must give one result.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edge import credits as box_credits
from edge import queries
from edge.clock import SimulatedClock
from edge.clock_events import ClockCorrected
from edge.decisions import decisions_to_json
from edge.documents import DECISIONS, PROFILES, ROSTER, TIMETABLE, roster_to_json, timetable_to_json
from edge.events import LessonEnded, ScanMade, SnapshotMissed
from edge.inbox import apply_document
from edge.ledger import Ledger
from edge.model import MINUTE, SECOND, ClockQuality, Instant, Lesson, LessonState, Profile
from edge.rulebook import Rulebook, profiles_to_json
from edge.rules.credit import Judged, Seen
from edge.rules.rulings import Decision
from edge.teaching import open_lesson
from sync.central import books, evidence
from sync.central.documents import store_document
from sync.messages import Batch, Record
from tests.boxes import LESSON_ID, TEACHER_ID, open_ledger, roster_of
from tests.central.centres import Centre, hello_of, open_centre
from tests.chains import Chain
from tests.rules.cases import PEOPLE, decisions, lessons, profiles, seen
from tests.rules.examples import Example

BOX = "room-203"
FEW = settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


class Play:
    """One lesson at one box, and what the centre makes of its ledger."""

    def __init__(self, folder: Path, lesson: Lesson, profile: Profile) -> None:
        self.lesson = replace(lesson, profile=profile.name, state=LessonState.PLANNED)
        self.documents = {
            PROFILES: profiles_to_json(Rulebook.of([profile])),
            ROSTER: roster_to_json(roster_of(len(PEOPLE))),
            TIMETABLE: timetable_to_json((self.lesson,)),
        }
        self.folder = folder
        self.clock = SimulatedClock(lesson.start)

    def run(
        self,
        scans: Sequence[Seen],
        made: tuple[Decision, ...],
        off: int,
        error: int,
        missed: bool,
    ) -> tuple[Judged, Judged]:
        """Return the hours on the box and at the centre.

        *off*: by how much the box's clock was wrong while it scanned, microseconds; 0 for never.
        """
        self.documents[DECISIONS] = decisions_to_json(made)
        now = self.lesson.end + 10 * 86_400 * SECOND
        with open_ledger(self.folder / "box", self.clock, BOX) as ledger:
            for kind, content in self.documents.items():
                apply_document(ledger, kind, "epoch-1", 1, content)
            assert open_lesson(ledger, LESSON_ID, TEACHER_ID)
            self._scan(ledger, scans, off, error)
            if missed:
                ledger.append(SnapshotMissed(LESSON_ID, 0, 1, "classroom", "disk_full"))
            ledger.append(LessonEnded(LESSON_ID, TEACHER_ID))
            with ledger.store.read() as connection:
                held = queries.lesson(connection, LESSON_ID)
                assert held is not None
                here = box_credits.of_lesson(connection, held, now)
            with open_centre(self.folder, now) as centre:
                self._tell(centre, ledger)
                return here, self._there(centre, now)

    def _scan(self, ledger: Ledger, scans: Sequence[Seen], off: int, error: int) -> None:
        """Write scans in the order of time, by a clock of a boot that may not know the time."""
        quality = ClockQuality.UNSYNCHRONISED if off else ClockQuality.SYNCHRONISED
        begin = self.lesson.start - 2 * 60 * MINUTE
        self.clock.reboot(begin + off, "boot-2", quality)
        for one in sorted(scans, key=lambda one: (one.scan.at, one.scan.id)):
            self.clock.at = one.scan.at + off
            self.clock.mono = (one.scan.at - begin) * 1000
            reading = self.clock.now()
            ledger.append(
                ScanMade(
                    one.scan.person_id,
                    reading.at,
                    str(one.scan.way),
                    "a" * 64 if one.photo else "",
                    reason=one.reason,
                    boot=reading.boot,
                    mono=reading.mono,
                    clock=str(reading.clock),
                )
            )
        if off:
            ledger.append(ClockCorrected("boot-2", begin, error, "centre"))

    def _tell(self, centre: Centre, ledger: Ledger) -> None:
        for kind, content in self.documents.items():
            store_document(centre.store, BOX, kind, content, 1)
        records = tuple(Record(one.event, one.salt, one.body) for one in ledger.records())
        stands_for = SimpleNamespace(
            uuid=ledger.uuid, head=len(records), records=records, public_key=ledger.public_key
        )
        centre.hear(BOX, hello_of(cast("Chain", stands_for)))
        centre.hear(BOX, Batch(ledger.uuid, 0, records))
        assert centre.incidents() == []

    def _there(self, centre: Centre, now: Instant) -> Judged:
        with centre.store.reading() as connection:
            planned = books.lesson(connection, LESSON_ID)
            assert planned is not None
            return evidence.of_lesson(connection, planned, now).judged


@FEW
@given(data=st.data())
def test_the_same_scans_give_identical_hours_on_box_and_centre(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    """Random timetables, profiles, scans, decisions and corrected clocks, by real projections."""
    lesson = data.draw(lessons())
    play = Play(tmp_path_factory.mktemp("play"), lesson, data.draw(profiles()))
    scans = [one for person in PEOPLE for one in data.draw(seen(lesson, person))]
    here, there = play.run(
        scans,
        data.draw(decisions(lesson)),
        off=data.draw(st.sampled_from([0, -40 * MINUTE, 7 * MINUTE, -86_400 * SECOND])),
        error=data.draw(st.sampled_from([0, SECOND, 90 * SECOND])),
        missed=data.draw(st.booleans()),
    )
    assert here == there
    assert set(here.hours) == set(PEOPLE)


def test_a_corrected_clock_counts_by_the_true_time_on_both_sides(tmp_path: Path) -> None:
    """A box an hour slow scans at 08:52 and 10:30: both sides count both hours, by true time."""
    case = Example(
        "", "", "jinan", "09:00–09:45 09:45–10:30", "", "08:52; 10:30", "", "", ""
    ).facts()
    scans = [
        replace(one, scan=replace(one.scan, person_id=PEOPLE[0])) for one in case.seen["trainee"]
    ]
    play = Play(tmp_path, case.lesson, case.profile)
    here, there = play.run(scans, (), off=-60 * MINUTE, error=SECOND, missed=False)
    assert here == there
    values: list[Any] = [str(one.credit) for one in here.hours[PEOPLE[0]]]
    assert values == ["valid", "valid"]
