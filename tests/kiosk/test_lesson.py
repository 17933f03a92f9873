"""An instructor starts and ends a lesson, and enters people by hand."""

from __future__ import annotations

import json
import re
import threading
from dataclasses import replace
from typing import Any

import pytest

from edge import queries, teaching
from edge.events import LessonEnded, LessonOpened, ScanMade
from edge.model import LessonState
from kiosk_ui import manual, presence
from tests.boxes import LESSON_ID, TEACHER_ID, at, roster_of, two_hours
from tests.kiosk.stage import JPEG, PIN_HASH, Browser, Stage

START = f"/instructor/lessons/{LESSON_ID}/start"
END = f"/instructor/lessons/{LESSON_ID}/end"
MANUAL = f"/instructor/lessons/{LESSON_ID}/manual"


@pytest.fixture
def teacher(stage: Stage) -> Browser:
    """Return a browser in which the instructor is logged in."""
    browser = stage.client()
    browser.log_in(TEACHER_ID)
    return browser


def bodies(stage: Stage, kind: str) -> list[dict[str, Any]]:
    """Return what the events of that kind say."""
    return [
        json.loads(record.body or b"{}")
        for record in stage.ledger.events()
        if record.event.kind == kind
    ]


def state(stage: Stage) -> LessonState:
    """Return the lesson's stored state."""
    with stage.ledger.store.read() as connection:
        found = queries.lesson(connection, LESSON_ID)
    assert found is not None
    return found.state


def test_a_started_lesson_is_stored_and_shown(stage: Stage, teacher: Browser) -> None:
    """One event, by this instructor; the button turns into the one that ends it."""
    _, page = teacher.post(START)
    assert "The lesson has started" in page
    assert "End the lesson" in page and "Start the lesson" not in page
    assert [one["by"] for one in bodies(stage, LessonOpened.kind)] == [TEACHER_ID]


def test_without_a_date_any_lesson_to_come_may_be_started(stage: Stage, teacher: Browser) -> None:
    """The page says that the box does not know the date, and offers the others as well."""
    monday = two_hours(at("09:00"))
    friday = replace(two_hours(at("09:00", "2026-11-27")), id="lesson-5")
    stage.send((monday, friday), roster_of(pin_hash=PIN_HASH), version=2)
    assert "does not know the date" not in teacher.get("/instructor")
    stage.clock.has_date = False
    page = teacher.get("/instructor")
    assert "does not know the date" in page
    assert "/instructor/lessons/lesson-5/start" in page
    _, page = teacher.post("/instructor/lessons/lesson-5/start")
    assert "The lesson has started" in page


def test_two_taps_start_a_lesson_once(stage: Stage, teacher: Browser) -> None:
    """Even when two threads of the kiosk serve them at the same time."""
    token = teacher.token()
    cookie = teacher.client.get_cookie("kiosk")
    assert cookie is not None
    value = cookie.value
    both = threading.Barrier(2)

    def tap() -> None:
        other = stage.client()
        other.client.set_cookie("kiosk", value)
        both.wait(10)
        other.client.post(START, data={"token": token})

    taps = [threading.Thread(target=tap) for _ in range(2)]
    for one in taps:
        one.start()
    for one in taps:
        one.join()
    assert len(bodies(stage, LessonOpened.kind)) == 1


@pytest.mark.parametrize(
    ("time", "words"), [("08:30", "It is too early"), ("10:40", "time is over")]
)
def test_a_lesson_outside_its_time_does_not_start(
    stage: Stage, teacher: Browser, time: str, words: str
) -> None:
    """The refusal says why; nothing is stored."""
    stage.clock.jump(at(time))
    assert words in teacher.post(START)[1]
    assert not bodies(stage, LessonOpened.kind)


def test_a_lesson_that_left_the_timetable_says_so(stage: Stage, teacher: Browser) -> None:
    """A timetable may change between the page and the tap."""
    stage.send([], roster_of(5, PIN_HASH), version=2)
    assert "no longer on the timetable" in teacher.post(START)[1]


