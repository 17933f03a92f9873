"""``classbox centre filing``: classes, rosters and timetables from the school's tables."""

from __future__ import annotations

import os
from pathlib import Path

import click
from argon2 import PasswordHasher
from sqlalchemy import select, update

from edge.documents import BadDocument
from edge.keys import KeyProblem
from edge.shipped import shipped_profiles
from sync.central.documents import TooBig
from sync.central.filing import publish as publishing
from sync.central.filing import records, slips, tables, template, words
from sync.central.filing.checks import check
from sync.central.filing.columns import TABLES
from sync.central.filing.model import Checked
from sync.central.filing.tables_of import Sheet, Unreadable, read
from sync.central.opened import Centre, with_centre
from sync.central.store import insert_or_update

_CSV_NAMES = {table.key: table.names[0] for table in TABLES}
FILES = click.argument(
    "files",
    nargs=-1,
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
)


@click.group()
def filing() -> None:
    """Classes as the authority approved them: roster, instructors, timetable."""


@filing.command(name="template")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
def write_template(file: Path) -> None:
    """Write the workbook that the school fills in to FILE (.xlsx)."""
    file.write_bytes(template.workbook())
    click.echo(f"{file}: fill it in, one file a class, then: classbox centre filing check {file}")


@filing.command(name="check")
@FILES
@with_centre
def check_files(centre: Centre, files: tuple[Path, ...]) -> None:
    """Check a workbook, or CSV files called class, instructors, roster and timetable."""
    _tell(_checked(centre, files))
    click.echo("nothing is wrong; nothing was stored. To take it: classbox centre filing take …")


@filing.command()
@FILES
@click.option("--by", default="staff", show_default=True, help="Who files it.")
@with_centre
def take(centre: Centre, files: tuple[Path, ...], by: str) -> None:
    """Take a class whole, in place of what its period id held before, or nothing of it."""
    checked = _checked(centre, files)
    _tell(checked)
    assert checked.filing is not None
    now = centre.clock.now().at
    try:
        people = records.People(centre.config.data_dir / "keys")
        with centre.store.writing() as connection:
            taken = records.store(connection, people, checked.filing, now, by)
    except KeyProblem as error:
        raise click.ClickException(str(error)) from error
    except records.DoesNotFit as error:
        for conflict in error.conflicts:
            click.echo(words.conflict_line(conflict.code, conflict.values))
        raise click.ClickException(
            f"{len(error.conflicts)} conflicts: nothing was stored"
        ) from error
    done = "replaced" if taken.replaced else "taken"
    click.echo(
        f"{checked.filing.period_id} is {done}: {taken.trainees} trainees ({taken.new_people} not "
        f"known before), {taken.lessons} lessons. To send it: classbox centre filing publish"
    )


@filing.command()
@click.argument("name")
@click.argument("box")
@with_centre
def room(centre: Centre, name: str, box: str) -> None:
    """State that BOX is in the room called NAME."""
    with centre.store.writing() as connection:
        insert_or_update(connection, tables.room, {"name": name, "box": box})
    click.echo(f"{box} is in room {name}")


@filing.command()
@click.argument("instructor")
@with_centre
def pin(centre: Centre, instructor: str) -> None:
    """Issue INSTRUCTOR a new PIN, shown once; the old one ends when boxes get it."""
    fresh = slips.fresh_pin()
    table = tables.instructor
    with centre.store.writing() as connection:
        known = connection.execute(select(table.c.name).where(table.c.id == instructor)).scalar()
        if known is None:
            raise click.ClickException(
                f"no filing names an instructor {instructor}. See the sheet 教师."
            )
        values = {"pin_hash": PasswordHasher().hash(fresh), "pin_issued_at": centre.clock.now().at}
        connection.execute(update(table).where(table.c.id == instructor).values(**values))
    click.echo(
        f"{instructor} {known}: PIN {fresh}  (shown once; then: classbox centre filing publish)"
    )


@filing.command()
@click.argument("class_id")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--number", multiple=True, help="Only for this student number; may be repeated.")
@with_centre
def pins(centre: Centre, class_id: str, file: Path, number: tuple[str, ...]) -> None:
    """Issue the trainees of CLASS_ID new PINs, and write slips to cut apart to FILE (.html).

    The slips are the only place where the PINs stand: print them and delete the file.
    """
    with centre.store.writing() as connection:
        issued = slips.issue(connection, class_id, number)
    if not issued:
        asked = f" with the number {', '.join(number)}" if number else ""
        raise click.ClickException(f"class {class_id} has nobody{asked} on its roster")
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as page:
        page.write(slips.page(issued))
    click.echo(f"{len(issued)} PINs are in {file}. Print and delete it; then: filing publish")


@filing.command()
@with_centre
def publish(centre: Centre) -> None:
    """Send each box the roster and the timetable of its room, where they changed."""
    now = centre.clock.now().at
    try:
        told = publishing.publish(centre.store, now)
    except (BadDocument, TooBig) as error:
        raise click.ClickException(str(error)) from error
    for one in told:
        click.echo(f"{one.box} (room {one.room}): {one.lessons} lessons, {one.trainees} trainees")
        for without in one.without_pin:
            click.echo(f"  {without} has no PIN yet: classbox centre filing pin {without}")
    with centre.store.reading() as connection:
        for name in publishing.rooms_without_a_box(connection, now):
            click.echo(f"room {name} has no box: classbox centre filing room {name} BOX")


def _checked(centre: Centre, files: tuple[Path, ...]) -> Checked:
    try:
        sheets = [sheet for file in files for sheet in _sheets(file)]
    except Unreadable as error:
        raise click.ClickException(str(error)) from error
    return check(sheets, shipped_profiles(), centre.clock.now().at)


def _sheets(file: Path) -> list[Sheet]:
    return read(file.name, file.read_bytes(), _CSV_NAMES.get(file.stem.lower(), file.stem))


def _tell(checked: Checked) -> None:
    """Print every warning and fault; end the command when there are faults."""
    for warning in checked.warnings:
        click.echo(f"warning: {words.line(warning)}")
    for fault in checked.faults:
        click.echo(words.line(fault))
    if checked.faults:
        raise click.ClickException(f"{len(checked.faults)} cells are wrong: nothing was stored")
