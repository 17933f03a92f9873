"""``classbox centre …``: the centre's processes and what its staff do at a command line."""

from __future__ import annotations

import errno
import fcntl
import json
import tomllib
from datetime import datetime
from pathlib import Path

import click
from sqlalchemy import select

from edge import service as services
from edge.documents import BINDINGS, KINDS, BadDocument
from edge.events import canonical
from edge.model import SECOND
from edge.service import Service
from sync.central import (
    broker,
    broker_command,
    documents,
    draws_command,
    metrics,
    projections,
    receipts,
    staff_command,
    tables,
    witness_command,
)
from sync.central.authority import AuthorityProblem
from sync.central.bundle.make_command import evidence_group
from sync.central.filing.command import filing
from sync.central.ingest import Ingest
from sync.central.logins import with_sealed_logins
from sync.central.opened import Centre, with_centre
from sync.central.share import Share
from sync.messages import BadMessage, topic


@click.group()
def command() -> None:
    """The centre: takes in what the boxes send, and shows it to staff."""


for _one in (
    broker_command.broker_group,
    broker_command.enrol,
    broker_command.revoke,
    broker_command.crl,
    witness_command.witness_group,
    evidence_group,
    draws_command.draws,
    filing,
    *staff_command.COMMANDS,
):
    command.add_command(_one)


@click.group(commands=command.commands)
@click.option(
    "--config",
    envvar="CLASSBOX_CONFIG",
    type=click.Path(path_type=Path),
    default=Path("/etc/classbox/centre.toml"),
    show_default=True,
    help="Settings of the centre.",
)
@click.pass_context
def main(ctx: click.Context, config: Path) -> None:
    """``classbox-central``: the same commands under a name of their own."""
    ctx.obj = config


@command.command()
@click.option("--number", default=1, show_default=True, help="Which of the ingesters this is.")
@click.option("--of", default=1, show_default=True, help="How many divide the boxes, at most 16.")
@with_centre
def ingest(centre: Centre, number: int, of: int) -> None:
    """Take in events and media from the boxes, and send them their documents."""
    try:
        share = Share(number, of)
    except ValueError as error:
        raise click.ClickException(str(error)) from error
    lock = (centre.config.data_dir / f"{share.name}.lock").open("ab")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise click.ClickException(f"ingester {number} of this centre runs already") from error

    def body(service: Service) -> None:
        try:
            broker.check(centre.config, broker.ingester(number))
        except AuthorityProblem as error:
            raise click.ClickException(str(error)) from error
        ingester = Ingest(
            centre.config, centre.store, centre.media, centre.clock, centre.signer, share
        )
        ingester.run(service)

    port = centre.config.metrics_port
    try:
        with lock, metrics.served(port + number - 1 if port else 0):
            services.main(f"centre-{share.name}", body)
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise
        raise click.ClickException(
            f"port {port + number - 1} is taken: correct the key `metrics_port`"
        ) from error


@command.command()
@with_centre
def console(centre: Centre) -> None:
    """Serve the pages for staff (no login yet: keep it on loopback)."""
    from sync.central.console.server import serve

    services.main("centre-console", lambda service: serve(centre, service))


@command.command()
@click.argument("box")
@click.argument("kind", type=click.Choice(KINDS))
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@with_centre
def publish(centre: Centre, box: str, kind: str, file: Path) -> None:
    """Give BOX a document: what FILE states (JSON, or TOML).

    Logins of cameras are sealed to the box before anything is stored.
    """
    try:
        topic(box, "")
        content = file.read_bytes()
        if file.suffix == ".toml":
            content = canonical(tomllib.loads(content.decode("utf-8")))
        now = centre.clock.now().at
        if kind == BINDINGS:
            with centre.store.reading() as connection:
                content = with_sealed_logins(connection, box, content, centre.signer)
        version = documents.store_document(centre.store, box, kind, content, now)
    except TypeError as error:
        raise click.ClickException(f"{file}: write times as text in quotes ({error})") from error
    except tomllib.TOMLDecodeError as error:
        raise click.ClickException(f"{file}: not valid TOML: {error}") from error
    except (BadDocument, BadMessage, documents.TooBig, UnicodeDecodeError) as error:
        raise click.ClickException(f"{file}: {error}") from error
    click.echo(f"{box}: {kind} version {version} is stored; the ingest sends it within a second")


@command.command()
@with_centre
def boxes(centre: Centre) -> None:
    """List the boxes: how far each is, one JSON object a line."""
    with centre.store.reading() as connection:
        rows = connection.execute(
            select(tables.box, tables.ledger.c.last)
            .join(tables.ledger, tables.ledger.c.uuid == tables.box.c.ledger)
            .order_by(tables.box.c.id)
        ).all()
    for row in rows:
        told = {
            "box": row.id,
            "ledger": row.ledger,
            "held": row.last,
            "backlog": max(0, row.head - row.last),
            "media_waiting": row.media_waiting,
            "last_seen": row.last_seen,
            "software": row.software,
        }
        click.echo(json.dumps(told, ensure_ascii=False))


@command.command()
@with_centre
def rebuild(centre: Centre) -> None:
    """Derive what the console shows again from the events."""
    with centre.store.writing() as connection:
        projections.rebuild(connection)
    click.echo("rebuilt")


@command.group()
def backup() -> None:
    """Say which backups were made: what they hold, boxes may delete."""


@backup.command()
@click.option(
    "--until",
    required=True,
    help="When the backup was begun, such as 2026-11-25T04:00, in the centre's time zone.",
)
@click.option("--place", required=True, help="Where it lies, for people.")
@with_centre
def note(centre: Centre, until: str, place: str) -> None:
    """Note a backup of database and media after it was made and looked at."""
    try:
        time = datetime.fromisoformat(until)
        aware = time if time.tzinfo else time.replace(tzinfo=centre.config.zone)
        with centre.store.writing() as connection:
            moment = int(aware.timestamp()) * SECOND
            receipts.note(connection, moment, place, centre.clock.now().at)
    except receipts.BadNote as error:
        raise click.ClickException(str(error)) from error
    except ValueError as error:
        raise click.ClickException(f"{until!r}: write it as 2026-11-25T04:00") from error
    click.echo(f"noted: what arrived until {aware.isoformat(sep=' ')} is safe in {place}")


@backup.command(name="list")
@with_centre
def list_backups(centre: Centre) -> None:
    """List the noted backups, the latest note first, one JSON object a line."""
    with centre.store.reading() as connection:
        for one in receipts.noted(connection):
            told = {"until": one.until, "noted_at": one.noted_at, "place": one.place}
            click.echo(json.dumps(told, ensure_ascii=False))
