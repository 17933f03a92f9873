"""The database goes away, or is held by somebody, under an ingester that has much to store."""

from __future__ import annotations

import fcntl
import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from tests.fleet.boxes import Fleet, acknowledged, complete, connected_fleet
from tests.fleet.stage import staged
from tests.postgres import Postgres

BOXES = 10
EVENTS = 60
AT_ONCE = 5


def go_on_without(fleet: Fleet) -> None:
    """Let the boxes write while nothing can be stored: nothing is acknowledged."""
    before = acknowledged(fleet.boxes)
    fleet.write(EVENTS)
    fleet.run("the boxes notice", lambda: not any(box.reached for box in fleet.boxes))
    assert acknowledged(fleet.boxes) == before


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
        go_on_without(fleet)
        server.start()
        fleet.run("all is there again", lambda: complete(fleet.boxes))
        fleet.compare()
        assert ingester.running()
        assert ingester.pid == pid
        assert ingester.figures()["classbox_queue_messages"] == 0
        said = ingester.log.read_text("utf-8")
        # Once that its connection broke, and once that it can make none.
        assert 1 <= len(re.findall("^ERROR", said, re.M)) <= 2, said
        assert "carries on" in said


@contextmanager
def its_turn(data_dir: Path) -> Iterator[None]:
    """Hold what writers of the centre's database take turns with, as a slow command does."""
    with (data_dir / "centre.db.lock").open("ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextmanager
def a_transaction(data_dir: Path) -> Iterator[None]:
    """Hold a writing transaction open, as somebody with the ``sqlite3`` shell may."""
    connection = sqlite3.connect(data_dir / "centre.db", isolation_level=None)
    connection.execute("BEGIN IMMEDIATE")
    yield
    connection.execute("ROLLBACK")
    connection.close()


@pytest.mark.parametrize("held", [its_turn, a_transaction])
def test_another_process_holds_the_sqlite_database(
    tmp_path: Path, held: Callable[[Path], AbstractContextManager[None]]
) -> None:
    """What came meanwhile is stored when it lets go; nobody was told anything before."""
    with (
        staged(tmp_path) as stage,
        connected_fleet(stage.broker.port, stage.store, BOXES, AT_ONCE) as fleet,
    ):
        stage.start()
        fleet.write(EVENTS)
        fleet.run("all is there", lambda: complete(fleet.boxes))
        with held(stage.config.data_dir):
            go_on_without(fleet)
        fleet.run("all is there again", lambda: complete(fleet.boxes))
        fleet.compare()
