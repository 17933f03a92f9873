"""A person is erased from a box: the chain verifies, the bytes are gone, the others stay."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from edge import erasure, requests
from edge.cli import main
from edge.clock import SimulatedClock
from edge.documents import ROSTER, Roster, roster_to_json
from edge.erasure import CannotErase, OnRoster
from edge.events import BodyErased, MediaDeleted, PersonEnrolled, RequestRefused, ScanMade
from edge.inbox import apply_document
from edge.ledger import Ledger, projection_rows
from edge.media import MediaStore
from edge.model import MINUTE, Trainee
from edge.teaching import end_lesson, open_lesson
from tests.boxes import LESSON_ID, TEACHER_ID, at, open_ledger, roster_of, send_documents, two_hours

WHO = "p-erased-person"
NAME = "司徒忘我"
PHOTO = b"a photo of one person alone " * 4000
CLASS = 40


@pytest.fixture
def clock() -> SimulatedClock:
    return SimulatedClock(at("08:50"))


@pytest.fixture
def ledger(tmp_path: Path, clock: SimulatedClock) -> Iterator[Ledger]:
    with open_ledger(tmp_path / "data", clock) as opened:
        yield opened


@pytest.fixture
def media(tmp_path: Path) -> MediaStore:
    return MediaStore(tmp_path / "data" / "media")


def with_person() -> Roster:
    """Return a roster of many, one of whom will be erased."""
    roster = roster_of(CLASS)
    (group,) = roster.classes
    trainees = (*group.trainees[:7], Trainee(WHO, "99", NAME), *group.trainees[7:])
    return replace(roster, classes=(replace(group, trainees=trainees),))


def scan(media: MediaStore, ledger: Ledger, person: str, photo: bytes) -> None:
    """Store a scan with its photo, as the greeter does."""
    draft = media.draft(ScanMade(person, ledger.clock.now().at, "face", "", 9_000), "photo")
    draft.write(photo)
    draft.store(ledger)


def a_lesson(ledger: Ledger, media: MediaStore, clock: SimulatedClock) -> None:
    """Teach a lesson that WHO attends among many, then take them off the roster."""
    send_documents(ledger, (two_hours(at("09:00")),), with_person())
    with ledger.writing() as writer:
        writer.append(PersonEnrolled(WHO, "net", "1", "photo"))
        writer.execute("INSERT INTO template VALUES (?, 'net', '1', ?, ?)", (WHO, bytes(12), b"x"))
    requests.ask(ledger, "enrol", {"person_id": WHO}, MINUTE)
    open_lesson(ledger, LESSON_ID, TEACHER_ID)
    people = [*(f"p-{number}" for number in range(1, CLASS + 1)), WHO]
    for number, person in enumerate(people):
        scan(media, ledger, person, PHOTO if person == WHO else b"photo %d" % number)
    clock.advance(100 * MINUTE)
    for person in people:
        ledger.append(ScanMade(person, clock.now().at, "face", ""))
    ledger.append(RequestRefused("r-1", "enrol", "too dark"))
    end_lesson(ledger, LESSON_ID, TEACHER_ID)
    take_off(ledger)


def take_off(ledger: Ledger, version: int = 2) -> None:
    apply_document(ledger, ROSTER, "epoch-1", version, roster_to_json(roster_of(CLASS)))


def files_with(folder: Path, *needles: bytes) -> list[str]:
    """Return the files below *folder* in which any of the *needles* stands."""
    return [
        str(file.relative_to(folder))
        for file in sorted(folder.rglob("*"))
        if file.is_file() and any(needle in file.read_bytes() for needle in needles)
    ]


def traces(folder: Path) -> list[str]:
    return files_with(folder, WHO.encode(), NAME.encode(), PHOTO[:2000])


def test_a_byte_search_finds_nothing_of_an_erased_person(
    ledger: Ledger, media: MediaStore, clock: SimulatedClock, tmp_path: Path
) -> None:
    """Database, WAL and media folder hold neither id, name nor photo; the chain verifies."""
    a_lesson(ledger, media, clock)
    before = traces(tmp_path)
    assert any("ledger.db-wal" in file for file in before)
    assert any("media/" in file for file in before)
    others = [row for row in projection_rows(ledger)["attendance"] if row[1] != WHO]
    found = erasure.erase(ledger, media, [WHO], "withdrawn")
    assert erasure.empty_wal(ledger)
    assert found.told() == {
        "events": 3,
        "photos": 1,
        "templates": 1,
        "documents": 1,
        "requests": 1,
    }
    assert traces(tmp_path) == []
    report = ledger.verify()
    assert (report.problems, report.erased) == ([], 3)
    live = projection_rows(ledger)
    assert live["attendance"] == others
    assert len(others) == CLASS
    ledger.rebuild()
    assert projection_rows(ledger) == live
    assert media.missing(ledger) == []
    assert media.unknown(ledger) == []


def test_what_erasure_writes_names_nobody(
    ledger: Ledger, media: MediaStore, clock: SimulatedClock
) -> None:
    """The events that state it hold seqs, a reason and the file's hash; each comes once."""
    a_lesson(ledger, media, clock)
    head = ledger.head()[0]
    for _ in range(2):
        erasure.erase(ledger, media, [WHO], "order")
    written = ledger.events(head)
    assert [record.event.kind for record in written] == [BodyErased.kind, MediaDeleted.kind]
    assert all(record.body is not None and WHO.encode() not in record.body for record in written)
    assert [record.event.kind for record in ledger.events() if record.body is None] == [
        "person.enrolled",
        "scan.made",
        "scan.made",
    ]


