"""Templates at rest: sealed, bound to their person, outside every event and every rebuild."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from camera.faces import gallery, manifest
from camera.faces.compare import Vector, unit
from camera.faces.gallery import Sealer, Templates
from edge import agreement, events
from edge.clock import SimulatedClock
from edge.consents import agreed
from edge.events import PersonEnrolled, TemplateDeleted
from edge.keys import KeyProblem
from edge.ledger import Ledger, projection_rows
from tests.boxes import TEACHER_ID, at, open_ledger, roster_of, send_documents

MANIFEST = manifest.load()


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with open_ledger(tmp_path, SimulatedClock(at("09:00"))) as opened:
        yield opened


@pytest.fixture
def templates(ledger: Ledger, tmp_path: Path) -> Templates:
    return Templates(ledger.store, Sealer.of(tmp_path), MANIFEST)


def some_face(seed: int) -> Vector:
    """Return a vector of length 1 that stands for a face."""
    return unit(np.random.default_rng(seed).normal(size=MANIFEST.dimension).astype(np.float32))


def enrol(ledger: Ledger, templates: Templates, person_id: str, face: Vector) -> None:
    """Store a template with its event, as the product does."""
    with ledger.writing() as writer:
        writer.append(agreed(person_id, "zh", "signed", ledger.clock.now().at))
        templates.put(writer, person_id, face)
        writer.append(PersonEnrolled(person_id, MANIFEST.name, MANIFEST.version, "photo"))


def test_templates_come_back_as_they_were(ledger: Ledger, templates: Templates) -> None:
    """The gallery holds one row for each person, equal to what was enrolled."""
    for number in range(5):
        enrol(ledger, templates, f"p-{number}", some_face(number))
    known = templates.gallery()
    assert known.people == ("p-0", "p-1", "p-2", "p-3", "p-4")
    assert np.array_equal(known.matrix, np.stack([some_face(number) for number in range(5)]))


def test_no_part_of_a_template_reaches_the_disk_unsealed(
    ledger: Ledger, templates: Templates, tmp_path: Path
) -> None:
    """Neither the database nor its write-ahead log holds any 16 bytes of a template."""
    face = some_face(1)
    enrol(ledger, templates, "p-1", face)
    for _ in ("in the log", "in the file"):
        on_disk = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
        assert b"p-1" in on_disk
        plain = face.astype("<f4").tobytes()
        assert not any(plain[start : start + 16] in on_disk for start in range(0, len(plain), 16))
        ledger.store.checkpoint()


def test_the_key_lies_beside_the_database_and_only_its_owner_reads_it(
    templates: Templates, tmp_path: Path
) -> None:
    """The key file has mode 0600, and a key that others may read is refused."""
    key = tmp_path / "keys" / "templates.key"
    assert key.stat().st_mode & 0o777 == 0o600
    key.chmod(0o640)
    with pytest.raises(KeyProblem, match="chmod 600"):
        Sealer.of(tmp_path)


def test_a_template_moved_to_another_person_does_not_open(
    ledger: Ledger, templates: Templates
) -> None:
    """Who can write the database still cannot give one person's face to another."""
    enrol(ledger, templates, "p-1", some_face(1))
    with ledger.writing() as writer:
        writer.execute("UPDATE template SET person_id = 'p-2', nonce = nonce")
        writer.append(agreed("p-2", "zh", "signed", ledger.clock.now().at))
    with pytest.raises(KeyProblem, match="classbox people add"):
        templates.gallery()


def test_another_boxs_key_does_not_open_templates(
    ledger: Ledger, templates: Templates, tmp_path: Path
) -> None:
    """With another key the templates stay sealed, and the message says what to do."""
    enrol(ledger, templates, "p-1", some_face(1))
    other = Templates(ledger.store, Sealer.of(tmp_path / "another"), MANIFEST)
    with pytest.raises(KeyProblem, match="own key"):
        other.gallery()


def test_enrolling_again_replaces_what_was_there(ledger: Ledger, templates: Templates) -> None:
    """A person has one template, the latest; a gallery that is held open notices."""
    enrol(ledger, templates, "p-1", some_face(1))
    assert np.array_equal(templates.gallery().matrix[0], some_face(1))
    enrol(ledger, templates, "p-1", some_face(2))
    known = templates.gallery()
    assert known.people == ("p-1",)
    assert np.array_equal(known.matrix[0], some_face(2))


def test_a_deleted_template_is_gone(ledger: Ledger, templates: Templates) -> None:
    """After deletion neither gallery nor list know the person, and a second one says so."""
    enrol(ledger, templates, "p-1", some_face(1))
    with ledger.writing() as writer:
        assert gallery.forget(writer, "p-1")
        writer.append(TemplateDeleted("p-1", "operator"))
        assert not gallery.forget(writer, "p-1")
    assert templates.gallery().people == ()
    with ledger.store.read() as connection:
        assert gallery.enrolled(connection) == []
        assert connection.execute("SELECT count(*) FROM enrolment").fetchone()[0] == 0


def test_without_a_standing_consent_a_face_is_not_looked_up(
    ledger: Ledger, templates: Templates
) -> None:
    """A template left from before consent was asked is not searched; a withdrawal removes it."""
    with ledger.writing() as writer:
        templates.put(writer, "p-old", some_face(7))
    enrol(ledger, templates, "p-1", some_face(1))
    assert templates.gallery().people == ("p-1",)
    assert agreement.withdraw(ledger, "p-1", "staff")
    assert templates.gallery().people == ()
    before = projection_rows(ledger)
    ledger.rebuild()
    assert projection_rows(ledger) == before


def test_a_complete_class_loses_its_templates_with_a_receipt(
    ledger: Ledger, templates: Templates
) -> None:
    """Who left the roster is forgotten; an empty roster, which is a mistake, forgets nobody."""
    send_documents(ledger, (), roster_of(2))
    for number in (1, 2):
        enrol(ledger, templates, f"p-{number}", some_face(number))
    enrol(ledger, templates, TEACHER_ID, some_face(3))
    assert agreement.forget_departed(ledger) == 0
    send_documents(ledger, (), roster_of(0), version=2)
    assert agreement.forget_departed(ledger) == 0
    send_documents(ledger, (), roster_of(1), version=3)
    assert agreement.forget_departed(ledger) == 1
    assert set(templates.gallery().people) == {"p-1", TEACHER_ID}
    last = ledger.events()[-1]
    assert events.decode(last.event.kind, last.body or b"") == TemplateDeleted("p-2", "completed")


def test_a_rebuild_leaves_the_templates_alone(ledger: Ledger, templates: Templates) -> None:
    """Templates are material, not projections."""
    enrol(ledger, templates, "p-1", some_face(1))
    ledger.rebuild()
    assert templates.gallery().people == ("p-1",)


def test_no_event_holds_a_template(ledger: Ledger, templates: Templates) -> None:
    """The enrolment's event names person and network, and is far too short for a face."""
    enrol(ledger, templates, "p-1", some_face(1))
    body = ledger.events()[-1].body
    assert body is not None and len(body) < 200


def test_templates_of_another_network_are_left_out(
    ledger: Ledger, templates: Templates, tmp_path: Path
) -> None:
    """Templates of different networks cannot be compared, so each sees only its own."""
    enrol(ledger, templates, "p-1", some_face(1))
    newer = replace(MANIFEST, version="2")
    other = Templates(ledger.store, Sealer.of(tmp_path), newer)
    assert other.gallery().people == ()
