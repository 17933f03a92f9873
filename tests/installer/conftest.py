"""A folder that stands for a machine, and the installer run on it as its user runs it."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.house import ROOT

DEBIAN_12 = 'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nID=debian\nVERSION_ID="12"\n'

Box = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The root of a Debian 12 on which nothing is installed."""
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/os-release").write_text(DEBIAN_12)
    return tmp_path


@pytest.fixture
def box(root: Path) -> Box:
    """Run ./box on that root."""

    def run(*arguments: str, said: str = "", **more: str) -> subprocess.CompletedProcess[str]:
        environment = {name: value for name, value in os.environ.items() if name[:3] != "SSH"}
        return subprocess.run(
            [ROOT / "box", *arguments, "--root", str(root)],
            input=said,
            env={**environment, **more},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    return run


def everything(root: Path) -> dict[str, tuple[int, int, int, bytes]]:
    """Return what lies below *root*: path → mode, owner, time of change, content."""
    found = {}
    for path in sorted(root.rglob("*")):
        state = path.lstat()
        content = path.read_bytes() if path.is_file() and not path.is_symlink() else b""
        found[str(path.relative_to(root))] = (
            state.st_mode,
            state.st_uid,
            state.st_mtime_ns,
            content,
        )
    return found
