"""Wall time, monotonic time, boot id and clock quality: the only place that reads a clock.

Promises that every reading carries what is needed to correct it later (invariant 7), and that
nothing here waits for a network.
"""

from __future__ import annotations

import ctypes
import time
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import Protocol

from edge.model import ClockQuality, Duration, Instant, Reading

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")

# adjtimex(2): the kernel says TIME_ERROR while nothing disciplines the clock.
_TIME_ERROR = 5
# struct timex is 208 bytes on 64-bit Linux; mode 0 in the first word only reads.
_TIMEX_BYTES = 208


class Clock(Protocol):
    """What a service needs of time; SystemClock is real, SimulatedClock is for tests."""

    def now(self) -> Reading:
        """Return one look at all clocks."""
        ...


class SystemClock:
    """The machine's clocks."""

    def __init__(self) -> None:
        self._boot = BOOT_ID.read_text("ascii").strip()
        self._adjtimex = ctypes.CDLL(None).adjtimex

    def now(self) -> Reading:
        """Return one look at all clocks; ``mono`` counts suspended time too."""
        return Reading(
            at=time.time_ns() // 1000,
            boot=self._boot,
            mono=time.clock_gettime_ns(time.CLOCK_BOOTTIME),
            clock=self._quality(),
        )

    def _quality(self) -> ClockQuality:
        timex = ctypes.create_string_buffer(_TIMEX_BYTES)
        state = self._adjtimex(timex)
        if state < 0 or state == _TIME_ERROR:
            return ClockQuality.UNSYNCHRONISED
        return ClockQuality.SYNCHRONISED


class SimulatedClock:
    """A clock that a test sets and moves. ``at`` is the wall time it starts with."""

    def __init__(
        self,
        at: Instant,
        boot: str = "simulated-boot",
        quality: ClockQuality = ClockQuality.SYNCHRONISED,
    ) -> None:
        self.at = at
        self.boot = boot
        self.mono = 0
        self.quality = quality

    def now(self) -> Reading:
        """Return the simulated reading."""
        return Reading(self.at, self.boot, self.mono, self.quality)

    def advance(self, duration: Duration) -> None:
        """Let *duration* pass on both clocks."""
        self.at += duration
        self.mono += duration * 1000

    def jump(self, to: Instant) -> None:
        """Set the wall clock as a person or NTP would; the monotonic clock is not moved."""
        self.at = to


def monotonic() -> float:
    """Return seconds of a clock that never goes back, for waits and time-outs within a process."""
    return time.monotonic()


def local(instant: Instant, zone: tzinfo) -> datetime:
    """Return *instant* as a time of day in *zone*, for people to read."""
    return datetime.fromtimestamp(instant / 1_000_000, tz=UTC).astimezone(zone)
