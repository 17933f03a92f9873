"""What the boxes answered to the documents that were published for them.

Owns the centre's reading of ``document.applied`` and ``document.refused``.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, func, select

from edge.documents import KINDS
from sync.central import tables
from sync.central.views import Paper

APPLIED, REFUSED = "applied", "refused"


def refused(connection: Connection, box: str, epoch: str) -> set[tuple[str, int]]:
    """Return kind and version of each document of *epoch* that *box* refused."""
    table = tables.document_answer
    rows = connection.execute(
        select(table.c.kind, table.c.version).where(
            table.c.box == box, table.c.epoch == epoch, table.c.outcome == REFUSED
        )
    )
    return {(row.kind, row.version) for row in rows}


def papers(connection: Connection, epoch: str) -> dict[str, tuple[Paper, ...]]:
    """Return by box how each kind of document stands that was published for it in *epoch*."""
    document, answer = tables.document, tables.document_answer
    published = connection.execute(
        select(document.c.box, document.c.kind, func.max(document.c.version).label("version"))
        .where(document.c.epoch == epoch)
        .group_by(document.c.box, document.c.kind)
    ).all()
    applied = {
        (row.box, row.kind): int(row.version)
        for row in connection.execute(
            select(answer.c.box, answer.c.kind, func.max(answer.c.version).label("version"))
            .where(answer.c.epoch == epoch, answer.c.outcome == APPLIED)
            .group_by(answer.c.box, answer.c.kind)
        )
    }
    reasons = {
        (row.box, row.kind, int(row.version)): str(row.reason)
        for row in connection.execute(
            select(answer).where(answer.c.epoch == epoch, answer.c.outcome == REFUSED)
        )
    }
    found: dict[str, list[Paper]] = {}
    for row in sorted(published, key=_order):
        key = (row.box, row.kind)
        in_force = applied.get(key, 0)
        reason = reasons.get((*key, row.version), "") if in_force < row.version else ""
        found.setdefault(row.box, []).append(Paper(row.kind, row.version, in_force, reason))
    return {box: tuple(of_box) for box, of_box in found.items()}


def _order(row: Any) -> tuple[str, int]:
    return row.box, KINDS.index(row.kind) if row.kind in KINDS else len(KINDS)
