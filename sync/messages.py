"""What box and centre say to each other: the messages, their topics and their limits. Pure.

Owns the words of the protocol (docs/protocol.md); ``sync.wire`` owns their bytes.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from edge.chain import Event

VERSION = 1
PREFIX = f"classbox/{VERSION}"

KIB = 1024
BATCH_BYTES = 128 * KIB  # one message of events, head included
BATCH_EVENTS = 500
EVENT_BYTES = 256 * KIB  # an event that is larger than a batch may be travels alone
CHUNK_BYTES = 256 * KIB  # bytes of a media file in one message
PART_BYTES = 256 * KIB  # sealed bytes of a document in one message
PARTS = 64  # messages that one document may take
HEAD_BYTES = 8 * KIB  # room for the head beside a chunk or a part
RECEIPT_BYTES = 96 * KIB
FRAME_BYTES = 64 * KIB  # a picture of live view: never stored, never sent again
PACKET_BYTES = 512 * KIB  # the largest message of all
# What brokers and clients are configured to take: a message with its topic and properties.
PACKET_LIMIT = PACKET_BYTES + 4 * KIB
POINTS = 64  # places compared at once when a ledger and the centre disagree
ASKED_MEDIA = 1000  # files that one question may name

HELLO, EVENTS, MEDIA = "up/hello", "up/events", "up/media"
ACK, MEDIA_ACK, DOC, REQUEST = "down/ack", "down/media_ack", "down/doc", "down/request"
# Live view, at QoS 0: a picture that is not wanted any more must wait nowhere.
FRAME, WATCH = "up/frame", "down/watch"
# A connection has one certificate, and a broker's access list one name for it: what the media
# connection says and hears stands under a name of its own.
_MEDIA_CHANNELS = (MEDIA, MEDIA_ACK, FRAME, WATCH)
MEDIA_SUFFIX = ".media"

# What this software understands beyond the first version: named in hellos and their answers.
SPEAKS = ("anchor", "compare", "live", "receipt", "record", "request")

# Ingesters divide the boxes by this digit, so that a ledger has one of them at a time.
SHARDS = "0123456789abcdef"

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
class Ancestor:
    """A ledger from which another branched off: up to ``base`` both are one chain."""

    ledger: str
    base: int


@dataclass(frozen=True, slots=True)
class Hello:
    """A box says who it is and how far it is; the centre answers with an Ack naming ``id``.

    ``head`` and ``head_hash`` are the last event of its ledger, ``acked`` the last seq it knows to
    be at the centre, ``safe`` the last it holds a receipt for, ``anchored`` the last that the
    centre's signature in its ledger covers. ``at`` and ``clock`` are the box's
    wall time and its quality; ``public_key`` (raw Ed25519) signs its events, ``sealing_key`` (raw
    X25519) is what is written to it under. ``lineage`` names the ledgers that this one branched
    off from, the nearest first. ``speaks`` lists what this software understands beyond the first
    version; a receiver ignores what it does not know. ``signature`` is the ledger key's over all
    of it (``sync.wire.signed_part``).
    """

    id: str
    ledger: str
    head: int
    head_hash: bytes
    acked: int
    public_key: bytes
    sealing_key: bytes
    at: int
    clock: str
    software: str
    media_waiting: int
    safe: int = 0
    anchored: int = 0
    documents: Mapping[str, Held] = field(default_factory=dict)
    lineage: tuple[Ancestor, ...] = ()
    speaks: tuple[str, ...] = ()
    signature: bytes = b""


@dataclass(frozen=True, slots=True)
class Batch:
    """Events in order, the first of which follows ``prev_seq``."""

    ledger: str
    prev_seq: int
    records: tuple[Record, ...]


@dataclass(frozen=True, slots=True)
class Ack:
    """The centre holds everything up to ``seq``. ``answer`` names the hello it answers, if any.

    In an answer, ``agrees`` is false when the centre holds another event in place of the box's
    head; ``at`` and ``clock`` are the centre's wall time
    and its quality, ``centre_key`` (raw Ed25519) signs its letters, ``speaks`` is what it
    understands.
    """

    ledger: str
    seq: int
    answer: str = ""
    agrees: bool = True
    at: int = 0
    clock: str = "unsynchronised"
    centre_key: bytes = b""
    speaks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Refused:
    """The centre will not take this ledger as it is. ``cause`` is a code, ``text`` for people."""

    ledger: str
    cause: str
    text: str
    answer: str = ""


@dataclass(frozen=True, slots=True)
class Point:
    """The hash of one event of a ledger."""

    seq: int
    hash: bytes


@dataclass(frozen=True, slots=True)
class Compare:
    """The box asks which of these events the centre holds too, to learn where both part."""

    id: str
    ledger: str
    points: tuple[Point, ...]


@dataclass(frozen=True, slots=True)
class Compared:
    """The highest seq of those compared that the centre holds with the same hash; 0 for none."""

    id: str
    ledger: str
    agree: int


@dataclass(frozen=True, slots=True)
class Ask:
    """The box asks what it may let go of: how far its ledger is safe, and which of these files."""

    id: str
    ledger: str
    media: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Receipt:
    """The centre vouches that it can no longer lose this: the only leave to delete anything.

    Events up to ``seq``, whose hash is ``hash``, and the files of ``media``. ``basis``: backup |
    age. Signed by the centre's key over ``sync.wire.signed_part``; ``answer`` names the question.
    """

    ledger: str
    seq: int
    hash: bytes
    media: tuple[str, ...]
    basis: str
    at: int
    answer: str
    signature: bytes = b""


@dataclass(frozen=True, slots=True)
class Anchor:
    """The centre's signature under the head of a chain as it held it at ``at``."""

    ledger: str
    seq: int
    hash: bytes
    at: int
    signature: bytes = b""


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
    """A part of a document for one box; of one epoch the highest version is in force.

    ``sealed`` is a slice of the letter that ``sync.seal`` made of it, whose SHA-256 is ``letter``
    (hex); ``part`` counts from 1 to ``parts``.
    """

    kind: str
    epoch: str
    version: int
    letter: str
    sealed: bytes = field(repr=False)
    part: int = 1
    parts: int = 1


