"""The revocation list expires: nobody comes in, it is said why, and a renewal needs no restart."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from edge.model import DAY
from sync.central import broker
from sync.central.authority import CRL_LASTS
from tests.processes import CLASSBOX, Child, wait_for
from tests.security.conftest import A
from tests.security.stage import Caller, Secured, done, secured

EXPIRED = CRL_LASTS.days * DAY + DAY


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Secured]:
    """A broker whose list expired a day ago, with one enrolled box."""
    with secured(tmp_path) as opened:
        opened.enrol(A)
        opened.enrol("room-stolen")
        opened.revoke("room-stolen")
        opened.broker.stop()
        opened.authority.renew(opened.now - EXPIRED)
        opened.broker.start()
        yield opened


def comes_in(stage: Secured, box: str = A) -> bool:
    """Tell whether the broker takes both connections of a box."""
    for connection in ("facts", "media"):
        caller = Caller(stage.port, stage.of_box(box, connection))
        if caller.connect() != "Success":
            return False
        caller.close()
    return True


def test_an_expired_list_shuts_everybody_out_until_it_is_renewed(stage: Secured) -> None:
    """Mosquitto says why; ``centre crl`` opens the running broker again, and not to the revoked."""
    assert not comes_in(stage)
    assert Caller(stage.port, stage.of_ingester()).connect() == ""
    log = stage.broker.log.read_text("utf-8")
    assert "expired" in log or "certificate verify failed" in log, log[-2000:]
    running = stage.broker.pid
    told = done(stage.centre_toml, "centre", "crl")
    assert "is valid until" in told
    assert "The broker has been told." in told
    wait_for("the broker has read it", lambda: comes_in(stage), 60)
    assert stage.broker.pid == running
    assert not comes_in(stage, "room-stolen")


def test_the_ingest_renews_an_expired_list_by_itself(stage: Secured) -> None:
    """A centre that was off for longer than a list lasts opens its broker when it is on again."""
    ingest = Child(
        "ingest",
        [CLASSBOX, "--config", stage.centre_toml, "centre", "ingest"],
        stage.folder / "ingest.log",
    )
    link = Child(
        "link",
        [CLASSBOX, "--config", stage.folder / f"{A}.toml", "link"],
        stage.folder / "link.log",
    )
    try:
        link.start()
        wait_for("the link says why", lambda: link.said("does not take this certificate"), 60)
        ingest.start()
        wait_for("it is renewed", lambda: ingest.said("the revocation list was renewed"), 60)
        wait_for("the ingest comes in", lambda: ingest.said("ingest: connected"), 90)
        wait_for("the link comes in", lambda: link.said("link: facts: connected"), 90)
    finally:
        link.stop()
        ingest.stop()


def test_a_list_is_renewed_in_time_and_not_before(stage: Secured) -> None:
    """Ten days before it expires, so that somebody finds a centre that is down."""
    data, now = stage.config.data_dir, stage.now
    list_file = stage.authority.crl
    for days, renewed in ((0, True), (0, False), (19, False), (21, True)):
        before = list_file.read_bytes()
        broker.keep_current(data, now + days * DAY)
        assert (list_file.read_bytes() != before) == renewed, days
