"""What holds for all tests: no deadline for properties, one browser, one PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import settings
from playwright.sync_api import Browser

from tests.browser import chromium
from tests.postgres import Postgres

# Other work on the machine must not fail a property: no deadline. What fails is printed so that
# it can be run again.
settings.register_profile("house", deadline=None, print_blob=True)
settings.load_profile("house")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Return a real Chromium, started once: Playwright runs one loop in a process."""
    with chromium() as started:
        yield started


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """Return a real PostgreSQL, started once; a test takes a database of its own from it."""
    with Postgres() as started:
        yield started
