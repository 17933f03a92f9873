"""``classbox retention``: what would leave this box now, by which rule."""

from __future__ import annotations

from pathlib import Path
from zoneinfo import ZoneInfo

import click

from edge import config as configuration
from edge.clock import SystemClock, local
from edge.config import ConfigError
from edge.ledger import Ledger, LedgerError
from edge.media import MediaStore
from edge.retention import leaving
from edge.store import StoreError
from sync.cursor import Cursor


@click.command()
@click.option("--pressed", is_flag=True, help="As if the disk needed room.")
@click.pass_obj
def command(config_path: Path, pressed: bool) -> None:
    """List the media files that the link deletes from this box next, and why; delete nothing.

    The oldest first: end of the lesson, sort, rule, size, name.
    """
    try:
        config = configuration.load(config_path)
        if not (config.data_dir / "link.db").exists():
            raise LedgerError(f"{config.data_dir}: the link has not run here yet: nothing may go")
        ledger = Ledger.open(config.data_dir, config.box_id, SystemClock())
        cursor = Cursor(config.data_dir / "link.db")
    except (ConfigError, LedgerError, StoreError) as error:
        raise click.ClickException(str(error)) from error
    try:
        media = MediaStore(config.data_dir / "media")
        found = leaving(ledger, media, cursor, ledger.clock.now(), pressed)
    finally:
        cursor.close()
        ledger.close()
    zone = ZoneInfo(config.time_zone)
    for one in found:
        when = local(one.since, zone).isoformat(sep=" ", timespec="seconds")
        click.echo(f"{when} {one.sort:<9} {one.rule:<7} {one.bytes:>12} {one.sha256[:12]}…")
    click.echo(f"{len(found)} files, {sum(one.bytes for one in found)} bytes may go")
