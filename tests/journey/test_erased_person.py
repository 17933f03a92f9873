"""One person comes, is taken home to the centre, and is erased: both sides, every byte."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from camera.faces.compare import Vector, unit
from camera.faces.gallery import Sealer, Templates
from camera.faces.manifest import DEFAULT, load
from edge import chain, requests
from edge.documents import ROSTER, TIMETABLE, roster_to_json, timetable_to_json
from edge.events import PersonEnrolled, ScanMade
from edge.ledger import Ledger
from edge.media import MediaStore
from edge.model import MINUTE, Trainee
from edge.signing import signed
from edge.teaching import end_lesson, open_lesson
from sync.central import erasure, tables
from sync.central.media import MediaFolder
from sync.central.store import CentralStore
from tests.boxes import LESSON_ID, TEACHER_ID, roster_of, two_hours
from tests.faults.stage import BOX, Stage, staged
from tests.processes import wait_for
from tests.security.stage import done

WHO, NAME, STUDENT, ID_NUMBER = "p-to-be-forgotten", "司徒忘我", "2026117734", "370102199003077715"
PHOTO = b"the face of one person alone " * 4000
OTHERS = 30


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    """A box and a centre, real processes around a real broker."""
    with staged(tmp_path) as opened:
        yield opened


class Person:
    """What there is of WHO, and where it is found. ``template`` is drawn, not anybody's."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        drawn = np.random.default_rng(7).normal(size=load(DEFAULT).dimension)
        self.template: Vector = unit(drawn.astype(np.float32))
        self.sealed = b""
        self.needles = {
            "id": WHO.encode(),
            "name": NAME.encode(),
            "name as JSON escapes": json.dumps(NAME)[1:-1].encode(),
            "student number": STUDENT.encode(),
            "ID number": ID_NUMBER.encode(),
            "photo": PHOTO[:500],
        }

    def traces(self, *folders: str) -> list[tuple[str, str]]:
        """Return what is found in which file below *folders*, names of files included."""
        found = []
        for file in self._files(*folders):
            content = file.read_bytes() + str(file).encode()
            found += [
                (what, str(file.relative_to(self.folder)))
                for what, needle in self.needles.items()
                if needle in content
            ]
        return found

    def holds_template(self, *folders: str) -> list[str]:
        """Return the files in which the template stands in plain, whole or in part."""
        plain = self.template.astype("<f4").tobytes()
        doubles = self.template.astype("<f8").tobytes()
        return [
            str(file.relative_to(self.folder))
            for file in self._files(*folders)
            if any(part in file.read_bytes() for part in (plain[:64], plain[-64:], doubles[:64]))
        ]

    def sealed_in(self, *folders: str) -> list[str]:
        """Return the files in which the sealed template stands."""
        return [
            str(file.relative_to(self.folder))
            for file in self._files(*folders)
            if self.sealed in file.read_bytes()
        ]

    def _files(self, *folders: str) -> list[Path]:
        return [
            file
            for folder in folders
            for file in sorted((self.folder / folder).rglob("*"))
            if file.is_file()
        ]


def roster(with_person: bool) -> bytes:
    """Return a roster of many, with WHO among them or without; an ID number stands on it too.

    This version reads no ID numbers from rosters; what it does not read it must erase as well.
    """
    base = roster_of(OTHERS)
    (group,) = base.classes
    if not with_person:
        return roster_to_json(base)
    trainees = (*group.trainees[:7], Trainee(WHO, STUDENT, NAME), *group.trainees[7:])
    whole = json.loads(roster_to_json(replace(base, classes=(replace(group, trainees=trainees),))))
    for entry in whole["classes"][0]["trainees"]:
        if entry["id"] == WHO:
            entry["id_number"] = ID_NUMBER
    return json.dumps(whole, ensure_ascii=False).encode("utf-8")


