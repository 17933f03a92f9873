"""The database goes away, or is held by somebody, under an ingester that has much to store."""

from __future__ import annotations

import fcntl
from pathlib import Path

from sync.delivery import State
from tests.fleet.boxes import Fleet, LightBox, acknowledged, complete, connected_fleet
from tests.fleet.stage import staged
from tests.postgres import Postgres

BOXES = 10
EVENTS = 60
AT_ONCE = 5


def notices(box: LightBox) -> bool:
    """Tell whether the box asks for a centre that does not answer it."""
    return box.state is State.ASKING and not box.complete()


def go_on_without(fleet: Fleet) -> int:
    """Let the boxes write while nothing can be stored; return what they know to be stored."""
    before = acknowledged(fleet.boxes)
    fleet.write(EVENTS)
    fleet.run("the boxes notice", lambda: all(map(notices, fleet.boxes)))
    assert acknowledged(fleet.boxes) == before
    return before


def test_postgresql_is_stopped_and_started_again_under_an_ingester(tmp_path: Path) -> None:
    """It says so once, acknowledges nothing, keeps running, and goes on by itself."""
    with (
        Postgres() as server,
        server.database() as database,
        staged(tmp_path, database=database) as stage,
        connected_fleet(stage.broker.port, stage.store, BOXES, AT_ONCE) as fleet,
    ):
        stage.start()
        (ingester,) = stage.ingesters
        pid = ingester.pid
        fleet.write(EVENTS)
        fleet.run("all is there", lambda: complete(fleet.boxes))
        server.kill()
        fleet.pause_checks()
        go_on_without(fleet)
        server.start()
        fleet.resume_checks()
        fleet.run("all is there again", lambda: complete(fleet.boxes))
        fleet.compare()
        assert ingester.running()
        assert ingester.pid == pid
        assert ingester.figures()["classbox_queue_messages"] == 0
        said = ingester.log.read_text("utf-8")
        assert said.count("OperationalError") <= 2  # one for each way of losing a connection
        assert "carries on" in said


def test_another_process_holds_the_sqlite_database(tmp_path: Path) -> None:
    """What came meanwhile is stored when it lets go; nobody was told anything before."""
    with (
        staged(tmp_path) as stage,
        connected_fleet(stage.broker.port, stage.store, BOXES, AT_ONCE) as fleet,
    ):
        stage.start()
        fleet.write(EVENTS)
        fleet.run("all is there", lambda: complete(fleet.boxes))
        with (stage.config.data_dir / "centre.db.lock").open("ab") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            go_on_without(fleet)
        fleet.run("all is there again", lambda: complete(fleet.boxes))
        fleet.compare()
