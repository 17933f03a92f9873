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
from edge.clock import SystemClock
from edge.config import Config, ConfigError
from edge.events import ServiceStarted
from edge.files import replace_file
from edge.ledger import SOFTWARE, Ledger, LedgerError
from edge.media import MediaStore
from edge.service import Service
from edge.store import StoreError


class AlreadyRunning(Exception):
    """The same service of the same box runs already."""


class NotConfigured(click.ClickException):
    """The settings leave this service out, so there is nothing to run.

    Its exit status is EX_CONFIG: the units leave such a service off instead of trying again.
    """

    exit_code = 78


class BoxService:
    """What a service of the box works with."""

    def __init__(self, service: Service, config: Config, ledger: Ledger) -> None:
        self.service = service
        self.stop = service.stop
        self.config = config
        self.ledger = ledger
        self.clock = ledger.clock
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
        """See Service.loop."""
        self.service.loop(step, every)

    def show(self, name: str, state: Mapping[str, Any]) -> None:
        """Put *state* where the kiosk finds it: a cache in tmpfs, never a fact."""
        content = json.dumps(dict(state), ensure_ascii=False).encode("utf-8")
        replace_file(self.config.runtime_dir / name, content, durable=False)


def run(name: str, config_path: Path, body: Callable[[BoxService], None]) -> int:
    """Run *body* as the service *name* of the box that *config_path* describes.

    Problems of the configuration or the ledger end as one clear line (click.ClickException).
    """
    try:
        config = configuration.load(config_path)
        config.runtime_dir.mkdir(parents=True, exist_ok=True)
        lock = _only_one(config.data_dir, name)
        ledger = Ledger.open(config.data_dir, config.box_id, SystemClock())
    except (ConfigError, LedgerError, StoreError, AlreadyRunning) as error:
        raise click.ClickException(str(error)) from error

    def with_box(service: Service) -> None:
        body(BoxService(service, config, ledger))

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
