"""The centre's tables. Times are wall times in microseconds since 1970 UTC.

Three sorts stand side by side: what the boxes said (ledger, event, body), whose form is frozen;
what the centre keeps beside it (document, incident, upload, media, box, stamp); and projections,
which ``projections.rebuild`` empties and fills again from the events. Works on SQLite and
PostgreSQL.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy.schema import SchemaItem

metadata = MetaData()

# SQLite numbers rows by itself only in a column of type INTEGER.
Number = BigInteger().with_variant(Integer, "sqlite")


def _text(name: str, comment: str, default: str | None = None) -> Column[str]:
    return Column(name, Text, nullable=False, comment=comment, default=default)


def _whole(name: str, comment: str) -> Column[int]:
    return Column(name, BigInteger, nullable=False, comment=comment)


def _hash(name: str, comment: str, length: int = 32) -> Column[bytes]:
    check = CheckConstraint(f"length({name}) = {length}", name=f"{name}_length")
    return Column(name, LargeBinary, check, nullable=False, comment=comment)


centre = Table(
    "centre",
    metadata,
    Column("one", Integer, CheckConstraint("one = 1", name="only_one"), primary_key=True),
    _text("epoch", "born with this store; a restored centre is obeyed again under a new one"),
)

box = Table(
    "box",
    metadata,
    Column("id", Text, primary_key=True, comment="as in its configuration and its topics"),
    _text("ledger", "uuid of the ledger it writes now"),
    _hash("public_key", "Ed25519; as enrolled, or in development as first heard"),
    Column(
        "sealing_key", LargeBinary, comment="X25519; what is written to the box is sealed to it"
    ),
    Column("enrolled_at", BigInteger, comment="the centre's time; absent: trusted as first heard"),
    Column("revoked_at", BigInteger, comment="the centre's time; its certificates are void"),
    _whole("first_seen", "the centre's time"),
    _whole("last_seen", "the centre's time of the last message"),
    _whole("head", "last seq that the box said it has"),
    _whole("media_waiting", "media files that it said it has yet to send"),
    _whole("clock_ahead", "the box's wall time minus the centre's at the last hello"),
    _text("clock", "quality of the box's clock at the last hello"),
    _text("software", "version at the last hello"),
    _whole("safe", "last seq for which it holds a receipt, as it said"),
    _text("speaks", "JSON list: what its software understands"),
)

ledger = Table(
    "ledger",
    metadata,
    Column("uuid", Text, primary_key=True),
    _text("box", "box id"),
    _hash("public_key", "Ed25519; signs every event"),
    _whole("last", "seq of the last event held, 0 before the first"),
    _hash("last_hash", "its hash; before the first, what the root's uuid hashes to"),
    _text("parent", "uuid of the ledger it branched off from, empty for one that did not"),
    _whole("base", "up to here its events are the parent's, 0 without one"),
    _text("root", "uuid of the ledger at the beginning of the line, its own without a parent"),
    _whole("said", "highest seq that a box ever said it has"),
    CheckConstraint("base >= 0 AND last >= base", name="last_beyond_base"),
)

event = Table(
    "event",
    metadata,
    Column("ledger", Text, primary_key=True),
    Column("seq", BigInteger, primary_key=True, autoincrement=False, comment="from 1, no gaps"),
    _text("id", "chosen by the box's writer"),
    _text("kind", "such as scan.made"),
    _whole("at", "the box's wall time"),
    _text("boot", "the box's kernel boot id"),
    _whole("mono", "nanoseconds since boot, suspend included"),
    Column(
        "clock",
        Text,
        CheckConstraint("clock IN ('synchronised', 'unsynchronised')", name="clock_quality"),
        nullable=False,
    ),
    _hash("body_hash", "SHA-256(salt, content)"),
    _hash("prev_hash", "hash of the event before"),
    _hash("hash", "SHA-256 of the header"),
    _hash("signature", "Ed25519 over hash", 64),
    _whole("received_at", "the centre's time"),
    CheckConstraint("seq >= 1", name="seq_positive"),
    # Two branches of one ledger may both hold what has a set name, such as a planned snapshot.
    UniqueConstraint("ledger", "id", name="event_id_once"),
    Index("event_by_id", "id"),
)

body = Table(
    "body",
    metadata,
    Column("ledger", Text, primary_key=True),
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    _hash("salt", "random"),
    Column("content", LargeBinary, nullable=False, comment="as stored on the box"),
)

incident = Table(
    "incident",
    metadata,
    Column("number", Number, primary_key=True, autoincrement=True),
    _text("box", "box id as in the topic"),
    _text("ledger", "uuid, empty when none was named"),
    _whole("seq", "of the event concerned, 0 when none is"),
    _text("cause", "one of incidents.CAUSES"),
    _text("text", "what happened, for people"),
    Column("content", LargeBinary, nullable=False, comment="what was set aside, cut to 64 KiB"),
    _whole("first_at", "the centre's time"),
    _whole("last_at", "the centre's time of the last repetition"),
    _whole("times", "how often it happened"),
    Column("resolved_at", BigInteger, comment="the centre's time; absent: somebody must look"),
    Column("resolved_by", Text, comment="who looked"),
    Column("note", Text, comment="what they found and did"),
    UniqueConstraint("box", "ledger", "seq", "cause", name="incident_once"),
)

document = Table(
    "document",
    metadata,
    Column("number", Number, primary_key=True, autoincrement=True, comment="order of storing"),
    _text("box", "box id"),
    _text("kind", "one of edge.documents.KINDS"),
    _text("epoch", "the centre's when it was stored"),
    _whole("version", "from 1 within box, kind and epoch"),
    _text("sha256", "of content; lessons cite it"),
    Column("content", LargeBinary, comment="absent when it was erased"),
    _whole("stored_at", "the centre's time"),
    UniqueConstraint("box", "kind", "epoch", "version", name="version_once"),
    Index("document_by_sha256", "sha256"),
)

upload = Table(
    "upload",
    metadata,
    Column("box", Text, primary_key=True),
    Column("sha256", Text, primary_key=True),
    _whole("size", "bytes of the whole file"),
    _whole("held", "bytes from the beginning that are durable here"),
    _whole("at", "the centre's time of the last chunk"),
    CheckConstraint("held >= 0 AND held <= size", name="held_within"),
)

media = Table(
    "media",
    metadata,
    Column("sha256", Text, primary_key=True, comment="name of the file"),
    _whole("size", "bytes"),
    _text("box", "which box sent it first"),
    _whole("stored_at", "the centre's time"),
)

anchor = Table(
    "anchor",
    metadata,
    Column("ledger", Text, primary_key=True),
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    _hash("hash", "of that event"),
    _whole("at", "the centre's time"),
    _hash("signature", "the centre's Ed25519 over sync.wire.signed_part", 64),
)

stamp = Table(
    "stamp",
    metadata,
    Column("number", Number, primary_key=True, autoincrement=True),
    _whole("at", "the centre's time when it came"),
    _text("address", "of the authority that gave it"),
    Column("statement", LargeBinary, nullable=False, comment="what it covers"),
    Column("response", LargeBinary, nullable=False, comment="TimeStampResp (RFC 3161), DER"),
)

backup = Table(
    "backup",
    metadata,
    Column("number", Number, primary_key=True, autoincrement=True),
    _whole("until", "the centre's time: what arrived before is in the backup"),
    _whole("noted_at", "the centre's time"),
    _text("place", "where it lies, for people"),
)

request = Table(
    "request",
    metadata,
    Column("id", Text, primary_key=True),
    _text("box", "box id"),
    _text("kind", "what to do"),
    Column("args", LargeBinary, comment="JSON; absent when it was erased"),
    _whole("filed_at", "the centre's time"),
    _text("filed_by", "who"),
    _whole("expires", "the centre's time"),
    Column("answered_at", BigInteger, comment="the centre's time"),
    Column("ledger", Text, comment="of the event that answers"),
    Column("seq", BigInteger, comment="of the event that answers"),
    Index("request_by_box", "box", "expires"),
)

erasure = Table(
    "erasure",
    metadata,
    Column("ledger", Text, primary_key=True),
    Column("seq", BigInteger, primary_key=True, autoincrement=False, comment="whose body is gone"),
    _whole("at", "the centre's time"),
    _text("reason", "as in body.erased"),
)

media_erased = Table(
    "media_erased",
    metadata,
    Column("sha256", Text, primary_key=True, comment="a file that is gone and stays away"),
    _whole("at", "the centre's time"),
)

lesson_run = Table(
    "lesson_run",
    metadata,
    Column("box", Text, primary_key=True),
    Column("lesson_id", Text, primary_key=True),
    _text("ledger", "of the event that opened it"),
    _whole("seq", "of the event that opened it"),
    Column(
        "state",
        Text,
        CheckConstraint("state IN ('open', 'held')", name="state_known"),
        nullable=False,
    ),
    _whole("opened_at", "the box's time"),
    _text("opened_by", "instructor id"),
    Column("ended_at", BigInteger, comment="the box's time"),
    Column("ended_by", Text, comment="instructor id, or timetable"),
    _whole("starts", "S as frozen at opening"),
    _whole("ends", "E as frozen at opening"),
    _text("profile", "name of the rule profile"),
    _text("documents", "JSON: kind -> SHA-256, frozen at opening"),
    _text("content", "JSON of the lesson as frozen at opening"),
    Index("lesson_run_by_lesson", "lesson_id"),
)


def _of_event(name: str, *columns: SchemaItem) -> Table:
    """Return a projection with one row an event, so that no event can count twice."""
    return Table(
        name,
        metadata,
        Column("ledger", Text, primary_key=True),
        Column("seq", BigInteger, primary_key=True, autoincrement=False),
        _text("box", "box id"),
        *columns,
    )


scan = _of_event(
    "scan",
    _text("id", "the event's"),
    _text("person_id", ""),
    _whole("at", "when the deciding frame was taken, as far as is known now"),
    _text("way", "face | manual, and what newer boxes may add"),
    _text("photo", "SHA-256, empty when there is none"),
    _whole("score", "ten-thousandths"),
    _text("entered_by", "instructor id when manual"),
    _text("reason", "coded, when manual"),
    _text("boot", "in which the frame was taken"),
    _whole("mono", "the box's monotonic clock then, nanoseconds"),
    _text("clock", "whether the box's time was synchronised then"),
    Column("error", BigInteger, comment="bound of a corrected time; absent: as the box said it"),
    Index("scan_by_time", "at"),
    Index("scan_by_boot", "boot"),
    Index("scan_by_person", "person_id", "at"),
)

snapshot = _of_event(
    "snapshot",
    _text("lesson_id", ""),
    _whole("hour", "lesson hour, from 0"),
    _whole("number", "snapshot of that hour, from 1"),
    _text("camera", ""),
    _whole("at", "when it was taken, or given up"),
    _text("sha256", "empty when missed"),
    _text("cause", "why it was missed"),
    Column("method", Text, nullable=False, server_default="", comment="how it was taken"),
    CheckConstraint("(sha256 = '') <> (cause = '')", name="taken_or_missed"),
    Index("snapshot_by_lesson", "lesson_id"),
)

picture_copy = _of_event(
    "picture_copy",
    _text("lesson_id", ""),
    _text("original", "SHA-256 of the picture as it was taken"),
    _text("sha256", "of the copy with the watermark"),
    _whole("heads", "as model counted them"),
    _text("model", "name and version"),
    Index("picture_copy_by_lesson", "lesson_id"),
)

spot_check_item = _of_event(
    "spot_check_item",
    _text("lesson_id", ""),
    _text("check", "the spot check it belongs to"),
    _whole("number", "in it, from 1"),
    _text("sort", "photo | clip"),
    _text("source", "classroom | spare | phone"),
    _text("camera", ""),
    _whole("at", ""),
    _text("sha256", ""),
    Index("spot_check_item_by_lesson", "lesson_id"),
)

spot_check = _of_event(
    "spot_check",
    _text("lesson_id", ""),
    _text("check", ""),
    _text("by", "the instructor who confirmed it"),
    _whole("at", "the box's time of the confirmation"),
    _whole("present", "checked in then"),
    _text("items", "JSON: SHA-256 of what was confirmed"),
    Index("spot_check_by_lesson", "lesson_id"),
)

recording = _of_event(
    "recording",
    _text("lesson_id", ""),
    _text("camera", ""),
    _whole("starts", ""),
    Column("ends", BigInteger, comment="absent: it began, and its end is not known yet"),
    _text("sha256", "empty while it runs"),
    _whole("bytes", ""),
    Column("interrupted", Boolean, nullable=False),
    Index("recording_by_lesson", "lesson_id"),
)

gap = _of_event(
    "gap",
    _text("lesson_id", ""),
    _text("camera", ""),
    _whole("starts", ""),
    _whole("ends", ""),
    _text("cause", ""),
    Index("gap_by_lesson", "lesson_id"),
)

clock_truth = _of_event(
    "clock_truth",
    _text("boot", ""),
    _whole("mono", "when it was true, nanoseconds since boot"),
    _whole("clock_offset", "true wall time minus monotonic clock, microseconds"),
    _whole("error", "bound on either side, microseconds"),
    _text("source", "ntp | centre | battery"),
    Index("clock_truth_by_boot", "boot"),
)

camera = Table(
    "camera",
    metadata,
    Column("box", Text, primary_key=True),
    Column("camera", Text, primary_key=True),
    _text("state", "online | offline | refused | unusable"),
    _text("cause", ""),
    _whole("at", "the box's time of the change"),
)

PROJECTIONS = (
    lesson_run,
    scan,
    snapshot,
    picture_copy,
    spot_check_item,
    spot_check,
    recording,
    gap,
    clock_truth,
    camera,
)
