"""A cable that is cut in mid-picture: carries one RTSP session over TCP and drops it at a place.

Owns one loopback port and the threads that carry; promises that not a byte behind the cut arrives.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from types import TracebackType
from typing import IO, Self

_INTERLEAVED = b"$"  # RFC 2326, 10.12: $, channel, length in two bytes, packet
_RTP_HEADER = 12  # RFC 3550, 5.1, of a server that mixes nothing
_PPS = 8  # ISO 14496-10, table 7-1
_OF_PICTURES = frozenset({1, 5, 28})  # slices, and fragments of them (RFC 6184, 5.8)


class CutCable:
    """Stands before the camera at *port* and is cut behind the parameter sets of a picture.

    That is the second picture that has any: its name has arrived, and nothing of it.
    """

    def __init__(self, port: int) -> None:
        self._camera = port
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._carrier = threading.Thread(target=self._carry)
        self.port: int = self._listening.getsockname()[1]

    def __enter__(self) -> Self:
        """Take the next connection."""
        self._carrier.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Wait for the cut."""
        self._carrier.join()
        self._listening.close()

    def _carry(self) -> None:
        client, _ = self._listening.accept()
        with client, socket.create_connection(("127.0.0.1", self._camera)) as camera:
            asking = threading.Thread(target=_pass_on, args=(client, camera))
            asking.start()
            with camera.makefile("rb") as answers:
                _pass_until_cut(answers, client)
            for end in (client, camera):
                with contextlib.suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)
            asking.join()


def _pass_on(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while content := source.recv(65_536):
            target.sendall(content)


def _pass_until_cut(answers: IO[bytes], client: socket.socket) -> None:
    pictures = False
    with contextlib.suppress(OSError):
        while mark := answers.read(1):
            if mark != _INTERLEAVED:
                client.sendall(mark)
                continue
            channel, length = answers.read(1), answers.read(2)
            packet = answers.read(int.from_bytes(length, "big"))
            client.sendall(mark + channel + length + packet)
            kind = packet[_RTP_HEADER] & 0x1F if channel == b"\0" else 0
            pictures = pictures or kind in _OF_PICTURES
            if pictures and kind == _PPS:
                return
