"""What the centre derives from a lesson's events: joined boxes, frozen rules, the drawing."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edge import events
from edge.documents import (
    PROFILES,
    ROSTER,
    TIMETABLE,
    roster_to_json,
    timetable_to_json,
)
from edge.events import SnapshotMissed, SnapshotTaken
from edge.model import MINUTE, Instant, Lesson
from edge.rulebook import Rulebook, profiles_to_json
from sync.central import books, evidence, tables
from sync.central.console.timeline import draw
from sync.central.documents import store_document
from sync.central.views import Evidence
from tests.boxes import LESSON_ID, at, roster_of, two_hours
from tests.central.centres import Centre, hello_of
from tests.central.days import START, busy_day, opened, scan, sha
from tests.chains import Chain

BOX, OTHER = "room-203", "room-204"


def of(centre: Centre, now: Instant) -> Evidence:
    """Return the lesson's evidence at *now*."""
    with centre.store.reading() as connection:
        planned = books.lesson(connection, LESSON_ID)
        assert planned is not None
        return evidence.of_lesson(connection, planned, now)


def plan(centre: Centre, box: str, lesson: Lesson, count: int = 3) -> None:
    """Give *box* a roster and a timetable with that lesson."""
    store_document(centre.store, box, ROSTER, roster_to_json(roster_of(count)), 1)
    store_document(centre.store, box, TIMETABLE, timetable_to_json((lesson,)), 1)


def test_two_boxes_of_one_lesson_are_joined(centre: Centre) -> None:
    """A hall with two boxes: in at one and out at the other is one attendance (decision 1)."""
    chains = Chain(BOX), Chain(OTHER, "ledger-2")
    for chain in chains:
        plan(centre, chain.box, two_hours(START))
        centre.know(chain)
    centre.learn(chains[0], opened(two_hours(START)), scan("p-1", START))
    centre.learn(chains[1], scan("p-1", START + 90 * MINUTE))
    one = of(centre, at("12:00"))
    assert one.planned.boxes == (BOX, OTHER)
    assert one.attendees[0].marks[0].complete
    assert one.not_checked_out(at("12:00")) == 0


def test_scans_of_another_room_do_not_count_here(centre: Centre) -> None:
    """Who was scanned at a box that has nothing to do with the lesson was not at the lesson."""
    plan(centre, BOX, two_hours(START))
    stranger = Chain(OTHER, "ledger-2")
    centre.know(stranger)
    centre.learn(stranger, scan("p-1", START))
    assert of(centre, at("12:00")).checked_in(of(centre, at("12:00")).segments[0]) == 0


def test_an_opened_lesson_is_judged_by_what_it_froze(centre: Centre) -> None:
    """Roster, rules and hours that come later change planned lessons, not one that was opened."""
    lesson = two_hours(START, profile="short")
    rules = replace(books.shipped_profile("demo"), name="short")
    plan(centre, BOX, lesson, count=2)
    store_document(centre.store, BOX, PROFILES, profiles_to_json(Rulebook.of([rules])), 1)
    chain = Chain(BOX)
    centre.know(chain)
    frozen = {row.kind: row.sha256 for row in centre.rows(tables.document)}
    body = opened(lesson)
    centre.learn(
        chain,
        events.LessonOpened(body.lesson_id, body.by, frozen, "short", 1, body.lesson),
    )
    plan(centre, BOX, two_hours(START + 60 * MINUTE), count=5)
    store_document(centre.store, BOX, PROFILES, profiles_to_json(Rulebook()), 1)
    one = of(centre, at("09:10"))
    assert one.lesson.start == START
    assert len(one.attendees) == 2
    assert one.profile.name == "short"


def test_without_documents_a_lesson_still_shows_what_happened(centre: Centre) -> None:
    """The opening event alone is enough for the lesson, its line and its snapshots."""
    chain = Chain(BOX)
    centre.know(chain)
    busy_day(centre, chain)
    one = of(centre, at("12:00"))
    assert one.attendees == ()
    assert [shot.state for shot in one.shots] == ["taken", "missed", "due", "due", "due", "due"]
    assert one.strangers == 2


def test_a_snapshot_that_was_found_later_is_not_missing(centre: Centre) -> None:
    """Missed and then recovered is taken; a second picture for the slot changes nothing."""
    chain = Chain(BOX)
    centre.know(chain)
    moment = START + 5 * MINUTE
    centre.learn(
        chain,
        opened(two_hours(START)),
        SnapshotMissed(LESSON_ID, 0, 1, "classroom", "no answer"),
        SnapshotTaken(LESSON_ID, 0, 1, "classroom", moment, "key_frame", sha("a"), 9),
        SnapshotTaken(LESSON_ID, 0, 1, "classroom", moment + 1, "key_frame", sha("b"), 9),
    )
    shot = of(centre, at("12:00")).shots[0]
    assert (shot.state, shot.sha256) == ("taken", sha("a"))


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(now=st.integers(at("07:00"), at("13:00")), width=st.integers(100, 2000))
def test_the_drawing_stays_inside_its_frame(centre: Centre, now: Instant, width: int) -> None:
    """Whatever the time, every bar, dot and tick lies on the axis."""
    if not centre.rows(tables.event):
        chain = Chain(BOX)
        centre.hear(BOX, hello_of(chain))
        busy_day(centre, chain)
    shape = draw(of(centre, now), now, width)
    for bar in (*shape.films, *shape.holes):
        assert 0 <= bar.x <= width
        assert bar.x + bar.width <= width + 1
    for x in (*(dot.x for dot in shape.shots), *shape.scans, *(tick.x for tick in shape.ticks)):
        assert 0 <= x <= width
    assert shape.now is None or 0 <= shape.now <= width
    assert len(shape.ticks) <= 10


@pytest.mark.parametrize("moment", ["08:00", "23:59"])
def test_a_day_has_the_lessons_that_begin_in_it(centre: Centre, moment: str) -> None:
    """A lesson across midnight belongs to its start date (decision 6)."""
    plan(centre, BOX, two_hours(at(moment)))
    with centre.store.reading() as connection:
        today = books.lessons(connection, at("00:00"), at("00:00", "2026-11-24"))
        tomorrow = books.lessons(connection, at("00:00", "2026-11-24"), at("00:00", "2026-11-25"))
    assert [planned.lesson.id for planned in today] == [LESSON_ID]
    assert tomorrow == []
