"""Lists, records, media and the state of the box."""

from __future__ import annotations

from dataclasses import replace

from edge.events import MediaDeleted, RecordingStored, SnapshotMissed, SnapshotTaken
from edge.health_events import AlertCleared, AlertRaised
from edge.model import ClockQuality, LessonState
from tests.boxes import LESSON_ID, TEACHER_ID, at, lesson_of, roster_of, two_hours
from tests.kiosk.stage import PIN_HASH, Stage


def store_recording(stage: Stage, content: bytes) -> str:
    """Store a part of a recording and return its hash."""
    draft = stage.media.draft(
        RecordingStored(LESSON_ID, "front", at("09:00"), at("09:03"), "", 0, False)
    )
    draft.write(content)
    draft.store(stage.ledger)
    with stage.ledger.store.read() as connection:
        return str(connection.execute("SELECT sha256 FROM recording").fetchone()[0])


def test_between_lessons_the_next_one_is_announced(stage: Stage) -> None:
    """The idle screen names it, with today's list."""
    stage.clock.jump(at("07:30"))
    page = stage.client().get("/")
    assert 'data-layout="idle"' in page
    assert "Next lesson" in page
    assert "Today 09:00–10:30" in page and "Check-in 08:45" in page


def test_a_lesson_that_does_not_take_place_is_not_announced(stage: Stage) -> None:
    """A cancelled lesson is no next lesson."""
    gone = replace(two_hours(at("09:00")), state=LessonState.CANCELLED)
    stage.send([gone], roster_of(5, PIN_HASH), version=2)
    assert "No lessons in the next days" in stage.client().get("/")


def test_a_box_without_a_timetable_says_where_it_comes_from(stage: Stage) -> None:
    """An empty screen explains itself."""
    stage.send([], roster_of(5, PIN_HASH), version=2)
    assert "The timetable comes from the centre" in stage.client().get("/")
    assert "The timetable comes from the centre" in stage.client().get("/lessons")


def test_a_lesson_shows_from_the_profiles_days_before(stage: Stage) -> None:
    """R8: three days under the default profile."""
    lessons = [replace(lesson_of(("09:00", "09:45")), id=f"l-{day}") for day in ("26", "27")]
    hours = {
        "l-26": two_hours(at("08:45", "2026-11-26")).hours,
        "l-27": two_hours(at("08:45", "2026-11-27")).hours,
    }
    stage.send([replace(one, hours=hours[one.id]) for one in lessons], roster_of(5), version=2)
    page = stage.client().get("/lessons")
    assert "/lessons/l-26" in page and "/lessons/l-27" not in page


def test_a_cancelled_lesson_is_listed_with_its_reason(stage: Stage) -> None:
    """It is not hidden: people would come for it."""
    gone = replace(two_hours(at("09:00")), state=LessonState.CANCELLED, reason="停电检修")
    stage.send([gone], roster_of(5, PIN_HASH), version=2)
    page = stage.client().get("/lessons")
    assert "Cancelled" in page and "停电检修" in page


def test_a_lesson_that_nobody_started_is_not_called_held(stage: Stage) -> None:
    """The list says plainly what did not happen."""
    stage.clock.jump(at("12:00"))
    assert "Not held" in stage.client().get("/lessons")


def test_everybody_is_missing_at_first_and_the_rest_is_counted(stage: Stage) -> None:
    """More people than the card holds: the last chip says how many others there are."""
    stage.send([two_hours(at("09:00"))], roster_of(42, PIN_HASH), version=2)
    page = stage.client().get("/")
    assert "42 people are not in yet" in page and "37 more" in page


def test_names_are_masked_until_an_instructor_logs_in(stage: Stage) -> None:
    """The records page is public, its names are not."""
    browser = stage.client()
    page = browser.get(f"/lessons/{LESSON_ID}")
    assert "李*华" in page and "李明华" not in page
    browser.log_in(TEACHER_ID)
    assert "李明华" in browser.get(f"/lessons/{LESSON_ID}")


def test_media_are_for_instructors_and_can_be_sought(stage: Stage) -> None:
    """Range requests let the browser jump; without a login the file does not exist."""
    sha256 = store_recording(stage, b"0123456789")
    browser = stage.client()
    assert browser.client.get(f"/media/{sha256}").status_code == 404
    browser.log_in(TEACHER_ID)
    with browser.client.get(f"/media/{sha256}", headers={"Range": "bytes=3-5"}) as answer:
        assert (answer.status_code, answer.data) == (206, b"345")
        assert answer.mimetype == "video/mp4"


def test_only_files_that_an_event_names_are_served(stage: Stage) -> None:
    """Neither a path nor a file that merely lies in the folder."""
    browser = stage.client()
    browser.log_in(TEACHER_ID)
    stray = "ab" + "0" * 62
    stage.media.path(stray).parent.mkdir()
    stage.media.path(stray).write_bytes(b"stray")
    for name in (stray, "..%2f..%2fkiosk.key", "A" * 64, "0" * 64):
        assert browser.client.get(f"/media/{name}").status_code == 404


