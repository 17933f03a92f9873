"""What must hold before anything is changed; each failure says what to do."""

from __future__ import annotations

import os
import platform
import re
import shutil
import struct

from systemd.installer.machine import Machine, Problem
from systemd.installer.parts import PARTS, Part

MACHINES = {"x86_64": "amd64", "aarch64": "arm64"}
RELEASE = ("debian", "12")
# The environment takes 1.1 GB when it is complete, the Debian packages half of one, and pip as
# much again for a moment; recording begins with what is left.
ROOM = {"/opt": 2_500_000_000, "/var": 500_000_000}


def may_install(machine: Machine, part: Part, *, dry_run: bool) -> None:
    """Check the machine. Raises Problem."""
    _is_debian_12(machine)
    _is_no_other_part(machine, part)
    if not machine.redirected:
        if not dry_run:
            is_root()
        _is_64_bit()
        if not machine.at("/opt/classbox/.venv/set-up").exists():
            _has_room(machine)


def is_root() -> None:
    """Raise Problem unless root runs this."""
    if os.geteuid() != 0:
        raise Problem("this changes the machine, so it must be root who runs it: sudo ./box …")


def _is_debian_12(machine: Machine) -> None:
    text = machine.text("/etc/os-release") or ""
    found = dict(re.findall(r'^(\w+)="?(.*?)"?$', text, re.M))
    if (found.get("ID"), found.get("VERSION_ID")) != RELEASE:
        name = found.get("PRETTY_NAME", "no Debian that says what it is")
        raise Problem(
            f"this is {name}; classbox is installed on Debian 12 (bookworm), or Raspberry Pi OS "
            "64-bit of that release. Install that system first."
        )


def _is_64_bit() -> None:
    if platform.machine() not in MACHINES or struct.calcsize("P") != 8:
        raise Problem(
            f"this is a {8 * struct.calcsize('P')}-bit system on {platform.machine()}; classbox "
            "needs the 64-bit Debian for amd64 or arm64. Install that system first."
        )


def _is_no_other_part(machine: Machine, part: Part) -> None:
    for other in PARTS.values():
        unit = other.restart
        if other is not part and machine.at(f"/etc/systemd/system/{unit}").exists():
            raise Problem(
                f"this machine is a {other.name} already, and a {part.name} needs a machine of its "
                f"own. To make it one: ./box uninstall {other.name}"
            )


def _has_room(machine: Machine) -> None:
    for folder, needed in ROOM.items():
        free = shutil.disk_usage(machine.at(folder)).free
        if free < needed:
            raise Problem(
                f"{folder} has {free / 1e9:.1f} GB free, and {needed / 1e9:.1f} GB are needed. "
                "Make room (apt-get clean helps), or take a larger card."
            )
