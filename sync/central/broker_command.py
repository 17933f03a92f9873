"""``classbox centre broker … | enrol | revoke | crl``: who may come to the broker."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import click

from edge.signing import fingerprint, same_fingerprint
from sync.central import broker, enrolment
from sync.central.authority import SERVER, Authority, AuthorityProblem
from sync.central.opened import Centre, with_centre
from sync.enrolment import BadEnrolment, read_request
from sync.messages import MEDIA_SUFFIX, SHARDS


def _problems_said(use: Callable[..., None]) -> Callable[..., None]:
    """Let what people can mend end as one clear line."""

    @wraps(use)
    def said(*args: Any, **kwargs: Any) -> None:
        try:
            use(*args, **kwargs)
        except (AuthorityProblem, BadEnrolment, OSError) as error:
            raise click.ClickException(str(error)) from error

    return said


@click.group("broker")
def broker_group() -> None:
    """The broker's certificates and configuration."""


@broker_group.command()
@click.option(
    "--host",
    "hosts",
    multiple=True,
    help="Name or address by which boxes call the broker; may be repeated, the first is given "
    "to boxes.",
)
@click.option("--address", default="", help="Listen on this address only.")
@click.option(
    "--ingesters",
    type=click.IntRange(1, len(SHARDS)),
    default=1,
    show_default=True,
    help="How many ingesters get certificates.",
)
@with_centre
@_problems_said
def init(centre: Centre, hosts: tuple[str, ...], address: str, ingesters: int) -> None:
    """Make the authority, the certificates and the broker's configuration; may be repeated."""
    folder = centre.config.data_dir / "authority"
    if not hosts and not (folder / f"{SERVER}.pem").exists():
        raise click.UsageError("say by which name boxes call the broker: --host NAME")
    authority = Authority.create(folder, centre.config.name)
    # The ingest on this machine calls it by the name in its own settings.
    called = dict.fromkeys([*hosts, centre.config.broker_host]) if hosts else ()
    authority.own(SERVER, tuple(called))
    for number in range(1, ingesters + 1):
        for suffix in ("", MEDIA_SUFFIX):
            authority.own(broker.ingester(number) + suffix)
    authority.own(broker.CONSOLE)
    authority.renew(centre.clock.now().at)
    _write(centre, authority, address, ingesters)
    click.echo(f"This centre's fingerprint, which boxes ask for: {_fingerprint(centre)}")
    click.echo(f"Back up {folder} and {centre.config.data_dir / 'keys'}: boxes know no others.")


@broker_group.command()
@click.option("--address", default="", help="Listen on this address only.")
@click.option(
    "--ingesters",
    type=click.IntRange(1, len(SHARDS)),
    default=1,
    show_default=True,
    help="How many ingesters may connect.",
)
@with_centre
@_problems_said
def config(centre: Centre, address: str, ingesters: int) -> None:
    """Write the broker's configuration and access list again."""
    _write(centre, _authority(centre), address, ingesters)


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--replace", is_flag=True, help="The box has a new key, or is back after a loss.")
@click.option("--fingerprint", "expected", help="Of the box's key; without it you are asked.")
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where to write the answer; by default enrolled-BOX.json here.",
)
@with_centre
@_problems_said
def enrol(
    centre: Centre, file: Path, replace: bool, expected: str | None, out: Path | None
) -> None:
    """Take in the box whose request is FILE, and write what it is answered."""
    authority = _authority(centre)
    asked = read_request(file.read_bytes())
    shown = fingerprint(asked.public_key)
    if expected is None:
        click.echo(f"The key of box {asked.box}: {shown}")
        click.confirm("Does the box say the same?", abort=True)
    elif not same_fingerprint(asked.public_key, expected):
        raise BadEnrolment(f"{file} is of another box: its key is {shown}. Nothing was changed.")
    now = centre.clock.now().at
    certificates = enrolment.enrol(centre.store, authority, asked, now, replace)
    answer = enrolment.answer(centre.config, authority, centre.signer, asked, certificates)
    place = out or Path(f"enrolled-{asked.box}.json")
    place.write_bytes(answer)
    if replace:
        _reload(centre, authority)
    click.echo(f"{asked.box} is enrolled. Bring {place} to it, and run there:")
    click.echo(f"  classbox enrol accept {place.name}")
    click.echo(f"The box asks for this centre's fingerprint: {_fingerprint(centre)}")


@click.command()
@click.argument("box")
@with_centre
@_problems_said
def revoke(centre: Centre, box: str) -> None:
    """Put BOX out: stolen, lost, or out of use. What it has sent stays."""
    authority = _authority(centre)
    if not enrolment.revoke(centre.store, authority, box, centre.clock.now().at):
        raise click.ClickException(f"there is no box {box}. List them: classbox centre boxes")
    click.echo(f"{box} is revoked: nothing is taken from it any more, and nothing sent to it.")
    _reload(centre, authority)
    click.echo("To end a connection that it holds open now, restart the broker; nothing is lost.")


@click.command()
@with_centre
@_problems_said
def crl(centre: Centre) -> None:
    """Sign the revocation list anew and let the broker read it; the ingest does so by itself."""
    authority = _authority(centre)
    authority.renew(centre.clock.now().at)
    click.echo(f"{authority.crl} is valid until {authority.expires():%Y-%m-%d}.")
    _reload(centre, authority)


def _authority(centre: Centre) -> Authority:
    return Authority(centre.config.data_dir / "authority")


def _fingerprint(centre: Centre) -> str:
    return fingerprint(centre.signer.public_key)


def _write(centre: Centre, authority: Authority, address: str, ingesters: int) -> None:
    folder = centre.config.data_dir / "broker"
    # Run as root Mosquitto would become a user who may not read these files.
    listener = broker.Listener(centre.config.broker_port, address, centre.config.data_dir.owner())
    path = broker.write(folder, authority, listener, ingesters)
    click.echo(f"{path} is written. Start the broker: systemctl restart classbox-centre-broker")


def _reload(centre: Centre, authority: Authority) -> None:
    if broker.reload(centre.config.data_dir / "broker"):
        click.echo("The broker has been told.")
    else:
        click.echo(
            f"No broker of this centre runs here under this account. Bring {authority.crl} to it "
            "and let it read that again: systemctl reload classbox-centre-broker"
        )
