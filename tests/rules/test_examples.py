"""The examples of docs/rules.md are what the rules say, in both languages."""

from __future__ import annotations

import re
from string import Formatter

import pytest

from edge.queries import shipped_profile
from edge.rules.reasons import SENTENCES, Code
from edge.rules.standing import passes, warnings
from tests.rules.examples import Example, examples, rows, said, told

ALL = examples()


@pytest.mark.parametrize("example", ALL, ids=[f"{one.number} {one.rule}" for one in ALL])
def test_an_example_is_what_the_rules_say(example: Example) -> None:
    """Each line of the page: these scans under these circumstances count so, and that is why."""
    hours = example.judged()
    assert said(hours) == example.counts, example.rule
    assert told(hours, "zh") == example.zh
    assert told(hours, "en") == example.en


def test_the_examples_cover_every_rule_about_hours() -> None:
    """Every rule and every decided hard case that concerns hours has an example of its own."""
    named = {part for one in ALL for part in re.split(r", ", one.rule)}
    rules = {f"R{number}" for number in (1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 33, 34)}
    decisions = {f"decision {number}" for number in (*range(1, 10), *range(11, 16), 18, 19)}
    assert rules | decisions <= named
    assert len(ALL) >= 40


def test_every_reason_stands_in_an_example() -> None:
    """No sentence is unread: each code is the reason of at least one example."""
    given = {reason.code for one in ALL for hour in one.judged() for reason in hour.reasons}
    assert set(Code) - given == set()


@pytest.mark.parametrize("code", Code)
def test_a_reason_is_said_alike_in_both_languages(code: Code) -> None:
    """Both sentences of a code show the same values, so that neither tells less."""
    sentence = SENTENCES[code]

    def values(text: str) -> set[tuple[str, str]]:
        return {(name, form or "") for _, name, form, _ in Formatter().parse(text) if name}

    assert values(sentence.zh) == values(sentence.en)


@pytest.mark.parametrize("row", rows("| Prescribed |"), ids=" of ".join)
def test_the_pass_mark_is_reckoned_in_whole_numbers(row: list[str]) -> None:
    """R17, decision 10: valid × 100 ≥ prescribed × 80."""
    prescribed, valid, percent, verdict = row
    rules = shipped_profile("jinan")
    assert rules.pass_percent == int(percent)
    assert passes(int(valid), int(prescribed), rules) == (verdict == "yes")


def test_without_prescribed_hours_nobody_passes_or_fails() -> None:
    """Decision 10: the denominator is the filing's; where it names none the error says so."""
    with pytest.raises(ValueError, match="prescribed hours"):
        passes(4, 0, shipped_profile("jinan"))


@pytest.mark.parametrize("row", rows("| Trainees |"), ids=", ".join)
def test_a_class_is_warned_of_and_never_refused(row: list[str]) -> None:
    """R16: over 50, or more than 25 a teacher, or nobody full time."""
    trainees, teachers, full_time, expected = row
    found = warnings(
        int(trainees),
        int(teachers),
        shipped_profile("jinan"),
        int(full_time) if full_time else None,
    )
    assert ", ".join(found) == expected
