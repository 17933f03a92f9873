"""The real thing: a new Debian 12 becomes a box, is started, loses its power, stops being a box.

Packages and environment are installed in a chroot. Then systemd starts in it as it does on a
machine (systemd-nspawn, with a network of its own), so that the units run in their sandboxes.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.house import ROOT
from tests.processes import wait_for

_PROGRAMS = ("debootstrap", "systemd-nspawn")
pytestmark = [
    pytest.mark.real_root,
    pytest.mark.skipif(os.geteuid() != 0, reason="only root makes a Debian"),
    pytest.mark.skipif(
        None in map(shutil.which, _PROGRAMS),
        reason="./box test --all installs debootstrap and nspawn",
    ),
]

_INSTALL = ("/src/box", "install", "box", "--id", "room-203", "--room", "203")
_DOCTOR = ("/usr/local/bin/classbox", "doctor", "--json")
# Nothing is bound, and a machine without a network has nobody to tell it the time.
_NOT_YET = {"not_bound", "no_date"}

# What this machine knows of mirrors and certificates, the new one must know too.
_CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"
_KNOWN_HERE = f"""
    etc/apt/sources.list.d etc/apt/apt.conf.d etc/pip.conf {_CERTIFICATES[1:]} etc/resolv.conf
    etc/hosts root/.npmrc
"""
_ENVIRONMENT = {
    "PATH": "/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "HOME": "/root",
    "LANG": "C.UTF-8",
    "PIP_CERT": _CERTIFICATES,
    "NODE_EXTRA_CA_CERTS": _CERTIFICATES,
}

# No screen is there, so cage makes one up in memory; the unit's sandbox is the real one.
_SCREEN = """
[Unit]
ConditionPathExistsGlob=
[Service]
Environment=WLR_BACKENDS=headless WLR_RENDERER=pixman LIBSEAT_BACKEND=noop
"""

# In a mount namespace of its own: nothing stays mounted, whatever happens.
_CHROOT = """
set -eu
mount --make-rprivate /
mount --rbind /dev "$1/dev"
mount -t proc proc "$1/proc"
mkdir -p "$1/src"
mount --bind -o ro "$2" "$1/src"
root=$1
shift 2
exec chroot "$root" "$@"
"""


@pytest.fixture(scope="module")
def debian(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A minimal Debian 12 with Python; CLASSBOX_TEST_ROOT names a folder that holds one."""
    root = tmp_path_factory.mktemp("debian") / "root"
    made = os.environ.get("CLASSBOX_TEST_ROOT")
    if made:
        subprocess.run(["cp", "-a", "--reflink=auto", made, root], check=True)
    else:
        packages = "--include=python3,ca-certificates"
        subprocess.run(
            ["debootstrap", "--variant=minbase", packages, "bookworm", root],
            stdout=subprocess.DEVNULL,
            check=True,
        )
    (root / "etc/apt/sources.list").unlink(missing_ok=True)
    for name in _KNOWN_HERE.split():
        here, there = Path("/", name), root / name
        if here.is_dir():
            shutil.copytree(here, there, dirs_exist_ok=True)
        elif here.exists():
            there.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(here, there)
    yield root
    shutil.rmtree(root)  # two gigabytes