def a_lesson(stage: Stage, person: Person) -> None:
    """Let WHO be enrolled and attend among many, at the box; the link takes it all home."""
    now = stage.clock.now().at
    stage.publish(ROSTER, roster(with_person=True))
    stage.publish(TIMETABLE, timetable_to_json((two_hours(now - 10 * MINUTE),)))
    stage.start(stage.ingest, stage.link)
    wait_for("the documents are in force", lambda: len(stage.in_force()) == 2, 60)
    manifest = load(DEFAULT)
    templates = Templates(stage.ledger.store, Sealer.of(stage.folder / "box"), manifest)
    with stage.ledger.writing() as writer:
        templates.put(writer, WHO, person.template)
        writer.append(PersonEnrolled(WHO, manifest.name, manifest.version, "camera"))
        row = writer.execute("SELECT sealed FROM template").fetchone()
        person.sealed = bytes(row["sealed"])
    requests.ask(stage.ledger, "enrol", {"person_id": WHO}, MINUTE)
    open_lesson(stage.ledger, LESSON_ID, TEACHER_ID)
    for number in range(1, OTHERS + 1):
        scan(stage, f"p-{number}", b"photo %d" % number)
    scan(stage, WHO, PHOTO)
    stage.ledger.append(ScanMade(WHO, stage.clock.now().at, "face", ""))
    end_lesson(stage.ledger, LESSON_ID, TEACHER_ID)
    wait_until_home(stage)


def scan(stage: Stage, who: str, photo: bytes) -> None:
    """Store a scan with its photo, as the greeter does."""
    draft = stage.media.draft(ScanMade(who, stage.clock.now().at, "face", "", 9_000), "photo")
    draft.write(photo)
    draft.store(stage.ledger)


def wait_until_home(stage: Stage) -> None:
    """Wait until the centre holds everything, media too."""
    wait_for(
        "everything is home",
        lambda: (
            stage.told().get("acked") == stage.ledger.head()[0]
            and stage.told().get("media_waiting") == 0
        ),
        90,
    )


def erase(stage: Stage) -> None:
    """Take WHO off the roster and erase them by the centre's command; wait for the box."""
    asked = len(erasures(stage))
    stage.publish(ROSTER, roster(with_person=False))
    command = ("centre", "erase", WHO, "--reason", "withdrawn", "--by", "a clerk", "--yes")
    assert "erased:" in done(stage.folder / "centre.toml", *command)
    wait_for("the box has answered", lambda: len(erasures(stage)) > asked, 90)
    wait_until_home(stage)


def erasures(stage: Stage) -> list[str]:
    """Return the ids of the erasures that the box has answered."""
    rows = stage.rows(tables.request)
    return [row.id for row in rows if row.kind == "erase" and row.answered_at is not None]


def nothing_is_left(stage: Stage, person: Person) -> None:
    """Wait for what box and ingest do of themselves every half minute, then search every byte."""
    erasure.sweep(stage.store, MediaFolder(stage.config.data_dir / "media"))
    stage.store.tidy()
    wait_for("the box's log is emptied", lambda: person.traces("box", "run") == [], 60)
    assert person.traces("box", "run", "centre") == []
    assert person.sealed_in("box", "centre") == []
    assert person.holds_template("box", "run", "centre") == []
    for log in (stage.link.log, stage.ingest.log):
        assert NAME not in log.read_text("utf-8")


def both_chains_verify(stage: Stage, erased: int) -> None:
    """Every hash, link and signature on both sides, and both hold the same."""
    report = stage.ledger.verify()
    assert (report.problems, report.erased) == ([], erased)
    rows = sorted(stage.rows(tables.event), key=lambda row: row.seq)
    public = {row.uuid: bytes(row.public_key) for row in stage.rows(tables.ledger)}
    previous = chain.genesis(stage.ledger.uuid)
    for row in rows:
        event = chain.event_from_row(row._mapping)
        assert (event.prev_hash, chain.recomputed_hash(event)) == (previous, event.hash)
        assert signed(public[row.ledger], event.hash, event.signature)
        previous = event.hash
    assert [bytes(row.hash) for row in rows] == [
        record.event.hash for record in stage.ledger.records()
    ][: len(rows)]
    bodies = {row.seq for row in stage.rows(tables.body)}
    assert len(rows) - len(bodies) == erased
    assert len([row for row in stage.rows(tables.scan) if row.person_id != WHO]) == OTHERS


