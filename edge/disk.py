"""The disk as the services find it: what recording costs, how long the centre is away, the ballast.

Owns the ballast file and the measuring; ``edge.rules.disk`` decides. Promises that a ballast file
which cannot be made whole is not there at all.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections import defaultdict
from pathlib import Path
from zoneinfo import ZoneInfo

from edge import alerts, cameras, queries
from edge.clock import local
from edge.config import Config
from edge.ledger import Ledger
from edge.media import MediaStore
from edge.model import DAY, SECOND, Duration, Instant, Window
from edge.rules.disk import Disk, Load, Quality, plan
from edge.rules.lessons import TAUGHT, recording_window

# Bytes a second of one camera while nothing was measured: 4 Mbit/s, as cameras are shipped.
_USUAL = 500_000
# The substream of a camera: half a megabit a second, and a good deal less than the main stream.
_USUAL_SUBSTREAM = 64_000
# The share of key frames in a stream with one in two seconds, by size.
_KEY_FRAMES_PART = 8
_PARTS_MEASURED = 200
_PICTURES_MEASURED = 50
_EVENTS_MEASURED = 5000
# What an event takes of the database, with its rows and their index entries: measured 1.3 kB.
_EVENT = 1500
_BEHIND, _AHEAD = 7 * DAY, 14 * DAY


class Ballast:
    """A file of nothing, whose room is given up when the disk is full."""

    def __init__(self, data_dir: Path) -> None:
        """Touch nothing yet."""
        self._path = data_dir / "ballast"

    @property
    def held(self) -> bool:
        """Whether the file is there."""
        return self._path.exists()

    def make(self, size: int) -> bool:
        """Take *size* bytes of the disk for it; False when they are not there."""
        growing = self._path.with_suffix(".new")
        try:
            with growing.open("wb") as file:
                os.posix_fallocate(file.fileno(), 0, size)
            growing.replace(self._path)
        except OSError:
            growing.unlink(missing_ok=True)
            return False
        return True

    def release(self) -> None:
        """Give its room to whoever needs it."""
        self._path.unlink(missing_ok=True)


def measure(data_dir: Path) -> Disk:
    """Return how full the disk under *data_dir* is."""
    usage = shutil.disk_usage(data_dir)
    return Disk(usage.total, usage.free, Ballast(data_dir).held)


def load_of(connection: sqlite3.Connection, config: Config, now: Instant) -> Load:
    """Return what a day of lessons costs: the busiest one of about now, by the rates measured."""
    seconds = _busiest(connection, ZoneInfo(config.time_zone), now) // SECOND
    filming, substreams = _cameras(connection, config)
    full = moving = _rate(connection, Quality.FULL, _USUAL)
    a_day = {Quality.FULL: full}
    if substreams:
        moving = _rate(connection, Quality.SUBSTREAM, min(full // 4, _USUAL_SUBSTREAM))
        a_day[Quality.SUBSTREAM] = moving
    a_day[Quality.KEY_FRAMES] = _rate(connection, Quality.KEY_FRAMES, moving // _KEY_FRAMES_PART)
    return Load(
        {quality: rate * seconds * filming for quality, rate in a_day.items()},
        _small(connection, config.data_dir, now),
    )


def away(connection: sqlite3.Connection, config: Config, now: Instant, dated: bool) -> Duration:
    """Return how long ago the centre last signed for this box's ledger; 0 where nobody knows."""
    if config.link is None or not dated:
        return 0
    row = connection.execute("SELECT MAX(at) AS at FROM anchor").fetchone()
    return max(0, now - int(row["at"])) if row["at"] is not None else 0


def to_shed(ledger: Ledger, config: Config) -> int:
    """Return how many bytes of what may go should go now, lest recording give way."""
    clock = ledger.clock
    now = clock.now().at
    with ledger.store.read() as connection:
        said = alerts.disk_plan(connection)
        load = load_of(connection, config, now)
        gone = away(connection, config, now, clock.dated())
    before = Quality(said.quality) if said else Quality.FULL
    return plan(measure(config.data_dir), load, gone, before, recording=True).shed


def _busiest(connection: sqlite3.Connection, zone: ZoneInfo, now: Instant) -> Duration:
    """Return the longest time that is recorded on one day of the timetable around *now*."""
    days: dict[str, list[Window]] = defaultdict(list)
    for lesson in queries.lessons(connection, now - _BEHIND, now + _AHEAD):
        if lesson.state in TAUGHT:
            window = recording_window(lesson, queries.profile_of(connection, lesson))
            days[local(lesson.start, zone).date().isoformat()].append(window)
    return max((_covered(windows) for windows in days.values()), default=0)


def _covered(windows: list[Window]) -> Duration:
    total, reached = 0, 0
    for window in sorted(windows, key=lambda one: one.opens):
        total += max(0, window.closes - max(window.opens, reached))
        reached = max(reached, window.closes)
    return total


def _cameras(connection: sqlite3.Connection, config: Config) -> tuple[int, bool]:
    """Return how many cameras film the classroom, and whether one has a substream, as far as known.

    An ONVIF camera is taken to have one; where it has none its key frames are recorded.
    """
    kinds = [camera.kind == "onvif" or bool(camera.substream) for camera in config.cameras]
    for facts in cameras.stated(connection).values():
        bound = facts.get(cameras.BOUND)
        if bound and bound["role"] == "classroom":
            kinds.append(bound["protocol"] == "onvif")
    return len(kinds), any(kinds)


def _small(connection: sqlite3.Connection, data_dir: Path, now: Instant) -> int:
    """Return the bytes of pictures and records on a day of lessons, by what came last."""
    recent = connection.execute(
        "SELECT event.at / ? AS day, media.sha256 "
        "FROM (SELECT seq, at FROM event ORDER BY seq DESC LIMIT ?) AS event LEFT JOIN media "
        "ON media.seq = event.seq AND media.sort <> 'recording' "
        "WHERE event.at >= ? ORDER BY event.seq DESC",
        (DAY, _EVENTS_MEASURED, now - _BEHIND),
    ).fetchall()
    pictures = [row for row in recent if row["sha256"] is not None]
    media = MediaStore(data_dir / "media")
    sizes = [
        size
        for row in pictures[:_PICTURES_MEASURED]
        if (size := media.room_of(row["sha256"])) is not None
    ]
    if not sizes:
        return 0
    days = len({row["day"] for row in pictures})
    return (sum(sizes) // len(sizes) * len(pictures) + _EVENT * len(recent)) // days


def _rate(connection: sqlite3.Connection, quality: Quality, usual: int) -> int:
    """Return the bytes a second of one camera at *quality*, over the parts recorded last."""
    parts = {
        row["sha256"]: (row["bytes"], row["ends"] - row["starts"])
        for row in connection.execute(
            "SELECT sha256, bytes, starts, ends FROM recording WHERE quality = ? "
            "ORDER BY seq DESC LIMIT ?",
            (quality, _PARTS_MEASURED),
        )
    }
    lasted = sum(int(duration) for _, duration in parts.values())
    if lasted < SECOND:
        return usual
    return sum(int(size) for size, _ in parts.values()) * SECOND // lasted
