"""Templates travel to one box, whole, once, in time, and with their consents."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from camera.faces import gallery, manifest, travel
from camera.faces.compare import Vector, unit
from camera.faces.gallery import Sealer, Templates
from camera.faces.travel import BadPackage, Imported
from edge import agreement, consents, events
from edge.clock import SimulatedClock
from edge.consent_events import TemplateReceived, TemplateSent
from edge.consents import agreed
from edge.keys import sealing_key
from edge.ledger import Ledger, projection_rows
from edge.model import DAY
from tests.boxes import at, roster_of, send_documents

MANIFEST = manifest.load()
PEOPLE = ("p-1", "p-2", "p-3")


class Box:
    """A box with a roster, in a folder."""

    def __init__(self, folder: Path, name: str) -> None:
        self.folder = folder / name
        self.clock = SimulatedClock(at("09:00"))
        self.ledger = Ledger.open(self.folder, name, self.clock)
        self.sealer = Sealer.of(self.folder)
        self.key = sealing_key(self.folder / "keys" / "sealing.key")
        self.templates = Templates(self.ledger.store, self.sealer, MANIFEST)
        send_documents(self.ledger, (), roster_of(3))

    def enrol(self, person_id: str, face: Vector) -> None:
        with self.ledger.writing() as writer:
            writer.append(
                agreed(
                    person_id,
                    "en",
                    "signed",
                    self.clock.now().at,
                    under_14=True,
                    guardian="李父",
                    guardian_way="phone",
                )
            )
            self.templates.put(writer, person_id, face)

    def passport(self) -> travel.Passport:
        return travel.read_passport(travel.passport(self.ledger, self.key))

    def unpack(self, content: bytes) -> Imported:
        return travel.unpack(self.ledger, self.sealer, self.key, content)

    def refuses(self, content: bytes, why: str) -> None:
        """Check that *content* is refused for the reason *why* and that nothing changed."""
        head, rows = self.ledger.head(), projection_rows(self.ledger)
        known = self.templates.gallery().people
        with pytest.raises(BadPackage, match=why):
            self.unpack(content)
        assert (self.ledger.head(), projection_rows(self.ledger)) == (head, rows)
        assert self.templates.gallery().people == known

    def bodies(self, kind: type[events.Body]) -> list[events.Body]:
        found = [
            events.decode(record.event.kind, record.body or b"{}")
            for record in self.ledger.records()
        ]
        return [body for body in found if isinstance(body, kind)]


def face(seed: int) -> Vector:
    """Return a vector of length 1 that stands for a face."""
    return unit(np.random.default_rng(seed).normal(size=MANIFEST.dimension).astype(np.float32))


@pytest.fixture
def old(tmp_path: Path) -> Iterator[Box]:
    """Return the box that a class leaves, with two enrolled."""
    box = Box(tmp_path, "room-203")
    for number, person_id in enumerate(PEOPLE[:2]):
        box.enrol(person_id, face(number))
    yield box
    box.ledger.close()


@pytest.fixture
def new(tmp_path: Path) -> Iterator[Box]:
    """Return the box that the class goes to."""
    box = Box(tmp_path, "room-305")
    yield box
    box.ledger.close()


def packed(old: Box, new: Box) -> bytes:
    return travel.pack(old.ledger, old.sealer, new.passport())


def test_templates_and_consents_arrive_as_they_were(old: Box, new: Box) -> None:
    """The other box knows the same faces; both ledgers say so; a guardian's name comes along."""
    content = packed(old, new)
    assert new.unpack(content) == Imported(2, 0)
    assert new.templates.gallery().people == PEOPLE[:2]
    assert np.array_equal(new.templates.gallery().matrix, old.templates.gallery().matrix)
    assert [body.person_id for body in old.bodies(TemplateSent)] == list(PEOPLE[:2])  # type: ignore[attr-defined]
    assert [body.person_id for body in new.bodies(TemplateReceived)] == list(PEOPLE[:2])  # type: ignore[attr-defined]
    with new.ledger.store.read() as connection:
        found = consents.of_person(connection, "p-1")
    assert found is not None and found.allows_face
    assert (found.given.guardian, found.given.origin) == ("李父", "room-203")


