"""The way back: units, files and product go; settings, data and the accounts that own them stay.

Debian's packages stay too: nobody can tell whether something else has come to need them.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

from systemd.installer.machine import Machine, Problem
from systemd.installer.parts import Part
from systemd.installer.steps import COMMANDS, PRODUCT, UNITS, Change, installed_units

_SETTINGS = "/etc/classbox"


def kept(machine: Machine, part: Part) -> list[str]:
    """Return what of the data is there and outlives an uninstallation."""
    paths = (part.settings.target, *part.data)
    return [path for path in paths if machine.at(path).exists()]


def confirm(machine: Machine, part: Part, yes: bool) -> None:
    """Let a person say that the data may go. Raises Problem when they do not."""
    going = kept(machine, part)
    if yes or not going:
        return
    print(f"This deletes, for good: {', '.join(going)}")
    if part.name == "box":
        print("What the centre has not received is lost: look at `classbox link status` first.")
    try:
        said = input(f"Type the word {part.name} to delete it: ")
    except EOFError:
        said = ""
    if said.strip() != part.name:
        raise Problem("nothing was deleted, nothing was changed")


def changes(machine: Machine, part: Part, with_data: bool) -> Iterator[Change]:
    """Yield what there is to take away."""
    installed = machine.at(f"/etc/systemd/system/{part.restart}").exists()
    if installed:
        # Those that the technician enabled by name too, such as a timer or an ingester of several.
        units = [
            name for path in installed_units(machine) if "/" not in (name := path[len(UNITS) + 1 :])
        ]
        now = ["--now"] if machine.live else []
        yield Change(
            "stop the units, now and at boot" if now else "let no unit start at boot",
            lambda: machine.systemctl("disable", *now, *units),
        )
        # The files are shared with a machine of the other part, which this one is not.
        files = [*installed_units(machine), *(file.target for file in part.files)]
        for path in [*files, *COMMANDS, PRODUCT]:
            if os.path.lexists(machine.at(path)):
                yield _removing(machine, path)
        if machine.live:
            yield Change("systemctl daemon-reload", lambda: machine.systemctl("daemon-reload"))
    if with_data:
        for path in kept(machine, part):
            yield _removing(machine, path)


def _removing(machine: Machine, path: str) -> Change:
    return Change(f"remove {path}", lambda: machine.remove(path))
