"""A real Mosquitto for tests and the demo: its own folder, a loopback port, no persistence.

``with Broker() as broker``: ``broker.port``; ``broker.kill()`` (SIGKILL: it forgets everything),
``broker.start()`` (on the same port). It ends by its process id, or with this process.
"""

from __future__ import annotations

import getpass
import shutil
import socket
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Self

from sync.messages import PACKET_LIMIT
from tests.processes import Child, NotInTime, free_port, wait_for


class Broker:
    """One Mosquitto process on 127.0.0.1."""

    def __init__(self, port: int | None = None, settings: Path | None = None) -> None:
        """Choose the port; nothing runs before ``start`` or ``with``.

        *settings*: a configuration of its own that listens on *port*, such as a generated one.
        """
        program = shutil.which("mosquitto", path="/usr/sbin:/usr/bin:/usr/local/sbin")
        if program is None:
            raise NotInTime("mosquitto is not installed. Run ./box, or apt-get install mosquitto")
        self.port = port or free_port()
        self._folder = Path(tempfile.mkdtemp(prefix="classbox-broker-"))
        self.log = self._folder / "log"
        if settings is None:
            settings = self._open_settings()
        self._child = Child("broker", [program, "-c", settings], self.log)

    def _open_settings(self) -> Path:
        """Write a configuration that lets everybody on this machine do anything."""
        settings = self._folder / "mosquitto.conf"
        settings.write_text(
            f"listener {self.port} 127.0.0.1\n"
            # Run as root it would change its user, and by that stop ending with its parent.
            f"user {getpass.getuser()}\n"
            "allow_anonymous true\n"
            "persistence false\n"
            "set_tcp_nodelay true\n"
            "max_inflight_messages 1000\n"
            f"max_packet_size {PACKET_LIMIT}\n",
            "ascii",
        )
        return settings

    @property
    def pid(self) -> int:
        """The process id of the running broker."""
        return self._child.pid

    def start(self) -> None:
        """Start the broker and return when it takes connections."""
        self._child.start()
        wait_for("mosquitto takes connections", self._takes_connections)

    def kill(self) -> None:
        """End the broker with SIGKILL: sessions, queues and retained messages are gone."""
        self._child.kill()

    def stop(self) -> None:
        """End the broker in an orderly way."""
        self._child.stop()

    def _takes_connections(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port), 0.5).close()
        except OSError:
            if not self._child.running():
                raise NotInTime(f"mosquitto did not start:\n{self._child.tail()}") from None
            return False
        return True

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
