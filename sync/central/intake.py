"""What becomes of each message from a box: rows, and the answers that may follow their commit.

Owns the centre's half of the hand-over. Promises that rows, the ledger's ``last`` and the
projections change in one transaction; that an answer is only returned once that is committed;
and that a message which cannot be used is set aside with its cause and hurts no other.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select, update
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError

from edge.clock import Clock
from edge.keys import Signer
from sync import wire
from sync.central import documents, incidents, projections, tables
from sync.central.documents import Stored
from sync.central.ingest_core import Gap, Incident, Known, Place, Redelivery, Store, judge
from sync.central.store import CentralStore, insert_new
from sync.messages import (
    ACK,
    Ack,
    BadMessage,
    Batch,
    Hello,
    Message,
    Record,
    Refused,
    UnknownMessage,
    document_topic,
    parse_topic,
    topic,
)

log = logging.getLogger("classbox")


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message to publish. ``replaces``: a later one with the same value makes it needless."""

    topic: str
    message: Message
    retain: bool = False
    replaces: str = ""


class EventIntake:
    """Hellos and events. Each call is one transaction, or one for each message when one fails."""

    def __init__(self, store: CentralStore, clock: Clock, signer: Signer) -> None:
        self._store = store
        self._clock = clock
        self._signer = signer

    def take(self, arrived: Sequence[tuple[str, bytes]]) -> list[Outgoing]:
        """Deal with messages, each a topic and a payload; return what to say after the commit."""
        try:
            return self._together(arrived)
        except Exception as error:
            # The database being away or full is nobody's fault: the loop tries again. Anything
            # else is the fault of one message, which must not stop the others.
            if isinstance(error, DBAPIError) and not isinstance(error, IntegrityError | DataError):
                raise
            if len(arrived) == 1:
                return self._set_aside(*arrived[0], error)
        return [out for one in arrived for out in self.take([one])]

    def announcements(self) -> list[Outgoing]:
        """Return what an ingester that starts says: how far each ledger is, each document."""
        with self._store.reading() as connection:
            rows = connection.execute(
                select(tables.ledger.c.box, tables.ledger.c.uuid, tables.ledger.c.last).join(
                    tables.box, tables.box.c.ledger == tables.ledger.c.uuid
                )
            ).all()
            said = [Outgoing(topic(row.box, ACK), Ack(row.uuid, row.last)) for row in rows]
            boxes = documents.boxes_after(connection, 0)
        return said + self.documents(boxes)

    def documents(self, boxes: Sequence[str]) -> list[Outgoing]:
        """Return the documents in force for *boxes*, to be kept by the broker."""
        with self._store.reading() as connection:
            return [
                out
                for box in boxes
                for document in documents.in_force(connection, box, self._store.epoch)
                for out in self._letters(connection, box, document)
            ]

    def _together(self, arrived: Sequence[tuple[str, bytes]]) -> list[Outgoing]:
        outgoing: list[Outgoing] = []
        with self._store.writing() as connection:
            for topic_text, payload in arrived:
                outgoing += self._one(connection, topic_text, payload)
        # Acknowledgements are cumulative: the last of a run says it all.
        later: set[str] = set()
        kept: list[Outgoing] = []
        for out in reversed(outgoing):
            if not out.replaces:
                later.clear()
            elif out.replaces in later:
                continue
            else:
                later.add(out.replaces)
            kept.append(out)
        return kept[::-1]

    def _one(self, connection: Connection, topic_text: str, payload: bytes) -> list[Outgoing]:
        now = self._clock.now().at
        try:
            box, _ = parse_topic(topic_text)
        except UnknownMessage:
            return []  # not for us; there is not even a box to name
        try:
            message = wire.decode(payload)
            if isinstance(message, Hello):
                return self._hello(connection, now, box, message)
            if isinstance(message, Batch):
                return self._batch(connection, now, box, message, payload)
            raise BadMessage(f"{type(message).__name__} does not belong on {topic_text}")
        except BadMessage as error:
            incidents.report(connection, now, box, "bad_message", str(error), payload)
            return []

    def _set_aside(self, topic_text: str, payload: bytes, error: Exception) -> list[Outgoing]:
        """Keep a message that our own software stumbles over, so that it stops nobody else."""
        log.error("ingest: a message cannot be processed", exc_info=error)
        box, _ = parse_topic(topic_text)
        message = wire.decode(payload)
        ledger = message.ledger if isinstance(message, Batch | Hello) else ""
        text = "the ingest cannot process this message: please report it with this incident"
        with self._store.writing() as connection:
            incidents.report(
                connection, self._clock.now().at, box, "unreadable", text, payload, ledger
            )
        return [Outgoing(topic(box, ACK), Refused(ledger, "unreadable", text))]

    def _hello(self, connection: Connection, now: int, box: str, hello: Hello) -> list[Outgoing]:
        def refuse(cause: str, text: str) -> list[Outgoing]:
            incidents.report(connection, now, box, cause, text, ledger=hello.ledger)
            return [Outgoing(topic(box, ACK), Refused(hello.ledger, cause, text, hello.id))]

        pinned = _box(connection, box)
        if pinned is not None and bytes(pinned.public_key) != hello.public_key:
            return refuse(
                "other_key",
                f"box {box} is known with another key: another machine uses its name, or its "
                "key was replaced. Find out which before either is trusted.",
            )
        held = _ledger(connection, hello.ledger)
        if held is not None and held.box != box:
            return refuse(
                "other_box",
                f"ledger {hello.ledger} belongs to box {held.box}, not to {box}: "
                "its disk was copied, or its name changed.",
            )
        if held is None:
            known = Known.born(hello.ledger, hello.public_key)
            connection.execute(
                tables.ledger.insert().values(
                    uuid=hello.ledger,
                    box=box,
                    public_key=hello.public_key,
                    last=0,
                    last_hash=known.last_hash,
                    parent="",
                    base=0,
                    root=hello.ledger,
                    said=hello.head,
                )
            )
        self._seen(connection, now, box, hello, first=pinned is None)
        answer = Ack(
            hello.ledger, held.last if held else 0, hello.id, centre_key=self._signer.public_key
        )
        answers = [Outgoing(topic(box, ACK), answer)]
        for document in documents.in_force(connection, box, self._store.epoch):
            has = hello.documents.get(document.kind)
            if has is None or (has.epoch, has.version) != (document.epoch, document.version):
                answers += self._letters(connection, box, document)
        return answers

    def _letters(self, connection: Connection, box: str, document: Stored) -> list[Outgoing]:
        """Return what brings *document* to *box*; nothing before the box said its key."""
        known = _box(connection, box)
        if known is None or known.sealing_key is None:
            return []
        parts = documents.sealed(document, box, bytes(known.sealing_key), self._signer)
        return [
            Outgoing(document_topic(box, part.kind, part.part), part, retain=True) for part in parts
        ]

    def _seen(self, connection: Connection, now: int, box: str, hello: Hello, first: bool) -> None:
        told = {
            "ledger": hello.ledger,
            "last_seen": now,
            "head": hello.head,
            "media_waiting": hello.media_waiting,
            "clock_ahead": hello.at - now,
            "clock": hello.clock,
            "software": hello.software,
            "sealing_key": hello.sealing_key or None,
            "safe": hello.safe,
            "speaks": json.dumps(hello.speaks),
        }
        if first:
            # Trusted on first sight; pairing with a code comes with the broker's security.
            connection.execute(
                tables.box.insert().values(
                    id=box, public_key=hello.public_key, first_seen=now, **told
                )
            )
        else:
            connection.execute(update(tables.box).where(tables.box.c.id == box).values(**told))

    def _batch(
        self, connection: Connection, now: int, box: str, batch: Batch, payload: bytes
    ) -> list[Outgoing]:
        row = _ledger(connection, batch.ledger)
        if row is None or row.box != box:
            return []  # its hello has not come, or was refused; the box asks again by itself
        known = Known(row.uuid, bytes(row.public_key), row.last, bytes(row.last_hash))
        held, ids = _held(connection, batch)
        verdict = judge(known, batch, held, ids)
        match verdict:
            case Incident():
                incidents.report(
                    connection,
                    now,
                    box,
                    verdict.cause,
                    verdict.text,
                    payload,
                    batch.ledger,
                    verdict.seq,
                )
                said = Refused(batch.ledger, verdict.cause, verdict.text)
                return [Outgoing(topic(box, ACK), said)]
            case Gap() | Redelivery():
                return [Outgoing(topic(box, ACK), Ack(batch.ledger, known.last))]
            case Store():
                self._store_records(connection, now, box, batch.ledger, verdict)
                return [
                    Outgoing(
                        topic(box, ACK), Ack(batch.ledger, verdict.last), replaces=batch.ledger
                    )
                ]

    def _store_records(
        self, connection: Connection, now: int, box: str, ledger: str, verdict: Store
    ) -> None:
        insert_new(
            connection,
            tables.event,
            [_event_row(ledger, record, now) for record in verdict.records],
        )
        insert_new(
            connection,
            tables.body,
            [
                {
                    "ledger": ledger,
                    "seq": record.event.seq,
                    "salt": record.salt,
                    "content": record.body,
                }
                for record in verdict.records
                if record.body is not None
            ],
        )
        connection.execute(
            update(tables.ledger)
            .where(tables.ledger.c.uuid == ledger)
            .values(last=verdict.last, last_hash=verdict.last_hash)
        )
        for one in projections.apply(connection, box, ledger, verdict.records):
            incidents.report(
                connection, now, box, "unreadable", one.problem, ledger=ledger, seq=one.seq
            )
        connection.execute(update(tables.box).where(tables.box.c.id == box).values(last_seen=now))


