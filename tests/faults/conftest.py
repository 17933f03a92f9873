"""A box and a centre for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.stage import Stage, staged


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    """A box and a centre around a broker; nothing but the broker runs yet."""
    with staged(tmp_path) as opened:
        yield opened
