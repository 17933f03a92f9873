"""Two ingesters on PostgreSQL, two hundred boxes, and one of the two killed in mid-run."""

from __future__ import annotations

from pathlib import Path

from tests.fleet.boxes import acknowledged, complete, connected_fleet
from tests.fleet.stage import staged
from tests.postgres import Postgres

BOXES = 200
EVENTS = 24
AT_ONCE = 4


def test_one_of_two_ingesters_is_killed_and_every_box_ends_complete(
    tmp_path: Path, postgres: Postgres
) -> None:
    """Its boxes wait for it while the other's go on; started again it goes on where it must.

    There is no taking over: a ledger has one ingester at a time, and the supervisor starts a dead
    one again (systemd/classbox-.service.d: Restart=always).
    """
    with (
        postgres.database() as database,
        staged(tmp_path, ingesters=2, database=database) as stage,
        connected_fleet(stage.broker.port, stage.store, BOXES, AT_ONCE) as fleet,
    ):
        dies, lives = stage.ingesters
        its = [box for box in fleet.boxes if dies.share.has(box.name)]
        others = [box for box in fleet.boxes if lives.share.has(box.name)]
        assert len(its) + len(others) == BOXES
        stage.start()
        fleet.write(EVENTS)
        quarter = len(its) * EVENTS // 4
        fleet.run("it is in the middle of it", lambda: acknowledged(its) > quarter, 90)
        dies.kill()

        held = fleet.held()
        assert sum(held[box.chain.uuid] for box in its) < sum(box.chain.head for box in its)
        fleet.write(AT_ONCE)
        fleet.run("the other's boxes are complete", lambda: complete(others), 90)
        fleet.run(
            "its boxes notice",
            lambda: all(box.complete() or not box.reached for box in its),
        )
        now = fleet.held()
        assert {box.name for box in its if now[box.chain.uuid] != held[box.chain.uuid]} == set()

        dies.start()  # the same command again, and nothing tidied up before
        fleet.run("every box is complete", lambda: complete(fleet.boxes), 90)
        fleet.compare()
