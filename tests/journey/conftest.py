"""What the journeys share: one film of somebody at the door."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.demo.door_film import make_film
from tests.system import portrait


@pytest.fixture(scope="session")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_film(tmp_path_factory.mktemp("film") / "door.mp4", portrait())
