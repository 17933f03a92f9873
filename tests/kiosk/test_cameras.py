"""What the touch screen says and does about the cameras: somebody looks; recording by hand."""

from __future__ import annotations

from edge import queries, requests
from edge.live_events import LiveViewEnded, LiveViewStarted
from tests.boxes import LESSON_ID, TEACHER_ID, at
from tests.kiosk.stage import Stage


def test_the_room_sees_that_somebody_looks_for_as_long_as_it_lasts(stage: Stage) -> None:
    """On the main screen and among the states, from the event that began it to its end."""
    assert "The centre is looking" not in stage.client().get("/")
    stage.ledger.append(LiveViewStarted("view-1", "front", LESSON_ID, "console", at("10:00")))
    stage.ledger.append(LiveViewStarted("view-2", "front", LESSON_ID, "other", at("10:00")))
    stage.ledger.append(LiveViewEnded("view-1", 9, "unwatched"))
    assert "The centre is looking" in stage.client().get("/")
    assert "This is recorded" in stage.client().get("/status")
    stage.ledger.append(LiveViewEnded("view-2", 9, "limit"))
    assert "The centre is looking" not in stage.client().get("/")


def test_an_instructor_has_the_lesson_recorded_from_ten_minutes_before(stage: Stage) -> None:
    """Offered while nothing is recorded; asked of the recorder in the instructor's name."""
    teacher = stage.client()
    teacher.log_in(TEACHER_ID)
    stage.clock.jump(at("08:49"))
    stage.recorder("waiting")
    assert "Start recording now" not in teacher.get("/instructor")
    stage.clock.jump(at("08:50"))
    stage.recorder("recording")
    assert "Start recording now" not in teacher.get("/instructor")
    stage.recorder("offline")
    assert "Start recording now" in teacher.get("/instructor")
    _, page = teacher.post("/instructor/record", lesson=LESSON_ID)
    assert "Recording has been asked for" in page
    request = requests.claim(stage.ledger, [requests.RECORD], "recorder")
    assert request is not None
    assert request.args == {"lesson": LESSON_ID, "by": TEACHER_ID}


def test_nobody_but_an_instructor_starts_a_recording(stage: Stage) -> None:
    """The page asks for the PIN first, and a lesson that nobody knows is asked of nobody."""
    stage.client().post("/instructor/record", lesson=LESSON_ID)
    teacher = stage.client()
    teacher.log_in(TEACHER_ID)
    teacher.post("/instructor/record", lesson="elsewhere")
    assert requests.claim(stage.ledger, [requests.RECORD], "recorder") is None
    with stage.ledger.store.read() as connection:
        assert queries.lesson(connection, LESSON_ID) is not None
