"""``classbox people``: enrol faces on this box, list and remove them.

Promises that a template is stored together with its event, that nothing prints a template or a
name, and that a refusal says what to do, in Chinese and in English.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from camera import travel_command
from camera.door import read_picture
from camera.faces import embed, enrol, gallery
from camera.faces.compare import Vector
from camera.faces.gallery import Sealer, Templates
from camera.faces.manifest import ModelError
from camera.faces.mesh import Mesh
from edge import agreement, consents, queries
from edge import config as configuration
from edge.assets import AssetMissing
from edge.box import open_ledger
from edge.clock import monotonic
from edge.config import ConfigError
from edge.consent_events import EnrolmentRefused
from edge.erasure import empty_wal
from edge.events import Body, PersonEnrolled, RequestRefused, TemplateDeleted
from edge.keys import KeyProblem
from edge.ledger import Ledger, LedgerError
from edge.model import SECOND
from edge.requests import answer_of, ask
from edge.store import StoreError

ENROL = "enrol"
_PATIENCE_S = 45
_NEVER = threading.Event()


@click.group(name="people")
def command() -> None:
    """Enrol people's faces on this box, list and remove them."""


@command.command()
@click.argument("person_id")
@click.option("--photo", type=click.Path(path_type=Path), help="A picture of this person alone.")
@click.option("--camera", is_flag=True, help="Let the person stand before the door camera now.")
@click.pass_obj
def add(config_path: Path, person_id: str, photo: Path | None, camera: bool) -> None:
    """Enrol PERSON_ID, who must be on a roster; what was enrolled before is replaced."""
    if (photo is None) != camera:
        raise click.UsageError("say either --photo FILE or --camera")
    with _opened(config_path) as (ledger, data_dir):
        _require_known(ledger, person_id)
        _require_consent(ledger, person_id)
        if photo is not None:
            _add_from_photo(ledger, data_dir, person_id, photo)
        else:
            _add_from_camera(ledger, person_id)
    click.echo(f"{person_id}: 已登记 / enrolled")


@command.command(name="list")
@click.pass_obj
def list_(config_path: Path) -> None:
    """List who is enrolled, with the network that their template belongs to."""
    with _opened(config_path) as (ledger, _), ledger.store.read() as connection:
        people = gallery.enrolled(connection)
    for person_id, model, version in people:
        click.echo(f"{person_id}\t{model}\t{version}")


@command.command()
@click.argument("person_id")
@click.pass_obj
def remove(config_path: Path, person_id: str) -> None:
    """Delete the face template of PERSON_ID; the attendance stays."""
    with _opened(config_path) as (ledger, _), ledger.writing() as writer:
        if not gallery.forget(writer, person_id):
            raise click.ClickException(
                f"{person_id}: 没有登记人脸 / nobody of this id is enrolled. "
                "See: classbox people list"
            )
        writer.append(TemplateDeleted(person_id, reason="operator"))
    click.echo(f"{person_id}: 已删除 / removed")


@command.command()
@click.argument("person_id")
@click.option("--signed", is_flag=True, help="The school holds the form with these words, signed.")
@click.option("--language", type=click.Choice(sorted(consents.TEXTS)), default="zh")
@click.option("--under-14", is_flag=True, help="The person is under 14: a guardian agrees.")
@click.option("--guardian", default="", help="The guardian's name.")
@click.option("--guardian-way", type=click.Choice(consents.GUARDIAN_WAYS), default="signed")
@click.pass_obj
def consent(
    config_path: Path,
    person_id: str,
    signed: bool,
    language: str,
    under_14: bool,
    guardian: str,
    guardian_way: str,
) -> None:
    """Show the words PERSON_ID is asked to agree to, or note that they signed them."""
    with _opened(config_path) as (ledger, _):
        _require_known(ledger, person_id)
        if not signed:
            click.echo(consents.TEXTS[language])
            click.echo(f"({consents.VERSION}) 签字后 / once signed: add --signed")
            return
        try:
            given = consents.agreed(
                person_id,
                language,
                "signed",
                ledger.clock.now().at,
                under_14=under_14,
                guardian=guardian,
                guardian_way=guardian_way,
            )
        except consents.BadConsent as error:
            raise click.UsageError(f"{error}: --guardian NAME") from error
        ledger.append(given)
    click.echo(f"{person_id}: 已同意 / consent recorded")


@command.command()
@click.argument("person_id")
@click.pass_obj
def withdraw(config_path: Path, person_id: str) -> None:
    """Note that PERSON_ID takes consent back, and delete their face template."""
    with _opened(config_path) as (ledger, _):
        if not agreement.withdraw(ledger, person_id, "staff"):
            raise click.ClickException(
                f"{person_id}: 没有有效的同意 / no consent of this id stands; nothing to withdraw."
            )
        gone = empty_wal(ledger)
    click.echo(f"{person_id}: 已撤回，人脸模板已删除 / withdrawn, face template deleted")
    if not gone:
        click.echo("磁盘上的残留稍后清除 / The link clears the last trace from the disk soon.")


