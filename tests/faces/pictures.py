"""Pictures for the tests: saved, and arranged before a door."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import cv2
import numpy as np

from camera.faces.align import Picture

# Seconds of the door film in which nobody, and somebody, stands there.
EMPTY = 1.0
STANDING = 9.0


def save(picture: Picture, path: Path) -> Path:
    """Write *picture* (RGB) to *path*, in the form that its suffix says."""
    done, content = cv2.imencode(path.suffix, cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
    assert done
    path.write_bytes(content.tobytes())
    return path


def save_all(pictures: Iterable[Picture], folder: Path) -> Path:
    """Write *pictures* into *folder* so that their names are in order."""
    folder.mkdir(parents=True)
    for number, picture in enumerate(pictures):
        save(picture, folder / f"{number:04d}.jpg")
    return folder


def part(frames: list[Picture], second: float, count: int) -> list[Picture]:
    """Return *count* pictures of the door film from *second* on."""
    first = round(second * 10)
    return frames[first : first + count]


def beside(one: Picture, other: Picture) -> Picture:
    """Return both pictures side by side."""
    return np.asarray(np.hstack([one, other]), dtype=np.uint8)
