"""Wall time, monotonic time, boot id and clock quality: the only place that reads a clock.

Promises that every reading carries what is needed to correct it later (invariant 7), that nothing
here waits for a network, and that all processes of a box agree on the time: it does not jump with
the machine's wall clock unless a source that the settings trust stands behind the jump.
"""

from __future__ import annotations

import ctypes
import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Protocol

from edge.forms import local as local  # whoever reads a clock finds it here
from edge.model import SECOND, ClockQuality, Duration, Instant, Reading

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
BATTERY_CLOCK = Path("/sys/class/rtc/rtc0/since_epoch")

_HANDED_DOWN = "CLASSBOX_CLOCK"

# adjtimex(2): the kernel says TIME_ERROR while nothing disciplines the clock.
_TIME_ERROR = 5
# struct timex is 208 bytes on 64-bit Linux; mode 0 in the first word only reads.
_TIMEX_BYTES = 208

# No box runs before its software was released, nor this release so many years later: a clock that
# says so is wrong. 2026-11-01T00:00Z.
RELEASED: Instant = 1_793_491_200_000_000
_TOO_LATE: Instant = RELEASED + 20 * 365 * 86_400 * SECOND
# What a time service keeps a clock within, and what it takes on trust.
_NTP_ERROR: Duration = SECOND // 10
_TRUSTED_ERROR: Duration = SECOND
# An offset to the monotonic clock changes only when a clock is set; below this it is rounding.
_SAME: Duration = 1000
# A clock that was set by less than this was put right, by more it jumped.
STEP: Duration = SECOND


class Clock(Protocol):
    """What a service needs of time; BoxClock is a box's, SimulatedClock is for tests."""

    def now(self) -> Reading:
        """Return one look at all clocks."""
        ...

    def dated(self) -> bool:
        """Tell whether anything but a floor stands behind the date.

        Without that, now may be any time after what the clock says: dates in certificates and
        windows of lessons cannot be judged by it.
        """
        ...


class SystemClock:
    """The machine's clocks. ``trust``: ntp | trusted | untrusted, as in the settings."""

    def __init__(self, trust: str = "ntp") -> None:
        self._boot = BOOT_ID.read_text("ascii").strip()
        self._adjtimex = ctypes.CDLL(None).adjtimex
        self._trust = trust

    def now(self) -> Reading:
        """Return one look at all clocks; ``mono`` counts suspended time too."""
        return Reading(
            at=time.time_ns() // 1000,
            boot=self._boot,
            mono=time.clock_gettime_ns(time.CLOCK_BOOTTIME),
            clock=self._quality(),
        )

    def dated(self) -> bool:
        """See Clock: whoever uses the machine's clock as it is believes it."""
        return True

    def _quality(self) -> ClockQuality:
        if self._trust == "ntp":
            timex = ctypes.create_string_buffer(_TIMEX_BYTES)
            state = self._adjtimex(timex)
            synchronised = 0 <= state != _TIME_ERROR
        else:
            synchronised = self._trust == "trusted"
        return ClockQuality.SYNCHRONISED if synchronised else ClockQuality.UNSYNCHRONISED


@dataclass(frozen=True, slots=True)
class Basis:
    """What a box's time rests on in one boot: wall time = monotonic clock + ``offset``.

    Microseconds. ``source``: floor | battery | ntp | trusted | centre. ``machine`` is the offset
    of the machine's own wall clock when somebody last looked, whether the box follows it or not.
    """

    boot: str
    offset: Duration
    error: Duration
    source: str
    machine: Duration

    @property
    def true(self) -> bool:
        """Whether a source that is trusted stands behind it."""
        return self.source not in ("floor", "battery")