@command.command()
@click.option("--out", type=click.Path(path_type=Path), help="By default passport-BOX.json here.")
@click.pass_obj
def passport(config_path: Path, out: Path | None) -> None:
    """Write the file by which another box can seal templates to this one; no secret is in it."""
    with _opened(config_path) as (ledger, data_dir):
        out = out or Path(f"passport-{ledger.box_id}.json")
        travel_command.write_passport(ledger, data_dir, out)


@command.command()
@click.argument("passport_file", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), default=Path("faces.classbox"))
@click.option("--fingerprint", help="What the other box says of itself; asked for if not given.")
@click.pass_obj
def pack(config_path: Path, passport_file: Path, out: Path, fingerprint: str | None) -> None:
    """Seal the templates of this box to the box of PASSPORT_FILE, with their consents."""
    with _opened(config_path) as (ledger, data_dir):
        travel_command.pack(ledger, data_dir, passport_file, out, fingerprint)


@command.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--fingerprint", help="What the other box says of itself; asked for if not given.")
@click.pass_obj
def unpack(config_path: Path, file: Path, fingerprint: str | None) -> None:
    """Take in the templates that another box packed for this one: all of them, or none."""
    with _opened(config_path) as (ledger, data_dir):
        travel_command.unpack(ledger, data_dir, file, fingerprint)


def _add_from_photo(ledger: Ledger, data_dir: Path, person_id: str, photo: Path) -> None:
    embedder = embed.load()
    templates = Templates(ledger.store, Sealer.of(data_dir), embedder.manifest)
    template = _template_of(photo, embedder)
    if enrol.is_somebody_else(template, person_id, templates.gallery(), embedder):
        ledger.append(EnrolmentRefused(person_id, str(enrol.Refused.SOMEBODY_ELSE)))
        raise _refusal(person_id, enrol.Refused.SOMEBODY_ELSE)
    manifest = embedder.manifest
    with ledger.writing() as writer:
        templates.put(writer, person_id, template)
        writer.append(PersonEnrolled(person_id, manifest.name, manifest.version, source="photo"))


def _template_of(photo: Path, embedder: embed.Embedder) -> Vector:
    if not photo.is_file():
        raise click.ClickException(f"{photo}: 没有这个文件 / There is no such file.")
    picture = read_picture(photo)
    if picture is None:
        raise click.ClickException(
            f"{photo}: 不是可读取的照片 / not a picture that can be read. Give a JPEG or PNG file."
        )
    collector = enrol.Collector(embedder, wanted=1)
    with Mesh(video=False) as mesh:
        collector.offer(picture, mesh.search(picture))
    template = collector.template()
    if template is None:
        assert collector.flaw is not None, "a picture without a flaw gives a template"
        raise _refusal(str(photo), collector.flaw)
    return template


def _add_from_camera(ledger: Ledger, person_id: str) -> None:
    request_id = ask(ledger, ENROL, {"person_id": person_id}, ttl=_PATIENCE_S * SECOND)
    click.echo("请站到门口摄像头前，正视镜头 / Please stand before the door camera and look at it")
    answer = _answer(ledger, request_id)
    if answer is None:
        raise click.ClickException(
            "没有应答 / The greeter did not answer. Is it running? "
            "See: systemctl status classbox-greeter"
        )
    if isinstance(answer, RequestRefused):
        raise _refusal(person_id, answer.reason)


def _answer(ledger: Ledger, request_id: str) -> Body | None:
    until = monotonic() + _PATIENCE_S
    watch = ledger.store.watch()
    try:
        while (left := until - monotonic()) > 0:
            watch.wait(left, _NEVER)
            with ledger.store.read() as connection:
                answer = answer_of(connection, request_id)
            if answer is not None:
                return answer
        return None
    finally:
        watch.close()


def _require_known(ledger: Ledger, person_id: str) -> None:
    with ledger.store.read() as connection:
        known = queries.person_name(connection, person_id) is not None
    if not known:
        raise _refusal(person_id, enrol.Refused.UNKNOWN_PERSON)


def _require_consent(ledger: Ledger, person_id: str) -> None:
    with ledger.store.read() as connection:
        allowed = consents.allows_face(connection, person_id)
    if not allowed:
        raise _refusal(f"classbox people consent {person_id} --signed", enrol.Refused.NO_CONSENT)


def _refusal(what: str, code: str) -> click.ClickException:
    chinese, english = enrol.words(code)
    return click.ClickException(f"{what}: {chinese} / {english}")


@contextmanager
def _opened(config_path: Path) -> Iterator[tuple[Ledger, Path]]:
    """Open the box's ledger; problems end as one clear line."""
    try:
        config = configuration.load(config_path)
        _, ledger = open_ledger(config)
        try:
            yield ledger, config.data_dir
        finally:
            ledger.close()
    except (
        AssetMissing,
        ConfigError,
        KeyProblem,
        LedgerError,
        ModelError,
        StoreError,
    ) as error:
        raise click.ClickException(str(error)) from error
