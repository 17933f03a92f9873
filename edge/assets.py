"""Where models and front-end files lie after set-up; ``./box`` puts them there, hash-checked."""

from __future__ import annotations

import sys
from pathlib import Path

LOOK = Path(__file__).parent / "look"


class AssetMissing(Exception):
    """A file that set-up provides is not there; the message says what to run."""


def path(name: str) -> Path:
    """Return the path of the asset *name* ("models/…" or "static/…"). Raises AssetMissing."""
    found = Path(sys.prefix) / "share" / "classbox" / name
    if not found.is_file():
        raise AssetMissing(f"{name} is not installed. Run ./box, which fetches and checks it.")
    return found
