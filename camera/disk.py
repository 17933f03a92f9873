"""The recorder's hand on the disk: looks, plans, says so, and holds the ballast.

Owns the carrying out of ``edge.rules.disk`` (what may go is shed by the link, sync.retention).
Promises that the ballast gives its room before anything is written about it, and that each change
is a fact in the ledger.
"""

from __future__ import annotations

import logging
from bisect import bisect_right

from camera.health import Why
from edge import alerts, disk
from edge.config import Config
from edge.health_events import DiskPlanned
from edge.ledger import Ledger
from edge.model import GapCause, Instant
from edge.rules.alerts import Code
from edge.rules.disk import Disk, Load, Plan, Quality, marks, plan

log = logging.getLogger("classbox")

_MEASURE_EVERY = 60_000_000_000  # nanoseconds
# Days left are stated anew when they pass one of these.
_STEPS = (1, 3, 7, 14, 30)
# Warn when there is room for fewer days of lessons than this, until there is room for one more.
FEW_DAYS = 3


NO_ROOM = Why(
    GapCause.DISK_FULL,
    "The disk is full: recording stopped, so that attendance and snapshots still find room. "
    "Connect the box to the centre, or free some space.",
)
SAVES_ROOM = Why(
    GapCause.DISK_FULL,
    "The disk is filling: the camera was dialled again for its smaller stream.",
)


class Steward:
    """The disk of one box. ``quality``: what the cameras may record now."""

    def __init__(self, ledger: Ledger, config: Config) -> None:
        """Begin with what the ledger says of the disk."""
        self._ledger = ledger
        self._config = config
        self._ballast = disk.Ballast(config.data_dir)
        self._load = Load({})
        self._away = 0
        self._measure_at = 0
        with ledger.store.read() as connection:
            self._said = alerts.disk_plan(connection)
        self.quality = Quality(self._said.quality) if self._said else Quality.FULL
        self.plan: Plan | None = None
        self.disk: Disk | None = None

    def tend(self, *, recording: bool) -> None:
        """Look at the disk and act on it. *recording*: a camera's stream would be disturbed."""
        reading = self._ledger.clock.now()
        if reading.mono >= self._measure_at:
            self._measure_at = reading.mono + _MEASURE_EVERY
            self._measure(reading.at)
        now = disk.measure(self._config.data_dir)
        made = plan(now, self._load, self._away, self.quality, recording)
        if now.ballast and not made.ballast:
            self._ballast.release()
            log.warning("the disk is full: the ballast was given up for attendance and snapshots")
        elif made.ballast and not now.ballast:
            self._ballast.make(marks(now.total).ballast)
        if made.quality is not self.quality:
            log.warning("the disk: recording goes from %s to %s", self.quality, made.quality)
        self.plan, self.disk, self.quality = made, now, made.quality
        self._state(now, made)

    def warnings(self) -> dict[Code, str]:
        """Return what is the matter, each with what was seen."""
        if self.plan is None or self.disk is None:
            return {}
        free = f"{self.disk.free // 1024**2} MiB are free"
        found: dict[Code, str] = {}
        if self.quality is Quality.STOPPED or not self._ballast.held:
            found[Code.DISK_FULL] = f"{free}, kept for attendance and snapshots"
        elif self.quality is not Quality.FULL:
            found[Code.DISK_DEGRADED] = f"{free}; the cameras record {self.quality}"
        left = self.plan.days_left
        if self.quality is not Quality.STOPPED and left is not None and left < FEW_DAYS:
            found[Code.DISK_FILLING] = f"{free}, room for {left} days of lessons"
        return found

    def _measure(self, now: Instant) -> None:
        dated = self._ledger.clock.dated()
        with self._ledger.store.read() as connection:
            self._load = disk.load_of(connection, self._config, now)
            self._away = disk.away(connection, self._config, now, dated)

    def _state(self, now: Disk, made: Plan) -> None:
        held = self._ballast.held
        left = -1 if made.days_left is None else made.days_left
        said = self._said
        if said is not None and (said.quality, said.ballast) == (made.quality, held):
            fell, rose = (
                _step(left) < _step(said.days_left),
                _step(left - 1) > _step(said.days_left),
            )
            if not (fell or rose):
                return
        body = DiskPlanned(made.quality, held, now.free, now.total, left)
        self._ledger.append(body)
        self._said = body


def recorded(quality: Quality, *, small: bool) -> Quality:
    """Return what a camera records at *quality*; *small*: from its substream.

    Without a substream key frames stand in for it: that is never more than the disk was planned
    for.
    """
    return Quality.KEY_FRAMES if quality is Quality.SUBSTREAM and not small else quality


def _step(days: int) -> int:
    return bisect_right(_STEPS, days)
