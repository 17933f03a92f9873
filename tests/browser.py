"""Debian's Chromium under Playwright, quiet and offline."""

from __future__ import annotations

import os
from pathlib import Path

from playwright.sync_api import Browser, Playwright

CHROMIUM = Path("/usr/bin/chromium")


def launch(playwright: Playwright) -> Browser:
    """Start headless Chromium; as root it can only run without its own sandbox."""
    return playwright.chromium.launch(
        executable_path=CHROMIUM,
        args=[
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-gpu",
            "--disable-sync",
            "--no-first-run",
            *(["--no-sandbox"] if os.geteuid() == 0 else []),
        ],
    )
