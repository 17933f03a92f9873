"""``classbox ledger``: what can be done with the box's ledger at a command line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from zoneinfo import ZoneInfo

import click

from edge import config as configuration
from edge import erasure, ledger_export, proof, times
from edge.box import open_ledger
from edge.clock import local
from edge.config import Config, ConfigError
from edge.ledger import Ledger, LedgerError, projection_rows
from edge.ledger_export import Origin
from edge.media import MediaStore
from edge.model import ClockQuality
from edge.proof import Report
from edge.rules.moments import Moment
from edge.store import StoreError


@click.group()
def command() -> None:
    """Verify, show, export, compare or rebuild the ledger of this box; erase a person from it."""


@command.command()
@click.option(
    "--export",
    type=click.Path(exists=True, path_type=Path),
    help="Check this exported ledger instead; it needs no box.",
)
@click.pass_obj
def verify(config_path: Path, export: Path | None) -> None:
    """Check every hash, link and signature, and that the screens' tables agree with the events.

    Ends with status 1 when anything is wrong.
    """
    if export is not None:
        with _read(export) as (origin, records):
            _tell(ledger_export.verify(origin, records))
        return
    with _opened(config_path) as (config, ledger):
        report = ledger.verify()
        media = MediaStore(config.data_dir / "media")
        for sha256 in media.missing(ledger):
            report.problems.append(f"media {sha256[:12]}…: an event names it, the disk lacks it")
        for file in media.unknown(ledger):
            click.echo(f"note: {file.name[:12]}… lies in the media folder and no event names it")
    _tell(report)


@command.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.pass_obj
def export(config_path: Path, file: Path) -> None:
    """Write the ledger to FILE, which proves itself: `classbox ledger verify --export FILE`.

    It holds personal data, and a later erasure does not reach it: keep it accordingly.
    """
    with _opened(config_path) as (_, ledger):
        try:
            file.touch(mode=0o600)
            with file.open("wb") as written:
                count = ledger_export.write(ledger, written)
        except OSError as error:
            raise click.ClickException(f"{file}: cannot be written: {error.strerror}") from error
    click.echo(f"{file}: {count} events")


@command.command()
@click.argument("other", type=click.Path(exists=True, path_type=Path))
@click.pass_obj
def compare(config_path: Path, other: Path) -> None:
    """Compare the ledger of this box with OTHER: an export, a ledger.db or the folder of one.

    Ends with status 1 when they do not hold the same events.
    """
    with _opened(config_path) as (_, ledger), _read(other) as (origin, records):
        found = ledger_export.compare(ledger.records(), records)
        same_birth = origin.uuid == ledger.uuid
    if not same_birth:
        click.echo(f"another ledger: {origin.uuid} of box {origin.box}")
    click.echo(f"both hold events 1 to {found.common}" if found.common else "nothing is common")
    for where, last in (("here", found.here), ("there", found.there)):
        if last > found.common:
            click.echo(f"only {where}: events {found.common + 1} to {last}")
    if min(found.here, found.there) > found.common > 0:
        click.echo(f"they part behind event {found.common}")
    for where, count in (("here", found.erased_here), ("there", found.erased_there)):
        if count:
            click.echo(f"note: {count} bodies are erased {where} and not on the other side")
    if not found.equal:
        raise SystemExit(1)


@command.command()
@click.option("--after", default=0, show_default=True, help="Show events with a higher seq.")
@click.option("--limit", default=50, show_default=True, help="Show at most that many.")
@click.option("--kind", default="", help="Only events of this kind.")
@click.option("--bodies", is_flag=True, help="Show bodies too; they may hold personal data.")
@click.pass_obj
def show(config_path: Path, after: int, limit: int, kind: str, bodies: bool) -> None:
    """Print events, one on a line: seq, time, clock, kind."""
    with _opened(config_path) as (config, ledger):
        zone = ZoneInfo(config.time_zone)
        shown = 0
        while shown < limit and (batch := ledger.events(after)):
            for record in batch:
                event = record.event
                after = event.seq
                if kind and event.kind != kind:
                    continue
                when = local(event.reading.at, zone).isoformat(sep=" ", timespec="milliseconds")
                line = f"{event.seq:>8} {when} {event.reading.clock:<14} {event.kind}"
                if bodies:
                    text = "(erased)" if record.body is None else _one_line(record.body)
                    line = f"{line} {text}"
                if event.reading.clock is ClockQuality.UNSYNCHRONISED:
                    with ledger.store.read() as connection:
                        line = f"{line} {_really(times.moment(connection, event.seq), zone)}"
                click.echo(line)
                shown += 1
                if shown == limit:
                    break


@command.command()
@click.pass_obj
def rebuild(config_path: Path) -> None:
    """Derive the screens' tables again from the events, and say which of them changed."""
    with _opened(config_path) as (_, ledger):
        before = projection_rows(ledger)
        ledger.rebuild()
        after = projection_rows(ledger)
    changed = [table for table in after if after[table] != before[table]]
    rows = sum(len(table) for table in after.values())
    click.echo(f"{rows} rows derived again; changed: {', '.join(changed) or 'none'}")


