"""What is wrong with a cell, in words: Chinese and English side by side, for whoever typed it.

A person mends a table with both the file and the message before them, so the words say what to do.
They stand in ``words.toml``.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from importlib import resources

from sync.central.filing.model import Fault

_TEXT = (resources.files("sync.central.filing") / "words.toml").read_text("utf-8")
_ALL = tomllib.loads(_TEXT)
FAULTS: Mapping[str, Mapping[str, str]] = _ALL["faults"]
WARNINGS: Mapping[str, Mapping[str, str]] = _ALL["warnings"]
CONFLICTS: Mapping[str, Mapping[str, str]] = _ALL["conflicts"]


def chinese(fault: Fault) -> str:
    """Return what is wrong in Chinese."""
    return _words(fault, "zh")


def english(fault: Fault) -> str:
    """Return what is wrong in English."""
    return _words(fault, "en")


def line(fault: Fault) -> str:
    """Return one line for a terminal: the cell, what stands there, and both languages."""
    shown = f"“{fault.shown}” " if fault.shown else ""
    return f"{fault.cell} {shown}{chinese(fault)} / {english(fault)}"


def conflict_line(code: str, values: Mapping[str, str]) -> str:
    """Return why a filing does not fit to what the centre holds, in both languages."""
    return " / ".join(CONFLICTS[code][language].format_map(values) for language in ("zh", "en"))


def _words(fault: Fault, language: str) -> str:
    both = FAULTS.get(fault.code) or WARNINGS[fault.code]
    return both[language].format_map(fault.values)
