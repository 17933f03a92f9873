"""Which cameras keep a picture of this moment for somebody at the centre who looks.

Owns the recorder's half of live view: the ledger says who looks (``edge.live_views``), the
recording processes make the pictures, the link sends them. Promises that nothing is shown without
that fact, nor longer than it allows, and that no picture is left lying about.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from pathlib import Path

from camera.keeper import Keeper
from edge import glimpses, live_views
from edge.clock import monotonic
from edge.config import Config
from edge.rules.live import LONGEST

# Of a line with a limited rate one picture takes no more than this part of a second.
_PART_OF_A_SECOND = 2


class Showing:
    """See ``tend``; ``learn`` what the ledger says now."""

    def __init__(self, config: Config) -> None:
        """Clear away what an earlier run left."""
        self._folder: Path = config.runtime_dir
        rate = config.link.media_rate if config.link is not None else 0
        self._most = glimpses.MOST_BYTES
        if rate:
            self._most = max(glimpses.LEAST_BYTES, min(self._most, rate // _PART_OF_A_SECOND))
        # View → the monotonic time at which it ends at the latest. The link ends it before; this
        # holds where the link is dead, and whatever the wall clock does.
        self._ends: dict[str, tuple[str, float]] = {}
        for left in self._folder.glob("live-*.frame"):
            left.unlink(missing_ok=True)

    def learn(self, connection: sqlite3.Connection) -> None:
        """Take note of who looks."""
        now = monotonic()
        self._ends = {
            view.id: self._ends.get(view.id, (view.camera, now + LONGEST / 1_000_000))
            for view in live_views.running(connection)
        }

    def tend(self, keepers: Sequence[Keeper]) -> None:
        """Have the cameras shown that somebody looks through, and no others."""
        now = monotonic()
        shown = {camera for camera, ends in self._ends.values() if now < ends}
        for keeper in keepers:
            path = glimpses.path_of(self._folder, keeper.camera.id)
            wanted = keeper.camera.id in shown
            if keeper.child is not None:
                keeper.child.show(path if wanted else None, self._most)
            if not wanted:
                path.unlink(missing_ok=True)
