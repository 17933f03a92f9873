"""What classbox doctor finds on a box that is well, and on one that is not."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from edge.box import open_ledger
from edge.cli import main
from edge.config import Config, load
from edge.health_events import AlertRaised
from kiosk_ui import checkup, remedies
from kiosk_ui.checkup import Found, State, Surroundings, Unit
from kiosk_ui.doctor_command import LANGUAGES, examine, lines, speaking, told
from tests.house import ROOT
from tests.kiosk.stage import Stage

RUNNING = Unit("active", "success", "0")
SETTINGS = """
[box]
id = "room-203"
room = "203"
data_dir = "data"
runtime_dir = "run"
clock = "trusted"
help_phone = "0531-1234567"
"""


@pytest.fixture
def settings(tmp_path: Path) -> Path:
    """A box whose services have run once."""
    file = tmp_path / "box.toml"
    file.write_text(SETTINGS)
    config = load(file)
    config.data_dir.mkdir(mode=0o750)
    _clock, ledger = open_ledger(config)
    ledger.close()
    return file


def around(tmp_path: Path, **units: Unit) -> Surroundings:
    """A machine with a network and these services."""
    routes = tmp_path / "route"
    routes.write_text("Iface\tDestination\tGateway\neth0\t00000000\t0101A8C0\n")
    return Surroundings(tmp_path / "sys", routes, lambda: units or {"kiosk": RUNNING})


def codes(found: list[Found], check: str) -> list[tuple[str, State]]:
    """Return what one check found."""
    return [
        (one.code if one.case is None else str(one.case.code), one.state)
        for one in found
        if one.check == check
    ]


def wear(tmp_path: Path, lives: str, reserve: str) -> None:
    """Let the machine have an eMMC that says so much of itself."""
    device = tmp_path / "sys/block/mmcblk0/device"
    device.mkdir(parents=True, exist_ok=True)
    (device / "life_time").write_text(f"{lives}\n")
    (device / "pre_eol_info").write_text(f"{reserve}\n")


def test_a_box_that_is_well_has_nothing_to_do_but_bind_a_camera(
    settings: Path, tmp_path: Path
) -> None:
    """Each check has its line; what the settings leave out is a note and no fault."""
    wear(tmp_path, "0x01 0x02", "0x01")
    _config, found = examine(settings, around(tmp_path))
    problems = [one for one in found if one.state is State.PROBLEM]
    assert [str(one.case and one.case.code) for one in problems] == ["not_bound"]
    with speaking("en"):
        assert {one.check for one in found} == set(remedies.titles()) - {"settings"}
    assert codes(found, "card") == [("card", State.WELL)]
    assert codes(found, "models") == [("models", State.WELL)]
    assert codes(found, "clock") == [("clock", State.WELL)]


def test_everything_found_is_said_in_both_languages_with_a_remedy(
    settings: Path, tmp_path: Path
) -> None:
    """A problem always says what to do, and no sentence stays English in the Chinese half."""
    names = """why service count interface source host waiting device label free total percent
        events name path folder mode"""
    facts = dict.fromkeys(names.split(), "XYZ")
    for code in remedies._WORDS:
        said = {}
        for language in LANGUAGES:
            with speaking(language):
                said[language] = remedies.words(Found("clock", State.PROBLEM, code, facts))
        assert said["zh"].short != said["en"].short, code
        assert bool(said["zh"].remedy) == bool(said["en"].remedy), code
        for half in (said["zh"].short, said["en"].short):
            assert "%(" not in half


def test_a_service_that_is_off_is_a_problem_unless_the_settings_leave_it_out(
    settings: Path, tmp_path: Path
) -> None:
    """Failed and waiting for the next try are both off; status 78 is a decision."""
    units = {
        "kiosk": RUNNING,
        "greeter": Unit("failed", "exit-code", "78"),
        "recorder": Unit("activating", "watchdog", "6"),
    }
    _config, found = examine(settings, around(tmp_path, **units))
    assert codes(found, "services") == [
        ("service_left_out", State.NOTE),
        ("service_off", State.PROBLEM),
    ]
    english = "\n".join(lines(found, ""))
    assert "recorder does not run (activating, watchdog)" in english
    assert "journalctl -u classbox-recorder" in english


@pytest.mark.parametrize(
    ("lives", "reserve", "code"),
    [
        ("0x03 0x0a", "0x01", "worn"),
        ("0x01 0x01", "0x02", "worn"),
        ("0x00 0x00", "0x00", "card_silent"),
        ("0x04 0x02", "0x01", "card"),
    ],
)
def test_a_worn_card_is_named_where_it_tells(
    tmp_path: Path, lives: str, reserve: str, code: str
) -> None:
    """By JEDEC's registers: life in tenths, or the reserve; zero is no statement."""
    wear(tmp_path, lives, reserve)
    (found,) = checkup.card(Surroundings(sys=tmp_path / "sys"))
    assert found.code == code


