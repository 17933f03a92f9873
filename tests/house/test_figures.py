"""Benchmark reports: the form that others compare, and goals that are judged as written."""

from __future__ import annotations

import json
from collections.abc import Callable, Generator, Iterator

import pytest

from tests.bench.figures import Figure, report


def series(*values: float) -> Callable[[], float]:
    """Return a measurement that gives these values one after the other."""
    left = iter(values)
    return lambda: next(left)


def figure(goal: str, ours: float = 1.0, reference: float | None = 2.0) -> Figure:
    """Return a figure that always measures the same."""
    other = None if reference is None else series(*[reference] * 9)
    return Figure("f", series(*[ours] * 9), other, "s", "another", goal)


def one(subject: Figure) -> Iterator[Figure]:
    """Yield one figure, as a benchmark does."""
    yield subject


def measured(subject: Figure) -> dict[str, object]:
    """Return the reported form of one figure."""
    generator = one(subject)
    assert isinstance(generator, Generator)
    found: dict[str, object] = report("b", generator)["figures"][0]
    return found


def test_a_report_has_exactly_the_agreed_form() -> None:
    """Names, order and values of the JSON object are those of docs/commands.md."""
    generator = one(figure(">= 0.7", ours=3.0, reference=4.0))
    assert isinstance(generator, Generator)
    assert json.dumps(report("b", generator)) == (
        '{"bench": "b", "figures": [{"name": "f", "ours": 3.0, "reference": 4.0, "ratio": 0.75, '
        '"unit": "s", "reference_is": "another", "goal": ">= 0.7", "holds": true}]}'
    )


def test_a_figure_without_a_goal_is_stated() -> None:
    """What is there to be known has no ratio that could be missed, and holds."""
    found = measured(figure("", ours=3.0, reference=None))
    assert (found["ours"], found["ratio"], found["goal"]) == (3.0, None, "")
    assert found["holds"] is True


def test_the_ratio_is_the_median_of_the_pairs() -> None:
    """A machine that gets slower between pairs slows both of a pair, so pairs are compared."""
    ours, reference = series(10, 20, 90), series(20, 40, 60)
    found = measured(Figure("f", ours, reference, "s", "another", "ratio <= 0.5", rounds=3))
    assert (found["ours"], found["reference"]) == (20.0, 40.0)
    assert found["ratio"] == 0.5
    assert found["holds"] is True


def test_pairs_are_taken_in_turn() -> None:
    """Ours and the reference alternate, so that what else the machine does meets both."""
    order: list[str] = []

    def note(name: str) -> Callable[[], float]:
        def run() -> float:
            order.append(name)
            return 1.0

        return run

    measured(Figure("f", note("ours"), note("reference"), "s", "x", ">= 1", rounds=2))
    assert order == ["ours", "reference", "ours", "reference"]


@pytest.mark.parametrize(
    ("goal", "holds"),
    [
        (">= 0.5", True),
        (">= 0.6", False),
        ("ours <= 1 and ratio <= 0.5", True),
        ("ours <= 0.9 and ratio <= 0.5", False),
        ("ours <= 1 and ratio <= 0.4", False),
    ],
)
def test_a_goal_is_judged_as_it_is_written(goal: str, holds: bool) -> None:
    """Every comparison of a goal must hold; a bare one is about the ratio."""
    assert measured(figure(goal))["holds"] is holds


def test_without_a_reference_there_is_no_ratio() -> None:
    """Such a figure reports null for both, and a goal about a ratio is refused."""
    found = measured(figure("ours <= 2", reference=None))
    assert (found["reference"], found["ratio"], found["holds"]) == (None, None, True)
    with pytest.raises(ValueError, match="needs a reference"):
        figure("<= 2", reference=None)


def test_a_goal_that_nobody_can_read_is_refused() -> None:
    """A mistake in a goal shows before the measurement, not after."""
    with pytest.raises(ValueError, match="cannot read the goal 'fast'"):
        figure("fast")


def test_what_a_benchmark_set_up_is_torn_down_when_it_fails() -> None:
    """The figures' generator is closed also when a measurement raises."""
    torn_down = []

    def figures() -> Generator[Figure, None, None]:
        try:
            yield Figure("f", series(), None, "s", "", "ours <= 1")
        finally:
            torn_down.append(True)

    with pytest.raises(StopIteration):
        report("b", figures())
    assert torn_down