def test_who_is_on_the_roster_in_force_is_not_erased(
    ledger: Ledger, media: MediaStore, clock: SimulatedClock
) -> None:
    """The refusal says that another roster must come first, and nothing is changed."""
    a_lesson(ledger, media, clock)
    apply_document(ledger, ROSTER, "epoch-1", 3, roster_to_json(with_person()))
    head = ledger.head()
    with pytest.raises(OnRoster, match="publish a roster without"):
        erasure.erase(ledger, media, [WHO], "withdrawn")
    assert ledger.head() == head
    take_off(ledger, 4)
    assert len(erasure.erase(ledger, media, [WHO], "withdrawn").seqs) == 3


def test_who_taught_is_not_erased(ledger: Ledger, media: MediaStore, clock: SimulatedClock) -> None:
    """An instructor's acts carry the attendance of others: refused, with that reason."""
    a_lesson(ledger, media, clock)
    alone = replace(roster_of(CLASS), instructors=())
    apply_document(ledger, ROSTER, "epoch-1", 3, roster_to_json(alone))
    with pytest.raises(CannotErase, match="lessons of the trainees rest on that"):
        erasure.erase(ledger, media, [TEACHER_ID], "withdrawn")


def test_a_photo_that_another_event_names_stays(
    ledger: Ledger, media: MediaStore, clock: SimulatedClock
) -> None:
    """Only files that the erased events alone name are deleted."""
    send_documents(ledger, (two_hours(at("09:00")),), roster_of())
    for person in (WHO, "p-1"):
        scan(media, ledger, person, PHOTO)
    assert erasure.erase(ledger, media, [WHO], "withdrawn").photos == ()
    assert media.missing(ledger) == []


def test_a_power_cut_before_the_photo_is_gone_is_made_good(
    ledger: Ledger, media: MediaStore, clock: SimulatedClock
) -> None:
    """The event comes first; the file that a crash left is deleted at the next look."""
    a_lesson(ledger, media, clock)
    found = erasure.erase(ledger, media, [WHO], "withdrawn")
    left = media.path(found.photos[0])
    left.write_bytes(PHOTO)
    erasure.finish(ledger, media)
    assert not left.exists()


def test_a_scan_that_a_crash_left_half_stored_is_given_up(
    ledger: Ledger, media: MediaStore, clock: SimulatedClock, tmp_path: Path
) -> None:
    """A photo on its way into the ledger would bring the person back; it goes as well."""
    a_lesson(ledger, media, clock)
    draft = media.draft(ScanMade(WHO, 1, "face", ""), "photo")
    draft.write(PHOTO)
    erasure.erase(ledger, media, [WHO], "withdrawn")
    assert erasure.empty_wal(ledger)
    assert traces(tmp_path) == []


def test_the_command_says_first_what_it_would_erase(
    ledger: Ledger, media: MediaStore, clock: SimulatedClock, tmp_path: Path
) -> None:
    """Without ``--yes`` nothing changes; with it a byte search finds nothing."""
    a_lesson(ledger, media, clock)
    settings = tmp_path / "box.toml"
    settings.write_text('[box]\nid = "room-203"\nroom = "203"\ndata_dir = "data"\n', "utf-8")
    arguments = ["--config", str(settings), "ledger", "erase", "--person", WHO]
    arguments += ["--reason", "withdrawn"]
    head = ledger.head()
    done = CliRunner().invoke(main, arguments)
    assert (done.exit_code, ledger.head()) == (0, head)
    assert "would erase: 3 events, 1 photos" in done.output
    done = CliRunner().invoke(main, [*arguments, "--yes"])
    assert done.exit_code == 0, done.output
    assert traces(tmp_path) == []
    assert ledger.verify().intact
