"""A request is done once, even when the worker that took it dies."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from edge import requests
from edge.clock import SimulatedClock
from edge.events import RequestRefused
from edge.ledger import Ledger
from edge.model import MINUTE, SECOND
from tests.boxes import open_ledger


@pytest.fixture
def clock() -> SimulatedClock:
    return SimulatedClock(1_000 * SECOND)


@pytest.fixture
def ledger(tmp_path: Path, clock: SimulatedClock) -> Iterator[Ledger]:
    with open_ledger(tmp_path, clock) as opened:
        yield opened


def test_a_request_is_claimed_by_one_and_answered_with_an_event(ledger: Ledger) -> None:
    """The answer and its event are one transaction; the asker finds it by the request's id."""
    asked = requests.ask(ledger, "enrol", {"person_id": "p-1"}, MINUTE)
    taken = requests.claim(ledger, ["enrol"], "greeter")
    assert taken is not None
    assert (taken.id, taken.args) == (asked, {"person_id": "p-1"})
    assert requests.claim(ledger, ["enrol"], "another") is None
    answer = RequestRefused(asked, "enrol", "no face in the picture")
    with ledger.writing() as writer:
        requests.answer(writer, asked, answer)
    with ledger.store.read() as connection:
        assert requests.answer_of(connection, asked) == answer
    assert requests.claim(ledger, ["enrol"], "greeter") is None


def test_a_claim_ends_with_its_worker(ledger: Ledger, clock: SimulatedClock) -> None:
    """A worker that died does not keep its request; another takes it after the claim."""
    requests.ask(ledger, "enrol", {}, 10 * MINUTE)
    assert requests.claim(ledger, ["enrol"], "one") is not None
    clock.advance(requests.CLAIM + SECOND)
    assert requests.claim(ledger, ["enrol"], "two") is not None


def test_a_request_that_nobody_took_in_time_is_left(ledger: Ledger, clock: SimulatedClock) -> None:
    """What expired is not done late."""
    requests.ask(ledger, "enrol", {}, SECOND)
    clock.advance(2 * SECOND)
    assert requests.claim(ledger, ["enrol"], "greeter") is None
    assert requests.claim(ledger, ["other"], "greeter") is None