def test_what_stands_in_the_ledger_is_said_with_its_remedy(settings: Path, tmp_path: Path) -> None:
    """Alerts of cameras and disk come from the services that watch them, in the kiosk's words."""
    _clock, ledger = open_ledger(load(settings))
    ledger.append(AlertRaised("front", "offline", "no route", ""))
    ledger.append(AlertRaised("box", "disk_filling", "2 days", ""))
    ledger.close()
    _config, found = examine(settings, around(tmp_path))
    assert codes(found, "camera") == [("offline", State.PROBLEM)]
    assert codes(found, "disk") == [("disk_filling", State.PROBLEM)]
    assert "check cable front" in "\n".join(lines(found, ""))


def test_a_broken_database_is_found_and_the_rest_is_still_looked_at(
    settings: Path, tmp_path: Path
) -> None:
    """Bytes that were overwritten in the middle; and a file that is no database at all."""
    database = settings.parent / "data/ledger.db"
    with sqlite3.connect(database) as connection:
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        size = connection.execute("PRAGMA page_size").fetchone()[0]
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    with database.open("r+b") as file:
        file.seek((pages // 2) * size)
        file.write(b"\xff" * size)
    _config, found = examine(settings, around(tmp_path))
    assert codes(found, "database") == [("database_broken", State.PROBLEM)]

    database.write_bytes(b"no database" * 1000)
    _config, found = examine(settings, around(tmp_path))
    assert codes(found, "database") == [("database_broken", State.PROBLEM)]
    assert codes(found, "network") == [("network", State.WELL)]


def test_wrong_settings_are_said_with_the_line(tmp_path: Path) -> None:
    """Without settings the services and the network are still looked at."""
    file = tmp_path / "box.toml"
    file.write_text('[box]\nid = "a"\nroom = "a"\nrom = "b"\n')
    config, found = examine(file, around(tmp_path))
    assert config is None
    assert codes(found, "settings") == [("settings_wrong", State.PROBLEM)]
    assert "line 4" in "\n".join(lines(found, ""))


def test_whoever_may_not_read_the_settings_is_told_so(tmp_path: Path) -> None:
    """An account that is not the box's hears what the matter is, and commands without settings run.

    The touch screen's account is such a one (``classbox screen``).
    """
    (tmp_path / "box.toml").mkdir()  # root may read everything but a folder
    config, found = examine(tmp_path / "box.toml", around(tmp_path))
    assert config is None
    assert codes(found, "settings") == [("settings_wrong", State.PROBLEM)]
    assert "cannot be read" in "\n".join(lines(found, ""))


def test_a_box_that_never_ran_says_how_to_start_it(tmp_path: Path) -> None:
    """Nothing is made by looking."""
    file = tmp_path / "box.toml"
    file.write_text(SETTINGS)
    _config, found = examine(file, around(tmp_path))
    assert codes(found, "database") == [("never_ran", State.PROBLEM)]
    assert not (tmp_path / "data").exists()


def test_open_keys_and_foreign_files_are_found(settings: Path, tmp_path: Path) -> None:
    """Whatever others may read, and what root left behind, is named with the command that helps."""
    key = next((settings.parent / "data/keys").iterdir())
    key.chmod(0o644)
    found = list(checkup.permissions(load(settings)))
    assert [(one.code, one.facts["path"]) for one in found] == [("open_to_others", key)]
    if os.geteuid() == 0:
        key.chmod(0o600)
        os.chown(settings.parent / "data/ledger.db", 12345, 12345)
        assert [one.code for one in checkup.permissions(load(settings))] == ["other_owner"]


def test_a_model_that_was_swapped_is_found(tmp_path: Path) -> None:
    """By its hash, not by its name."""
    lock = tmp_path / "assets.txt"
    right = (ROOT / "locks/assets.txt").read_text().splitlines()
    first = next(line for line in right if line[:1] != "#")
    lock.write_text("\n".join([*right, "0" * 64 + first[64:]]))
    (found,) = checkup.models(lock)
    assert (found.code, found.facts["name"]) == ("model_wrong", first.split()[1])


def test_the_door_camera_is_looked_for(settings: Path, tmp_path: Path) -> None:
    """A device that is not there, and one that is there and gives nothing."""
    with settings.open("a") as file:
        file.write('[door]\nsource = "v4l2:/dev/no-such-video"\n')
    config: Config = load(settings)
    assert [one.code for one in checkup.door(config)] == ["no_device"]
    assert config.door is not None
    config = replace(config, door=replace(config.door, source="v4l2:/dev/null"))
    assert [one.code for one in checkup.door(config)] == ["no_picture"]
    config.runtime_dir.mkdir(exist_ok=True)
    (config.runtime_dir / "door.jpg").write_bytes(b"a picture")
    assert [one.code for one in checkup.door(config)] == ["door"]


def test_the_centre_is_judged_by_what_the_link_says(settings: Path, tmp_path: Path) -> None:
    """Not asked for; silent; not reached; reached."""
    assert [one.code for one in checkup.centre(load(settings))] == ["no_link"]
    with settings.open("a") as file:
        file.write('[link]\nhost = "centre.example.org"\n')
    config = load(settings)
    config.runtime_dir.mkdir(exist_ok=True)
    assert [one.code for one in checkup.centre(config)] == ["link_silent"]
    for connected, code in ((False, "not_connected"), (True, "connected")):
        state = {"connected": connected, "head": 9, "acked": 5, "media_waiting": 2}
        (config.runtime_dir / "link.json").write_text(json.dumps(state))
        (found,) = checkup.centre(config)
        assert (found.code, found.facts["waiting"]) == (code, 6)


def test_the_command_ends_with_status_1_and_says_the_number_to_call(settings: Path) -> None:
    """As people call it: words in both languages, and the same as JSON."""
    shutil.rmtree(settings.parent / "data")
    done = CliRunner().invoke(main, ["--config", str(settings), "doctor"])
    assert done.exit_code == 1
    assert "✗ 数据库: 本机的服务还从未运行" in done.output
    assert "  Database: No service has run here yet" in done.output
    assert "Help: 0531-1234567" in done.output
    done = CliRunner().invoke(main, ["--config", str(settings), "doctor", "--json"])
    said = json.loads(done.output)
    assert (done.exit_code, said["well"], said["help_phone"]) == (1, False, "0531-1234567")
    entry = next(one for one in said["found"] if one["check"] == "database")
    assert entry["state"] == "problem"
    assert entry["en"] == {
        "found": "No service has run here yet",
        "do": "Start them: systemctl start classbox.target",
    }
    assert told([], "")["well"] is True


def test_the_page_says_the_same_at_the_touch_screen(stage: Stage) -> None:
    """Reached from the state of the box; worst first, in the language of the screen."""
    stage.ledger.append(AlertRaised("front", "offline", "no route", ""))
    client = stage.client()
    assert 'href="/doctor"' in client.get("/status")
    page = client.get("/doctor")
    assert "Something is to be done" in page
    assert page.index("Classroom camera not connected") < page.index("Face models")
