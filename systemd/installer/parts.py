"""What a box and a centre consist of: accounts, files, units, open ports. Data, and little else."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import ip_address

from edge import config
from edge.settings import ConfigError
from systemd.installer.machine import Machine, Problem

FIREWALL = "/etc/classbox/firewall.nft"
SSH = 22
# As sync.central.config has them, which needs more than Debian's Python; a test compares.
CENTRE_DEFAULTS = {"broker.port": 8883, "console.host": "127.0.0.1", "console.port": 8700}


@dataclass(frozen=True)
class Port:
    """A TCP port that is open to the network, and what listens there."""

    number: int
    listener: str


@dataclass(frozen=True)
class Template:
    """A file that is written. ``source``: below systemd/; ``mode``: its permissions."""

    target: str
    source: str
    mode: int = 0o644


@dataclass(frozen=True)
class Part:
    """A box or a centre.

    ``settings``: the file that is written once and then belongs to whoever looks after the
    machine. ``units``: patterns below systemd/, ``enable``: those that start at boot. ``restart``:
    what is restarted when product, units or settings changed. ``data``: what outlives an
    uninstallation.
    """

    name: str
    settings: Template
    files: tuple[Template, ...]
    units: tuple[str, ...]
    enable: tuple[str, ...]
    restart: str
    data: tuple[str, ...]
    ports: Callable[[Machine], tuple[Port, ...]]


def _on_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def kiosk_port(machine: Machine) -> int:
    """Return where the screen finds its page. Raises Problem when the settings are wrong."""
    return _box(machine).port


def _box(machine: Machine) -> config.KioskConfig:
    text = machine.text(BOX.settings.target) or '[box]\nid = "new"\nroom = "new"\n'
    try:
        folder = machine.at(BOX.settings.target).parent
        return config.parse(text, BOX.settings.target, folder).kiosk
    except ConfigError as error:
        raise Problem(str(error)) from error


def _ports_of_box(machine: Machine) -> tuple[Port, ...]:
    kiosk = _box(machine)
    ports = [Port(kiosk.phone_port, "photos of an invited phone")] if kiosk.phone_port else []
    if not _on_loopback(kiosk.host):
        ports.append(Port(kiosk.port, "the touch screen's pages (kiosk.host)"))
    return tuple(ports)


def _ports_of_centre(machine: Machine) -> tuple[Port, ...]:
    try:
        said = tomllib.loads(machine.text(CENTRE.settings.target) or "")
    except tomllib.TOMLDecodeError as error:
        raise Problem(f"{CENTRE.settings.target}: {error}. Correct it first.") from error

    def setting(name: str) -> str | int:
        table, key = name.split(".")
        found: str | int = said.get(table, {}).get(key, CENTRE_DEFAULTS[name])
        return found

    ports = [Port(int(setting("broker.port")), "the broker, for the boxes")]
    if not _on_loopback(str(setting("console.host"))):
        ports.append(Port(int(setting("console.port")), "the console (console.host)"))
    return tuple(ports)


_EVERYWHERE = (
    Template("/etc/systemd/journald.conf.d/classbox.conf", "host/journald.conf"),
    Template("/etc/systemd/timesyncd.conf.d/classbox.conf", "host/timesyncd.conf"),
    Template("/etc/systemd/system.conf.d/classbox.conf", "host/watchdog.conf"),
    Template(FIREWALL, "host/firewall.nft"),
)

BOX = Part(
    name="box",
    settings=Template("/etc/classbox/box.toml", "box/box.toml", 0o640),
    files=(
        Template("/etc/sysusers.d/classbox.conf", "box/sysusers.conf"),
        Template("/etc/tmpfiles.d/classbox.conf", "box/tmpfiles.conf"),
        Template("/etc/chromium/policies/managed/classbox.json", "box/chromium.json"),
        *_EVERYWHERE,
    ),
    units=(
        "classbox.target",
        "classbox-.service.d/*",
        "classbox-recorder.service",
        "classbox-greeter.service",
        "classbox-kiosk.service",
        "classbox-link.service",
        "classbox-screen.service*",
        "classbox-firewall.service*",
    ),
    enable=("classbox.target", "classbox-firewall.service"),
    restart="classbox.target",
    data=("/var/lib/classbox", "/var/lib/classbox-screen"),
    ports=_ports_of_box,
)

CENTRE = Part(
    name="centre",
    settings=Template("/etc/classbox/centre.toml", "centre/centre.toml", 0o640),
    files=(
        Template("/etc/sysusers.d/classbox.conf", "centre/sysusers.conf"),
        Template("/etc/tmpfiles.d/classbox.conf", "centre/tmpfiles.conf"),
        *_EVERYWHERE,
    ),
    units=(
        "classbox-centre.target",
        "classbox-.service.d/*",
        "classbox-centre-*",
        "classbox-firewall.service*",
    ),
    enable=("classbox-centre.target", "classbox-firewall.service"),
    restart="classbox-centre.target",
    data=("/var/lib/classbox-centre",),
    ports=_ports_of_centre,
)

PARTS = {part.name: part for part in (BOX, CENTRE)}