def test_a_package_shows_neither_templates_nor_people(old: Box, new: Box) -> None:
    """Who finds the stick learns the names of two boxes, and nothing of anybody."""
    content = packed(old, new)
    plain = face(0).astype("<f4").tobytes()
    assert not any(plain[start : start + 16] in content for start in range(0, len(plain), 16))
    assert b"p-1" not in content and "李父".encode() not in content


def test_another_box_refuses_it(old: Box, new: Box, tmp_path: Path) -> None:
    """A box with another name, and one of the same name with other keys, take nothing."""
    content = packed(old, new)
    old.refuses(content, "for box room-305")
    impostor = Box(tmp_path / "elsewhere", "room-305")
    impostor.refuses(content, "does not open with this box's key")
    impostor.ledger.close()


def test_a_changed_file_is_refused_wherever_it_was_changed(old: Box, new: Box) -> None:
    """A byte of the head, of the content, or the end cut off: nothing is imported."""
    content = packed(old, new)
    line = content.index(b"\n")
    later = content[:line].replace(b'"expires":1', b'"expires":9') + content[line:]
    assert later != content
    new.refuses(later, "changed on its way")
    for place in (line + 1, line + 200, len(content) - 1):
        flipped = bytearray(content)
        flipped[place] ^= 1
        new.refuses(bytes(flipped), "does not open")
    new.refuses(content[:-1], "does not open")
    new.refuses(content[:line], "does not open")
    new.refuses(b"no package", "no package of templates")
    assert new.unpack(content).people == 2


def test_it_expires_and_is_taken_once(old: Box, new: Box) -> None:
    """A second import changes nothing, and after a week a file is refused."""
    content = packed(old, new)
    new.unpack(content)
    new.refuses(content, "imported before")
    another = packed(old, new)
    new.clock.at += 8 * DAY
    new.refuses(another, "expired")


def test_nothing_is_half_imported(old: Box, new: Box) -> None:
    """With one person unknown here nobody comes, and the roster makes it good."""
    old.enrol("p-3", face(3))
    content = packed(old, new)
    send_documents(new.ledger, (), roster_of(2), version=2)
    new.refuses(content, "on no roster of this box")
    send_documents(new.ledger, (), roster_of(3), version=3)
    assert new.unpack(content).people == 3


def test_withdrawn_consent_neither_goes_nor_comes_back(old: Box, new: Box) -> None:
    """Who withdrew before is not packed; who withdrew at the other box since stays out."""
    content = packed(old, new)
    new.enrol("p-1", face(0))
    new.clock.at += DAY
    assert agreement.withdraw(new.ledger, "p-1", "kiosk")
    assert new.unpack(content) == Imported(1, 1)
    assert new.templates.gallery().people == ("p-2",)
    for person_id in PEOPLE[:2]:
        assert agreement.withdraw(old.ledger, person_id, "staff")
    with pytest.raises(BadPackage, match="nothing to pack"):
        packed(old, new)
    with old.ledger.store.read() as connection:
        assert gallery.enrolled(connection) == []


def test_a_changed_passport_is_refused(old: Box, new: Box) -> None:
    """Nobody can put their own sealing key into a box's passport; a box's own is of no use."""
    passport = travel.passport(new.ledger, new.key)
    theirs = old.key.public_key().public_bytes_raw().hex().encode()
    ours = new.key.public_key().public_bytes_raw().hex().encode()
    with pytest.raises(BadPackage, match="changed"):
        travel.read_passport(passport.replace(ours, theirs))
    with pytest.raises(BadPackage, match="not a box's passport"):
        travel.read_passport(b"{}")
    with pytest.raises(BadPackage, match="own passport"):
        travel.pack(old.ledger, old.sealer, old.passport())
