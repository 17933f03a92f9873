"""Retention on a box: the event first, then the file; a crash between them is made good."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from edge import queries
from edge.clock import SimulatedClock
from edge.events import Body, MediaDeleted, RecordingStored, ScanMade, SnapshotMissed, SnapshotTaken
from edge.events import decode as decode_body
from edge.ledger import Ledger, projection_rows
from edge.media import MediaStore
from edge.model import DAY, ClockQuality, RetentionRule
from edge.picture_events import PictureProcessed, SpotCheckTaken
from edge.retention import NoCentre, Retention, leaving
from edge.teaching import open_lesson
from sync.cursor import Cursor
from sync.messages import Receipt
from tests.boxes import TEACHER_ID, at, lesson_of, open_ledger, roster_of, send_documents

NOTHING_PRESSES = 0
EVERYTHING_PRESSES = 1 << 62


@dataclass
class Box:
    """A box after a lesson, with its link's memory."""

    clock: SimulatedClock
    ledger: Ledger
    media: MediaStore
    cursor: Cursor
    asked: int = 0

    def file(self, body: Body, content: bytes, field: str = "sha256") -> str:
        """Store a file whose event is *body*; return its hash."""
        draft = self.media.draft(body, field)
        draft.write(content)
        draft.store(self.ledger)
        self.cursor.find_media(self.ledger)
        with self.ledger.store.read() as connection:
            return str(
                connection.execute("SELECT sha256 FROM media ORDER BY seq DESC").fetchone()[0]
            )

    def film(self, content: bytes = b"film", lesson: str = "lesson-1") -> str:
        """Store a part of a recording."""
        start = at("09:00")
        return self.file(RecordingStored(lesson, "front", start, start + 1, "", 0, False), content)

    def snapshot(self, content: bytes = b"snapshot", number: int = 1) -> str:
        """Store a snapshot."""
        moment = at("09:05")
        return self.file(
            SnapshotTaken("lesson-1", 0, number, "front", moment, "key_frame", "", 0), content
        )

    def photo(self, content: bytes = b"photo") -> str:
        """Store a check-in photo."""
        return self.file(ScanMade("p-1", at("08:55"), "face", ""), content, "photo")

    def make_safe(self, *sha256s: str) -> None:
        """Let the centre vouch for these files."""
        for sha256 in sha256s:
            self.cursor.note_media(sha256, "stored")
        now = self.clock.now().at
        receipt = Receipt(self.ledger.uuid, 1, bytes(32), sha256s, "backup", now, "q", bytes(64))
        self.cursor.keep_receipt(receipt, b"whole")

    def retention(self, shed: int = NOTHING_PRESSES) -> Retention:
        """Return the housekeeping as a fresh process has it, with *shed* bytes in the way."""
        return Retention(self.ledger, self.media, self.cursor, self.ask, lambda: shed)

    def ask(self) -> None:
        """Count that the box would ask the centre."""
        self.asked += 1

    def deleted(self) -> list[tuple[str, str]]:
        """Return hash and rule of what the ledger says was deleted."""
        bodies = [
            decode_body(record.event.kind, record.body)
            for record in self.ledger.records()
            if record.body is not None
        ]
        return [(body.sha256, body.rule) for body in bodies if isinstance(body, MediaDeleted)]


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Box]:
    """A box at the end of a lesson that nobody opened on the screen."""
    clock = SimulatedClock(at("12:00"))
    with open_ledger(tmp_path, clock) as ledger:
        send_documents(ledger, (lesson_of(("09:00", "09:45"), ("09:45", "10:30")),), roster_of())
        cursor = Cursor(tmp_path / "link.db")
        yield Box(clock, ledger, MediaStore(tmp_path / "media"), cursor)
        cursor.close()


def test_nothing_goes_without_a_receipt(box: Box) -> None:
    """Not after years, not with a full disk: then the box asks the centre, and keeps it."""
    files = [box.film(), box.snapshot(), box.photo()]
    box.clock.advance(4000 * DAY)
    box.retention(EVERYTHING_PRESSES).step(0.0)
    assert box.deleted() == []
    assert box.asked == 1
    assert box.media.missing(box.ledger) == []
    assert all(box.media.path(sha256).exists() for sha256 in files)


