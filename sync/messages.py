"""What box and centre say to each other: the messages, their topics and their limits. Pure.

Owns the words of the protocol (docs/protocol.md); ``sync.wire`` owns their bytes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from edge.events import Event

VERSION = 1
PREFIX = f"classbox/{VERSION}"

KIB = 1024
BATCH_BYTES = 128 * KIB  # one message of events, head included
BATCH_EVENTS = 500
EVENT_BYTES = 256 * KIB  # an event that is larger than a batch may be travels alone
CHUNK_BYTES = 256 * KIB  # bytes of a media file in one message
DOCUMENT_BYTES = 256 * KIB
HEAD_BYTES = 4 * KIB  # room for the head beside a chunk or a document
PACKET_BYTES = 512 * KIB  # what brokers are configured to take

HELLO, EVENTS, MEDIA = "up/hello", "up/events", "up/media"
ACK, MEDIA_ACK, DOC = "down/ack", "down/media_ack", "down/doc"

_BOX = re.compile(r"[A-Za-z0-9_-]{1,64}")


class BadMessage(ValueError):
    """Bytes that are no message of this protocol; the text says what is wrong with them."""


class UnknownMessage(BadMessage):
    """A kind or version of message that this software does not know: set aside, no harm done."""


class TooLarge(ValueError):
    """A message would be larger than a broker takes; it was not encoded."""


@dataclass(frozen=True, slots=True)
class Record:
    """One event with what stands beside the chain; ``salt`` and ``body`` are None when erased."""

    event: Event
    salt: bytes | None
    body: bytes | None


@dataclass(frozen=True, slots=True)
class Held:
    """Which version of a document the box holds."""

    epoch: str
    version: int


@dataclass(frozen=True, slots=True)
class Hello:
    """A box says who it is and how far it is; the centre answers with an Ack naming ``id``.

    ``head`` is the last seq of its ledger, ``acked`` the last it knows to be at the centre.
    ``at`` and ``clock`` are the box's wall time and its quality, ``public_key`` raw Ed25519.
    """

    id: str
    ledger: str
    head: int
    acked: int
    public_key: bytes
    at: int
    clock: str
    software: str
    media_waiting: int
    documents: Mapping[str, Held] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Batch:
    """Events in order, the first of which follows ``prev_seq``."""

    ledger: str
    prev_seq: int
    records: tuple[Record, ...]


@dataclass(frozen=True, slots=True)
class Ack:
    """The centre holds everything up to ``seq``. ``answer`` names the hello it answers, if any."""

    ledger: str
    seq: int
    answer: str = ""


@dataclass(frozen=True, slots=True)
class Refused:
    """The centre will not take this ledger as it is. ``cause`` is a code, ``text`` for people."""

    ledger: str
    cause: str
    text: str
    answer: str = ""


@dataclass(frozen=True, slots=True)
class Offer:
    """The box has a media file and asks how much of it the centre holds."""

    sha256: str
    size: int
    sort: str


@dataclass(frozen=True, slots=True)
class Chunk:
    """Bytes of an offered file from ``offset`` on."""

    sha256: str
    size: int
    offset: int
    data: bytes


@dataclass(frozen=True, slots=True)
class MediaAck:
    """The centre holds ``offset`` bytes durably; ``stored`` when whole, checked and in place."""

    sha256: str
    offset: int
    stored: bool = False
    refused: str = ""


@dataclass(frozen=True, slots=True)
class Document:
    """A whole document for one box; of one epoch the highest version is in force."""

    kind: str
    epoch: str
    version: int
    content: bytes = field(repr=False)


Message = Hello | Batch | Ack | Refused | Offer | Chunk | MediaAck | Document


def topic(box: str, channel: str) -> str:
    """Return the topic of *channel* (such as EVENTS) of *box*; ``+`` stands for every box."""
    if box != "+" and not _BOX.fullmatch(box):
        raise BadMessage(f"{box!r} is not the id of a box")
    return f"{PREFIX}/{box}/{channel}"


def document_topic(box: str, kind: str) -> str:
    """Return the topic of one kind of document of *box*."""
    return topic(box, f"{DOC}/{kind}")


def parse_topic(text: str) -> tuple[str, str]:
    """Return the box and the channel of a topic; raises UnknownMessage for another one's."""
    parts = text.split("/", 3)
    if len(parts) != 4 or parts[0] != "classbox" or not _BOX.fullmatch(parts[2]):
        raise UnknownMessage(f"topic {text[:80]!r} is not one of classbox")
    if parts[1] != str(VERSION):
        raise UnknownMessage(f"topic {text[:80]!r} is of another version of the protocol")
    return parts[2], parts[3]
