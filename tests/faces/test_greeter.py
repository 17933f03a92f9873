"""The greeter as a process: a face at the door becomes a scan, whatever is killed in between."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from camera.faces import align, gallery
from camera.faces.align import Picture
from camera.faces.compare import Vector
from camera.faces.embed import Embedder
from camera.faces.gallery import Sealer, Templates
from camera.faces.mesh import Mesh
from edge import events
from edge.box import NotConfigured
from edge.clock import SystemClock
from edge.consents import agreed
from edge.events import PersonEnrolled, RequestRefused, ScanMade
from edge.ledger import Ledger
from edge.media import MediaStore
from edge.model import MINUTE
from tests.boxes import LESSON_ID, open_ledger, roster_of, send_documents, two_hours
from tests.demo.door_film import write_film
from tests.faces.pictures import EMPTY, STANDING, part, save_all
from tests.processes import CLASSBOX, Child, wait_for

JPEG = (b"\xff\xd8", b"\xff\xd9")


class Box:
    """A box with a door, in a folder; the greeter runs as a process of its own."""

    def __init__(self, folder: Path, source: str) -> None:
        self.folder = folder
        self.settings = folder / "box.toml"
        self.settings.write_text(
            '[box]\nid = "room-203"\nroom = "203"\ndata_dir = "box"\nruntime_dir = "run"\n'
            f"[door]\nsource = {json.dumps(source)}\n",
            "utf-8",
        )
        self.greeter = Child(
            "greeter", [CLASSBOX, "--config", self.settings, "greeter"], folder / "greeter.log"
        )
        self.ledger = Ledger.open(folder / "box", "room-203", SystemClock())
        self.media = MediaStore(folder / "box" / "media")
        start = self.ledger.clock.now().at
        send_documents(self.ledger, (two_hours(start),), roster_of(2))

    def start(self) -> None:
        """Start the greeter and wait until it is ready."""
        self.greeter.start()
        wait_for("the greeter is ready", lambda: self.greeter.said("ready"))

    def bodies(self, kind: str) -> list[events.Body]:
        """Return what the events of that kind say."""
        return [
            events.decode(kind, record.body or b"{}")
            for record in self.ledger.records()
            if record.event.kind == kind
        ]

    def scans(self) -> list[ScanMade]:
        """Return the scans."""
        return [body for body in self.bodies(ScanMade.kind) if isinstance(body, ScanMade)]

    def door(self) -> dict[str, Any]:
        """Return what the greeter shows of the door."""
        file = self.folder / "run" / "door.json"
        shown: dict[str, Any] = json.loads(file.read_bytes()) if file.exists() else {}
        return shown

    def enrol(self, person_id: str, template: Vector, embedder: Embedder) -> None:
        """Put a template in place, as ``people add`` does."""
        manifest = embedder.manifest
        sealer = Sealer.of(self.folder / "box")
        templates = Templates(self.ledger.store, sealer, manifest)
        with self.ledger.writing() as writer:
            writer.append(agreed(person_id, "zh", "signed", self.ledger.clock.now().at))
            templates.put(writer, person_id, template)
            writer.append(PersonEnrolled(person_id, manifest.name, manifest.version, "photo"))

    def close(self) -> None:
        """End the greeter and close the ledger."""
        self.greeter.kill()
        self.ledger.close()


MakeBox = Callable[[str], Box]


@pytest.fixture
def make_box(tmp_path: Path) -> Iterator[MakeBox]:
    """Return a function that makes a box for a door source."""
    made: list[Box] = []

    def make(source: str) -> Box:
        made.append(Box(tmp_path, source))
        return made[-1]

    yield make
    for box in made:
        box.close()


@pytest.fixture(scope="session")
def template(portrait: Picture, photo_mesh: Mesh, embedder: Embedder) -> Vector:
    """Return the portrait's template."""
    (face,) = photo_mesh.find(portrait)
    return embedder.embed(align.crop(portrait, face.mesh))


