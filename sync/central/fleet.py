"""The boxes as the centre knows them: when last heard, how much is on its way, what is wrong."""

from __future__ import annotations

from sqlalchemy import Connection, select

from edge.model import Duration, Instant
from sync.central import answers, tables
from sync.central.views import Alert, Box, Camera, Disk, Trouble


def boxes(connection: Connection, now: Instant, silent_after: Duration, epoch: str) -> list[Box]:
    """Return every box that ever said hello, by its id. *epoch*: of the centre's documents."""
    papers = answers.papers(connection, epoch)
    cameras: dict[str, list[Camera]] = {}
    for row in connection.execute(select(tables.camera).order_by(tables.camera.c.camera)):
        cameras.setdefault(row.box, []).append(Camera(row.camera, row.state, row.cause, row.at))
    alerts: dict[str, list[Alert]] = {}
    for row in connection.execute(select(tables.alert).order_by(tables.alert.c.subject)):
        alert = Alert(row.subject, row.code, row.detail, row.at)
        alerts.setdefault(row.box, []).append(alert)
    disks = {
        row.box: Disk(row.quality, row.free, row.total, row.days_left)
        for row in connection.execute(select(tables.disk))
    }
    rows = connection.execute(
        select(tables.box, tables.ledger.c.last)
        .join(tables.ledger, tables.ledger.c.uuid == tables.box.c.ledger)
        .order_by(tables.box.c.id)
    )
    return [
        Box(
            id=row.id,
            last_seen=row.last_seen,
            silent=now - row.last_seen > silent_after,
            held=row.last,
            backlog=max(0, row.head - row.last),
            media_waiting=row.media_waiting,
            clock=row.clock,
            clock_ahead=row.clock_ahead,
            software=row.software,
            cameras=tuple(cameras.get(row.id, ())),
            papers=papers.get(row.id, ()),
            alerts=tuple(alerts.get(row.id, ())),
            disk=disks.get(row.id),
        )
        for row in rows
    ]


def troubles(connection: Connection) -> list[Trouble]:
    """Return the incidents that nobody has resolved yet, the latest first."""
    table = tables.incident
    rows = connection.execute(
        select(table)
        .where(table.c.resolved_at.is_(None))
        .order_by(table.c.last_at.desc())
        .limit(100)
    )
    return [Trouble(row.box, row.cause, row.text, row.times, row.last_at) for row in rows]
