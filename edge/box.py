"""A box's service: the shared loop together with the box's settings, ledger and media.

Promises that a service runs once on a box, and that its start is a fact in the ledger.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import click

from edge import config as configuration
from edge import service as services
from edge import timekeeping
from edge.clock import BoxClock, monotonic
from edge.config import Config, ConfigError
from edge.events import ServiceStarted
from edge.files import replace_file
from edge.ledger import SOFTWARE, Ledger, LedgerError
from edge.media import MediaStore
from edge.service import Service
from edge.store import StoreError

_KEEP_TIME_EVERY_S = 1.0


class AlreadyRunning(Exception):
    """The same service of the same box runs already."""


class NotConfigured(click.ClickException):
    """The settings leave this service out, so there is nothing to run.

    Its exit status is EX_CONFIG: the units leave such a service off instead of trying again.
    """

    exit_code = 78


class BoxService:
    """What a service of the box works with."""

    def __init__(self, service: Service, config: Config, clock: BoxClock, ledger: Ledger) -> None:
        self.service = service
        self.stop = service.stop
        self.config = config
        self.clock = clock
        self.ledger = ledger
        self._keep_time_at = monotonic()
        self.media = MediaStore(config.data_dir / "media")

    def ready(self, status: str = "") -> None:
        """State the start in the ledger, then say READY; call it once.

        A service that cannot even get ready, and is started again every few seconds, does not
        fill the ledger.
        """
        self.ledger.append(ServiceStarted(self.service.name, SOFTWARE))
        self.service.ready(status)

    def progress(self) -> None:
        """See Service.progress."""
        self.service.progress()

    def loop(self, step: Callable[[], object], every: float) -> None:
        """See Service.loop. Every service also states what becomes known about the time."""

        def and_keep_time() -> None:
            step()
            if monotonic() >= self._keep_time_at:
                self._keep_time_at = monotonic() + _KEEP_TIME_EVERY_S
                timekeeping.keep(self.ledger, self.clock)

        self.service.loop(and_keep_time, every)

    def show(self, name: str, state: Mapping[str, Any]) -> None:
        """Put *state* where the kiosk finds it: a cache in tmpfs, never a fact."""
        content = json.dumps(dict(state), ensure_ascii=False).encode("utf-8")
        replace_file(self.config.runtime_dir / name, content, durable=False)


def open_ledger(config: Config) -> tuple[BoxClock, Ledger]:
    """Open the ledger of the box that *config* describes, by the time that the box goes by.

    Raises LedgerError and StoreError.
    """
    clock = BoxClock.of(config.runtime_dir, config.trusted_clock)
    ledger = Ledger.open(config.data_dir, config.box_id, clock)
    last = ledger.last_at()
    if last is not None:
        clock.not_before(last)
    return clock, ledger


def run(name: str, config_path: Path, body: Callable[[BoxService], None]) -> int:
    """Run *body* as the service *name* of the box that *config_path* describes.

    Problems of the configuration or the ledger end as one clear line (click.ClickException).
    """
    try:
        config = configuration.load(config_path)
        config.runtime_dir.mkdir(parents=True, exist_ok=True)
        lock = _only_one(config.data_dir, name)
        clock, ledger = open_ledger(config)
    except (ConfigError, LedgerError, StoreError, AlreadyRunning) as error:
        raise click.ClickException(str(error)) from error

    clock.hand_down()

    def with_box(service: Service) -> None:
        body(BoxService(service, config, clock, ledger))

    try:
        return services.main(name, with_box)
    finally:
        ledger.close()
        os.close(lock)


def _only_one(data_dir: Path, name: str) -> int:
    data_dir.mkdir(parents=True, exist_ok=True)
    lock = os.open(data_dir / f"{name}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o660)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(lock)
        raise AlreadyRunning(
            f"the {name} of this box runs already. Stop it first, or use another data_dir."
        ) from error
    return lock
