"""``classbox people passport | pack | unpack``: templates go with their class to another box."""

from __future__ import annotations

from pathlib import Path

import click
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from camera.faces import travel
from camera.faces.gallery import Sealer
from camera.faces.travel import BadPackage
from edge.files import replace_file
from edge.keys import sealing_key
from edge.ledger import Ledger
from edge.signing import fingerprint


def write_passport(ledger: Ledger, data_dir: Path, out: Path) -> None:
    """Write this box's passport to *out* and say its fingerprint."""
    replace_file(out, travel.passport(ledger, _key(data_dir)))
    click.echo(f"{out}: {_identity(ledger.box_id, ledger.public_key)}")


def pack(ledger: Ledger, data_dir: Path, passport: Path, out: Path, expected: str | None) -> None:
    """Seal the templates to the box of *passport* into *out*."""
    try:
        to = travel.read_passport(_content(passport))
        _same(to.box, to.ledger_key, expected)
        replace_file(out, travel.pack(ledger, Sealer.of(data_dir), to))
    except BadPackage as error:
        raise click.ClickException(f"{passport}: {error}") from error
    click.echo(f"{out}: 仅 {to.box} 可打开，7 天内有效 / only {to.box} can open it, for 7 days")
    click.echo(f"本终端 / this box: {_identity(ledger.box_id, ledger.public_key)}")


def unpack(ledger: Ledger, data_dir: Path, file: Path, expected: str | None) -> None:
    """Take in the templates of *file*."""
    try:
        content = _content(file)
        _same(*travel.sender(content), expected)
        done = travel.unpack(ledger, Sealer.of(data_dir), _key(data_dir), content)
    except BadPackage as error:
        raise click.ClickException(f"{file}: {error}") from error
    click.echo(f"{done.people} 人 / people imported")
    if done.withdrawn:
        click.echo(f"{done.withdrawn} 人已在本终端撤回同意，未导入 / had withdrawn here: left out")


def _key(data_dir: Path) -> X25519PrivateKey:
    return sealing_key(data_dir / "keys" / "sealing.key")


def _content(file: Path) -> bytes:
    try:
        if file.stat().st_size > travel.LARGEST_BYTES:
            raise BadPackage("it is far too large to be one of ours.")
        return file.read_bytes()
    except OSError as error:
        raise BadPackage(f"it cannot be read ({error.strerror}). Is the stick in?") from error


def _identity(box: str, key: bytes) -> str:
    return f"{box}, {fingerprint(key)}"


def _same(box: str, key: bytes, expected: str | None) -> None:
    """Make sure that the other box is who its file says. Raises BadPackage."""
    shown = fingerprint(key)
    if expected is None:
        click.echo(f"{box}: {shown}")
        click.confirm("对方终端显示的是否相同 / Does the other box say the same?", abort=True)
    elif "".join(expected.lower().split()) != shown.replace(" ", ""):
        raise BadPackage(f"it is of another box: its key is {shown}. Nothing was changed.")
