"""box.toml → a frozen Config, with errors that name the key, the line and the remedy.

Owns the names of the box's settings (docs/configuration.md lists them) and their defaults.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from edge.model import Duration
from edge.settings import ConfigError, Settings, Table, broker_security, duration, hours_of_day

__all__ = [
    "CameraConfig",
    "Config",
    "ConfigError",
    "DoorConfig",
    "KioskConfig",
    "LinkConfig",
    "load",
    "parse",
]

DEFAULT_PATH = Path("/etc/classbox/box.toml")


@dataclass(frozen=True, slots=True)
class CameraConfig:
    """One camera of the room. ``label`` is what stands on its cable.

    ``kind``: onvif | rtsp | v4l2. ``role``: classroom | spare | door. ``serial``: the number by
    which it is found again when it has another address; empty where none is known. ``substream``:
    its smaller stream, recorded when the disk fills; an ONVIF camera is asked for it.
    """

    id: str
    label: str
    kind: str
    address: str
    transport: str
    user: str
    password: str = field(repr=False)
    role: str = "classroom"
    serial: str = ""
    substream: str = ""


@dataclass(frozen=True, slots=True)
class DoorConfig:
    """The door camera. ``source``: v4l2:/dev/video0, rtsp://…, file:/…, folder:/…."""

    source: str = field(repr=False)  # an RTSP address may hold a password
    frames_per_second: int
    label: str


@dataclass(frozen=True, slots=True)
class LinkConfig:
    """The way to the centre's broker.

    ``security``: tls, with the certificates that the box was enrolled with, or none, which only
    loopback may have. ``media_rate``: bytes a second, 0 for no limit. ``media_hours``: seconds of
    the local day from and to which recordings may travel, None for always.
    """

    host: str
    port: int
    security: str
    media_rate: int
    media_hours: tuple[int, int] | None


@dataclass(frozen=True, slots=True)
class KioskConfig:
    """Where the kiosk's pages are served; loopback unless somebody decides otherwise.

    ``phone_host`` (empty: found out) and ``phone_port``: where an invited phone sends a photo.
    """

    host: str
    port: int
    phone_host: str
    phone_port: int


@dataclass(frozen=True, slots=True)
class Config:
    """All settings of one box. ``help_phone``: whom to call, shown where something is wrong."""

    box_id: str
    room: str
    language: str
    time_zone: str
    data_dir: Path
    runtime_dir: Path
    segment_length: Duration
    cameras: tuple[CameraConfig, ...]
    door: DoorConfig | None
    link: LinkConfig | None
    kiosk: KioskConfig
    trusted_clock: str
    help_phone: str = ""


def load(path: Path) -> Config:
    """Return the settings in the file *path*. Raises ConfigError."""
    try:
        text = path.read_text("utf-8")
    except FileNotFoundError as error:
        raise ConfigError(
            f"{path}: there is no such file. Name one: classbox --config PATH …"
        ) from error
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read: {error}") from error
    return parse(text, str(path), path.parent)


def parse(text: str, source: str, folder: Path) -> Config:
    """Return the settings in *text*; relative paths are below *folder*. Raises ConfigError."""
    root = Settings.of_toml(text, source).root
    box = root.table("box")
    recording = root.table("recording")
    cameras = tuple(_camera(table, folder) for table in root.tables("camera"))
    for number, camera in enumerate(cameras):
        if camera.id in [other.id for other in cameras[:number]]:
            raise root.tables("camera")[number].error("id", f"{camera.id!r} stands there twice.")
    config = Config(
        box_id=_box_id(box),
        room=box.text("room"),
        language=box.text("language", "zh", choices=("zh", "en")),
        time_zone=box.time_zone("time_zone", "Asia/Shanghai"),
        data_dir=folder / box.text("data_dir", "/var/lib/classbox"),
        runtime_dir=folder / box.text("runtime_dir", "/run/classbox"),
        segment_length=recording.converted("segment", duration, "03:00"),
        cameras=cameras,
        door=_door(root.table("door"), folder) if "door" in root else None,
        link=_link(root.table("link")) if "link" in root else None,
        kiosk=_kiosk(root.table("kiosk")),
        trusted_clock=box.text("clock", "ntp", choices=("ntp", "trusted", "untrusted")),
        help_phone=box.text("help_phone", ""),
    )
    for table in (box, recording, root):
        table.finish()
    return config


