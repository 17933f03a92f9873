"""Finds faces and their landmarks with MediaPipe's face mesh.

The mesh's detector sees faces from about a ninth of the picture's width: enough at a door, not for
a photo. ``search`` therefore looks at overlapping parts of a photo too.

Promises no use of the network (the model lies inside the pinned package) and faces in order of
size, largest first, each once.
"""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import numpy as np
from mediapipe.python.solutions import face_mesh  # type: ignore[import-untyped]  # has no types

from camera.faces.align import Picture, Points
from camera.faces.quiet import without_chatter

MOST_FACES = 3
_LEFT_CHEEK, _RIGHT_CHEEK, _FOREHEAD, _CHIN = 234, 454, 10, 152


@dataclass(frozen=True, eq=False)
class Face:
    """One face in a picture. ``mesh`` is (468, 3) in pixels, depth in the same unit."""

    mesh: Points

    @property
    def box(self) -> tuple[float, float, float, float]:
        """Left, top, width and height in pixels."""
        low = self.mesh[:, :2].min(axis=0)
        high = self.mesh[:, :2].max(axis=0)
        return float(low[0]), float(low[1]), float(high[0] - low[0]), float(high[1] - low[1])

    def holds(self, x: float, y: float) -> bool:
        """Tell whether that pixel lies within the box."""
        left, top, width, height = self.box
        return left <= x <= left + width and top <= y <= top + height

    @property
    def size(self) -> float:
        """The larger side of the box in pixels."""
        return max(self.box[2:])

    @property
    def yaw(self) -> float:
        """Degrees that the face is turned to its left (+) or right (−)."""
        across = self.mesh[_RIGHT_CHEEK] - self.mesh[_LEFT_CHEEK]
        return float(np.degrees(np.arctan2(across[2], across[0])))

    @property
    def pitch(self) -> float:
        """Degrees that the face looks up (+) or down (−)."""
        down = self.mesh[_CHIN] - self.mesh[_FOREHEAD]
        return float(np.degrees(np.arctan2(-down[2], down[1])))

    @property
    def roll(self) -> float:
        """Degrees that the head leans to a shoulder; 0 is upright."""
        across = self.mesh[_RIGHT_CHEEK] - self.mesh[_LEFT_CHEEK]
        return float(np.degrees(np.arctan2(across[1], across[0])))


class Mesh:
    """The face mesh. ``video``: frames follow one another; otherwise each picture stands alone."""

    def __init__(self, *, video: bool) -> None:
        self._warm = False
        with without_chatter():
            self._graph = face_mesh.FaceMesh(
                static_image_mode=not video, max_num_faces=MOST_FACES, refine_landmarks=False
            )
            # The graph starts in threads of its own: an answer proves that it is up.
            self._graph.process(np.zeros((64, 64, 3), dtype=np.uint8))

    def find(self, picture: Picture) -> list[Face]:
        """Return the faces in *picture* (height×width×3, RGB), largest first, at most three."""
        # Some of the chatter comes with the first face, so it is awaited.
        with nullcontext() if self._warm else without_chatter():
            found = self._graph.process(np.ascontiguousarray(picture)).multi_face_landmarks or []
        self._warm = self._warm or bool(found)
        height, width = picture.shape[:2]
        unit = np.array((width, height, width), dtype=np.float32)
        faces = [
            Face(np.array([(p.x, p.y, p.z) for p in face.landmark], dtype=np.float32) * unit)
            for face in found
        ]
        return _each_once(sorted(faces, key=lambda face: -face.size))

    def search(self, picture: Picture) -> list[Face]:
        """Return the faces of a photo, small ones too, largest first. Not for video."""
        height, width = picture.shape[:2]
        found: list[Face] = []
        # The smallest part shows a face best, so what it finds is preferred.
        for left, top, across, down in (*_parts(width, height), (0, 0, width, height)):
            for face in self.find(picture[top : top + down, left : left + across]):
                if not _cut_off(face, (left, top, across, down), (width, height)):
                    found.append(Face(face.mesh + np.array((left, top, 0), dtype=np.float32)))
        return sorted(_each_once(found), key=lambda face: -face.size)

    def close(self) -> None:
        """Free the graph."""
        self._graph.close()

    def __enter__(self) -> Self:
        """Use as a context manager."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close."""
        self.close()


Part = tuple[int, int, int, int]  # left, top, width, height in pixels


def _parts(width: int, height: int) -> list[Part]:
    """Return overlapping squares that cover the picture, small ones first."""
    shorter = min(width, height)
    return [
        (left, top, side, side)
        for side in (round(shorter * 0.6), shorter)
        for top in _steps(height, side)
        for left in _steps(width, side)
        if side < max(width, height)
    ]


def _steps(length: int, side: int) -> list[int]:
    """Return where squares of *side* begin, so that neighbours overlap by half or more."""
    count = 1 + -(-2 * (length - side) // side)
    return [round(number * (length - side) / max(count - 1, 1)) for number in range(count)]


def _cut_off(face: Face, part: Part, picture: tuple[int, int]) -> bool:
    """Tell whether *face* touches an edge of *part* that is no edge of the picture."""
    left, top, across, down = part
    x, y, width, height = face.box
    return (
        (left > 0 and x < 1)
        or (top > 0 and y < 1)
        or (left + across < picture[0] and x + width > across - 1)
        or (top + down < picture[1] and y + height > down - 1)
    )


def _each_once(faces: list[Face]) -> list[Face]:
    """Leave out a face whose centre lies inside an earlier one: it was found twice."""
    kept: list[Face] = []
    for face in faces:
        x, y, width, height = face.box
        if not any(other.holds(x + width / 2, y + height / 2) for other in kept):
            kept.append(face)
    return kept
