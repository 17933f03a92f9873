"""The console of a test's centre, served on a loopback port by the real server."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flask import Flask
from waitress.server import create_server

from sync.central import config
from sync.central.console.app import Parts, create_app
from sync.central.viewing import Viewing
from tests.central.centres import Centre
from tests.processes import free_port


def console_of(centre: Centre, more: str = "", viewing: Viewing | None = None) -> Flask:
    """Return the console of *centre*; *viewing*: what stands in for live view."""
    settings = config.parse(
        f'[centre]\ndata_dir = "{centre.folder}"\n{more}', "centre.toml", Path("/")
    )
    viewing = viewing or Viewing(centre.store, centre.clock, centre.signer, settings)
    return create_app(Parts(settings, centre.store, centre.media, centre.clock, viewing))


@contextmanager
def served(app: Flask) -> Iterator[str]:
    """Serve *app* and return its address without a slash at the end."""
    port = free_port()
    server = create_server(app, host="127.0.0.1", port=port, threads=4)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.close()
        thread.join(5)
