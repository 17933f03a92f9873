"""The systemd units: valid, sandboxed, never waiting for a network, never giving up."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.house import ROOT

UNITS = [
    unit
    for sort in ("service", "target", "timer")
    for unit in sorted((ROOT / "systemd").glob(f"*.{sort}"))
]
SERVICES = [unit.name for unit in UNITS if unit.suffix == ".service"]
# What a timer starts does one thing and ends, and so does the firewall; the others stay.
TIMED = [unit.with_suffix(".service").name for unit in UNITS if unit.suffix == ".timer"]
FIREWALL = "classbox-firewall.service"
STAYING = [service for service in SERVICES if service not in (*TIMED, FIREWALL)]
SHARED = "classbox-.service.d/10-every-service.conf"
INSTALLED = "/opt/classbox/.venv"
EXPOSURE_AT_MOST = 25  # systemd-analyze's scale: tenths, 100 is the worst


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the units whose programs are the ones of this environment."""
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is missing; ./box test installs it")
    folder = tmp_path_factory.mktemp("units") / "systemd"
    shutil.copytree(ROOT / "systemd", folder)
    for unit in folder.glob("*.service"):
        unit.write_text(unit.read_text("utf-8").replace(INSTALLED, sys.prefix), "utf-8")
    return folder


def analyze(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run systemd-analyze on the units in *folder*, beside those of the system."""
    return subprocess.run(
        ["systemd-analyze", *arguments],
        env={**os.environ, "SYSTEMD_UNIT_PATH": f"{folder}:"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def settings(unit: str) -> dict[str, list[str]]:
    """Return all settings of a service, the shared ones included."""
    found: dict[str, list[str]] = {}
    for file in (ROOT / "systemd" / unit, ROOT / "systemd" / SHARED):
        for line in file.read_text("utf-8").splitlines():
            if match := re.match(r"(\w+)=(.*)", line):
                found.setdefault(match[1], []).append(match[2])
    return found


def test_systemd_finds_nothing_wrong_with_the_units(installed: Path) -> None:
    """Every unit and the programs that it starts pass systemd-analyze verify without a word."""
    units = [str(installed / unit.name) for unit in UNITS]
    done = analyze(installed, "verify", "--man=no", "--recursive-errors=one", *units)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_verification_would_notice_a_mistake(installed: Path, tmp_path: Path) -> None:
    """A unit with a program that does not exist fails, so that silence means something."""
    unit = tmp_path / "classbox-kiosk.service"
    text = (installed / unit.name).read_text("utf-8")
    unit.write_text(text.replace("/classbox kiosk", "/no-such-program"), "utf-8")
    done = analyze(tmp_path, "verify", "--man=no", str(unit))
    assert done.returncode != 0
    assert "no-such-program" in done.stderr


@pytest.mark.parametrize("service", SERVICES)
def test_the_sandbox_is_tight(installed: Path, service: str) -> None:
    """systemd-analyze security rates every service at 2.5 or better."""
    threshold = f"--threshold={EXPOSURE_AT_MOST}"
    done = analyze(
        installed, "security", "--offline=yes", "--no-pager", threshold, str(installed / service)
    )
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("service", STAYING)
def test_a_service_never_waits_for_the_network_and_never_gives_up(service: str) -> None:
    """Offline is the normal case; a start that fails a thousand times is tried once more."""
    found = settings(service)
    assert "network" not in " ".join(found.get("After", []) + found.get("Wants", []))
    assert found["Restart"] == ["always"]
    assert found["StartLimitIntervalSec"] == ["0"]
    assert found["RestartPreventExitStatus"] == ["78"]
    assert found["Type"] == ["notify"]
    assert int(found["WatchdogSec"][0]) > 0


@pytest.mark.parametrize("service", TIMED)
def test_what_a_timer_starts_ends_and_is_tried_again_until_it_worked(service: str) -> None:
    """Once a day, also after a night off; without a network again and again.

    Not where the settings leave it out (status 78).
    """
    timer = (ROOT / "systemd" / service).with_suffix(".timer").read_text("utf-8")
    assert "OnCalendar=daily\n" in timer
    assert "Persistent=yes\n" in timer
    found = settings(service)
    own = "".join(file.read_text() for file in (ROOT / "systemd" / f"{service}.d").iterdir())
    assert "Type=oneshot\n" in own
    assert "Restart=on-failure\n" in own
    assert found["StartLimitIntervalSec"] == ["0"]
    assert found["RestartPreventExitStatus"] == ["78"]
    assert "network" not in " ".join(found.get("After", []) + found.get("Wants", []))


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_can_say_how_good_its_clock_is(service: str) -> None:
    """The sandbox leaves adjtimex and the boot id readable; ProtectClock would hide both."""
    found = settings(service)
    assert "ProtectClock" not in found
    assert "ProcSubset" not in found
    assert found["SystemCallFilter"][-1] == "adjtimex clock_adjtime"


def test_every_service_of_the_box_starts_with_the_box() -> None:
    """The targets want exactly the services that are there, and start at boot.

    A template stands for services that whoever installs it names.
    """
    wanted = []
    for target in ("classbox.target", "classbox-centre.target"):
        text = (ROOT / "systemd" / target).read_text("utf-8")
        wanted += re.findall(r"[\w-]+\.service", text)
        assert "WantedBy=multi-user.target" in text
    assert sorted(wanted) == [service for service in STAYING if "@" not in service]


def test_services_of_one_box_share_account_and_folders() -> None:
    """They share one database, so they run as one account; the centre has another.

    The browser has its own, which reads nothing of theirs, and only root loads a firewall.
    """
    for service in SERVICES:
        if service == FIREWALL:
            continue
        found = settings(service)
        part = "centre" if "centre" in service else "box"
        account = "classbox-centre" if part == "centre" else "classbox"
        if service == "classbox-screen.service":
            account = "classbox-screen"
        assert found["User"] == found["Group"] == found["StateDirectory"] == [account]
        if account == "classbox":
            # Without it the first service to stop would take the folder from the others.
            assert found["RuntimeDirectoryPreserve"] == ["yes"]
        declared = (ROOT / "systemd" / part / "sysusers.conf").read_text("utf-8")
        assert re.search(rf"^u {account} ", declared, re.M)
