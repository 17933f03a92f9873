"""Media on their way to the centre while something dies: whole, once, and resumed."""

from __future__ import annotations

import os

from sync.central import tables
from sync.messages import KIB
from tests.faults.stage import Stage
from tests.processes import wait_for

BIG = 3_000_000
# The window of an upload and what one call of the receiver may hold unsynced, generously.
AGAIN = 2 * 512 * KIB


def test_link_killed_in_the_middle_of_a_file(stage: Stage) -> None:
    """After each kill the file goes on from what is durable at the centre, not from the start."""
    stage.start(stage.ingest)
    sha256 = stage.snapshot(os.urandom(BIG))
    before = stage.box_wire.passed("up")
    for _ in range(2):
        stage.box_wire.hold_after(BIG // 3)
        stage.start(stage.link)
        wait_for("a part has left", stage.box_wire.holding)
        stage.link.kill()
        stage.box_wire.cut()
        stage.box_wire.flow()
    stage.start(stage.link)
    stage.wait_for_media(sha256)
    assert stage.box_wire.passed("up") - before < BIG + 2 * AGAIN + 100_000
    stage.wait_until_complete()
    assert stage.rows(tables.upload) == []


def test_ingester_killed_in_the_middle_of_a_file(stage: Stage) -> None:
    """The centre says after its restart what it holds durably, and the box goes on there."""
    stage.start(stage.ingest, stage.link)
    stage.wait_until_complete()
    stage.box_wire.hold_after(BIG // 3)
    sha256 = stage.snapshot(os.urandom(BIG))
    wait_for("a part has left", stage.box_wire.holding)
    stage.centre_wire.hold("up")

    def held() -> int:
        return sum(row.held for row in stage.rows(tables.upload))

    before = held()
    stage.box_wire.flow()
    wait_for("more is durable than the box has heard", lambda: held() > before)
    stage.ingest.kill()
    stage.centre_wire.cut()
    stage.centre_wire.flow()
    stage.start(stage.ingest)
    stage.wait_for_media(sha256)
    stage.wait_until_complete()


def test_broker_killed_in_the_middle_of_a_file(stage: Stage) -> None:
    """What the broker had taken and lost is sent again."""
    stage.start(stage.ingest)
    sha256 = stage.photo(os.urandom(BIG))
    stage.box_wire.hold_after(BIG // 2)
    stage.start(stage.link)
    wait_for("a part has left", stage.box_wire.holding)
    stage.broker.kill()
    stage.box_wire.cut()
    stage.box_wire.flow()
    stage.broker.start()
    stage.wait_for_media(sha256)
    stage.wait_until_complete()


def test_snapshots_go_before_photos(stage: Stage) -> None:
    """Evidence of the lesson first: snapshots, then check-in photos, the newest of each first."""
    photos = [stage.photo(os.urandom(50_000)) for _ in range(3)]
    snapshots = [stage.snapshot(os.urandom(50_000), number) for number in range(3)]
    stage.start(stage.ingest, stage.link)
    stage.wait_for_media(*photos, *snapshots)
    arrived = [row.sha256 for row in stage.rows(tables.media)]
    assert arrived == [*reversed(snapshots), *reversed(photos)]


def test_facts_overtake_a_large_file(stage: Stage) -> None:
    """While a file is held up half way, events still reach the centre."""
    stage.start(stage.ingest)
    stage.box_wire.hold_after(400_000)
    sha256 = stage.snapshot(os.urandom(BIG))
    stage.start(stage.link)
    wait_for("a part has left", stage.box_wire.holding)
    stage.box_wire.flow()
    stage.write(50)
    stage.wait_until_complete()
    stage.wait_for_media(sha256)


def test_a_file_that_is_not_on_the_disk_is_stated_once_and_passed_over(stage: Stage) -> None:
    """One missing file becomes one event; the others arrive."""
    lost = stage.snapshot(b"will be lost", 1)
    stage.media.path(lost).unlink()
    kept = stage.snapshot(b"will arrive", 2)
    stage.start(stage.ingest, stage.link)
    stage.wait_for_media(kept)
    stage.link.stop()
    stage.start(stage.link)
    stage.wait_for_media(kept)
    stage.wait_until_complete()
    kinds = [row.kind for row in stage.rows(tables.event)]
    assert kinds.count("media.missing") == 1


def test_a_file_spoilt_on_the_disk_is_refused_and_does_not_stop_the_others(stage: Stage) -> None:
    """Bytes that no longer hash to their name are an incident at the centre, not evidence."""
    spoilt = stage.snapshot(b"as it was taken", 1)
    stage.media.path(spoilt).write_bytes(b"as the disk has it now")
    kept = stage.photo(b"will arrive")
    stage.start(stage.ingest, stage.link)
    stage.wait_for_media(kept)
    assert [row.cause for row in stage.rows(tables.incident)] == ["bad_media"]
    assert not (stage.config.data_dir / "media" / spoilt[:2] / spoilt).exists()
