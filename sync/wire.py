"""Messages to bytes and back; shared by both ends. Pure.

Promises that what is encoded decodes to an equal value, that the bytes of an event travel as
they are stored, that nothing larger than a broker takes is ever encoded, and that whatever
arrives is either a valid message or a ``BadMessage``: never anything else.

Form: one line of JSON, the *head*; messages that carry a file follow it with a newline and the
raw bytes. Fields that a version does not know are ignored, so newer forms do no harm.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

from edge.events import SALT_BYTES, Event, canonical
from edge.model import ClockQuality, Reading
from sync.fields import KIND, SHA256, Head, b64
from sync.messages import (
    BATCH_BYTES,
    BATCH_EVENTS,
    CHUNK_BYTES,
    DOCUMENT_BYTES,
    EVENT_BYTES,
    HEAD_BYTES,
    PACKET_BYTES,
    VERSION,
    Ack,
    BadMessage,
    Batch,
    Chunk,
    Document,
    Held,
    Hello,
    MediaAck,
    Message,
    Offer,
    Record,
    Refused,
    TooLarge,
    UnknownMessage,
)


def encode(message: Message) -> bytes:
    """Return the bytes of *message*; raises TooLarge rather than make a poison message."""
    head, data = _ENCODERS[type(message)](message)
    head["v"] = VERSION
    encoded = canonical(head)
    limit = _LIMITS.get(type(message), HEAD_BYTES)
    if len(encoded) > limit:
        raise TooLarge(f"{head['type']}: {len(encoded)} bytes; at most {limit} travel")
    if data is None:
        return encoded
    most = CHUNK_BYTES if isinstance(message, Chunk) else DOCUMENT_BYTES
    if len(data) > most:
        raise TooLarge(f"{head['type']}: {len(data)} bytes of content; at most {most} travel")
    return encoded + b"\n" + data


def encode_batch(ledger: str, prev_seq: int, records: Sequence[Record]) -> tuple[bytes, int]:
    """Return one message with the first of *records*, and how many of them it holds (>= 1).

    As many as fit into BATCH_BYTES; an event too large for that travels alone.
    """
    parts: list[bytes] = []
    room = BATCH_BYTES - HEAD_BYTES
    for record in records[:BATCH_EVENTS]:
        part = canonical(_record_to_json(record))
        if parts and len(part) + 1 > room:
            break
        if len(part) > EVENT_BYTES:
            raise TooLarge(
                f"event {record.event.seq} ({record.event.kind}): {len(part)} bytes; at most "
                f"{EVENT_BYTES} travel. Whatever wrote it must make a smaller body."
            )
        parts.append(part)
        room -= len(part) + 1
    head = canonical({"v": VERSION, "type": "events", "ledger": ledger, "prev_seq": prev_seq})
    return head[:-1] + b',"records":[' + b",".join(parts) + b"]}", len(parts)


def decode(payload: bytes) -> Message:
    """Return the message that *payload* holds. Raises BadMessage or UnknownMessage."""
    if len(payload) > PACKET_BYTES:
        raise BadMessage(f"{len(payload)} bytes; at most {PACKET_BYTES} travel")
    encoded, newline, data = payload.partition(b"\n")
    try:
        head = json.loads(encoded)
    except (ValueError, RecursionError) as error:
        raise BadMessage("the head is not JSON") from error
    if not isinstance(head, dict):
        raise BadMessage("the head is not a JSON object")
    if head.get("v") != VERSION:
        raise UnknownMessage(f"version {head.get('v')!r:.40}; this software speaks {VERSION}")
    decoder = _DECODERS.get(str(head.get("type")))
    if decoder is None:
        raise UnknownMessage(f"type {head.get('type')!r:.40} is not known")
    return decoder(Head(head), data if newline else b"")


def _record_to_json(record: Record) -> dict[str, Any]:
    event = record.event
    return {
        "seq": event.seq,
        "id": event.id,
        "kind": event.kind,
        "at": event.reading.at,
        "boot": event.reading.boot,
        "mono": event.reading.mono,
        "clock": event.reading.clock,
        "body_hash": b64(event.body_hash),
        "prev_hash": b64(event.prev_hash),
        "hash": b64(event.hash),
        "signature": b64(event.signature),
        "salt": None if record.salt is None else b64(record.salt),
        "body": None if record.body is None else b64(record.body),
    }


def _record_from_json(head: Head) -> Record:
    clock = head.text("clock", 32)
    if clock not in set(ClockQuality):
        raise BadMessage(f"clock: {clock!r} is not known")
    event = Event(
        seq=head.whole("seq", 1),
        id=head.text("id"),
        kind=head.text("kind", 64),
        reading=Reading(
            at=head.whole("at"),
            boot=head.text("boot", 64),
            mono=head.whole("mono"),
            clock=ClockQuality(clock),
        ),
        body_hash=head.raw("body_hash", 32),
        prev_hash=head.raw("prev_hash", 32),
        hash=head.raw("hash", 32),
        signature=head.raw("signature", 64),
    )
    if head.absent("salt") or head.absent("body"):
        return Record(event, None, None)
    return Record(event, head.raw("salt", SALT_BYTES), head.raw("body"))


def _batch_from_json(head: Head, data: bytes) -> Batch:
    batch = Batch(
        ledger=head.text("ledger", 64),
        prev_seq=head.whole("prev_seq"),
        records=tuple(_record_from_json(entry) for entry in head.heads("records")),
    )
    if not 1 <= len(batch.records) <= BATCH_EVENTS:
        raise BadMessage(f"events: {len(batch.records)} records; 1 to {BATCH_EVENTS} travel")
    for place, record in enumerate(batch.records, start=batch.prev_seq + 1):
        if record.event.seq != place:
            raise BadMessage(f"events: seq {record.event.seq} stands where {place} belongs")
    return batch


def _hello_to_json(message: Hello) -> tuple[dict[str, Any], None]:
    return {
        "type": "hello",
        "id": message.id,
        "ledger": message.ledger,
        "head": message.head,
        "acked": message.acked,
        "public_key": b64(message.public_key),
        "at": message.at,
        "clock": message.clock,
        "software": message.software,
        "media_waiting": message.media_waiting,
        "documents": {
            kind: {"epoch": held.epoch, "version": held.version}
            for kind, held in message.documents.items()
        },
    }, None


def _hello_from_json(head: Head, data: bytes) -> Hello:
    return Hello(
        id=head.text("id", 64),
        ledger=head.text("ledger", 64),
        head=head.whole("head"),
        acked=head.whole("acked"),
        public_key=head.raw("public_key", 32),
        at=head.whole("at"),
        clock=head.text("clock", 32),
        software=head.text("software", 64),
        media_waiting=head.whole("media_waiting"),
        documents={
            kind: Held(entry.text("epoch", 64), entry.whole("version"))
            for kind, entry in head.named("documents").items()
        },
    )


def _chunk_from_json(head: Head, data: bytes) -> Chunk:
    chunk = Chunk(head.name("sha256", SHA256), head.whole("size", 1), head.whole("offset"), data)
    if not data or len(data) > CHUNK_BYTES or chunk.offset + len(data) > chunk.size:
        raise BadMessage(f"chunk: {len(data)} bytes do not fit at {chunk.offset}")
    return chunk


def _plain(kind: str, *fields: str) -> Callable[[Any], tuple[dict[str, Any], None]]:
    def to_json(message: Any) -> tuple[dict[str, Any], None]:
        return {"type": kind, **{name: getattr(message, name) for name in fields}}, None

    return to_json


def _chunk_to_json(message: Chunk) -> tuple[dict[str, Any], bytes]:
    head: dict[str, Any] = {"type": "chunk", "sha256": message.sha256, "size": message.size}
    return {**head, "offset": message.offset}, message.data


def _document_to_json(message: Document) -> tuple[dict[str, Any], bytes]:
    head = {"type": "document", "kind": message.kind, "epoch": message.epoch}
    return {**head, "version": message.version}, message.content


def _batch_to_json(message: Batch) -> tuple[dict[str, Any], None]:
    records = [_record_to_json(record) for record in message.records]
    head = {"type": "events", "ledger": message.ledger, "prev_seq": message.prev_seq}
    return {**head, "records": records}, None


_ENCODERS: dict[type[Any], Callable[[Any], tuple[dict[str, Any], bytes | None]]] = {
    Hello: _hello_to_json,
    Batch: _batch_to_json,
    Ack: _plain("ack", "ledger", "seq", "answer"),
    Refused: _plain("refused", "ledger", "cause", "text", "answer"),
    Offer: _plain("offer", "sha256", "size", "sort"),
    Chunk: _chunk_to_json,
    MediaAck: _plain("media_ack", "sha256", "offset", "stored", "refused"),
    Document: _document_to_json,
}

_LIMITS: dict[type[Any], int] = {Batch: EVENT_BYTES + HEAD_BYTES}

_DECODERS: dict[str, Callable[[Head, bytes], Message]] = {
    "hello": _hello_from_json,
    "events": _batch_from_json,
    "ack": lambda head, data: Ack(
        head.text("ledger", 64), head.whole("seq"), head.text("answer", 64, "")
    ),
    "refused": lambda head, data: Refused(
        head.text("ledger", 64),
        head.name("cause", KIND),
        head.text("text", 1000),
        head.text("answer", 64, ""),
    ),
    "offer": lambda head, data: Offer(
        head.name("sha256", SHA256), head.whole("size", 1), head.name("sort", KIND)
    ),
    "chunk": _chunk_from_json,
    "media_ack": lambda head, data: MediaAck(
        head.name("sha256", SHA256),
        head.whole("offset"),
        head.flag("stored"),
        head.text("refused", 200, ""),
    ),
    "document": lambda head, data: Document(
        head.name("kind", KIND), head.text("epoch", 64), head.whole("version", 1), data
    ),
}
