"""Install, install again, uninstall: on a folder that stands for the machine."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest

from edge import config
from tests.house import ROOT
from tests.installer.conftest import Box, everything

PARTS = ("box", "centre")
SETTINGS = {"box": "etc/classbox/box.toml", "centre": "etc/classbox/centre.toml"}
DATA = {"box": "var/lib/classbox", "centre": "var/lib/classbox-centre"}
TARGET = {"box": "classbox.target", "centre": "classbox-centre.target"}
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root makes accounts and gives away")


@pytest.mark.parametrize("part", PARTS)
def test_a_second_run_changes_nothing_and_says_so(box: Box, root: Path, part: str) -> None:
    """Neither a byte, a mode nor a time of change is another after the second run."""
    first = box("install", part)
    assert first.returncode == 0, first.stderr
    before = everything(root)
    second = box("install", part)
    assert (second.returncode, second.stderr) == (0, "")
    assert second.stdout == f"{part}: everything is as it should be; nothing was changed\n"
    assert everything(root) == before


@pytest.mark.parametrize("part", PARTS)
def test_a_dry_run_says_what_a_run_does_and_does_nothing(box: Box, root: Path, part: str) -> None:
    """The lines are the same but for one word; the root stays as it was."""
    before = everything(root)
    dry = box("install", part, "--dry-run")
    assert dry.returncode == 0, dry.stderr
    assert everything(root) == before
    real = box("install", part)
    assert dry.stdout.splitlines()[:-1] == [
        f"would {line}" for line in real.stdout.splitlines()[:-1]
    ]

    installed = everything(root)
    dry = box("uninstall", part, "--dry-run", "--with-data")
    assert f"would remove /{SETTINGS[part]}" in dry.stdout
    assert everything(root) == installed


@pytest.mark.parametrize("part", PARTS)
@as_root
def test_uninstalling_keeps_settings_and_data(box: Box, root: Path, part: str) -> None:
    """All that was written goes; the settings, the data and the owner of the data stay."""
    box("install", part)
    kept = root / DATA[part] / "ledger.db"
    kept.write_text("what happened")
    done = box("uninstall", part)
    assert done.returncode == 0, done.stderr
    left = {name for name in everything(root) if (root / name).is_file()}
    accounts = {f"etc/{name}" for name in ("passwd", "group", "shadow", "gshadow", ".pwd.lock")}
    assert left - accounts == {"etc/os-release", SETTINGS[part], f"{DATA[part]}/ledger.db"}
    assert f"/{DATA[part]}" in done.stdout
    assert not list(root.rglob("*.wants/*"))

    again = box("install", part)
    assert again.returncode == 0, again.stderr
    assert kept.read_text() == "what happened"


@as_root
def test_data_go_only_when_somebody_confirms_it(box: Box, root: Path) -> None:
    """No answer and a wrong answer delete nothing; the right word deletes settings and data."""
    box("install", "box")
    before = everything(root)
    for said in ("", "yes\n"):
        done = box("uninstall", "box", "--with-data", said=said)
        assert done.returncode == 1
        assert "nothing was deleted" in done.stderr
        assert everything(root) == before
    done = box("uninstall", "box", "--with-data", said="box\n")
    assert done.returncode == 0, done.stderr
    assert not (root / DATA["box"]).exists()
    assert not (root / SETTINGS["box"]).exists()


def test_settings_are_written_once_and_are_right(box: Box, root: Path) -> None:
    """A new box gets its name and room; whatever a technician wrote since then stays."""
    box("install", "box", "--id", "room-203", "--room", "203 教室")
    file = root / SETTINGS["box"]
    found = config.load(file)
    assert (found.box_id, found.room, found.kiosk.port) == ("room-203", "203 教室", 8600)
    file.write_text(file.read_text() + "\n[kiosk]\nport = 8650\nphone_port = 0\n")
    done = box("install", "box", "--id", "another")
    assert "/etc/classbox/box.toml (the settings" not in done.stdout
    assert config.load(file).box_id == "room-203"
    policy = json.loads((root / "etc/chromium/policies/managed/classbox.json").read_text())
    assert policy["URLAllowlist"] == ["http://127.0.0.1:8650"]
    assert policy["URLBlocklist"] == ["*"]


@as_root
def test_owners_and_modes_are_put_right(box: Box, root: Path) -> None:
    """Nobody but root and the services reads settings and data, also after a careless hand."""
    box("install", "box")
    passwd = (root / "etc/passwd").read_text().splitlines()
    uid = {line.split(":")[0]: int(line.split(":")[2]) for line in passwd}
    settings, data = root / SETTINGS["box"], root / DATA["box"]
    settings.chmod(0o644)
    os.chown(data, 0, 0)
    done = box("install", "box")
    assert "put folders right: /etc/classbox/box.toml (0640 root:classbox)" in done.stdout
    assert stat.S_IMODE(settings.stat().st_mode) == 0o640
    assert data.stat().st_uid == uid["classbox"] != 0
    assert (root / "var/lib/classbox-screen").stat().st_uid == uid["classbox-screen"]


def test_a_new_version_replaces_the_old_one(box: Box, root: Path) -> None:
    """Changed files are written again; what the new version lacks goes; a drop-in of ours stays."""
    box("install", "box")
    (root / "opt/classbox/edge/gone.py").write_text("")
    (root / "opt/classbox/edge/cli.py").write_text("")
    units = root / "etc/systemd/system"
    (units / "classbox-gone.service").write_text("[Service]\nExecStart=/bin/false\n")
    own = units / "classbox-kiosk.service.d/override.conf"
    own.parent.mkdir()
    own.write_text("[Service]\nIPAddressAllow=192.168.1.0/24\n")
    done = box("install", "box")
    assert "to /opt/classbox: 0 files new, 1 changed, 1 removed" in done.stdout
    assert not (root / "opt/classbox/edge/gone.py").exists()
    cli = (ROOT / "edge/cli.py").read_bytes()
    assert (root / "opt/classbox/edge/cli.py").read_bytes() == cli
    assert not (units / "classbox-gone.service").exists()
    assert own.exists()


def test_what_starts_at_boot_is_linked(box: Box, root: Path) -> None:
    """The target of the part and the firewall; nothing of the other part is even there."""
    for part, other in (("box", "centre"), ("centre", "box")):
        box("install", part)
        units = root / "etc/systemd/system"
        assert (units / f"multi-user.target.wants/{TARGET[part]}").is_symlink()
        assert (units / "sysinit.target.wants/classbox-firewall.service").is_symlink()
        refused = box("install", other)
        assert refused.returncode == 1
        assert f"a {part} already" in refused.stderr
        assert f"./box uninstall {part}" in refused.stderr
        box("uninstall", part)


def test_another_system_is_refused_before_anything_is_written(box: Box, root: Path) -> None:
    """Anything but Debian 12 is named, with what to do; the root stays as it was."""
    for release, name in (
        ('PRETTY_NAME="Ubuntu 24.04.1 LTS"\nID=ubuntu\nVERSION_ID="24.04"\n', "Ubuntu 24.04.1 LTS"),
        ('PRETTY_NAME="Debian GNU/Linux 13 (trixie)"\nID=debian\nVERSION_ID="13"\n', "trixie"),
        ("", "no Debian"),
    ):
        (root / "etc/os-release").write_text(release)
        before = everything(root)
        done = box("install", "box")
        assert done.returncode == 1
        assert name in done.stderr
        assert "Debian 12" in done.stderr
        assert everything(root) == before


def test_a_wrong_setting_stops_the_installation_with_its_line(box: Box, root: Path) -> None:
    """The firewall is made from the settings: they are corrected first."""
    (root / "etc/classbox").mkdir()
    (root / SETTINGS["box"]).write_text('[box]\nid = "a"\nroom = "a"\n[kiosk]\nphone_prot = 1\n')
    done = box("install", "box", "--dry-run")
    assert done.returncode == 1
    assert "phone_prot" in done.stderr
    assert "line 5" in done.stderr


def test_whoever_came_through_ssh_is_not_locked_out_unasked(box: Box, root: Path) -> None:
    """Port 22 is decided by a word, and stays as it was decided."""
    came = {"SSH_CONNECTION": "10.0.0.1 50000 10.0.0.2 22"}
    done = box("install", "box", **came)
    assert done.returncode == 1
    assert "--ssh" in done.stderr
    firewall = root / "etc/classbox/firewall.nft"
    assert not firewall.exists()
    assert box("install", "box", "--ssh", **came).returncode == 0
    assert "tcp dport 22 accept" in firewall.read_text()
    assert box("install", "box", **came).returncode == 0
    assert "tcp dport 22 accept" in firewall.read_text()
    assert box("install", "box", "--no-ssh", **came).returncode == 0
    assert "tcp dport 22" not in firewall.read_text()
