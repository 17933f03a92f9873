"""Who may do what at the screen."""

from __future__ import annotations

import stat

from edge.events import InstructorLoggedIn
from edge.model import SECOND, Instructor
from kiosk_ui.access import FIRST_WAIT_S, INACTIVE_S, PinLock
from kiosk_ui.app import create_app
from tests.boxes import TEACHER_ID, roster_of
from tests.kiosk.stage import PIN, PIN_HASH, Browser, Stage

TEACHER = Instructor(TEACHER_ID, "王老师", PIN_HASH)


def events_of(stage: Stage, kind: str) -> list[bytes | None]:
    """Return the bodies of the events of that kind."""
    return [record.body for record in stage.ledger.events() if record.event.kind == kind]


def test_the_right_pin_opens_the_instructors_page(stage: Stage) -> None:
    """The login is an event."""
    status, page = stage.client().log_in(TEACHER_ID)
    assert status == 200
    assert "Start the lesson" in page
    assert len(events_of(stage, InstructorLoggedIn.kind)) == 1


def test_wrong_pins_wait_longer_and_longer() -> None:
    """Three tries are free; then each further one waits twice as long, up to a limit."""
    time = 0.0
    lock = PinLock(lambda: time)
    assert [lock.opens(TEACHER, "1111") for _ in range(3)] == [False, False, False]
    assert lock.wait(TEACHER.id) == FIRST_WAIT_S
    assert not lock.opens(TEACHER, PIN), "even the right PIN must wait"
    time += FIRST_WAIT_S
    assert not lock.opens(TEACHER, "1111")
    assert lock.wait(TEACHER.id) == 2 * FIRST_WAIT_S
    time += 2 * FIRST_WAIT_S
    assert lock.opens(TEACHER, PIN)
    assert lock.wait(TEACHER.id) == 0 and lock.tries_left(TEACHER.id) == 3


def test_a_lock_out_is_each_instructors_own() -> None:
    """One who forgot the PIN does not keep the others out."""
    lock = PinLock(lambda: 0.0)
    for _ in range(3):
        lock.opens(TEACHER, "1111")
    assert lock.opens(Instructor("t-liu", "刘芸", PIN_HASH), PIN)


def test_an_instructor_without_a_pin_cannot_log_in() -> None:
    """An empty or broken hash opens for nothing."""
    lock = PinLock(lambda: 0.0)
    for broken in ("", "not a hash"):
        assert not lock.opens(Instructor("t-new", "新老师", broken), "")
        assert not lock.opens(Instructor("t-new", "新老师", broken), PIN)


def test_a_wrong_pin_says_how_many_tries_are_left(stage: Stage) -> None:
    """And the third one how long to wait."""
    browser = stage.client()
    status, page = browser.log_in(TEACHER_ID, "1111")
    assert status == 403 and "That PIN is not right: 2 more tries." in page
    browser.log_in(TEACHER_ID, "1111")
    status, page = browser.log_in(TEACHER_ID, "1111")
    assert status == 429
    assert 'data-wait="30"' in page and "disabled" in page


def test_a_form_without_a_name_or_a_pin_is_told_so(stage: Stage) -> None:
    """Neither counts as a wrong PIN."""
    browser = stage.client()
    assert "choose your name" in browser.log_in("nobody")[1]
    assert "enter your PIN" in browser.log_in(TEACHER_ID, "")[1]
    assert browser.log_in(TEACHER_ID)[0] == 200


def test_every_post_needs_the_sessions_token(stage: Stage) -> None:
    """A page of somebody else cannot post in the instructor's name."""
    browser = stage.client()
    browser.log_in(TEACHER_ID)
    for path in (
        "/language",
        "/instructor/login",
        "/instructor/logout",
        "/instructor/lessons/lesson-1/start",
        "/instructor/lessons/lesson-1/end",
        "/instructor/lessons/lesson-1/manual",
    ):
        status, page = browser.post(path, token="forged")
        assert status == 400, path
        assert "The page was out of date. Please try again." in page
        assert 'href="/"' in page, "there is a way back"


def test_the_session_ends_when_nobody_touches_the_screen(stage: Stage) -> None:
    """By the monotonic clock: a wall clock that jumps logs nobody out, and keeps nobody in."""
    browser = stage.client()
    browser.log_in(TEACHER_ID)
    stage.clock.jump(stage.clock.at - 10**15)
    assert "Done, log out" in browser.get("/status")
    stage.clock.jump(stage.clock.at + 10**15)
    stage.clock.advance(INACTIVE_S * SECOND)
    assert "Done, log out" in browser.get("/status")
    stage.clock.advance((INACTIVE_S + 1) * SECOND)
    assert "Done, log out" not in browser.get("/status")


def test_a_session_survives_a_restart_of_the_kiosk(stage: Stage) -> None:
    """The key that signs cookies is a file, and nobody else may read it."""
    browser = stage.client()
    browser.log_in(TEACHER_ID)
    again = Browser(create_app(stage.config, stage.ledger))
    cookie = browser.client.get_cookie("kiosk")
    assert cookie is not None and cookie.http_only and cookie.same_site == "Strict"
    again.client.set_cookie("kiosk", cookie.value)
    assert "Done, log out" in again.get("/status")
    key = stage.config.data_dir / "kiosk.key"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600


def test_a_session_does_not_survive_a_restart_of_the_box(stage: Stage) -> None:
    """After a power cut the PIN is asked for again."""
    browser = stage.client()
    browser.log_in(TEACHER_ID)
    stage.clock.boot = "another boot"
    assert "Done, log out" not in browser.get("/status")


def test_an_instructor_who_left_the_roster_is_logged_out(stage: Stage) -> None:
    """Only filed instructors teach (R34)."""
    browser = stage.client()
    browser.log_in(TEACHER_ID)
    roster = roster_of(5, PIN_HASH)
    stage.send([], type(roster)(roster.classes, ()), version=2)
    assert "Done, log out" not in browser.get("/status")


def test_the_main_screen_ends_the_session(stage: Stage) -> None:
    """Whoever comes to the door next finds nobody logged in."""
    browser = stage.client()
    browser.log_in(TEACHER_ID)
    browser.get("/")
    assert "Who are you?" in browser.get("/instructor")


def test_the_login_leads_back_to_what_was_wanted(stage: Stage) -> None:
    """But never to another site."""
    browser = stage.client()
    page = browser.get("/instructor/manual")
    assert 'name="next" value="/instructor/manual"' in page
    answer = browser.client.post(
        "/instructor/login",
        data={
            "token": browser.token(),
            "instructor": TEACHER_ID,
            "pin": PIN,
            "next": "//elsewhere.example/",
        },
    )
    assert answer.location == "/instructor"


def test_no_page_loads_anything_from_outside(stage: Stage) -> None:
    """The policy says so to the browser, on pages and on errors alike."""
    browser = stage.client()
    for path in ("/", "/lessons", "/status", "/nothing-here", "/door.jpg"):
        headers = browser.client.get(path).headers
        assert "default-src 'none'" in headers["Content-Security-Policy"]
        assert "unsafe" not in headers["Content-Security-Policy"]
        assert headers["X-Content-Type-Options"] == "nosniff"