def _box(connection: Connection, box: str) -> Any:
    return connection.execute(select(tables.box).where(tables.box.c.id == box)).one_or_none()


def _ledger(connection: Connection, uuid: str) -> Any:
    # The row is locked, so that two ingesters of one ledger would follow one another.
    return connection.execute(
        select(tables.ledger).where(tables.ledger.c.uuid == uuid).with_for_update()
    ).one_or_none()


def _held(connection: Connection, batch: Batch) -> tuple[dict[int, bytes], dict[str, Place]]:
    """Return what is held of the batch's seqs and ids, as ``judge`` wants it."""
    table = tables.event
    last = batch.prev_seq + len(batch.records)
    held = connection.execute(
        select(table.c.seq, table.c.hash).where(
            table.c.ledger == batch.ledger, table.c.seq > batch.prev_seq, table.c.seq <= last
        )
    )
    named = [record.event.id for record in batch.records]
    ids = connection.execute(
        select(table.c.id, table.c.ledger, table.c.seq).where(table.c.id.in_(named))
    )
    return (
        {row.seq: bytes(row.hash) for row in held},
        {row.id: Place(row.ledger, row.seq) for row in ids},
    )


def _event_row(ledger: str, record: Record, now: int) -> dict[str, Any]:
    event = record.event
    return {
        "ledger": ledger,
        "seq": event.seq,
        "id": event.id,
        "kind": event.kind,
        "at": event.reading.at,
        "boot": event.reading.boot,
        "mono": event.reading.mono,
        "clock": str(event.reading.clock),
        "body_hash": event.body_hash,
        "prev_hash": event.prev_hash,
        "hash": event.hash,
        "signature": event.signature,
        "received_at": now,
    }
