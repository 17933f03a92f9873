"""``./box bench NAME…``: measure; lines on standard error, one JSON object last on the output."""

from __future__ import annotations

import importlib
import json
import pkgutil
import sys
from types import ModuleType
from typing import Any

import tests.bench
from tests.bench.figures import CannotMeasure, report


def names() -> list[str]:
    """Return the benchmarks there are: the modules of this package that name figures."""
    modules = (module.name for module in pkgutil.iter_modules(tests.bench.__path__))
    return [name for name in modules if benchmark(name) is not None]


def benchmark(name: str) -> ModuleType | None:
    """Return the module that names the figures of *name*, or None."""
    try:
        module = importlib.import_module(f"tests.bench.{name}")
    except ModuleNotFoundError as error:
        if error.name != f"tests.bench.{name}":
            raise
        return None
    return module if hasattr(module, "figures") else None


def say(line: str) -> None:
    """Show progress without touching the output, whose last line is the report."""
    print(line, file=sys.stderr, flush=True)


def main(arguments: list[str]) -> int:
    """Run the named benchmarks; return 0 when all could be measured, whatever the goals say."""
    modules = {name: benchmark(name) for name in arguments}
    unknown = [name for name, module in modules.items() if module is None]
    if unknown or not arguments:
        if unknown:
            say(f"no such benchmark: {' '.join(unknown)}")
        say(f"usage: ./box bench NAME…, with NAME one of: {' '.join(names())}")
        return 2
    figures: list[dict[str, Any]] = []
    for name, module in modules.items():
        assert module is not None
        try:
            figures += report(name, module.figures(), say)["figures"]
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
