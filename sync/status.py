"""``classbox link status``: how much the centre lacks, what it said last, how long it will take."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import click

from edge import config as configuration
from edge.box import open_ledger
from edge.clock import BoxClock, local
from edge.config import Config, ConfigError
from edge.ledger import LedgerError
from edge.media import MediaStore
from edge.store import StoreError
from sync.backlog import measure
from sync.cursor import Cursor

# What the link shows is this old at most while it runs, in microseconds.
_FRESH = 15_000_000
_LOOK_EVERY_S = 1.0


@click.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object, and no progress bar.")
@click.pass_obj
def status(config_path: Path, as_json: bool) -> None:
    """Say how much the centre lacks; in a terminal, show the progress until it has everything.

    Ctrl-C ends the progress bar, not the link.
    """
    try:
        config = configuration.load(config_path)
        told = standing(config)
    except (ConfigError, LedgerError, StoreError) as error:
        raise click.ClickException(str(error)) from error
    if as_json:
        click.echo(json.dumps(told, ensure_ascii=False))
        return
    for line in lines(told, ZoneInfo(config.time_zone)):
        click.echo(line)
    if told["running"] and _left(told) and sys.stdout.isatty():
        pause = threading.Event()
        follow(told, lambda: standing(config), lambda: bool(pause.wait(_LOOK_EVERY_S)))


def standing(config: Config) -> dict[str, Any]:
    """Return how things stand: what the link shows while it runs, else what the disk tells.

    Times are microseconds since 1970, ``seconds_left`` is None where it cannot be told. Raises
    LedgerError and StoreError.
    """
    try:
        told: dict[str, Any] = json.loads((config.runtime_dir / "link.json").read_bytes())
    except (FileNotFoundError, ValueError):
        told = {}
    clock = BoxClock.of(config.runtime_dir, config.trusted_clock)
    if "left" in told and clock.now().at - int(told["at"]) < _FRESH:
        return {**told, "running": True}
    if not (config.data_dir / "link.db").exists():
        raise LedgerError(f"{config.data_dir}: the link has not run here yet")
    _, ledger = open_ledger(config)
    cursor = Cursor(config.data_dir / "link.db")
    try:
        left = measure(ledger, MediaStore(config.data_dir / "media"), cursor, cursor.acked)
        receipt = cursor.last_receipt()
        return {
            "running": False,
            "connected": False,
            "cause": "the link does not run",
            "head": ledger.head()[0],
            "acked": cursor.acked,
            "acked_at": told.get("acked_at", 0),
            "safe": receipt["seq"] if receipt else 0,
            "safe_at": receipt["at"] if receipt else 0,
            "left": left.told(),
            "seconds_left": None,
        }
    finally:
        cursor.close()
        ledger.close()


def lines(told: Mapping[str, Any], zone: ZoneInfo) -> list[str]:
    """Return what there is to say, for people."""

    def when(at: int) -> str:
        return local(at, zone).isoformat(sep=" ", timespec="seconds") if at else "never yet"

    left = told["left"]
    seconds = told["seconds_left"]
    rest = "cannot be told yet" if seconds is None else str(timedelta(seconds=seconds))
    return [
        f"centre:   {'connected' if told['connected'] else 'not connected: ' + told['cause']}",
        f"events:   {left['events']} of {told['head']} have yet to go, {left['event_bytes']} bytes",
        f"media:    {left['files']} files have yet to go, {left['file_bytes']} bytes",
        f"last acknowledgement: event {told['acked']}, {when(told['acked_at'])}",
        f"last safe receipt:    event {told['safe']}, {when(told['safe_at'])}",
        f"time left: {rest}",
    ]


def follow(
    told: Mapping[str, Any], look: Callable[[], Mapping[str, Any]], pause: Callable[[], bool]
) -> None:
    """Show a bar until nothing is left, the link ends, or *pause* says to stop."""
    length = _left(told)
    with click.progressbar(length=length, label="to the centre", show_eta=True) as bar:
        while told["running"] and _left(told) and not pause():
            told = look()
            # New events come meanwhile: the bar never goes back.
            bar.update(max(0, length - _left(told) - bar.pos))


def _left(told: Mapping[str, Any]) -> int:
    left = told["left"]
    return int(left["event_bytes"]) + int(left["file_bytes"])
