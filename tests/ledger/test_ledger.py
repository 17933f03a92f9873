"""The ledger: append, chain, identity, verify, rebuild."""

from __future__ import annotations

import os
import shutil
import sqlite3
import stat
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from edge import chain, events
from edge.clock import SimulatedClock
from edge.events import CameraHealth, ScanMade, SnapshotMissed, SnapshotTaken, UnknownBody
from edge.ledger import Ledger, LedgerError, projection_rows
from edge.model import MINUTE
from edge.signing import signed
from edge.store import DiskFull
from edge.teaching import end_lesson, open_lesson
from tests.boxes import LESSON_ID, TEACHER_ID, at, open_ledger, roster_of, send_documents, two_hours

BOX = "room-203"


@pytest.fixture
def clock() -> SimulatedClock:
    return SimulatedClock(at("08:50"))


@pytest.fixture
def ledger(tmp_path: Path, clock: SimulatedClock) -> Iterator[Ledger]:
    with open_ledger(tmp_path, clock, BOX) as opened:
        yield opened


def scan(person: str, when: int, photo: str = "") -> ScanMade:
    return ScanMade(person_id=person, at=when, way="face", photo=photo)


def full_lesson(ledger: Ledger, clock: SimulatedClock) -> None:
    """Fill *ledger* with one event of nearly every kind that has a projection."""
    send_documents(ledger, (two_hours(at("09:00")),), roster_of())
    open_lesson(ledger, LESSON_ID, TEACHER_ID)
    ledger.append(scan("p-1", at("08:52"), "a" * 64))
    ledger.append(scan("p-2", at("08:53")))
    ledger.append(CameraHealth("classroom", "online", ""))
    ledger.append(SnapshotMissed(LESSON_ID, 0, 1, "classroom", "camera offline"))
    ledger.append(
        SnapshotTaken(LESSON_ID, 0, 1, "classroom", at("09:05"), "key_frame", "b" * 64, 9)
    )
    ledger.append(
        SnapshotTaken(LESSON_ID, 0, 2, "classroom", at("09:22"), "key_frame", "c" * 64, 9)
    )
    ledger.append(events.RecordingStored(LESSON_ID, "classroom", 1, 2, "d" * 64, 9, False))
    ledger.append(events.RecordingGap(LESSON_ID, "classroom", 2, 3, "camera offline"))
    ledger.append(events.PersonEnrolled("p-1", "fr_feature", "0.0.1", "photo"))
    clock.advance(100 * MINUTE)
    ledger.append(scan("p-1", at("10:30")))
    end_lesson(ledger, LESSON_ID, TEACHER_ID)


def test_a_new_ledger_begins_with_its_birth(ledger: Ledger) -> None:
    """The first event names the ledger, the box and the key that signs."""
    (first,) = ledger.events()
    assert first.body is not None
    born = events.decode(first.event.kind, first.body)
    assert isinstance(born, events.LedgerBorn)
    assert (born.ledger_uuid, born.box_id) == (ledger.uuid, BOX)
    assert born.public_key == ledger.public_key.hex()
    assert first.event.prev_hash == chain.genesis(ledger.uuid)


def test_the_signing_key_is_for_its_owner_alone(ledger: Ledger, tmp_path: Path) -> None:
    """Keys are files of mode 0600; a key that others may read is refused with the remedy."""
    key = tmp_path / "keys" / "ledger.key"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    ledger.close()
    key.chmod(0o644)
    with pytest.raises(LedgerError, match="chmod 600"):
        Ledger.open(tmp_path, BOX, SimulatedClock(0))


def test_every_event_follows_from_the_one_before(ledger: Ledger, clock: SimulatedClock) -> None:
    """Seq has no gaps, prev_hash is the hash before, and the signature is the box's."""
    full_lesson(ledger, clock)
    records = ledger.events()
    assert [record.event.seq for record in records] == list(range(1, len(records) + 1))
    for before, after in pairwise(records):
        assert after.event.prev_hash == before.event.hash
    assert all(
        signed(ledger.public_key, record.event.hash, record.event.signature) for record in records
    )
    assert ledger.verify().intact


def test_the_same_event_id_is_stored_once(ledger: Ledger) -> None:
    """A repeated step gives back the stored event and writes nothing."""
    first = ledger.append(scan("p-1", 1), event_id="scan-1")
    again = ledger.append(scan("p-1", 2), event_id="scan-1")
    assert again == first
    assert ledger.head()[0] == first.seq


def test_a_transaction_that_fails_leaves_nothing(ledger: Ledger) -> None:
    """Events, rows and head go back together; the next event has the next seq."""
    before = ledger.head()
    with pytest.raises(RuntimeError), ledger.writing() as writer:
        writer.append(scan("p-1", 1))
        raise RuntimeError("in mid-block")
    assert ledger.head() == before
    assert projection_rows(ledger)["scan"] == []
    assert ledger.append(scan("p-1", 1)).seq == before[0] + 1


