"""The ledgers that the centre holds, and how they branch off from one another.

Owns the rows of table ``ledger``. Promises that a ledger belongs to one box and one key for ever,
that a branch is only taken up where its parent's events up to there are held, and that "the same
event" always means the same hash.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, insert, select

from edge.chain import genesis
from sync.central import tables
from sync.messages import Hello, Point


class NotTaken(Exception):
    """A box names a ledger that is not its own. ``cause`` is the incident's, the text says why."""

    def __init__(self, cause: str, text: str) -> None:
        super().__init__(text)
        self.cause = cause


@dataclass(frozen=True, slots=True)
class Standing:
    """How far the centre is with a box's chain, and whether both hold the same at its head.

    ``ledger`` is the name of the stretch that ``seq`` belongs to.
    """

    ledger: str
    seq: int
    agrees: bool


def row_of(connection: Connection, uuid: str) -> Any:
    """Return a ledger's row, locked, so that two ingesters of one ledger follow one another."""
    return connection.execute(
        select(tables.ledger).where(tables.ledger.c.uuid == uuid).with_for_update()
    ).one_or_none()


def stand(connection: Connection, box: str, hello: Hello) -> Standing:
    """Take up the ledgers that *hello* names and return how far they are held.

    Where an ancestor is not held up to where the next branches off, the box must send that first,
    and the branch is taken up at a later hello. Raises NotTaken.
    """
    names = [(one.ledger, one.base) for one in reversed(hello.lineage)]
    parent: Any = None
    base = 0
    for uuid, ends in [*names, (hello.ledger, None)]:
        row = row_of(connection, uuid)
        if row is None:
            row = _take_up(connection, box, hello, uuid, parent, base)
        else:
            _check(row, box, hello, parent, base)
        if ends is None or row.last < ends:
            break
        parent, base = row, ends
    known = hello.head_hash and hello.head <= row.last
    agrees = not known or hash_at(connection, row, hello.head) == hello.head_hash
    return Standing(row.uuid, row.last if ends is None else min(row.last, ends), agrees)


def hash_at(connection: Connection, row: Any, seq: int) -> bytes | None:
    """Return the hash of event *seq* on the line of a ledger's *row*, None when it is not held."""
    if seq == 0:
        return genesis(row.root)
    while row.parent and seq <= row.base:
        row = row_of(connection, row.parent)
    found = connection.execute(
        select(tables.event.c.hash).where(
            tables.event.c.ledger == row.uuid, tables.event.c.seq == seq
        )
    ).scalar()
    return None if found is None else bytes(found)


def shared(connection: Connection, row: Any, points: Sequence[Point]) -> int:
    """Return the highest of *points* that the line of *row* holds with the same hash, 0 if none."""
    return max(
        (point.seq for point in points if hash_at(connection, row, point.seq) == point.hash),
        default=0,
    )


def branches_of(connection: Connection, uuid: str, below: int) -> list[str]:
    """Return the ledgers that branched off from *uuid* at an event before *below*."""
    table = tables.ledger
    rows = connection.execute(
        select(table.c.uuid).where(table.c.parent == uuid, table.c.base < below)
    )
    return [row.uuid for row in rows]


def _take_up(
    connection: Connection, box: str, hello: Hello, uuid: str, parent: Any, base: int
) -> Any:
    previous = genesis(uuid) if parent is None else hash_at(connection, parent, base)
    connection.execute(
        insert(tables.ledger).values(
            uuid=uuid,
            box=box,
            public_key=hello.public_key,
            last=base,
            last_hash=previous,
            parent="" if parent is None else parent.uuid,
            base=base,
            root=uuid if parent is None else parent.root,
            said=base,
        )
    )
    return row_of(connection, uuid)


def _check(row: Any, box: str, hello: Hello, parent: Any, base: int) -> None:
    if row.box != box:
        raise NotTaken(
            "other_box",
            f"ledger {row.uuid} belongs to box {row.box}, not to {box}: its disk was copied, or "
            "its name changed.",
        )
    if bytes(row.public_key) != hello.public_key:
        raise NotTaken(
            "other_key",
            f"ledger {row.uuid} is signed with another key than the one that box {box} names. "
            "Put the box's own keys back, or let it begin a new ledger.",
        )
    if (row.parent, row.base) != ("" if parent is None else parent.uuid, base):
        raise NotTaken(
            "lineage",
            f"ledger {row.uuid} is known to branch off from {row.parent or 'nothing'} at event "
            f"{row.base}, and box {box} says otherwise. Keep its disk and report this.",
        )