@pytest.fixture(scope="session")
def standing(film_frames: list[Picture], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of images in which somebody stands at the door all the time."""
    folder = tmp_path_factory.mktemp("standing") / "door"
    return save_all(part(film_frames, STANDING, 20), folder)


def test_a_face_at_the_door_becomes_one_scan_with_its_photo(
    make_box: MakeBox, standing: Path, template: Vector, embedder: Embedder
) -> None:
    """The scan is committed with photo, score and network, and only then the screen greets.

    Whoever stays in view is not scanned again.
    """
    box = make_box(f"folder:{standing}")
    box.enrol("p-1", template, embedder)
    box.start()
    wait_for("a greeting", lambda: box.door().get("greeting"))
    greeting = box.door()["greeting"]
    (scan,) = box.scans()
    with box.ledger.writing() as writer:
        event = writer.find(greeting["event_id"])
    assert event is not None and event.kind == ScanMade.kind
    assert (scan.person_id, scan.way, scan.at) == ("p-1", "face", greeting["at"])
    assert scan.score > 5200 and scan.margin > 600 and scan.frames >= 3
    assert (scan.model, scan.model_version) == (
        embedder.manifest.name,
        embedder.manifest.version,
    )
    photo = box.media.path(scan.photo).read_bytes()
    assert (photo[:2], photo[-2:]) == JPEG
    preview = (box.folder / "run" / "door.jpg").read_bytes()
    assert (preview[:2], preview[-2:]) == JPEG
    with box.ledger.store.read() as connection:
        row = connection.execute("SELECT * FROM attendance").fetchone()
    assert (row["lesson_id"], row["person_id"], row["check_out"]) == (LESSON_ID, "p-1", None)
    seen = box.door()["at"]
    wait_for("five more seconds", lambda: box.door()["at"] > seen + 5_000_000)
    assert len(box.scans()) == 1
    box.greeter.stop()
    assert not box.greeter.running()
    assert box.ledger.verify().intact


def test_somebody_who_comes_again_is_scanned_again(
    make_box: MakeBox,
    film_frames: list[Picture],
    tmp_path: Path,
    template: Vector,
    embedder: Embedder,
) -> None:
    """Every coming after the cool-down is a scan of its own; those before it are none."""
    short = part(film_frames, EMPTY, 20) + part(film_frames, STANDING, 20)
    box = make_box(f"file:{write_film(short, tmp_path / 'short.mp4')}")
    box.enrol("p-1", template, embedder)
    box.start()
    wait_for("two scans", lambda: len(box.scans()) == 2, within=60)
    first, second = box.scans()
    assert second.at - first.at >= 9_900_000


def test_an_empty_doorway_makes_no_scan(
    make_box: MakeBox,
    film_frames: list[Picture],
    tmp_path: Path,
    template: Vector,
    embedder: Embedder,
) -> None:
    """Nobody there: a preview, no guidance, no scan."""
    empty = save_all(part(film_frames, EMPTY, 5), tmp_path / "empty")
    box = make_box(f"folder:{empty}")
    box.enrol("p-1", template, embedder)
    box.start()
    wait_for("a preview", lambda: box.door().get("at"))
    began = box.door()["at"]
    wait_for("two more seconds", lambda: box.door()["at"] > began + 2_000_000)
    assert box.door()["guide"] == "none"
    assert box.scans() == []


def test_a_kill_between_photo_and_event_leaves_one_scan(
    make_box: MakeBox, standing: Path, template: Vector, embedder: Embedder
) -> None:
    """The photo has its name, the event is missing: the next start stores it, once.

    The database is held locked while the greeter wants to append, which is when it is killed.
    """
    box = make_box(f"folder:{standing}")
    box.start()
    incoming = box.folder / "box" / "media" / "incoming"

    def photo_is_named() -> bool:
        drafts = [json.loads(file.read_bytes()) for file in incoming.glob("*.json")]
        return any(
            draft.get("sha256") and box.media.path(draft["sha256"]).exists() for draft in drafts
        )

    with box.ledger.store.locked():
        box.enrol("p-1", template, embedder)
        wait_for("a photo without its event", photo_is_named)
        (draft,) = incoming.glob("*.json")
        assert box.scans() == []
        assert box.door().get("greeting") is None
        box.greeter.kill()
    box.start()
    wait_for("the scan", box.scans)
    with box.ledger.writing() as writer:
        assert writer.find(draft.stem) is not None
    assert len(box.scans()) == 1
    wait_for("the intent is gone", lambda: not list(incoming.iterdir()))
    assert box.media.unknown(box.ledger) == []
    assert box.ledger.verify().intact


def test_drafts_of_a_crash_are_stored_when_whole_and_given_up_when_not(
    make_box: MakeBox, tmp_path: Path, film_frames: list[Picture]
) -> None:
    """A scan whose photo was torn was never greeted: it is given up. A whole one is kept."""
    empty = save_all(part(film_frames, EMPTY, 5), tmp_path / "empty")
    box = make_box(f"folder:{empty}")
    at = box.ledger.clock.now().at - MINUTE
    for name, content in (("p-1", b"\xff\xd8 whole \xff\xd9"), ("p-2", b"\xff\xd8 torn")):
        scan = ScanMade(name, at, "face", photo="", score=8000, frames=3)
        box.media.draft(scan, sha_field="photo").write(content)
    box.media.draft(ScanMade("p-2", at, "face", photo=""), sha_field="photo")
    box.start()
    wait_for("a preview", lambda: box.door().get("at"))
    (kept,) = box.scans()
    assert (kept.person_id, kept.at) == ("p-1", at)
    assert box.media.path(kept.photo).read_bytes() == b"\xff\xd8 whole \xff\xd9"
    assert not list((box.folder / "box" / "media" / "incoming").iterdir())
    assert box.door()["greeting"] is None


def test_a_camera_that_comes_back_is_used_again(
    make_box: MakeBox, standing: Path, tmp_path: Path, template: Vector, embedder: Embedder
) -> None:
    """Without a picture the screen says why; with one the greeter carries on by itself."""
    later = tmp_path / "later"
    box = make_box(f"folder:{later}")
    box.enrol("p-1", template, embedder)
    box.start()
    wait_for("the camera is out", lambda: box.door().get("guide") == "camera_out")
    assert "no such folder" in box.door()["why"]
    later.symlink_to(standing)
    wait_for("a scan", box.scans)
    wait_for("the picture is back", lambda: box.door()["guide"] != "camera_out")


def people_add(box: Box, person_id: str) -> subprocess.CompletedProcess[str]:
    """Run ``classbox people add … --camera`` to its end."""
    return subprocess.run(
        [CLASSBOX, "--config", box.settings, "people", "add", person_id, "--camera"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_people_are_enrolled_at_the_door(
    make_box: MakeBox, standing: Path, template: Vector, embedder: Embedder
) -> None:
    """Who stands at the door is enrolled at the operator's request, and recognised from then on.

    The same face is not enrolled a second time under another id.
    """
    box = make_box(f"folder:{standing}")
    box.start()
    assert "has not consented" in people_add(box, "p-1").stderr
    for person_id in ("p-1", "p-2"):
        box.ledger.append(agreed(person_id, "zh", "signed", box.ledger.clock.now().at))
    done = people_add(box, "p-1")
    assert done.returncode == 0, done.stderr
    (enrolled,) = box.bodies(PersonEnrolled.kind)
    assert isinstance(enrolled, PersonEnrolled)
    assert (enrolled.person_id, enrolled.source) == ("p-1", "camera")
    assert enrolled.request_id
    sealer = Sealer.of(box.folder / "box")
    known = Templates(box.ledger.store, sealer, embedder.manifest).gallery()
    assert known.people == ("p-1",)
    assert float(np.dot(known.matrix[0], template)) > 0.8
    wait_for("the enrolled person's scan", box.scans)

    refused = people_add(box, "p-2")
    assert refused.returncode == 1
    assert "enrolled as somebody else" in refused.stderr
    (answer,) = box.bodies(RequestRefused.kind)
    assert isinstance(answer, RequestRefused) and answer.reason == "somebody_else"
    with box.ledger.store.read() as connection:
        assert [person for person, _, _ in gallery.enrolled(connection)] == ["p-1"]


def test_a_box_without_a_door_camera_says_what_is_missing(tmp_path: Path) -> None:
    """The greeter does not start without [door], and says what to write."""
    settings = tmp_path / "box.toml"
    settings.write_text(
        '[box]\nid = "room-203"\nroom = "203"\ndata_dir = "box"\nruntime_dir = "run"\n', "utf-8"
    )
    with open_ledger(tmp_path / "box", SystemClock()):
        pass
    done = subprocess.run(
        [CLASSBOX, "--config", settings, "greeter"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == NotConfigured.exit_code
    assert "no camera is bound to the door" in done.stderr and "Traceback" not in done.stderr
