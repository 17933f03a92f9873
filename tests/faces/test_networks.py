"""The face mesh and the embedder: what they find, and what they refuse to load."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from importlib import resources
from pathlib import Path

import cv2
import numpy as np
import pytest

from camera.faces import align, embed, manifest
from camera.faces.align import Picture
from camera.faces.compare import likeness, mean
from camera.faces.embed import Embedder
from camera.faces.manifest import ModelError
from camera.faces.mesh import Mesh
from edge import assets
from tests.faces.pictures import STANDING, beside


def test_the_mesh_finds_the_face_of_a_portrait(portrait: Picture, photo_mesh: Mesh) -> None:
    """One face, upright, looking at the camera."""
    (face,) = photo_mesh.find(portrait)
    assert face.mesh.shape == (468, 3)
    assert abs(face.yaw) < 10 and abs(face.roll) < 10
    left, top, width, height = face.box
    assert 150 < left < left + width < 300 and 50 < top < top + height < 200


def test_the_mesh_finds_nobody_in_an_empty_doorway(
    film_frames: list[Picture], photo_mesh: Mesh
) -> None:
    """An empty corridor holds no face."""
    assert photo_mesh.find(film_frames[0]) == []


def test_a_photo_is_searched_for_small_faces_too(portrait: Picture, photo_mesh: Mesh) -> None:
    """Of two faces in a wide photo both are found, each once, and the larger one comes first."""
    small = np.asarray(cv2.resize(portrait, (300, 300)), dtype=np.uint8)
    padded = np.pad(small, ((106, 106), (0, 0), (0, 0)), mode="edge")
    first, second = photo_mesh.search(beside(padded, portrait))
    assert first.size > second.size
    assert first.box[0] > 300 > second.box[0]


def test_starting_the_mesh_says_nothing_on_standard_error(portrait_path: Path) -> None:
    """The library's chatter is kept out of the log, and what others write is not."""
    script = (
        "import os, sys\n"
        "from pathlib import Path\n"
        "from camera.door import read_picture\n"
        "from camera.faces.mesh import Mesh\n"
        "from camera.faces.quiet import without_chatter\n"
        "with without_chatter():\n"
        "    os.write(2, b'something else\\n')\n"
        "for video in (True, False):\n"
        "    with Mesh(video=video) as mesh:\n"
        "        assert len(mesh.find(read_picture(Path(sys.argv[1])))) == 1\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(portrait_path)],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stderr == "something else\n"


def test_a_face_resembles_itself_in_the_film(
    portrait: Picture, film_frames: list[Picture], photo_mesh: Mesh, embedder: Embedder
) -> None:
    """The portrait and a frame of the person at the door are far above the threshold."""
    vectors = []
    for picture in (portrait, film_frames[round(STANDING * 10)]):
        (face,) = photo_mesh.find(picture)
        vectors.append(embedder.embed(align.crop(picture, face.mesh)))
    one, other = vectors
    assert one.shape == (704,) and np.isclose(np.linalg.norm(one), 1, atol=1e-5)
    assert float(one @ other) > 0.8


def test_the_embedding_does_not_depend_on_which_side_is_which(
    portrait: Picture, photo_mesh: Mesh, embedder: Embedder
) -> None:
    """Averaged with its mirror image, a crop and its mirror image embed alike."""
    (face,) = photo_mesh.find(portrait)
    crop = align.crop(portrait, face.mesh)
    mirrored = np.ascontiguousarray(crop[:, ::-1])
    assert np.allclose(embedder.embed(crop), embedder.embed(mirrored), atol=1e-4)


def test_the_views_of_several_frames_make_the_whole_embedding(
    portrait: Picture, photo_mesh: Mesh, embedder: Embedder
) -> None:
    """What the views say one after another adds up to what they say at once."""
    (face,) = photo_mesh.find(portrait)
    crop = align.crop(portrait, face.mesh)
    glances = [embedder.glance(crop, turn) for turn in range(embedder.views)]
    assert all((glance == 0).any() for glance in glances)
    assert np.allclose(mean(glances), embedder.embed(crop), atol=1e-4)
    assert np.allclose(embedder.glance(crop, embedder.views), glances[0], atol=1e-4)


def test_the_parts_of_a_glance_are_compared_with_what_was_seen_of_them(
    portrait: Picture, photo_mesh: Mesh, embedder: Embedder
) -> None:
    """A glance resembles earlier ones of the same network; of another network it says nothing."""
    (face,) = photo_mesh.find(portrait)
    crop = align.crop(portrait, face.mesh)
    first, other, mirrored = (embedder.glance(crop, turn) for turn in range(3))
    assert likeness([first], other) is None
    alike = likeness([first, other], mirrored)
    assert alike is not None and alike > 0.8


@pytest.mark.parametrize("name", manifest.shipped())
def test_every_shipped_manifest_loads(name: str, portrait: Picture, photo_mesh: Mesh) -> None:
    """Each manifest of the product names networks that are installed and say what it says."""
    (face,) = photo_mesh.find(portrait)
    one = embed.load(name).embed(align.crop(portrait, face.mesh))
    assert one.shape == (manifest.load(name).dimension,)
    assert np.isclose(np.linalg.norm(one), 1, atol=1e-5)


def test_an_unknown_manifest_is_refused() -> None:
    """A name that is not shipped is answered with the names that are."""
    with pytest.raises(ModelError, match="There are: fr_feature, fr_mobile"):
        manifest.load("nobody")


def test_another_file_in_place_of_the_network_is_refused(tmp_path: Path) -> None:
    """A network whose hash differs is not loaded, and the message says what to do."""
    network = manifest.load().networks[0]
    content = bytearray(assets.path(f"models/{network.file}").read_bytes())
    content[1000] ^= 1
    changed = tmp_path / network.file
    changed.write_bytes(content)
    with pytest.raises(ModelError, match=r"SHA-256.*Delete the file and run \./box again"):
        network.read(changed)


def test_a_missing_network_is_refused(tmp_path: Path) -> None:
    """Without the file the message says how to get it."""
    with pytest.raises(ModelError, match=r"cannot be read.*Run \./box again"):
        manifest.load().networks[0].read(tmp_path / "nothing.onnx")


def test_a_file_that_is_no_network_is_refused() -> None:
    """Bytes that are no network end as a clear error, even when their hash fits."""
    for network in manifest.load().networks:
        alone = replace(manifest.load(), networks=(network,))
        with pytest.raises(ModelError, match=f"cannot load the face network {network.file}"):
            Embedder(alone, [b"not a network"])


def test_a_manifest_with_the_wrong_dimension_is_found_out(
    portrait: Picture, photo_mesh: Mesh
) -> None:
    """A network that gives another number of values than its manifest says is refused."""
    shipped = manifest.load("fr_feature")
    (network,) = shipped.networks
    content = network.read(assets.path(f"models/{network.file}"))
    (face,) = photo_mesh.find(portrait)
    wrong = Embedder(replace(shipped, networks=(replace(network, dimension=128),)), [content])
    with pytest.raises(ModelError, match="512 values instead of 128"):
        wrong.embed(align.crop(portrait, face.mesh))


@pytest.mark.parametrize(
    ("was", "wrong", "says"),
    [
        ("accept = 0.52", "accept = 0.60", "same_face <= accept"),
        ("margin = 0.06", "margin = 2", "margin"),
        ("same_face = 0.40", "", "same_face is missing"),
        ("weight = 1.0", "weight = 0.5", "do not add up to 1"),
        ("weight = 1.0", "weight = 0", "fr_feature.onnx: weight must be"),
        ('mirror = "apart"', 'mirror = "twice"', "'twice' is not a valid Mirror"),
        ("size = 112", "size =", "Invalid value"),
    ],
)
def test_an_implausible_manifest_is_refused(was: str, wrong: str, says: str) -> None:
    """A manifest that contradicts itself, or lacks something, is refused with what is wrong."""
    text = (resources.files("camera.faces") / "fr_feature.toml").read_text("utf-8")
    assert was in text
    with pytest.raises(ModelError, match=says):
        manifest.parse(text.replace(was, wrong))
