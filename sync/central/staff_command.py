"""``classbox centre …``: what staff settle at a command line: incidents, requests, erasures."""

from __future__ import annotations

import json
from typing import Any

import click

from edge.model import MINUTE
from sync.central import answers, erasure, incidents, requests, restore, withdrawal
from sync.central.opened import Centre, with_centre

REASONS = ("withdrawn", "retention", "order")


def _say(told: dict[str, Any]) -> None:
    click.echo(json.dumps(told, ensure_ascii=False))


def _no_incident(number: int) -> click.ClickException:
    return click.ClickException(
        f"there is no incident {number}. See: classbox centre incidents list"
    )


@click.group(name="incidents")
def incidents_group() -> None:
    """What was set aside for a person to look at."""


@incidents_group.command(name="list")
@click.option("--all", "everything", is_flag=True, help="Those that were resolved as well.")
@with_centre
def list_incidents(centre: Centre, everything: bool) -> None:
    """List the incidents, the latest first, one JSON object a line."""
    with centre.store.reading() as connection:
        for told in incidents.listed(connection, everything):
            _say(told)


@incidents_group.command()
@click.argument("number", type=int)
@with_centre
def show(centre: Centre, number: int) -> None:
    """Show incident NUMBER with what was set aside, which may hold personal data."""
    with centre.store.reading() as connection:
        told = incidents.one(connection, number)
    if told is None:
        raise _no_incident(number)
    content = told.pop("content")
    _say(told)
    click.echo(content.decode("utf-8", "backslashreplace"))


@incidents_group.command()
@click.argument("number", type=int)
@click.option("--by", required=True, help="Who looked.")
@click.option("--note", required=True, help="What they found and did.")
@with_centre
def resolve(centre: Centre, number: int, by: str, note: str) -> None:
    """State that somebody looked at incident NUMBER; it opens again when it happens again."""
    with centre.store.writing() as connection:
        done = incidents.resolve(connection, number, centre.clock.now().at, by, note)
    if not done:
        raise _no_incident(number)
    click.echo(f"incident {number} is resolved")


@click.command()
@click.argument("box")
@click.argument("kind", type=click.Choice(requests.KINDS))
@click.option("--lesson", help="send_media: all that belongs to this lesson; record: which lesson.")
@click.option("--media", multiple=True, help="send_media: a file, by its SHA-256.")
@click.option("--hours", default=72, show_default=True, help="How long it is worth doing.")
@click.option("--by", default="staff", show_default=True, help="Who asks.")
@with_centre
def request(
    centre: Centre,
    box: str,
    kind: str,
    lesson: str | None,
    media: tuple[str, ...],
    hours: int,
    by: str,
) -> None:
    """Ask BOX for something: its answer is an event. The ingest sends it within a second."""
    args: dict[str, Any] = {}
    if lesson:
        args["lesson"] = lesson
    if media:
        args["media"] = list(media)
    if kind == "send_media" and not args:
        raise click.UsageError("send_media: say which, with --lesson or --media")
    if kind == requests.RECORD:
        if not lesson:
            raise click.UsageError("record: say which lesson, with --lesson")
        args["by"] = by
    now = centre.clock.now().at
    try:
        with centre.store.writing() as connection:
            request_id = requests.file(connection, now, box, kind, args, by, hours * 60 * MINUTE)
    except requests.NoSuchBox as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"{box}: request {request_id} is filed")


@click.command(name="requests")
@click.option("--all", "everything", is_flag=True, help="Those answered and expired as well.")
@with_centre
def list_requests(centre: Centre, everything: bool) -> None:
    """List the open requests, oldest first, one JSON object a line."""
    with centre.store.reading() as connection:
        for told in requests.listed(connection, centre.clock.now().at, everything):
            _say(told)


@click.command()
@click.argument("person")
@click.option("--reason", required=True, type=click.Choice(REASONS), help="Why.")
@click.option("--by", default="staff", show_default=True, help="Who orders it.")
@click.option("--yes", is_flag=True, help="Erase; without it only say what would be erased.")
@with_centre
def erase(centre: Centre, person: str, reason: str, by: str, yes: bool) -> None:
    """Erase PERSON, a trainee: here at once, and at the boxes that know them by a request."""
    store = centre.store
    try:
        if not yes:
            with store.reading() as connection:
                known = withdrawal.find(connection, store.epoch, person)
            click.echo(
                f"would erase: {known.count} events here, and ask {len(known.boxes)} boxes. "
                "Nothing is changed yet; add --yes to erase."
            )
            return
        with store.writing() as connection:
            now = centre.clock.now().at
            known = withdrawal.erase(connection, now, store.epoch, person, reason, by)
    except withdrawal.CannotErase as error:
        raise click.ClickException(str(error)) from error
    erasure.sweep(store, centre.media)
    store.tidy()
    click.echo(
        f"erased: {known.count} events here; asked {len(known.boxes)} boxes "
        f"({', '.join(known.boxes) or 'none'}). See: classbox centre requests"
    )


@click.command()
@with_centre
def restored(centre: Centre) -> None:
    """Begin a new epoch after the centre was restored from a backup, so that boxes obey again."""
    with centre.store.writing() as connection:
        epoch, documents, bodies = restore.begin_anew(connection, centre.clock.now().at)
    erasure.sweep(centre.store, centre.media)
    centre.store.tidy()
    click.echo(
        f"epoch {epoch} begins with {documents} documents; {bodies} bodies that had come back were "
        "erased again. Restart the ingest. Publish what was published after the backup, and erase "
        "again whom you erased after it: classbox centre erase"
    )


@click.command(name="documents")
@click.argument("box", required=False)
@with_centre
def list_documents(centre: Centre, box: str | None) -> None:
    """List which version of each document the boxes have, or BOX; one JSON object a line.

    `state` is in_force, coming (not heard of yet) or refused, with the box's reason.
    """
    with centre.store.reading() as connection:
        found = answers.papers(connection, centre.store.epoch)
    for one, papers in sorted(found.items()):
        for paper in papers if box in (None, one) else ():
            told = {
                "box": one,
                "kind": paper.kind,
                "state": paper.state,
                "published": paper.published,
                "in_force": paper.in_force,
            }
            _say({**told, "reason": paper.reason} if paper.reason else told)


COMMANDS = (incidents_group, list_documents, request, list_requests, erase, restored)
