"""A person is erased at the centre: by a box's event, by a command, again after a restore."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from edge import chain
from edge.cli import main
from edge.documents import ROSTER, people_on, roster_to_json
from edge.events import (
    BodyErased,
    InstructorLoggedIn,
    LedgerBranched,
    MediaDeleted,
    PersonEnrolled,
    RequestAnswered,
    ScanMade,
)
from edge.model import Trainee
from edge.signing import signed
from sync import seal
from sync.central import erasure, incidents, projections, requests, restore, tables, withdrawal
from sync.central.documents import newest, store_document
from sync.central.withdrawal import CannotErase
from sync.messages import Ancestor, Batch, Chunk, MediaAck, Offer, Request
from tests.boxes import roster_of
from tests.central.centres import SEALING_KEY, Centre, hello_of
from tests.chains import Chain

BOX = "room-203"
WHO = "p-erased-person"
NAME = "司徒忘我"
PHOTO = b"a photo of one person alone " * 3000
SHA256 = hashlib.sha256(PHOTO).hexdigest()


def with_person() -> bytes:
    """Return a roster of many with WHO among them."""
    roster = roster_of(20)
    (group,) = roster.classes
    trainees = (*group.trainees[:7], Trainee(WHO, "99", NAME), *group.trainees[7:])
    return roster_to_json(replace(roster, classes=(replace(group, trainees=trainees),)))


def a_lesson(centre: Centre, chain: Chain) -> None:
    """Let the centre hold what a box saw of WHO among others, photo and roster included."""
    centre.know(chain)
    store_document(centre.store, BOX, ROSTER, with_person(), 1)
    store_document(centre.store, BOX, ROSTER, roster_to_json(roster_of(20)), 2)
    centre.learn(
        chain,
        PersonEnrolled(WHO, "net", "1", "photo"),
        *(ScanMade(f"p-{number}", number, "face", "") for number in range(1, 20)),
        ScanMade(WHO, 50, "face", SHA256),
        *(ScanMade(f"p-{number}", 60 + number, "face", "") for number in range(1, 20)),
        ScanMade(WHO, 99, "face", ""),
    )
    send(centre, PHOTO)


def send(centre: Centre, photo: bytes) -> MediaAck:
    """Let the box send a photo; return the last answer."""
    sha256 = hashlib.sha256(photo).hexdigest()
    answers = centre.hear(BOX, Offer(sha256, len(photo), "photo"))
    answers += centre.hear(BOX, Chunk(sha256, len(photo), 0, photo))
    last = answers[-1]
    assert isinstance(last, MediaAck)
    return last


def of_person(chain: Chain) -> tuple[int, ...]:
    """Return the seqs of the events whose bodies name WHO."""
    return tuple(
        record.event.seq
        for record in chain.records
        if record.body is not None and WHO.encode() in record.body
    )


def traces(folder: Path) -> list[str]:
    """Return the files in which id, name or photo of WHO stand."""
    needles = (WHO.encode(), NAME.encode(), PHOTO[:2000])
    return [
        str(file.relative_to(folder))
        for file in sorted(folder.rglob("*"))
        if file.is_file() and any(needle in file.read_bytes() for needle in needles)
    ]


def tidy(centre: Centre) -> None:
    """What the ingest does now and then."""
    erasure.sweep(centre.store, centre.media)
    centre.store.tidy()


def asked(centre: Centre) -> list[tuple[str, dict[str, object]]]:
    """Return box and arguments of each erasure that is asked for."""
    return [
        (row.box, json.loads(row.args))
        for row in centre.rows(tables.request)
        if row.kind == "erase" and row.args is not None
    ]


def test_what_a_box_erased_is_gone_here_too(centre: Centre) -> None:
    """A byte search of database, log and media finds nothing; the chain still verifies."""
    box = Chain()
    a_lesson(centre, box)
    if centre.store.engine.dialect.name == "sqlite":
        assert traces(centre.folder) != []
    seqs = of_person(box)
    centre.learn(box, BodyErased(seqs, "withdrawn"), MediaDeleted(SHA256, "photo", "erased"))
    tidy(centre)
    assert traces(centre.folder) == []
    bodies = {row.seq for row in centre.rows(tables.body)}
    assert not bodies & set(seqs)
    assert len(bodies) == box.head - len(seqs)
    events = sorted(centre.rows(tables.event), key=lambda row: row.seq)
    previous = chain.genesis(box.uuid)
    for row in events:
        event = chain.event_from_row(row._mapping)
        assert (event.prev_hash, chain.recomputed_hash(event)) == (previous, event.hash)
        assert signed(box.public_key, event.hash, event.signature)
        previous = event.hash
    live = [set(centre.rows(table)) for table in tables.PROJECTIONS]
    with centre.store.writing() as connection:
        projections.rebuild(connection)
    assert [set(centre.rows(table)) for table in tables.PROJECTIONS] == live
    assert len(centre.rows(tables.scan)) == 38


def test_an_erased_photo_is_not_taken_in_again(centre: Centre) -> None:
    """A box whose disk was set back offers it again: refused, whole or half arrived."""
    box = Chain()
    a_lesson(centre, box)
    half = b"another photo of the same person" * 3000
    name = hashlib.sha256(half).hexdigest()
    centre.learn(box, ScanMade(WHO, 100, "face", name))
    centre.hear(BOX, Offer(name, len(half), "photo"))
    centre.hear(BOX, Chunk(name, len(half), 0, half[:5000]))
    centre.learn(box, BodyErased(of_person(box), "order"))
    tidy(centre)
    assert [file for file in (centre.folder / "media").rglob("*") if file.is_file()] == []
    for photo in (PHOTO, half):
        answer = send(centre, photo)
        assert (answer.stored, answer.refused) == (False, "it was erased")
    assert centre.incidents() == []


def test_a_photo_of_others_too_stays(centre: Centre) -> None:
    """A file that another event names is not let go of."""
    box = Chain()
    a_lesson(centre, box)
    centre.learn(box, ScanMade("p-1", 100, "face", SHA256))
    centre.learn(box, BodyErased(of_person(box), "withdrawn"))
    tidy(centre)
    assert centre.media.has(SHA256)


def test_an_erased_body_does_not_come_back(centre: Centre) -> None:
    """A centre set back takes the events in again, but not what was erased of them."""
    box = Chain()
    a_lesson(centre, box)
    seqs = of_person(box)
    centre.learn(box, BodyErased(seqs, "withdrawn"))
    with centre.store.writing() as connection:  # all but the note of the erasure is lost
        for table in (tables.event, tables.body, *tables.PROJECTIONS):
            connection.execute(table.delete())
        connection.execute(tables.ledger.update().values(last=0, last_hash=chain.genesis(box.uuid)))
    centre.hear(BOX, box.batch())
    assert len(centre.rows(tables.event)) == box.head
    assert not {row.seq for row in centre.rows(tables.body)} & set(seqs)
    assert not [row for row in centre.rows(tables.scan) if row.person_id == WHO]


def test_a_set_aside_message_is_emptied_when_it_names_the_person(centre: Centre) -> None:
    """Also where the name stands inside the bodies that a refused batch carries."""
    box = Chain()
    a_lesson(centre, box)
    other = box.copy()
    other.append(ScanMade(WHO, 200, "face", ""))
    box.append(ScanMade("p-1", 200, "face", ""))
    centre.hear(BOX, box.batch(box.head - 1))
    centre.hear(BOX, Batch(box.uuid, box.head - 1, (other.records[-1],)))
    assert centre.incidents() == ["fork"]
    assert centre.rows(tables.incident)[0].content != b""
    centre.learn(box, BodyErased(of_person(box), "withdrawn"))
    assert centre.rows(tables.incident)[0].content == b""


def test_the_command_erases_here_and_asks_the_boxes(centre: Centre) -> None:
    """Every box that knows the person is asked; once it has answered, nothing names them."""
    box, other, stranger = Chain(), Chain("room-204", "ledger-2"), Chain("room-205", "ledger-3")
    a_lesson(centre, box)
    centre.know(stranger)
    centre.know(other)
    centre.learn(other, ScanMade(WHO, 1, "face", ""))
    epoch = centre.store.epoch
    with centre.store.writing() as connection:
        requests.file(connection, 1, BOX, "enrol", {"person_id": WHO}, "a clerk", 10)
        known = withdrawal.erase(connection, 5, epoch, WHO, "withdrawn", "a clerk")
    assert (known.count, known.boxes) == (4, (BOX, "room-204"))
    args = {"people": [WHO], "reason": "withdrawn"}
    assert asked(centre) == [(BOX, args), ("room-204", args)]
    (told,) = [m for m in centre.hear(BOX, hello_of(box)) if isinstance(m, Request)]
    letter = seal.unseal(told.sealed, BOX, "request", SEALING_KEY, centre.signer.public_key)
    assert json.loads(letter.content) == args
    for row in centre.rows(tables.request):
        if row.kind == "erase":
            one = box if row.box == BOX else other
            centre.learn(one, RequestAnswered(row.id, "erase", {"events": 3}))
    tidy(centre)
    assert traces(centre.folder) == []
    first = min(centre.rows(tables.document), key=lambda row: row.number)
    assert len(people_on(first.content)) == 21  # the others stay, under the hash lessons cite
    assert first.sha256 == hashlib.sha256(with_person()).hexdigest()


def test_who_is_on_a_roster_in_force_or_taught_is_not_erased(centre: Centre) -> None:
    """The refusal names the boxes and the remedy; nothing is changed."""
    box = Chain()
    a_lesson(centre, box)
    centre.learn(box, InstructorLoggedIn("t-wang", "pin"))
    centre.learn(box, ScanMade("p-1", 300, "manual", "", entered_by="t-old"))
    store_document(centre.store, BOX, ROSTER, with_person(), 3)
    with centre.store.reading() as connection:
        with pytest.raises(CannotErase, match=r"roster in force of room-203\. Publish"):
            withdrawal.find(connection, centre.store.epoch, WHO)
        with pytest.raises(CannotErase, match="vouched for others"):
            withdrawal.find(connection, centre.store.epoch, "t-old")


def test_a_box_set_back_to_before_an_erasure_is_asked_to_repeat_it(centre: Centre) -> None:
    """It goes on under a new name from a copy that may hold the bodies: asked for by seq."""
    box = Chain()
    a_lesson(centre, box)
    seqs = of_person(box)
    base = box.head
    older = box.copy()
    centre.learn(box, BodyErased(seqs, "withdrawn"))
    name = "ledger-9"
    older.append(
        LedgerBranched(name, box.uuid, base, box.records[base - 1].event.hash.hex(), "restored")
    )
    hello = hello_of(older, ledger=name, lineage=(Ancestor(box.uuid, base),))
    centre.hear(BOX, hello)
    centre.hear(BOX, Batch(name, base, (older.records[-1],)))
    assert asked(centre) == [(BOX, {"reason": "withdrawn", "seqs": list(seqs)})]


def test_a_restored_centre_begins_a_new_epoch_with_what_is_in_force(centre: Centre) -> None:
    """Documents count again under a new epoch; what was erased is erased again."""
    box = Chain()
    a_lesson(centre, box)
    seqs = of_person(box)
    centre.learn(box, BodyErased(seqs, "withdrawn"))
    record = box.records[seqs[0] - 1]
    with centre.store.writing() as connection:
        came_back = {"ledger": box.uuid, "seq": seqs[0], "salt": record.salt}
        connection.execute(tables.body.insert().values(**came_back, content=record.body))
        epoch, copied, erased = restore.begin_anew(connection, 9)
    assert (copied, erased) == (1, 1)
    assert epoch != centre.store.epoch
    with centre.store.reading() as connection:
        roster = newest(connection, BOX, ROSTER, epoch)
    assert roster is not None
    assert (roster.version, roster.content) == (1, roster_to_json(roster_of(20)))


def test_an_incident_is_resolved_by_a_person_and_opens_again(centre: Centre) -> None:
    """Resolved ones leave the list; the same again is to be looked at again."""
    with centre.store.writing() as connection:
        for _ in range(2):
            incidents.report(connection, 1, BOX, "fork", "two disks", b"content")
        assert incidents.resolve(connection, 1, 2, "a clerk", "took one out")
        assert not incidents.resolve(connection, 7, 2, "a clerk", "?")
        assert incidents.listed(connection, everything=False) == []
        (told,) = incidents.listed(connection, everything=True)
        assert (told["times"], told["resolved_by"], told["note"]) == (2, "a clerk", "took one out")
        incidents.report(connection, 3, BOX, "fork", "two disks")
        (told,) = incidents.listed(connection, everything=False)
        shown = incidents.one(connection, told["number"])
    assert (told["times"], told["note"]) == (3, "took one out")
    assert shown is not None
    assert shown["content"] == b"content"


def test_staff_settle_all_of_it_at_a_command_line(tmp_path: Path) -> None:
    """Each command says what it did, or in one line what is wrong."""
    settings = tmp_path / "centre.toml"
    settings.write_text('[centre]\ndata_dir = "data"\n', "utf-8")
    (tmp_path / "data").mkdir()
    centre = Centre(tmp_path / "data")
    a_lesson(centre, Chain())
    with centre.store.writing() as connection:
        incidents.report(connection, 1, BOX, "fork", "two disks", b"\xff content")
    centre.store.close()

    def run(*arguments: str, status: int = 0) -> str:
        done = CliRunner().invoke(main, ["--config", str(settings), "centre", *arguments])
        assert done.exit_code == status, done.output
        return done.output

    assert '"cause": "fork"' in run("incidents", "list")
    assert "\\xff content" in run("incidents", "show", "1")
    assert "no incident 9" in run("incidents", "show", "9", status=1)
    assert "resolved" in run("incidents", "resolve", "1", "--by", "me", "--note", "mended")
    assert run("incidents", "list") == ""
    assert "is filed" in run("request", BOX, "resync")
    assert "say which" in run("request", BOX, "send_media", status=2)
    assert "no box of this name" in run("request", "room-9", "resync", status=1)
    assert '"state": "open"' in run("requests")
    erase = ("erase", WHO, "--reason", "withdrawn")
    assert "would erase: 3 events here, and ask 1 boxes" in run(*erase)
    assert "erased: 3 events here" in run(*erase, "--yes")
    left = traces(tmp_path / "data")
    assert left == ["centre.db"]  # in the request, until the box has answered it
    assert "begins with 1 documents" in run("restored")
