"""What a technician would look at, looked at: services, clock, network, cameras, disk and more.

Promises to change nothing and to end: each check looks at one thing, and one that cannot be looked
at is said to be unknown, not well. Owns no words (``kiosk_ui.remedies``).
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from edge import alerts, assets, bindings, cameras
from edge.clock import BoxClock
from edge.config import Config
from edge.ledger import Ledger
from edge.logins import Logins
from edge.rules.alerts import BOX, Case, Code
from kiosk_ui.runtime import Runtime

SERVICES = ("recorder", "greeter", "kiosk", "link", "screen", "firewall")
# EX_CONFIG: the settings leave this service out (edge.box.NotConfigured).
_LEFT_OUT = "78"
# JEDEC JESD84-B51, EXT_CSD 268 and 267: life used in tenths, and reserve blocks (2: 80 % used).
_LIFE_USED_UP = 10
_RESERVE_LOW = 2
_DISK_CODES = frozenset({Code.DISK_FULL, Code.DISK_DEGRADED, Code.DISK_FILLING})


class State(StrEnum):
    """How bad it is: well; worth knowing, but the box does its work; something to be done."""

    WELL = "well"
    NOTE = "note"
    PROBLEM = "problem"


@dataclass(frozen=True, slots=True)
class Found:
    """The result of a look. ``code`` names the words, ``facts`` fill them; ``case``: an alert."""

    check: str
    state: State
    code: str
    facts: Mapping[str, object] = field(default_factory=dict)
    case: Case | None = None


@dataclass(frozen=True, slots=True)
class Unit:
    """What systemd says of a service. ``status``: that of its last process."""

    active: str
    result: str
    status: str


def units() -> dict[str, Unit] | None:
    """Return what systemd says of the box's services, None where it is not there."""
    if not Path("/run/systemd/system").is_dir():
        return None
    asked = "--property=Id,LoadState,ActiveState,Result,ExecMainStatus"
    names = [f"classbox-{name}.service" for name in SERVICES]
    done = subprocess.run(
        ["systemctl", "show", asked, *names], capture_output=True, text=True, check=False
    )
    found = {}
    for block in done.stdout.strip().split("\n\n"):
        said = dict(line.split("=", 1) for line in block.splitlines() if "=" in line)
        if said.get("LoadState") == "loaded":
            name = said["Id"].removeprefix("classbox-").removesuffix(".service")
            found[name] = Unit(said["ActiveState"], said["Result"], said["ExecMainStatus"])
    return found


@dataclass(frozen=True)
class Surroundings:
    """Where the machine is looked at; another for tests."""

    sys: Path = Path("/sys")
    routes: Path = Path("/proc/net/route")
    units: Callable[[], dict[str, Unit] | None] = units


def without_ledger(config: Config, around: Surroundings) -> Iterator[Found]:
    """Look at what needs settings and no database."""
    yield from clock(config)
    yield from centre(config)
    yield from door(config)
    yield from card(around)
    yield from models()
    yield from permissions(config)


def with_ledger(config: Config, ledger: Ledger) -> Iterator[Found]:
    """Look at the database and at what it knows."""
    yield from database(ledger)
    yield from filmed(config, ledger)
    yield from disk(config, ledger)


def services(around: Surroundings) -> Iterator[Found]:
    """Whether systemd keeps the services running."""
    known = around.units()
    if not known:
        yield Found("services", State.NOTE, "services_unknown")
        return
    off = False
    for name, unit in known.items():
        if unit.status == _LEFT_OUT and unit.active != "active":
            yield Found("services", State.NOTE, "service_left_out", {"service": name})
        elif unit.active != "active" and not (name == "screen" and unit.result == "success"):
            off = True
            facts = {"service": name, "why": f"{unit.active}, {unit.result}"}
            yield Found("services", State.PROBLEM, "service_off", facts)
    if not off:
        count = sum(unit.active == "active" for unit in known.values())
        yield Found("services", State.WELL, "services_run", {"count": count})


def network(around: Surroundings) -> Iterator[Found]:
    """Whether a cable or a radio has a way out; a box works without one."""
    try:
        rows = [line.split() for line in around.routes.read_text("ascii").splitlines()[1:]]
    except OSError:
        rows = []
    out = next((row[0] for row in rows if len(row) > 1 and row[1] == "00000000"), None)
    if out is None:
        yield Found("network", State.NOTE, "no_network")
    else:
        yield Found("network", State.WELL, "network", {"interface": out})


def clock(config: Config) -> Iterator[Found]:
    """What the box's time rests on."""
    basis = BoxClock.of(config.runtime_dir, config.trusted_clock).basis()
    if basis.source == "floor":
        yield Found("clock", State.PROBLEM, "no_date")
    elif not basis.true:
        yield Found("clock", State.NOTE, "battery_clock")
    else:
        yield Found("clock", State.WELL, "clock", {"source": basis.source})


def centre(config: Config) -> Iterator[Found]:
    """Whether the centre is reached, and how much it lacks."""
    if config.link is None:
        yield Found("centre", State.NOTE, "no_link")
        return
    said = Runtime(config.runtime_dir).now().link
    facts = {"host": config.link.host, "waiting": said.waiting}
    if not said.known:
        yield Found("centre", State.PROBLEM, "link_silent", facts)
    elif not said.connected:
        yield Found("centre", State.PROBLEM, "not_connected", facts)
    else:
        yield Found("centre", State.WELL, "connected", facts)


