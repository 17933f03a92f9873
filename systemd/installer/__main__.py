"""The command line of the installer; ``./box install`` and ``./box uninstall`` call it."""

from __future__ import annotations

import argparse
import os
import re
import socket
import sys
from collections.abc import Iterable
from pathlib import Path

from systemd.installer import checks, removal
from systemd.installer.machine import Machine, Problem
from systemd.installer.parts import BOX, FIREWALL, PARTS, SSH, Part
from systemd.installer.steps import STEPS, Change, Options


def main(arguments: list[str]) -> int:
    """Install or uninstall; return the exit status: 0 done, 1 a problem, 2 a wrong call."""
    given = _parser().parse_args(arguments)
    part = PARTS[given.part]
    machine = Machine(given.root.resolve())
    os.umask(0o022)  # what root writes here, the services' accounts must be able to read
    try:
        if given.command == "install":
            checks.may_install(machine, part, dry_run=given.dry_run)
            options = _options(machine, part, given)
            count = _carry_out(
                (change for step in STEPS for change in step(machine, part, options)), given.dry_run
            )
        else:
            if not machine.redirected and not given.dry_run:
                checks.is_root()
            if given.with_data and not given.dry_run:
                removal.confirm(machine, part, given.yes)
            count = _carry_out(removal.changes(machine, part, given.with_data), given.dry_run)
    except Problem as problem:
        print(f"box: {problem}", file=sys.stderr)
        return 1
    print(_summary(given, part, machine, count))
    return 0


def _carry_out(changes: Iterable[Change], dry_run: bool) -> int:
    count = 0
    for count, change in enumerate(changes, start=1):  # noqa: B007 - the count is the result
        print(f"{'would ' if dry_run else ''}{change.words}", flush=True)
        if not dry_run:
            change.act()
    return count


def _summary(given: argparse.Namespace, part: Part, machine: Machine, count: int) -> str:
    if count == 0:
        return f"{part.name}: everything is as it should be; nothing was changed"
    if given.dry_run:
        return f"{part.name}: {count} changes to make; nothing was changed"
    if given.command == "uninstall":
        kept = "" if given.with_data else f"; kept: {', '.join(removal.kept(machine, part))}"
        return f"{part.name}: uninstalled{kept}"
    if machine.live:
        doctor = ". Next: sudo classbox doctor" if part is BOX else ""
        return f"{part.name}: {count} changes made{doctor}"
    return f"{part.name}: {count} changes made; it starts when the machine does"


def _options(machine: Machine, part: Part, given: argparse.Namespace) -> Options:
    name = re.sub(r"[^A-Za-z0-9_-]", "-", given.id or socket.gethostname().split(".")[0])
    if given.id and name != given.id:
        raise Problem(f"--id {given.id}: use letters, digits, - and _ only, such as room-203")
    for text in (given.room, given.name):
        if text and re.search(r'["\\\x00-\x1f]', text):
            raise Problem(f"{text!r}: a room or a name has no quotes and no backslashes")
    ssh = given.ssh
    if ssh is None:
        before = machine.text(FIREWALL)
        ssh = before is not None and f"tcp dport {SSH} accept" in before
        if before is None and "SSH_CONNECTION" in os.environ and not given.dry_run:
            raise Problem(
                "you are connected through SSH, which the firewall would close. Say --ssh to leave "
                "it open for good, or --no-ssh if you can reach the machine otherwise."
            )
    return Options(id=name, room=given.room or name, name=given.name or "", ssh=bool(ssh))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="./box", description="Make this machine a box or a centre."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    for command, words in (
        ("install", "install, or bring up to date; a second run changes nothing"),
        ("uninstall", "take it away; the data stay"),
    ):
        one = commands.add_parser(command, help=words)
        one.add_argument("part", choices=sorted(PARTS))
        one.add_argument("--dry-run", action="store_true", help="only say what would be changed")
        one.add_argument(
            "--root",
            type=Path,
            default=Path("/"),
            metavar="DIR",
            help="write below DIR instead, install no packages and start nothing",
        )
    install, uninstall = commands.choices["install"], commands.choices["uninstall"]
    install.add_argument("--id", help="the box's name at the centre (else the host's name)")
    install.add_argument("--room", help="the room as people call it")
    install.add_argument("--name", help="what the centre's console is headed with")
    install.add_argument(
        "--ssh",
        action=argparse.BooleanOptionalAction,
        help="leave port 22 open (default: as it is)",
    )
    uninstall.add_argument("--with-data", action="store_true", help="the data go too, for good")
    uninstall.add_argument("--yes", action="store_true", help="do not ask (with --with-data)")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
