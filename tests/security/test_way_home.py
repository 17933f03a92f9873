"""Real processes over TLS: facts, media and documents arrive, whatever day the box believes in."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Table, select

from edge.clock import RELEASED, SimulatedClock
from edge.documents import ROSTER, roster_to_json
from edge.events import ServiceStarted, SnapshotTaken
from edge.ledger import Ledger
from edge.media import MediaStore
from edge.model import ClockQuality
from sync import tls
from sync.central import tables
from sync.central.documents import store_document
from tests.boxes import roster_of
from tests.processes import CLASSBOX, Child, in_another_time, wait_for
from tests.security.stage import Secured, done, run, secured

BOX = "room-203"


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Secured]:
    """A centre and its broker; no box yet."""
    with secured(tmp_path) as opened:
        yield opened


@contextmanager
def running(stage: Secured, *children: Child) -> Iterator[None]:
    """Run the ingest and *children*."""
    ingest = Child(
        "ingest",
        [CLASSBOX, "--config", stage.centre_toml, "centre", "ingest"],
        stage.folder / "ingest.log",
    )
    started = [ingest, *children]
    try:
        ingest.start()
        wait_for("the ingest is connected", lambda: ingest.said("ingest: connected"), 60)
        for child in children:
            child.start()
        yield
    finally:
        for child in started:
            child.stop()


def link(stage: Secured, environment: dict[str, str] | None = None) -> Child:
    """Return the box's link, to be started."""
    command: list[str | Path] = [CLASSBOX, "--config", stage.folder / f"{BOX}.toml", "link"]
    return Child("link", command, stage.folder / "link.log", environment)


def told(stage: Secured) -> dict[str, Any]:
    """Return what the link shows of itself."""
    try:
        return dict(json.loads((stage.folder / f"{BOX}-run" / "link.json").read_bytes()))
    except FileNotFoundError:
        return {}


def rows(stage: Secured, table: Table) -> Sequence[Any]:
    """Return every row of one of the centre's tables."""
    with stage.store.reading() as connection:
        return connection.execute(select(table)).all()


def test_facts_media_and_documents_travel_over_tls(stage: Secured) -> None:
    """The whole way home and back, with the generated configuration and enrolled certificates."""
    stage.enrol(BOX)
    with stage.ledger(BOX) as ledger:
        for number in range(100):
            ledger.append(ServiceStarted(f"service-{number}", "1"))
        media = MediaStore(stage.folder / BOX / "media")
        body = SnapshotTaken("lesson-1", 0, 1, "classroom", stage.now, "key_frame", "", 0)
        draft = media.draft(body)
        draft.write(b"picture" * 100_000)
        draft.store(ledger)
        store_document(stage.store, BOX, ROSTER, roster_to_json(roster_of()), stage.now)
        with running(stage, link(stage)):

            def complete() -> bool:
                shown = told(stage)
                return (
                    shown.get("acked") == ledger.head()[0]
                    and shown.get("media_waiting") == 0
                    and in_force(ledger) == [ROSTER]
                )

            wait_for("everything has arrived", complete, 120)
        assert len(rows(stage, tables.event)) == ledger.head()[0]
        assert [row.size for row in rows(stage, tables.media)] == [700_000]
    assert rows(stage, tables.incident) == []
    (box,) = rows(stage, tables.box)
    assert box.enrolled_at is not None


def in_force(ledger: Ledger) -> list[str]:
    """Return the kinds of document in force on a box."""
    with ledger.store.read() as connection:
        return [row["kind"] for row in connection.execute("SELECT kind FROM document_in_force")]


def test_a_box_that_wakes_in_1970_connects(stage: Secured) -> None:
    """A link whose clock says 1970 connects over TLS, though no certificate is valid yet.

    So it does again after the centre has told it the time: the machine's clock still says 1970.
    """
    stage.enrol(BOX)
    (stage.folder / f"{BOX}-run" / "clock.json").unlink()  # a new boot
    stage.centre_toml.write_text(
        stage.centre_toml.read_text("utf-8").replace("[centre]", '[centre]\nclock = "trusted"')
    )
    process = link(stage, in_another_time(stage.folder / "wall", "@1970-01-01 00:01:00"))

    def basis() -> dict[str, Any]:
        return dict(json.loads((stage.folder / f"{BOX}-run" / "clock.json").read_bytes()))

    with running(stage, process), stage.ledger(BOX) as ledger:
        wait_for("the link delivers", lambda: told(stage).get("acked", 0) > 1, 120)
        wait_for("the centre tells the time", lambda: basis()["source"] == "centre", 120)
        assert basis()["machine"] < 365 * 86_400 * 1_000_000, "its clock was not set back"
        stage.broker.kill()
        ledger.append(ServiceStarted("later", "1"))
        wait_for("the link notices", lambda: told(stage)["connected"] is False, 60)
        stage.broker.start()
        wait_for("the rest arrives", lambda: told(stage)["acked"] == ledger.head()[0], 120)
    assert rows(stage, tables.incident) == []


def test_without_an_enrolment_the_link_says_what_to_do(stage: Secured) -> None:
    """A box without certificates ends in one sentence instead of knocking for ever."""
    result = run(stage.box_toml(BOX), "link")
    assert result.exit_code == 1
    assert "this box is not enrolled" in result.output
    assert "classbox enrol request" in result.output


def test_a_box_that_is_not_enrolled_is_not_taken(stage: Secured) -> None:
    """A certificate alone is not enough: the key must be the one that the centre registered."""
    stage.enrol(BOX)
    with stage.ledger(BOX) as ledger:
        ledger.append(ServiceStarted("link", "1"))
    keys = stage.folder / BOX / "keys"
    # The same certificates beside another ledger: what a thief of the card's keys would have.
    for name in ("ledger.db", "ledger.db-wal", "ledger.db-shm", "keys/ledger.key"):
        (stage.folder / BOX / name).unlink(missing_ok=True)
    assert (keys / "broker-facts.pem").exists()
    with running(stage, link(stage)):
        wait_for(
            "the centre says no",
            lambda: "is known with another key" in str(told(stage).get("cause")),
            60,
        )
    assert [row.cause for row in rows(stage, tables.incident)] == ["other_key"]
    assert rows(stage, tables.event) == []


def test_a_revoked_box_that_is_still_connected_is_not_taken(stage: Secured) -> None:
    """The broker's list does not end an open connection; the centre takes nothing from it."""
    stage.enrol(BOX)
    process = link(stage)
    with running(stage, process), stage.ledger(BOX) as ledger:
        wait_for("the link delivers", lambda: told(stage).get("acked") == ledger.head()[0], 60)
        done(stage.centre_toml, "centre", "revoke", BOX)
        held = len(rows(stage, tables.event))
        ledger.append(ServiceStarted("later", "1"))
        wait_for("the centre says no", lambda: "was revoked" in str(told(stage).get("cause")), 60)
        assert len(rows(stage, tables.event)) == held
    assert [row.cause for row in rows(stage, tables.incident)] == ["revoked"]


def test_dates_are_only_checked_by_a_clock_that_can_know(stage: Secured) -> None:
    """Synchronised and past what has happened: only then does the calendar decide."""
    clock = SimulatedClock(RELEASED)
    assert tls.dates_trusted(clock.now())
    assert not tls.dates_trusted(clock.now(), RELEASED + 1)
    clock.jump(0)
    assert not tls.dates_trusted(clock.now())
    unsynchronised = SimulatedClock(RELEASED, quality=ClockQuality.UNSYNCHRONISED)
    assert not tls.dates_trusted(unsynchronised.now())
