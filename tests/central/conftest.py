"""A centre for each test, on each database there is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.central.centres import Centre, open_centre
from tests.postgres import Postgres


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of an empty database."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/centre.db"
        return
    server = request.getfixturevalue("postgres")
    assert isinstance(server, Postgres)
    with server.database() as address:
        yield address


@pytest.fixture
def another_database(request: pytest.FixtureRequest, database: str) -> Iterator[str]:
    """The address of a second one, of the same sort."""
    if database.startswith("sqlite"):
        yield database.replace("centre.db", "other.db")
        return
    server = request.getfixturevalue("postgres")
    assert isinstance(server, Postgres)
    with server.database() as address:
        yield address


@pytest.fixture
def centre(tmp_path: Path, database: str) -> Iterator[Centre]:
    """An empty centre in a temporary folder."""
    with open_centre(tmp_path, database=database) as opened:
        yield opened
