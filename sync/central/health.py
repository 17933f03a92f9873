"""What boxes say of their cameras and disks, as rows: what is wrong now, how a disk is used."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection, and_, delete

from edge.events import Body
from edge.health_events import AlertCleared, AlertRaised, DiskPlanned
from sync.central import tables
from sync.central.origin import Origin
from sync.central.store import insert_or_update


def _alert_raised(connection: Connection, origin: Origin, body: AlertRaised) -> None:
    insert_or_update(
        connection,
        tables.alert,
        {
            "box": origin.box,
            "subject": body.subject,
            "code": body.code,
            "detail": body.detail,
            "lesson_id": body.lesson_id,
            "at": origin.at,
        },
    )


def _alert_cleared(connection: Connection, origin: Origin, body: AlertCleared) -> None:
    alert = tables.alert
    mine = and_(
        alert.c.box == origin.box, alert.c.subject == body.subject, alert.c.code == body.code
    )
    connection.execute(delete(alert).where(mine))


def _disk_planned(connection: Connection, origin: Origin, body: DiskPlanned) -> None:
    row = {"box": origin.box, **vars(body), "at": origin.at}
    insert_or_update(connection, tables.disk, row)


APPLY: dict[type[Body], Callable[[Connection, Origin, Any], None]] = {
    AlertRaised: _alert_raised,
    AlertCleared: _alert_cleared,
    DiskPlanned: _disk_planned,
}
