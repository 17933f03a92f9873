"""``classbox evidence verify``: whether a bundle is what its centre signed; needs no centre."""

from __future__ import annotations

from pathlib import Path

import click

from sync.central.bundle import explain, form
from sync.central.bundle.archive import Archive, BadArchive
from sync.central.bundle.chains import Fault
from sync.central.bundle.verify import Stamped, verify

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group()
def command() -> None:
    """Evidence that somebody handed over: check it, offline, without a box or a centre."""


@command.command(name="verify")
@click.argument("bundle", type=_FILE)
@click.option(
    "--trust",
    required=True,
    metavar="FINGERPRINT",
    help="Of the centre's key, as the centre told you: classbox centre evidence key.",
)
@click.option(
    "--statement",
    type=_FILE,
    help="A statement of this centre that you kept (classbox centre witness export).",
)
@click.option(
    "--roots",
    type=_FILE,
    help="Root certificates (PEM) of the time stamp authority, to check the stamps in BUNDLE.",
)
def verify_bundle(bundle: Path, trust: str, statement: Path | None, roots: Path | None) -> None:
    """Check BUNDLE and say in words what it proves and what not; status 1 at the first fault."""
    try:
        key = form.key_from(trust)
    except ValueError as error:
        raise click.UsageError(f"--trust: {error}") from error
    outside = None if statement is None else statement.read_bytes()
    try:
        with Archive(bundle) as archive:
            proven = verify(archive, key, outside, _stamped(roots))
    except (Fault, BadArchive) as error:
        click.echo(explain.refused(error.code, error.place))
        raise SystemExit(1) from error
    click.echo(explain.accepted(proven))


def _stamped(roots: Path | None) -> Stamped | None:
    if roots is None:
        return None
    # Only who has stamps to check pays for what reads them.
    from sync.central import witness

    try:
        trusted = witness.roots_in(roots)
    except witness.NoWitness as error:
        raise click.ClickException(str(error)) from error
    return lambda response, content: witness.stamped_at(response, content, trusted)


if __name__ == "__main__":  # where the rest of this software cannot run, such as on Windows
    command()
