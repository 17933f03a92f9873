"""How many heads a picture of a classroom shows.

Owns the counting: the picture in overlapping tiles, a face detector on each, one head for boxes
that overlap. Promises a number and nothing else: no face is cut out, kept, described or compared.
What the detector is stands in a manifest (``counters/fr_detect.toml``).
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import resources

import cv2
import numpy as np

from camera.faces.align import Picture
from camera.faces.manifest import ModelError, checked
from edge import assets

DEFAULT = "fr_detect"
# x, y, width, height, in pixels of the picture.
Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Manifest:
    """One detector, and how it is put to a picture. Sizes in pixels.

    ``rows``, ``columns``: of tiles, at least; of about ``side`` pixels where there are more.
    ``overlap``: as a share of a tile's side.
    """

    name: str
    version: str
    file: str
    sha256: str
    width: int
    height: int
    mean: float
    scale: float
    rows: int
    columns: int
    side: int
    overlap: float
    score: float
    same_head: float


def load_manifest(name: str = DEFAULT) -> Manifest:
    """Return a manifest that is shipped with the product. Raises ModelError naming the key."""
    text = (resources.files("camera.faces") / "counters" / f"{name}.toml").read_text("utf-8")
    values = tomllib.loads(text)
    try:
        top = {key: values[key] for key in ("name", "version", "file", "sha256")}
        given = {key: values["input"][key] for key in ("width", "height", "mean", "scale")}
        tiles = {key: values["tiles"][key] for key in ("rows", "columns", "side", "overlap")}
        limits = {key: values["thresholds"][key] for key in ("score", "same_head")}
    except KeyError as error:
        raise ModelError(f"counters/{name}.toml: {error.args[0]} is missing") from error
    return Manifest(**top, **given, **tiles, **limits)


class Counter:
    """The detector, loaded. Takes about 20 ms a tile on one core: 0.4 s for 1080p."""

    def __init__(self, manifest: Manifest, content: bytes) -> None:
        """Load the network. Raises ModelError."""
        self.manifest = manifest
        try:
            self._net = cv2.dnn.readNetFromONNX(np.frombuffer(content, dtype=np.uint8))
        except cv2.error as error:
            raise ModelError(f"OpenCV cannot load the detector {manifest.file}") from error

    def count(self, picture: Picture) -> int:
        """Return how many heads *picture* (height x width x 3, B G R, 8 bits) shows."""
        return len(self.heads(picture))

    def heads(self, picture: Picture) -> list[Box]:
        """Return where the heads are."""
        boxes: list[Box] = []
        scores: list[float] = []
        for left, top, tile in tiles(picture, self.manifest):
            for score, (x, y, width, height) in self._detect(tile):
                boxes.append((left + x, top + y, width, height))
                scores.append(score)
        return [boxes[index] for index in self._one_each(boxes, scores)]

    def _detect(self, tile: Picture) -> Iterator[tuple[float, Box]]:
        about = self.manifest
        small = cv2.resize(tile, (about.width, about.height)).astype(np.float32)
        plane = (small - about.mean) / about.scale
        self._net.setInput(np.ascontiguousarray(plane.transpose(2, 0, 1)[None]))
        try:
            scores, corners = self._net.forward(("scores", "boxes"))
        except cv2.error as error:
            raise ModelError(
                f"The detector {about.file} does not give what its manifest says"
            ) from error
        height, width = tile.shape[:2]
        sure = scores[0, :, 1] >= about.score
        for score, (left, top, right, bottom) in zip(
            scores[0, sure, 1], corners[0, sure] * (width, height, width, height), strict=True
        ):
            yield float(score), (float(left), float(top), float(right - left), float(bottom - top))

    def _one_each(self, boxes: list[Box], scores: list[float]) -> list[int]:
        """Return the indices of the boxes that stand for one head each, the surest first.

        Measured against the smaller box, not the union: a face that a seam cuts leaves a small
        box within the whole one of the next tile.
        """
        kept: list[int] = []
        for index in sorted(range(len(boxes)), key=lambda one: -scores[one]):
            if all(_shared(boxes[index], boxes[one]) <= self.manifest.same_head for one in kept):
                kept.append(index)
        return kept


def _shared(one: Box, other: Box) -> float:
    """Return how much of the smaller box both cover, 0 to 1."""
    width = min(one[0] + one[2], other[0] + other[2]) - max(one[0], other[0])
    height = min(one[1] + one[3], other[1] + other[3]) - max(one[1], other[1])
    if width <= 0 or height <= 0:
        return 0.0
    return width * height / max(1.0, min(one[2] * one[3], other[2] * other[3]))


def tiles(picture: Picture, about: Manifest) -> Iterator[tuple[int, int, Picture]]:
    """Yield left edge, top edge and content of each tile; together they cover the picture."""
    height, width = picture.shape[:2]
    rows = _count(height, about.rows, about)
    columns = _count(width, about.columns, about)
    tall, wide = _side(height, rows, about.overlap), _side(width, columns, about.overlap)
    for row in range(rows):
        top = _edge(row, rows, height, tall)
        for column in range(columns):
            left = _edge(column, columns, width, wide)
            yield left, top, picture[top : top + tall, left : left + wide]


def _count(length: int, least: int, about: Manifest) -> int:
    return max(least, round((length / about.side - about.overlap) / (1 - about.overlap)))


def _side(length: int, count: int, overlap: float) -> int:
    return min(length, int(np.ceil(length / (count - (count - 1) * overlap))))


def _edge(index: int, count: int, length: int, side: int) -> int:
    return round(index * (length - side) / (count - 1)) if count > 1 else 0


def load(name: str = DEFAULT) -> Counter:
    """Return the counter that the product ships as *name*. Raises ModelError, AssetMissing."""
    about = load_manifest(name)
    path = assets.path(f"models/{about.file}")
    return Counter(about, checked(path, about.sha256, f"{about.name} {about.version}"))
