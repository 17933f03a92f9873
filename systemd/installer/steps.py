"""The steps of an installation: each yields what it would change, and the act beside the words.

A step looks at the machine as it is when its turn comes. In a dry run the earlier steps have not
acted, so a step takes a missing file for one that is yet to be written.
"""

from __future__ import annotations

import filecmp
import os
import stat
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from systemd.installer.machine import SOURCE, Machine
from systemd.installer.parts import BOX, FIREWALL, SSH, Part, Port, Template, kiosk_port

PRODUCT = "/opt/classbox"
UNITS = "/etc/systemd/system"
COMMANDS = ("/usr/local/bin/classbox", "/usr/local/bin/classbox-central")
_FOLDERS = ("edge", "camera", "sync", "kiosk_ui", "systemd", "docs", "locks")
_FILES = ("box", "pyproject.toml", "README.md", "CHANGELOG.md", "LICENSE")
# Made where the product is installed, or of no use there.
_MADE = ("__pycache__", "screenshots", "screens")


@dataclass(frozen=True)
class Options:
    """What whoever installs decides. ``ssh``: whether port 22 is open."""

    id: str
    room: str
    name: str
    ssh: bool


@dataclass(frozen=True)
class Change:
    """Something that is not as it should be, and what puts it right."""

    words: str
    act: Callable[[], None]


Step = Callable[[Machine, Part, Options], Iterator[Change]]


def packages(machine: Machine, part: Part, options: Options) -> Iterator[Change]:
    """Debian's packages; ``box`` knows which."""
    if machine.redirected:
        return
    box = str(SOURCE / "box")
    done = subprocess.run(
        [box, "packages", "--missing", part.name], capture_output=True, text=True, check=True
    )
    if missing := done.stdout.split():
        yield Change(
            f"install Debian packages: {' '.join(missing)}",
            lambda: machine.run(
                box,
                "packages",
                part.name,
                remedy="Connect the machine to a network with Debian's archive, or name a mirror "
                "in /etc/apt/sources.list, and run the same command again: it goes on from here.",
            ),
        )


def product(machine: Machine, part: Part, options: Options) -> Iterator[Change]:
    """The product's own files in /opt/classbox, as they are in this checkout."""
    target = machine.at(PRODUCT)
    if target.resolve() == SOURCE:
        return
    here, there = _files(SOURCE), _files(target)
    new, stale = here - there, there - here
    changed = {file for file in here & there if _differs(SOURCE / file, target / file)}
    if new | changed | stale:
        machine.touched.add(PRODUCT)
        yield Change(
            f"bring the product to {PRODUCT}: {len(new)} files new, {len(changed)} changed, "
            f"{len(stale)} removed",
            partial(_bring, target, sorted(new | changed), sorted(stale)),
        )


def environment(machine: Machine, part: Part, options: Options) -> Iterator[Change]:
    """Python packages, models and front-end files, by hash from the locks."""
    if machine.redirected:
        return
    box = machine.at(f"{PRODUCT}/box")
    if (
        box.exists()
        and subprocess.run([box, "environment", "--check"], check=False).returncode == 0
    ):
        return
    machine.touched.add(PRODUCT)
    yield Change(
        f"install what locks/box.txt and locks/assets.txt name into {PRODUCT}/.venv",
        lambda: machine.run(
            str(box),
            "environment",
            remedy="It needs PyPI and npm, or mirrors of them (pip.conf, .npmrc). Mend that, and "
            "run the same command again: it goes on from here.",
        ),
    )


def commands(machine: Machine, part: Part, options: Options) -> Iterator[Change]:
    """The words ``classbox`` and ``classbox-central`` at a command line."""
    for path in COMMANDS:
        place, target = machine.at(path), f"{PRODUCT}/.venv/bin/{Path(path).name}"
        if not place.is_symlink() or os.readlink(place) != target:
            yield Change(f"link {path} to {target}", partial(machine.link, path, target))


