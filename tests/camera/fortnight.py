"""Fourteen days without the centre on a small disk, run by test_fortnight in a mount namespace.

``python -m tests.camera.fortnight FOLDER``; the folder is the small disk. The days are simulated,
the files, the ledger, the plan and the deleting are real. A second of video takes a hundredth of
what it takes in a classroom, and so does the disk: were both smaller, the databases would count.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path

from camera.disk import Steward
from edge import alerts, disk
from edge import config as configuration
from edge.clock import SimulatedClock
from edge.config import Config
from edge.events import (
    AnchorReceived,
    Body,
    MediaDeleted,
    RecordingStored,
    ScanMade,
    SnapshotTaken,
    decode,
)
from edge.health_events import AlertCleared, AlertRaised, DiskPlanned
from edge.ledger import Ledger
from edge.media import MediaStore
from edge.model import DAY, MINUTE, SECOND, Instant, Lesson, LessonHour
from edge.retention import Retention
from edge.rules.alerts import BOX, Alarm, Case, Code
from edge.rules.disk import Quality, marks
from sync.cursor import Cursor
from sync.messages import Receipt
from tests.boxes import CLASS_ID, TEACHER_ID, at, open_ledger, roster_of, send_documents

DAYS = 14
PART = 15 * MINUTE
PARTS_A_DAY = 8
# Bytes a second of the one camera.
RATES = {Quality.FULL: 4000, Quality.SUBSTREAM: 1600, Quality.KEY_FRAMES: 200}
PEOPLE = 20
SETTINGS = """
[box]
id = "room-203"
room = "203"
data_dir = "box"
runtime_dir = "run"
[[camera]]
id = "front"
address = "rtsp://127.0.0.1:9/main"
substream = "rtsp://127.0.0.1:9/sub"
[link]
host = "127.0.0.1"
security = "none"
"""


@dataclass
class Box:
    """A box on the small disk, in simulated time."""

    disk: Path
    config: Config
    clock: SimulatedClock
    ledger: Ledger
    media: MediaStore
    cursor: Cursor
    steward: Steward
    alarm: Alarm = field(default_factory=Alarm)

    def look(self, *, recording: bool) -> Quality:
        """Let the recorder look at the disk, and state what it finds."""
        self.steward.tend(recording=recording)
        found = self.steward.warnings()
        codes = (Code.DISK_FULL, Code.DISK_DEGRADED, Code.DISK_FILLING)
        seen = {Case(BOX, code): found.get(code) for code in codes}
        for change in self.alarm.step(seen, self.clock.now().mono / 1e9):
            code = change.case.code
            self.ledger.append(
                AlertRaised(BOX, code, change.detail, "")
                if change.raised
                else AlertCleared(BOX, code)
            )
            self.alarm.stated(change)
        return self.steward.quality

    def store(self, body: Body, size: int, name: str = "sha256") -> None:
        """Bring a file of *size* bytes into the ledger."""
        draft = self.media.draft(body, name)
        draft.write(os.urandom(size))
        draft.store(self.ledger)

    def teach(self, lesson: Lesson) -> None:
        """Record a lesson, look each minute, take its snapshots and let everybody check in."""
        for number in range(PARTS_A_DAY):
            start = self.clock.now().at
            size = 0
            quality = self.look(recording=number > 0)
            for _ in range(PART // MINUTE):
                self.clock.advance(MINUTE)
                size += RATES.get(quality, 0) * 60
                if self.look(recording=True) is not quality:
                    break
            end = self.clock.now().at
            if size:
                body = RecordingStored(lesson.id, "front", start, end, "", 0, False, quality)
                self.store(body, size)
            self.clock.advance(PART - (end - start))
            if number < 6:
                now = self.clock.now().at
                taken = SnapshotTaken(
                    lesson.id, number // 3, number % 3 + 1, "front", now, "key_frame", "", 0
                )
                self.store(taken, 4000)
        for person in range(PEOPLE):
            self.store(ScanMade(f"p-{person}", self.clock.now().at, "face", ""), 1000, "photo")

    def facts(self, kind: type[Body]) -> list[Body]:
        """Return the bodies of all events of that kind."""
        return [
            decode(record.event.kind, record.body)
            for record in self.ledger.records()
            if record.event.kind == kind.kind and record.body is not None
        ]


def main(folder: Path) -> None:
    """Live through it."""
    with box_on(folder) as box:
        own = marks(shutil.disk_usage(folder).total)
        lessons = [lesson_on(day) for day in range(DAYS + 1)]
        send_documents(box.ledger, tuple(lessons), roster_of())
        seen_by_the_centre(box)
        for lesson in lessons[:DAYS]:
            box.clock.jump(lesson.start - 15 * MINUTE)
            box.teach(lesson)
            # The link does it every few minutes; a WAL of megabytes is much on this disk only.
            box.ledger.store.checkpoint(truncate=True)
            print(lesson.id, box.steward.quality, shutil.disk_usage(folder).free)
        fourteen_days(box)
        the_last_byte(box, own.low)
        the_centre_is_back(box)
        assert box.ledger.verify().intact


def fourteen_days(box: Box) -> None:
    """Quality fell in order and as late as could be; every day has video; nothing is missing."""
    told = [fact.quality for fact in box.facts(DiskPlanned) if isinstance(fact, DiskPlanned)]
    assert [key for key, _ in groupby(told)] == ["full", "substream", "key_frames"]
    parts = [part for part in box.facts(RecordingStored) if isinstance(part, RecordingStored)]
    assert {part.lesson_id for part in parts} == {f"lesson-{day}" for day in range(DAYS)}
    days_at = {
        quality: sum(part.end - part.start for part in parts if part.quality == quality) / DAY * 12
        for quality in ("full", "substream", "key_frames")
    }
    print("days at each quality:", {name: round(days, 1) for name, days in days_at.items()})
    # A disk that had been cut down from the first day on would have less.
    assert days_at["full"] > 1
    assert days_at["substream"] > days_at["key_frames"] > 1
    assert box.facts(MediaDeleted) == [], "nothing goes that nobody else holds"
    nothing_small_is_lost(box, DAYS)
    raised = [one.code for one in box.facts(AlertRaised) if isinstance(one, AlertRaised)]
    # Seen from the first day with less than all, and before each quality's turn is over.
    assert raised.count("disk_degraded") == 1
    assert 1 <= raised.count("disk_filling") <= 3, raised
    assert set(raised) == {"disk_degraded", "disk_filling"}


def the_last_byte(box: Box, low: int) -> None:
    """Something else takes all the room: video stops, attendance and snapshots go on."""
    filler = box.disk / "filler"
    with filler.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, shutil.disk_usage(box.disk).free - low // 2)
    assert box.look(recording=False) is Quality.STOPPED
    assert not disk.Ballast(box.config.data_dir).held
    lesson = lesson_on(DAYS)
    box.clock.jump(lesson.start - 15 * MINUTE)
    before = len(box.facts(RecordingStored))
    box.teach(lesson)
    assert len(box.facts(RecordingStored)) == before
    nothing_small_is_lost(box, DAYS + 1)
    with box.ledger.store.read() as connection:
        standing = [alert.case.code for alert in alerts.standing(connection)]
    assert Code.DISK_FULL in standing
    filler.unlink()
    box.ledger.store.checkpoint(truncate=True)


def the_centre_is_back(box: Box) -> None:
    """Of what it vouches for the oldest video goes, no picture, no more than is needed."""
    assert box.look(recording=False) is not Quality.STOPPED
    assert disk.Ballast(box.config.data_dir).held
    seen_by_the_centre(box)
    box.cursor.find_media(box.ledger)
    parts = [part for part in box.facts(RecordingStored) if isinstance(part, RecordingStored)]
    pictures = [shot.sha256 for shot in box.facts(SnapshotTaken) if isinstance(shot, SnapshotTaken)]
    photos = [scan.photo for scan in box.facts(ScanMade) if isinstance(scan, ScanMade)]
    unsafe = parts[-PARTS_A_DAY:]
    vouch(box, [*(part.sha256 for part in parts if part not in unsafe), *pictures, *photos])
    box.cursor.store.checkpoint(truncate=True)
    retention = Retention(
        box.ledger,
        box.media,
        box.cursor,
        lambda: None,
        lambda: disk.to_shed(box.ledger, box.config),
    )
    box.clock.advance(61 * SECOND)
    retention.step(0.0)
    gone = [one for one in box.facts(MediaDeleted) if isinstance(one, MediaDeleted)]
    assert {one.rule for one in gone} == {"space"}
    oldest = [part.sha256 for part in sorted(parts, key=lambda part: part.start)]
    assert [one.sha256 for one in gone] == oldest[: len(gone)]
    assert 0 < len(gone) < len(parts) - len(unsafe)
    nothing_small_is_lost(box, DAYS + 1)
    box.clock.advance(61 * SECOND)
    assert box.look(recording=False) is Quality.FULL
    box.clock.advance(61 * SECOND)
    box.look(recording=False)
    with box.ledger.store.read() as connection:
        assert alerts.standing(connection) == ()


def nothing_small_is_lost(box: Box, days: int) -> None:
    """Every scan, every photo, every snapshot is there, and so is every file that should be."""
    assert len(box.facts(ScanMade)) == days * PEOPLE
    assert len(box.facts(SnapshotTaken)) == days * 6
    assert box.media.missing(box.ledger) == []


def seen_by_the_centre(box: Box) -> None:
    """Let the centre sign that it holds the chain now, as it does once a day."""
    seq, head = box.ledger.head()
    now = box.clock.now().at
    box.ledger.append(AnchorReceived(box.ledger.uuid, seq, head.hex(), now, "", ""))


def vouch(box: Box, files: list[str]) -> None:
    """Let the centre vouch for these files."""
    for sha256 in files:
        box.cursor.note_media(sha256, "stored")
    now = box.clock.now().at
    receipt = Receipt(box.ledger.uuid, 1, bytes(32), tuple(files), "backup", now, "q", bytes(64))
    box.cursor.keep_receipt(receipt, b"whole")


def lesson_on(day: int) -> Lesson:
    """Return that day's lesson: two hours and a half with its margins."""
    start: Instant = at("09:00") + day * DAY
    hours = tuple(
        LessonHour(start + number * 45 * MINUTE, start + (number + 1) * 45 * MINUTE)
        for number in range(2)
    )
    return Lesson(
        id=f"lesson-{day}",
        class_id=CLASS_ID,
        class_name="中式面点师（初级）2026-3 班",
        room="203",
        instructors=(TEACHER_ID,),
        hours=hours,
        profile="default",
    )


@contextmanager
def box_on(folder: Path) -> Iterator[Box]:
    """Set a box up on the small disk; it has recorded a moment already, so that rates are known."""
    config = configuration.parse(SETTINGS, "box.toml", folder)
    clock = SimulatedClock(at("07:00"))
    config.data_dir.mkdir()
    with open_ledger(config.data_dir, clock) as ledger:
        media = MediaStore(config.data_dir / "media")
        cursor = Cursor(config.data_dir / "link.db")
        first = media.draft(
            RecordingStored(
                "lesson-0", "front", at("06:00"), at("06:00") + MINUTE, "", 0, False, "full"
            )
        )
        first.write(os.urandom(RATES[Quality.FULL] * 60))
        first.store(ledger)
        yield Box(folder, config, clock, ledger, media, cursor, Steward(ledger, config))
        cursor.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
