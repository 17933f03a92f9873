"""What every service shares: the loop, the stop signal, readiness and the watchdog.

Promises that a service says READY before it waits for anything outside the box, that the
watchdog is fed by real progress only, and that an error is caught in one place, said once, and
tried again after 1, 2, 4 … 30 s. Holds no data of a box, so the centre's processes use it too.
"""

from __future__ import annotations

import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

log = logging.getLogger("classbox")

_FIRST_PAUSE_S = 1.0
_LONGEST_PAUSE_S = 30.0


class Service:
    """One running service. ``stop`` is set by SIGTERM or SIGINT, or by the service itself."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.stop = threading.Event()

    def ready(self, status: str = "") -> None:
        """Tell the service manager that the service is up (sd_notify READY=1)."""
        _notify(f"READY=1\nSTATUS={status}" if status else "READY=1")
        log.info("%s: ready%s", self.name, f", {status}" if status else "")

    def progress(self) -> None:
        """Feed the watchdog. Call it when something was really done, never from a timer."""
        _notify("WATCHDOG=1")

    def loop(self, step: Callable[[], object], every: float) -> None:
        """Run *step* until stop, *every* seconds apart; an error is logged once and tried again.

        This is the one place that catches what a step raises.
        """
        pause = _FIRST_PAUSE_S
        said = ""
        while not self.stop.is_set():
            try:
                step()
            except Exception as error:
                message = f"{type(error).__name__}: {error}"
                if message != said:
                    log.error("%s: %s", self.name, message, exc_info=_unexpected(error))
                    said = message
                self.stop.wait(pause)
                pause = min(pause * 2, _LONGEST_PAUSE_S)
                continue
            if said:
                log.info("%s: carries on", self.name)
                said = ""
            pause = _FIRST_PAUSE_S
            self.stop.wait(every)


def main(name: str, body: Callable[[Service], None]) -> int:
    """Run *body* as the service *name* until it returns; return the exit status."""
    start_logging()
    service = Service(name)

    with _stopped_by_signals(service.stop):
        try:
            body(service)
        finally:
            _notify("STOPPING=1")
    log.info("%s: stopped", name)
    return 0


@contextmanager
def _stopped_by_signals(stop: threading.Event) -> Iterator[None]:
    """Let SIGTERM and SIGINT set *stop*, from a thread of its own.

    A handler must not do it: it interrupts the main thread, which may hold the event's lock at
    that moment, and both would wait for ever.
    """
    reader, writer = os.pipe()
    os.set_blocking(writer, False)

    def listen() -> None:
        while received := os.read(reader, 1):
            if received[0] in (signal.SIGTERM, signal.SIGINT):
                stop.set()

    def on_signal(number: int, frame: FrameType | None) -> None:
        """Only be there, so that the signal is written to the pipe instead of ending us."""

    before = signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, on_signal)
    listener = threading.Thread(target=listen, name="signals", daemon=True)
    listener.start()
    try:
        yield
    finally:
        signal.set_wakeup_fd(before)
        os.close(writer)
        listener.join()
        os.close(reader)


def start_logging() -> None:
    """Send log lines to standard error, where systemd's journal dates them."""
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(levelname)s %(message)s")


def _unexpected(error: Exception) -> bool:
    """Tell whether *error* is a mistake of ours, whose trace is worth printing."""
    return isinstance(error, AssertionError | AttributeError | KeyError | TypeError | IndexError)


def _notify(message: str) -> None:
    """Speak systemd's notification protocol (sd_notify(3)); without systemd, do nothing."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return
    if address.startswith("@"):
        address = "\0" + address[1:]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
        notify.sendto(message.encode("utf-8"), address)
