"""Nothing on any screen is kept from somebody: contrast, names of controls, size of targets."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.screens import console, kiosk, shots
from tests.screens.examination import Examiner


@pytest.mark.bench
def test_axe_finds_nothing_serious_on_any_screen(tmp_path: Path) -> None:
    """Every scene of ``./box screens``, in both languages; on the touch screen 48 px and more."""
    examiner = Examiner()

    def look(page: Page, screen: str) -> None:
        examiner.look(page, screen, touched=screen.startswith("kiosk-"))

    shots.onlookers.append(look)
    try:
        kiosk.shoot(tmp_path)
        console.shoot(tmp_path)
    finally:
        shots.onlookers.remove(look)
    assert examiner.screens > 50
    assert not examiner.findings, "\n".join(map(str, examiner.findings))
