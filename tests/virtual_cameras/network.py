"""Two network namespaces with a cable between them: a box's side and a camera's.

Owns both namespaces and the cable; promises that nothing in them reaches the machine's network and
that they end with the caller. Needs root: without it, see ``NOT_ROOT``.

    with Cable() as cable, OnvifCamera(cable) as camera:
        subprocess.run([*cable.box, "ip", "addr"])
        cable.give("192.0.2.99")    # the camera's address changes, as by its router's DHCP
"""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from types import TracebackType
from typing import Self

from edge.clock import SystemClock
from edge.model import SECOND, Instant, Window

NOT_ROOT = "two network namespaces with a cable between them need root: run the tests as root"
BOX_ADDRESS = "192.0.2.1"


# How often the counters are read, what of a reading may be a question and its answer (bytes),
# what is no pause of a stream yet (µs), and what is a film at least (bytes).
_READ_EVERY_S = 0.1
_TALK = 2_000
_PAUSE = 1_500_000
_FILM = 50_000


def may_lay_cables() -> bool:
    """Tell whether ``Cable`` works here."""
    return os.geteuid() == 0


@dataclass
class Meter:
    """What came out of a cable: a witness of when a camera sent video that asks neither side."""

    # When, and how many bytes until then.
    readings: list[tuple[Instant, int]] = field(default_factory=list)

    def films(self) -> list[Window]:
        """Return when video came without a pause, in order."""
        films: list[tuple[Instant, Instant, int]] = []
        for (before, few), (now, many) in pairwise(list(self.readings)):
            if many - few < _TALK:
                continue
            if films and before - films[-1][1] <= _PAUSE:
                begins, _, carried = films.pop()
                films.append((begins, now, carried + many - few))
            else:
                films.append((before, now, many - few))
        return [
            Window(begins, ends)
            for begins, ends, carried in films
            if carried >= _FILM and ends - begins >= SECOND
        ]


class Cable:
    """A cable between the namespaces ``box`` and ``camera``, each a prefix for commands in it."""

    address = "192.0.2.7"

    def __enter__(self) -> Self:
        """Lay the cable; both ends are up when this returns."""
        self._holders = [_hold(), _hold()]
        box, camera = (holder.pid for holder in self._holders)
        self.box, self.camera = _inside(box), _inside(camera)
        _run(
            [
                *("ip", "link", "add", "cable", "netns", str(box), "type", "veth"),
                *("peer", "name", "cable", "netns", str(camera)),
            ]
        )
        for side in (self.box, self.camera):
            _run([*side, "ip", "link", "set", "lo", "up"])
            _run([*side, "ip", "link", "set", "cable", "up"])
        _run([*self.box, "ip", "addr", "add", f"{BOX_ADDRESS}/24", "dev", "cable"])
        self.give(self.address)
        return self

    def give(self, address: str) -> None:
        """Let the camera have *address* and no other."""
        _run([*self.camera, "ip", "addr", "flush", "dev", "cable"])
        _run([*self.camera, "ip", "addr", "add", f"{address}/24", "dev", "cable"])
        _run([*self.camera, "ip", "route", "add", "default", "via", BOX_ADDRESS])
        self.address = address

    @contextmanager
    def metered(self) -> Iterator[Meter]:
        """Read meanwhile how much comes out of the cable at the box's end."""
        meter, done = Meter(), threading.Event()
        counters = Path(f"/proc/{self._holders[0].pid}/net/dev")
        clock = SystemClock()

        def read() -> None:
            while not done.wait(_READ_EVERY_S):
                line = next(one for one in counters.read_text().splitlines() if "cable:" in one)
                meter.readings.append((clock.now().at, int(line.partition(":")[2].split()[0])))

        reader = threading.Thread(target=read)
        reader.start()
        try:
            yield meter
        finally:
            done.set()
            reader.join()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Let go of the namespaces; the cable goes with them."""
        for holder in self._holders:
            holder.communicate()


def _hold() -> subprocess.Popen[str]:
    """Make a namespace that lasts until the process's standard input closes."""
    process = subprocess.Popen(
        ["unshare", "--net", "sh", "-c", "echo held; exec cat"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    if process.stdout.readline() != "held\n":
        process.wait()
        raise RuntimeError("unshare --net failed: are util-linux and iproute2 installed?")
    return process


def _inside(pid: int) -> list[str]:
    return ["nsenter", "--target", str(pid), "--net"]


def _run(command: list[str]) -> None:
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
