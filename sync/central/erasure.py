"""What a person left at the centre, taken out again: what it holds, and never takes in again.

Owns erasure at the centre. Promises that what a box's ``body.erased`` names goes in the
transaction that stores that event, together with all that was derived from it; that it does not
come back, whoever sends it again; that photos leave the folder even when a crash comes between
(``sweep``); and that a box whose disk was set back to before an erasure is asked to repeat it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, delete, select, update

from edge import events
from edge.documents import ROSTER, roster_without
from edge.events import BadBody, BodyErased, LedgerBranched, MediaDeleted
from edge.model import DAY, Duration, Instant
from sync import wire
from sync.central import lines, requests, tables
from sync.central.documents import newest
from sync.central.filing import records
from sync.central.media import MediaHolder
from sync.central.store import CentralStore, insert_new
from sync.messages import BadMessage, Batch, Record

# The rule in ``media.deleted`` of a photo that was erased (edge.erasure).
RULE = "erased"
# How long a box may be away and still hear that it has to erase somebody.
LASTS: Duration = 400 * DAY
# Seqs in one request, and values in one statement.
_AT_ONCE = 5000
_IN_ONE = 500


def without_erased(
    connection: Connection, ledger: str, records: Sequence[Record]
) -> tuple[Record, ...]:
    """Return *records* without the bodies that were erased: they do not come back."""
    table = tables.erasure
    first, last = records[0].event.seq, records[-1].event.seq
    gone = set(
        connection.execute(
            select(table.c.seq).where(
                table.c.ledger == ledger, table.c.seq >= first, table.c.seq <= last
            )
        ).scalars()
    )
    if not gone:
        return tuple(records)
    return tuple(
        Record(record.event, None, None) if record.event.seq in gone else record
        for record in records
    )


def follow(
    connection: Connection,
    now: Instant,
    epoch: str,
    box: str,
    ledger: str,
    records: Iterable[Record],
) -> None:
    """Do here what *records* say was erased at *box*, in the transaction that stores them."""
    for record in records:
        if record.body is None or record.event.kind not in _FOLLOWED:
            continue
        try:
            body = events.decode(record.event.kind, record.body)
        except BadBody:
            continue  # reported with the projections
        match body:
            case BodyErased():
                seqs = [seq for seq in body.seqs if type(seq) is int]
                people = erase_bodies(connection, now, ledger, seqs, str(body.reason))
                for person_id in people:
                    forget_name(connection, epoch, person_id)
            case MediaDeleted() if body.rule == RULE:
                erase_media(connection, now, [str(body.sha256)])
            case LedgerBranched() if body.ledger_uuid == ledger:
                repeat(connection, now, box, ledger)


_FOLLOWED = (BodyErased.kind, MediaDeleted.kind, LedgerBranched.kind)


def erase_bodies(
    connection: Connection, now: Instant, ledger: str, seqs: Iterable[int], reason: str
) -> set[str]:
    """Erase what the events *seqs* on the line of *ledger* said; return whom they named.

    Below a branch an event stands under the older name.
    """
    left = sorted(set(seqs), reverse=True)
    row = lines.row_of(connection, ledger)
    people: set[str] = set()
    while left and row is not None:
        base = row.base if row.parent else 0
        own = [seq for seq in left if seq > base]
        left = [seq for seq in left if seq <= base]
        for first in range(0, len(own), _IN_ONE):
            people |= _erase_some(connection, now, row.uuid, own[first : first + _IN_ONE], reason)
        row = lines.row_of(connection, row.parent) if row.parent else None
    return people


def erase_media(connection: Connection, now: Instant, sha256s: Iterable[str]) -> None:
    """Let go of files that no event names any more; ``sweep`` takes them off the disk."""
    for sha256 in sha256s:
        if _named(connection, sha256):
            continue
        insert_new(connection, tables.media_erased, [{"sha256": sha256, "at": now}])
        for table in (tables.media, tables.upload):
            connection.execute(delete(table).where(table.c.sha256 == sha256))


def sweep(store: CentralStore, media: MediaHolder, since: Instant = 0) -> Instant:
    """Take the files off the disk that were erased from *since* on; return where to go on."""
    table = tables.media_erased
    with store.reading() as connection:
        gone = connection.execute(select(table).where(table.c.at >= since)).all()
    for row in gone:
        media.delete(row.sha256)
    return max((row.at for row in gone), default=since)


def was_erased(connection: Connection, sha256: str) -> bool:
    """Tell whether a file of that hash was erased, so that it is not taken in again."""
    table = tables.media_erased
    found = select(table.c.sha256).where(table.c.sha256 == sha256)
    return connection.execute(found).one_or_none() is not None


def forget_name(connection: Connection, epoch: str, person_id: str) -> int:
    """Take a person out of filings, rosters no longer in force and set-aside messages.

    Return how many rosters changed. Such a roster keeps the hash by which lessons cite it.
    """
    table = tables.document
    changed = 0
    in_force: dict[str, int] = {}
    rows = connection.execute(select(table).where(table.c.kind == ROSTER)).all()
    for row in rows:
        if row.box not in in_force:
            last = newest(connection, row.box, ROSTER, epoch)
            in_force[row.box] = last.version if last else 0
        if row.content is None or (row.epoch, row.version) == (epoch, in_force[row.box]):
            continue
        left = roster_without(bytes(row.content), person_id)
        if left is not None:
            same = table.c.number == row.number
            connection.execute(update(table).where(same).values(content=left))
            changed += 1
    records.forget(connection, person_id)
    _forget_in_incidents(connection, person_id)
    _forget_in_requests(connection, person_id)
    return changed


def erasures_to_repeat(connection: Connection, ledger: str) -> dict[str, list[int]]:
    """Return reason and seqs of what was erased below the branch *ledger*.

    A box that branched off goes on from an older copy of its disk, whose bodies may be there
    again. Seqs that it did erase are erased again without harm.
    """
    found: dict[str, list[int]] = {}
    row = lines.row_of(connection, ledger)
    table = tables.erasure
    while row is not None and row.parent:
        query = select(table.c.seq, table.c.reason).where(
            table.c.ledger == row.parent, table.c.seq <= row.base
        )
        for one in connection.execute(query.order_by(table.c.seq)):
            found.setdefault(one.reason, []).append(one.seq)
        row = lines.row_of(connection, row.parent)
    return found


def repeat(connection: Connection, now: Instant, box: str, ledger: str) -> None:
    """Ask *box*, which goes on from an older copy of its disk, to erase again what was erased."""
    for reason, seqs in erasures_to_repeat(connection, ledger).items():
        for first in range(0, len(seqs), _AT_ONCE):
            args = {"seqs": seqs[first : first + _AT_ONCE], "reason": reason}
            requests.file(connection, now, box, "erase", args, "the centre", LASTS)


def _erase_some(
    connection: Connection, now: Instant, ledger: str, seqs: Sequence[int], reason: str
) -> set[str]:
    scan = tables.scan
    theirs = (scan.c.ledger == ledger) & scan.c.seq.in_(seqs)
    seen = connection.execute(select(scan.c.person_id, scan.c.photo).where(theirs)).all()
    rows = [{"ledger": ledger, "seq": seq, "at": now, "reason": reason} for seq in seqs]
    insert_new(connection, tables.erasure, rows)
    for table in (tables.body, *tables.PROJECTIONS):
        if "seq" in table.c:
            connection.execute(delete(table).where(table.c.ledger == ledger, table.c.seq.in_(seqs)))
    erase_media(connection, now, sorted({row.photo for row in seen if row.photo}))
    return {row.person_id for row in seen}


def _named(connection: Connection, sha256: str) -> bool:
    columns = (
        tables.scan.c.photo,
        tables.snapshot.c.sha256,
        tables.picture_copy.c.sha256,
        tables.spot_check_item.c.sha256,
        tables.recording.c.sha256,
    )
    return any(
        connection.execute(select(column).where(column == sha256).limit(1)).one_or_none()
        for column in columns
    )


def _forget_in_incidents(connection: Connection, person_id: str) -> None:
    table = tables.incident
    for row in connection.execute(select(table.c.number, table.c.content)).all():
        if _names(bytes(row.content), quoted(person_id)):
            same = table.c.number == row.number
            connection.execute(update(table).where(same).values(content=b""))


def _forget_in_requests(connection: Connection, person_id: str) -> None:
    """Empty what was asked about a person, but for erasures that are still to be done."""
    table = tables.request
    rows = connection.execute(select(table).where(table.c.args.is_not(None))).all()
    for row in rows:
        waits = row.kind == "erase" and row.answered_at is None
        if quoted(person_id) in bytes(row.args) and not waits:
            same = table.c.id == row.id
            ends = min(row.expires, row.filed_at)
            connection.execute(update(table).where(same).values(args=None, expires=ends))


def _names(content: bytes, name: bytes) -> bool:
    """Tell whether a set-aside message names somebody, also in the bodies that it carries."""
    try:
        message: Any = wire.decode(content)
    except BadMessage:
        return name in content
    if isinstance(message, Batch):
        return any(record.body is not None and name in record.body for record in message.records)
    return name in content


def quoted(person_id: str) -> bytes:
    """Return how an id stands in canonical JSON: a whole text, never a part of one."""
    return events.canonical(person_id)
