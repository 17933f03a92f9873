"""Documents from the centre take effect: whole or not at all, in one transaction with an event."""

from __future__ import annotations

import hashlib

from edge import documents
from edge.events import DocumentApplied
from edge.ledger import Ledger


def apply_document(ledger: Ledger, kind: str, epoch: str, version: int, content: bytes) -> bool:
    """Put a document in force; False when it, or a newer one of the same epoch, already is.

    A document of another epoch is always taken: the centre was restored and is obeyed again.
    Raises BadDocument when the content cannot be used; what was in force stays in force.
    """
    documents.parse(kind, content)
    sha256 = hashlib.sha256(content).hexdigest()
    with ledger.writing() as writer:
        row = writer.execute(
            "SELECT epoch, version FROM document_in_force WHERE kind = ?", (kind,)
        ).fetchone()
        if row and row["epoch"] == epoch and row["version"] >= version:
            return False
        writer.execute("INSERT OR IGNORE INTO document VALUES (?, ?, ?)", (sha256, kind, content))
        writer.append(DocumentApplied(kind, epoch, version, sha256))
    return True
