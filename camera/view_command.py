"""``classbox cameras accept-view``: a camera was moved on purpose."""

from __future__ import annotations

from pathlib import Path

import click

from camera.sight import kept_view
from edge import config as configuration
from edge.config import ConfigError


@click.command("accept-view")
@click.argument("camera")
@click.pass_obj
def accept_view(config_path: Path, camera: str) -> None:
    """Take what CAMERA shows from now on for its view, and clear the alert that it was turned.

    The view is learnt again within two minutes of recording.
    """
    try:
        config = configuration.load(config_path)
    except ConfigError as error:
        raise click.ClickException(str(error)) from error
    kept = kept_view(config.data_dir, camera)
    try:
        kept.unlink()
    except FileNotFoundError as error:
        raise click.ClickException(
            f"{camera}: no view of this camera is kept, so there is nothing to accept. "
            "See: classbox cameras list."
        ) from error
    click.echo(f"{camera}: its view is learnt again at its next recording.")