@dataclass(frozen=True, slots=True)
class Request:
    """Something that the centre wants a box to do, worth doing until ``expires`` (centre's time).

    ``sealed`` holds kind and arguments (``sync.seal``); the answer is an event.
    """

    id: str
    expires: int
    sealed: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Frame:
    """A picture of this moment from a camera that somebody looks through, or why there is none.

    ``number`` counts up. ``age``: milliseconds from the camera's picture to its sending, so that
    nobody's clock matters. ``heard``: of each view of this camera the last Watch that had come,
    which dates the frame by the looker's own clock. ``state``: empty with a picture, else the
    camera's state as its box shows it. ``data``: the JPEG.
    """

    camera: str
    number: int
    age: int
    heard: Mapping[str, int]
    state: str = ""
    data: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class Watch:
    """Somebody still looks: renews the view and lets the next picture go.

    ``sealed`` holds ``view`` again, ``number``, which counts up within a view, and ``seen``, the
    number of the last frame that came (``sync.seal``, purpose ``watch``).
    """

    view: str
    sealed: bytes = field(repr=False)


Message = (
    Frame
    | Watch
    | Hello
    | Batch
    | Ack
    | Refused
    | Compare
    | Compared
    | Ask
    | Receipt
    | Anchor
    | Offer
    | Chunk
    | MediaAck
    | Document
    | Request
)


def shard(box: str) -> str:
    """Return the digit of *box* by which ingesters divide the boxes."""
    return hashlib.sha256(box.encode("ascii")).hexdigest()[0]


def topic(box: str, channel: str) -> str:
    """Return the topic of *channel* (such as EVENTS) of *box*."""
    if not _BOX.fullmatch(box):
        raise BadMessage(f"{box!r} is not the id of a box")
    return f"{PREFIX}/{shard(box)}/{_name_of(box, channel)}/{channel}"


def shard_topic(digit: str, channel: str) -> str:
    """Return the topic of *channel* of every box with that digit; ``+`` stands for all."""
    return f"{PREFIX}/{digit}/+/{channel}"


def document_topic(box: str, kind: str, part: int = 1) -> str:
    """Return the topic of one part of one kind of document of *box*."""
    return topic(box, f"{DOC}/{kind}/{part}")


def parse_topic(text: str) -> tuple[str, str]:
    """Return the box and the channel of a topic; raises UnknownMessage for another one's."""
    parts = text.split("/", 4)
    if len(parts) != 5 or parts[0] != "classbox":
        raise UnknownMessage(f"topic {text[:80]!r} is not one of classbox")
    if parts[1] != str(VERSION):
        raise UnknownMessage(f"topic {text[:80]!r} is of another version of the protocol")
    digit, name, channel = parts[2:]
    box = name.removesuffix(MEDIA_SUFFIX)
    # A box that spoke under another digit would reach an ingester that is not its own, and one
    # that spoke as its media connection would get round the broker's access list.
    if not _BOX.fullmatch(box) or digit != shard(box) or name != _name_of(box, channel):
        raise UnknownMessage(f"topic {text[:80]!r} is not one of classbox")
    return box, channel


def _name_of(box: str, channel: str) -> str:
    return box + MEDIA_SUFFIX if channel in _MEDIA_CHANNELS else box
