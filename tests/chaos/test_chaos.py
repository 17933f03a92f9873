"""Thirty kills under load, as part of every test run; ``./box chaos`` kills more."""

from __future__ import annotations

from pathlib import Path

from tests.chaos.run import run


def test_thirty_kills_lose_nothing_and_double_nothing(tmp_path: Path) -> None:
    """Box services, broker and ingesters die at random; every commit is at the centre once."""
    outcome = run(tmp_path, kills=30, seed=3, camera=False, say=print)
    assert outcome.kills.total() == 30
    assert outcome.witnessed > 100
    assert outcome.network["cut"] > 0
    assert outcome.network["slow"] > 0
    assert outcome.held, "\n".join(outcome.lines())
