"""Records beside media on a slow line, and what goes over the line twice after a cut."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from threading import Event

from edge.clock import monotonic
from edge.events import RecordingStored, ServiceStarted
from sync import wire
from sync.line import Arrived, Happening, Inbox, Line
from sync.messages import ACK, Ack, topic
from tests.bench.way import BOX, Way, opened
from tests.faults.wires import Wire
from tests.processes import wait_for

SLOW = 1_000_000  # bytes a second
_RECORD_EVERY_S = 0.5
_WITHIN_S = 900.0
_MB = 1_000_000
# Slow enough that the cut falls into the middle, and that the line is what bounds it.
_CUT_RATE = 4 * _MB
_CUT_FILE = 16 * _MB


@dataclass(frozen=True)
class Beside:
    """``waits``: ms from a record's append to its acknowledgement; ``media_rate``: bytes/s."""

    waits: list[float]
    media_rate: float


class Ear:
    """Hears over the box's own line what the centre acknowledges, and when."""

    def __init__(self, port: int) -> None:
        self._inbox: Inbox[Happening] = Inbox()
        self._open: dict[int, float] = {}
        self.waits: list[float] = []
        self._line = Line("127.0.0.1", port, "bench", [topic(BOX, ACK)], self._inbox.put)
        self._line.start()

    def expect(self, seq: int) -> None:
        """Event *seq* was appended just now."""
        self._open[seq] = monotonic()

    def listen(self, until: float) -> None:
        """Take in what comes until that monotonic time."""
        while (left := until - monotonic()) > 0:
            for happening in self._inbox.take(left, 1):
                if not isinstance(happening, Arrived):
                    continue
                happening.done()
                message = wire.decode(happening.payload)
                if isinstance(message, Ack):
                    self._heard(message.seq)

    def silent(self) -> bool:
        """Take in what comes; tell whether nothing is expected any more."""
        self.listen(monotonic() + 0.05)
        return not self._open

    def close(self) -> None:
        """End the connection."""
        self._line.close()

    def _heard(self, seq: int) -> None:
        now = monotonic()
        for one in [one for one in self._open if one <= seq]:
            self.waits.append(1000 * (now - self._open.pop(one)))


def beside_media(
    folder: Path, megabytes: int, rate: int = SLOW, limit_kib: int | None = None
) -> Beside:
    """Send a recording over a line of *rate* bytes a second, with two records a second beside it.

    *limit_kib*: what the box's settings allow media, KiB a second.
    """
    with opened(folder, wired=True, limit_kib=limit_kib) as way:
        way.start()
        wait_for("the centre is reached", lambda: way.told().get("connected"))
        _wire_of(way).throttle(rate)
        ear = Ear(way.port)
        try:
            file = _record(way, megabytes * _MB)
            begun = monotonic()
            number = 0
            while not file.exists():
                ear.expect(way.ledger.append(ServiceStarted(f"service-{number}", "1")).seq)
                number += 1
                ear.listen(begun + number * _RECORD_EVERY_S)
            took = monotonic() - begun
            wait_for("the last record is acknowledged", ear.silent)
            return Beside(ear.waits, megabytes * _MB / took)
        finally:
            ear.close()


def sent_again_in_a_file(folder: Path) -> float:
    """Return the kB that go over the line twice when it is cut in mid-file."""

    def passed(cut: bool) -> int:
        with opened(folder, wired=True) as way:
            _wire_of(way).throttle(_CUT_RATE)
            file = _record(way, _CUT_FILE)
            way.start()
            if cut:
                _cut_at(way, _CUT_FILE // 2)
            wait_for("the file is home", file.exists, _WITHIN_S)
            return _wire_of(way).passed("up")

    return (passed(True) - passed(False)) / 1000


def sent_again_in_a_drain(folder: Path, backlog: Path) -> float:
    """Return the kB that go over the line twice when it is cut in mid-drain."""

    def passed(cut: int) -> int:
        with opened(folder, backlog, wired=True) as way:
            _wire_of(way).throttle(_CUT_RATE)
            way.start()
            if cut:
                _cut_at(way, cut)
            wait_for("the backlog is home", way.acknowledged, _WITHIN_S)
            return _wire_of(way).passed("up")

    whole = passed(0)
    return (passed(whole // 2) - whole) / 1000


def _record(way: Way, size: int) -> Path:
    """Let the box store a recording of *size* bytes; return where the centre puts it whole."""
    draft = way.media.draft(RecordingStored("lesson-1", "classroom", 1, 2, "", 0, False))
    draft.write(os.urandom(size))
    draft.store(way.ledger)
    with way.ledger.store.read() as connection:
        (sha256,) = connection.execute("SELECT sha256 FROM media").fetchone()
    return way.config.data_dir / "media" / str(sha256)[:2] / str(sha256)


def _cut_at(way: Way, count: int) -> None:
    line = _wire_of(way)
    pause = Event()
    while line.passed("up") < count:
        pause.wait(0.01)
    line.cut()


def _wire_of(way: Way) -> Wire:
    assert way.wire is not None
    return way.wire