def test_what_is_safe_goes_after_its_days(box: Box) -> None:
    """Event, file, and nobody calls it missing or waiting; the attendance stays."""
    film, snapshot, photo = box.film(), box.snapshot(), box.photo()
    box.make_safe(film, snapshot, photo)
    retention = box.retention()
    box.clock.advance(14 * DAY)
    retention.step(0.0)
    assert box.deleted() == [(film, "safe")]
    box.clock.advance(400 * DAY)
    retention.step(3600.0)
    assert sorted(box.deleted()) == sorted((one, "safe") for one in (film, snapshot, photo))
    assert not any(box.media.path(one).exists() for one in (film, snapshot, photo))
    assert box.media.missing(box.ledger) == []
    assert box.media.unknown(box.ledger) == []
    assert box.cursor.media_waiting() == 0
    with box.ledger.store.read() as connection:
        assert len(connection.execute("SELECT * FROM scan").fetchall()) == 1
    assert box.ledger.verify().intact


def test_video_past_its_limit_goes_where_the_profile_says_so(box: Box) -> None:
    """The one exception: it never reached the centre, and the event says by which rule it went."""
    profile = queries.shipped_profile("default")
    limited = replace(profile.retention, video="limit", video_days=30)
    rules = {"default": replace(profile, version=2, retention=limited)}
    lesson = lesson_of(("09:00", "09:45"))
    send_documents(box.ledger, (lesson,), roster_of(), rules, version=2)
    film, snapshot = box.film(), box.snapshot()
    box.clock.advance(29 * DAY)
    retention = box.retention()
    retention.step(0.0)
    assert box.deleted() == []
    box.clock.advance(2 * DAY)
    box.clock.quality = ClockQuality.UNSYNCHRONISED
    retention.step(3600.0)
    assert box.deleted() == [], "a clock that nobody vouches for deletes nothing"
    box.clock.quality = ClockQuality.SYNCHRONISED
    retention.step(7200.0)
    assert box.deleted() == [(film, "limit")]
    assert box.media.path(snapshot).exists()
    assert box.cursor.media_waiting() == 1


def test_video_that_stands_for_a_missed_snapshot_is_kept(box: Box) -> None:
    """Where the plan has a hole the recording is the evidence, safe or not, disk full or not."""
    film = box.film()
    box.ledger.append(SnapshotMissed("lesson-1", 0, 2, "front", "camera offline"))
    box.make_safe(film)
    box.clock.advance(1000 * DAY)
    box.retention(EVERYTHING_PRESSES).step(0.0)
    assert box.deleted() == []
    box.clock.advance(1000 * DAY)
    box.retention().step(0.0)
    assert box.deleted() == [(film, "expired")]


def test_a_lesson_that_is_being_taught_keeps_everything(box: Box) -> None:
    """Its records must be there on the screen, however full the disk is."""
    box.clock.jump(at("09:00"))
    assert open_lesson(box.ledger, "lesson-1", TEACHER_ID)
    box.make_safe(box.film())
    box.retention(EVERYTHING_PRESSES).step(0.0)
    assert box.deleted() == []


@pytest.mark.parametrize("memory", ["kept", "lost"])
def test_killed_between_event_and_file_the_next_start_deletes_the_file(
    box: Box, tmp_path: Path, memory: str
) -> None:
    """Whether or not the link still knows of the file; one event, and it is not offered."""
    film = box.film()
    box.make_safe(film)
    box.ledger.append(MediaDeleted(film, "recording", "safe"))
    if memory == "lost":
        with box.cursor.store.write() as connection:
            connection.execute("DELETE FROM media")
            connection.execute("DELETE FROM cursor")
        box.cursor.find_media(box.ledger)
    assert box.media.path(film).exists()
    box.retention().step(0.0)
    assert not box.media.path(film).exists()
    assert len(box.deleted()) == 1
    assert box.cursor.media_waiting() == 0
    assert box.media.missing(box.ledger) == []


