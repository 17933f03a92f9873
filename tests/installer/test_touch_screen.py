"""The touch screen: real cage, real Chromium with the installed policy, on a screen in memory."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.house import ROOT
from tests.processes import free_port, wait_for

NOBODY = 65534  # Chromium's sandbox is not for root
CLASSBOX = Path(sys.prefix) / "bin" / "classbox"

pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="only root mounts the policy where it is read"),
    pytest.mark.skipif(
        None in map(shutil.which, ("cage", "chromium")),
        reason="cage or chromium is missing; ./box test installs them",
    ),
]

# Lays the folder over /etc/chromium, for this process alone, and goes on as nobody.
_AS_NOBODY = """
set -eu
mount --make-rprivate /
mount --bind "$1" /etc/chromium
shift
exec setpriv --reuid=65534 --regid=65534 --clear-groups "$@"
"""

# Says that it is there, with its cookie and its size; then does as the server says.
_PAGE = b"""<!doctype html><title>kiosk</title><script>
const was = document.cookie
document.cookie = "seen=yes; max-age=9999"
const size = () => fetch(`/size/${innerWidth}x${innerHeight}`)
addEventListener("resize", size)
size()
fetch(`/said?cookie=${was}&`)
  .then(() => fetch("/then")).then(answer => answer.text()).then(script => eval(script))
</script>"""


class Kiosk:
    """A server that stands for the kiosk. ``then``: the script that pages run next, once."""

    def __init__(self, port: int) -> None:
        self.asked: list[str] = []
        self.then = ""
        kiosk = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                kiosk.asked.append(self.path)
                content = _PAGE
                if self.path == "/then":
                    content, kiosk.then = kiosk.then.encode(), ""
                self.send_response(200)
                self.send_header("Content-Type", "text/html")
                self.end_headers()
                with suppress(BrokenPipeError):  # a page that was left
                    self.wfile.write(content)

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def said(self) -> list[str]:
        """Return what pages have said of themselves."""
        return [path for path in self.asked if path.startswith("/said")]

    def close(self) -> None:
        """Let the port go."""
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that nobody may enter; pytest's own are closed to others."""
    made = Path(tempfile.mkdtemp(prefix="classbox-screen-"))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made, ignore_errors=True)


class Screen:
    """``classbox screen`` as its unit runs it, but on a screen in memory."""

    def __init__(self, folder: Path, port: int) -> None:
        policy = folder / "chromium/policies/managed/classbox.json"
        policy.parent.mkdir(parents=True, exist_ok=True)
        template = (ROOT / "systemd/box/chromium.json").read_text("utf-8")
        policy.write_text(template.replace("@PORT@", str(port)))
        for name in ("home", "runtime"):
            (folder / name).mkdir(mode=0o700, exist_ok=True)
            os.chown(folder / name, NOBODY, NOBODY)
        self.log = folder / "log"
        address = folder / "runtime/notify"
        address.unlink(missing_ok=True)
        self.notified = ""
        self._notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._notify.setblocking(False)
        self._notify.bind(str(address))
        address.chmod(0o777)
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [
                    *("unshare", "--mount", "sh", "-c", _AS_NOBODY, "sh"),
                    *(str(folder / "chromium"), str(CLASSBOX), "screen"),
                ],
                env={
                    "PATH": "/usr/bin:/bin",
                    "HOME": str(folder / "home"),
                    "XDG_RUNTIME_DIR": str(folder / "runtime"),
                    "DBUS_SESSION_BUS_ADDRESS": "disabled:",
                    "NOTIFY_SOCKET": str(address),
                    "WLR_XWAYLAND": "/usr/bin/false",
                    "LIBSEAT_BACKEND": "noop",
                    "WLR_BACKENDS": "headless",
                    "WLR_RENDERER": "pixman",
                },
                stdout=log,
                stderr=log,
            )

    def told(self, word: str) -> bool:
        """Tell whether systemd would have heard *word*."""
        assert self.process.poll() is None, "the screen has ended"
        try:
            while True:
                self.notified += self._notify.recv(4096).decode() + "\n"
        except BlockingIOError:
            return word in self.notified

    def renderers(self) -> list[int]:
        """Return the processes that pages run in: those below this one that say so."""
        parents, renderers = {}, []
        for entry in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                parents[int(entry.name)] = int(
                    (entry / "stat").read_text().rsplit(")")[-1].split()[1]
                )
                if b"--type=renderer" in (entry / "cmdline").read_bytes():
                    renderers.append(int(entry.name))

        def ours(pid: int) -> bool:
            return pid == self.process.pid or (pid in parents and ours(parents[pid]))

        return [pid for pid in renderers if ours(pid)]

    def end(self) -> int:
        """Stop it as systemd does; return its exit status."""
        self.process.terminate()
        status = self.process.wait(30)
        self._notify.close()
        return status


@contextmanager
def screen(folder: Path, port: int) -> Iterator[Screen]:
    """Show the kiosk at *port*; when a test fails, what was logged is printed."""
    shown = Screen(folder, port)
    try:
        yield shown
    except BaseException:
        print(shown.log.read_text("utf-8", "replace")[-3000:])
        raise
    finally:
        shown.end()


def test_the_page_fills_the_screen_and_nothing_else_is_reached(folder: Path) -> None:
    """The screen starts before the kiosk and finds it; what leads astray ends in a new start."""
    port, elsewhere = free_port(), free_port()
    outside = Kiosk(elsewhere)
    with screen(folder, port) as shown:
        wait_for("the browser answers", lambda: shown.told("READY=1"), within=80)
        kiosk = Kiosk(port)
        wait_for("the page is loaded when the kiosk is up", kiosk.said, within=60)
        # All of the screen that cage makes up: no bar, no tabs, no frame.
        wait_for("it fills the screen", lambda: "/size/1280x720" in kiosk.asked, within=60)
        wait_for("the watchdog is fed", lambda: shown.told("WATCHDOG=1"), within=60)
    for script in (f"window.open('http://127.0.0.1:{elsewhere}/')", f"location.port = {elsewhere}"):
        kiosk.then = script
        with screen(folder, port) as shown:
            wait_for("the page did it", lambda: kiosk.then == "", within=80)
            if "location" in script:
                assert shown.process.wait(60) == 1
                assert "the screen shows" in shown.log.read_text("utf-8", "replace")
            else:
                shown.notified = ""
                wait_for("it is still well", lambda: shown.told("WATCHDOG=1"), within=60)
    assert outside.asked == []
    kiosk.close()
    outside.close()


def test_after_a_crash_the_same_state_comes_back(folder: Path) -> None:
    """The page's process is killed: a new start shows the page again, with the login's cookie."""
    port = free_port()
    kiosk = Kiosk(port)
    with screen(folder, port) as shown:
        wait_for("the page is there", kiosk.said, within=80)
        assert "cookie=&" in kiosk.said()[0]
        wait_for("the browser answers", lambda: shown.told("READY=1"), within=80)
        for renderer in shown.renderers():
            os.kill(renderer, signal.SIGKILL)
        assert shown.process.wait(60) == 1
        assert "the page has crashed" in shown.log.read_text("utf-8", "replace")
    with screen(folder, port) as shown:
        wait_for("the page is there again", lambda: len(kiosk.said()) > 1, within=80)
        assert "cookie=seen=yes" in kiosk.said()[1]
        wait_for("the browser answers", lambda: shown.told("READY=1"), within=80)
        assert shown.end() == 0
    kiosk.close()