def settings(machine: Machine, part: Part, options: Options) -> Iterator[Change]:
    """The settings: written once, and never again."""
    file = part.settings
    if machine.text(file.target) is None:
        content = _filled(file, {"ID": options.id, "ROOM": options.room, "NAME": options.name})
        yield _writing(machine, file, content, "the settings, to be completed by you")


def files(machine: Machine, part: Part, options: Options) -> Iterator[Change]:
    """What is written below /etc for systemd, the browser and the firewall."""
    ports = part.ports(machine)
    if options.ssh:
        ports += (Port(SSH, "SSH"),)
    values = {
        "OPEN": "\n".join(f"        tcp dport {p.number} accept  # {p.listener}" for p in ports)
    }
    if part is BOX:
        values["PORT"] = str(kiosk_port(machine))
    for file in part.files:
        content = _filled(file, values)
        if machine.text(file.target) != content:
            words = ""
            if file.target == FIREWALL:
                words = "open: " + (
                    ", ".join(f"{p.number} ({p.listener})" for p in ports) or "none"
                )
            yield _writing(machine, file, content, words)


def units(machine: Machine, part: Part, options: Options) -> Iterator[Change]:
    """The units, and none that an earlier version had."""
    wanted = {f"{UNITS}/{file}": f"{file}" for file in unit_files(part)}
    for target, source in wanted.items():
        content = (SOURCE / "systemd" / source).read_text("utf-8")
        if machine.text(target) != content:
            yield _writing(machine, Template(target, source), content)
    for target in installed_units(machine):
        if target not in wanted:
            machine.touched.add(target)
            yield Change(f"remove {target}", partial(machine.remove, target))


def accounts(machine: Machine, part: Part, options: Options) -> Iterator[Change]:
    """The accounts of the services."""
    if _cannot_give_away(machine):
        return
    lines = _directives(SOURCE / "systemd" / part.name / "sysusers.conf")
    known = machine.ids("passwd")
    members = _members(machine)
    missing = [line[1] for line in lines if line[0] == "u" and line[1] not in known]
    joining = [
        f"{line[1]} in {line[2]}"
        for line in lines
        if line[0] == "m" and line[1] not in members.get(line[2], ())
    ]
    if missing or joining:
        yield Change(
            f"make accounts: {', '.join(missing + joining)}",
            lambda: _declared(machine, "systemd-sysusers", "classbox.conf"),
        )


def folders(machine: Machine, part: Part, options: Options) -> Iterator[Change]:
    """Folders and settings, with their owners and modes."""
    if _cannot_give_away(machine):
        return
    users, groups = machine.ids("passwd"), machine.ids("group")
    wrong = []
    for _, path, mode, user, group in _directives(SOURCE / "systemd" / part.name / "tmpfiles.conf"):
        try:
            found = machine.at(path).stat()
        except FileNotFoundError:
            wrong.append(f"{path} ({mode} {user}:{group})")
            continue
        owner = (found.st_uid, found.st_gid)
        if (stat.S_IMODE(found.st_mode), *owner) != (
            int(mode, 8),
            users.get(user),
            groups.get(group),
        ):
            wrong.append(f"{path} ({mode} {user}:{group})")
    if wrong:
        yield Change(
            f"put folders right: {', '.join(wrong)}",
            lambda: _declared(machine, "systemd-tmpfiles", "--create", "classbox.conf"),
        )


def enabling(machine: Machine, part: Part, options: Options) -> Iterator[Change]:
    """What starts at boot."""
    for unit in part.enable:
        if not machine.has_unit(unit) or not machine.enabled(unit):
            yield Change(f"let {unit} start at boot", partial(machine.systemctl, "enable", unit))


def running(machine: Machine, part: Part, options: Options) -> Iterator[Change]:
    """What must take notice of the changes of this run."""
    if not machine.live or not machine.touched:
        return
    touched = machine.touched

    def call(*arguments: str) -> Change:
        return Change(f"systemctl {' '.join(arguments)}", lambda: machine.systemctl(*arguments))

    yield call("daemon-reload")
    if any("/system.conf.d/" in path for path in touched):
        yield call("daemon-reexec")
    if any("/journald.conf.d/" in path for path in touched):
        yield call("restart", "systemd-journald.service")
    if any("/timesyncd.conf.d/" in path for path in touched):
        yield call("try-restart", "systemd-timesyncd.service")
    if FIREWALL in touched or any("classbox-firewall" in path for path in touched):
        yield call("restart", "classbox-firewall.service")
    yield call("restart", part.restart)