def test_a_full_disk_takes_only_what_it_needs_the_oldest_first(box: Box) -> None:
    """Files that are safe go early, one after the other, until there is room."""
    first, second = box.film(b"1" * 1000, "unknown"), box.film(b"2" * 1000)
    box.make_safe(first, second)
    found = leaving(box.ledger, box.media, box.cursor, box.clock.now(), pressed=True)
    assert [one.sha256 for one in found] == [first, second]
    assert {one.rule for one in found} == {"space"}
    assert leaving(box.ledger, box.media, box.cursor, box.clock.now(), pressed=False) == []
    snapshot, photo = box.snapshot(), box.photo()
    box.make_safe(snapshot, photo)
    box.retention(shed=500).step(0.0)
    assert box.deleted() == [(first, "space")]
    box.retention(EVERYTHING_PRESSES).step(0.0)
    assert box.deleted() == [(first, "space"), (second, "space")]
    assert box.media.path(snapshot).exists() and box.media.path(photo).exists()


def test_without_a_centre_video_past_its_limit_goes_and_nothing_else(box: Box) -> None:
    """No receipt will ever come: a full disk takes nothing early, and a crash is made good."""
    profile = queries.shipped_profile("default")
    limited = replace(profile.retention, video="limit", video_days=30)
    rules = {"default": replace(profile, version=2, retention=limited)}
    send_documents(box.ledger, (lesson_of(("09:00", "09:45")),), roster_of(), rules, version=2)
    film, snapshot = box.film(), box.snapshot()
    alone = NoCentre(box.media)
    retention = Retention(box.ledger, box.media, alone, box.ask, lambda: EVERYTHING_PRESSES)
    retention.step(0.0)
    assert box.deleted() == []
    box.clock.advance(31 * DAY)
    retention.step(60.0)
    assert box.deleted() == [(film, "limit")]
    assert not box.media.path(film).exists() and box.media.path(snapshot).exists()
    box.media.path(film).write_bytes(b"as a kill between event and file leaves it")
    Retention(box.ledger, box.media, alone, box.ask, lambda: 0).step(0.0)
    assert not box.media.path(film).exists()
    assert len(box.deleted()) == 1


def test_what_was_deleted_is_derived_again_by_a_rebuild(box: Box) -> None:
    """The same rows come of replaying the events; a file that is named anew is there again."""
    film = box.film()
    box.make_safe(film)
    box.clock.advance(14 * DAY)
    box.retention().step(0.0)
    before = projection_rows(box.ledger)
    box.ledger.rebuild()
    assert projection_rows(box.ledger) == before
    assert box.film() == film
    with box.ledger.store.read() as connection:
        assert queries.deleted_media(connection) == set()


def test_the_shipped_rules_delete_nothing_unsafe() -> None:
    """Whoever wants the exception must say so in a profile."""
    for name in ("default", "demo"):
        rule = queries.shipped_profile(name).retention
        assert isinstance(rule, RetentionRule)
        assert rule.video == "safe"


def test_pictures_of_a_spot_check_are_kept_as_evidence_and_copies_as_their_snapshots(
    box: Box,
) -> None:
    """Five years and a receipt for what the authority drew; a marked copy goes with its picture."""
    snapshot = box.snapshot()
    copy = box.file(PictureProcessed(snapshot, "lesson-1", "", 0, 3, "fr_detect", "1"), b"copy")
    taken = SpotCheckTaken("lesson-1", "c" * 32, 1, "photo", "phone", "", at("09:20"), "", 0)
    photo = box.file(taken, b"spot check")
    clip = box.file(replace(taken, number=2, sort="clip"), b"clip")
    marked = box.file(PictureProcessed(photo, "lesson-1", "", 0, 3, "fr_detect", "1"), b"marked")
    box.make_safe(snapshot, copy, photo, clip, marked)
    box.clock.advance(181 * DAY)
    box.retention(EVERYTHING_PRESSES).step(0.0)
    assert {sha256 for sha256, _ in box.deleted()} == {snapshot, copy}
    box.clock.advance(1827 * DAY)
    box.retention().step(0.0)
    assert {sha256 for sha256, _ in box.deleted()} == {snapshot, copy, photo, clip, marked}
