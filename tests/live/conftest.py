"""A room with a lesson for each test, and a page."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tests.live.stage import Classroom, classroom


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Classroom]:
    """A room with its camera, box and centre; nothing but broker and camera runs yet."""
    with classroom(tmp_path) as opened:
        yield opened


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page in English, whose errors fail the test."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    yield page
    context.close()
    assert problems == []
