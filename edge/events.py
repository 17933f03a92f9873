"""The kinds of event, their bodies and their canonical bytes.

Owns what a fact says; ``edge.chain`` owns how facts are linked. Promises that bytes are made
once: what is stored, sent and hashed is the same, and nothing re-encodes in order to verify. Pure.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from edge.model import ClockQuality, Instant, Reading

BODY_BYTES = 64 * 1024

KINDS: dict[str, type[Body]] = {}


class BadBody(ValueError):
    """Body bytes do not fit their kind; the message names the kind and the field."""


@dataclass(frozen=True)
class Body:
    """What an event says. One frozen subclass for each kind; fields are plain JSON values."""

    kind: ClassVar[str] = ""

    def __init_subclass__(cls, kind: str = "") -> None:
        super().__init_subclass__()
        if kind:
            cls.kind = kind
            KINDS[kind] = cls


@dataclass(frozen=True)
class UnknownBody(Body):
    """The body of a kind that this version does not know: kept and passed on, never refused."""

    unknown_kind: str
    content: Mapping[str, Any]


@dataclass(frozen=True)
class LedgerBorn(Body, kind="ledger.born"):
    """The first event of every ledger: whose it is and which key signs it."""

    ledger_uuid: str
    box_id: str
    public_key: str
    software: str


@dataclass(frozen=True)
class LedgerBranched(Body, kind="ledger.branched"):
    """From here on the chain goes by another name: the centre holds other events after ``base``.

    Up to ``base``, whose hash is ``base_hash`` (hex), it is the chain of ledger ``parent``; the
    events after it belong to ``ledger_uuid``. ``cause``: restored (this disk is an older copy) |
    forked (another disk carried on under the same name).
    """

    ledger_uuid: str
    parent: str
    base: int
    base_hash: str
    cause: str


@dataclass(frozen=True)
class AnchorReceived(Body, kind="anchor.received"):
    """The centre signed that it held this chain's event ``seq`` at ``at``. Raw bytes as hex."""

    ledger: str
    seq: int
    hash: str
    at: Instant
    key: str
    signature: str


@dataclass(frozen=True)
class BoxEnrolled(Body, kind="box.enrolled"):
    """The box was enrolled at a centre: whose documents and requests it obeys (key as hex)."""

    centre: str
    centre_key: str


@dataclass(frozen=True)
class BodyErased(Body, kind="body.erased"):
    """Salt and bytes of these events' bodies are gone, here and wherever this event arrives.

    ``reason``: withdrawn | retention | order (of a court or an authority).
    """

    seqs: Sequence[int]
    reason: str
    request_id: str = ""


@dataclass(frozen=True)
class MediaDeleted(Body, kind="media.deleted"):
    """A media file was deleted from this box. ``rule`` says by which rule of retention."""

    sha256: str
    sort: str
    rule: str

    @staticmethod
    def id_of(sha256: str, seq: int) -> str:
        """Return the id of this event for a file whose last naming event is *seq*.

        It makes a repetition harmless, and lets the centre find it by what it says.
        """
        return f"media-deleted-{sha256}-{seq}"


@dataclass(frozen=True)
class RequestAnswered(Body, kind="request.answered"):
    """A request was carried out; ``result`` is what came of it."""

    request_id: str
    request: str
    result: Mapping[str, Any]


@dataclass(frozen=True)
class ServiceStarted(Body, kind="service.started"):
    """A service began; after a kill or a power cut this is the first sign of life."""

    service: str
    software: str


@dataclass(frozen=True)
class InstructorLoggedIn(Body, kind="instructor.logged_in"):
    """An instructor proved who they are at the kiosk."""

    instructor_id: str
    way: str


@dataclass(frozen=True)
class LessonOpened(Body, kind="lesson.opened"):
    """A lesson began to be taught. Freezes what judges it.

    ``documents`` maps each kind of document in force to its SHA-256, ``profile`` and
    ``profile_version`` name the rules, ``lesson`` is the lesson as it stood. ``by`` is an
    instructor's id. ``edge.teaching.open_lesson`` makes this event.
    """

    lesson_id: str
    by: str
    documents: Mapping[str, str]
    profile: str
    profile_version: int
    lesson: Mapping[str, Any]


@dataclass(frozen=True)
class LessonEnded(Body, kind="lesson.ended"):
    """A lesson was held and is over. ``by`` is an instructor's id, or ``timetable``."""

    lesson_id: str
    by: str


@dataclass(frozen=True)
class PersonEnrolled(Body, kind="person.enrolled"):
    """A face template now exists on this box. The template itself is never in an event."""

    person_id: str
    model: str
    model_version: str
    source: str
    request_id: str = ""


@dataclass(frozen=True)
class TemplateDeleted(Body, kind="person.template_deleted"):
    """A person's face templates are gone from this box.

    ``reason``: operator | withdrawn | completed (their class).
    """

    person_id: str
    reason: str


@dataclass(frozen=True)
class ScanMade(Body, kind="scan.made"):
    """Someone was present at the box (打卡). Whether it is a check-in is for the rules.

    ``at``: when the deciding frame was taken; ``boot``, ``mono`` and ``clock`` complete that
    reading, since after a crash the event may be written in another boot (``boot`` is empty in
    what older software wrote). ``photo``: SHA-256 of a media file, or empty when no camera could
    give one. ``score``: cosine of the match in ten-thousandths, 0 for manual. ``way`` ``manual``
    names the instructor in ``entered_by`` and a coded ``reason``.
    """

    person_id: str
    at: Instant
    way: str
    photo: str
    score: int = 0
    margin: int = 0
    frames: int = 0
    model: str = ""
    model_version: str = ""
    entered_by: str = ""
    reason: str = ""
    boot: str = ""
    mono: int = 0
    clock: str = ""

    def taken(self, written: Reading) -> Reading:
        """Return the clocks when the frame was taken; *written* is the reading of the event."""
        return clocks_at(self.at, self.boot, self.mono, self.clock, written)


