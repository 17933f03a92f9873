"""What the centre wants boxes to do: filed, sealed to the box, sent until answered or expired.

Owns the table ``request`` at the centre. Promises that the same open request is filed once, that
a box hears of one again with each answer to its hello, and that the event which answers it marks
it, however often it arrives.
"""

from __future__ import annotations

import typing
import uuid
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, func, insert, select, update

from edge import events
from edge.camera_events import RecordingOrdered
from edge.events import BadBody, PersonEnrolled, RequestAnswered, RequestRefused
from edge.keys import Signer
from edge.live_events import LiveViewStarted
from edge.model import Duration, Instant
from sync import seal
from sync.central import tables
from sync.central.store import among
from sync.messages import Record, Request
from sync.seal import Letter

# What staff may ask for by name; an erasure has a command of its own, which does more.
RESYNC, SEND_MEDIA = "resync", "send_media"
LIVE_VIEW, RECORD = "live_view", "record"
KINDS = (RECORD, RESYNC, SEND_MEDIA)
_Answer = RequestAnswered | RequestRefused | PersonEnrolled | LiveViewStarted | RecordingOrdered
_ANSWERS = frozenset(one.kind for one in typing.get_args(_Answer))


class NoSuchBox(ValueError):
    """A request for a box that never said hello; the message says so."""


def file(
    connection: Connection,
    now: Instant,
    box: str,
    kind: str,
    args: Mapping[str, Any],
    who: str,
    lasts: Duration,
) -> str:
    """File a request that is worth doing for *lasts*; return its id.

    While the same is open, that one's id is returned. Raises NoSuchBox.
    """
    known = select(tables.box.c.id).where(tables.box.c.id == box)
    if connection.execute(known).one_or_none() is None:
        raise NoSuchBox(f"{box}: no box of this name was ever heard. See: classbox centre boxes")
    same = _open(connection, now, box, kind, args)
    if same is not None:
        return str(same.id)
    request_id = uuid.uuid4().hex
    connection.execute(
        insert(tables.request).values(
            id=request_id,
            box=box,
            kind=kind,
            args=events.canonical(dict(args)),
            filed_at=now,
            filed_by=who,
            expires=now + lasts,
        )
    )
    return request_id


def is_open(
    connection: Connection, now: Instant, box: str, kind: str, args: Mapping[str, Any]
) -> bool:
    """Tell whether the same was asked for and is neither answered nor expired."""
    return _open(connection, now, box, kind, args) is not None


def _open(
    connection: Connection, now: Instant, box: str, kind: str, args: Mapping[str, Any]
) -> Any:
    content = events.canonical(dict(args))
    found = waiting(connection, box, now)
    return next(
        (one for one in found if (one.kind, bytes(one.args or b"")) == (kind, content)), None
    )


def waiting(connection: Connection, box: str, now: Instant) -> Sequence[Any]:
    """Return the rows of *box* that are neither answered nor expired, oldest first."""
    table = tables.request
    return connection.execute(
        select(table)
        .where(table.c.box == box, table.c.answered_at.is_(None), table.c.expires > now)
        .order_by(table.c.filed_at, table.c.id)
    ).all()


def sealed(row: Any, sealing_key: bytes, signer: Signer) -> Request:
    """Return the message that brings a request to its box, readable by nobody else."""
    head: dict[str, str | int] = {"id": row.id, "kind": row.kind, "expires": row.expires}
    letter = Letter(row.box, "request", head, bytes(row.args))
    return Request(row.id, row.expires, seal.seal(letter, sealing_key, signer.sign))


def note_answers(
    connection: Connection, now: Instant, box: str, ledger: str, records: Iterable[Record]
) -> None:
    """Mark what *records* answer. What an erasure was about is not kept once it is done."""
    table = tables.request
    answers: dict[str, int] = {}
    for record in records:
        if record.event.kind not in _ANSWERS or record.body is None:
            continue
        try:
            body = events.decode(record.event.kind, record.body)
        except BadBody:
            continue  # reported with the projections
        if isinstance(body, _Answer):
            answers.setdefault(str(body.request_id), record.event.seq)
    if not answers:
        return
    # Most of what a box is asked comes from its own screen: of that the centre has no row.
    asked = connection.execute(
        select(table.c.id, table.c.kind).where(
            among(connection, table.c.id, list(answers)),
            table.c.box == box,
            table.c.answered_at.is_(None),
        )
    )
    for row in asked.all():
        answered = update(table).where(table.c.id == row.id)
        if row.kind == "erase":
            answered = answered.values(args=None)
        connection.execute(answered.values(answered_at=now, ledger=ledger, seq=answers[row.id]))


def last_filed(connection: Connection) -> Instant:
    """Return when the last request was filed, 0 when none was."""
    return int(connection.execute(select(func.max(tables.request.c.filed_at))).scalar() or 0)


def boxes_after(connection: Connection, filed_at: Instant) -> list[str]:
    """Return the boxes for which a request was filed later than that."""
    table = tables.request
    rows = connection.execute(select(table.c.box).where(table.c.filed_at > filed_at).distinct())
    return sorted(row.box for row in rows)


def answer_to(connection: Connection, request_id: str) -> _Answer | None:
    """Return the answer to a request, None while there is none or where its body was erased."""
    table, body = tables.request, tables.body
    row = connection.execute(
        select(tables.event.c.kind, body.c.content)
        .select_from(table)
        .join(
            tables.event,
            (tables.event.c.ledger == table.c.ledger) & (tables.event.c.seq == table.c.seq),
        )
        .join(body, (body.c.ledger == table.c.ledger) & (body.c.seq == table.c.seq))
        .where(table.c.id == request_id)
    ).one_or_none()
    if row is None:
        return None
    try:
        answer = events.decode(row.kind, bytes(row.content))
    except BadBody:
        return None  # reported with the projections
    return answer if isinstance(answer, _Answer) else None


def listed(connection: Connection, now: Instant, everything: bool) -> list[dict[str, Any]]:
    """Return what there is to say of the requests, oldest first; else only of the open ones."""
    told = []
    table, body = tables.request, tables.body
    query = (
        select(table, tables.event.c.kind.label("how"), body.c.content)
        .outerjoin(
            tables.event,
            (tables.event.c.ledger == table.c.ledger) & (tables.event.c.seq == table.c.seq),
        )
        .outerjoin(body, (body.c.ledger == table.c.ledger) & (body.c.seq == table.c.seq))
        .order_by(table.c.filed_at, table.c.id)
    )
    if not everything:
        query = query.where(table.c.answered_at.is_(None), table.c.expires > now)
    for row in connection.execute(query):
        state = "open" if row.expires > now else "expired"
        answer: Any = None
        if row.answered_at is not None:
            state = "refused" if row.how == RequestRefused.kind else "answered"
            answer = _answer(row.how, row.content)
        told.append(
            {
                "id": row.id,
                "box": row.box,
                "kind": row.kind,
                "state": state,
                "filed_at": row.filed_at,
                "filed_by": row.filed_by,
                "expires": row.expires,
                "answered_at": row.answered_at,
                "answer": answer,
            }
        )
    return told


def _answer(kind: str, content: bytes | None) -> Any:
    if content is None:
        return "erased"
    try:
        body = events.decode(kind, bytes(content))
    except BadBody as error:
        return str(error)
    match body:
        case RequestAnswered():
            return dict(body.result)
        case RequestRefused():
            return body.reason
    return {}
