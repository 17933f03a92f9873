"""A day of lessons as events, for tests of the centre."""

from __future__ import annotations

import hashlib

from edge import events
from edge.clock_events import ClockCorrected
from edge.document_events import DocumentApplied, DocumentRefused
from edge.documents import lesson_to_json
from edge.events import SnapshotMissed, SnapshotTaken
from edge.health_events import AlertRaised, DiskPlanned
from edge.live_events import LiveViewStarted
from edge.model import MINUTE, Instant, Lesson
from edge.picture_events import PictureProcessed, SpotCheckConfirmed, SpotCheckTaken
from tests.boxes import TEACHER_ID, at, two_hours
from tests.central.centres import Centre
from tests.chains import Chain

START = at("09:00")


def sha(text: str) -> str:
    """Return a hash to name a file with."""
    return hashlib.sha256(text.encode()).hexdigest()


def opened(lesson: Lesson) -> events.LessonOpened:
    """Return the event that opens *lesson*."""
    return events.LessonOpened(
        lesson_id=lesson.id,
        by=TEACHER_ID,
        documents={},
        profile=lesson.profile,
        profile_version=1,
        lesson=lesson_to_json(lesson),
    )


def scan(person: str, moment: Instant, way: str = "face", photo: str = "") -> events.ScanMade:
    """Return a scan."""
    manual = way == "manual"
    return events.ScanMade(
        person_id=person,
        at=moment,
        way=way,
        photo=photo,
        score=0 if manual else 8200,
        entered_by=TEACHER_ID if manual else "",
        reason="face_not_recognised" if manual else "",
    )


def busy_day(centre: Centre, chain: Chain) -> Lesson:
    """Let the box of *chain* report a lesson with something of everything; return the lesson."""
    lesson = two_hours(START)
    for moment, body in (
        (START - 20 * MINUTE, DocumentApplied("roster", "epoch", 1, sha("roster"))),
        (START - 20 * MINUTE, DocumentRefused("notices", "epoch", 1, "notices[0].until: …")),
        (START - 16 * MINUTE, events.CameraHealth("classroom", "online", "")),
        (START - 15 * MINUTE, events.RecordingStarted(lesson.id, "classroom", START - 15 * MINUTE)),
        (START - 10 * MINUTE, opened(lesson)),
        (START - 5 * MINUTE, scan("p-1", START - 5 * MINUTE, photo=sha("face"))),
        (START + 3 * MINUTE, scan("p-2", START + 3 * MINUTE, "manual")),
        (
            START + 5 * MINUTE,
            SnapshotTaken(
                lesson.id, 0, 1, "classroom", START + 5 * MINUTE, "key_frame", sha("one"), 9000
            ),
        ),
        (START + 30 * MINUTE, events.CameraHealth("classroom", "offline", "no answer")),
        (
            START + 30 * MINUTE,
            events.RecordingStored(
                lesson.id,
                "classroom",
                START - 15 * MINUTE,
                START + 30 * MINUTE,
                sha("film"),
                5_000_000,
                True,
            ),
        ),
        (
            START + 36 * MINUTE,
            SnapshotMissed(lesson.id, 0, 2, "classroom", "the camera does not answer"),
        ),
        (
            START + 40 * MINUTE,
            events.RecordingGap(
                lesson.id,
                "classroom",
                START + 30 * MINUTE,
                START + 40 * MINUTE,
                "the camera does not answer",
            ),
        ),
        (START + 50 * MINUTE, ClockCorrected("boot-1", START, 20_000, "centre")),
        (START + 90 * MINUTE, scan("p-1", START + 90 * MINUTE)),
        (START + 95 * MINUTE, events.LessonEnded(lesson.id, TEACHER_ID)),
    ):
        centre.learn(chain, body, at=moment)
    return lesson


def beside_the_lesson(centre: Centre, chain: Chain, lesson: Lesson) -> None:
    """Let the box report what a lesson like the busy day's may have beside it: pictures, faults."""
    at = START + 96 * MINUTE
    for body in (
        SnapshotTaken(lesson.id, 0, 2, "classroom", at, "from_recording", sha("found"), 9000),
        PictureProcessed(sha("one"), lesson.id, sha("marked"), 9500, 14, "fr_detect", "0.0.1"),
        SpotCheckTaken(lesson.id, "c-1", 1, "photo", "phone", "", at, sha("spot"), 9000),
        SpotCheckConfirmed(lesson.id, "c-1", TEACHER_ID, [sha("spot")], 2),
        LiveViewStarted("v-1", "classroom", lesson.id, "a clerk", at + MINUTE),
        AlertRaised("classroom", "offline", "no answer", lesson.id),
        DiskPlanned("full", True, 5_000_000, 9_000_000, 8),
    ):
        centre.learn(chain, body, at=at)
