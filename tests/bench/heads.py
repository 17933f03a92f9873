"""How well heads are counted: ``./box bench heads DIR`` on photos named ``heads-N.jpg``.

``mean error``: by how many heads the count differs from N, on average. ``largest share``: the
worst photo's difference as a share of N. ``count``: how long one photo takes on one core.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from statistics import fmean

import cv2
import numpy as np

from camera.faces import heads
from camera.faces.align import Picture
from edge.clock import monotonic
from tests.bench.figures import CannotMeasure, Figure

_NAME = re.compile(r"heads-(\d+)(?:\D.*)?\.jpe?g", re.IGNORECASE)


def figures(folder: Path | None = None) -> Iterator[Figure]:
    """Count on every photo of the folder. Raises CannotMeasure without one."""
    photos = list(_photos(folder)) if folder else []
    if not photos:
        raise CannotMeasure("name a folder with photos called heads-N.jpg: ./box bench heads DIR")
    cv2.setNumThreads(1)
    counter = heads.load()
    errors = [abs(counter.count(picture) - people) for people, picture in photos]
    shares = [100 * one / people for one, (people, _) in zip(errors, photos, strict=True)]
    yield Figure(
        name="mean error",
        ours=lambda: fmean(errors),
        reference=None,
        unit=f"heads a photo, {len(photos)} photos",
        reference_is="",
        goal="ours <= 1.5",
        rounds=1,
    )
    yield Figure(
        name="largest share",
        ours=lambda: max(shares),
        reference=None,
        unit="% of the heads in the worst photo",
        reference_is="",
        goal="ours <= 10",
        rounds=1,
    )

    def milliseconds() -> float:
        began = monotonic()
        for _, picture in photos:
            counter.count(picture)
        return (monotonic() - began) * 1000 / len(photos)

    yield Figure(
        name="count",
        ours=milliseconds,
        reference=None,
        unit="ms a photo",
        reference_is="",
        goal="ours <= 500",
        rounds=3,
    )


def _photos(folder: Path) -> Iterator[tuple[int, Picture]]:
    for file in sorted(folder.iterdir()):
        named = _NAME.fullmatch(file.name)
        picture = cv2.imread(str(file)) if named else None
        if named and picture is not None and int(named[1]):
            yield int(named[1]), np.asarray(picture, np.uint8)