STEPS: tuple[Step, ...] = (
    packages,
    product,
    environment,
    commands,
    settings,
    files,
    units,
    accounts,
    folders,
    enabling,
    running,
)


def unit_files(part: Part) -> list[str]:
    """Return the units of *part* and their drop-ins, below systemd/."""
    folder = SOURCE / "systemd"
    found = [path for pattern in part.units for path in folder.glob(pattern)]
    found += [path for one in found if one.is_dir() for path in one.iterdir()]
    return sorted({str(path.relative_to(folder)) for path in found if path.is_file()})


def installed_units(machine: Machine) -> list[str]:
    """Return the units and drop-ins of classbox that this installer wrote on the machine.

    Not the drop-ins that ``systemctl edit`` writes (override.conf): they are the technician's.
    """
    folder = machine.at(UNITS)
    found = [*folder.glob("classbox*.*"), *folder.glob("classbox*.d/*.conf")]
    return sorted(
        f"{UNITS}/{path.relative_to(folder)}"
        for path in found
        if path.is_file() and not path.is_symlink() and path.name != "override.conf"
    )


def _writing(machine: Machine, file: Template, content: str, words: str = "") -> Change:
    machine.touched.add(file.target)
    verb = "write" if machine.text(file.target) is None else "change"
    return Change(
        f"{verb} {file.target}{f' ({words})' if words else ''}",
        lambda: machine.write(file.target, content, file.mode),
    )


def _filled(file: Template, values: dict[str, str]) -> str:
    content = (SOURCE / "systemd" / file.source).read_text("utf-8")
    for name, value in values.items():
        content = content.replace(f"@{name}@", value)
    return content


def _files(folder: Path) -> set[str]:
    """Return the product's files below *folder*, by their paths in it."""
    found = set()
    for name in _FOLDERS + _FILES:
        top = folder / name
        for path in [top] if top.is_file() else top.rglob("*"):
            where = path.relative_to(folder)
            if path.is_file() and path.suffix != ".mo" and not set(where.parts) & set(_MADE):
                found.add(str(where))
    return found


def _differs(one: Path, other: Path) -> bool:
    same_mode = (one.stat().st_mode & 0o111 != 0) == (other.stat().st_mode & 0o111 != 0)
    return not same_mode or not filecmp.cmp(one, other, shallow=False)


def _bring(target: Path, files: list[str], stale: list[str]) -> None:
    for file in files:
        place = target / file
        place.parent.mkdir(parents=True, exist_ok=True)
        draft = place.with_name(f".{place.name}.new")
        draft.write_bytes((SOURCE / file).read_bytes())
        draft.chmod(0o755 if (SOURCE / file).stat().st_mode & 0o111 else 0o644)
        draft.replace(place)
    for file in stale:
        (target / file).unlink()


def _cannot_give_away(machine: Machine) -> bool:
    """Whether this is a folder that somebody other than root has for looking at."""
    return machine.redirected and os.geteuid() != 0


def _directives(file: Path) -> list[list[str]]:
    lines = file.read_text("utf-8").splitlines()
    return [line.split() for line in lines if line and not line.startswith("#")]


def _members(machine: Machine) -> dict[str, list[str]]:
    rows = [line.split(":") for line in (machine.text("/etc/group") or "").splitlines()]
    return {row[0]: row[3].split(",") for row in rows if len(row) > 3}


def _declared(machine: Machine, program: str, *arguments: str) -> None:
    """Let systemd make what the file declares, in the redirected root if it is one."""
    where = [f"--root={machine.root}"] if machine.redirected else []
    machine.run(program, *where, *arguments, remedy="Mend that, and run the same command again.")
