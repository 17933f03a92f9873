"""A file's whole life between real processes: taken, sent, safe, deleted, and never missed."""

from __future__ import annotations

import os
import subprocess
from dataclasses import replace

import pytest

from edge import queries
from edge.events import MediaDeleted
from sync.central import tables
from tests.boxes import lesson_of, roster_of, send_documents
from tests.faults.stage import Stage
from tests.processes import CLASSBOX, wait_for


def run(stage: Stage, *command: str) -> str:
    """Return what a command of the box prints; it must succeed."""
    arguments = [str(CLASSBOX), "--config", str(stage.folder / "box.toml"), *command]
    done = subprocess.run(arguments, capture_output=True, text=True, check=True)
    return done.stdout


@pytest.fixture(autouse=True)
def rules(stage: Stage) -> None:
    """A lesson that is long over, under rules by which what is safe may go at once."""
    profile = queries.shipped_profile("default")
    at_once = replace(profile.retention, snapshot_days=0, photo_days=0, video_days=0)
    rules = {"default": replace(profile, version=2, retention=at_once)}
    send_documents(stage.ledger, (lesson_of(("09:00", "09:45")),), roster_of(), rules)


def kinds(stage: Stage) -> list[str]:
    """Return the kinds of event that the centre holds."""
    return [row.kind for row in stage.rows(tables.event)]


def test_the_whole_life_of_a_file(stage: Stage) -> None:
    """Nothing goes while it is only stored; with a receipt it does, and everybody knows why."""
    stage.start(stage.ingest, stage.link)
    film, photo = stage.recording(os.urandom(200_000)), stage.photo(os.urandom(50_000))
    stage.wait_for_media(film, photo)
    stage.link.stop()
    stage.start(stage.link)
    stage.wait_until_complete()
    assert "0 files" in run(stage, "retention", "--pressed")
    stage.back_up()
    wait_for("the files are safe", lambda: stage.is_safe(film, photo), 60)
    stage.link.stop()
    listed = run(stage, "retention")
    assert f"{film[:12]}…" in listed
    assert "2 files, 250000 bytes may go" in listed
    assert stage.media.path(film).exists()
    stage.start(stage.link)
    wait_for("they are deleted", lambda: not stage.media.path(film).exists(), 60)
    stage.wait_until_complete()
    assert not stage.media.path(photo).exists()
    assert kinds(stage).count("media.deleted") == 2
    assert "media.missing" not in kinds(stage)
    assert "0 problems" in run(stage, "ledger", "verify")
    for sha256 in (film, photo):
        assert (stage.config.data_dir / "media" / sha256[:2] / sha256).exists()


def test_killed_between_the_event_and_the_file(stage: Stage) -> None:
    """The next start finishes what the ledger says, offers nothing, and misses nothing."""
    film, photo = stage.recording(os.urandom(50_000)), stage.photo(os.urandom(50_000))
    stage.ledger.append(MediaDeleted(film, "recording", "limit"))
    stage.start(stage.ingest, stage.link)
    stage.wait_for_media(photo)
    wait_for("it is finished", lambda: not stage.media.path(film).exists(), 60)
    stage.wait_until_complete()
    assert [row.sha256 for row in stage.rows(tables.media)] == [photo]
    assert "media.missing" not in kinds(stage)
    assert "0 problems" in run(stage, "ledger", "verify")
