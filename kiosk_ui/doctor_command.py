"""``classbox doctor``: what is wrong with this box and what to do, in Chinese and English."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from flask import Flask

from edge import config as configuration
from edge.box import open_ledger
from edge.config import Config, ConfigError
from edge.keys import KeyProblem
from edge.ledger import LedgerError
from edge.look.language import Babel, _
from edge.store import StoreError
from kiosk_ui import checkup, remedies
from kiosk_ui.checkup import Found, State, Surroundings

LANGUAGES = ("zh", "en")
_MARKS = {State.WELL: "✓", State.NOTE: "·", State.PROBLEM: "✗"}


@click.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@click.pass_obj
def command(config_path: Path, as_json: bool) -> None:
    """Say what is wrong with this box and what to do, in Chinese and English.

    Ends with status 1 when something is to be done. Changes nothing.
    """
    config, found = examine(config_path, Surroundings())
    help_phone = config.help_phone if config else ""
    if as_json:
        click.echo(json.dumps(told(found, help_phone), ensure_ascii=False))
    else:
        for line in lines(found, help_phone):
            click.echo(line)
    if any(one.state is State.PROBLEM for one in found):
        raise SystemExit(1)


def examine(config_path: Path, around: Surroundings) -> tuple[Config | None, list[Found]]:
    """Look at everything; also at what is left when settings or database are broken."""
    # As root, if root asks: systemd answers others by D-Bus only, which a box need not have.
    found = [*checkup.services(around), *checkup.network(around)]
    try:
        config = configuration.load(config_path)
    except ConfigError as error:
        return None, [Found("settings", State.PROBLEM, "settings_wrong", {"why": error}), *found]
    checkup.look_as_owner(config)
    found += [*checkup.without_ledger(config, around), *_of_ledger(config)]
    return config, found


def _of_ledger(config: Config) -> list[Found]:
    if not (config.data_dir / "ledger.db").exists():
        return [Found("database", State.PROBLEM, "never_ran")]
    try:
        _clock, ledger = open_ledger(config)
    except (LedgerError, StoreError, KeyProblem, OSError) as error:
        return [Found("database", State.PROBLEM, "database_broken", {"why": error})]
    try:
        return list(checkup.with_ledger(config, ledger))
    finally:
        ledger.close()


def told(found: list[Found], help_phone: str) -> dict[str, object]:
    """Return everything as JSON has it: ``state`` is well, note or problem."""
    entries: list[dict[str, object]] = [
        {"check": one.check, "state": str(one.state), "code": _code(one)} for one in found
    ]
    for language in LANGUAGES:
        with speaking(language):
            for entry, one in zip(entries, found, strict=True):
                said = remedies.words(one)
                entry[language] = {"found": said.short, "do": said.remedy}
    well = not any(one.state is State.PROBLEM for one in found)
    return {"well": well, "help_phone": help_phone, "found": entries}


def lines(found: list[Found], help_phone: str) -> list[str]:
    """Return what there is to say, worst first; a line in each language."""
    order = list(_MARKS)[::-1]
    written: list[str] = []
    spoken: dict[str, list[tuple[str, str]]] = {}
    ranked = sorted(found, key=lambda one: order.index(one.state))
    for language in LANGUAGES:
        with speaking(language):
            titles = remedies.titles()
            spoken[language] = [
                (f"{titles[one.check]}: {said.short}", said.remedy)
                for one in ranked
                for said in [remedies.words(one)]
            ]
            if help_phone:
                spoken[language].append((_("Help: %(number)s", number=help_phone), ""))
    for number, one in enumerate(ranked):
        mark = _MARKS[one.state]
        for language in LANGUAGES:
            short, remedy = spoken[language][number]
            written.append(f"{mark} {short}")
            if remedy:
                written.append(f"    → {remedy}")
            mark = " "
    if help_phone:
        written += ["  ".join(spoken[language][-1][0] for language in LANGUAGES)]
    return written


@contextmanager
def speaking(language: str) -> Iterator[None]:
    """Let words come out in *language* where no page is asked for."""
    app = Flask("kiosk_ui")
    Babel(app, locale_selector=lambda: language)
    with app.test_request_context():
        yield


def _code(one: Found) -> str:
    return one.code if one.case is None else str(one.case.code)
