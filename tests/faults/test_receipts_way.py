"""Receipts between real processes: what a backup holds becomes safe on the box."""

from __future__ import annotations

import os
import sqlite3

from sync.central import tables
from tests.faults.stage import Stage
from tests.processes import wait_for


def receipts(stage: Stage) -> list[tuple[int, str]]:
    """Return seq and basis of the receipts that the box keeps."""
    connection = sqlite3.connect(stage.folder / "box" / "link.db")
    try:
        return list(connection.execute("SELECT seq, basis FROM receipt ORDER BY number"))
    finally:
        connection.close()


def test_a_noted_backup_makes_events_and_files_safe(stage: Stage) -> None:
    """Before it nothing is safe; after it the box holds a receipt, and its hello says so."""
    stage.start(stage.ingest, stage.link)
    film, photo = stage.recording(os.urandom(100_000)), stage.photo(os.urandom(50_000))
    stage.wait_for_media(film, photo)
    stage.wait_until_complete()
    assert receipts(stage) == []
    upto = stage.ledger.head()[0]
    stage.back_up()
    wait_for("the files are safe", lambda: stage.is_safe(film, photo), 60)
    seq, basis = receipts(stage)[-1]
    assert (seq >= upto, basis) == (True, "backup")
    wait_for("the hello says so", lambda: stage.rows(tables.box)[0].safe >= upto, 60)


def test_a_file_that_the_centre_lost_comes_again(stage: Stage) -> None:
    """Asked what is safe, the centre finds that it is gone; the box sends it, and no other."""
    stage.start(stage.ingest, stage.link)
    kept, lost = stage.snapshot(os.urandom(500_000), 1), stage.photo(os.urandom(50_000))
    stage.wait_for_media(kept, lost)
    (stage.config.data_dir / "media" / lost[:2] / lost).unlink()
    before = stage.box_wire.passed("up")
    stage.box_wire.cut()
    stage.wait_for_media(kept, lost)
    assert stage.box_wire.passed("up") - before < 300_000