class BoxClock:
    """The time of a box, the same in all its processes.

    While the machine's clock is synchronised, as far as the settings let it count, that is the
    time. Otherwise it is the monotonic clock plus the best offset known in this boot, which lies
    in a small file on a tmpfs: the first process of a boot makes it from the latest of a floor and
    the battery clock, and truth replaces it when it comes.
    """

    def __init__(
        self, machine: Clock, file: Path, trust: str = "ntp", battery: Path = BATTERY_CLOCK
    ) -> None:
        """Use ``BoxClock.of`` for the machine's own clocks. *file* may not be writable."""
        self.file = file
        self.trust = trust
        self._machine = machine
        self._battery = battery if trust == "ntp" else None
        self._floor = RELEASED
        self._basis: Basis | None = None
        self._seen: tuple[int, int] | None = None

    @classmethod
    def of(cls, runtime_dir: Path, trust: str) -> BoxClock:
        """Return the clock of the box whose processes share *runtime_dir*."""
        return cls(SystemClock(trust), runtime_dir / "clock.json", trust)

    def hand_down(self) -> None:
        """Let processes that this one starts go by the same time; see ``inherited``."""
        os.environ[_HANDED_DOWN] = f"{self.trust}:{self.file.parent.absolute()}"

    def now(self) -> Reading:
        """Return one look at all clocks, with the box's time as wall time."""
        seen = self._machine.now()
        basis = self._agreed(seen)
        if seen.clock is ClockQuality.SYNCHRONISED:
            return seen
        return Reading(
            at=seen.mono // 1000 + basis.offset,
            boot=seen.boot,
            mono=seen.mono,
            clock=ClockQuality.SYNCHRONISED if basis.true else ClockQuality.UNSYNCHRONISED,
        )

    def dated(self) -> bool:
        """See Clock."""
        return self.basis().source != "floor"

    def basis(self) -> Basis:
        """Return what the time rests on now."""
        return self._agreed(self._machine.now())

    def disciplined(self) -> bool:
        """Tell whether the machine's clock itself is the time, and the centre's not needed."""
        return self._machine.now().clock is ClockQuality.SYNCHRONISED

    def not_before(self, at: Instant) -> None:
        """Raise the floor to *at*, the time of an event that this box wrote earlier."""
        if at < _TOO_LATE:
            self._floor = max(self._floor, at)

    def learn(self, offset: Duration, error: Duration, source: str) -> None:
        """Let true time be the monotonic clock plus *offset*, for all processes of this boot."""
        seen = self._machine.now()
        machine = self._agreed(seen).machine
        self._put(Basis(seen.boot, offset, error, source, machine))

    def machine_stepped(self) -> tuple[Duration, Duration] | None:
        """Return offsets of the machine's wall clock before and after it was set, if it was.

        It goes on saying so, in each process, until one of them says ``noticed``.
        """
        seen = self._machine.now()
        before, after = self._agreed(seen).machine, _offset(seen)
        return (before, after) if abs(after - before) > STEP else None

    def noticed(self) -> None:
        """Take note, for all processes, of where the machine's wall clock stands."""
        seen = self._machine.now()
        self._put(replace(self._agreed(seen), machine=_offset(seen)))

    def _agreed(self, seen: Reading) -> Basis:
        """Return what all processes go by, after telling them what the machine's clock knows."""
        basis = self._read(seen.boot)
        if basis is None:
            with self._locked():
                basis = self._read(seen.boot)
                if basis is None:
                    basis = self._first(seen)
                    self._put(basis)
        if seen.clock is ClockQuality.SYNCHRONISED:
            source = "trusted" if self.trust == "trusted" else "ntp"
            offset = _offset(seen)
            if basis.source != source or abs(basis.offset - offset) > _SAME:
                error = _TRUSTED_ERROR if source == "trusted" else _NTP_ERROR
                basis = Basis(seen.boot, offset, error, source, offset)
                self._put(basis)
        return basis

    def _first(self, seen: Reading) -> Basis:
        """Return what the first process of a boot has to go by."""
        battery = self._battery_time()
        if battery is not None and self._floor < battery < _TOO_LATE:
            at, source = battery, "battery"
        else:
            # Right or wrong, the machine's clock is not to be told from one that was made up.
            at, source = max(self._floor, seen.at if seen.at < _TOO_LATE else 0), "floor"
        return Basis(seen.boot, at - seen.mono // 1000, 0, source, _offset(seen))

    def _battery_time(self) -> Instant | None:
        if self._battery is None:
            return None
        try:
            return int(self._battery.read_text("ascii")) * SECOND
        except (OSError, ValueError):
            return None

    def _read(self, boot: str) -> Basis | None:
        """Return what stands in the file, looking into it only when it was replaced."""
        try:
            state = os.stat(self.file)
            seen = (state.st_ino, state.st_mtime_ns)
            if seen != self._seen:
                self._basis = Basis(**json.loads(self.file.read_bytes()))
                self._seen = seen
        except (OSError, ValueError, TypeError):
            pass  # no such file, or not ours: what this process knows by itself still holds
        basis = self._basis
        return basis if basis is not None and basis.boot == boot else None

    def _put(self, basis: Basis) -> None:
        self._basis = basis
        draft = self.file.with_name(f".{self.file.name}.{os.getpid()}")
        # A command of another user may not write here: then its process alone goes by it.
        with suppress(OSError):
            self.file.parent.mkdir(parents=True, exist_ok=True)
            draft.write_text(json.dumps(asdict(basis)), "utf-8")
            draft.replace(self.file)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Let one process at a time make the first file of a boot."""
        try:
            self.file.parent.mkdir(parents=True, exist_ok=True)
            lock = os.open(
                self.file.with_name("clock.lock"), os.O_RDONLY | os.O_CREAT | os.O_CLOEXEC, 0o644
            )
        except OSError:
            yield
            return
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)


def inherited() -> Clock:
    """Return the clock of the service that started this process, else the machine's."""
    trust, _, folder = os.environ.get(_HANDED_DOWN, "").partition(":")
    return BoxClock.of(Path(folder), trust) if folder else SystemClock()


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
        self.has_date = True

    def now(self) -> Reading:
        """Return the simulated reading."""
        return Reading(self.at, self.boot, self.mono, self.quality)

    def dated(self) -> bool:
        """See Clock."""
        return self.has_date

    def advance(self, duration: Duration) -> None:
        """Let *duration* pass on both clocks."""
        self.at += duration
        self.mono += duration * 1000

    def jump(self, to: Instant) -> None:
        """Set the wall clock as a person or NTP would; the monotonic clock is not moved."""
        self.at = to

    def reboot(self, at: Instant, boot: str, quality: ClockQuality) -> None:
        """Start anew with that wall time, as a machine does that was switched off and on."""
        self.at, self.boot, self.mono, self.quality = at, boot, 0, quality


def possible(at: Instant) -> bool:
    """Tell whether *at* can be now: not before this release, and not decades after it."""
    return RELEASED <= at < _TOO_LATE


def monotonic() -> float:
    """Return seconds of a clock that never goes back, for waits and time-outs within a process."""
    return time.monotonic()


def _offset(seen: Reading) -> Duration:
    return seen.at - seen.mono // 1000
