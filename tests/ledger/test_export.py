"""A ledger leaves the box as a file that proves itself, and is compared with others."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from edge import erasure
from edge.cli import main
from edge.clock import SimulatedClock
from edge.events import ScanMade, ServiceStarted
from edge.ledger import Ledger
from edge.media import MediaStore
from tests.boxes import at, open_ledger

BOX = "room-203"


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with open_ledger(tmp_path / "data", SimulatedClock(at("09:00")), BOX) as opened:
        for number in range(5):
            opened.append(ScanMade(f"p-{number}", number, "face", ""))
        yield opened


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., str]:
    """Run ``classbox ledger …`` on the box; the status must be as given."""
    settings = tmp_path / "box.toml"
    settings.write_text(f'[box]\nid = "{BOX}"\nroom = "203"\ndata_dir = "data"\n', "utf-8")

    def invoke(*arguments: str | Path, status: int = 0) -> str:
        words = ["--config", str(settings), "ledger", *map(str, arguments)]
        done = CliRunner().invoke(main, words)
        assert done.exit_code == status, done.output
        return done.output

    return invoke


def test_an_export_verifies_without_the_box(
    ledger: Ledger, run: Callable[..., str], tmp_path: Path
) -> None:
    """The file alone proves every event; it is for its owner alone and always the same."""
    first, second = tmp_path / "first.jsonl", tmp_path / "second.jsonl"
    assert "6 events" in run("export", first)
    run("export", second)
    assert first.read_bytes() == second.read_bytes()
    assert first.stat().st_mode & 0o077 == 0
    moved = tmp_path / "elsewhere"
    moved.mkdir()
    shutil.move(first, moved)
    nowhere = CliRunner().invoke(
        main, ["--config", "none", "ledger", "verify", "--export", str(moved / "first.jsonl")]
    )
    assert (nowhere.exit_code, nowhere.output) == (0, "6 events, 0 problems\n")


def test_an_erased_person_is_not_in_an_export(
    ledger: Ledger, run: Callable[..., str], tmp_path: Path
) -> None:
    """The events are there, and verify; what they said is not."""
    file = tmp_path / "export.jsonl"
    ledger.append(ScanMade("p-erased", 9, "face", ""))
    erasure.erase(ledger, MediaStore(tmp_path / "data" / "media"), ["p-erased"], "withdrawn")
    run("export", file)
    assert b"p-erased" not in file.read_bytes()
    assert b"p-1" in file.read_bytes()
    assert "8 events, 1 with an erased body, 0 problems" in run("verify", "--export", file)


@pytest.mark.parametrize(
    ("line", "field", "value", "complaint"),
    [
        (3, "body", '{"person_id":"p-9"}', "its body was changed"),
        (3, "at", 12, "its header was changed"),
        (3, "hash", "00" * 32, "does not follow"),
        (3, "signature", "00" * 64, "not signed by this box's key"),
        (0, "head", 9, "says 9 events, but 6 are there"),
        (0, "head", 5, "says 5, but 6 events are there"),
    ],
)
def test_whatever_is_changed_in_an_export_is_found(
    ledger: Ledger,
    run: Callable[..., str],
    tmp_path: Path,
    line: int,
    field: str,
    value: object,
    complaint: str,
) -> None:
    """A changed body, header, hash, signature or length is a problem, and status 1."""
    file = tmp_path / "export.jsonl"
    run("export", file)
    lines = [json.loads(one) for one in file.read_text("utf-8").splitlines()]
    lines[line][field] = value
    file.write_text("".join(json.dumps(one) + "\n" for one in lines), "utf-8")
    assert complaint in run("verify", "--export", file, status=1)


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("", "line 1: not the beginning"),
        ('{"format":"classbox-export-9"}\n', "line 1: format 'classbox-export-9'"),
        ("HEAD\nnothing\n", "line 2: not an event"),
        ("HEAD\n{}\n", "line 2: not an event"),
        ("OTHER\nFIRST\n", "names another ledger or key"),
    ],
)
def test_a_file_that_is_no_export_is_one_clear_line(
    ledger: Ledger, run: Callable[..., str], tmp_path: Path, content: str, complaint: str
) -> None:
    """The line is named at which it stops making sense."""
    file = tmp_path / "export.jsonl"
    run("export", file)
    head, first, *_ = file.read_text("utf-8").splitlines()
    other = json.dumps({**json.loads(head), "ledger": "another"})
    filled = content.replace("HEAD", head).replace("OTHER", other).replace("FIRST", first)
    file.write_text(filled, "utf-8")
    output = run("verify", "--export", file, status=1)
    assert complaint in output
    assert "Traceback" not in output


def test_a_ledger_is_compared_with_what_it_was(
    ledger: Ledger, run: Callable[..., str], tmp_path: Path
) -> None:
    """With an export and with a copy of the folder: equal, then longer here, then parted."""
    file, folder = tmp_path / "export.jsonl", tmp_path / "copy"
    run("export", file)
    assert run("compare", file) == "both hold events 1 to 6\n"
    ledger.store.checkpoint(truncate=True)
    folder.mkdir()
    shutil.copy(tmp_path / "data" / "ledger.db", folder)
    shutil.copytree(tmp_path / "data" / "keys", folder / "keys")
    before = sorted(folder.iterdir())
    assert run("compare", folder) == "both hold events 1 to 6\n"
    assert sorted(folder.iterdir()) == before
    ledger.append(ServiceStarted("link", "1"))
    for other in (file, folder / "ledger.db"):
        output = run("compare", other, status=1)
        assert output == "both hold events 1 to 6\nonly here: events 7 to 7\n"
    with open_ledger(folder, SimulatedClock(at("10:00")), BOX) as copy:
        copy.append(ServiceStarted("link", "2"))
        copy.append(ServiceStarted("link", "3"))
        assert run("compare", folder, status=1).splitlines() == [
            "both hold events 1 to 6",
            "only here: events 7 to 7",
            f"only there: events 7 to {copy.head()[0]}",
            "they part behind event 6",
        ]


def test_another_ledger_has_nothing_in_common(
    ledger: Ledger, run: Callable[..., str], tmp_path: Path
) -> None:
    """A ledger born apart is named as another one."""
    with open_ledger(tmp_path / "other", SimulatedClock(at("09:00")), "room-204") as other:
        output = run("compare", tmp_path / "other", status=1)
        assert f"another ledger: {other.uuid} of box room-204\nnothing is common" in output
