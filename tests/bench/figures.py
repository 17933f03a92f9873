"""What a figure is, how it is measured, and the one form in which it is reported.

Ours and the reference run in turn, several times, so that what else the machine does meets both;
the ratio is the median of the pairs' ratios. The form is fixed (docs/commands.md), so that runs
of different versions and machines can be compared.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from dataclasses import dataclass
from statistics import median
from typing import Any

_COMPARISON = re.compile(r"(?:(ours|ratio) )?(<=|>=) (\d+(?:\.\d+)?)")
_OPERATORS = {"<=": operator.le, ">=": operator.ge}


class CannotMeasure(RuntimeError):
    """Something that the measurement needs is missing; the message says what to do."""


@dataclass(frozen=True)
class Figure:
    """One thing to measure. ``ours`` and ``reference`` each measure once and return ``unit``.

    ``goal``: comparisons joined by ``and``, such as ``ours <= 40 and ratio <= 0.2``; one that
    names neither is about the ratio. Without a reference there is no ratio; without a goal the
    figure is there to be known, and holds.
    """

    name: str
    ours: Callable[[], float]
    reference: Callable[[], float] | None
    unit: str
    reference_is: str
    goal: str
    rounds: int = 5

    def __post_init__(self) -> None:
        """Raise ValueError for a goal that cannot be judged."""
        for subject, _, _ in self._comparisons():
            if subject == "ratio" and self.reference is None:
                raise ValueError(f"{self.name}: the goal {self.goal!r} needs a reference")

    def holds(self, ours: float, ratio: float | None) -> bool:
        """Tell whether measured values meet the goal."""
        values = {"ours": ours, "ratio": ratio}
        return all(
            (value := values[subject]) is not None and _OPERATORS[sign](value, limit)
            for subject, sign, limit in self._comparisons()
        )

    def _comparisons(self) -> Iterator[tuple[str, str, float]]:
        for part in self.goal.split(" and ") if self.goal else ():
            found = _COMPARISON.fullmatch(part)
            if found is None:
                raise ValueError(f"{self.name}: cannot read the goal {part!r}")
            yield found[1] or "ratio", found[2], float(found[3])


def measure(figure: Figure, say: Callable[[str], None]) -> dict[str, Any]:
    """Run the pairs of one figure in turn; return its part of the report."""
    ours: list[float] = []
    references: list[float] = []
    for number in range(1, figure.rounds + 1):
        ours.append(figure.ours())
        line = f"{figure.name} {number}/{figure.rounds}: {_short(ours[-1])} {figure.unit}"
        if figure.reference is not None:
            references.append(figure.reference())
            line += f", reference {_short(references[-1])}"
        say(line)
    pairs = [mine / other for mine, other in zip(ours, references, strict=False) if other]
    ratio = median(pairs) if pairs else None
    return {
        "name": figure.name,
        "ours": _short(median(ours)),
        "reference": _short(median(references)) if references else None,
        "ratio": None if ratio is None else _short(ratio),
        "unit": figure.unit,
        "reference_is": figure.reference_is,
        "goal": figure.goal,
        "holds": figure.holds(median(ours), ratio),
    }


def report(
    bench: str,
    figures: Generator[Figure, None, None],
    say: Callable[[str], None] = lambda line: None,
) -> dict[str, Any]:
    """Measure *figures*, each before the next is asked for; return the report of *bench*.

    What a figure set up is torn down by its generator, also when a measurement fails.
    """
    with closing(figures):
        return {"bench": bench, "figures": [measure(figure, say) for figure in figures]}


def _short(value: float) -> float:
    """Return *value* with four significant digits: what a benchmark can honestly say."""
    return float(f"{value:.4g}")
