"""The recorder's end of a recording process: start it, talk to it, judge it, end it.

Owns the process and its pipes. Promises that the process dies with this one (the kernel sends
SIGKILL), that the login travels by pipe and stands in no process list, and that a process which
hangs in C is noticed by its silence.
"""

from __future__ import annotations

import contextlib
import json
import queue
import subprocess
import sys
import threading
import uuid
from collections import deque
from dataclasses import asdict
from pathlib import Path
from typing import Any

from camera.recording import Order
from edge.clock import monotonic
from edge.model import Instant
from edge.rules.disk import Quality

# Dialling twice (see camera.stream) with a time-out each, and a slow start of Python.
DIAL_WITHIN_S = 25.0
# Packets come many times a second and are reported once a second.
ALIVE_WITHIN_S = 12.0
GROWTH_WITHIN_S = 15.0
STOP_WITHIN_S = 8.0
# A recording is shown as running only while it was seen to grow.
_GROWN_WITHIN_S = 5.0
PHOTO_WITHIN_S = 4.0

_ENDED = "the recording process has ended"

Report = dict[str, Any]


class NoPhoto(Exception):
    """The recording process could not give a picture; the message says why."""


class Child:
    """One recording process. Make it in the main thread: it ends with the thread that made it."""

    def __init__(self, order: Order) -> None:
        """Start the process; it dials at once and records once told for which lessons."""
        self.started = monotonic()
        self.lessons: tuple[str, ...] = ()
        self.quality = Quality.FULL
        self.streaming = False
        # What the process said and nobody has dealt with yet, oldest first.
        self.reports: deque[Report] = deque()
        self._shown: tuple[str, int] = ("", 0)
        self._alive_at = self.started
        self._grown_at = self.started
        self._bytes = 0
        self._photos: dict[str, queue.SimpleQueue[Report]] = {}
        self._sending = threading.Lock()
        self._process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", sys.executable, "-m", "camera.recording"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()
        self._send(asdict(order))

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether the process lives."""
        return self._process.poll() is None

    def record(self, lessons: tuple[str, ...], quality: Quality = Quality.FULL) -> None:
        """Record for *lessons* from the next key frame on; none ends the present part."""
        if (lessons, quality) != (self.lessons, self.quality):
            if not self.lessons:
                self._grown_at = monotonic()
            self.lessons, self.quality = lessons, quality
            self._send({"do": "record", "lessons": list(lessons), "quality": quality})

    def show(self, path: Path | None, most: int) -> None:
        """Have a picture of this moment kept at *path*, of at most *most* bytes; None: no more."""
        shown = (str(path), most) if path is not None else ("", 0)
        if shown != self._shown:
            self._shown = shown
            self._send({"do": "show", "path": shown[0], "bytes": shown[1]})

    def grows(self) -> bool:
        """Tell whether more video reached the disk a moment ago; key frames are seconds apart."""
        within = _GROWN_WITHIN_S if self.quality is not Quality.KEY_FRAMES else GROWTH_WITHIN_S
        return self._bytes > 0 and monotonic() - self._grown_at <= within

    def hangs(self) -> str:
        """Return why this process must be ended by force, empty when all is well."""
        now = monotonic()
        if not self.streaming:
            if now - self.started > DIAL_WITHIN_S:
                return "the connection to the camera hung while it was being opened"
        elif now - self._alive_at > ALIVE_WITHIN_S:
            return "the camera's stream hung"
        elif self.lessons and now - self._grown_at > GROWTH_WITHIN_S:
            return "the camera sends something, but the recording does not grow"
        return ""

    def photo(self, path: Path) -> Instant:
        """Have the last key frame written to *path*; return when it arrived. Any thread.

        Raises NoPhoto.
        """
        if not self.running:
            raise NoPhoto(_ENDED)
        photo_id = uuid.uuid4().hex
        answer: queue.SimpleQueue[Report] = queue.SimpleQueue()
        self._photos[photo_id] = answer
        try:
            self._send({"do": "photo", "id": photo_id, "path": str(path)})
            report = answer.get(timeout=PHOTO_WITHIN_S)
        except queue.Empty:
            raise NoPhoto("the recording did not answer") from None
        finally:
            del self._photos[photo_id]
        if "error" in report:
            raise NoPhoto(report["error"])
        return int(report["at"])

    def stop(self) -> None:
        """Ask for a clean end of the present part, wait for it, then end the process."""
        self._send({"do": "stop"})
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(STOP_WITHIN_S)
        self.kill()

    def kill(self) -> None:
        """End the process at once and take leave of its pipes; what it said stays readable."""
        self._process.kill()
        self._process.wait()
        self._listener.join()
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()

    def _send(self, order: dict[str, Any]) -> None:
        assert self._process.stdin is not None
        # A process that is gone is noticed by `running`, not here.
        with self._sending, contextlib.suppress(BrokenPipeError, ValueError):
            self._process.stdin.write(json.dumps(order) + "\n")
            self._process.stdin.flush()

    def _listen(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as lines:
            for line in lines:
                # A process that is killed may leave half a line.
                with contextlib.suppress(json.JSONDecodeError):
                    self._hear(json.loads(line))
        for waiting in list(self._photos.values()):
            waiting.put({"error": _ENDED})

    def _hear(self, report: Report) -> None:
        self._alive_at = monotonic()
        if report["say"] == "streaming":
            self.streaming = True
            self._grown_at = self._alive_at
        elif report["say"] == "alive" and report["bytes"] > self._bytes:
            self._bytes = report["bytes"]
            self._grown_at = self._alive_at
        elif report["say"] == "photo":
            waiting = self._photos.get(report["id"])
            if waiting is not None:
                waiting.put(report)
            return
        self.reports.append(report)
