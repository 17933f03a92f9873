"""Events on their way to the centre while something dies: nothing lost, nothing twice."""

from __future__ import annotations

import fcntl
import os
import signal

from sync.central import tables
from tests.faults.stage import Stage
from tests.processes import wait_for


def test_link_is_ready_without_a_network_and_drains_the_backlog_later(stage: Stage) -> None:
    """A box that was away for long: READY without a broker, then everything in its order."""
    stage.broker.kill()
    stage.write(1500)
    stage.start(stage.link)
    wait_for("the link says that it is offline", lambda: stage.told().get("connected") is False)
    assert stage.told()["head"] > 1500
    assert stage.told()["cause"]
    stage.broker.start()
    stage.start(stage.ingest)
    stage.wait_until_complete()
    received = [row.received_at for row in stage.rows(tables.event)]
    assert received == sorted(received)


def test_link_killed_between_event_and_sending(stage: Stage) -> None:
    """Killed again and again in the middle of a backlog, the link starts where it must."""
    stage.write(2000)
    stage.start(stage.ingest)
    for share in (1, 2, 3):
        stage.box_wire.hold_after(200_000)
        stage.start(stage.link)
        wait_for("part of the backlog has left", stage.box_wire.holding)
        stage.link.kill()
        stage.box_wire.cut()
        stage.box_wire.flow()
        stage.write(10 * share)
    stage.start(stage.link)
    stage.wait_until_complete()


def test_ingester_killed_between_commit_and_acknowledgement(stage: Stage) -> None:
    """What was committed but never acknowledged arrives a second time and counts once."""
    stage.start(stage.ingest, stage.link)
    stage.wait_until_complete()
    acked = stage.told()["acked"]
    stage.centre_wire.hold("up")
    stage.write(15)  # fewer than the messages that may be under way: nothing is acknowledged now
    head = stage.ledger.head()[0]
    wait_for("the centre has committed", lambda: stage.held() == head)
    stage.ingest.kill()
    assert stage.told()["acked"] == acked
    stage.centre_wire.cut()
    stage.centre_wire.flow()
    stage.write(5)
    stage.start(stage.ingest)
    stage.wait_until_complete()


def test_ingester_killed_before_its_commit(stage: Stage) -> None:
    """What the ingester had received but not committed comes again."""
    stage.start(stage.ingest, stage.link)
    stage.wait_until_complete()
    held = stage.held()
    passed = stage.centre_wire.passed("down")
    with open(f"{stage.config.data_dir}/centre.db.lock", "ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # the database's writer's turn is ours
        stage.write(300)
        # However slowly it is written: a window of messages holds at least an event each.
        wait_for(
            "the ingester has received of it",
            lambda: stage.centre_wire.passed("down") > passed + 10_000,
        )
        stage.ingest.kill()
    assert stage.held() == held
    stage.start(stage.ingest)
    stage.wait_until_complete()


def test_broker_killed_and_forgets_everything(stage: Stage) -> None:
    """Without sessions, queues and retained messages everything still arrives."""
    stage.start(stage.ingest, stage.link)
    stage.wait_until_complete()
    for _ in range(2):
        stage.box_wire.hold_after(60_000)
        stage.write(400)
        wait_for("part of it has left", stage.box_wire.holding)
        stage.broker.kill()
        stage.box_wire.cut()
        stage.box_wire.flow()
        stage.write(10)
        stage.broker.start()
    stage.wait_until_complete()


def test_the_connection_is_cut_in_the_middle_of_a_message(stage: Stage) -> None:
    """Half a message is no message; the box connects again and goes on."""
    stage.start(stage.ingest)
    stage.write(1000)
    stage.box_wire.hold_after(70_000)
    stage.start(stage.link)
    for _ in range(3):
        wait_for("part of it has left", stage.box_wire.holding)
        stage.box_wire.cut()
        stage.box_wire.flow()
        stage.box_wire.hold_after(70_000)
    wait_for("part of it has left", stage.box_wire.holding)
    stage.box_wire.flow()
    stage.wait_until_complete()


def test_acknowledgements_that_never_arrive(stage: Stage) -> None:
    """When the way back is dead the box asks again, and repeats itself without harm."""
    stage.start(stage.ingest, stage.link)
    stage.wait_until_complete()
    stage.box_wire.hold("down")
    stage.write(200)
    head = stage.ledger.head()[0]
    wait_for("the centre has it all", lambda: stage.held() == head)
    wait_for(
        "the link notices the silence",
        lambda: stage.told()["cause"] == "the centre does not answer",
    )
    assert stage.told()["acked"] < head
    assert stage.told()["connected"] is False
    stage.box_wire.flow()
    stage.wait_until_complete()
    assert stage.told()["connected"] is True


def test_ingester_frozen_for_a_while(stage: Stage) -> None:
    """A centre that stalls and goes on finds the box asking; nothing counts twice."""
    stage.start(stage.ingest, stage.link)
    stage.wait_until_complete()
    os.kill(stage.ingest.pid, signal.SIGSTOP)
    stage.write(500)
    wait_for("the link notices", lambda: stage.told()["connected"] is False)
    os.kill(stage.ingest.pid, signal.SIGCONT)
    stage.wait_until_complete()
