"""The documents that the centre gives its boxes: stored whole, numbered, never changed.

Promises that a document is checked before it is stored, so that a box never receives one that it
must refuse; and that of one epoch the highest version is the one in force.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

from sqlalchemy import Connection, func, insert, select

from edge import documents
from edge.keys import Signer
from sync import seal
from sync.central import tables
from sync.central.store import CentralStore
from sync.messages import PART_BYTES, PARTS, Document
from sync.seal import Letter

# What sealing adds: a signature, a line of JSON, a key and a tag.
_SEALING_BYTES = 4096
DOCUMENT_BYTES = PARTS * PART_BYTES - _SEALING_BYTES


@dataclass(frozen=True, slots=True)
class Stored:
    """A document as the centre keeps it."""

    kind: str
    epoch: str
    version: int
    content: bytes = field(repr=False)


class TooBig(ValueError):
    """A document is larger than a box takes; the message says what to do."""


def store_document(store: CentralStore, box: str, kind: str, content: bytes, now: int) -> int:
    """Store *content* as the newest document of *kind* for *box*; return its version.

    The same content again stores nothing. Raises BadDocument or TooBig.
    """
    documents.parse(kind, content)
    if len(content) > DOCUMENT_BYTES:
        raise TooBig(
            f"{kind}: {len(content)} bytes; a box takes at most {DOCUMENT_BYTES}. "
            "Leave out lessons that are over, or classes that do not meet in its room."
        )
    with store.writing() as connection:
        last = newest(connection, box, kind, store.epoch)
        if last is not None and last.content == content:
            return last.version
        version = last.version + 1 if last else 1
        connection.execute(
            insert(tables.document).values(
                box=box,
                kind=kind,
                epoch=store.epoch,
                version=version,
                sha256=name_of(content),
                content=content,
                stored_at=now,
            )
        )
    return version


def name_of(content: bytes) -> str:
    """Return the hash by which lessons cite a document."""
    return hashlib.sha256(content).hexdigest()


def newest(connection: Connection, box: str, kind: str, epoch: str) -> Stored | None:
    """Return the document of *kind* in force for *box*."""
    table = tables.document
    row = connection.execute(
        select(table)
        .where(table.c.box == box, table.c.kind == kind, table.c.epoch == epoch)
        .order_by(table.c.version.desc())
        .limit(1)
    ).one_or_none()
    return Stored(kind, row.epoch, row.version, row.content) if row else None


def in_force(connection: Connection, box: str, epoch: str) -> list[Stored]:
    """Return every document in force for *box*, in the order in which to apply them."""
    found = (newest(connection, box, kind, epoch) for kind in documents.KINDS)
    return [document for document in found if document is not None]


def sealed(document: Stored, box: str, sealing_key: bytes, signer: Signer) -> list[Document]:
    """Return the messages that bring *document* to *box*, readable by nobody else."""
    head: dict[str, str | int] = {
        "kind": document.kind,
        "epoch": document.epoch,
        "version": document.version,
    }
    letter = Letter(box, "document", head, document.content)
    closed = seal.seal(letter, sealing_key, signer.sign)
    name = hashlib.sha256(closed).hexdigest()
    slices = [closed[place : place + PART_BYTES] for place in range(0, len(closed), PART_BYTES)]
    return [
        Document(document.kind, document.epoch, document.version, name, part, number, len(slices))
        for number, part in enumerate(slices, start=1)
    ]


def most_parts(connection: Connection, box: str) -> dict[str, int]:
    """Return of each kind how many messages the longest document ever stored for *box* took."""
    table = tables.document
    longest = func.max(func.length(table.c.content))
    rows = connection.execute(
        select(table.c.kind, longest).where(table.c.box == box).group_by(table.c.kind)
    )
    return {
        kind: min(PARTS, ((size or 0) + _SEALING_BYTES + PART_BYTES - 1) // PART_BYTES)
        for kind, size in rows
    }


def last_number(connection: Connection) -> int:
    """Return the number of the document stored last, 0 when there is none."""
    number = connection.execute(select(func.max(tables.document.c.number))).scalar()
    return int(number or 0)


def boxes_after(connection: Connection, number: int) -> list[str]:
    """Return the boxes for which a document was stored after that *number*."""
    rows = connection.execute(
        select(tables.document.c.box).where(tables.document.c.number > number).distinct()
    )
    return sorted(row.box for row in rows)


def content_of(connection: Connection, sha256: str) -> bytes | None:
    """Return the content of the document that hashes to *sha256*."""
    row = connection.execute(
        select(tables.document.c.content).where(tables.document.c.sha256 == sha256).limit(1)
    ).one_or_none()
    return bytes(row.content) if row else None
