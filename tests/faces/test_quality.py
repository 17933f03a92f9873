"""Which pictures are good enough to enrol somebody by."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import pytest

from camera.faces import align, enrol, quality
from camera.faces.align import Picture
from camera.faces.embed import Embedder
from camera.faces.enrol import Collector, Refused
from camera.faces.mesh import Mesh
from camera.faces.quality import Flaw
from tests.faces.pictures import STANDING, beside


@dataclass(frozen=True)
class Measure:
    """A face as far as its size and angles matter."""

    size: float = 120.0
    yaw: float = 0.0
    pitch: float = -8.0
    roll: float = 0.0


@pytest.mark.parametrize(
    ("faces", "flaw"),
    [
        ([Measure()], None),
        ([], Flaw.NO_FACE),
        ([Measure(), Measure(size=60)], Flaw.SEVERAL_FACES),
        ([Measure(), Measure(size=30)], None),
        ([Measure(size=89)], Flaw.TOO_SMALL),
        ([Measure(size=90)], None),
        ([Measure(yaw=21)], Flaw.TURNED_AWAY),
        ([Measure(yaw=-21)], Flaw.TURNED_AWAY),
        ([Measure(pitch=11)], Flaw.TURNED_AWAY),
        ([Measure(pitch=-27)], Flaw.TURNED_AWAY),
        ([Measure(roll=21)], Flaw.TURNED_AWAY),
    ],
)
def test_size_number_and_angle_of_faces(faces: list[Measure], flaw: Flaw | None) -> None:
    """One face, large enough and turned to the camera; a small face behind does no harm."""
    assert quality.flaw_of_faces(faces) is flaw


def crop_of(portrait: Picture, mesh: Mesh) -> Picture:
    """Return the portrait's aligned crop."""
    return align.crop(portrait, mesh.find(portrait)[0].mesh)


def test_a_good_portrait_has_no_flaw(portrait: Picture, photo_mesh: Mesh) -> None:
    """The portrait passes every gate."""
    assert quality.flaw_of_faces(photo_mesh.find(portrait)) is None
    assert quality.flaw_of_crop(crop_of(portrait, photo_mesh)) is None


@pytest.mark.parametrize(
    ("light", "flaw"), [(0.25, Flaw.TOO_DARK), (1.0, None), (3.0, Flaw.TOO_BRIGHT)]
)
def test_light(portrait: Picture, photo_mesh: Mesh, light: float, flaw: Flaw | None) -> None:
    """A face in the dark and an overexposed one are refused."""
    crop = crop_of(portrait, photo_mesh).astype(np.float64) * light
    assert quality.flaw_of_crop(np.clip(crop, 0, 255).astype(np.uint8)) is flaw


def test_a_blurred_face_is_refused(portrait: Picture, photo_mesh: Mesh) -> None:
    """A face out of focus is refused."""
    blurred = cv2.GaussianBlur(crop_of(portrait, photo_mesh), (0, 0), 2.5)
    assert quality.flaw_of_crop(np.asarray(blurred, dtype=np.uint8)) is Flaw.BLURRED


def test_every_refusal_says_what_to_do_in_both_languages() -> None:
    """No reason comes without words, and an unknown one is named rather than hidden."""
    for code in (*Flaw, *Refused):
        chinese, english = enrol.words(code)
        assert any("\u4e00" <= letter <= "\u9fff" for letter in chinese)
        assert english.endswith(".")
    assert "new_reason" in enrol.words("new_reason")[1]


def test_a_template_needs_several_good_frames(
    film_frames: list[Picture], photo_mesh: Mesh, embedder: Embedder
) -> None:
    """Frames with a flaw do not count; after five good ones there is a template."""
    collector = Collector(embedder)
    collector.offer(film_frames[0], photo_mesh.find(film_frames[0]))
    assert collector.flaw is Flaw.NO_FACE
    first = round(STANDING * 10)
    for number, picture in enumerate(film_frames[first : first + 5]):
        assert collector.template() is None, number
        collector.offer(picture, photo_mesh.find(picture))
        assert collector.flaw is None
    template = collector.template()
    assert template is not None and np.isclose(np.linalg.norm(template), 1, atol=1e-5)


def test_two_people_side_by_side_are_not_enrolled(
    portrait: Picture, photo_mesh: Mesh, embedder: Embedder
) -> None:
    """Nobody is guessed at when two faces could be meant."""
    collector = Collector(embedder, wanted=1)
    both = beside(portrait, portrait)
    collector.offer(both, photo_mesh.search(both))
    assert collector.flaw is Flaw.SEVERAL_FACES
    assert collector.template() is None
