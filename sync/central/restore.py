"""The centre goes on from a backup: a new epoch, so that what it publishes counts again.

A box takes a document when its version is higher within an epoch, or when the epoch is another.
After a restore versions may have been used before for something else: a new epoch tells them
apart. What was erased before the backup is erased again, wherever it came back from.
"""

from __future__ import annotations

import uuid

from sqlalchemy import Connection, delete, exists, insert, select, update

from edge.model import Instant
from sync.central import documents, tables


def begin_anew(connection: Connection, now: Instant) -> tuple[str, int, int]:
    """Begin a new epoch; return it, how many documents are in force in it, and bodies erased."""
    old = str(connection.execute(select(tables.centre.c.epoch)).scalar_one())
    new = str(uuid.uuid4())
    connection.execute(update(tables.centre).values(epoch=new))
    copied = 0
    for box in connection.execute(select(tables.document.c.box).distinct()).scalars().all():
        for document in documents.in_force(connection, box, old):
            copied += 1
            connection.execute(
                insert(tables.document).values(
                    box=box,
                    kind=document.kind,
                    epoch=new,
                    version=1,
                    sha256=documents.name_of(document.content),
                    content=document.content,
                    stored_at=now,
                )
            )
    body, erasure = tables.body, tables.erasure
    came_back = exists().where(erasure.c.ledger == body.c.ledger, erasure.c.seq == body.c.seq)
    erased = connection.execute(delete(body).where(came_back)).rowcount
    return new, copied, erased
