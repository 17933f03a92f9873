"""A camera that serves UDP only: Debian's rtsp-server-perl, fed by ffmpeg. Nobody here wrote it.

Owns both processes; promises that they listen on loopback only and end with the caller.
"""

from __future__ import annotations

import socket
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.processes import Child, free_port, wait_for

SERVER = "/usr/bin/rtsp-server-perl"


class UdpCamera:
    """Serves *film*, an H.264 file, in a loop.

    ``speed``: how many seconds of its own clock pass in one of ours; 1.25 is a camera whose clock
    runs fast.
    """

    def __init__(self, folder: Path, film: Path, *, speed: float = 1.0) -> None:
        """Start nothing yet; logs go to *folder*."""
        clients, sources = free_port(), free_port()
        self.address = f"rtsp://127.0.0.1:{clients}/main"
        self._ports = {"clients": clients, "sources": sources}
        self._server = Child(
            "rtsp-server-perl",
            [
                *(SERVER, "--clientport", str(clients), "--serverport", str(sources)),
                *("--client_listen_address", "127.0.0.1", "--source_listen_address", "127.0.0.1"),
                *("--rtp_start_port", str(free_port() // 2 * 2)),
            ],
            folder / "rtsp-server-perl.log",
        )
        self._source = Child(
            "ffmpeg",
            [
                *("ffmpeg", "-v", "error", "-nostdin", "-readrate", str(speed)),
                *("-stream_loop", "-1", "-i", film, "-map", "0:v", "-c", "copy"),
                *("-f", "rtsp", f"rtsp://127.0.0.1:{sources}/main"),
            ],
            folder / "ffmpeg.log",
        )

    def __enter__(self) -> Self:
        """Start the server and its source; it can be dialled when this returns."""
        self._server.start()
        wait_for("rtsp-server-perl listens", lambda: self._ask("sources", "OPTIONS"))
        self._source.start()
        wait_for("ffmpeg announces the film", lambda: "200 OK" in self._ask("clients", "DESCRIBE"))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End both."""
        self._source.kill()
        self._server.kill()

    def _ask(self, side: str, method: str) -> str:
        """Return the answer to an RTSP request (RFC 2326), empty while nobody listens."""
        address = f"rtsp://127.0.0.1:{self._ports[side]}/main"
        try:
            with socket.create_connection(("127.0.0.1", self._ports[side]), timeout=2) as line:
                line.sendall(f"{method} {address} RTSP/1.0\r\nCSeq: 1\r\n\r\n".encode("ascii"))
                return line.recv(4096).decode("ascii", "replace")
        except OSError:
            return ""
