"""Every test says in one sentence what it shows."""

from __future__ import annotations

import ast
from pathlib import Path

TESTS = Path(__file__).parents[1]


def test_every_test_has_a_sentence() -> None:
    """A test without a docstring, or with one that does not end as a sentence, is named here."""
    silent = []
    for file in sorted(TESTS.rglob("test_*.py")):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                said = ast.get_docstring(node) or ""
                if not said.rstrip().endswith((".", "。", ":", "?")):
                    silent.append(f"{file.relative_to(TESTS)}: {node.name}")
    assert silent == []
