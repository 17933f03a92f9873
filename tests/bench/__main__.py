"""``./box bench NAME…``: measure; lines on standard error, one JSON object last on the output."""

from __future__ import annotations

import argparse
import importlib
import inspect
import json
import sys
from pathlib import Path
from typing import Any

from tests.bench.figures import CannotMeasure, report


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
    """Run the named benchmarks; return 0 when all could be measured, whatever the goals say."""
    known = names()
    parser = argparse.ArgumentParser(
        "./box bench", description="Measure. The last line of the output is one JSON object."
    )
    parser.add_argument(
        "names", nargs="+", metavar="NAME", help=f"{', '.join(known)}; last, a folder of photos"
    )
    for option, what in (("events", "how long the backlog of sync is"), ("media", "MB beside it")):
        parser.add_argument(f"--{option}", type=int, metavar="N", help=what)
    asked = parser.parse_args(arguments)
    given: dict[str, Any] = {
        name: value for name, value in vars(asked).items() if isinstance(value, int)
    }
    if asked.names[-1] not in known and Path(asked.names[-1]).is_dir():
        given["folder"] = Path(asked.names.pop())
    if wrong := [name for name in asked.names if name not in known]:
        parser.error(f"no benchmark is called {wrong[0]}: there are {', '.join(known)}")
    figures: list[dict[str, Any]] = []
    for name in asked.names:
        module = importlib.import_module(f"tests.bench.{name}")
        takes = inspect.signature(module.figures).parameters
        if unknown := given.keys() - takes.keys():
            parser.error(f"{name} takes no {min(unknown)}")
        try:
            figures += report(name, module.figures(**given), say)["figures"]
        except CannotMeasure as error:
            say(f"{name}: {error}")
            return 1
    for figure in figures:
        say(
            f"{'holds ' if figure['holds'] else 'MISSED'} {figure['name']}: {figure['ours']}"
            f" {figure['unit']}, ratio {figure['ratio']}, goal {figure['goal']}"
        )
    print(json.dumps({"bench": " ".join(asked.names), "figures": figures}, ensure_ascii=False))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