def test_ending_early_asks_and_says_what_it_means(stage: Stage, teacher: Browser) -> None:
    """Only the second, explicit yes ends the lesson before its time."""
    teacher.post(START)
    stage.clock.jump(at("10:00"))
    _, page = teacher.post(END)
    assert "End the lesson now?" in page
    assert "Check-out stays 10:29–10:45" in page
    assert state(stage) is LessonState.OPEN
    teacher.post(END, early="yes")
    assert state(stage) is LessonState.HELD
    assert [one["by"] for one in bodies(stage, LessonEnded.kind)] == [TEACHER_ID]


def test_after_its_end_a_lesson_ends_with_one_tap(stage: Stage, teacher: Browser) -> None:
    """And a second tap does no harm."""
    teacher.post(START)
    stage.clock.jump(at("10:31"))
    assert "The lesson has ended" in teacher.post(END)[1]
    teacher.post(END)
    assert len(bodies(stage, LessonEnded.kind)) == 1


def test_a_lesson_that_nobody_ends_is_ended_by_the_timetable(stage: Stage) -> None:
    """After its last check-out window has closed, and not before."""
    teaching.open_lesson(stage.ledger, LESSON_ID, TEACHER_ID)
    stage.clock.jump(at("10:45"))
    assert teaching.end_forgotten(stage.ledger) == []
    stage.clock.jump(at("10:46"))
    assert teaching.end_forgotten(stage.ledger) == [LESSON_ID]
    assert "(by timetable)" in stage.client().get(f"/lessons/{LESSON_ID}")


def form_id(page: str) -> str:
    """Return the id of the manual entry's form."""
    found = re.search(r'name="form" value="([0-9a-f]+)"', page)
    assert found
    return found[1]


def test_an_entry_by_hand_has_a_reason_a_photo_and_a_name(stage: Stage, teacher: Browser) -> None:
    """R9 and decision 8: a coded reason, the box's own photo, the instructor's login."""
    stage.picture()
    page = teacher.get(MANUAL)
    assert "This picture is kept with the entry" in page
    _, page = teacher.post(
        MANUAL, form=form_id(page), person=["p-2", "p-3"], reason="face_not_recognised"
    )
    assert "2 people entered · Entered by the instructor: Face not recognised" in page
    made = bodies(stage, ScanMade.kind)
    assert [one["person_id"] for one in made] == ["p-2", "p-3"]
    assert {(one["way"], one["entered_by"], one["reason"]) for one in made} == {
        ("manual", TEACHER_ID, "face_not_recognised")
    }
    assert stage.media.path(made[0]["photo"]).read_bytes() == JPEG
    assert "by hand" in teacher.get(f"/lessons/{LESSON_ID}")


def test_without_a_camera_the_entry_says_that_it_has_no_photo(
    stage: Stage, teacher: Browser
) -> None:
    """It is stored all the same, and its hours wait for a review."""
    page = teacher.get(MANUAL)
    assert "without a photo" in page
    _, page = teacher.post(MANUAL, form=form_id(page), person="p-2", reason="camera_out")
    assert "the entry has no photo and will be reviewed" in page
    assert bodies(stage, ScanMade.kind)[0]["photo"] == ""
    stage.clock.jump(at("10:30"))
    stage.scan("p-2")
    assert "2 to be reviewed" in stage.client().get(f"/lessons/{LESSON_ID}")


def test_a_form_that_is_sent_twice_makes_one_entry(stage: Stage, teacher: Browser) -> None:
    """A double tap, or a browser that sends again."""
    stage.picture()
    form = form_id(teacher.get(MANUAL))
    for _ in range(2):
        teacher.post(MANUAL, form=form, person="p-2", reason="camera_out")
    assert len(bodies(stage, ScanMade.kind)) == 1


