"""centre.toml → a frozen CentreConfig, with errors that name the key, the line and the remedy.

Owns the names of the centre's settings (docs/configuration.md lists them) and their defaults.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from edge.settings import ConfigError, Settings, Table, broker_security


@dataclass(frozen=True, slots=True)
class CentreConfig:
    """All settings of a centre. ``database`` is an SQLAlchemy address, which may hold a password.

    ``silent_after``: seconds without a word after which a box counts as silent. ``security`` of
    the way to the broker: tls | none. ``safe_after_days``: what was received longer ago counts as
    safe even where no backup is noted. ``metrics_port``: of the first ingester, 0 for none.
    ``witness_address`` of a time stamp authority is empty for none; ``witness_roots``: PEM.
    """

    name: str
    language: str
    time_zone: str
    data_dir: Path
    database: str = field(repr=False)
    broker_host: str
    broker_port: int
    security: str
    console_host: str
    console_port: int
    silent_after: int
    trusted_clock: str
    safe_after_days: int
    metrics_port: int
    witness_address: str
    witness_roots: Path

    @property
    def zone(self) -> ZoneInfo:
        """The time zone in which days begin and times are shown."""
        return ZoneInfo(self.time_zone)


def load(path: Path) -> CentreConfig:
    """Return the settings in the file *path*. Raises ConfigError."""
    try:
        text = path.read_text("utf-8")
    except FileNotFoundError as error:
        raise ConfigError(
            f"{path}: there is no such file. Name the centre's: classbox --config PATH centre …"
        ) from error
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read: {error}") from error
    return parse(text, str(path), path.parent)


def parse(text: str, source: str, folder: Path) -> CentreConfig:
    """Return the settings in *text*; relative paths are below *folder*. Raises ConfigError."""
    root = Settings.of_toml(text, source).root
    centre, broker, console = (root.table(name) for name in ("centre", "broker", "console"))
    witness = root.table("witness")
    data_dir = folder / centre.text("data_dir", "/var/lib/classbox-centre")
    host, security = broker_security(broker, "127.0.0.1")
    config = CentreConfig(
        name=centre.text("name", ""),
        language=centre.text("language", "zh", choices=("zh", "en")),
        time_zone=centre.time_zone("time_zone", "Asia/Shanghai"),
        data_dir=data_dir,
        database=_database(centre, data_dir),
        broker_host=host,
        broker_port=broker.whole("port", 8883 if security == "tls" else 1883, least=1, most=65535),
        security=security,
        console_host=console.text("host", "127.0.0.1"),
        console_port=console.whole("port", 8700, least=1, most=65535),
        silent_after=console.whole("silent_after", 60, least=5, most=86_400),
        trusted_clock=centre.text("clock", "ntp", choices=("ntp", "trusted", "untrusted")),
        safe_after_days=centre.whole("safe_after_days", 60, least=1, most=3650),
        metrics_port=centre.whole("metrics_port", 0, least=0, most=65535),
        witness_address=witness.converted("address", _web_address, ""),
        witness_roots=folder / witness.text("roots", "" if "address" not in witness else None),
    )
    for table in (centre, broker, console, witness, root):
        table.finish()
    return config


def _database(centre: Table, data_dir: Path) -> str:
    if "database" not in centre:
        return f"sqlite:///{data_dir.absolute()}/centre.db"
    value = centre.text("database")
    try:
        backend = make_url(value).get_backend_name()
    except ArgumentError as error:
        raise centre.error("database", "write postgresql+psycopg://USER@HOST/NAME.") from error
    if backend not in ("sqlite", "postgresql"):
        raise centre.error("database", f"{backend} is not supported. Use sqlite or postgresql.")
    return value


def _web_address(text: str) -> str:
    parts = urlsplit(text)
    if text and (parts.scheme not in ("http", "https") or not parts.hostname):
        raise ValueError(f"{text!r} is no address. Write for example https://tsa.example/stamp.")
    return text