def door(config: Config) -> Iterator[Found]:
    """Whether the door camera is there and gives a picture."""
    if config.door is None:
        yield Found("door", State.NOTE, "no_door")
        return
    kind, _, place = config.door.source.partition(":")
    if kind == "v4l2" and not Path(place).exists():
        yield Found("door", State.PROBLEM, "no_device", {"device": place})
    elif Runtime(config.runtime_dir).picture() is None:
        yield Found("door", State.PROBLEM, "no_picture", {"label": config.door.label})
    else:
        yield Found("door", State.WELL, "door", {"label": config.door.label})


def card(around: Surroundings) -> Iterator[Found]:
    """How worn the flash memory is, where it tells: eMMC does, an SD card does not."""
    told = False
    for device in sorted((around.sys / "block").glob("mmcblk*/device")):
        try:
            lives = [int(word, 16) for word in (device / "life_time").read_text().split()]
            reserve = int((device / "pre_eol_info").read_text().strip(), 16)
        except (OSError, ValueError):
            continue
        if not any(lives):
            continue  # zero is "not defined"
        told = True
        facts = {"device": device.parent.name, "percent": min(100, max(lives) * 10)}
        worn = max(lives) >= _LIFE_USED_UP or reserve >= _RESERVE_LOW
        yield Found(
            "card", State.PROBLEM if worn else State.WELL, "worn" if worn else "card", facts
        )
    if not told:
        yield Found("card", State.NOTE, "card_silent")


def models(lock: Path | None = None) -> Iterator[Found]:
    """Whether every model and front-end file is the one that was locked."""
    lock = lock or Path(assets.__file__).parents[1] / "locks" / "assets.txt"
    try:
        rows = [line.split() for line in lock.read_text("utf-8").splitlines() if line[:1] != "#"]
    except OSError:
        yield Found("models", State.NOTE, "models_unknown")
        return
    wrong = False
    for sha256, name, *_ in filter(None, rows):
        try:
            right = _sha256(assets.path(name)) == sha256
        except (assets.AssetMissing, OSError):
            right = False
        if not right:
            wrong = True
            yield Found("models", State.PROBLEM, "model_wrong", {"name": name})
    if not wrong:
        yield Found("models", State.WELL, "models", {"count": len(rows)})


def permissions(config: Config) -> Iterator[Found]:
    """Whether only the box's account reads what is secret, and can write what it must."""
    wrong = False
    owner = config.data_dir.stat().st_uid if config.data_dir.exists() else None
    keys = sorted((config.data_dir / "keys").glob("*"))
    for path, mode in [(config.data_dir, 0o750), *((key, 0o600) for key in keys)]:
        if path.exists() and path.stat().st_mode & 0o777 & ~mode:
            wrong = True
            facts = {"path": path, "mode": f"{mode:o}"}
            yield Found("permissions", State.PROBLEM, "open_to_others", facts)
    for path in config.data_dir.glob("*.db*"):
        if path.stat().st_uid != owner:
            wrong = True
            yield Found(
                "permissions",
                State.PROBLEM,
                "other_owner",
                {"path": path, "folder": config.data_dir},
            )
    if not wrong:
        yield Found("permissions", State.WELL, "permissions")


def database(ledger: Ledger) -> Iterator[Found]:
    """Whether SQLite finds its pages whole; the chain is for ``classbox ledger verify``."""
    try:
        with ledger.store.read() as connection:
            said = str(connection.execute("PRAGMA quick_check(1)").fetchone()[0])
    except sqlite3.DatabaseError as error:
        said = str(error)
    if said != "ok":
        yield Found("database", State.PROBLEM, "database_broken", {"why": said})
    else:
        yield Found("database", State.WELL, "database", {"events": ledger.head()[0]})


def filmed(config: Config, ledger: Ledger) -> Iterator[Found]:
    """What stands against the classroom cameras."""
    with ledger.store.read() as connection:
        labels = cameras.labels(connection) | {one.id: one.label for one in config.cameras}
        bound = bindings.in_force(connection, config, Logins(config.data_dir))
        stand = [
            one.case for one in alerts.standing(connection) if one.case.code not in _DISK_CODES
        ]
    for case in stand:
        yield Found("camera", State.PROBLEM, "alert", {"labels": labels}, case)
    seen = [one for one in bound if one.role == "classroom"]
    if not seen and not stand:
        yield Found("camera", State.PROBLEM, "alert", {"labels": labels}, Case(BOX, Code.NOT_BOUND))
    elif not stand:
        yield Found("camera", State.WELL, "cameras", {"count": len(seen)})


def disk(config: Config, ledger: Ledger) -> Iterator[Found]:
    """How much room there is, and what stands against the disk."""
    with ledger.store.read() as connection:
        stand = [one.case for one in alerts.standing(connection) if one.case.code in _DISK_CODES]
    for case in stand:
        yield Found("disk", State.PROBLEM, "alert", {"labels": {}}, case)
    if not stand:
        usage = shutil.disk_usage(config.data_dir)
        facts = {"free": f"{usage.free / 1e9:.1f}", "total": f"{usage.total / 1e9:.1f}"}
        yield Found("disk", State.WELL, "disk", facts)


def look_as_owner(config: Config) -> None:
    """Give up being root for the account of the box: what it cannot read, the box cannot.

    Also, what SQLite makes beside a database must not become root's.
    """
    if os.geteuid() == 0 and config.data_dir.exists():
        owner = config.data_dir.stat()
        if owner.st_uid != 0:
            os.setgroups([])
            os.setgid(owner.st_gid)
            os.setuid(owner.st_uid)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
