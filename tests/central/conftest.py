"""A centre for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.central.centres import Centre, open_centre


@pytest.fixture
def centre(tmp_path: Path) -> Iterator[Centre]:
    """An empty centre in a temporary folder."""
    with open_centre(tmp_path) as opened:
        yield opened
