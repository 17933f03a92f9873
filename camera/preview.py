"""What the kiosk shows of the door: ``door.jpg`` and ``door.json`` in tmpfs. A cache, never a fact.

Owns the form of both files. ``door.json``: ``at`` (µs), ``guide``, ``face`` ([left, top, width,
height] as shares of the picture, or null), ``greeting`` (``event_id``, ``person_id``, ``at`` of a
scan that is committed, or null), ``card`` (``person_id``, empty when it is nobody's here, and
``at`` of the card that was shown last, or null) and ``why`` (the reason when the camera is out).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

import cv2
import numpy as np

from camera.faces.align import Picture
from camera.faces.decide import Box, Guide
from edge.box import BoxService
from edge.clock import monotonic
from edge.files import replace_file
from edge.model import Instant

WIDTH = 640
_SHORTEST_S = 1 / 8
_PREVIEW_QUALITY = 80


@dataclass(frozen=True, slots=True)
class Greeting:
    """The last scan that was committed."""

    event_id: str
    person_id: str
    at: Instant


def jpeg(picture: Picture, quality: int) -> bytes:
    """Return *picture* (RGB) as a JPEG of at most 640 pixels' width."""
    height, width = picture.shape[:2]
    shown = picture
    if width > WIDTH:
        size = (WIDTH, round(height * WIDTH / width))
        shown = np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)
    done, content = cv2.imencode(
        ".jpg", cv2.cvtColor(shown, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, quality]
    )
    assert done, "OpenCV encodes every 8-bit picture"
    return content.tobytes()


@dataclass(frozen=True, slots=True)
class Card:
    """The card that was shown last, and since when."""

    person_id: str
    at: Instant


class Preview:
    """Writes the two files, at most eight times a second."""

    def __init__(self, box: BoxService) -> None:
        self._box = box
        self._shown = float("-inf")

    def show(
        self,
        picture: Picture,
        at: Instant,
        guide: Guide,
        face: Box | None,
        greeting: Greeting | None,
        card: Card | None = None,
    ) -> None:
        """Show *picture* and what there is to say about it."""
        now = monotonic()
        if now - self._shown < _SHORTEST_S:
            return
        self._shown = now
        content = jpeg(picture, _PREVIEW_QUALITY)
        replace_file(self._box.config.runtime_dir / "door.jpg", content, durable=False)
        self._say(at, guide, face, greeting, card, "")

    def out(self, at: Instant, why: str) -> None:
        """Say that the camera gives no picture, and *why*."""
        self._say(at, Guide.CAMERA_OUT, None, None, None, why)

    def _say(
        self,
        at: Instant,
        guide: Guide,
        face: Box | None,
        greeting: Greeting | None,
        card: Card | None,
        why: str,
    ) -> None:
        self._box.show(
            "door.json",
            {
                "at": at,
                "guide": guide,
                "face": [round(value, 4) for value in face] if face else None,
                "greeting": asdict(greeting) if greeting else None,
                "card": asdict(card) if card else None,
                "why": why,
            },
        )
