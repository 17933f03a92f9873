"""The band over the door's picture: what happened, what is safe, what comes next."""

from __future__ import annotations

import pytest

from edge import teaching
from edge.events import ScanMade
from tests.boxes import CLASS_ID, LESSON_ID, TEACHER_ID, at, lesson_of, roster_of, two_hours
from tests.kiosk.stage import PIN_HASH, Stage


def greeted(stage: Stage, person: str = "p-1") -> str:
    """Let *person* scan now and return the main screen."""
    stage.door(greet=stage.scan(person), person=person)
    return stage.client().get("/")


def test_a_check_in_says_saved_and_when_to_check_out(stage: Stage) -> None:
    """The name is masked, the number stands beside it."""
    page = greeted(stage)
    assert "李*华 (01), checked in" in page
    assert "Saved at 08:50 · check-out starts 10:29" in page
    assert "李明华" not in page


def test_a_second_look_does_no_harm(stage: Stage) -> None:
    """Who is in hears since when, and when to leave."""
    stage.scan("p-1")
    stage.clock.at = at("08:53")
    page = greeted(stage)
    assert "Already checked in at 08:50" in page
    assert "check-out starts 10:29" in page


def test_a_check_out_wishes_a_safe_journey(stage: Stage) -> None:
    """The last check-out of the day promises nothing more."""
    stage.scan("p-1")
    stage.clock.at = at("10:31")
    page = greeted(stage)
    assert "李*华 (01), checked out" in page
    assert "Safe journey" in page


def test_a_check_out_between_parts_asks_for_one_more_look(stage: Stage) -> None:
    """Decision 5: at 10:30 the scan checks out, and one more look checks in."""
    hours = [("09:00", "09:45"), ("09:45", "10:30"), ("10:30", "11:15"), ("11:15", "12:00")]
    stage.send([lesson_of(*hours)], roster_of(5, PIN_HASH), version=2)
    stage.scan("p-1")
    stage.clock.at = at("10:30")
    assert "look once more to check in" in greeted(stage)


def test_too_late_says_why_what_is_noted_and_whom_to_ask(stage: Stage) -> None:
    """A refusal opens a door."""
    stage.clock.at = at("09:20")
    page = greeted(stage)
    assert "Check-in closed at 09:15" in page
    assert "Your arrival is noted. Please see the instructor" in page


def test_too_early_says_when_to_come_back(stage: Stage) -> None:
    """Before the window the person hears when it opens, on the idle screen too."""
    stage.clock.at = at("08:30")
    page = greeted(stage)
    assert 'data-layout="idle"' in page
    assert "Check-in starts at 08:45, please wait" in page


def test_a_stranger_is_named_nowhere(stage: Stage) -> None:
    """Decision 16: the public screen names neither the person nor the right class."""
    page = greeted(stage, "p-99")
    assert "We did not find you on this class&#39;s roster" in page
    assert "p-99" not in page


def test_an_instructor_at_the_door_is_greeted_too(stage: Stage) -> None:
    """R34: the instructor's own presence belongs to the lesson."""
    assert "checked in" in greeted(stage, TEACHER_ID)


def test_nothing_is_said_before_it_is_stored(stage: Stage) -> None:
    """A greeting whose event is not in the ledger is not shown (invariant 1)."""
    stage.door(greet="not-stored-yet", person="p-1")
    assert "checked in</b>" not in stage.client().get("/")


def test_a_greeting_does_not_stay_for_the_next_person(stage: Stage) -> None:
    """After some seconds the screen is free again, whatever the greeter says."""
    assert ", checked in" in greeted(stage)
    stage.clock.advance(7_000_000)
    assert ", checked in" not in stage.client().get("/")


@pytest.mark.parametrize(
    ("guide", "words"),
    [
        ("come_closer", "Please come a little closer"),
        ("one_at_a_time", "One at a time, please"),
        ("hold_still", "Please hold still"),
        ("looking", "Looking"),
        ("not_recognised", "We did not recognise you"),
        ("step_aside", "Please step aside"),
        ("camera_out", "The door camera gives no picture"),
        ("none", "Look at the camera to check in"),
        ("a word of next year", "Look at the camera to check in"),
    ],
)
def test_the_greeters_guidance_is_said_in_words(stage: Stage, guide: str, words: str) -> None:
    """Every guide has its sentence, an unknown one does no harm."""
    stage.door(guide)
    assert words in stage.client().get("/")


def test_without_a_picture_the_way_on_is_the_instructor(stage: Stage) -> None:
    """A dead door camera is said plainly, with another way."""
    page = stage.client().get("/")
    assert "The door camera gives no picture" in page
    assert "Please ask the instructor to enter you" in page


def test_at_the_end_those_who_forget_are_named(stage: Stage) -> None:
    """Decision 7: forgotten check-out is the commonest loss."""
    stage.scan("p-1")
    stage.scan("p-2")
    stage.clock.at = at("10:31")
    stage.scan("p-2")
    stage.door()
    page = stage.client().get("/")
    assert "The lesson is over: please check out" in page
    assert "1 person has not checked out" in page
    assert "李*华" in page and "赵*" not in page


@pytest.mark.parametrize(
    ("waiting", "words"), [(0, "Everything has been uploaded"), (12, "12 items upload later")]
)
def test_a_held_lesson_lets_people_go(stage: Stage, waiting: int, words: str) -> None:
    """At the end: saved, you may go, and what is still to be sent."""
    teaching.open_lesson(stage.ledger, LESSON_ID, TEACHER_ID)
    stage.clock.at = at("10:31")
    teaching.end_lesson(stage.ledger, LESSON_ID, TEACHER_ID)
    stage.link(True, waiting)
    stage.door()
    page = stage.client().get("/")
    assert "This lesson is saved, you may go" in page
    assert words in page


def test_the_words_are_chinese_where_the_box_is(stage: Stage) -> None:
    """The same scan in the language that was chosen on the screen."""
    stage.door(greet=stage.scan("p-4"), person="p-4")
    browser = stage.client()
    browser.post("/language", language="zh", next="/")
    page = browser.get("/")
    assert '<html lang="zh-CN">' in page
    assert "欧阳*雪（04 号）签到成功" in page
    assert "08:50 已保存 · 签退 10:29 开始" in page


def test_seconds_are_named_only_where_the_minute_misleads(stage: Stage) -> None:
    """Lessons of a few minutes, as in the demo, have windows that open at odd seconds."""
    odd = two_hours(at("09:00") + 4_000_000)
    stage.send([odd], roster_of(5, PIN_HASH), version=2)
    assert "check-out starts 10:29:04" in greeted(stage)


def test_an_event_that_is_sent_twice_counts_once(stage: Stage) -> None:
    """A greeter that was killed and repeats its last step changes nothing."""
    made = ScanMade("p-1", stage.clock.at, "face", "")
    stage.ledger.append(made, event_id="one")
    stage.ledger.append(made, event_id="one")
    page = stage.client().get("/")
    assert "<b>1</b>" in page
    assert CLASS_ID not in page
