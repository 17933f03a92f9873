"""What becomes of each message from a box: rows, and the answers that may follow their commit.

Owns the centre's half of the hand-over. Promises that rows, the ledger's ``last`` and the
projections change in one transaction; that an answer is only returned once that is committed;
and that a message which cannot be used is set aside with its cause and hurts no other.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import Connection, select, update
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError

from edge.clock import Clock
from edge.keys import Signer
from sync import wire
from sync.central import (
    anchors,
    branching,
    documents,
    erasure,
    incidents,
    lines,
    metrics,
    projections,
    requests,
    tables,
)
from sync.central.hellos import Hellos
from sync.central.ingest_core import Gap, Incident, Known, Place, Redelivery, Store, judge
from sync.central.outgoing import Outgoing
from sync.central.receipts import Receipts
from sync.central.store import CentralStore, insert_new
from sync.messages import (
    ACK,
    Ack,
    Ask,
    BadMessage,
    Batch,
    Compare,
    Compared,
    Hello,
    Message,
    Record,
    Refused,
    UnknownMessage,
    parse_topic,
    topic,
)

log = logging.getLogger("classbox")


class EventIntake:
    """Hellos and events. Each call is one transaction, or one for each message when one fails."""

    def __init__(
        self,
        store: CentralStore,
        clock: Clock,
        signer: Signer,
        receipts: Receipts,
        enrolled_only: bool = False,
    ) -> None:
        """Without *enrolled_only* a box is trusted as it is first heard (development)."""
        self._store = store
        self._receipts = receipts
        self._clock = clock
        self._signer = signer
        self._heard = metrics.Heard()
        self._tally: Counter[metrics.Figure] = Counter()
        self.hellos = Hellos(store, signer, enrolled_only)

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

    def announcements(self, mine: Callable[[str], bool]) -> list[Outgoing]:
        """Return what an ingester that starts says to its boxes: how far it is, each document."""
        with self._store.reading() as connection:
            rows = connection.execute(
                select(tables.ledger.c.box, tables.ledger.c.uuid, tables.ledger.c.last).join(
                    tables.box, tables.box.c.ledger == tables.ledger.c.uuid
                )
            ).all()
            said = [
                Outgoing(topic(row.box, ACK), Ack(row.uuid, row.last))
                for row in rows
                if mine(row.box)
            ]
            boxes = documents.boxes_after(connection, 0)
        return said + self.documents(list(filter(mine, boxes)))

    def anchors(self) -> list[Outgoing]:
        """Sign the heads of ledgers that grew for a day; return what to say."""
        with self._store.writing() as connection:
            return anchors.make(connection, self._clock.now().at, self._signer)

    def documents(self, boxes: Sequence[str]) -> list[Outgoing]:
        """Return the documents in force for *boxes*, to be kept by the broker."""
        with self._store.reading() as connection:
            return [
                out
                for box in boxes
                for document in documents.in_force(connection, box, self._store.epoch)
                for out in self.hellos.letters(connection, box, document)
            ]

    def requests(self, boxes: Sequence[str]) -> list[Outgoing]:
        """Return the open requests for *boxes*."""
        now = self._clock.now().at
        with self._store.reading() as connection:
            return [out for box in boxes for out in self.hellos.requests(connection, now, box)]

    def _together(self, arrived: Sequence[tuple[str, bytes]]) -> list[Outgoing]:
        outgoing: list[Outgoing] = []
        self._tally.clear()
        with self._store.writing() as connection:
            for topic_text, payload in arrived:
                outgoing += self._one(connection, topic_text, payload)
        for counter, count in self._tally.items():
            counter.inc(count)
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
        reading = self._clock.now()
        now = reading.at
        try:
            box, _ = parse_topic(topic_text)
        except UnknownMessage:
            return []  # not for us; there is not even a box to name
        self._heard.note(box)
        try:
            message = wire.decode(payload)
            if isinstance(message, Hello):
                return self.hellos.answer(connection, reading, box, message)
            if isinstance(message, Compare):
                return self._compare(connection, box, message)
            if isinstance(message, Ask):
                return self._receipts.answer(connection, box, message)
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
        try:
            message: Message | None = wire.decode(payload)
        except BadMessage:  # then it was the report that failed
            message = None
        ledger = message.ledger if isinstance(message, Batch | Hello) else ""
        text = "the ingest cannot process this message: please report it with this incident"
        with self._store.writing() as connection:
            incidents.report(
                connection, self._clock.now().at, box, "unreadable", text, payload, ledger
            )
        return [Outgoing(topic(box, ACK), Refused(ledger, "unreadable", text))]

    def _compare(self, connection: Connection, box: str, message: Compare) -> list[Outgoing]:
        row = lines.row_of(connection, message.ledger)
        if row is None or row.box != box:
            return []
        agree = lines.shared(connection, row, message.points)
        return [Outgoing(topic(box, ACK), Compared(message.id, message.ledger, agree))]

    def _batch(
        self, connection: Connection, now: int, box: str, batch: Batch, payload: bytes
    ) -> list[Outgoing]:
        row = lines.row_of(connection, batch.ledger)
        if row is None or row.box != box or not self.hellos.takes_from(connection, box):
            return []  # its hello has not come, or was refused; the box asks again by itself
        known = Known(row.uuid, bytes(row.public_key), row.last, bytes(row.last_hash))
        held, ids = _held(connection, batch, row.root)
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
                lacking = isinstance(verdict, Gap)
                self._tally[metrics.GAPS if lacking else metrics.REDELIVERIES] += 1
                return [Outgoing(topic(box, ACK), Ack(batch.ledger, known.last))]
            case Store():
                self._tally[metrics.EVENTS] += len(verdict.records)
                self._store_records(connection, now, box, row, verdict)
                return [
                    Outgoing(
                        topic(box, ACK), Ack(batch.ledger, verdict.last), replaces=batch.ledger
                    )
                ]

    def _store_records(
        self, connection: Connection, now: int, box: str, row: Any, verdict: Store
    ) -> None:
        ledger: str = row.uuid
        records = erasure.without_erased(connection, ledger, verdict.records)
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
                for record in records
                if record.body is not None
            ],
        )
        connection.execute(
            update(tables.ledger)
            .where(tables.ledger.c.uuid == ledger)
            .values(
                last=verdict.last,
                last_hash=verdict.last_hash,
                # What a box says it has is of this chain once something of it fits.
                said=max(row.said, verdict.last, _head_said(connection, box)),
            )
        )
        for one in projections.apply(connection, box, ledger, records):
            incidents.report(
                connection, now, box, "unreadable", one.problem, ledger=ledger, seq=one.seq
            )
        requests.note_answers(connection, now, box, ledger, records)
        erasure.follow(connection, now, self._store.epoch, box, ledger, records)
        connection.execute(update(tables.box).where(tables.box.c.id == box).values(last_seen=now))
        for cause, text in branching.troubles(connection, ledger, verdict):
            incidents.report(connection, now, box, cause, text, ledger=ledger)


def _head_said(connection: Connection, box: str) -> int:
    query = select(tables.box.c.head).where(tables.box.c.id == box)
    return int(connection.execute(query).scalar() or 0)


def _held(
    connection: Connection, batch: Batch, root: str
) -> tuple[dict[int, bytes], dict[str, Place]]:
    """Return what is held of the batch's seqs and ids, as ``judge`` wants it.

    Branches of one *root* may each hold what has a set name, such as a planned snapshot.
    """
    table = tables.event
    last = batch.prev_seq + len(batch.records)
    held = connection.execute(
        select(table.c.seq, table.c.hash).where(
            table.c.ledger == batch.ledger, table.c.seq > batch.prev_seq, table.c.seq <= last
        )
    )
    named = [record.event.id for record in batch.records]
    ids = connection.execute(
        select(table.c.id, table.c.ledger, table.c.seq)
        .join(tables.ledger, tables.ledger.c.uuid == table.c.ledger)
        .where(
            table.c.id.in_(named),
            (tables.ledger.c.root != root) | (table.c.ledger == batch.ledger),
        )
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
