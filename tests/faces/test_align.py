"""The crop that the network sees: five points, least-squares similarity, 112 by 112."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from camera.faces import align
from camera.faces.align import TARGET, Picture, Points
from camera.faces.mesh import Mesh

ANGLES = st.floats(-3.0, 3.0)
SCALES = st.floats(0.1, 8.0)
SHIFTS = st.floats(-500.0, 500.0)


def moved(points: Points, angle: float, scale: float, x: float, y: float) -> Points:
    """Return *points* turned, scaled and shifted."""
    cosine, sine = scale * np.cos(angle), scale * np.sin(angle)
    turned = points.astype(np.float64) @ np.array([[cosine, sine], [-sine, cosine]])
    return np.asarray(turned + np.array([x, y]), dtype=np.float32)


def applied(matrix: Points, points: Points) -> Points:
    """Return *points* mapped by a 2×3 *matrix*."""
    return np.asarray(points @ matrix[:, :2].T + matrix[:, 2], dtype=np.float32)


@given(ANGLES, SCALES, SHIFTS, SHIFTS)
def test_any_turned_scaled_face_lands_on_the_same_five_points(
    angle: float, scale: float, x: float, y: float
) -> None:
    """A face that is turned, scaled and shifted is brought back exactly."""
    matrix = align.similarity(moved(TARGET, angle, scale, x, y), TARGET)
    found = applied(matrix, moved(TARGET, angle, scale, x, y))
    assert np.allclose(found, TARGET, atol=0.05)


def test_a_mirrored_face_is_not_mirrored_back() -> None:
    """The map never reflects, for a reflected face is another face."""
    mirrored = TARGET * np.array([-1, 1], dtype=np.float32)
    matrix = align.similarity(mirrored, TARGET)
    assert np.linalg.det(matrix[:, :2]) > 0


def test_the_five_points_are_those_of_the_recipe() -> None:
    """Eye centres are means of four mesh points; nose tip and mouth corners are single ones."""
    mesh = np.arange(468 * 3, dtype=np.float32).reshape(468, 3)
    found = align.five_points(mesh)
    assert found.shape == (5, 2)
    assert np.allclose(found[0], mesh[[33, 133, 159, 145], :2].mean(axis=0))
    assert np.allclose(found[1], mesh[[362, 263, 386, 374], :2].mean(axis=0))
    assert np.allclose(found[2:], mesh[[1, 61, 291], :2])


def test_the_crop_of_a_portrait_is_a_square_with_its_eyes_in_place(
    portrait: Picture, photo_mesh: Mesh
) -> None:
    """Found again in its own crop (enlarged), the eyes lie where the network expects them."""
    (face,) = photo_mesh.find(portrait)
    crop = align.crop(portrait, face.mesh)
    assert crop.shape == (112, 112, 3) and crop.dtype == np.uint8
    large = np.asarray(np.kron(crop, np.ones((4, 4, 1))), dtype=np.uint8)
    (again,) = photo_mesh.find(np.pad(large, ((150, 150), (150, 150), (0, 0)), mode="edge"))
    eyes = (align.five_points(again.mesh)[:2] - 150) / 4
    assert np.abs(eyes - TARGET[:2]).max() < 4
