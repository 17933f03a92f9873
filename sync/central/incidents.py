"""What the centre sets aside for a person to look at: named, counted, never in the way."""

from __future__ import annotations

import logging

from sqlalchemy import Connection, insert, select, update

from sync.central import metrics, tables

log = logging.getLogger("classbox")

_KEPT_BYTES = 64 * 1024


def report(
    connection: Connection,
    now: int,
    box: str,
    cause: str,
    text: str,
    content: bytes = b"",
    ledger: str = "",
    seq: int = 0,
) -> None:
    """Set something aside; the same again at the same place is counted, not stored twice."""
    metrics.INCIDENTS.labels(cause).inc()
    table = tables.incident
    same = (
        (table.c.box == box)
        & (table.c.ledger == ledger)
        & (table.c.seq == seq)
        & (table.c.cause == cause)
    )
    row = connection.execute(select(table.c.number, table.c.times).where(same)).one_or_none()
    if row is not None:
        connection.execute(
            update(table)
            .where(table.c.number == row.number)
            .values(times=row.times + 1, last_at=now, text=text)
        )
        return
    log.warning("ingest: box %s: %s: %s", box, cause, text)
    connection.execute(
        insert(table).values(
            box=box,
            ledger=ledger,
            seq=seq,
            cause=cause,
            text=text,
            content=content[:_KEPT_BYTES],
            first_at=now,
            last_at=now,
            times=1,
        )
    )