class Place:
    """Where commands run in the new Debian; *prefix* brings them there."""

    def __init__(self, *prefix: str) -> None:
        self.prefix = prefix

    def run(self, *command: str, status: int = 0) -> str:
        """Run *command*; return what it said, fail when it ended otherwise."""
        done = subprocess.run(
            [*self.prefix, *command],
            env=_ENVIRONMENT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        print(done.stdout)  # what a technician sees; pytest shows it when something is wrong
        assert done.returncode == status, done.stdout[-2000:]
        return done.stdout

    def active(self, unit: str) -> bool:
        """Tell whether systemd keeps *unit* running."""
        done = subprocess.run(
            [*self.prefix, "systemctl", "is-active", "--quiet", unit], check=False
        )
        return done.returncode == 0


def unstarted(root: Path) -> Place:
    """The new Debian as a chroot, with the network of this machine."""
    return Place("unshare", "--mount", "sh", "-c", _CHROOT, "chroot", str(root), str(ROOT))


@contextmanager
def started(root: Path) -> Iterator[Place]:
    """The new Debian as a machine that runs, until its power is cut."""
    nspawn = subprocess.Popen(
        [
            *("systemd-nspawn", "--quiet", "--register=no", "--keep-unit", "--private-network"),
            *(f"--directory={root}", f"--bind-ro={ROOT}:/src", "--boot"),
        ],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    children = Path(f"/proc/{nspawn.pid}/task/{nspawn.pid}/children")
    try:
        wait_for("systemd starts", lambda: children.read_text().split())
        systemd = children.read_text().split()[0]
        place = Place("nsenter", f"--target={systemd}", "--all", "--", "env", "--chdir=/")
        wait_for("the box runs", lambda: place.active("classbox.target"), within=120)
        yield place
        os.kill(int(systemd), signal.SIGKILL)
    finally:
        nspawn.kill()
        nspawn.wait()


def problems(place: Place) -> set[str]:
    """Return what the doctor says is to be done."""
    said = json.loads(place.run(*_DOCTOR, status=1))
    return {one["code"] for one in said["found"] if one["state"] == "problem"}


def events(place: Place) -> int:
    """Return how many events the ledger holds, all of them sound."""
    said = place.run(
        "setpriv",
        "--reuid=classbox",
        "--regid=classbox",
        "--clear-groups",
        "classbox",
        "ledger",
        "verify",
    )
    count, words = said.split(maxsplit=1)
    assert words.startswith("events, 0 problems"), said
    return int(count)


def test_a_new_debian_becomes_a_box_and_stops_being_one(debian: Path) -> None:
    """Install, start, cut the power, start, change a setting, uninstall: the data are there."""
    chroot = unstarted(debian)
    assert "would install Debian packages:" in chroot.run(*_INSTALL, "--dry-run")
    assert not (debian / "opt/classbox").exists()
    chroot.run(*_INSTALL)
    assert "nothing was changed" in chroot.run(*_INSTALL)

    (debian / "etc/systemd/system/classbox-screen.service.d/override.conf").write_text(_SCREEN)
    with started(debian) as machine:
        assert problems(machine) <= _NOT_YET
        for service in ("recorder", "kiosk", "screen", "firewall"):
            assert machine.active(f"classbox-{service}.service"), service
        assert "tcp dport 8601 accept" in machine.run("nft", "list", "table", "inet", "classbox")
        before = events(machine)

    with started(debian) as machine:
        assert events(machine) > before
        assert problems(machine) <= _NOT_YET
        assert "nothing was changed" in machine.run(*_INSTALL)
        with (debian / "etc/classbox/box.toml").open("a") as settings:
            settings.write("\n[kiosk]\nport = 8650\nphone_port = 0\n")
        again = machine.run(*_INSTALL)
        assert "change /etc/classbox/firewall.nft (open: none)" in again
        assert "systemctl restart classbox.target" in again
        assert "dport 8601" not in machine.run("nft", "list", "table", "inet", "classbox")
        fetch = "import urllib.request as u; print(u.urlopen('http://127.0.0.1:8650/alive').status)"
        wait_for("the screen is up again", lambda: machine.active("classbox-screen.service"), 90)
        assert machine.run("python3", "-c", fetch).strip() == "204"

        gone = machine.run("/src/box", "uninstall", "box")
        assert "kept: /etc/classbox/box.toml, /var/lib/classbox" in gone
        assert not machine.active("classbox-kiosk.service")
        assert "table inet classbox" not in machine.run("nft", "list", "ruleset")
        assert "nothing was changed" in machine.run("/src/box", "uninstall", "box")
    assert (debian / "var/lib/classbox/ledger.db").stat().st_size > 0
    assert not (debian / "opt/classbox").exists()
