"""``./box bench NAME…``: measure; lines on standard error, one JSON object last on the output."""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path
from typing import Any

from tests.bench.figures import CannotMeasure, report

NEED_A_FOLDER = ("heads",)


def names() -> list[str]:
    """Return the benchmarks there are: the modules beside this one that name figures.

    They are read, not imported: a helper may belong to another environment.
    """
    modules = sorted(Path(__file__).parent.glob("*.py"))
    return [path.stem for path in modules if "\ndef figures(" in path.read_text("utf-8")]


def say(line: str) -> None:
    """Show progress without touching the output, whose last line is the report."""
    print(line, file=sys.stderr, flush=True)


def main(arguments: list[str]) -> int:
    """Run the named benchmarks; return 0 when all could be measured, whatever the goals say.

    A folder among the *arguments* holds what to measure on; benchmarks that need none ignore it.
    """
    known = names()
    folders = [Path(one) for one in arguments if one not in known and Path(one).is_dir()]
    arguments = [one for one in arguments if Path(one) not in folders]
    unknown = [name for name in arguments if name not in known]
    if unknown or not arguments:
        if unknown:
            say(f"no such benchmark: {' '.join(unknown)}")
        say(f"usage: ./box bench NAME… [DIR], with NAME one of: {' '.join(known)}")
        return 2
    figures: list[dict[str, Any]] = []
    for name in arguments:
        module = importlib.import_module(f"tests.bench.{name}")
        try:
            wanted = module.figures(*folders) if name in NEED_A_FOLDER else module.figures()
            figures += report(name, wanted, say)["figures"]
        except CannotMeasure as error:
            say(f"{name}: {error}")
            return 1
    for figure in figures:
        say(
            f"{'holds ' if figure['holds'] else 'MISSED'} {figure['name']}: {figure['ours']}"
            f" {figure['unit']}, ratio {figure['ratio']}, goal {figure['goal']}"
        )
    print(json.dumps({"bench": " ".join(arguments), "figures": figures}, ensure_ascii=False))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
