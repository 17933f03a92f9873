"""``classbox enrol …``: a box becomes one of a centre's, by two files that people carry.

Owns the box's side: its keys for the broker, the request, and what an answer puts in force.
Promises that no private key leaves the box, that nothing changes before the answer was checked
whole, and that accepting the same answer again changes nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from edge import box, keys
from edge import config as configuration
from edge.config import Config, ConfigError
from edge.events import BoxEnrolled
from edge.files import replace_file
from edge.keys import KeyProblem, Signer
from edge.ledger import Ledger, LedgerError
from edge.signing import fingerprint, same_fingerprint
from edge.store import StoreError
from sync import tls
from sync.enrolment import (
    Answered,
    Asked,
    BadEnrolment,
    file_of,
    read_answer,
    request_bytes,
)
from sync.messages import MEDIA_SUFFIX

_NAMES = {"facts": "", "media": MEDIA_SUFFIX}


@click.group()
def command() -> None:
    """Make this box one of a centre's, without a network."""


@command.command()
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where to write it; by default enrol-BOX.json here.",
)
@click.pass_obj
def request(config_path: Path, out: Path | None) -> None:
    """Write the file that the centre needs; it holds no secret."""
    with _opened(config_path) as (config, ledger):
        asked = ask(config, ledger)
        signer = Signer(config.data_dir / "keys" / "ledger.key")
        file = out or Path(f"enrol-{config.box_id}.json")
        try:
            file.write_bytes(file_of(request_bytes(asked), signer.sign(request_bytes(asked))))
        except OSError as error:
            raise click.ClickException(f"{file}: cannot be written: {error}") from error
    click.echo(f"{file} is written. Bring it to the centre, and run there:")
    click.echo(f"  classbox-central enrol {file.name}")
    click.echo(f"The centre asks for this box's fingerprint: {fingerprint(asked.public_key)}")


@command.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--fingerprint", "expected", help="Of the centre's key; without it you are asked.")
@click.pass_obj
def accept(config_path: Path, file: Path, expected: str | None) -> None:
    """Take the centre's answer in FILE, after its key was compared with what the centre says."""
    with _opened(config_path) as (config, ledger):
        try:
            answered = read_answer(file.read_bytes())
            check(config, ledger, answered)
        except BadEnrolment as error:
            raise click.ClickException(f"{file}: {error}") from error
        shown = fingerprint(answered.centre_key)
        if expected is None:
            click.echo(f"The key of centre {answered.centre or '(without a name)'}: {shown}")
            click.confirm("Does the centre say the same?", abort=True)
        elif not same_fingerprint(answered.centre_key, expected):
            raise click.ClickException(
                f"{file} is of another centre: its key is {shown}. Nothing was changed."
            )
        put_in_force(config, ledger, answered)
        click.echo(f"{config.box_id} is enrolled.")
        link = config.link
        if link is None or (link.host, link.port) != (answered.host, answered.port):
            click.echo(f"Write into {config_path}:")
            click.echo(f'  [link]\n  host = "{answered.host}"\n  port = {answered.port}')
        click.echo("Then: systemctl restart classbox-link")


def ask(config: Config, ledger: Ledger) -> Asked:
    """Return what the box asks; its keys for the broker are made when they are missing."""
    folder = config.data_dir / "keys"
    sealing = keys.sealing_key(folder / "sealing.key").public_key().public_bytes_raw()
    requests = {
        who: _certificate_request(_tls_key(config, who), config.box_id + suffix)
        for who, suffix in _NAMES.items()
    }
    return Asked(config.box_id, ledger.uuid, ledger.public_key, sealing, **requests)


def check(config: Config, ledger: Ledger, answered: Answered) -> None:
    """Raise BadEnrolment unless *answered* is for this box, its keys, and whole in itself."""
    if answered.box != config.box_id or answered.public_key != ledger.public_key:
        raise BadEnrolment(
            f"it answers box {answered.box} with another key than this one's. "
            "Bring this box's own request to the centre."
        )
    try:
        authority = x509.load_pem_x509_certificate(answered.ca.encode("ascii"))
        for who, pem in (("facts", answered.facts), ("media", answered.media)):
            certificate = x509.load_pem_x509_certificate(pem.encode("ascii"))
            certificate.verify_directly_issued_by(authority)
            if certificate.public_key() != _tls_key(config, who).public_key():
                raise BadEnrolment(
                    f"its certificate for {who} is of an older request. Make a new request."
                )
    except (ValueError, TypeError, InvalidSignature) as error:
        if isinstance(error, BadEnrolment):
            raise
        raise BadEnrolment("its certificates are not of the authority that it names") from error


def put_in_force(config: Config, ledger: Ledger, answered: Answered) -> None:
    """Store what the box needs from now on, then state it; each step can be repeated."""
    for who, pem in (("facts", answered.facts), ("media", answered.media)):
        files = tls.of_box(config.data_dir, who)
        replace_file(files.certificate, pem.encode("ascii"))
        replace_file(files.ca, answered.ca.encode("ascii"))
    replace_file(config.data_dir / "keys" / "centre.pub", answered.centre_key)
    once = hashlib.sha256(answered.centre_key + answered.facts.encode("ascii")).hexdigest()
    ledger.append(
        BoxEnrolled(answered.centre, answered.centre_key.hex()), event_id=f"box-enrolled-{once}"
    )


def _tls_key(config: Config, who: str) -> ec.EllipticCurvePrivateKey:
    file = tls.of_box(config.data_dir, who).key
    key = serialization.load_pem_private_key(keys.secret(file, keys.fresh_tls_key()), None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise KeyProblem(f"{file}: not a key of this software. Remove it; a new one is made.")
    return key


def _certificate_request(key: ec.EllipticCurvePrivateKey, name: str) -> str:
    try:
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    except ValueError as error:  # X.509 allows 64 letters
        raise click.ClickException(
            f"{name} is too long for a certificate: give the box an id of at most 58 letters"
        ) from error
    request = x509.CertificateSigningRequestBuilder().subject_name(subject)
    made = request.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    return made.decode("ascii")


@contextmanager
def _opened(config_path: Path) -> Iterator[tuple[Config, Ledger]]:
    """Open the box beside its running services; problems end as one clear line."""
    try:
        config = configuration.load(config_path)
        _, ledger = box.open_ledger(config)
    except (ConfigError, LedgerError, StoreError, OSError) as error:
        raise click.ClickException(str(error)) from error
    try:
        yield config, ledger
    except (KeyProblem, ValueError) as error:
        raise click.ClickException(str(error)) from error
    finally:
        ledger.close()
