"""How much the centre lacks, as people and programs are told."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from click.testing import CliRunner

from edge import config as configuration
from edge.cli import main
from edge.clock import SystemClock
from edge.events import ScanMade, ServiceStarted
from edge.media import MediaStore
from sync.backlog import Pace
from sync.cursor import Cursor
from sync.status import follow, lines, standing
from tests.boxes import at, open_ledger

PHOTO = b"a photo" * 100


@pytest.fixture
def settings(tmp_path: Path) -> Iterator[Path]:
    """A box that holds five events and a photo; the centre acknowledged two events."""
    path = tmp_path / "box.toml"
    path.write_text(
        '[box]\nid = "room-203"\nroom = "203"\ndata_dir = "data"\nruntime_dir = "run"\n', "utf-8"
    )
    (tmp_path / "run").mkdir()
    with open_ledger(tmp_path / "data", SystemClock()) as ledger:
        for number in range(3):
            ledger.append(ServiceStarted(f"service-{number}", "1"))
        draft = MediaStore(tmp_path / "data" / "media").draft(
            ScanMade("p-1", 1, "face", ""), "photo"
        )
        draft.write(PHOTO)
        draft.store(ledger)
        cursor = Cursor(tmp_path / "data" / "link.db")
        cursor.find_media(ledger)
        cursor.note_acked(2)
        cursor.close()
    yield path


def shown(**changes: Any) -> dict[str, Any]:
    """Return what a link shows that runs."""
    left = {"events": 3, "event_bytes": 2000, "files": 1, "file_bytes": 8000}
    values = {
        "at": SystemClock().now().at,
        "connected": True,
        "cause": "",
        "head": 5,
        "acked": 2,
        "acked_at": at("09:15"),
        "safe": 1,
        "safe_at": at("09:10"),
        "left": left,
        "seconds_left": 65,
    }
    return {**values, **changes}


def test_without_the_link_the_disk_tells_how_much_is_left(settings: Path) -> None:
    """Backlog in events and bytes; that the link does not run is said."""
    told = standing(configuration.load(settings))
    assert (told["running"], told["acked"], told["head"]) == (False, 2, 5)
    assert (told["left"]["events"], told["left"]["files"]) == (3, 1)
    assert told["left"]["file_bytes"] == len(PHOTO)
    assert told["left"]["event_bytes"] > 3 * 500
    done = CliRunner().invoke(main, ["--config", str(settings), "link", "status"])
    assert done.exit_code == 0, done.output
    assert "not connected: the link does not run" in done.output
    assert "time left: cannot be told yet" in done.output


def test_while_the_link_runs_it_tells_itself(settings: Path) -> None:
    """What it shows is passed on, as text or as one JSON object; an old one is not believed."""
    file = settings.parent / "run" / "link.json"
    file.write_text(json.dumps(shown()), "utf-8")
    run = ["--config", str(settings), "link", "status"]
    text = CliRunner().invoke(main, run).output
    assert "centre:   connected" in text
    assert "events:   3 of 5 have yet to go" in text
    assert "time left: 0:01:05" in text
    told = json.loads(CliRunner().invoke(main, [*run, "--json"]).output)
    assert (told["running"], told["seconds_left"]) == (True, 65)
    file.write_text(json.dumps(shown(at=0)), "utf-8")
    told = json.loads(CliRunner().invoke(main, [*run, "--json"]).output)
    assert told["running"] is False


def test_a_box_whose_link_never_ran_says_so(tmp_path: Path, settings: Path) -> None:
    """There is nothing to tell, and that is one clear line."""
    (tmp_path / "data" / "link.db").unlink()
    done = CliRunner().invoke(main, ["--config", str(settings), "link", "status"])
    assert done.exit_code == 1
    assert "the link has not run here yet" in done.output


def test_times_are_shown_as_people_read_them() -> None:
    """Wall times in the box's zone; what never happened is no date."""
    zone = ZoneInfo("Asia/Shanghai")
    said = lines(shown(safe_at=0), zone)
    assert "last acknowledgement: event 2, 2026-11-23 09:15:00+08:00" in said
    assert "last safe receipt:    event 1, never yet" in said


def test_the_progress_bar_ends_when_everything_is_there() -> None:
    """It follows what is left, never goes back when more is written, and ends at nothing."""
    sizes = [9000, 9500, 4000, 0]
    looked: list[int] = []

    def look() -> Mapping[str, Any]:
        looked.append(sizes[len(looked)])
        left = {"events": 1, "event_bytes": looked[-1], "files": 0, "file_bytes": 0}
        return shown(running=True, left=left)

    follow(shown(running=True), look, lambda: False)
    assert looked == sizes


def test_the_time_left_follows_the_pace() -> None:
    """The rest at the pace of the last two minutes; unknown while nothing shrinks."""
    pace = Pace()
    assert pace.seconds_left() is None
    pace.note(1000, 0)
    assert pace.seconds_left() is None
    pace.note(800, 10)
    assert pace.seconds_left() == 40
    pace.note(900, 100)
    pace.note(900, 200)
    assert pace.seconds_left() is None
    pace.note(0, 210)
    assert pace.seconds_left() == 0
