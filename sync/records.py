"""One event as it travels: to JSON and back. Pure.

Owns what a backlog mostly costs on both sides, and so does by hand what ``canonical`` and ``Head``
do in general. Promises that their bytes and their answers are the same.
"""

from __future__ import annotations

from binascii import a2b_base64
from json.encoder import encode_basestring as quoted
from typing import Any

from edge.chain import SALT_BYTES, Event
from edge.model import ClockQuality, Reading
from sync.fields import LARGEST, UNFIT, Head, b64
from sync.messages import BadMessage, Record

_CLOCKS = {str(quality): quality for quality in ClockQuality}


def encode(record: Record) -> bytes:
    """Return what ``canonical`` would, in a quarter of the time: a backlog is mostly this."""
    event = record.event
    reading = event.reading
    body = "null" if record.body is None else f'"{b64(record.body)}"'
    salt = "null" if record.salt is None else f'"{b64(record.salt)}"'
    return (
        f'{{"at":{reading.at},"body":{body},"body_hash":"{b64(event.body_hash)}",'
        f'"boot":{quoted(reading.boot)},"clock":{quoted(reading.clock)},'
        f'"hash":"{b64(event.hash)}","id":{quoted(event.id)},"kind":{quoted(event.kind)},'
        f'"mono":{reading.mono},"prev_hash":"{b64(event.prev_hash)}","salt":{salt},'
        f'"seq":{event.seq},"signature":"{b64(event.signature)}"}}'
    ).encode()


def decode(entry: Any, head: Head, place: str) -> Record:
    """Return the record that *entry* of *head* is. Raises BadMessage, which names *place*."""
    return _sound(entry) or _named(head.of(entry, place))


def _named(head: Head) -> Record:
    clock = _CLOCKS.get(head.text("clock", 32))
    if clock is None:
        raise BadMessage("clock: not one of " + ", ".join(_CLOCKS))
    event = Event(
        seq=head.whole("seq", 1),
        id=head.text("id"),
        kind=head.text("kind", 64),
        reading=Reading(
            at=head.whole("at"),
            boot=head.text("boot", 64),
            mono=head.whole("mono"),
            clock=clock,
        ),
        body_hash=head.raw("body_hash", 32),
        prev_hash=head.raw("prev_hash", 32),
        hash=head.raw("hash", 32),
        signature=head.raw("signature", 64),
    )
    if head.absent("salt") or head.absent("body"):
        return Record(event, None, None)
    return Record(event, head.raw("salt", SALT_BYTES), head.raw("body"))


def _sound(values: Any) -> Record | None:
    """Return what ``_named`` would, in half of the time; None where that would object.

    Which it then does, naming the field.
    """
    try:
        seq, at, mono = values["seq"], values["at"], values["mono"]
        name, kind, boot = values["id"], values["kind"], values["boot"]
        salt, body = values["salt"], values["body"]
        own_body = a2b_base64(values["body_hash"], strict_mode=True)
        previous = a2b_base64(values["prev_hash"], strict_mode=True)
        own = a2b_base64(values["hash"], strict_mode=True)
        signature = a2b_base64(values["signature"], strict_mode=True)
        erased = salt is None or body is None
        salt = None if erased else a2b_base64(salt, strict_mode=True)
        body = None if erased else a2b_base64(body, strict_mode=True)
        clock = _CLOCKS[values["clock"]]
        if (
            not type(seq) is type(at) is type(mono) is int
            or not (1 <= seq <= LARGEST and 0 <= at <= LARGEST and 0 <= mono <= LARGEST)
            or not len(name) <= 256
            or not (len(kind) <= 64 and len(boot) <= 64)
            or UNFIT.search(name + kind + boot)
            or not len(own_body) == len(previous) == len(own) == 32
            or len(signature) != 64
            or not (salt is None or len(salt) == SALT_BYTES)
        ):
            return None
    except (KeyError, TypeError, ValueError):
        return None
    reading = Reading(at, boot, mono, clock)
    return Record(Event(seq, name, kind, reading, own_body, previous, own, signature), salt, body)
