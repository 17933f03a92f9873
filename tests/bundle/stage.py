"""A class of two lessons as a centre holds it, for tests of bundles; no broker, no box."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from PIL import Image, ImageDraw
from sqlalchemy import insert

from edge import events
from edge.clock_events import ClockCorrected
from edge.directions import APPROVED, Draw, Verdict, draws_to_json
from edge.documents import (
    DRAWS,
    PROFILES,
    ROSTER,
    TIMETABLE,
    Roster,
    lesson_to_json,
    roster_to_json,
    timetable_to_json,
)
from edge.events import Body, SnapshotMissed, SnapshotTaken
from edge.model import DAY, MINUTE, Instant, Lesson, Trainee
from edge.picture_events import PictureProcessed, SpotCheckConfirmed, SpotCheckTaken
from edge.rulebook import Rulebook, profiles_to_json
from sync.central import anchors, books, tables
from sync.central.bundle import form, gather
from sync.central.documents import store_document
from sync.central.store import insert_new
from tests.boxes import CLASS_ID, TEACHER_ID, at, roster_of, two_hours
from tests.central.centres import Centre
from tests.chains import Chain

ZONE = "Asia/Shanghai"
START = at("09:00")
STRANGER = "p-of-another-class"


def picture(text: str, size: tuple[int, int] = (320, 180)) -> bytes:
    """Return a JPEG of that text: fictional, and another for each text."""
    image = Image.new("RGB", size, (200, 206, 198))
    draw = ImageDraw.Draw(image)
    draw.ellipse((size[0] // 3, 30, size[0] * 2 // 3, size[1] - 30), fill=(120, 128, 122))
    draw.text((10, 10), text, fill=(20, 33, 31))
    written = io.BytesIO()
    image.save(written, "JPEG")
    return written.getvalue()


class School:
    """A centre with one box and one class. ``lessons``: two of two hours, on two days."""

    def __init__(self, folder: Path, trainees: int = 12) -> None:
        folder.mkdir(exist_ok=True)
        self.centre = Centre(folder, START - 5 * DAY)
        self.chain = Chain(born=START - 5 * DAY)
        self.profile = books.shipped_profile("default")
        second = two_hours(START + DAY)
        self.lessons = (two_hours(START), replace(second, id="lesson-2"))
        first, *rest = roster_of(trainees).classes
        people = tuple(
            replace(one, id=f"3701021990010{number:05d}") if number == 1 else one
            for number, one in enumerate(first.trainees)
        )
        self.trainees: tuple[Trainee, ...] = people
        self.roster = Roster(
            (replace(first, trainees=people), *rest), roster_of(1, "a PIN's hash").instructors
        )
        self.centre.know(self.chain)
        self.now = self.centre.clock.now().at
        book = profiles_to_json(Rulebook.of([self.profile]))
        self.book = hashlib.sha256(book).hexdigest()
        verdict = Verdict(APPROVED, "县人社局", self.now, "")
        for kind, content in (
            (PROFILES, book),
            (ROSTER, roster_to_json(self.roster)),
            (TIMETABLE, timetable_to_json(self.lessons)),
            (DRAWS, draws_to_json((Draw("lesson-1", "县人社局", self.now, verdict),))),
        ):
            store_document(self.centre.store, self.chain.box, kind, content, self.now)

    def tell(self, moment: Instant, body: Body) -> None:
        """Let the box write *body* at *moment*; the centre hears it then."""
        ahead = moment - self.centre.clock.now().at
        if ahead > 0:
            self.centre.clock.advance(ahead)
        self.centre.learn(self.chain, body, at=moment)

    def hold(self, content: bytes) -> str:
        """Put a media file where the centre has its own; return its name."""
        name = hashlib.sha256(content).hexdigest()
        path = self.centre.media.path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        row = {"sha256": name, "size": len(content), "box": self.chain.box, "stored_at": self.now}
        with self.centre.store.writing() as connection:
            insert_new(connection, tables.media, [row])
        return name

    def anchor(self) -> None:
        """Let the centre sign what it holds, as it does once a day."""
        with self.centre.store.writing() as connection:
            anchors.make(connection, self.centre.clock.now().at, self.centre.signer)

    def teach(self, lesson: Lesson, trouble: bool) -> None:
        """Let a lesson take place: with something of everything, or without *trouble*."""
        start, end = lesson.start, lesson.end
        photos = [self.hold(picture(f"{one.id} {lesson.id}", (240, 320))) for one in self.trainees]
        self.tell(start - 14 * MINUTE, self._opened(lesson))
        for number, one in enumerate(self.trainees):
            manual = trouble and number == 2
            came = start - 12 * MINUTE + number * 20_000_000
            photo = "" if manual else photos[number]
            if not (trouble and number == 4):
                self.tell(came, _scan(one.id, came, photo, manual))
        self.tell(start - 2 * MINUTE, _scan(STRANGER, start - 2 * MINUTE, "0" * 64, False))
        for hour in range(2):
            for number in range(1, 4):
                aim = lesson.hours[hour].start + (5, 22, 40)[number - 1] * MINUTE
                slot = (lesson.id, hour, number, "classroom")
                if trouble and (hour, number) == (0, 2):
                    self.tell(aim, SnapshotMissed(*slot, "camera_silent"))
                    continue
                taken = picture(f"snapshot {lesson.id} {hour + 1}-{number}", (640, 360))
                marked = picture(f"marked {lesson.id} {hour + 1}-{number}", (640, 360))
                original, copy = self.hold(taken), self.hold(marked)
                self.tell(aim, SnapshotTaken(*slot, aim, "key_frame", original, len(taken)))
                heads = 3 if trouble and (hour, number) == (1, 1) else len(self.trainees)
                self.tell(
                    aim,
                    PictureProcessed(original, lesson.id, copy, len(marked), heads, "heads", "1"),
                )
        self._spot_check(lesson)
        film = (lesson.id, "classroom", start - 15 * MINUTE)
        self.tell(end, events.RecordingStored(*film, end, "f" * 64, 1_000_000, trouble))
        if trouble:
            self.tell(
                end,
                events.RecordingGap(
                    lesson.id, "classroom", end, end + 10 * MINUTE, "camera_silent"
                ),
            )
        for number, one in enumerate(self.trainees):
            left = end + MINUTE + number * 10_000_000
            if not (trouble and number == 3):
                photo = "" if trouble and number == 2 else photos[number]
                self.tell(left, _scan(one.id, left, photo, trouble and number == 2))
        self.tell(end + 10 * MINUTE, ClockCorrected("boot-1", end, 20_000, "centre"))
        self.tell(end + 15 * MINUTE, events.LessonEnded(lesson.id, TEACHER_ID))

    def _spot_check(self, lesson: Lesson) -> None:
        taken = picture(f"everyone {lesson.id}", (640, 360))
        name = self.hold(taken)
        moment = lesson.start + 30 * MINUTE
        check = (lesson.id, f"check-{lesson.id}")
        self.tell(
            moment,
            SpotCheckTaken(*check, 1, "photo", "classroom", "classroom", moment, name, len(taken)),
        )
        self.tell(moment, SpotCheckConfirmed(*check, TEACHER_ID, [name], len(self.trainees)))

    def _opened(self, lesson: Lesson) -> events.LessonOpened:
        return events.LessonOpened(
            lesson_id=lesson.id,
            by=TEACHER_ID,
            documents={PROFILES: self.book},
            profile=self.profile.name,
            profile_version=self.profile.version,
            lesson=lesson_to_json(lesson),
        )

    def bundle(self, copy: str = form.SCHOOL, filed_hours: int = 3) -> bytes:
        """Return the class's bundle as the centre makes it now."""
        office = gather.Office("市第一职业培训学校", ZONE, self.centre.media, self.centre.signer)
        wish = gather.Wish(CLASS_ID, copy, 0, START + 30 * DAY, filed_hours)
        written = io.BytesIO()
        now = self.centre.clock.now().at
        gather.make(self.centre.store, office, wish, now, written)
        return written.getvalue()

    def forget(self, sha256: str) -> None:
        """Erase a media file, as an erasure does."""
        with self.centre.store.writing() as connection:
            values = {"sha256": sha256, "at": self.centre.clock.now().at}
            connection.execute(insert(tables.media_erased).values(**values))
        self.centre.media.delete(sha256)


def _scan(person: str, moment: Instant, photo: str, manual: bool) -> events.ScanMade:
    return events.ScanMade(
        person_id=person,
        at=moment,
        way="manual" if manual else "face",
        photo=photo,
        score=0 if manual else 8200,
        entered_by=TEACHER_ID if manual else "",
        reason="face_not_recognised" if manual else "",
    )


@contextmanager
def taught(folder: Path, trouble: bool = True) -> Iterator[School]:
    """A school whose class was taught twice, anchored on both days."""
    school = School(folder)
    try:
        for lesson in school.lessons:
            school.teach(lesson, trouble and lesson.id == "lesson-1")
            school.centre.clock.advance(3 * 60 * MINUTE)
            school.anchor()
            # Nothing of the class, so the next lesson's stretch may begin with it.
            school.tell(school.centre.clock.now().at, events.ServiceStarted("link", "1"))
        yield school
    finally:
        school.centre.store.close()
