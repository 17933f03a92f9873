"""An ONVIF camera in a network namespace of its own, from a package that nobody here wrote.

Owns the namespace and the process in it; promises that nothing of it can be reached from outside
and that both end with the caller.
"""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Self

from tests.virtual_cameras.network import Cable

READY_WITHIN = 30.0
_PREPARE = (
    "ip link set lo up && ip link set lo multicast on && ip route add default dev lo && "
    'exec "$0" -m tests.virtual_cameras.onvif_program'
)


class OnvifCamera:
    """ipycam with an ONVIF login. It reports addresses of a host that nobody can dial.

    With a *cable* it stands at its far end, at the address that the cable gives it. *environment*
    is added to its process's, such as another time (tests.processes).
    """

    user, password = "admin", "secret-of-ipycam"
    serial = "IPY-0001"
    port = 8081

    def __init__(
        self, cable: Cable | None = None, environment: Mapping[str, str] | None = None
    ) -> None:
        self._cable = cable
        self._environment = dict(environment or {})

    @property
    def address(self) -> str:
        """Where it is dialled from ``inside``, or from the cable's other end."""
        host = self._cable.address if self._cable else "127.0.0.1"
        return f"onvif://{host}:{self.port}"

    def __enter__(self) -> Self:
        """Start the camera; it can be asked when this returns."""
        self.start()
        return self

    def start(self) -> None:
        """Switch the camera on; it can be asked when this returns."""
        program = [sys.executable, "-m", "tests.virtual_cameras.onvif_program"]
        alone = ["unshare", *namespace_options(), "--net", "sh", "-c", _PREPARE, sys.executable]
        command: Sequence[str] = [*self._cable.camera, *program] if self._cable else alone
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=os.environ | self._environment,
            text=True,
        )
        settings = {
            "username": self.user,
            "password": self.password,
            "local_ip": "192.0.2.7",
            "onvif_port": self.port,
            "serial_number": self.serial,
            "main_width": 640,
            "main_height": 360,
            "main_fps": 10,
            "main_bitrate": "1M",
            "sub_width": 320,
            "sub_height": 180,
        }
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(json.dumps(settings) + "\n")
        self._process.stdin.flush()
        ready, _, _ = select.select([self._process.stdout], [], [], READY_WITHIN)
        if not ready or self._process.stdout.readline() != "ready\n":
            self.kill()
            raise RuntimeError("ipycam did not start: are ipycam, ffmpeg and iproute2 installed?")

    def freeze(self) -> None:
        """Go silent with all connections open, as a crashed camera's firmware does."""
        self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Go on after a freeze."""
        self._process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        """Pull the plug: no farewell to any client."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()

    def restart(self) -> None:
        """Come back under the same address, as after a power cut of the camera."""
        self.kill()
        self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End the camera; its namespace goes with it."""
        self.kill()

    @property
    def inside(self) -> list[str]:
        """What to put before a command so that it runs in the camera's network."""
        user = [] if os.geteuid() == 0 else ["--user", "--preserve-credentials"]
        return ["nsenter", "--target", str(self._process.pid), *user, "--net"]


def namespace_options() -> list[str]:
    """Return what ``unshare`` needs besides the namespace where we are not root."""
    return [] if os.geteuid() == 0 else ["--map-root-user"]
