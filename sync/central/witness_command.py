"""``classbox centre witness …``: state what the centre holds, have it stamped, check it later."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
from cryptography import x509

from edge.files import replace_file
from edge.forms import time_to_json
from sync.central import witness
from sync.central.opened import Centre, with_centre
from sync.central.statement import BadStatement
from sync.central.witness import BadStamp, NoWitness

STAMP_SUFFIX = ".tsr"
_NOTHING_YET = (
    "no chain has been anchored yet: the ingest does that once a day for chains that grew"
)


class _LeftOut(click.ClickException):
    """The settings name no authority; the unit's status then says so (EX_CONFIG)."""

    exit_code = os.EX_CONFIG


@click.group(name="witness")
def witness_group() -> None:
    """Let an outside witness see what this centre holds, so that nobody need believe it."""


@witness_group.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--stamp", type=int, help="What stamp NUMBER covers, and the stamp beside it.")
@with_centre
def export(centre: Centre, file: Path, stamp: int | None) -> None:
    """Write the statement of all chain heads to FILE, for the authority; it is signed."""
    with centre.store.reading() as connection:
        if stamp is None:
            content = witness.statement(connection, centre.config.name, centre.signer)
            response = None
        else:
            kept = {one.number: one for one in witness.stamps(connection)}.get(stamp)
            if kept is None:
                raise click.ClickException(
                    f"there is no stamp {stamp}. See: classbox-central witness check"
                )
            content, response = kept.statement, kept.response
    if content is None:
        raise click.ClickException(_NOTHING_YET)
    try:
        replace_file(file, content)
        if response is not None:
            replace_file(_beside(file), response)
    except OSError as error:
        raise click.ClickException(f"{file}: cannot be written: {error.strerror}") from error
    click.echo(f"{file} is written; the key that signed it: {centre.signer.public_key.hex()}")
    if response is not None:
        click.echo(f"{_beside(file)} is its time stamp (RFC 3161)")


@witness_group.command()
@with_centre
def stamp(centre: Centre) -> None:
    """Have the heads of all chains stamped by the authority of the settings; run it daily."""
    address = centre.config.witness_address
    if not address:
        raise _LeftOut(
            "no time stamp authority is set. Write [witness] with address and roots into the "
            "centre's settings (docs/witness.md), or bring `witness export` to the authority."
        )
    with centre.store.reading() as connection:
        content = witness.statement(connection, centre.config.name, centre.signer)
        last = witness.newest(connection)
    if content is None:
        click.echo(f"nothing to stamp: {_NOTHING_YET}")
        return
    if last is not None and last.statement == content:
        click.echo(f"nothing to stamp: stamp {last.number} covers all that is anchored")
        return
    try:
        roots = witness.roots_in(centre.config.witness_roots)
        response = witness.obtain(address, content, roots)
    except NoWitness as error:
        raise click.ClickException(str(error)) from error
    now = centre.clock.now().at
    with centre.store.writing() as connection:
        number = witness.keep(connection, now, address, content, response)
    when = time_to_json(witness.stamped_at(response, content, roots))
    click.echo(f"stamp {number} is stored: {address} says {when}")


@witness_group.command()
@click.argument(
    "file", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
@click.option(
    "--roots",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Root certificates of the time stamp authority (PEM), instead of those of the settings.",
)
@with_centre
def check(centre: Centre, file: Path | None, roots: Path | None) -> None:
    """Check every stored stamp, or the exported FILE, against what the centre holds now.

    One JSON object a line. Ends with status 1 when a stamp is wrong or a chain does not agree.
    """
    try:
        trusted = _roots(centre, roots)
        if file is not None:
            beside = _beside(file)
            response = beside.read_bytes() if beside.exists() else None
            told = [_checked(centre, {"file": str(file)}, file.read_bytes(), response, trusted)]
        else:
            with centre.store.reading() as connection:
                kept = witness.stamps(connection)
            told = [
                _checked(
                    centre,
                    {"stamp": one.number, "by": one.address},
                    one.statement,
                    one.response,
                    trusted,
                )
                for one in kept
            ]
    except NoWitness as error:
        raise click.ClickException(str(error)) from error
    for one in told:
        click.echo(json.dumps(one, ensure_ascii=False))
    if not told:
        click.echo("no stamp is stored yet. See: classbox-central witness stamp", err=True)
    if any(one["problems"] for one in told):
        raise SystemExit(1)


def _checked(
    centre: Centre,
    told: dict[str, Any],
    content: bytes,
    response: bytes | None,
    roots: Sequence[x509.Certificate] | None,
) -> dict[str, Any]:
    """Return what there is to say of one statement and its stamp, if it has one."""
    problems: list[str] = []
    told = {**told, "stamped": None, "agree": 0, "problems": problems}
    if response is not None:
        if roots is None:
            raise NoWitness(
                "a stamp can only be checked against its authority's certificates: give --roots "
                "FILE, or write [witness] roots into the centre's settings"
            )
        try:
            told["stamped"] = time_to_json(witness.stamped_at(response, content, roots))
        except BadStamp as error:
            problems.append(f"the stamp: {error}")
    try:
        with centre.store.reading() as connection:
            found = witness.compare(connection, content, centre.signer.public_key)
    except BadStatement as error:
        problems.append(f"the statement: {error}")
    else:
        told["agree"] = found.agree
        problems += found.problems
    return told


def _roots(centre: Centre, given: Path | None) -> list[x509.Certificate] | None:
    if given is None and not centre.config.witness_address:
        return None
    return witness.roots_in(given or centre.config.witness_roots)


def _beside(file: Path) -> Path:
    return file.with_name(file.name + STAMP_SUFFIX)
