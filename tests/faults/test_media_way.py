"""Media on their way to the centre while something dies: whole, once, and resumed."""

from __future__ import annotations

import os
import shutil
from functools import partial

from sync.central import tables
from sync.central.ingest_core import Known
from sync.uploads import Pace
from tests.faults.stage import Stage
from tests.processes import wait_for

BIG = 3_000_000
# The window of an upload and what one call of the receiver may hold unsynced.
AGAIN = 2 * Pace().most


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


def test_recordings_go_last_the_newest_lesson_first(stage: Stage) -> None:
    """Snapshots, photos, then recordings by lesson, the parts of one lesson in order of time."""
    old = [stage.recording(os.urandom(50_000), "old", start) for start in (1_000, 2_000)]
    new = [stage.recording(os.urandom(50_000), "new", start) for start in (9_000, 9_500)]
    photo = stage.photo(os.urandom(50_000))
    snapshot = stage.snapshot(os.urandom(50_000))
    with stage.ledger.writing() as writer:  # as a timetable would have it
        for lesson, start in (("old", 1_000), ("new", 9_000)):
            writer.execute("INSERT INTO lesson VALUES (?, '', ?, ?, '{}')", (lesson, start, start))
    stage.start(stage.ingest, stage.link)
    stage.wait_for_media(photo, snapshot, *old, *new)
    arrived = [row.sha256 for row in stage.rows(tables.media)]
    assert arrived == [snapshot, photo, *new, *old]


def test_a_snapshot_overtakes_a_recording_that_is_under_way(stage: Stage) -> None:
    """A small file that appears meanwhile does not wait for the film, which then goes on."""
    stage.start(stage.ingest)
    before = stage.box_wire.passed("up")
    film = stage.recording(os.urandom(BIG))
    stage.box_wire.hold_after(BIG // 3)
    stage.start(stage.link)
    wait_for("a part has left", stage.box_wire.holding)
    snapshot = stage.snapshot(os.urandom(50_000))
    stage.box_wire.flow()
    stage.wait_for_media(film, snapshot)
    assert [row.sha256 for row in stage.rows(tables.media)] == [snapshot, film]
    assert stage.box_wire.passed("up") - before < BIG + 50_000 + AGAIN


def _passed(stage: Stage, count: int) -> bool:
    return stage.box_wire.passed("up") > count


def test_a_cut_in_the_middle_of_a_recording_costs_at_most_a_window(stage: Stage) -> None:
    """After a cut the film goes on from what is durable at the centre."""
    stage.start(stage.ingest)
    film = stage.recording(os.urandom(2 * BIG))
    before = stage.box_wire.passed("up")
    stage.start(stage.link)
    for cut in (1, 2, 3):
        reached = before + cut * BIG // 2
        wait_for("a part has left", partial(_passed, stage, reached))
        stage.box_wire.cut()
    stage.wait_for_media(film)
    assert stage.box_wire.passed("up") - before < 2 * BIG + 3 * AGAIN


def test_a_centre_that_was_restored_gets_its_media_again(stage: Stage) -> None:
    """A centre set up anew lost events and files alike; both come again by themselves."""
    stage.start(stage.ingest, stage.link)
    film, snapshot = stage.recording(os.urandom(200_000)), stage.snapshot(os.urandom(50_000))
    stage.wait_for_media(film, snapshot)
    stage.wait_until_complete()
    stage.ingest.kill()
    shutil.rmtree(stage.config.data_dir / "media")
    with stage.store.writing() as connection:  # as an older backup of the database would have it
        for table in (tables.media, tables.upload, tables.body, tables.event, *tables.PROJECTIONS):
            connection.execute(table.delete())
        nothing = Known.born(stage.ledger.uuid, stage.ledger.public_key)
        connection.execute(tables.ledger.update().values(last=0, last_hash=nothing.last_hash))
    stage.start(stage.ingest)
    stage.wait_for_media(film, snapshot)
    wait_for("so are the events", lambda: stage.held() == stage.ledger.head()[0])
    assert [row.cause for row in stage.rows(tables.incident)] == ["centre_behind"]


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