def test_a_full_disk_refuses_the_record_and_keeps_the_rest(ledger: Ledger) -> None:
    """SQLITE_FULL becomes a plain sentence; nothing stored before is touched."""
    ledger.append(scan("p-1", 1))
    before = ledger.head()
    with ledger.store.write() as connection:
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        connection.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(DiskFull, match="disk is full; the record was not stored"):
        for number in range(500):
            ledger.append(scan(f"p-{number}", number))
            before = ledger.head()
    assert ledger.head() == before
    assert ledger.verify().intact


@pytest.mark.parametrize(
    ("damage", "complaint"),
    [
        ("UPDATE event SET at = at + 1 WHERE seq = 3", "header was changed"),
        ("UPDATE body SET bytes = CAST('{}' AS BLOB) WHERE seq = 3", "body was changed"),
        ("DELETE FROM body WHERE seq = 3; DELETE FROM event WHERE seq = 3", "is missing"),
        ("UPDATE event SET signature = zeroblob(64) WHERE seq = 3", "not signed"),
        ("UPDATE head SET seq = seq + 1", "head"),
    ],
)
def test_verify_names_the_damage(
    ledger: Ledger, clock: SimulatedClock, tmp_path: Path, damage: str, complaint: str
) -> None:
    """Whoever edits the file behind the product's back is found out."""
    full_lesson(ledger, clock)
    vandal = sqlite3.connect(tmp_path / "ledger.db")
    vandal.executescript(
        "DROP TRIGGER event_is_never_changed; DROP TRIGGER event_is_never_deleted;" + damage
    )
    vandal.commit()
    vandal.close()
    report = ledger.verify()
    assert any(complaint in problem for problem in report.problems), report.problems


def test_an_erased_body_leaves_the_chain_verifiable(ledger: Ledger) -> None:
    """Content stands beside the chain: without it, verify counts it as erased and no more."""
    ledger.append(scan("p-1", 1))
    with ledger.store.write() as connection:
        connection.execute("DELETE FROM body WHERE seq = 2")
    report = ledger.verify()
    assert (report.intact, report.erased) == (True, 1)


def test_facts_cannot_be_changed_through_the_product(ledger: Ledger) -> None:
    """The database itself refuses to change or delete an event."""
    for statement in ("UPDATE event SET kind = 'x'", "DELETE FROM event"):
        with (
            pytest.raises(sqlite3.IntegrityError, match="facts are never"),
            ledger.store.write() as connection,
        ):
            connection.execute(statement)


def test_rebuilt_projections_equal_the_live_ones(ledger: Ledger, clock: SimulatedClock) -> None:
    """Everything people see can be derived again from the events."""
    full_lesson(ledger, clock)
    live = projection_rows(ledger)
    assert all(live[table] for table in ("attendance", "scan", "snapshot", "recording", "media"))
    ledger.rebuild()
    assert projection_rows(ledger) == live


def test_a_snapshot_that_came_late_replaces_missed(ledger: Ledger, clock: SimulatedClock) -> None:
    """One row a slot: found later beats missed, and a second one changes nothing."""
    full_lesson(ledger, clock)
    ledger.append(SnapshotTaken(LESSON_ID, 0, 1, "other", 0, "fast_open", "e" * 64, 9))
    rows = projection_rows(ledger)["snapshot"]
    assert [(row[4], row[7]) for row in rows] == [("taken", "b" * 64), ("taken", "c" * 64)]


def test_a_ledger_refuses_another_box_and_another_key(
    ledger: Ledger, tmp_path: Path, clock: SimulatedClock
) -> None:
    """A copied database or a lost key is a clear error, never a silent fork."""
    ledger.close()
    with pytest.raises(LedgerError, match="belongs to box 'room-203'"):
        Ledger.open(tmp_path, "room-204", clock)
    (tmp_path / "keys" / "ledger.key").unlink()
    with pytest.raises(LedgerError, match="signing key does not belong"):
        Ledger.open(tmp_path, BOX, clock)


def test_a_kind_from_the_future_is_kept(ledger: Ledger) -> None:
    """An older version reads what it knows and passes the rest on."""
    body = events.decode("lesson.teleported", b'{"to":"moon"}')
    assert body == UnknownBody("lesson.teleported", {"to": "moon"})
    known = events.decode("lesson.ended", b'{"by":"t","lesson_id":"l","mood":"good"}')
    assert known == events.LessonEnded("l", "t")
    with pytest.raises(events.BadBody, match=r"lesson\.ended"):
        events.decode("lesson.ended", b'{"by":"t"}')


def test_a_copied_folder_opens_as_the_same_ledger(ledger: Ledger, tmp_path: Path) -> None:
    """A card that was cloned carries ledger and key; telling the two apart is the centre's job."""
    ledger.append(scan("p-1", 1))
    ledger.store.checkpoint()
    copy = tmp_path.with_name(tmp_path.name + "-copy")
    shutil.copytree(tmp_path, copy)
    os.chmod(copy / "keys" / "ledger.key", 0o600)
    with open_ledger(copy, SimulatedClock(0), BOX) as cloned:
        assert cloned.head() == ledger.head()
