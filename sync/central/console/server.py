"""The console's process: waitress around the application, within the shared service."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

from waitress.server import create_server

from edge.service import Service
from sync.central.console.app import Parts, create_app
from sync.central.viewing import Viewing

if TYPE_CHECKING:
    from sync.central.opened import Centre

log = logging.getLogger("classbox")

_THREADS = 8
_LOOPBACK = ("127.0.0.1", "::1", "localhost")


def serve(centre: Centre, service: Service) -> None:
    """Serve the console until the service stops."""
    config = centre.config
    viewing = Viewing(centre.store, centre.clock, centre.signer, config)
    app = create_app(Parts(config, centre.store, centre.media, centre.clock, viewing))
    server = create_server(
        app, host=config.console_host, port=config.console_port, threads=_THREADS
    )
    if config.console_host not in _LOOPBACK:
        log.warning(
            "console: listens on %s, and there is no login yet: everybody who reaches it sees "
            "names and pictures. Set console.host to 127.0.0.1.",
            config.console_host,
        )
    running = threading.Thread(target=server.run, name="waitress", daemon=True)
    running.start()
    viewing.start()
    service.ready(f"http://{config.console_host}:{config.console_port}/")
    while running.is_alive() and not service.stop.wait(1.0):
        service.progress()
    server.close()
    viewing.close()
