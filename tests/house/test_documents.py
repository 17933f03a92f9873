"""Truthful documents: what exists is documented, and what is documented exists."""

from __future__ import annotations

import ast
import dataclasses
import re
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

import edge.config
import sync.central.config
from edge import cli
from edge.events import KINDS
from tests.house import ROOT

DOCS = ROOT / "docs"
READERS = {"text", "whole", "flag", "texts", "converted", "time_zone"}
TABLES = {"table", "tables"}
COMMANDS = (DOCS / "commands.md").read_text("utf-8")
EVENTS = (DOCS / "events.md").read_text("utf-8")


def sections(text: str, marks: str) -> dict[str, str]:
    """Return the sections of a document by heading, those headings that begin with *marks*."""
    parts = re.split(rf"^{marks} `(.+?)`.*$", text, flags=re.M)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def commands() -> Iterator[tuple[str, click.Command]]:
    """Yield every command that can be called, by its full name."""

    def below(name: str, command: click.Command) -> Iterator[tuple[str, click.Command]]:
        if isinstance(command, click.Group):
            if command.invoke_without_command:
                yield name, command
            context = click.Context(command)
            for child in command.list_commands(context):
                found = command.get_command(context, child)
                assert found is not None
                yield from below(f"{name} {child}", found)
        else:
            yield name, command

    yield from below("classbox", cli.main)


def test_every_command_is_documented_with_its_options() -> None:
    """Each `classbox …` command has a section that names its options and arguments."""
    documented = sections(COMMANDS, "###")
    found = dict(commands())
    assert sorted(documented) == sorted(found)
    for name, command in found.items():
        for parameter in command.params:
            option = isinstance(parameter, click.Option)
            wanted = parameter.opts[0] if option else str(parameter.name).upper()
            assert f"`{wanted}" in documented[name], f"{name}: {wanted} is not documented"


def test_every_command_of_box_is_documented() -> None:
    """What `./box help` offers and what docs/commands.md explains are the same."""
    done = subprocess.run([ROOT / "box", "help"], capture_output=True, text=True, check=True)
    offered = set(re.findall(r"^  ([a-z]+)\b", done.stdout, re.M))
    assert offered == {line.split()[1] for line in sections(COMMANDS, "##") if "./box" in line}


def keys_in(module: Path) -> tuple[set[str], set[str]]:
    """Return the names of tables and of keys that a module reads settings by."""
    tables: set[str] = set()
    keys: set[str] = set()
    for node in ast.walk(ast.parse(module.read_text("utf-8"))):
        if not isinstance(node, ast.Call):
            continue
        if isinstance(node.func, ast.Name) and node.func.id == "broker_security":
            keys |= {"host", "security"}  # what edge.settings reads for box and centre alike
        if not isinstance(node.func, ast.Attribute):
            continue
        if node.args and isinstance(node.args[0], ast.Constant):
            value = str(node.args[0].value)
            if node.func.attr in TABLES:
                tables.add(value)
            elif node.func.attr in READERS:
                keys.add(value)
    return tables, keys


@pytest.mark.parametrize(
    ("heading", "module"), [("A box", edge.config), ("The centre", sync.central.config)]
)
def test_every_setting_is_documented(heading: str, module: object, tmp_path: Path) -> None:
    """The table names every setting that the code reads; the example is valid and shows all."""
    text = (DOCS / "configuration.md").read_text("utf-8")
    part = text.split(f"## {heading}\n")[1].split("\n## ")[0]
    documented = set(re.findall(r"^\| `([\w.]+)` \|", part, re.M))
    tables, keys = keys_in(Path(str(module.__file__)))  # type: ignore[attr-defined]  # a module
    assert keys == {name.split(".")[1] for name in documented}
    assert tables <= {name.split(".")[0] for name in documented}

    example = part.split("```toml\n")[1].split("```")[0]
    (tmp_path / "camera-front.password").write_text("secret\n")
    module.parse(example, "example", tmp_path)  # type: ignore[attr-defined]  # a module
    shown = {
        f"{table}.{key}"
        for table, values in tomllib.loads(example).items()
        for entry in (values if isinstance(values, list) else [values])
        for key in entry
    }
    assert shown == documented


def test_every_kind_of_event_is_documented() -> None:
    """docs/events.md names every kind that this version writes, with all fields, and no other."""
    documented = sections(EVENTS, "###")
    assert sorted(documented) == sorted(KINDS)
    for kind, body in KINDS.items():
        fields = {field.name for field in dataclasses.fields(body)}
        assert set(re.findall(r"^\| `(\w+)` \|", documented[kind], re.M)) == fields, kind


def test_every_unit_is_documented() -> None:
    """docs/units.md names every file in systemd/ and no unit that is not there.

    Modules of the installer speak for themselves.
    """
    text = (DOCS / "units.md").read_text("utf-8")
    documented = set(re.findall(r"^\| `(\S+)` \|", text, re.M))
    folder = ROOT / "systemd"
    there = {
        str(file.relative_to(folder))
        for file in folder.rglob("*")
        if file.is_file() and file.suffix not in (".py", ".pyc")
    }
    assert documented == there


def test_links_between_documents_lead_somewhere() -> None:
    """Every relative link in README, CHANGELOG and docs/ names a file that is there."""
    broken = []
    for document in [ROOT / "README.md", ROOT / "CHANGELOG.md", *DOCS.rglob("*.md")]:
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", document.read_text("utf-8")):
            if not (document.parent / target).exists():
                broken.append(f"{document.relative_to(ROOT)}: {target}")
    assert not broken


def test_decisions_are_numbered_and_complete() -> None:
    """Decision records are numbered without holes and state context, decision, consequences."""
    records = sorted((DOCS / "adr").glob("*.md"))
    assert [record.name[:4] for record in records] == [
        f"{number:04}" for number in range(1, len(records) + 1)
    ]
    for record in records:
        text = record.read_text("utf-8")
        for word in ("Context", "Decision", "Consequences"):
            assert word in text, f"{record.name} lacks {word}"
