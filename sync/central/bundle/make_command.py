"""``classbox centre evidence …``: hand over what the centre holds of a class."""

from __future__ import annotations

import os
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import click

from edge.model import SECOND, Instant
from sync.central.bundle import explain, form, gather
from sync.central.bundle.archive import Archive, BadArchive
from sync.central.bundle.chains import Fault
from sync.central.bundle.verify import verify
from sync.central.opened import Centre, with_centre

_DATE = click.DateTime(["%Y-%m-%d"])


@click.group(name="evidence")
def evidence_group() -> None:
    """Hand over evidence of a class as one file that proves itself (docs/evidence.md)."""


@evidence_group.command()
@with_centre
def key(centre: Centre) -> None:
    """Print the fingerprint that checks this centre's bundles; tell it on another way."""
    click.echo(form.key_in_groups(centre.signer.public_key))


@evidence_group.command()
@click.argument("class_id")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--from", "since", type=_DATE, help="First day, such as 2026-11-01.")
@click.option("--to", "until", type=_DATE, help="Last day.")
@click.option(
    "--filed-hours",
    type=click.IntRange(0, 10_000),
    default=0,
    help="Lesson hours of the filing; without it those of the timetable are taken, and it says so.",
)
@click.option(
    "--authority",
    is_flag=True,
    help="The authority's copy: whole ID numbers and the sample for call-backs.",
)
@with_centre
def bundle(
    centre: Centre,
    class_id: str,
    file: Path,
    since: datetime | None,
    until: datetime | None,
    filed_hours: int,
    authority: bool,
) -> None:
    """Write the evidence of CLASS_ID to FILE (a ZIP), and check it as its receiver will."""
    zone = centre.config.zone
    after = until + timedelta(days=1) if until else None
    wish = gather.Wish(
        class_id,
        form.AUTHORITY if authority else form.SCHOOL,
        _instant(since, zone, 0),
        # 2100: after any lesson.
        _instant(after, zone, 4_102_444_800 * SECOND),
        filed_hours,
    )
    office = gather.Office(centre.config.name, centre.config.time_zone, centre.media, centre.signer)
    part = file.with_name(file.name + ".part")
    try:
        with part.open("wb") as target:
            gather.make(centre.store, office, wish, centre.clock.now().at, target)
            target.flush()
            os.fsync(target.fileno())
        with Archive(part) as archive:
            proven = verify(archive, centre.signer.public_key)
        part.replace(file)
    except gather.NothingToShow as error:
        raise click.ClickException(str(error)) from error
    except (Fault, BadArchive) as error:
        raise click.ClickException(
            f"nothing was written, since it would not be believed:\n"
            f"{explain.refused(error.code, error.place)}\n"
            "Look at the incidents of the console, and keep the database as it is."
        ) from error
    except OSError as error:
        raise click.ClickException(f"{file}: cannot be written: {error.strerror}") from error
    finally:
        part.unlink(missing_ok=True)
    click.echo(f"{file} is written: {proven.events} records, {proven.pictures} pictures")
    click.echo(explain.accepted(proven))
    click.echo(
        "\nThe receiver checks it with the fingerprint below. Tell it on another way than the file:"
        f"\n{form.key_in_groups(centre.signer.public_key)}"
    )


def _instant(day: datetime | None, zone: ZoneInfo, otherwise: Instant) -> Instant:
    return otherwise if day is None else int(day.replace(tzinfo=zone).timestamp()) * SECOND
