"""One picture, watermarked and counted: ``python -m camera.processing``.

A process of its own, at the lowest priority: a network of some megabytes and Pillow come and go
with it, and recording never waits for it.

    asked:    {"picture", "copy", "lines": ["…"]}        paths, and the watermark's lines
    answered: {"heads", "model", "model_version"}        the copy lies at "copy" then

Without "copy" the heads are counted and nothing is written.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from camera import watermark
from camera.faces import heads
from camera.faces.manifest import ModelError
from camera.failures import Failure, StreamFailed
from camera.oneshot import answer, ask
from edge.assets import AssetMissing

DEADLINE_S = 60.0
_POLITE = 15  # nice: everything else on the box comes first


def process(picture: Path, copy: Path, lines: list[str]) -> dict[str, Any]:
    """Write a marked copy of *picture* to *copy*; return the answer. Raises StreamFailed."""
    question = {"picture": str(picture), "copy": str(copy), "lines": lines}
    return ask("camera.processing", question, DEADLINE_S)


def heads_in(picture: Path) -> int:
    """Return how many heads *picture* shows. Raises StreamFailed."""
    return int(ask("camera.processing", {"picture": str(picture)}, DEADLINE_S)["heads"])


def _process(question: dict[str, Any]) -> dict[str, Any]:
    os.nice(_POLITE)
    cv2.setNumThreads(1)
    content = Path(question["picture"]).read_bytes()
    pixels = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
    if pixels is None:
        raise StreamFailed(Failure.UNUSABLE, "the picture cannot be decoded")
    try:
        counter = heads.load()
        count = counter.count(np.asarray(pixels, np.uint8))
        if "copy" in question:
            Path(question["copy"]).write_bytes(watermark.marked(content, question["lines"]))
    except (ModelError, AssetMissing, watermark.CannotMark) as error:
        raise StreamFailed(Failure.UNUSABLE, str(error)) from error
    about = counter.manifest
    return {"heads": count, "model": about.name, "model_version": about.version}


if __name__ == "__main__":
    answer(_process)
