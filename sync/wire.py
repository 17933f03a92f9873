"""Messages to bytes and back; shared by both ends. Pure.

Promises that what is encoded decodes to an equal value, that the bytes of an event travel as
they are stored, that nothing larger than a broker takes is ever encoded, and that whatever
arrives is either a valid message or a ``BadMessage``: never anything else.

Form: one line of JSON, the *head*; messages that carry a file follow it with a newline and the
raw bytes. Fields that a version does not know are ignored, so newer forms do no harm.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from typing import Any

from edge.events import canonical
from sync import frames, records
from sync.fields import KIND, SHA256, Head, b64
from sync.messages import (
    ASKED_MEDIA,
    BATCH_BYTES,
    BATCH_EVENTS,
    CHUNK_BYTES,
    EVENT_BYTES,
    FRAME_BYTES,
    HEAD_BYTES,
    PACKET_BYTES,
    PART_BYTES,
    PARTS,
    POINTS,
    RECEIPT_BYTES,
    VERSION,
    Ack,
    Ancestor,
    Anchor,
    Ask,
    BadMessage,
    Batch,
    Chunk,
    Compare,
    Compared,
    Document,
    Frame,
    Held,
    Hello,
    MediaAck,
    Message,
    Offer,
    Point,
    Receipt,
    Record,
    Refused,
    Request,
    TooLarge,
    UnknownMessage,
    Watch,
)


def encode(message: Message) -> bytes:
    """Return the bytes of *message*; raises TooLarge rather than make a poison message."""
    if isinstance(message, Batch):
        parts = [records.encode(record) for record in message.records]
        return _batch_to_json(message.ledger, message.prev_seq, parts)
    head, data = _ENCODERS[type(message)](message)
    head["v"] = VERSION
    encoded = canonical(head)
    limit = _LIMITS.get(type(message), HEAD_BYTES)
    if len(encoded) > limit:
        raise TooLarge(f"{head['type']}: {len(encoded)} bytes; at most {limit} travel")
    if data is None:
        return encoded
    most = _CONTENT.get(type(message), PART_BYTES)
    if len(data) > most:
        raise TooLarge(f"{head['type']}: {len(data)} bytes of content; at most {most} travel")
    return encoded + b"\n" + data


def encode_batch(ledger: str, prev_seq: int, found: Iterable[Record]) -> tuple[bytes, int]:
    """Return one message with the first of *found*, and how many of them it holds (>= 1).

    As many as fit into BATCH_BYTES; an event too large for that travels alone.
    """
    parts: list[bytes] = []
    room = BATCH_BYTES - HEAD_BYTES
    for record in islice(found, BATCH_EVENTS):
        part = records.encode(record)
        if parts and len(part) + 1 > room:
            break
        if len(part) > EVENT_BYTES:
            raise TooLarge(
                f"event {record.event.seq} ({record.event.kind}): {len(part)} bytes; at most "
                f"{EVENT_BYTES} travel. Whatever wrote it must make a smaller body."
            )
        parts.append(part)
        room -= len(part) + 1
    return _batch_to_json(ledger, prev_seq, parts), len(parts)


def signed_part(message: Hello | Receipt | Anchor) -> bytes:
    """Return the bytes that the signature of *message* covers: all of it but the signature."""
    head, _ = _ENCODERS[type(message)](message)
    del head["signature"]
    return b"classbox-message-1\n" + canonical(head)


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


def _batch_to_json(ledger: str, prev_seq: int, parts: Sequence[bytes]) -> bytes:
    head = canonical({"v": VERSION, "type": "events", "ledger": ledger, "prev_seq": prev_seq})
    encoded = head[:-1] + b',"records":[' + b",".join(parts) + b"]}"
    limit = EVENT_BYTES + HEAD_BYTES
    if len(encoded) > limit:
        raise TooLarge(f"events: {len(encoded)} bytes; at most {limit} travel")
    return encoded


def _batch_from_json(head: Head, data: bytes) -> Batch:
    batch = Batch(
        ledger=head.text("ledger", 64),
        prev_seq=head.whole("prev_seq"),
        records=tuple(
            records.decode(entry, head, f"records[{number}]")
            for number, entry in enumerate(head.entries("records"))
        ),
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
        "head_hash": b64(message.head_hash),
        "acked": message.acked,
        "public_key": b64(message.public_key),
        "sealing_key": b64(message.sealing_key),
        "at": message.at,
        "clock": message.clock,
        "software": message.software,
        "media_waiting": message.media_waiting,
        "safe": message.safe,
        "anchored": message.anchored,
        "documents": {
            kind: {"epoch": held.epoch, "version": held.version}
            for kind, held in message.documents.items()
        },
        "lineage": [{"ledger": one.ledger, "base": one.base} for one in message.lineage],
        "speaks": list(message.speaks),
        "signature": b64(message.signature),
    }, None


def _hello_from_json(head: Head, data: bytes) -> Hello:
    # What the first version did not say is absent in the words of an older box.
    return Hello(
        id=head.text("id", 64),
        ledger=head.text("ledger", 64),
        head=head.whole("head"),
        head_hash=head.raw("head_hash", 32, b""),
        acked=head.whole("acked"),
        public_key=head.raw("public_key", 32),
        sealing_key=head.raw("sealing_key", 32, b""),
        at=head.whole("at"),
        clock=head.text("clock", 32),
        software=head.text("software", 64),
        media_waiting=head.whole("media_waiting"),
        safe=head.whole("safe", 0, 0),
        anchored=head.whole("anchored", 0, 0),
        documents={
            kind: Held(entry.text("epoch", 64), entry.whole("version"))
            for kind, entry in head.named("documents").items()
        },
        lineage=tuple(
            Ancestor(entry.text("ledger", 64), entry.whole("base"))
            for entry in head.heads("lineage", ())
        ),
        speaks=head.words("speaks"),
        signature=head.raw("signature", 64, b""),
    )


def _compare_to_json(message: Compare) -> tuple[dict[str, Any], None]:
    points = [{"seq": point.seq, "hash": b64(point.hash)} for point in message.points]
    head = {"type": "compare", "id": message.id, "ledger": message.ledger}
    return {**head, "points": points}, None


def _compare_from_json(head: Head, data: bytes) -> Compare:
    points = tuple(
        Point(entry.whole("seq", 1), entry.raw("hash", 32)) for entry in head.heads("points")
    )
    if not 1 <= len(points) <= POINTS:
        raise BadMessage(f"compare: {len(points)} points; 1 to {POINTS} travel")
    return Compare(head.text("id", 64), head.text("ledger", 64), points)


def _ask_from_json(head: Head, data: bytes) -> Ask:
    return Ask(head.text("id", 64), head.text("ledger", 64), _media_from_json(head))


def _media_from_json(head: Head) -> tuple[str, ...]:
    media = head.words("media", ASKED_MEDIA)
    for sha256 in media:
        if not SHA256.fullmatch(sha256):
            raise BadMessage(f"media: {sha256[:80]!r} is not the name of a file")
    return media


def _receipt_from_json(head: Head, data: bytes) -> Receipt:
    return Receipt(
        ledger=head.text("ledger", 64),
        seq=head.whole("seq"),
        hash=head.raw("hash", 32),
        media=_media_from_json(head),
        basis=head.name("basis", KIND),
        at=head.whole("at"),
        answer=head.text("answer", 64),
        signature=head.raw("signature", 64),
    )


def _document_from_json(head: Head, data: bytes) -> Document:
    document = Document(
        kind=head.name("kind", KIND),
        epoch=head.text("epoch", 64),
        version=head.whole("version", 1),
        letter=head.name("letter", SHA256),
        sealed=data,
        part=head.whole("part", 1, 1),
        parts=head.whole("parts", 1, 1),
    )
    if not document.part <= document.parts <= PARTS:
        raise BadMessage(f"document: part {document.part} of {document.parts}")
    return document


def _chunk_from_json(head: Head, data: bytes) -> Chunk:
    chunk = Chunk(head.name("sha256", SHA256), head.whole("size", 1), head.whole("offset"), data)
    if not data or len(data) > CHUNK_BYTES or chunk.offset + len(data) > chunk.size:
        raise BadMessage(f"chunk: {len(data)} bytes do not fit at {chunk.offset}")
    return chunk


def _plain(kind: str, *fields: str) -> Callable[[Any], tuple[dict[str, Any], None]]:
    def to_json(message: Any) -> tuple[dict[str, Any], None]:
        values = {name: getattr(message, name) for name in fields}
        for name, value in values.items():
            if isinstance(value, bytes):
                values[name] = b64(value)
        return {"type": kind, **values}, None

    return to_json


def _chunk_to_json(message: Chunk) -> tuple[dict[str, Any], bytes]:
    head: dict[str, Any] = {"type": "chunk", "sha256": message.sha256, "size": message.size}
    return {**head, "offset": message.offset}, message.data


def _document_to_json(message: Document) -> tuple[dict[str, Any], bytes]:
    head = {"type": "document", "kind": message.kind, "epoch": message.epoch}
    parts = {"letter": message.letter, "part": message.part, "parts": message.parts}
    return {**head, "version": message.version, **parts}, message.sealed


def _request_to_json(message: Request) -> tuple[dict[str, Any], bytes]:
    return {"type": "request", "id": message.id, "expires": message.expires}, message.sealed


_ENCODERS: dict[type[Any], Callable[[Any], tuple[dict[str, Any], bytes | None]]] = {
    Hello: _hello_to_json,
    Ack: _plain("ack", "ledger", "seq", "answer", "agrees", "at", "clock", "centre_key", "speaks"),
    Refused: _plain("refused", "ledger", "cause", "text", "answer"),
    Offer: _plain("offer", "sha256", "size", "sort"),
    Chunk: _chunk_to_json,
    MediaAck: _plain("media_ack", "sha256", "offset", "stored", "refused"),
    Document: _document_to_json,
    Compare: _compare_to_json,
    Compared: _plain("compared", "id", "ledger", "agree"),
    Ask: _plain("ask", "id", "ledger", "media"),
    Receipt: _plain(
        "receipt", "ledger", "seq", "hash", "media", "basis", "at", "answer", "signature"
    ),
    Anchor: _plain("anchor", "ledger", "seq", "hash", "at", "signature"),
    Request: _request_to_json,
    Frame: frames.frame_to_json,
    Watch: frames.watch_to_json,
}

_CONTENT: dict[type[Any], int] = {Chunk: CHUNK_BYTES, Frame: FRAME_BYTES}

_LIMITS: dict[type[Any], int] = {
    Ask: RECEIPT_BYTES,
    Receipt: RECEIPT_BYTES,
}

_DECODERS: dict[str, Callable[[Head, bytes], Message]] = {
    "hello": _hello_from_json,
    "events": _batch_from_json,
    "ack": lambda head, data: Ack(
        ledger=head.text("ledger", 64),
        seq=head.whole("seq"),
        answer=head.text("answer", 64, ""),
        agrees=head.flag("agrees", True),
        at=head.whole("at", 0, 0),
        clock=head.text("clock", 32, "unsynchronised"),
        centre_key=head.raw("centre_key", 32, b""),
        speaks=head.words("speaks"),
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
    "document": _document_from_json,
    "compare": _compare_from_json,
    "compared": lambda head, data: Compared(
        head.text("id", 64), head.text("ledger", 64), head.whole("agree")
    ),
    "ask": _ask_from_json,
    "receipt": _receipt_from_json,
    "anchor": lambda head, data: Anchor(
        ledger=head.text("ledger", 64),
        seq=head.whole("seq"),
        hash=head.raw("hash", 32),
        at=head.whole("at"),
        signature=head.raw("signature", 64),
    ),
    "frame": frames.frame_from_json,
    "watch": frames.watch_from_json,
    "request": lambda head, data: Request(head.text("id", 64), head.whole("expires"), data),
}