@command.command()
@click.option("--person", required=True, help="Whom: the id on the roster.")
@click.option(
    "--reason",
    required=True,
    type=click.Choice(erasure.REASONS),
    help="Consent withdrawn, the time of keeping over, or an order of a court or an authority.",
)
@click.option("--yes", is_flag=True, help="Erase; without it only say what would be erased.")
@click.pass_obj
def erase(config_path: Path, person: str, reason: str, yes: bool) -> None:
    """Erase what this box holds of a trainee: what events say, photos, face templates, names.

    The chain stays verifiable and shows that something was erased. The centre erases its own copy
    when it hears of it.
    """
    with _opened(config_path) as (config, ledger):
        try:
            if yes:
                media = MediaStore(config.data_dir / "media")
                found = erasure.erase(ledger, media, [person], reason)
            else:
                with ledger.store.read() as connection:
                    found = erasure.find(connection, [person])
        except erasure.CannotErase as error:
            raise click.ClickException(str(error)) from error
        told = ", ".join(f"{count} {name}" for name, count in found.told().items())
        if not yes:
            click.echo(f"would erase: {told}. Nothing is changed yet; add --yes to erase.")
            return
        if not erasure.empty_wal(ledger):
            raise click.ClickException(
                "erased, but a process reads the database all the time and keeps old pages in its "
                "log. Run the same command again, or restart the services of the box."
            )
        click.echo(f"erased: {told}")


def _really(moment: Moment, zone: ZoneInfo) -> str:
    earliest, latest = (
        "?" if at is None else local(at, zone).isoformat(sep=" ", timespec="milliseconds")
        for at in (moment.earliest, moment.latest)
    )
    return f"(really {earliest} to {latest})"


def _tell(report: Report) -> None:
    for problem in report.problems:
        click.echo(problem, err=True)
    erased = f", {report.erased} with an erased body" if report.erased else ""
    click.echo(f"{report.events} events{erased}, {len(report.problems)} problems")
    if not report.intact:
        raise SystemExit(1)


@contextmanager
def _read(path: Path) -> Iterator[tuple[Origin, Iterator[proof.Record]]]:
    try:
        with ledger_export.opened(path) as found:
            yield found
    except ledger_export.BadExport as error:
        raise click.ClickException(f"{path}: {error}") from error


def _one_line(content: bytes) -> str:
    return json.dumps(json.loads(content), ensure_ascii=False, sort_keys=True)


@contextmanager
def _opened(config_path: Path) -> Iterator[tuple[Config, Ledger]]:
    try:
        config = configuration.load(config_path)
        if not (config.data_dir / "ledger.db").exists():
            raise LedgerError(f"{config.data_dir}: there is no ledger here yet")
        _, ledger = open_ledger(config)
    except (ConfigError, LedgerError, StoreError) as error:
        raise click.ClickException(str(error)) from error
    try:
        yield config, ledger
    finally:
        ledger.close()
