"""What a camera's picture shows of the camera: dark, covered, frozen, turned away. Pure.

Works on small grey pictures (``Look``) that the recording process makes of a key frame now and
then. Promises to judge the camera and nothing in front of it: what is compared between lessons is
the edges of the room, at a size at which no face is one.
"""

from __future__ import annotations

import base64
import binascii
from collections import deque
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

WIDTH, HEIGHT = 96, 54
# Mean luma (0-255) of a picture with the light off or the cap on; video black is 16.
_DARK = 32.0
# Standard deviation of the luma of a picture in which nothing can be told apart.
_EVEN = 6.0
# Something close before the lens: hardly any edge. Mean step from pixel to pixel, as a part of the
# standard deviation: 0.3 and more in sharp pictures of rooms, 0.1 behind a cloth.
_SMOOTH = 0.15
# Likeness of the edges of two views, of 1. Measured on photos of groups of people: at least 0.56 in
# other light, with other people before it and a nudge; at most 0.28 turned by 15° or a fifth of the
# picture.
ALIKE, UNLIKE = 0.45, 0.30
# Shifts in pixels of the small picture that are a nudge of the camera, not another view.
_NUDGE = 3
# Looks of which the middle one is taken, pixel by pixel, so that people who move do not count.
MEDIAN_OF = 7
# Seconds in which not one pixel changed.
FROZEN_AFTER_S = 60.0
_FROZEN_LOOKS = 6

Grey = NDArray[np.uint8]
Edges = NDArray[np.float32]


class BadPicture(ValueError):
    """What should be a small grey picture is none."""


@dataclass(frozen=True, slots=True)
class Look:
    """One key frame, small. ``at``: in seconds, monotonic.

    ``mark``: a checksum of its full-size middle, without the clock that a camera draws at the
    edges. Two pictures of a live sensor never have the same.
    """

    grey: Grey
    mark: int
    at: float


def grey_from(text: str) -> Grey:
    """Return the small picture that the recording process sent. Raises BadPicture."""
    try:
        content = base64.b64decode(text, validate=True)
        return np.frombuffer(content, np.uint8).reshape(HEIGHT, WIDTH)
    except (binascii.Error, ValueError) as error:
        raise BadPicture(f"not a grey picture of {WIDTH}×{HEIGHT}: {error}") from None


def dark(grey: Grey) -> bool:
    """Tell whether the picture is black: light off, cap on, or a sensor that sends nothing."""
    return float(grey.mean()) < _DARK and float(np.percentile(grey, 99)) < 2 * _DARK


def covered(grey: Grey) -> bool:
    """Tell whether something is close before the lens: it is light, but nothing has an edge."""
    if dark(grey):
        return False
    down, across = np.gradient(grey.astype(np.float32))
    spread = float(grey.std())
    return spread < _EVEN or float(np.hypot(down, across).mean()) < _SMOOTH * spread


def edges(grey: Grey) -> Edges:
    """Return the edges of a picture, evened out: lamps and daylight do not change them much."""
    soft = _mean_of(grey.astype(np.float32), 1)
    down, across = np.gradient(soft)
    strength = np.hypot(down, across)
    even = strength / (_mean_of(strength, 5) + 1.5)
    evened: Edges = np.minimum(even, 3.0).astype(np.float32)
    return evened


def likeness(one: Edges, other: Edges) -> float:
    """Return how much two views have their edges in the same places: about 0 for none, 1 for all.

    The best of a few small shifts counts: cleaning the lens moves a camera a little.
    """
    margin = _NUDGE
    inner = one[margin:-margin, margin:-margin]
    best = -1.0
    for down in range(2 * margin + 1):
        for across in range(2 * margin + 1):
            moved = other[down : down + inner.shape[0], across : across + inner.shape[1]]
            best = max(best, _correlation(inner, moved))
    return best


class View:
    """The looks of one camera in one lesson, as far as the view and its liveliness go."""

    def __init__(self) -> None:
        self._looks: deque[Look] = deque(maxlen=MEDIAN_OF)
        self._same: list[Look] = []

    def take(self, look: Look) -> None:
        """Take note of *look*."""
        if self._same and self._same[0].mark != look.mark:
            self._same.clear()
        self._same.append(look)
        del self._same[1:-_FROZEN_LOOKS]
        if not dark(look.grey) and not covered(look.grey):
            self._looks.append(look)

    @property
    def frozen(self) -> bool:
        """Whether nothing at all moved for a minute: the camera repeats one picture."""
        lasted = self._same[-1].at - self._same[0].at if self._same else 0.0
        return len(self._same) > _FROZEN_LOOKS and lasted >= FROZEN_AFTER_S

    @property
    def repeats(self) -> bool:
        """Whether the last two looks were the same picture: the next key frame is worth a look."""
        return len(self._same) > 1

    def edges(self) -> Edges | None:
        """Return the edges of the room, None while too few looks show it."""
        if len(self._looks) < MEDIAN_OF:
            return None
        middle = np.median(np.stack([look.grey for look in self._looks]), axis=0)
        return edges(middle.astype(np.uint8))


def _mean_of(values: NDArray[np.float32], reach: int) -> NDArray[np.float32]:
    """Return the mean of each pixel and those up to *reach* around it."""
    size = 2 * reach + 1
    padded = np.pad(values, reach, mode="edge")
    sums = np.pad(padded.cumsum(0).cumsum(1), ((1, 0), (1, 0)))
    total = sums[size:, size:] - sums[:-size, size:] - sums[size:, :-size] + sums[:-size, :-size]
    mean: Edges = (total / size**2).astype(np.float32)
    return mean


def _correlation(one: Edges, other: Edges) -> float:
    first, second = one - one.mean(), other - other.mean()
    scale = float(np.sqrt((first**2).sum() * (second**2).sum()))
    return float((first * second).sum()) / scale if scale > 0 else 0.0
