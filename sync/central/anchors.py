"""The centre signs the heads of the chains that it holds: what was there cannot be changed later.

Owns the anchors. Promises one a day for every chain that grew, stored before it is said, and said
again until the box has it in its ledger.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, func, insert, select

from edge.keys import Signer
from edge.model import MINUTE, Duration, Instant
from sync import wire
from sync.central import tables
from sync.central.outgoing import Outgoing
from sync.messages import ACK, Anchor, Hello, topic

EVERY: Duration = 24 * 60 * MINUTE


def make(
    connection: Connection, now: Instant, signer: Signer, every: Duration = EVERY
) -> list[Outgoing]:
    """Anchor every ledger that grew since an anchor of *every* ago; return what to say."""
    table = tables.anchor
    newest = (
        select(table.c.ledger, func.max(table.c.seq).label("seq"), func.max(table.c.at).label("at"))
        .group_by(table.c.ledger)
        .subquery()
    )
    ledger = tables.ledger
    due = connection.execute(
        select(ledger.c.uuid, ledger.c.box, ledger.c.last, ledger.c.last_hash)
        .outerjoin(newest, newest.c.ledger == ledger.c.uuid)
        .where(
            ledger.c.last > ledger.c.base,
            (newest.c.seq.is_(None)) | (newest.c.seq < ledger.c.last),
            (newest.c.at.is_(None)) | (newest.c.at <= now - every),
        )
    ).all()
    said: list[Outgoing] = []
    for row in due:
        anchor = Anchor(row.uuid, row.last, bytes(row.last_hash), now)
        anchor = replace(anchor, signature=signer.sign(wire.signed_part(anchor)))
        connection.execute(
            insert(table).values(
                ledger=anchor.ledger,
                seq=anchor.seq,
                hash=anchor.hash,
                at=anchor.at,
                signature=anchor.signature,
            )
        )
        said.append(Outgoing(topic(row.box, ACK), anchor))
    return said


def lacking(connection: Connection, box: str, hello: Hello) -> list[Outgoing]:
    """Return the newest anchor of the box's ledger when its hello shows that it lacks it."""
    newest = _newest(connection, hello.ledger)
    if newest is None or newest.seq <= hello.anchored:
        return []
    anchor = Anchor(
        newest.ledger, newest.seq, bytes(newest.hash), newest.at, bytes(newest.signature)
    )
    return [Outgoing(topic(box, ACK), anchor)]


def _newest(connection: Connection, ledger: str) -> Any:
    table = tables.anchor
    return connection.execute(
        select(table).where(table.c.ledger == ledger).order_by(table.c.seq.desc()).limit(1)
    ).one_or_none()
