"""``classbox kiosk``: the service behind the touch screen.

READY before anything is asked of a network; the watchdog is fed only while the pages really
answer.
"""

from __future__ import annotations

import http.client
import logging
from pathlib import Path

import click

from edge import box, teaching
from edge.box import BoxService
from edge.clock import monotonic
from kiosk_ui import presence, spot_checks
from kiosk_ui.app import create_app
from kiosk_ui.parts import parts_of
from kiosk_ui.server import Server

# One thread for each stream (live.MOST_STREAMS), the rest for pages and pictures.
THREADS = 12
TIDY_EVERY_S = 1.0
ASK_EVERY_S = 5.0
_ANSWER_WITHIN_S = 3.0


class NoAnswer(Exception):
    """The pages do not answer; the watchdog will end the service if that stays."""


@click.command()
@click.pass_obj
def command(config_path: Path) -> None:
    """Serve the touch screen at the classroom door."""
    raise SystemExit(box.run("kiosk", config_path, serve))


def serve(service: BoxService) -> None:
    """Serve the pages until the service stops."""
    config = service.config.kiosk
    # A page that is closed or reloaded is no news.
    logging.getLogger("waitress").setLevel(logging.WARNING)
    app = create_app(service.config, service.ledger)
    made = parts_of(app)
    try:
        server = Server(app, config.host, config.port, THREADS)
    except OSError as error:
        raise click.ClickException(
            f"kiosk: port {config.port} of {config.host} cannot be used ({error.strerror}). "
            "End the program that uses it, or change `port` under [kiosk]."
        ) from error
    server.start()
    presence.finish(made.media, made.ledger)
    spot_checks.finish(made.media, made.ledger)
    service.ready(f"http://{config.host}:{config.port}/")
    chores = Chores(service, config.host, config.port)

    def step() -> None:
        made.live.look()
        made.phones.look()
        chores.due()

    try:
        service.loop(step, every=0)
    finally:
        made.live.close()
        made.phones.close()
        server.close()


class Chores:
    """What the kiosk does beside serving pages."""

    def __init__(self, service: BoxService, host: str, port: int) -> None:
        self._service = service
        self._host = host
        self._port = port
        self._tidied = self._asked = 0.0

    def due(self) -> None:
        """End lessons that nobody ended; feed the watchdog when the pages answer."""
        now = monotonic()
        if now - self._tidied >= TIDY_EVERY_S:
            self._tidied = now
            teaching.end_forgotten(self._service.ledger)
        if now - self._asked >= ASK_EVERY_S:
            self._asked = now
            self._ask()
            self._service.progress()

    def _ask(self) -> None:
        host = "127.0.0.1" if self._host in ("0.0.0.0", "") else self._host
        connection = http.client.HTTPConnection(host, self._port, timeout=_ANSWER_WITHIN_S)
        try:
            connection.request("GET", "/alive")
            if connection.getresponse().status >= 400:
                raise NoAnswer("the kiosk's pages answer with an error")
        except OSError as error:
            raise NoAnswer(f"the kiosk's pages do not answer: {error}") from error
        finally:
            connection.close()
