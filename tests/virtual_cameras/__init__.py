"""Virtual cameras: real RTSP over a real socket, with pictures that we draw ourselves.

Owns the processes it starts; promises that they listen on loopback only and end with the caller.

    with VirtualCamera(user="viewer", password="secret") as camera:
        open_it(camera.address)     # rtsp://127.0.0.1:40123/main
        camera.freeze()             # goes silent and keeps the connection
        camera.resume()
        camera.show(folder)         # somebody covers the lens, or turns the camera away
        camera.resize(640, 360)     # other stream parameters in mid-stream
        camera.kill()               # pulls the plug
        camera.restart()            # the same address again
"""

from __future__ import annotations

import json
import select
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.virtual_cameras import classroom

SYSTEM_PYTHON = "/usr/bin/python3"
PROGRAM = Path(__file__).with_name("rtsp_camera.py")
READY_WITHIN = 20.0


class CameraNotReady(RuntimeError):
    """The virtual camera could not be started; the message carries its own words."""


class VirtualCamera:
    """One RTSP camera on a loopback port.

    ``picture``: a JPEG or PNG to show instead of the drawn classroom; ``file``: a video to play in
    a loop, at ``rate`` frames a second; ``film``: an H.264 MP4 to serve as it is, which every new
    client rewinds for all others. ``plays``: a file in which it writes down at which µs of the
    wall clock it began to send video to somebody. ``audio``: "", "aac", "alaw", "mulaw"
    or "opus".
    ``kilobits`` 0: constant quality, with which one picture is encoded alike each time (H.264).
    ``codec``: "h264", "h265" or "mjpeg" (for refusals). Start it in the thread that outlives it
    (usually the main one): the kernel ends it with the thread that started it.
    """

    def __init__(
        self,
        *,
        user: str = "",
        password: str = "",
        auth: str = "digest",
        picture: Path | None = None,
        file: Path | None = None,
        film: Path | None = None,
        audio: str = "",
        codec: str = "h264",
        rate: int = 10,
        key_frame_seconds: float = 1.0,
        kilobits: int = 1000,
        udp_only: bool = False,
        plays: Path | None = None,
        port: int = 0,
    ) -> None:
        """Choose what it shows and asks for; ``port`` 0 takes a free one."""
        self.user, self.password = user, password
        self.address = ""
        self._picture, self._file = picture, file
        self._port, self._rate = port, rate
        self._options = [
            *("--auth", auth, "--audio", audio, "--codec", codec, "--rate", str(rate)),
            *("--key-frame-seconds", str(key_frame_seconds), "--kilobits", str(kilobits)),
            *(["--udp-only"] if udp_only else []),
            *(["--film", str(film)] if film else []),
            *(["--plays", str(plays)] if plays else []),
        ]
        self._process: subprocess.Popen[str] | None = None
        self._folder: Path | None = None

    def __enter__(self) -> Self:
        """Start the camera; it can be dialled when this returns."""
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End the camera and remove its pictures."""
        self.close()

    @property
    def port(self) -> int:
        """The port that it listens on."""
        return self._port

    @property
    def pid(self) -> int:
        """The process id of the running camera."""
        return self._running().pid

    def start(self) -> None:
        """Draw what is to be seen and begin to serve it."""
        if self._folder is None:
            self._folder = Path(tempfile.mkdtemp(prefix="virtual-camera-"))
            self._prepare(self._folder)
        speed = self._rate if self._file else 1
        self._process = subprocess.Popen(
            [
                *(SYSTEM_PYTHON, str(PROGRAM), "--pictures", str(self._folder)),
                *("--port", str(self._port), "--pictures-per-second", str(speed)),
                *self._options,
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdin is not None
        login = {"user": self.user, "password": self.password}
        self._process.stdin.write(json.dumps(login) + "\n")
        self._process.stdin.flush()
        self.address = self._await_address(self._process)
        self._port = int(self.address.rpartition(":")[2].partition("/")[0])

    def freeze(self) -> None:
        """Go silent with all connections open, as a crashed camera's firmware does."""
        self._running().send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Go on after a freeze."""
        self._running().send_signal(signal.SIGCONT)

    def resize(self, width: int, height: int) -> None:
        """Send pictures of another size from now on, in the session that runs."""
        self._order({"width": width, "height": height})

    def show(self, folder: Path) -> None:
        """Show the JPEG pictures of *folder* from now on, in the sessions that run."""
        self._order({"pictures": str(folder)})

    def _order(self, order: dict[str, Any]) -> None:
        process = self._running()
        assert process.stdin is not None
        process.stdin.write(json.dumps(order) + "\n")
        process.stdin.flush()

    def kill(self) -> None:
        """Pull the plug: no farewell to any client."""
        process = self._running()
        process.kill()
        self._forget(process)

    def restart(self) -> None:
        """Come back under the same address, as after a power cut of the camera."""
        if self._process is not None:
            self.kill()
        self.start()

    def close(self) -> None:
        """End the camera, however it fares, and remove its pictures."""
        if self._process is not None:
            self.kill()
        if self._folder is not None:
            shutil.rmtree(self._folder)
            self._folder = None

    def _running(self) -> subprocess.Popen[str]:
        if self._process is None:
            raise CameraNotReady("the virtual camera is not running: call start()")
        return self._process

    def _forget(self, process: subprocess.Popen[str]) -> None:
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()
        self._process = None

    def _prepare(self, folder: Path) -> None:
        if self._file is not None:
            subprocess.run(
                [
                    *("ffmpeg", "-v", "error", "-nostdin", "-i", str(self._file)),
                    *("-vf", f"fps={self._rate}", "-q:v", "3", str(folder / "%05d.jpg")),
                ],
                check=True,
            )
        elif self._picture is not None:
            _as_jpeg(self._picture, folder / "00000.jpg")
        else:
            classroom.draw_reel(folder)

    def _await_address(self, process: subprocess.Popen[str]) -> str:
        assert process.stdout is not None
        ready, _, _ = select.select([process.stdout], [], [], READY_WITHIN)
        line = process.stdout.readline() if ready else ""
        if not line.startswith("ready "):
            process.kill()
            self._forget(process)
            raise CameraNotReady(
                "the virtual RTSP camera did not start: are gir1.2-gst-rtsp-server-1.0, python3-gi "
                "and gstreamer1.0-plugins-{base,good,bad,ugly} installed?"
            )
        return line.split()[1]


def _as_jpeg(source: Path, target: Path) -> None:
    import cv2

    picture: Any = cv2.imread(str(source))
    if picture is None:
        raise FileNotFoundError(f"{source}: not a picture that OpenCV can read")
    height, width = (length - length % 2 for length in picture.shape[:2])
    cv2.imwrite(str(target), picture[:height, :width])
