"""What is known of one camera's picture: the looks of its recording process, and the view kept.

Owns ``views/CAMERA.npy``, the edges of the room as they were in the last lesson (96×54, no face is
one of them). Promises that a view is learnt once and followed only while it stays alike: a camera
that was turned away is not taken for right a day later.
"""

from __future__ import annotations

import contextlib
import io
import logging
from pathlib import Path

import numpy as np

from camera.picture import (
    ALIKE,
    HEIGHT,
    UNLIKE,
    WIDTH,
    BadPicture,
    Edges,
    Look,
    View,
    covered,
    dark,
    grey_from,
    likeness,
)
from camera.supervision import Report
from edge.clock import monotonic
from edge.files import replace_file
from edge.rules.alerts import Code

log = logging.getLogger("classbox")

# A look older than this says nothing of now.
_FRESH_S = 40.0
_KEEP_EVERY_S = 600.0
# Frames a second below which people's movements cannot be followed.
_FEW_FRAMES = 5.0


def kept_view(data_dir: Path, camera: str) -> Path:
    """Return where a camera's view is kept; without the file it is learnt anew."""
    return data_dir / "views" / f"{camera}.npy"


class Sight:
    """One camera's picture. ``rate``: frames a second at the last look."""

    def __init__(self, path: Path) -> None:
        """*path*: where its view is kept."""
        self._path = path
        self._view = View()
        self._last: Look | None = None
        self._keep_at = 0.0
        self.rate = 0.0

    def hear(self, report: Report) -> None:
        """Take over what the recording process saw."""
        try:
            look = Look(grey_from(report["grey"]), int(report["mark"]), monotonic())
        except BadPicture as problem:
            log.warning("%s: %s", self._path.stem, problem)
            return
        self._view.take(look)
        self._last, self.rate = look, float(report["rate"])

    def begin(self) -> None:
        """Another session with the camera begins: what was seen before says nothing of it."""
        self._view, self._last = View(), None

    def findings(self) -> dict[Code, str | None]:
        """Return what is the matter with the picture; what is not known is left out."""
        look = self._last
        if look is None or monotonic() - look.at > _FRESH_S:
            return {}
        black, hidden = dark(look.grey), covered(look.grey)
        found: dict[Code, str | None] = {
            Code.PICTURE_BLACK: "the picture is black" if black else None,
            Code.PICTURE_COVERED: "nothing in the picture has an edge" if hidden else None,
            Code.PICTURE_FROZEN: (
                "not one pixel changed for a minute" if self._view.frozen else None
            ),
            Code.FRAME_RATE: (
                f"{self.rate:.1f} frames a second" if self.rate < _FEW_FRAMES else None
            ),
        }
        if not (black or hidden):
            found |= self._compared()
        return found

    def _compared(self) -> dict[Code, str | None]:
        now = self._view.edges()
        if now is None:
            return {}
        kept = self._kept()
        if kept is None:
            self._keep(now)
            return {Code.VIEW_CHANGED: None}
        alike = likeness(kept, now)
        if alike < UNLIKE:
            return {Code.VIEW_CHANGED: f"likeness to the last lesson's view: {alike:.2f}"}
        if alike < ALIKE:
            return {}
        if monotonic() >= self._keep_at:
            self._keep(now)
        return {Code.VIEW_CHANGED: None}

    def _kept(self) -> Edges | None:
        try:
            found = np.load(io.BytesIO(self._path.read_bytes()), allow_pickle=False)
        except (OSError, ValueError, EOFError):
            return None  # never kept, accepted anew by staff, or torn: it is learnt again
        return found.astype(np.float32) if found.shape == (HEIGHT, WIDTH) else None

    def _keep(self, view: Edges) -> None:
        self._keep_at = monotonic() + _KEEP_EVERY_S
        content = io.BytesIO()
        np.save(content, view.astype(np.float16))
        # On a full disk the view of before is good enough.
        with contextlib.suppress(OSError):
            self._path.parent.mkdir(exist_ok=True)
            replace_file(self._path, content.getvalue())
