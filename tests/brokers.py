"""A real Mosquitto for tests and the demo: its own folder, a loopback port, no persistence.

``with Broker() as broker``: ``broker.port``; ``broker.kill()`` (SIGKILL: it forgets everything),
``broker.start()`` (on the same port). Ended by its process, never by name.
"""

from __future__ import annotations

import shutil
import signal
import socket
import subprocess
import tempfile
import threading
from pathlib import Path
from types import TracebackType
from typing import Self

from edge.clock import monotonic
from sync.messages import PACKET_BYTES

_START_WITHIN_S = 10.0


class BrokerError(Exception):
    """Mosquitto is not installed or did not start; the message holds what it said."""


def free_port() -> int:
    """Return a loopback port that is free at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


class Broker:
    """One Mosquitto process on 127.0.0.1."""

    def __init__(self, port: int | None = None) -> None:
        """Choose the port; nothing runs before ``start`` or ``with``."""
        self.port = port or free_port()
        self._folder = Path(tempfile.mkdtemp(prefix="classbox-broker-"))
        self._folder.chmod(0o755)
        self._process: subprocess.Popen[bytes] | None = None
        (self._folder / "mosquitto.conf").write_text(
            f"listener {self.port} 127.0.0.1\n"
            "allow_anonymous true\n"
            "persistence false\n"
            "set_tcp_nodelay true\n"
            "max_inflight_messages 1000\n"
            f"max_packet_size {PACKET_BYTES + 4096}\n",
            "ascii",
        )

    @property
    def pid(self) -> int:
        """The process id of the running broker."""
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Start the broker and return when it takes connections. Raises BrokerError."""
        program = shutil.which("mosquitto", path="/usr/sbin:/usr/bin:/usr/local/sbin")
        if program is None:
            raise BrokerError("mosquitto is not installed. Run ./box, or apt-get install mosquitto")
        log = self._folder / "log"
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                [program, "-c", str(self._folder / "mosquitto.conf")],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        pause = threading.Event()
        until = monotonic() + _START_WITHIN_S
        while monotonic() < until and self._process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", self.port), 0.5).close()
            except OSError:
                pause.wait(0.02)
            else:
                return
        self.kill()
        raise BrokerError(f"mosquitto did not start: {log.read_text('utf-8', 'replace')[-2000:]}")

    def kill(self) -> None:
        """End the broker with SIGKILL: sessions, queues and retained messages are gone."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """End the broker in an orderly way."""
        self._end(signal.SIGTERM)

    def _end(self, how: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(10)
            self._process = None

    def __enter__(self) -> Self:
        """Start the broker."""
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End the broker and remove its folder."""
        self.kill()
        shutil.rmtree(self._folder, ignore_errors=True)
