"""How a disk is shared out: what recording may still cost, and what must go first. Pure.

Owns the order in which things give way on a disk that fills, and when. Promises that video gives
way and attendance and snapshots never do: video that may go is shed first (edge.rules.retention),
then cameras record their substream, then key frames only, then nothing; and a ballast file gives
its room to the ledger and the snapshots when something else filled the disk.

The measure is time, not per cent: a box must stand fourteen days without its centre. Each quality
is kept until the room left would just carry the next lower one through the days that remain, so
that it falls as late as possible and the last day still has video.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from edge.model import DAY, Duration

HORIZON: Duration = 14 * DAY
# However long the centre has been away, it may stay away some more. Rates vary, lessons run over:
# half a day is held back.
_LEAST: Duration = 3 * DAY
_RESERVE: Duration = DAY // 2
_MIB = 1024**2


class Quality(StrEnum):
    """What the cameras record, from all of it to nothing."""

    FULL = "full"
    SUBSTREAM = "substream"
    KEY_FRAMES = "key_frames"
    STOPPED = "stopped"


ORDER = tuple(Quality)


@dataclass(frozen=True, slots=True)
class Marks:
    """Bytes of one disk; those of a gigabyte or more have the same marks whatever their size.

    ``floor``: below it nothing is recorded, what is left is for attendance and snapshots.
    ``ballast``: the size of the file that is given up when less than ``low`` is free.
    """

    floor: int
    ballast: int
    low: int


def marks(total: int) -> Marks:
    """Return the marks of a disk of *total* bytes."""
    floor = min(128 * _MIB, total // 8)
    return Marks(floor, floor // 2, floor // 4)


@dataclass(frozen=True, slots=True)
class Disk:
    """The disk at one moment, in bytes. ``free``: what a service may still write."""

    total: int
    free: int
    ballast: bool


@dataclass(frozen=True, slots=True)
class Load:
    """What a day of lessons costs, in bytes: recording, at each quality that the cameras have.

    ``small``: attendance and snapshots of that day, which are kept whatever happens to the video.
    """

    a_day: Mapping[Quality, int]
    small: int = 0

    def next_below(self, quality: Quality) -> Quality:
        """Return what *quality* falls to: the next one that the cameras have."""
        return next(
            lower
            for lower in ORDER[ORDER.index(quality) + 1 :]
            if lower in self.a_day or lower is Quality.STOPPED
        )

    def of(self, quality: Quality) -> int:
        """Return the bytes of a day at *quality*."""
        return self.a_day.get(quality, 0)


@dataclass(frozen=True, slots=True)
class Plan:
    """What follows. ``shed``: how many bytes of what may go should go now.

    ``days_left``: for how many more days of lessons there is room at ``quality``; None when nothing
    is recorded.
    """

    quality: Quality
    shed: int
    ballast: bool
    days_left: int | None


def plan(disk: Disk, load: Load, away: Duration, before: Quality, recording: bool) -> Plan:
    """Return how *disk* is to be used, the centre having been *away* that long.

    *before*: the quality so far, which improves only with room to spare, and not in the middle of
    a recording: a stream that changes leaves a gap, and one that changes back another.
    """
    own = marks(disk.total)
    room = max(0, disk.free - own.floor)
    need = _needs(load, away, max(0, disk.total - own.floor))
    quality = _best(need, load, room, spare=0)
    if ORDER.index(quality) < ORDER.index(before):
        # What stopped starts again at once, for there is no stream to disturb.
        waits = recording and before is not Quality.STOPPED
        eased = _best(need, load, max(0, room - own.low), spare=15)
        quality = before if waits else min(before, eased, key=ORDER.index)
    wanted = own.floor + _with(need[Quality.FULL], 25) + own.floor
    rate = load.of(quality) + load.small if load.of(quality) else 0
    return Plan(
        quality=quality,
        shed=max(0, min(wanted, disk.total) - disk.free),
        ballast=_ballast(disk, own),
        days_left=room // rate if rate else None,
    )


def _needs(load: Load, away: Duration, whole: int) -> dict[Quality, int]:
    """Return the room that each quality needs lest its turn be over: the next one's rest of days.

    Attendance and snapshots of those days come with it. For the last quality it is only those of
    the days after this one. Of a small card at most half (of *whole*) is kept for days to come at
    the cost of full quality, or it would never have that, though its centre were always there.
    """
    to_go = max(_LEAST, HORIZON - away)
    need: dict[Quality, int] = {}
    for quality in ORDER[:-1]:
        lower = load.next_below(quality)
        rest = max(0, HORIZON - away - DAY) if lower is Quality.STOPPED else to_go
        need[quality] = max(1, (load.of(lower) + load.small) * (rest + _RESERVE) // DAY)
    least = max(need[quality] for quality in ORDER[1:-1])
    need[Quality.FULL] = max(min(need[Quality.FULL], whole // 2), min(need[Quality.FULL], least))
    return need


def _best(need: Mapping[Quality, int], load: Load, room: int, spare: int) -> Quality:
    for quality, least in need.items():
        known = quality is Quality.FULL or quality in load.a_day
        if known and room >= _with(least, spare):
            return quality
    return Quality.STOPPED


def _with(size: int, per_cent: int) -> int:
    return size + size * per_cent // 100


def _ballast(disk: Disk, own: Marks) -> bool:
    """Tell whether the ballast file should be there: given up at need, made again with room."""
    if disk.ballast:
        return disk.free >= own.low
    return disk.free >= own.floor + own.ballast
