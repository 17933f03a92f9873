"""The box script and the locks: what is installed is named, with hashes and without addresses."""

from __future__ import annotations

import hashlib
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.house import ROOT

LOCKS = ROOT / "locks"
REQUIREMENT = re.compile(r"^([a-z0-9-]+)==\S+", re.M)


def rows(name: str) -> list[list[str]]:
    """Return the words of each line of a lock, without its comments."""
    lines = (LOCKS / name).read_text("utf-8").splitlines()
    return [line.split() for line in lines if line and not line.startswith("#")]


def test_an_unknown_command_is_refused_with_the_ones_there_are() -> None:
    """A misspelt command installs nothing, says what exists, and ends with status 2."""
    done = subprocess.run([ROOT / "box", "dmeo"], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "unknown command: dmeo" in done.stderr
    assert "demo" in done.stderr


@pytest.mark.parametrize("lock", sorted(path.name for path in LOCKS.glob("*.txt")))
def test_no_lock_holds_an_address(lock: str) -> None:
    """Each machine asks the registry that it is set to; a lock must not say which."""
    assert "://" not in (LOCKS / lock).read_text("utf-8")


@pytest.mark.parametrize("lock", ["python.txt", "box.txt", "node.txt", "bench-faces.txt"])
def test_every_locked_package_has_hashes(lock: str) -> None:
    """One without would make pip --require-hashes refuse the whole lock."""
    text = (LOCKS / lock).read_text("utf-8")
    stanzas = re.split(r"\n(?=\S)", text.split("\n", 1)[1])
    assert all("--hash=sha256:" in stanza for stanza in stanzas)


def test_the_appliance_gets_a_part_of_what_was_tested() -> None:
    """locks/box.txt names nothing that locks/python.txt does not name in the same version."""
    everything = {match[0] for match in REQUIREMENT.finditer((LOCKS / "python.txt").read_text())}
    appliance = {match[0] for match in REQUIREMENT.finditer((LOCKS / "box.txt").read_text())}
    assert appliance < everything
    assert not {name for name in appliance if re.match(r"(pytest|hypothesis|playwright)\b", name)}


def test_models_and_front_end_files_are_the_locked_ones() -> None:
    """What the product loads has the SHA-256 that locks/assets.txt names."""
    packages = {package for package, _ in rows("npm.txt")}
    for sha256, target, package, _ in rows("assets.txt"):
        content = (Path(sys.prefix) / "share" / "classbox" / target).read_bytes()
        assert hashlib.sha256(content).hexdigest() == sha256
        assert package in packages
