"""A person is erased at the whole centre by a command: here at once, at the boxes by requests.

Owns the order of it. Promises that nothing is changed while the person is on a roster in force or
taught, and that what is to be erased can be counted first.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Connection, select

from edge.documents import ROSTER, people_on
from edge.events import PersonEnrolled, RequestAnswered, RequestRefused, TemplateDeleted
from edge.model import Instant
from sync.central import erasure, requests, tables
from sync.central.documents import newest
from sync.central.erasure import LASTS, quoted

_BESIDE_SCANS = (PersonEnrolled, TemplateDeleted, RequestAnswered, RequestRefused)


class CannotErase(Exception):
    """A person cannot be erased as things stand; the message says what to do first."""


@dataclass(frozen=True, slots=True)
class Known:
    """What the centre holds of a person: ``events`` as ledger and seqs, and the boxes to ask."""

    events: dict[str, tuple[int, ...]]
    boxes: tuple[str, ...]

    @property
    def count(self) -> int:
        """How many events name the person."""
        return sum(len(seqs) for seqs in self.events.values())


def find(connection: Connection, epoch: str, person_id: str) -> Known:
    """Return what is known of *person_id*. Raises CannotErase."""
    boxes, in_force = _boxes_with_roster(connection, epoch, person_id)
    if in_force:
        raise CannotErase(
            f"{person_id} is on the roster in force of {', '.join(in_force)}. Publish a roster "
            "without them first: classbox centre publish BOX roster FILE"
        )
    run, scan = tables.lesson_run, tables.scan
    taught = select(run.c.lesson_id).where(
        (run.c.opened_by == person_id) | (run.c.ended_by == person_id)
    )
    vouched = select(scan.c.id).where(scan.c.entered_by == person_id)
    if any(connection.execute(query.limit(1)).one_or_none() for query in (taught, vouched)):
        raise CannotErase(
            f"{person_id} taught or vouched for others: the lessons of the trainees rest on that, "
            "so it is kept until their retention ends. Only trainees can be erased."
        )
    found: dict[str, list[int]] = {}
    theirs = select(scan.c.ledger, scan.c.seq).where(scan.c.person_id == person_id)
    for row in connection.execute(theirs):
        found.setdefault(row.ledger, []).append(row.seq)
    event, body = tables.event, tables.body
    beside = (
        select(event.c.ledger, event.c.seq, body.c.content)
        .join(body, (body.c.ledger == event.c.ledger) & (body.c.seq == event.c.seq))
        .where(event.c.kind.in_([kind.kind for kind in _BESIDE_SCANS]))
    )
    for ledger, seq, content in connection.execute(beside):
        if quoted(person_id) in bytes(content):
            found.setdefault(ledger, []).append(seq)
    boxes |= set(_boxes_of(connection, found))
    return Known({ledger: tuple(seqs) for ledger, seqs in found.items()}, tuple(sorted(boxes)))


def erase(
    connection: Connection, now: Instant, epoch: str, person_id: str, reason: str, who: str
) -> Known:
    """Erase *person_id* here and ask the boxes that know them to do so. Raises CannotErase.

    Call ``erasure.sweep`` and ``CentralStore.tidy`` after the commit.
    """
    known = find(connection, epoch, person_id)
    for ledger, seqs in known.events.items():
        erasure.erase_bodies(connection, now, ledger, seqs, reason)
    erasure.forget_name(connection, epoch, person_id)
    args = {"people": [person_id], "reason": reason}
    for box in known.boxes:
        requests.file(connection, now, box, "erase", args, who, LASTS)
    return known


def _boxes_with_roster(
    connection: Connection, epoch: str, person_id: str
) -> tuple[set[str], list[str]]:
    """Return the boxes that ever had the person on a roster, and those that have now."""
    table = tables.document
    ever, now = set(), []
    known = set(connection.execute(select(tables.box.c.id)).scalars())
    for box in sorted(connection.execute(select(table.c.box).distinct()).scalars()):
        last = newest(connection, box, ROSTER, epoch)
        if last is not None and person_id in people_on(last.content):
            now.append(box)
    query = select(table.c.box, table.c.content).where(table.c.kind == ROSTER)
    for row in connection.execute(query):
        if row.content is not None and person_id in people_on(bytes(row.content)):
            ever.add(row.box)
    return ever & known, now


def _boxes_of(connection: Connection, ledgers: Iterable[str]) -> list[str]:
    table = tables.ledger
    query = select(table.c.box).where(table.c.uuid.in_(list(ledgers))).distinct()
    return list(connection.execute(query).scalars())
