"""When things happened, as far as it can be known: corrected times and honest intervals. Pure.

A reading of the clocks is never changed. What it means follows from the *truths* of its boot: at
some moment of the monotonic clock the true time was known, give or take an error. Away from it the
monotonic clock may run too fast or too slow by DRIFT_PPM. A boot that never met a source lies
between its neighbours in the order of the ledger. Box and centre reckon with this one module, so
that what they know alike they say alike (rules decision 15, architecture invariant 7).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from edge.model import SECOND, ClockQuality, Duration, Instant, Reading, Segment

# No ledger of this form is older: 2026-11-01T00:00Z.
FIRST_RELEASE: Instant = 1_793_491_200_000_000
# What an uncorrected crystal may be off; those of small boards are within 50.
DRIFT_PPM = 100
# What a reading that calls itself synchronised may be off, when others are measured by it.
SYNCHRONISED: Duration = SECOND
# Who knows the time this well learns nothing more that anybody could use.
FINE: Duration = SECOND // 2


@dataclass(frozen=True, slots=True)
class Truth:
    """At ``mono`` (nanoseconds since boot) true time was the monotonic clock plus ``offset``.

    Offset and error in microseconds; the error bounds it on either side.
    """

    mono: int
    offset: Duration
    error: Duration

    @classmethod
    def of(cls, reading: Reading) -> Truth:
        """Return what a reading that is synchronised says of its boot."""
        return cls(reading.mono, reading.at - reading.mono // 1000, SYNCHRONISED)


@dataclass(frozen=True, slots=True)
class Boot:
    """One boot in a ledger. ``span``: the monotonic clock at its last event, nanoseconds.

    ``received``: the smallest difference, in microseconds, between a time at which the centre
    already held an event of it and that event's monotonic clock; None where nobody knows.
    """

    boot: str
    span: int
    truths: tuple[Truth, ...] = ()
    received: Duration | None = None


@dataclass(frozen=True, slots=True)
class Moment:
    """When something happened: the best guess, and between what it surely lies.

    ``latest`` is None while nothing bounds it. ``known``: a truth of the boot stands behind it.
    """

    at: Instant
    earliest: Instant
    latest: Instant | None
    known: bool

    @property
    def error(self) -> Duration:
        """How far the truth may be from ``at`` on either side, as far as ``latest`` is known."""
        return max(self.at - self.earliest, (self.latest or self.at) - self.at)


def certain(at: Instant) -> Moment:
    """Return a moment that nobody doubts."""
    return Moment(at, at, at, known=True)


@dataclass(frozen=True, slots=True)
class Reach:
    """What is known of one boot's time. ``begins``: no earlier than this did it boot.

    ``ends``: no later than this was its last event, None where nothing bounds it.
    """

    boot: Boot
    begins: Instant
    ends: Instant | None

    def moment(self, reading: Reading) -> Moment:
        """Return when *reading*, which belongs to this boot, was really taken."""
        if reading.clock is ClockQuality.SYNCHRONISED:
            return certain(reading.at)
        mono = reading.mono // 1000
        if self.boot.truths:
            low, best, high = _offset(self.boot.truths, reading.mono)
            return Moment(mono + best, mono + low, mono + high, known=True)
        earliest = self.earliest(reading.mono)
        latest = self.latest(reading.mono)
        at = max(reading.at, earliest)
        return Moment(at if latest is None else min(at, latest), earliest, latest, known=False)

    def earliest(self, mono: int) -> Instant:
        """Return before which instant the monotonic clock surely did not stand at *mono*."""
        if self.boot.truths:
            return mono // 1000 + _offset(self.boot.truths, mono)[0]
        return self.begins + mono // 1000 - _drift(mono)

    def latest(self, mono: int) -> Instant | None:
        """Return after which instant the monotonic clock surely did not stand at *mono*."""
        boot = self.boot
        if boot.truths:
            return mono // 1000 + _offset(boot.truths, mono)[2]
        bounds: list[Instant] = []
        if self.ends is not None:
            bounds.append(self.ends - (boot.span - mono) // 1000 + _drift(boot.span - mono))
        if boot.received is not None:
            bounds.append(mono // 1000 + boot.received + _drift(boot.span))
        # Sources that contradict each other must not make an interval that ends before it begins.
        return max(min(bounds), self.earliest(mono)) if bounds else None


def settle(boots: Sequence[Boot], floor: Instant = FIRST_RELEASE) -> dict[str, Reach]:
    """Return what is known of each of *boots*, which come in the order of the ledger.

    A boot without a truth began after the last event of the one before, and ended before the next
    one began. Boots beyond one with a truth add nothing, so a caller may leave them out.
    """
    begins: list[Instant] = []
    before = floor
    for boot in boots:
        begins.append(before)
        before = Reach(boot, before, None).earliest(boot.span)
    reaches: list[Reach] = []
    after: Instant | None = None
    for boot, begin in zip(reversed(boots), reversed(begins), strict=True):
        reach = Reach(boot, begin, after)
        reaches.append(reach)
        after = reach.latest(0)
    return {reach.boot.boot: reach for reach in reaches}


def correct(reading: Reading, truths: Iterable[Truth]) -> tuple[Instant, Duration | None]:
    """Return when *reading* was really taken by *truths* of its boot, and the bound of the error.

    The bound is None, and the time what the reading says, where there is nothing to correct it by,
    or no need to.
    """
    known = tuple(truths)
    if reading.clock is ClockQuality.SYNCHRONISED or not known:
        return reading.at, None
    moment = Reach(Boot(reading.boot, reading.mono, known), reading.at, None).moment(reading)
    return moment.at, moment.error


def worth_stating(known: Iterable[Truth], new: Truth) -> bool:
    """Tell whether *new* says about its boot what *known* do not say already.

    It does when it is the first, when it contradicts them, or when time has passed since and the
    drift has made them four times coarser.
    """
    truths = tuple(known)
    if not truths:
        return True
    low, _, high = _offset(truths, new.mono)
    if new.offset + new.error < low or high < new.offset - new.error:
        return True
    return (high - low) // 2 >= max(FINE, 4 * new.error)


def doubtful(moment: Moment, segments: Iterable[Segment]) -> bool:
    """Tell whether the edge of a window lies within what *moment* may be off (decision 15)."""
    if moment.earliest == moment.latest:
        return False
    return any(
        moment.earliest <= edge and (moment.latest is None or edge <= moment.latest)
        for segment in segments
        for window in (segment.check_in, segment.check_out)
        for edge in (window.opens, window.last)
    )


def _offset(truths: tuple[Truth, ...], mono: int) -> tuple[Duration, Duration, Duration]:
    """Return the offset at *mono*: at least, most likely, at most."""
    reach = [truth.error + _drift(mono - truth.mono) for truth in truths]
    lows = [truth.offset - off for truth, off in zip(truths, reach, strict=True)]
    highs = [truth.offset + off for truth, off in zip(truths, reach, strict=True)]
    low, high = max(lows), min(highs)
    if low > high:  # they contradict each other: any of them may be right
        low, high = min(lows), max(highs)
    return low, min(max(_between(truths, mono), low), high), high


def _between(truths: tuple[Truth, ...], mono: int) -> Duration:
    """Return the offset of the nearest truth, or between two that which lies on their line."""
    before = max((one for one in truths if one.mono <= mono), key=_mono, default=None)
    after = min((one for one in truths if one.mono >= mono), key=_mono, default=None)
    if before is None or after is None or before.mono == after.mono:
        nearest = before or after
        assert nearest is not None, "there is at least one truth"
        return nearest.offset
    part = mono - before.mono
    return before.offset + (after.offset - before.offset) * part // (after.mono - before.mono)


def _mono(truth: Truth) -> int:
    return truth.mono


def _drift(passed: int) -> Duration:
    """Return by how many microseconds the monotonic clock may be off after *passed* nanoseconds."""
    return -(-abs(passed) * DRIFT_PPM // 1_000_000_000)