@dataclass(frozen=True)
class SnapshotTaken(Body, kind="snapshot.taken"):
    """A planned snapshot exists. ``method``: key_frame | snapshot_address | fast_open.

    Or ``from_recording``: found there after its window had passed; ``at`` is when that frame was
    recorded. ``boot``, ``mono``, ``clock`` complete the reading at ``at``, as in ``scan.made``.
    """

    lesson_id: str
    hour: int
    number: int
    camera: str
    at: Instant
    method: str
    sha256: str
    bytes: int
    boot: str = ""
    mono: int = 0
    clock: str = ""

    def taken(self, written: Reading) -> Reading:
        """Return the clocks when it was taken; *written* is the reading of the event."""
        return clocks_at(self.at, self.boot, self.mono, self.clock, written)


@dataclass(frozen=True)
class SnapshotMissed(Body, kind="snapshot.missed"):
    """A planned snapshot could not be taken inside its window, nor found in the recording.

    ``cause``: one of model.MissCause; ``detail``: the same in a sentence that says what to do.
    """

    lesson_id: str
    hour: int
    number: int
    camera: str
    cause: str
    detail: str = ""


@dataclass(frozen=True)
class RecordingStarted(Body, kind="recording.started"):
    """Video of a camera is reaching the disk for a lesson."""

    lesson_id: str
    camera: str
    at: Instant


@dataclass(frozen=True)
class RecordingStored(Body, kind="recording.stored"):
    """One part of a lesson's recording is complete on disk.

    ``interrupted``: the part ended by a kill, a power cut or a lost camera, not by plan.
    ``quality``: full | substream | key_frames (rules.disk).
    ``boot``, ``mono``, ``clock`` complete the reading at ``start``, as in ``scan.made``.
    """

    lesson_id: str
    camera: str
    start: Instant
    end: Instant
    sha256: str
    bytes: int
    interrupted: bool
    quality: str = "full"
    boot: str = ""
    mono: int = 0
    clock: str = ""

    def begun(self, written: Reading) -> Reading:
        """Return the clocks when the part began; *written* is the reading of the event."""
        return clocks_at(self.start, self.boot, self.mono, self.clock, written)


@dataclass(frozen=True)
class RecordingGap(Body, kind="recording.gap"):
    """Video that should exist and does not, from when to when, and why.

    ``cause``: one of model.GapCause; ``detail``: the same in a sentence that says what to do.
    """

    lesson_id: str
    camera: str
    start: Instant
    end: Instant
    cause: str
    detail: str = ""


@dataclass(frozen=True)
class CameraHealth(Body, kind="camera.health"):
    """A camera's state changed; ``state``: online, or a fault of camera.health.State."""

    camera: str
    state: str
    cause: str


@dataclass(frozen=True)
class RequestRefused(Body, kind="request.refused"):
    """A request could not be carried out; ``reason`` says what to do."""

    request_id: str
    request: str
    reason: str


@dataclass(frozen=True)
class MediaMissing(Body, kind="media.missing"):
    """An event names a media file that is not on the disk (reported once a file)."""

    sha256: str


def clocks_at(at: Instant, boot: str, mono: int, clock: str, written: Reading) -> Reading:
    """Return the clocks at a moment that an event, *written* then, states.

    Software that states only the time of it (*boot* is empty) wrote the event in the same boot.
    """
    if not boot or clock not in set(ClockQuality):
        return written.when(at)
    return Reading(at, boot, mono, ClockQuality(clock))


def encode(body: Body) -> bytes:
    """Return the canonical bytes of *body*: JSON, keys sorted, no spaces, UTF-8.

    Raises BadBody when they are more than one message to the centre can carry.
    """
    content = canonical(vars(body))
    if len(content) > BODY_BYTES:
        raise BadBody(
            f"{body.kind}: {len(content)} bytes; a body holds at most {BODY_BYTES}. "
            "Store large content as a media file and name it by its hash."
        )
    return content


def decode(kind: str, content: bytes) -> Body:
    """Return the body that *content* holds; unknown kinds and extra fields do no harm.

    Raises BadBody when the bytes are not a JSON object or a field is missing.
    """
    try:
        values = _DECODER.decode(content.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise BadBody(f"{kind}: the body is not JSON ({error})") from error
    if not isinstance(values, dict):
        raise BadBody(f"{kind}: the body is not a JSON object")
    cls = KINDS.get(kind)
    if cls is None:
        return UnknownBody(kind, values)
    known = cls.__dataclass_fields__.keys()
    if not values.keys() <= known:
        values = {name: value for name, value in values.items() if name in known}
    try:
        return cls(**values)
    except TypeError as error:
        raise BadBody(f"{kind}: {error}") from error


_DECODER = json.JSONDecoder()
# Made once: building an encoder costs as much as using it.
_ENCODER = json.JSONEncoder(
    sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
)


def canonical(value: Any) -> bytes:
    """Return the one JSON form of *value* (integers and strings only, so it is unambiguous)."""
    return _ENCODER.encode(value).encode("utf-8")