def test_a_person_is_erased_from_box_and_centre_and_from_what_is_restored(stage: Stage) -> None:
    """Databases, logs, media, exports, restored backups: no byte of name, numbers, photo, face.

    The chains verify on both sides, and the others' attendance stays. The face template never
    stood in plain anywhere, and never at the centre in any form.
    """
    person = Person(stage.folder)
    a_lesson(stage, person)
    seen = {what for what, _ in person.traces("box")}
    assert seen >= {"id", "name", "student number", "ID number", "photo"}, "nothing to erase"
    seen = {what for what, _ in person.traces("centre")}
    assert seen >= {"id", "name", "student number", "ID number", "photo"}, "nothing to erase"
    assert person.sealed_in("box") != []
    assert person.sealed_in("centre") == []
    assert person.holds_template("box", "run", "centre") == []
    back_up(stage)
    assert person.holds_template("box-backup", "centre-backup") == []
    assert person.sealed_in("centre-backup") == []

    erase(stage)
    nothing_is_left(stage, person)
    both_chains_verify(stage, erased=3)
    exports(stage, person)

    restore_box(stage)
    wait_for("the box is asked again", lambda: len(erasures(stage)) >= 2, 90)
    nothing_is_left(stage, person)
    assert stage.ledger.verify().problems == []

    restore_centre(stage)
    # The box's own erasure comes with its events; what the old roster says stays until another
    # one is published, and the command finds it there.
    wait_for("the box says it again", lambda: stage.held() >= stage.ledger.head()[0], 90)
    erase(stage)
    nothing_is_left(stage, person)


def exports(stage: Stage, person: Person) -> None:
    """Whatever is exported after an erasure holds nothing either, and proves itself."""
    folder = stage.folder / "exports"
    folder.mkdir()
    box, centre = stage.folder / "box.toml", stage.folder / "centre.toml"
    done(box, "ledger", "export", str(folder / "ledger.jsonl"))
    done(box, "ledger", "verify", "--export", str(folder / "ledger.jsonl"))
    (folder / "events.txt").write_text(
        done(box, "ledger", "show", "--bodies", "--limit", "100000"), "utf-8"
    )
    for words in (("incidents", "list", "--all"), ("requests", "--all"), ("boxes",)):
        (folder / f"{words[0]}.txt").write_text(done(centre, "centre", *words), "utf-8")
    assert person.traces("exports") == []
    assert person.holds_template("exports") == []


def back_up(stage: Stage) -> None:
    """Copy both data folders while nobody writes."""
    stop(stage)
    for name in ("box", "centre"):
        shutil.copytree(stage.folder / name, stage.folder / f"{name}-backup")
    carry_on(stage)


def restore_box(stage: Stage) -> None:
    """Put the box's disk back to before the erasure."""
    stop(stage)
    put_back(stage.folder, "box")
    carry_on(stage)


def restore_centre(stage: Stage) -> None:
    """Put the centre back to before the erasure, and do what its page says."""
    stop(stage)
    put_back(stage.folder, "centre")
    assert "begins with" in done(stage.folder / "centre.toml", "centre", "restored")
    carry_on(stage)


def put_back(folder: Path, name: str) -> None:
    shutil.rmtree(folder / name)
    shutil.copytree(folder / f"{name}-backup", folder / name)


def stop(stage: Stage) -> None:
    """End the processes and close what this one holds open."""
    stage.link.stop()
    stage.ingest.stop()
    stage.ledger.close()
    stage.store.close()


def carry_on(stage: Stage) -> None:
    """Open everything again and start the processes."""
    stage.store = CentralStore(stage.config.database)
    stage.ledger = Ledger.open(stage.folder / "box", BOX, stage.clock)
    stage.media = MediaStore(stage.folder / "box" / "media")
    stage.start(stage.ingest, stage.link)