def test_what_was_deleted_is_said_and_not_shown_as_broken(stage: Stage) -> None:
    """A snapshot and a recording that left the box by the rules: the record says so."""
    at = stage.clock.at
    taken = SnapshotTaken(LESSON_ID, 0, 1, "front", at, "key_frame", "a" * 64, 9)
    stored = [
        RecordingStored(LESSON_ID, "front", at + number, at + number + 1, name * 64, 9, False)
        for number, name in enumerate("bc")
    ]
    for body in (taken, *stored):
        stage.ledger.append(body)
    for name, sort in (("a", "snapshot"), ("b", "recording")):
        stage.ledger.append(MediaDeleted(name * 64, sort, "safe"))
    browser = stage.client()
    browser.log_in(TEACHER_ID)
    page = browser.get(f"/lessons/{LESSON_ID}?view=snapshots")
    assert "No longer on this box" in page
    assert "<img loading" not in page
    told = browser.client.get(f"/lessons/{LESSON_ID}/film/state").get_json()
    assert told["film"] is None
    assert "No longer on this box" in [one["says"] for one in told["stretches"]]


def test_a_missed_snapshot_is_shown_as_missed(stage: Stage) -> None:
    """At the time at which it should have been taken."""
    stage.clock.jump(at("09:12"))
    stage.ledger.append(SnapshotMissed(LESSON_ID, 0, 1, "front", "camera offline"))
    browser = stage.client()
    browser.log_in(TEACHER_ID)
    page = browser.get(f"/lessons/{LESSON_ID}?view=snapshots")
    assert "Missed" in page and "09:05" in page


def test_a_green_lamp_does_not_speak(stage: Stage) -> None:
    """Network, recording and clock are good: the foot holds their names only, and the light."""
    stage.door()
    stage.recorder("recording")
    stage.link(True)
    page = stage.client().get("/")
    assert page.count('class="lamp good"') == 3
    assert "Supervision conditions are normal" in page
    assert "lamp care" not in page


def test_what_puts_hours_at_risk_is_said_before_what_does_not(stage: Stage) -> None:
    """An alert of a camera, with its remedy on the page behind; a few days of room are no risk."""
    stage.door()
    stage.recorder("recording")
    stage.link(False)
    stage.ledger.append(AlertRaised("box", "disk_filling", "room for 2 days", ""))
    page = stage.client().get("/")
    assert "Supervision conditions are normal" in page
    assert "Hours may not count" not in page
    stage.ledger.append(AlertRaised("front", "view_changed", "likeness 0.07", LESSON_ID))
    page = stage.client().get("/")
    assert "Hours may not count: Camera 3 was turned away" in page
    assert "Supervision conditions are normal" not in page
    page = stage.client().get("/status")
    assert page.count("turn it back to the classroom") == 1, "said once"
    assert "Storage lasts for a few more days only" in page
    stage.ledger.append(AlertCleared("front", "view_changed"))
    assert "Supervision conditions are normal" in stage.client().get("/")


def test_a_lamp_that_is_not_green_says_what_to_do(stage: Stage) -> None:
    """Each fault in words, on the foot and in full on the page behind it."""
    stage.recorder("offline")
    stage.link(False)
    stage.clock.quality = ClockQuality.UNSYNCHRONISED
    assert stage.client().get("/").count('class="lamp care"') == 3
    page = stage.client().get("/status")
    assert "check cable 3" in page
    assert "uploads by itself later" in page
    assert "compare with a phone" in page


def test_a_silent_service_is_not_believed(stage: Stage) -> None:
    """Without a file from recorder and link, no lamp of theirs is green."""
    page = stage.client().get("/")
    assert "The recorder does not answer" in stage.client().get("/status")
    assert page.count('class="lamp good"') == 1  # the clock


def test_broken_files_of_other_services_do_no_harm(stage: Stage) -> None:
    """A cache may hold anything; the page still comes."""
    stage.picture()
    for name in ("door.json", "recorder.json", "link.json"):
        for content in (
            b"",
            b"{",
            b"[]",
            b"\xff\xfe",
            b'{"greeting": 7, "cameras": [], "head": null}',
            b'{"greeting": {"event_id": 1, "person_id": 2, "at": "x"}, "cameras": {"a": 1}}',
            b'{"connected": true, "head": "many", "acked": {}}',
        ):
            (stage.config.runtime_dir / name).write_bytes(content)
            assert stage.client().client.get("/").status_code == 200


def test_an_unknown_page_has_a_way_back(stage: Stage) -> None:
    """No dead ends, in plain words."""
    answer = stage.client().client.get("/nothing-here")
    assert answer.status_code == 404
    assert b"There is nothing here" in answer.data
    assert stage.client().client.get("/lessons/none").status_code == 404


def test_the_door_picture_is_only_sent_while_it_is_fresh(stage: Stage) -> None:
    """No picture is said to be now that is not."""
    browser = stage.client().client
    assert browser.get("/door.jpg").status_code == 204
    stage.picture()
    answer = browser.get("/door.jpg")
    assert (answer.status_code, answer.mimetype) == (200, "image/jpeg")
    assert answer.headers["Cache-Control"] == "no-store"


def test_a_database_that_fails_is_a_page_in_plain_words(stage: Stage) -> None:
    """Even for who is logged in; nothing of the failure itself is shown."""
    browser = stage.client()
    browser.log_in(TEACHER_ID)
    stage.app.testing = False
    stage.app.config["PROPAGATE_EXCEPTIONS"] = False
    with stage.ledger.store.write() as connection:
        connection.execute("ALTER TABLE lesson RENAME TO gone")
    answer = browser.client.get("/lessons")
    assert answer.status_code == 500
    assert b"Something went wrong here" in answer.data
    assert b"gone" not in answer.data and b'href="/"' in answer.data
