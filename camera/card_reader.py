"""Reads a trainee's card that is held before the door camera.

Owns when a frame is searched: twice a second, reduced, for it is done beside the faces on one
core (measured: some 25 ms a look at 640 × 360, of a noisy picture beside other work).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
from pyzbar import pyzbar  # type: ignore[import-untyped]  # it has no types

from camera.faces.align import Picture
from edge.card import hash_of
from edge.model import MINUTE, SECOND, Instant

_EVERY_S = 0.5
_WIDTH = 640
# Held longer it is still the same presentation; taken away for as long, it is shown anew.
_AWAY = 5 * SECOND
# So long somebody may take over their PIN.
_REMEMBERED = MINUTE


@dataclass(frozen=True, slots=True)
class ShownCard:
    """A card that was shown. ``at``: when it was first seen; ``seen``: when last."""

    card_hash: str
    at: Instant
    seen: Instant


class CardReader:
    """What was shown to the door camera. ``shown``: the last card, None when it is forgotten."""

    def __init__(self) -> None:
        self.shown: ShownCard | None = None
        self._next = float("-inf")

    def look(self, picture: Picture, at: Instant, now: float) -> None:
        """Search *picture* (RGB) of *at* for a card; *now*: monotonic seconds."""
        if now < self._next:
            return
        self._next = now + _EVERY_S
        last = self.shown
        if (card_hash := _read(picture)) is None:
            if last is not None and at - last.seen > _REMEMBERED:
                self.shown = None
        elif last is None or last.card_hash != card_hash or at - last.seen > _AWAY:
            self.shown = ShownCard(card_hash, at, at)
        else:
            self.shown = replace(last, seen=at)


def _read(picture: Picture) -> str | None:
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    height, width = grey.shape
    if width > _WIDTH:
        size = (_WIDTH, round(height * _WIDTH / width))
        grey = cv2.resize(grey, size, interpolation=cv2.INTER_AREA)
    for found in pyzbar.decode(grey, symbols=[pyzbar.ZBarSymbol.QRCODE]):
        if (card_hash := hash_of(found.data.decode("utf-8", "replace"))) is not None:
            return card_hash
    return None