def _box_id(box: Table) -> str:
    value = box.text("id")
    # It becomes part of a topic, a client id and a certificate's name.
    if not value or not all(
        letter.isascii() and (letter.isalnum() or letter in "-_") for letter in value
    ):
        raise box.error("id", f"{value!r}: use letters, digits, - and _ only, such as room-203.")
    return value


def _camera(table: Table, folder: Path) -> CameraConfig:
    address = table.text("address")
    scheme = urlsplit(address).scheme
    kinds = {"rtsp": "rtsp", "rtsps": "rtsp", "http": "onvif", "https": "onvif", "onvif": "onvif"}
    if scheme not in kinds or not urlsplit(address).hostname:
        raise table.error(
            "address",
            "write rtsp://HOST:PORT/PATH for an RTSP camera or onvif://HOST:PORT for an ONVIF one.",
        )
    substream = table.text("substream", "")
    if substream and urlsplit(substream).scheme not in ("rtsp", "rtsps"):
        raise table.error("substream", "write rtsp://HOST:PORT/PATH, or leave it out.")
    for name, value in (("address", address), ("substream", substream)):
        if value and urlsplit(value).password:
            raise table.error(name, "put the password under `password_file`, not in the address.")
    camera = CameraConfig(
        id=table.text("id"),
        label=table.text("label", table.text("id")),
        kind=kinds[scheme],
        address=address,
        transport=table.text("transport", "auto", choices=("auto", "tcp", "udp")),
        role=table.text("role", "classroom", choices=("classroom", "spare")),
        user=table.text("user", ""),
        password=_password(table, folder),
        substream=substream,
    )
    table.finish()
    return camera


def _password(table: Table, folder: Path) -> str:
    if "password_file" not in table:
        return table.text("password", "")
    if "password" in table:
        raise table.error("password", "stands beside password_file: keep one of them.")
    file = folder / table.text("password_file")
    try:
        return file.read_text("utf-8").rstrip("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise table.error("password_file", f"cannot be read: {error}") from error


def _door(table: Table, folder: Path) -> DoorConfig:
    source = table.text("source")
    scheme, _, rest = source.partition(":")
    if scheme not in ("v4l2", "rtsp", "rtsps", "file", "folder") or not rest:
        raise table.error(
            "source",
            'write "v4l2:/dev/video0", "rtsp://…", "file:/path/film.mp4" or "folder:/path".',
        )
    if scheme in ("file", "folder"):
        source = f"{scheme}:{folder / rest}"
    door = DoorConfig(
        source=source,
        frames_per_second=table.whole("frames_per_second", 10, least=1, most=60),
        label=table.text("label", "door"),
    )
    table.finish()
    return door


def _link(table: Table) -> LinkConfig:
    host, security = broker_security(table)
    link = LinkConfig(
        host=host,
        port=table.whole("port", 8883 if security == "tls" else 1883, least=1, most=65535),
        security=security,
        media_rate=table.whole("media_rate_kib", 0, least=0, most=1_000_000) * 1024,
        media_hours=table.converted("media_hours", hours_of_day, "always"),
    )
    table.finish()
    return link


def _kiosk(table: Table) -> KioskConfig:
    kiosk = KioskConfig(
        host=table.text("host", "127.0.0.1"),
        port=table.whole("port", 8600, least=1, most=65535),
        phone_host=table.text("phone_host", ""),
        phone_port=table.whole("phone_port", 8601, least=0, most=65535),
    )
    table.finish()
    return kiosk
