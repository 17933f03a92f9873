"""A key frame made small, for judging the camera: the recording process's part of the health.

Owns how much of a picture leaves the process: 96×54 grey pixels and a checksum, now and then. The
judging is ``camera.picture``'s, in the recorder. Costs 15 ms every ten seconds at 1080p.
"""

from __future__ import annotations

import base64
import zlib
from typing import Any

from camera.failures import StreamFailed
from camera.stream import KeyFrame, decoded

LOOK_EVERY_S = 10.0
# Cameras draw their clock and their name into the upper and the lower edge of the picture.
_DRAWN_INTO = 6  # one part of so many, above and below
WIDTH, HEIGHT = 96, 54


class Looks:
    """Makes reports of a stream's key frames. ``now`` is monotonic, in seconds."""

    def __init__(self) -> None:
        self._since: float | None = None
        self._frames = 0
        self._mark = 0
        self._repeats = False

    def count(self) -> None:
        """One more frame of the video arrived."""
        self._frames += 1

    def due(self, now: float) -> bool:
        """Tell whether the key frame at hand should be looked at.

        After two equal pictures each one is: a film that runs in a loop would deceive who looks
        only now and then.
        """
        if self._since is None:
            self._since, self._frames = now, 0
            return False
        return self._repeats or now - self._since >= LOOK_EVERY_S

    def report(self, key_frame: KeyFrame, now: float) -> dict[str, Any] | None:
        """Return the report of *key_frame*; None where it cannot be decoded."""
        assert self._since is not None
        try:
            frame = decoded(key_frame)
        except StreamFailed:
            return None
        small = frame.reformat(width=WIDTH, height=HEIGHT, format="gray", interpolation="AREA")
        plane = small.planes[0]
        lines = memoryview(plane)
        grey = b"".join(
            bytes(lines[row * plane.line_size : row * plane.line_size + WIDTH])
            for row in range(HEIGHT)
        )
        mark = _mark(frame)
        self._repeats, self._mark = mark == self._mark, mark
        lasted = now - self._since
        rate = self._frames / lasted if lasted > 0 else 0.0
        self._since, self._frames = now, 0
        text = base64.b64encode(grey).decode("ascii")
        return {"say": "look", "grey": text, "mark": mark, "rate": round(rate, 2)}


def _mark(frame: Any) -> int:
    """Return a checksum of the luma between the edges that cameras draw into."""
    plane = frame.planes[0]
    edge = frame.height // _DRAWN_INTO
    lines = memoryview(plane)
    return zlib.crc32(lines[edge * plane.line_size : (frame.height - edge) * plane.line_size])
