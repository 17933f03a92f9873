"""What the commands of a centre work with, opened by its settings."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import click

from edge.clock import SystemClock
from edge.keys import KeyProblem, Signer
from edge.settings import ConfigError
from sync.central.config import CentreConfig, load
from sync.central.media import MediaFolder
from sync.central.store import CentralStore, StoreProblem


class Centre:
    """What the commands of a centre work with."""

    def __init__(self, config: CentreConfig) -> None:
        self.config = config
        config.data_dir.mkdir(parents=True, exist_ok=True)
        self.store = CentralStore(config.database)
        self.media = MediaFolder(config.data_dir / "media")
        self.clock = SystemClock(config.trusted_clock)
        self.signer = Signer(config.data_dir / "keys" / "centre.key")


def with_centre(use: Callable[..., None]) -> Callable[..., None]:
    """Open the centre that ``--config`` names; problems end as one clear line."""

    @click.pass_obj
    @wraps(use)
    def opened(config_path: Path, /, *args: Any, **kwargs: Any) -> None:
        try:
            centre = Centre(load(config_path))
        except (ConfigError, KeyProblem, StoreProblem, OSError) as error:
            raise click.ClickException(str(error)) from error
        try:
            use(centre, *args, **kwargs)
        finally:
            centre.store.close()

    return opened
