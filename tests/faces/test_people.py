"""``classbox people``: enrolled, listed, removed, and refused in words that say what to do."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from camera.faces.align import Picture
from edge import events
from edge.cli import main
from edge.clock import SystemClock
from edge.consent_events import ConsentGiven, ConsentWithdrawn, EnrolmentRefused
from edge.consents import TEXTS, VERSION, agreed, text_sha256
from edge.events import PersonEnrolled, TemplateDeleted
from edge.ledger import Ledger
from tests.boxes import TEACHER_ID, open_ledger, roster_of, send_documents
from tests.faces.pictures import beside, save

SETTINGS = '[box]\nid = "room-203"\nroom = "203"\ndata_dir = "box"\nruntime_dir = "run"\n'


@pytest.fixture
def box(tmp_path: Path) -> Path:
    """Return the settings of a box with three trainees and an instructor."""
    settings = tmp_path / "box.toml"
    settings.write_text(SETTINGS, "utf-8")
    with open_ledger(tmp_path / "box", SystemClock()) as ledger:
        send_documents(ledger, (), roster_of(3))
        for person_id in ("p-1", "p-2", TEACHER_ID):
            ledger.append(agreed(person_id, "zh", "signed", ledger.clock.now().at))
    return settings


def people(box: Path, *arguments: str) -> Result:
    """Run ``classbox people`` with those arguments."""
    return CliRunner().invoke(main, ["--config", str(box), "people", *arguments])


def bodies(box: Path) -> list[events.Body]:
    """Return what the events of the box say, without the documents."""
    with open_ledger(box.parent / "box", SystemClock()) as ledger:
        return decoded(ledger)


def decoded(ledger: Ledger) -> list[events.Body]:
    """Return the bodies of the events that concern people."""
    return [
        events.decode(record.event.kind, record.body or b"{}")
        for record in ledger.records()
        if record.event.kind.startswith(("person.", "consent."))
    ]


def test_a_trainee_is_enrolled_from_a_photo(box: Path, portrait_path: Path) -> None:
    """The template and its event exist; the list names person and network, and nothing else."""
    done = people(box, "add", "p-1", "--photo", str(portrait_path))
    assert done.exit_code == 0, done.output
    assert "已登记" in done.output and "enrolled" in done.output
    body = bodies(box)[-1]
    assert isinstance(body, PersonEnrolled)
    assert (body.person_id, body.source, body.request_id) == ("p-1", "photo", "")
    assert people(box, "list").output == f"p-1\t{body.model}\t{body.model_version}\n"


def test_an_instructor_is_enrolled_too(box: Path, portrait_path: Path) -> None:
    """Instructors check in as trainees do."""
    assert people(box, "add", TEACHER_ID, "--photo", str(portrait_path)).exit_code == 0
    assert people(box, "list").output.startswith(TEACHER_ID)


def test_enrolling_again_replaces(box: Path, portrait_path: Path) -> None:
    """A second photo takes the place of the first; both acts are in the ledger."""
    for _ in range(2):
        assert people(box, "add", "p-1", "--photo", str(portrait_path)).exit_code == 0
    assert len(people(box, "list").output.splitlines()) == 1
    assert sum(isinstance(body, PersonEnrolled) for body in bodies(box)) == 2


def test_removing_deletes_the_template_and_says_so_in_the_ledger(
    box: Path, portrait_path: Path
) -> None:
    """After removal the person is not listed; removing again is refused."""
    people(box, "add", "p-1", "--photo", str(portrait_path))
    assert people(box, "remove", "p-1").exit_code == 0
    assert people(box, "list").output == ""
    assert bodies(box)[-1] == TemplateDeleted("p-1", "operator")
    again = people(box, "remove", "p-1")
    assert again.exit_code == 1
    assert "nobody of this id is enrolled" in again.output


def test_without_consent_nobody_is_enrolled(box: Path, portrait_path: Path) -> None:
    """Before the consent the photo is not even read; the words and the next step are shown."""
    said = refused(box, "p-3", "--photo", str(portrait_path))
    assert "has not consented" in said and "people consent p-3" in said
    shown = people(box, "consent", "p-3")
    assert TEXTS["zh"] in shown.output
    assert len(bodies(box)) == 3, "showing the words is no consent"
    assert people(box, "consent", "p-3", "--signed", "--language", "en").exit_code == 0
    given = bodies(box)[-1]
    assert isinstance(given, ConsentGiven)
    assert (given.person_id, given.text, given.text_sha256, given.way) == (
        "p-3",
        VERSION,
        text_sha256("en"),
        "signed",
    )
    assert people(box, "add", "p-3", "--photo", str(portrait_path)).exit_code == 0


def test_under_14_a_guardian_agrees(box: Path) -> None:
    """Without the guardian's name there is no consent; with it the event names them."""
    refused_so = people(box, "consent", "p-3", "--signed", "--under-14", "--guardian", "  ")
    assert refused_so.exit_code == 2 and "--guardian NAME" in refused_so.output
    assert len(bodies(box)) == 3
    arguments = ("--signed", "--under-14", "--guardian", "李父", "--guardian-way", "phone")
    assert people(box, "consent", "p-3", *arguments).exit_code == 0
    given = bodies(box)[-1]
    assert isinstance(given, ConsentGiven)
    assert (given.guardian, given.guardian_way) == ("李父", "phone")


