"""Documents from the centre take effect: whole or not at all, in one transaction with an event."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Callable
from typing import cast

from edge import documents
from edge.document_events import DocumentApplied, DocumentRefused
from edge.documents import Parsed
from edge.ledger import Ledger, Writer
from edge.model import Instant, Notice

# A reason is read by people; what a document holds must not make an event too large.
_REASON_LETTERS = 500

Besides = Callable[[Writer, Parsed], None]


def apply_document(
    ledger: Ledger,
    kind: str,
    epoch: str,
    version: int,
    content: bytes,
    besides: Besides | None = None,
) -> bool:
    """Put a document in force; False when it, or a newer one of the same epoch, already is.

    A document of another epoch is always taken: the centre was restored and is obeyed again.
    *besides* changes in the same transaction what no projection does. Raises BadDocument, also
    from *besides*, when the content cannot be used; what was in force stays in force.
    """
    with ledger.store.read() as connection:
        if _known(connection, kind, epoch, version):
            return False
    parsed = documents.parse(kind, content)
    sha256 = hashlib.sha256(content).hexdigest()
    with ledger.writing() as writer:
        if _known(writer.connection, kind, epoch, version):
            return False
        writer.execute("INSERT OR IGNORE INTO document VALUES (?, ?, ?)", (sha256, kind, content))
        if besides is not None:
            besides(writer, parsed)
        writer.append(DocumentApplied(kind, epoch, version, sha256))
        if kind == documents.NOTICES:
            _keep_only(writer, sha256)
    return True


def refuse_document(ledger: Ledger, kind: str, epoch: str, version: int, reason: str) -> None:
    """State, once, that a document cannot be used."""
    ledger.append(
        DocumentRefused(kind, epoch, version, reason[:_REASON_LETTERS]),
        event_id=DocumentRefused.id_of(kind, epoch, version),
    )


def erase_notices(ledger: Ledger, now: Instant) -> bool:
    """Erase the text of the notices in force once the last of them is over; True when that was now.

    Nobody shows them any more; that they were in force stays in the ledger.
    """
    with ledger.store.read() as connection:
        if not _over(connection, now):
            return False
    with ledger.writing() as writer:
        over = _over(writer.connection, now)
        if over:
            _keep_only(writer, "")
    return over


def _known(connection: sqlite3.Connection, kind: str, epoch: str, version: int) -> bool:
    row = connection.execute(
        "SELECT epoch, version FROM document_in_force WHERE kind = ?", (kind,)
    ).fetchone()
    return bool(row and row["epoch"] == epoch and row["version"] >= version)


def _keep_only(writer: Writer, sha256: str) -> None:
    writer.execute(
        "DELETE FROM document WHERE kind = ? AND sha256 <> ?", (documents.NOTICES, sha256)
    )


def _over(connection: sqlite3.Connection, now: Instant) -> bool:
    """Tell whether there are notices on this box and all of them are over."""
    rows = connection.execute(
        "SELECT content FROM document WHERE kind = ?", (documents.NOTICES,)
    ).fetchall()
    notices = [
        notice
        for row in rows
        for notice in cast("tuple[Notice, ...]", documents.parse(documents.NOTICES, row["content"]))
    ]
    return bool(notices) and all(notice.valid_until <= now for notice in notices)
