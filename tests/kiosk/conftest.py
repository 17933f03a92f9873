"""A box with a kiosk for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.boxes import at, roster_of, two_hours
from tests.kiosk.stage import PIN_HASH, Stage


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    """Return a box at 08:50 with one lesson, 09:00 to 10:30, of five trainees."""
    made = Stage(tmp_path, at("08:50"))
    made.send([two_hours(at("09:00"))], roster_of(5, PIN_HASH))
    try:
        yield made
    finally:
        made.close()