def test_withdrawal_deletes_the_template_with_a_receipt(box: Path, portrait_path: Path) -> None:
    """Both events are written; the sealed bytes leave database and WAL; consent can be renewed."""
    assert people(box, "add", "p-1", "--photo", str(portrait_path)).exit_code == 0
    with open_ledger(box.parent / "box", SystemClock()) as ledger, ledger.store.read() as found:
        sealed = bytes(found.execute("SELECT sealed FROM template").fetchone()["sealed"])
    done = people(box, "withdraw", "p-1")
    assert done.exit_code == 0, done.output
    assert bodies(box)[-2:] == [
        ConsentWithdrawn("p-1", "staff"),
        TemplateDeleted("p-1", "withdrawn"),
    ]
    files = [path for path in (box.parent / "box").rglob("*") if path.is_file()]
    assert not any(sealed[:64] in path.read_bytes() for path in files)
    assert "has not consented" in refused(box, "p-1", "--photo", str(portrait_path))
    again = people(box, "withdraw", "p-1")
    assert again.exit_code == 1 and "nothing to withdraw" in again.output
    assert people(box, "consent", "p-1", "--signed").exit_code == 0
    assert people(box, "add", "p-1", "--photo", str(portrait_path)).exit_code == 0


def refused(box: Path, *arguments: str) -> str:
    """Run ``people add`` that must be refused, with nothing stored; return what it says."""
    before = bodies(box)
    done = people(box, "add", *arguments)
    assert done.exit_code == 1, done.output
    assert done.output.startswith("Error: ")
    assert bodies(box) == before
    return done.output


def test_whoever_is_on_no_roster_is_refused(box: Path, portrait_path: Path) -> None:
    """An unknown id is refused before any picture is looked at."""
    said = refused(box, "p-99", "--photo", str(portrait_path))
    assert "p-99" in said and "名单中没有此人" in said and "on no roster" in said


def test_a_face_that_is_somebody_elses_is_refused(box: Path, portrait_path: Path) -> None:
    """The photo of one person under the id of another is found out; no id is betrayed."""
    people(box, "add", "p-1", "--photo", str(portrait_path))
    done = people(box, "add", "p-2", "--photo", str(portrait_path))
    assert done.exit_code == 1
    assert "enrolled as somebody else" in done.output and "p-1" not in done.output
    assert bodies(box)[-1] == EnrolmentRefused("p-2", "somebody_else")
    assert people(box, "list").output.startswith("p-1\t")


def test_photos_that_will_not_do_are_refused(box: Path, portrait: Picture, tmp_path: Path) -> None:
    """Unreadable, without a face, with two, too small, too dark, blurred: a reason for each."""
    text = tmp_path / "text.jpg"
    text.write_text("no picture", "utf-8")
    blurred = np.asarray(
        np.kron(portrait[::8, ::8], np.ones((8, 8, 1), dtype=np.uint8)), dtype=np.uint8
    )
    pictures = {
        "not a picture": text,
        "There is no such file": tmp_path / "missing.jpg",
        "No face": save(np.full((480, 640, 3), 128, dtype=np.uint8), tmp_path / "grey.png"),
        "more than one face": save(beside(portrait, portrait), tmp_path / "two.png"),
        "too small": save(np.ascontiguousarray(portrait[::2, ::2]), tmp_path / "small.png"),
        "too dark": save(np.asarray(portrait // 6, dtype=np.uint8), tmp_path / "dark.png"),
        "blurred": save(blurred, tmp_path / "blurred.png"),
    }
    for reason, file in pictures.items():
        said = refused(box, "p-1", "--photo", str(file))
        assert reason in said, (reason, said)
        assert file.name in said
        assert any("\u4e00" <= letter <= "\u9fff" for letter in said)


def test_photo_and_camera_exclude_each_other(box: Path, portrait_path: Path) -> None:
    """One of the two has to be said."""
    assert people(box, "add", "p-1").exit_code == 2
    assert people(box, "add", "p-1", "--camera", "--photo", str(portrait_path)).exit_code == 2


def test_a_box_without_settings_is_told_which(tmp_path: Path) -> None:
    """A wrong path of the settings ends as one clear line."""
    done = people(tmp_path / "nothing.toml", "list")
    assert done.exit_code == 1
    assert "there is no such file" in done.output


def test_templates_go_to_another_box_by_three_commands(
    box: Path, portrait_path: Path, tmp_path: Path
) -> None:
    """Passport, pack, unpack; a wrong fingerprint stops both sides with nothing written."""
    assert people(box, "add", "p-1", "--photo", str(portrait_path)).exit_code == 0
    other = tmp_path / "other.toml"
    other.write_text(SETTINGS.replace("room-203", "room-305").replace('"box"', '"other"'), "utf-8")
    with open_ledger(tmp_path / "other", SystemClock(), "room-305") as ledger:
        send_documents(ledger, (), roster_of(3))
    passport, package = tmp_path / "passport.json", tmp_path / "faces.classbox"
    theirs = people(other, "passport", "--out", str(passport)).output.strip().split(", ")[1]
    to = ("pack", str(passport), "--out", str(package), "--fingerprint")
    wrong = people(box, *to, "0000 1111")
    assert wrong.exit_code == 1 and "of another box" in wrong.output and not package.exists()
    sent = people(box, *to, theirs)
    assert sent.exit_code == 0, sent.output
    ours = sent.output.strip().split(", ")[-1]
    assert people(other, "unpack", str(package), "--fingerprint", theirs).exit_code == 1
    assert people(other, "list").output == ""
    done = people(other, "unpack", str(package), "--fingerprint", ours)
    assert done.exit_code == 0, done.output
    assert people(other, "list").output == people(box, "list").output != ""