def test_a_full_disk_is_said_and_leaves_nothing_half_done(stage: Stage, teacher: Browser) -> None:
    """The entry is not stored; when there is room, the same form can be sent again."""
    full = stage.media.incoming / f"{manual.entry_id('f', 'p-2')}.data"
    full.symlink_to("/dev/full")
    stage.picture()
    status, page = teacher.post(MANUAL, form="f", person="p-2", reason="camera_out")
    assert status == 507 and "The disk is full" in page
    assert not bodies(stage, ScanMade.kind)
    assert not list(stage.media.incoming.iterdir())
    stage.picture(JPEG)
    teacher.post(MANUAL, form="f", person="p-2", reason="camera_out")
    assert len(bodies(stage, ScanMade.kind)) == 1


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"reason": "camera_out"}, "Please choose at least one person."),
        ({"person": "p-99", "reason": "camera_out"}, "Please choose at least one person."),
        ({"person": "p-2"}, "Please choose a reason."),
        ({"person": "p-2", "reason": "because"}, "Please choose a reason."),
    ],
)
def test_an_incomplete_entry_is_told_what_is_missing(
    stage: Stage, teacher: Browser, fields: dict[str, str], words: str
) -> None:
    """What was chosen stays chosen; nothing is stored."""
    status, page = teacher.post(MANUAL, form="f", **fields)
    assert status == 400 and words in page
    assert not bodies(stage, ScanMade.kind)
    if fields.get("person") == "p-2":
        assert 'value="p-2" checked' in page


def test_only_those_are_offered_for_whom_an_entry_is_of_use(stage: Stage, teacher: Browser) -> None:
    """Who is not in while people arrive, who is in and not out when they leave."""
    stage.scan("p-1")
    assert re.findall(r'value="(p-\d)"', teacher.get(MANUAL)) == ["p-2", "p-3", "p-4", "p-5"]
    stage.clock.jump(at("10:31"))
    page = teacher.get(MANUAL)
    assert "Who is to be checked out?" in page
    assert re.findall(r'value="(p-\d)"', page) == ["p-1"]


def test_help_leads_through_the_pin_to_the_manual_entry(stage: Stage) -> None:
    """The trainee's button needs the instructor's own login."""
    browser = stage.client()
    assert 'href="/instructor/manual"' in browser.get("/")
    assert "Who are you?" in browser.get("/instructor/manual")
    _, page = browser.post(
        "/instructor/login", instructor=TEACHER_ID, pin="246810", next="/instructor/manual"
    )
    assert "Who is to be entered?" in page


def test_an_entry_that_a_power_cut_interrupted_is_completed(stage: Stage) -> None:
    """With its photo when that reached the disk; the greeter's own drafts are left to it."""
    now = stage.clock.at
    with_photo = ScanMade("p-2", now, "manual", "", entered_by=TEACHER_ID, reason="camera_out")
    stage.media.draft(with_photo, sha_field="photo").write(JPEG)
    without = ScanMade("p-3", now, "manual", "", entered_by=TEACHER_ID, reason="camera_out")
    stage.media.draft(without, sha_field="photo")
    torn = ScanMade("p-5", now, "manual", "", entered_by=TEACHER_ID, reason="camera_out")
    stage.media.draft(torn, sha_field="photo").write(JPEG[:9])
    stage.media.draft(ScanMade("p-4", now, "face", ""), sha_field="photo")
    assert presence.finish(stage.media, stage.ledger) == 3
    assert presence.finish(stage.media, stage.ledger) == 0
    stored = {one["person_id"]: one["photo"] for one in bodies(stage, ScanMade.kind)}
    assert set(stored) == {"p-2", "p-3", "p-5"}
    assert stored["p-2"] and not stored["p-3"] and not stored["p-5"]


def test_two_lessons_of_one_class_keep_their_own_attendance(stage: Stage) -> None:
    """A scan belongs to the lesson in whose window it lies."""
    later = replace(two_hours(at("14:00")), id="lesson-2")
    stage.send([two_hours(at("09:00")), later], roster_of(5, PIN_HASH), version=2)
    stage.scan("p-1")
    assert "08:50" in stage.client().get(f"/lessons/{LESSON_ID}")
    assert "08:50" not in stage.client().get("/lessons/lesson-2")
