"""``./box screens``: take the screenshots under docs/screenshots again."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

OUT = Path(__file__).parents[2] / "docs" / "screenshots"
PARTS = ("kiosk", "console")


def main(arguments: list[str]) -> int:
    """Shoot the named parts, all by default."""
    OUT.mkdir(parents=True, exist_ok=True)
    for part in arguments or PARTS:
        if part not in PARTS:
            print(f"{part}: not known. Name one of: {', '.join(PARTS)}.", file=sys.stderr)
            return 2
        try:
            module = importlib.import_module(f"tests.screens.{part}")
        except ModuleNotFoundError as error:
            if error.name != f"tests.screens.{part}":
                raise
            print(f"{part}: has no screenshots yet")
            continue
        module.shoot(OUT)
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
