"""The WSGI server (waitress) as the kiosk runs it.

Promises that ``close`` ends every connection, idle ones too: a browser must notice, and ask the
next kiosk.
"""

from __future__ import annotations

import socket
import threading
from typing import Any

from flask import Flask
from waitress import wasyncore
from waitress.server import create_server

_TURN_S = 0.5
_END_WITHIN_S = 5


class Server:
    """Serves *app* from a thread of its own until ``close``. ``port`` 0 takes a free one."""

    def __init__(self, app: Flask, host: str, port: int, threads: int) -> None:
        """Bind the port. Raises OSError when it cannot be used."""
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listening = socket.create_server((host, port), family=family)
        self.port: int = listening.getsockname()[1]
        self._connections: dict[int, Any] = {}
        self._server = create_server(
            app, sockets=[listening], threads=threads, ident="classbox", map=self._connections
        )
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="pages", daemon=True)

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()

    def close(self) -> None:
        """Finish what is being answered, then end."""
        self._server.task_dispatcher.shutdown(timeout=_END_WITHIN_S)
        self._ended.set()
        self._thread.join(_END_WITHIN_S)

    def _run(self) -> None:
        while not self._ended.is_set():
            wasyncore.loop(timeout=_TURN_S, map=self._connections, count=1)
        wasyncore.close_all(self._connections)
