"""The real thing: a Debian 12 that was just bootstrapped, packages, environment and all."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.house import ROOT

pytestmark = [
    pytest.mark.real_root,
    pytest.mark.skipif(os.geteuid() != 0, reason="only root makes a Debian"),
    pytest.mark.skipif(shutil.which("debootstrap") is None, reason="debootstrap is missing"),
]

# What this machine knows of mirrors and certificates, the new one must know too.
_KNOWN_HERE = """
    etc/apt/sources.list.d etc/apt/apt.conf.d etc/pip.conf etc/ssl/certs/ca-certificates.crt
    etc/resolv.conf etc/hosts root/.npmrc
"""

# In a mount namespace of its own: nothing stays mounted, whatever happens.
_INSIDE = """
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
def debian(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A minimal Debian 12 with Python; CLASSBOX_TEST_ROOT names a folder that holds one."""
    root = tmp_path_factory.mktemp("debian") / "root"
    made = os.environ.get("CLASSBOX_TEST_ROOT")
    if made:
        subprocess.run(["cp", "-a", "--reflink=auto", made, root], check=True)
    else:
        subprocess.run(
            [
                "debootstrap",
                "--variant=minbase",
                "--include=python3,ca-certificates",
                "bookworm",
                root,
            ],
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
    return root


def inside(root: Path, *command: str) -> str:
    """Run *command* in the new Debian; return what it said, fail when it failed."""
    certificates = "/etc/ssl/certs/ca-certificates.crt"
    done = subprocess.run(
        ["unshare", "--mount", "sh", "-c", _INSIDE, "inside", str(root), str(ROOT), *command],
        env={
            "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
            "HOME": "/root",
            "LANG": "C.UTF-8",
            "PIP_CERT": certificates,
            "NODE_EXTRA_CA_CERTS": certificates,
        },
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    print(done.stdout)  # what a technician sees; pytest shows it when something is wrong
    assert done.returncode == 0, done.stdout[-2000:]
    return done.stdout


def test_a_new_debian_becomes_a_box_and_stops_being_one(debian: Path) -> None:
    """Dry run, install, install again, use, uninstall: the data are still there."""
    install = ("/src/box", "install", "box", "--id", "room-203", "--room", "203")
    dry = inside(debian, *install, "--dry-run")
    assert "would install Debian packages:" in dry
    assert not (debian / "opt/classbox").exists()

    inside(debian, *install)
    assert "nothing was changed" in inside(debian, *install)
    # As the service's account: what it needs is readable, what it makes is its own.
    classbox = ["setpriv", "--reuid=classbox", "--regid=classbox", "--clear-groups"]
    classbox += ["/usr/local/bin/classbox"]
    inside(debian, *classbox, "ledger", "rebuild")
    assert "events" in inside(debian, *classbox, "ledger", "verify")
    inside(debian, *classbox, "faces", "evaluate", "--help")
    units = [
        f"/etc/systemd/system/{unit.name}"
        for unit in (ROOT / "systemd").glob("classbox-[!c]*.service")
    ]
    inside(debian, "systemd-analyze", "verify", "--man=no", *units)

    assert "kept: /etc/classbox/box.toml" in inside(debian, "/src/box", "uninstall", "box")
    assert (debian / "var/lib/classbox/ledger.db").exists()
    assert not (debian / "opt/classbox").exists()
    assert "nothing was changed" in inside(debian, "/src/box", "uninstall", "box")
