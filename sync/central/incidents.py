"""What the centre sets aside for a person to look at: named, counted, never in the way."""

from __future__ import annotations

import logging
from typing import Any

from sqlalchemy import Column, Connection, insert, select, update

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
    """Set something aside; the same again at the same place is counted, not stored twice.

    What somebody had resolved is open again when it happens again.
    """
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
            .values(times=row.times + 1, last_at=now, text=text, resolved_at=None)
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


def listed(connection: Connection, everything: bool) -> list[dict[str, Any]]:
    """Return what there is to say of the incidents, the latest first; else of the open ones."""
    table = tables.incident
    query = select(*_shown()).order_by(table.c.last_at.desc(), table.c.number.desc())
    if not everything:
        query = query.where(table.c.resolved_at.is_(None))
    return [dict(row._mapping) for row in connection.execute(query)]


def one(connection: Connection, number: int) -> dict[str, Any] | None:
    """Return one incident with its ``content`` (what was set aside), None for no such number."""
    table = tables.incident
    query = select(*_shown(), table.c.content).where(table.c.number == number)
    row = connection.execute(query).one_or_none()
    return None if row is None else {**row._mapping, "content": bytes(row.content)}


def resolve(connection: Connection, number: int, now: int, who: str, note: str) -> bool:
    """State that *who* looked at an incident and what came of it; False for no such number."""
    table = tables.incident
    same = table.c.number == number
    values = {"resolved_at": now, "resolved_by": who, "note": note}
    return connection.execute(update(table).where(same).values(**values)).rowcount > 0


def _shown() -> list[Column[Any]]:
    return [column for column in tables.incident.c if column.name != "content"]
