"""Processes that tests and the demo start: each ends by its process id, or with its parent."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from threading import Event

from edge.clock import monotonic

CLASSBOX = Path(sys.executable).with_name("classbox")
_END_WITHIN = 15.0


class NotInTime(AssertionError):
    """What was waited for did not come; the message says what it was and shows the log's end."""


def free_port() -> int:
    """Return a loopback port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_for(what: str, seen: Callable[[], object], within: float = 30.0) -> None:
    """Wait until *seen* returns something true; raises NotInTime after *within* seconds."""
    until = monotonic() + within
    pause = Event()
    while not seen():
        if monotonic() > until:
            raise NotInTime(f"not within {within:.0f} s: {what}")
        pause.wait(0.1)


def in_another_time(wall: Path, to: str) -> dict[str, str]:
    """Return the environment in which a process's wall clock is what the file *wall* says.

    *to* is what it says first, in the words of libfaketime (Debian's package ``faketime``). The
    monotonic clock is left as it is. The program ``faketime`` itself would not do: it starts a
    process of its own, which outlives a kill.
    """
    (library,) = Path("/usr/lib").glob("*/faketime/libfaketime.so.1")
    set_wall(wall, to)
    return {
        "LD_PRELOAD": str(library),
        "FAKETIME_TIMESTAMP_FILE": str(wall),
        "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "TZ": "UTC",
    }


def set_wall(wall: Path, to: str) -> None:
    """Set the wall clock of the processes that look into the file *wall*."""
    draft = wall.with_name(f"{wall.name}.draft")
    draft.write_text(to + "\n", "ascii")
    draft.replace(wall)


class Child:
    """One process with a log file.

    ``setpriv --pdeathsig`` makes the kernel end it when we end, however we end; it is tied to
    the thread that started it, so start children in the main thread.
    """

    def __init__(
        self,
        name: str,
        arguments: Sequence[str | Path],
        log: Path,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.name = name
        self.log = log
        self._arguments = [str(argument) for argument in arguments]
        self._environment = {**os.environ, "PYTHONUNBUFFERED": "1", **(environment or {})}
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it; its output is appended to the log."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", "--", *self._arguments],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self._environment,
                start_new_session=True,  # Ctrl-C reaches us, and we end our children in order
            )

    @property
    def pid(self) -> int:
        """The process id while it runs."""
        if self._process is None:
            raise RuntimeError(f"{self.name} was not started")
        return self._process.pid

    def running(self) -> bool:
        """Tell whether it still runs."""
        return self._process is not None and self._process.poll() is None

    def said(self, text: str) -> bool:
        """Tell whether the log holds *text*; raises NotInTime when the process has ended."""
        if text in self.log.read_text("utf-8", "replace"):
            return True
        if not self.running():
            raise NotInTime(f"{self.name} ended early:\n{self.tail()}")
        return False

    def tail(self, lines: int = 15) -> str:
        """Return the last lines of the log."""
        return "\n".join(self.log.read_text("utf-8", "replace").splitlines()[-lines:])

    def kill(self) -> None:
        """End it as a power cut would."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """Ask it to end, and end it when it does not."""
        self._end(signal.SIGTERM)

    def _end(self, how: signal.Signals) -> None:
        if self._process is None or self._process.poll() is not None:
            return
        self._process.send_signal(how)
        try:
            self._process.wait(_END_WITHIN)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(_END_WITHIN)
