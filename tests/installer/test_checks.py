"""What stops an installation on a real machine: each failure says what to do."""

from __future__ import annotations

import os
import shutil
from collections import namedtuple
from pathlib import Path

import pytest

from sync.central import config as centre_config
from systemd.installer import checks
from systemd.installer.machine import Machine, Problem
from systemd.installer.parts import BOX, CENTRE, CENTRE_DEFAULTS
from systemd.installer.steps import unit_files
from tests.house import ROOT

Usage = namedtuple("Usage", "total used free")


def test_only_root_installs(monkeypatch: pytest.MonkeyPatch) -> None:
    """The message says how to become root."""
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(Problem, match="sudo"):
        checks.is_root()


def test_a_full_disk_is_noticed_before_anything_is_fetched(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The message says which folder, how much is free, how much is needed."""
    monkeypatch.setattr(shutil, "disk_usage", lambda path: Usage(8 * 10**9, 7 * 10**9, 10**9))
    with pytest.raises(Problem, match=r"/opt has 1\.0 GB free, and 2\.5 GB are needed"):
        checks._has_room(Machine(root))


def test_a_missing_program_is_named_with_the_remedy(root: Path) -> None:
    """A package that could not be fetched ends the run with what to do, not with a trace."""
    with pytest.raises(Problem, match=r"no-such-program is not installed\. Connect the machine"):
        Machine(root).run("no-such-program", remedy="Connect the machine.")
    with pytest.raises(Problem, match=r"false ended with status 1 \(above\). Name a mirror"):
        Machine(root).run("false", remedy="Name a mirror.")


def test_a_file_appears_whole_with_its_mode(root: Path) -> None:
    """Written beside and renamed; no draft stays, also where one lay from a run that was cut."""
    machine = Machine(root)
    (root / "etc/.secret.new").write_text("half")
    machine.write("/etc/secret", "whole\n", 0o640)
    assert (root / "etc/secret").read_text() == "whole\n"
    assert (root / "etc/secret").stat().st_mode & 0o777 == 0o640
    assert not (root / "etc/.secret.new").exists()


def test_the_defaults_of_the_centre_are_those_of_its_settings(tmp_path: Path) -> None:
    """The installer cannot import them; what it believes must be what the centre does."""
    found = centre_config.parse("[centre]\n", "empty", tmp_path)
    told = {
        "broker.port": found.broker_port,
        "console.host": found.console_host,
        "console.port": found.console_port,
    }
    assert told == CENTRE_DEFAULTS


def test_every_unit_belongs_to_a_box_or_a_centre() -> None:
    """Nothing lies in systemd/ that no installation brings."""
    folder = ROOT / "systemd"
    there = {
        str(path.relative_to(folder))
        for pattern in ("*.service", "*.target", "*.timer", "*.d/*.conf")
        for path in folder.glob(pattern)
    }
    assert there == {*unit_files(BOX), *unit_files(CENTRE)}
