"""Habits of the house that no linter knows."""

from __future__ import annotations

import ast
import tomllib
from pathlib import Path

from tests.house import ROOT

PRODUCT = [
    path for part in ("edge", "camera", "sync", "kiosk_ui") for path in (ROOT / part).rglob("*.py")
]
TESTS = list((ROOT / "tests").rglob("test_*.py"))
LINES_AT_MOST = 400


def test_every_test_says_what_it_proves() -> None:
    """A test's docstring is a sentence of behaviour."""
    silent = []
    for path in TESTS:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                sentence = (ast.get_docstring(node) or "").split("\n\n")[0]
                if not sentence.endswith((".", "。")):
                    silent.append(f"{path.relative_to(ROOT)}: {node.name}")
    assert not silent


def test_modules_hold_one_thing() -> None:
    """A module that needs scrolling past 400 lines probably holds two things.

    Alembic writes the steps of the database; one holds as many tables as it takes.
    """
    long = {
        str(path.relative_to(ROOT)): lines
        for path in PRODUCT + TESTS
        if path.parent.name != "versions"
        and (lines := len(path.read_text("utf-8").splitlines())) > LINES_AT_MOST
    }
    assert not long


def test_nobody_sleeps_for_luck() -> None:
    """Tests wait for conditions with a deadline; only edge.clock knows the module time."""
    sleepers = [
        str(path.relative_to(ROOT))
        for path in PRODUCT + list((ROOT / "tests").rglob("*.py"))
        if path != Path(__file__) and ".sleep(" in path.read_text("utf-8")
    ]
    assert not sleepers


def test_every_package_is_installed() -> None:
    """Each folder of the product that holds modules is named in pyproject.toml."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    named = set(project["tool"]["setuptools"]["packages"])
    there = {".".join(path.relative_to(ROOT).parent.parts) for path in PRODUCT}
    assert named == there
