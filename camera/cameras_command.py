"""``classbox cameras``: find cameras, bind them to this room, try them out, set them up.

Promises that a password or a verification code comes from a prompt or a file, never from the
command line (everybody on the machine sees those), and that nothing prints one.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import click

from camera import discovery, onvif, trial, whereabouts
from camera.failures import Failure, StreamFailed
from camera.findings import Finding, words
from camera.lenses import NO_CAMERA
from camera.onvif import Identity
from camera.view_command import accept_view
from edge import bindings, cameras, queries
from edge import config as configuration
from edge.bindings import Binding, NotBound
from edge.box import open_ledger
from edge.config import CameraConfig, Config, ConfigError
from edge.keys import KeyProblem
from edge.ledger import Ledger, LedgerError
from edge.logins import Login, Logins
from edge.store import StoreError

_CHINESE = {
    Failure.REFUSED: "用户名或密码不对",
    Failure.UNREACHABLE: "连接不上摄像机",
    Failure.UNUSABLE: "摄像机不能使用",
    Failure.ANOTHER: "该地址上是另一台摄像机",
    Failure.SILENT: "摄像机没有应答",
}

_user = click.option("--user", default="", help="The account at the camera; its password is asked.")
_password_file = click.option(
    "--password-file",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="A file that holds the password and nothing else, instead of a prompt.",
)
_code_file = click.option(
    "--code-file",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="A file with the verification code (验证码) of its label.",
)
_photo = click.option(
    "--photo", type=click.Path(path_type=Path, dir_okay=False), help="Where the test photo goes."
)


@click.group(name="cameras")
def command() -> None:
    """Find the cameras of this room, bind them, try them out and set them up."""


command.add_command(accept_view)


@command.command()
@click.option("--seconds", default=3.0, show_default=True, help="How long to listen for answers.")
@_user
@_password_file
@click.pass_obj
def discover(config_path: Path, seconds: float, user: str, password_file: Path | None) -> None:
    """List the cameras that answer on the network, and this machine's own.

    Most say make and serial number only to a user: with --user each is asked once.
    """
    password = _password(user, password_file)
    with _opened(config_path) as (config, ledger, logins), ledger.store.read() as connection:
        bound = {one.address: one.id for one in bindings.in_force(connection, config, logins)}
    found = discovery.cameras(seconds)
    for one in found:
        make, serial = one.model, ""
        if user and not one.address.startswith("v4l2:"):
            try:
                identity = onvif.look_up(one.address, user, password)
                make, serial = f"{identity.manufacturer} {identity.model}", identity.serial
            except StreamFailed as failure:
                serial = _CHINESE.get(failure.kind, str(failure.kind))
        mark = f"已绑定 / bound: {bound[one.address]}" if one.address in bound else ""
        click.echo("\t".join((one.address, make or "-", one.name or "-", serial or "-", mark)))
    if not found:
        click.echo(
            "没有发现摄像机 / no camera answers. Are they on this network, with ONVIF switched on? "
            "An RTSP camera is added by its address: classbox cameras add rtsp://HOST/PATH"
        )


@command.command()
@click.argument("address")
@click.option("--id", "camera", help="Its name in the ledger; never give it to another camera.")
@click.option("--name", required=True, help="What people call it, such as 前摄像头.")
@click.option(
    "--role",
    type=click.Choice(cameras.ROLES),
    default="classroom",
    show_default=True,
    help="classroom films every lesson, spare those it is linked to, door checks people in.",
)
@click.option("--type", "sort", default="", help="The type that staff record, such as 半球.")
@click.option("--serial", default="", help="The serial number on its label.")
@_code_file
@_user
@_password_file
@click.option(
    "--transport", type=click.Choice(("tcp", "udp")), default="tcp", help="Of its stream."
)
@_photo
@click.option("--anyway", is_flag=True, help="Bind it although it gives no picture now.")
@click.option("--no-set-up", is_flag=True, help="Change nothing on the camera.")
@click.pass_obj
def add(
    config_path: Path,
    address: str,
    camera: str | None,
    name: str,
    role: str,
    sort: str,
    serial: str,
    code_file: Path | None,
    user: str,
    password_file: Path | None,
    transport: str,
    photo: Path | None,
    anyway: bool,
    no_set_up: bool,
) -> None:
    """Bind the camera at ADDRESS (onvif://HOST, rtsp://HOST/PATH or v4l2:/dev/video0)."""
    login = Login(user, _password(user, password_file), _content(code_file))
    with _opened(config_path) as (config, ledger, logins):
        binding = Binding(
            id=camera or _free_id(ledger, config),
            label=name,
            address=bindings.full(address),
            role=role,
            type=sort,
            serial=serial,
            transport=transport,
        )
        tried = _as_configured(binding, login)
        identity = None
        try:
            identity = _try(tried, photo)
        except StreamFailed as failure:
            if not anyway:
                raise
            click.echo(_said(failure))
        if role == "door" and identity is not None:
            binding = replace(binding, address=identity.stream)  # the door dials its stream
        bindings.bind(ledger, config, logins, binding, login)
        click.echo(f"{binding.id}: 已绑定 / bound as {role} of {config.room}")
        _tell(trial.findings_of(tried, identity))
        if identity is None:
            return
        whereabouts.state(ledger, binding.id, identity)
        if role != "door" and not no_set_up:
            _set_up(ledger, config, tried)


@command.command(name="list")
@click.pass_obj
def list_(config_path: Path) -> None:
    """List the cameras of this room: id, role, address, name, last known state."""
    with _opened(config_path) as (config, ledger, logins), ledger.store.read() as connection:
        states = {row["id"]: row["state"] for row in queries.cameras(connection)}
        for one in bindings.in_force(connection, config, logins):
            click.echo(
                "\t".join((one.id, one.role, one.address, one.label, states.get(one.id, "-")))
            )


@command.command()
@click.argument("camera")
@click.pass_obj
def show(config_path: Path, camera: str) -> None:
    """Show all that is known of CAMERA, with what set-up found; no password, no code."""
    with _opened(config_path) as (config, ledger, logins), ledger.store.read() as connection:
        one = _known(bindings.in_force(connection, config, logins), camera)
        facts = cameras.stated(connection).get(camera, {})
        login = logins.of(connection, camera)
    bound, said = facts.get(cameras.BOUND, {}), facts.get(cameras.IDENTIFIED, {})
    lines = [
        ("名称 name", one.label),
        ("用途 role", one.role),
        ("类型 type", bound.get("type", "")),
        ("地址 address", one.address),
        ("序列号 serial", one.serial),
        ("厂商型号 make", f"{said.get('manufacturer', '')} {said.get('model', '')}".strip()),
        ("固件 firmware", said.get("firmware", "")),
        ("MAC", said.get("mac", "")),
        ("用户 user", one.user),
        ("验证码 code", "已登记 recorded" if login.code else ""),
    ]
    for label, value in lines:
        click.echo(f"{label}: {value or '-'}")
    made = facts.get(cameras.SET_UP)
    if made:
        click.echo(
            f"视频 video: {made['encoding']} {made['width']}x{made['height']}, "
            f"{made['frame_rate']}/s, {made['kilobits']} kbit/s"
        )
        _tell([Finding(code) for code in made["findings"]])


@command.command()
@click.argument("camera", required=False)
@_photo
@click.pass_obj
def test(config_path: Path, camera: str | None, photo: Path | None) -> None:
    """Log in to CAMERA, or to each of them, and take a test photo."""
    if photo is not None and camera is None:
        raise click.UsageError("say which CAMERA the photo is to be of")
    with _opened(config_path) as (config, ledger, logins), ledger.store.read() as connection:
        every = bindings.in_force(connection, config, logins)
    if not every:
        raise click.ClickException(NO_CAMERA)
    failed = False
    for one in every if camera is None else [_known(every, camera)]:
        try:
            _tell(trial.findings_of(one, _try(one, photo)))
        except StreamFailed as failure:
            click.echo(f"{one.id}: {_said(failure)}")
            failed = True
    raise SystemExit(1 if failed else 0)


@command.command(name="set-up")
@click.argument("camera")
@click.pass_obj
def set_up(config_path: Path, camera: str) -> None:
    """Set CAMERA up again through ONVIF: clock, encoder, text in the picture."""
    with _opened(config_path) as (config, ledger, logins):
        with ledger.store.read() as connection:
            one = _known(bindings.in_force(connection, config, logins), camera)
        if one.kind != "onvif":
            raise click.ClickException(f"{camera}: {' / '.join(words(Finding.NO_ONVIF))}")
        _set_up(ledger, config, one)


@command.command()
@click.argument("camera")
@_user
@_password_file
@_code_file
@click.pass_obj
def login(
    config_path: Path,
    camera: str,
    user: str,
    password_file: Path | None,
    code_file: Path | None,
) -> None:
    """Replace the user and the password of CAMERA; the code stays unless a new one is given."""
    password = _password(user, password_file)
    with _opened(config_path) as (_, ledger, logins):
        with ledger.store.read() as connection:
            try:
                code = logins.of(connection, camera).code
            except KeyProblem:  # this command is the remedy for it
                code = ""
        fresh = Login(user, password, _content(code_file) or code)
        bindings.set_login(ledger, logins, camera, fresh)
    click.echo(f"{camera}: 已更新 / updated. Try it: classbox cameras test {camera}")


@command.command()
@click.argument("camera")
@click.argument("lesson")
@click.option("--off", is_flag=True, help="Take the link away.")
@click.pass_obj
def link(config_path: Path, camera: str, lesson: str, off: bool) -> None:
    """Let CAMERA film LESSON; a lesson with links is filmed by those cameras only."""
    with _opened(config_path) as (config, ledger, logins):
        with ledger.store.read() as connection:
            _known(bindings.in_force(connection, config, logins), camera)
            if queries.lesson(connection, lesson) is None:
                raise click.ClickException(
                    f"{lesson}: 没有这个课次 / no lesson of this id is known."
                )
        bindings.link(ledger, camera, lesson, linked=not off)
    click.echo(f"{camera}: {lesson} {'已取消 / unlinked' if off else '已关联 / linked'}")


@command.command()
@click.argument("camera")
@click.pass_obj
def remove(config_path: Path, camera: str) -> None:
    """Unbind CAMERA and forget its login; what it recorded stays."""
    with _opened(config_path) as (_, ledger, _):
        bindings.unbind(ledger, camera)
    click.echo(f"{camera}: 已解绑 / unbound")


@contextmanager
def _opened(config_path: Path) -> Iterator[tuple[Config, Ledger, Logins]]:
    """Open the box's settings, ledger and logins; problems end as one clear line."""
    try:
        config = configuration.load(config_path)
        clock, ledger = open_ledger(config)
        clock.hand_down()  # to the processes that set a camera's clock
        try:
            yield config, ledger, Logins(config.data_dir)
        finally:
            ledger.close()
    except StreamFailed as failure:
        raise click.ClickException(_said(failure)) from None
    except (ConfigError, KeyProblem, LedgerError, NotBound, StoreError) as error:
        raise click.ClickException(str(error)) from error


def _try(camera: CameraConfig, picture: Path | None) -> Identity | None:
    if picture is None:
        folder = Path(tempfile.mkdtemp(prefix="classbox-camera-"))
        picture = folder / f"{camera.id}.jpg"
    identity = trial.try_out(camera, picture)
    if identity is not None:
        click.echo(
            f"{camera.id}: {identity.manufacturer} {identity.model}, serial number "
            f"{identity.serial or '-'}, firmware {identity.firmware or '-'}, "
            f"clock {identity.clock_ahead:+} s"
        )
    if camera.user:
        click.echo(f"{camera.id}: 登录成功 / logged in")
    click.echo(f"{camera.id}: 试拍照片 / test photo: {picture}")
    return identity


def _set_up(ledger: Ledger, config: Config, camera: CameraConfig) -> None:
    done = trial.adjust(ledger, camera, config.time_zone, config.room)
    video = done.encoding
    click.echo(
        f"{camera.id}: {video.encoding} {video.width}x{video.height}, {video.frame_rate}/s, "
        f"{video.kilobits} kbit/s"
    )
    _tell(done.findings)


def _tell(findings: list[Finding] | tuple[Finding, ...]) -> None:
    for finding in findings:
        click.echo(f"  {' / '.join(words(finding))}")


def _said(failure: StreamFailed) -> str:
    chinese = _CHINESE.get(failure.kind)
    return f"{chinese} / {failure}" if chinese else str(failure)


def _known(in_force: tuple[CameraConfig, ...], camera: str) -> CameraConfig:
    for one in in_force:
        if one.id == camera:
            return one
    raise NotBound(f"{camera}: no camera of this id is bound. See: classbox cameras list.")


def _as_configured(binding: Binding, login: Login) -> CameraConfig:
    return CameraConfig(
        id=binding.id,
        label=binding.label,
        kind=bindings.protocol_of(binding.address),
        address=binding.address,
        transport=binding.transport,
        user=login.user,
        password=login.password,
        role=binding.role,
        serial=binding.serial,
    )


def _free_id(ledger: Ledger, config: Config) -> str:
    with ledger.store.read() as connection:
        taken = {*cameras.stated(connection), *(one.id for one in config.cameras)}
    return next(one for number in range(1, 1000) if (one := f"camera-{number}") not in taken)


def _password(user: str, file: Path | None) -> str:
    if not user:
        return ""
    if file is not None:
        return _content(file)
    return str(click.prompt(f"密码 / password of {user}", hide_input=True, err=True))


def _content(file: Path | None) -> str:
    if file is None:
        return ""
    try:
        return file.read_text("utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise click.ClickException(f"{file}: cannot be read: {error}") from error
