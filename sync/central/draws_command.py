"""``classbox centre draws``: lessons drawn for a spot check, and the authority's verdict."""

from __future__ import annotations

import json

import click

from edge.directions import REJECTED, VERDICTS, Verdict, verdict_to_json
from edge.forms import time_to_json
from sync.central import spot_checks
from sync.central.opened import Centre, with_centre


@click.group()
def draws() -> None:
    """Draw lessons for a spot check (抽查), and bring the authority's verdict back to them."""


@draws.command()
@click.argument("lesson")
@click.option("--by", required=True, help="The authority that drew it.")
@with_centre
def add(centre: Centre, lesson: str, by: str) -> None:
    """Draw LESSON: its boxes offer the spot check from 15 minutes after its start."""
    try:
        boxes = spot_checks.draw(centre.store, lesson, by, centre.clock.now().at)
    except spot_checks.CannotDraw as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"{lesson} is drawn; {', '.join(boxes)} will be told within a second")


@draws.command()
@click.argument("lesson")
@click.argument("result", type=click.Choice(VERDICTS))
@click.option("--by", required=True, help="The authority that decided.")
@click.option("--reason", default="", help="Why; needed for a rejection.")
@with_centre
def verdict(centre: Centre, lesson: str, result: str, by: str, reason: str) -> None:
    """State what the authority says of LESSON's spot check: approved or rejected."""
    if result == REJECTED and not reason:
        raise click.UsageError("a rejection needs its --reason: the instructor reads it")
    now = centre.clock.now().at
    try:
        boxes = spot_checks.decide(centre.store, lesson, Verdict(result, by, now, reason), now)
    except spot_checks.CannotDraw as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"{lesson}: {result}; {', '.join(boxes)} will be told within a second")


@draws.command(name="list")
@click.argument("box")
@with_centre
def list_draws(centre: Centre, box: str) -> None:
    """List the lessons drawn at BOX, one JSON object a line."""
    with centre.store.reading() as connection:
        found = spot_checks.draws(connection, box, centre.store.epoch)
    for one in found.values():
        told = {"lesson": one.lesson_id, "by": one.by, "at": time_to_json(one.drawn_at)}
        decided = {"verdict": verdict_to_json(one.verdict)} if one.verdict else {}
        click.echo(json.dumps({**told, **decided}, ensure_ascii=False))
