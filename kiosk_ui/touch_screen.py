"""``classbox screen``: shows the kiosk on the touch screen, and nothing else, whatever happens.

Starts Chromium under the compositor cage and asks it through a pipe (the DevTools protocol, which
no other process can reach) what it shows. The watchdog is fed when it answered. When the browser
has ended or does not answer, its page has crashed or is not the kiosk's, this ends too, and
systemd starts all of it anew. Nothing is lost by that: what is to be shown the kiosk knows, and
who is logged in stands in a cookie. A page that could not be loaded Chromium loads again by itself.

Runs as an account of its own that cannot read the box's settings: where the page is stands in the
managed policy (systemd/box/chromium.json), which also says what the browser may do.
"""

from __future__ import annotations

import fcntl
import json
import os
import select
import signal
from contextlib import suppress
from pathlib import Path
from typing import Any

import click

from edge import service as services
from edge.clock import monotonic
from edge.service import Service

POLICY = Path("/etc/chromium/policies/managed/classbox.json")
ASK_EVERY_S = 5.0
_ANSWER_WITHIN_S = 20.0
# The browser's first answer, on a slow card and with the kiosk starting beside it.
_START_WITHIN_S = 80.0
_END_WITHIN_S = 5.0
# Chromium reads commands from descriptor 3 and answers on 4. Ours must not be these.
_THEIR_IN, _THEIR_OUT, _OURS_FROM = 3, 4, 10


class ScreenLost(click.ClickException):
    """The screen does not show the kiosk; a new start is the remedy."""


@click.command()
def command() -> None:
    """Show the kiosk on the touch screen (a service; it needs cage and Chromium)."""
    try:
        page = str(json.loads(POLICY.read_bytes())["HomepageLocation"])
    except (OSError, ValueError, KeyError) as error:
        raise click.ClickException(
            f"{POLICY}: cannot be used ({error}). Install again: ./box install box"
        ) from error
    raise SystemExit(services.main("screen", lambda service: show(service, page)))


def show(service: Service, page: str) -> None:
    """Show *page* until the service stops. Raises ScreenLost."""
    browser = Browser(arguments(page))
    try:
        browser.must_show(page, _START_WITHIN_S)
        service.ready(page)
        while not service.stop.wait(ASK_EVERY_S):
            browser.must_show(page, _ANSWER_WITHIN_S)
            service.progress()
    finally:
        browser.end()


def arguments(page: str) -> list[str]:
    """Return the command line: cage, and in it Chromium with *page* and nothing around it."""
    home, runtime = os.environ["HOME"], os.environ["XDG_RUNTIME_DIR"]
    return [
        *("/usr/bin/cage", "-d", "--"),
        "/usr/bin/chromium",
        "--kiosk",
        "--ozone-platform=wayland",
        "--remote-debugging-pipe",
        f"--user-data-dir={home}/chromium",
        # In memory: a card is worn out by writing.
        f"--disk-cache-dir={runtime}/cache",
        # After a crash the kiosk's page comes, not an offer to restore pages.
        "--hide-crash-restore-bubble",
        "--no-first-run",
        "--no-default-browser-check",
        "--noerrdialogs",
        # Its errors fill the journal and help nobody (no D-Bus …); what is fatal is still said.
        "--log-level=3",
        "--disable-breakpad",
        "--disable-component-update",
        "--disable-pinch",
        "--overscroll-history-navigation=0",
        "--password-store=basic",
        page,
    ]


class Browser:
    """A browser that was started, and the page in it."""

    def __init__(self, command_line: list[str]) -> None:
        """Start *command_line*; its end is noticed when it is asked something."""
        (their_in, self._to), (self._from, their_out) = _pipe(), _pipe()
        self._pid = os.posix_spawn(
            command_line[0],
            command_line,
            os.environ,
            file_actions=[
                (os.POSIX_SPAWN_DUP2, their_in, _THEIR_IN),
                (os.POSIX_SPAWN_DUP2, their_out, _THEIR_OUT),
            ],
            setpgroup=0,
        )
        os.close(their_in)
        os.close(their_out)
        self._buffer = b""
        self._last = 0

    def must_show(self, page: str, within: float) -> None:
        """Make sure that the browser answers within so many seconds, and shows *page*.

        A page below *page* is as good; anything else beside it is not. Raises ScreenLost.
        """
        until = monotonic() + within
        if self._last == 0:
            self._ask("Target.setDiscoverTargets", {"discover": True}, until)
        while not (shown := self._pages(until)):
            self._next(until)  # it is said when a page appears
        for address in shown:
            if not address.startswith(page):
                raise ScreenLost(f"the screen shows {address}")

    def _pages(self, until: float) -> list[str]:
        """Return the addresses that the browser shows or is about to show."""
        targets = self._ask("Target.getTargets", {}, until)["targetInfos"]
        return [target["url"] for target in targets if target["type"] == "page" and target["url"]]

    def end(self) -> None:
        """End the browser and whatever it started: in peace, or not."""
        os.close(self._to)  # Chromium ends with its pipe, and cage with Chromium
        ended = os.pidfd_open(self._pid)
        if not select.select([ended], [], [], _END_WITHIN_S)[0]:
            os.killpg(self._pid, signal.SIGTERM)
            select.select([ended], [], [], _END_WITHIN_S)
        with suppress(ProcessLookupError):
            os.killpg(self._pid, signal.SIGKILL)
        os.waitpid(self._pid, 0)
        os.close(ended)
        os.close(self._from)

    def _ask(self, method: str, parameters: dict[str, Any], until: float) -> dict[str, Any]:
        self._last += 1
        message = {"id": self._last, "method": method, "params": parameters}
        try:
            os.write(self._to, json.dumps(message).encode("utf-8") + b"\0")
        except BrokenPipeError as error:
            raise ScreenLost("Chromium has ended") from error
        while True:
            answer = self._next(until)
            if answer.get("id") == self._last:
                if "error" in answer:
                    raise ScreenLost(f"{method}: {answer['error'].get('message')}")
                result: dict[str, Any] = answer["result"]
                return result

    def _next(self, until: float) -> dict[str, Any]:
        """Return the next message of the browser. Raises ScreenLost."""
        while b"\0" not in self._buffer:
            if not self._read(until):
                raise ScreenLost("Chromium has ended")
        text, self._buffer = self._buffer.split(b"\0", 1)
        message: dict[str, Any] = json.loads(text)
        if message.get("method") == "Target.targetCrashed":
            raise ScreenLost("the page has crashed")
        return message

    def _read(self, until: float) -> bool:
        """Take in what the browser has written; False at its end. Raises ScreenLost."""
        if not select.select([self._from], [], [], max(0.0, until - monotonic()))[0]:
            raise ScreenLost("Chromium does not answer")
        read = os.read(self._from, 1 << 16)
        self._buffer += read
        return bool(read)


def _pipe() -> tuple[int, int]:
    """Return a pipe whose ends lie above the descriptors that Chromium is given."""
    ends = os.pipe()
    moved = [fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, _OURS_FROM) for end in ends]
    for end in ends:
        os.close(end)
    return moved[0], moved[1]
