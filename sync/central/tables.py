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
    Table,
    Text,
    UniqueConstraint,
)

from sync.central.columns import PROJECTIONS as PROJECTIONS  # whoever wants all finds them here
from sync.central.columns import Number, clocks, of_event, projection, raw, text, whole
from sync.central.columns import metadata as metadata
from sync.central.filing import tables as _filing  # noqa: F401  its tables join the metadata
from sync.central.live_tables import live_view as live_view

centre = Table(
    "centre",
    metadata,
    Column("one", Integer, CheckConstraint("one = 1", name="only_one"), primary_key=True),
    text("epoch", "born with this store; a restored centre is obeyed again under a new one"),
)

box = Table(
    "box",
    metadata,
    Column("id", Text, primary_key=True, comment="as in its configuration and its topics"),
    text("ledger", "uuid of the ledger it writes now"),
    raw("public_key", "Ed25519; as enrolled, or in development as first heard"),
    Column(
        "sealing_key", LargeBinary, comment="X25519; what is written to the box is sealed to it"
    ),
    Column("enrolled_at", BigInteger, comment="the centre's time; absent: trusted as first heard"),
    Column("revoked_at", BigInteger, comment="the centre's time; its certificates are void"),
    whole("first_seen", "the centre's time"),
    whole("last_seen", "the centre's time of the last message"),
    whole("head", "last seq that the box said it has"),
    whole("media_waiting", "media files that it said it has yet to send"),
    whole("clock_ahead", "the box's wall time minus the centre's at the last hello"),
    text("clock", "quality of the box's clock at the last hello"),
    text("software", "version at the last hello"),
    whole("safe", "last seq for which it holds a receipt, as it said"),
    text("speaks", "JSON list: what its software understands"),
)

ledger = Table(
    "ledger",
    metadata,
    Column("uuid", Text, primary_key=True),
    text("box", "box id"),
    raw("public_key", "Ed25519; signs every event"),
    whole("last", "seq of the last event held, 0 before the first"),
    raw("last_hash", "its hash; before the first, what the root's uuid hashes to"),
    text("parent", "uuid of the ledger it branched off from, empty for one that did not"),
    whole("base", "up to here its events are the parent's, 0 without one"),
    text("root", "uuid of the ledger at the beginning of the line, its own without a parent"),
    whole("said", "highest seq that a box ever said it has"),
    CheckConstraint("base >= 0 AND last >= base", name="last_beyond_base"),
)

event = Table(
    "event",
    metadata,
    Column("ledger", Text, primary_key=True),
    Column("seq", BigInteger, primary_key=True, autoincrement=False, comment="from 1, no gaps"),
    text("id", "chosen by the box's writer"),
    text("kind", "such as scan.made"),
    whole("at", "the box's wall time"),
    text("boot", "the box's kernel boot id"),
    whole("mono", "nanoseconds since boot, suspend included"),
    Column(
        "clock",
        Text,
        CheckConstraint("clock IN ('synchronised', 'unsynchronised')", name="clock_quality"),
        nullable=False,
    ),
    raw("body_hash", "SHA-256(salt, content)"),
    raw("prev_hash", "hash of the event before"),
    raw("hash", "SHA-256 of the header"),
    raw("signature", "Ed25519 over hash", 64),
    whole("received_at", "the centre's time"),
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
    raw("salt", "random"),
    Column("content", LargeBinary, nullable=False, comment="as stored on the box"),
)

incident = Table(
    "incident",
    metadata,
    Column("number", Number, primary_key=True, autoincrement=True),
    text("box", "box id as in the topic"),
    text("ledger", "uuid, empty when none was named"),
    whole("seq", "of the event concerned, 0 when none is"),
    text("cause", "one of incidents.CAUSES"),
    text("text", "what happened, for people"),
    Column("content", LargeBinary, nullable=False, comment="what was set aside, cut to 64 KiB"),
    whole("first_at", "the centre's time"),
    whole("last_at", "the centre's time of the last repetition"),
    whole("times", "how often it happened"),
    Column("resolved_at", BigInteger, comment="the centre's time; absent: somebody must look"),
    Column("resolved_by", Text, comment="who looked"),
    Column("note", Text, comment="what they found and did"),
    UniqueConstraint("box", "ledger", "seq", "cause", name="incident_once"),
)

document = Table(
    "document",
    metadata,
    Column("number", Number, primary_key=True, autoincrement=True, comment="order of storing"),
    text("box", "box id"),
    text("kind", "one of edge.documents.KINDS"),
    text("epoch", "the centre's when it was stored"),
    whole("version", "from 1 within box, kind and epoch"),
    text("sha256", "of content; lessons cite it"),
    Column("content", LargeBinary, comment="absent when it was erased"),
    whole("stored_at", "the centre's time"),
    UniqueConstraint("box", "kind", "epoch", "version", name="version_once"),
    Index("document_by_sha256", "sha256"),
)

upload = Table(
    "upload",
    metadata,
    Column("box", Text, primary_key=True),
    Column("sha256", Text, primary_key=True),
    whole("size", "bytes of the whole file"),
    whole("held", "bytes from the beginning that are durable here"),
    whole("at", "the centre's time of the last chunk"),
    CheckConstraint("held >= 0 AND held <= size", name="held_within"),
)

media = Table(
    "media",
    metadata,
    Column("sha256", Text, primary_key=True, comment="name of the file"),
    whole("size", "bytes"),
    text("box", "which box sent it first"),
    whole("stored_at", "the centre's time"),
)

anchor = Table(
    "anchor",
    metadata,
    Column("ledger", Text, primary_key=True),
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    raw("hash", "of that event"),
    whole("at", "the centre's time"),
    raw("signature", "the centre's Ed25519 over sync.wire.signed_part", 64),
)

stamp = Table(
    "stamp",
    metadata,
    Column("number", Number, primary_key=True, autoincrement=True),
    whole("at", "the centre's time when it came"),
    text("address", "of the authority that gave it"),
    Column("statement", LargeBinary, nullable=False, comment="what it covers"),
    Column("response", LargeBinary, nullable=False, comment="TimeStampResp (RFC 3161), DER"),
)

backup = Table(
    "backup",
    metadata,
    Column("number", Number, primary_key=True, autoincrement=True),
    whole("until", "the centre's time: what arrived before is in the backup"),
    whole("noted_at", "the centre's time"),
    text("place", "where it lies, for people"),
)

request = Table(
    "request",
    metadata,
    Column("id", Text, primary_key=True),
    text("box", "box id"),
    text("kind", "what to do"),
    Column("args", LargeBinary, comment="JSON; absent when it was erased"),
    whole("filed_at", "the centre's time"),
    text("filed_by", "who"),
    whole("expires", "the centre's time"),
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
    whole("at", "the centre's time"),
    text("reason", "as in body.erased"),
)

media_erased = Table(
    "media_erased",
    metadata,
    Column("sha256", Text, primary_key=True, comment="a file that is gone and stays away"),
    whole("at", "the centre's time"),
)

lesson_run = projection(
    "lesson_run",
    Column("box", Text, primary_key=True),
    Column("lesson_id", Text, primary_key=True),
    text("ledger", "of the event that opened it"),
    whole("seq", "of the event that opened it"),
    Column(
        "state",
        Text,
        CheckConstraint("state IN ('open', 'held')", name="state_known"),
        nullable=False,
    ),
    whole("opened_at", "the box's time"),
    text("opened_by", "instructor id"),
    Column("ended_at", BigInteger, comment="the box's time"),
    Column("ended_by", Text, comment="instructor id, or timetable"),
    whole("starts", "S as frozen at opening"),
    whole("ends", "E as frozen at opening"),
    text("profile", "name of the rule profile"),
    text("documents", "JSON: kind -> SHA-256, frozen at opening"),
    text("content", "JSON of the lesson as frozen at opening"),
    Column("ended_ledger", Text, comment="of the event that ended it"),
    Column("ended_seq", BigInteger, comment="of the event that ended it"),
    Index("lesson_run_by_lesson", "lesson_id"),
)


scan = of_event(
    "scan",
    text("id", "the event's"),
    text("person_id", ""),
    whole("at", "when the deciding frame was taken, as far as is known now"),
    text("way", "face | manual, and what newer boxes may add"),
    text("photo", "SHA-256, empty when there is none"),
    whole("score", "ten-thousandths"),
    text("entered_by", "instructor id when manual"),
    text("reason", "coded, when manual"),
    text("boot", "in which the frame was taken"),
    whole("mono", "the box's monotonic clock then, nanoseconds"),
    text("clock", "whether the box's time was synchronised then"),
    Column("error", BigInteger, comment="bound of a corrected time; absent: as the box said it"),
    Index("scan_by_time", "at"),
    Index("scan_by_boot", "boot"),
    Index("scan_by_person", "person_id", "at"),
)

snapshot = of_event(
    "snapshot",
    text("lesson_id", ""),
    whole("hour", "lesson hour, from 0"),
    whole("number", "snapshot of that hour, from 1"),
    text("camera", ""),
    whole("at", "when it was taken, or given up"),
    text("sha256", "empty when missed"),
    text("cause", "why it was missed"),
    *clocks(),
    CheckConstraint("(sha256 = '') <> (cause = '')", name="taken_or_missed"),
    Index("snapshot_by_lesson", "lesson_id"),
)

recovered_snapshot = of_event(
    "recovered_snapshot",
    text("lesson_id", ""),
    text("sha256", "a frame of the recording"),
    Index("recovered_snapshot_by_lesson", "lesson_id"),
)

picture_copy = of_event(
    "picture_copy",
    text("lesson_id", ""),
    text("original", "SHA-256 of the picture as it was taken"),
    text("sha256", "of the copy with the watermark"),
    whole("heads", "as model counted them"),
    text("model", "name and version"),
    Index("picture_copy_by_lesson", "lesson_id"),
)

spot_check_item = of_event(
    "spot_check_item",
    text("lesson_id", ""),
    text("check", "the spot check it belongs to"),
    whole("number", "in it, from 1"),
    text("sort", "photo | clip"),
    text("source", "classroom | spare | phone"),
    text("camera", ""),
    whole("at", ""),
    text("sha256", ""),
    Index("spot_check_item_by_lesson", "lesson_id"),
)

spot_check = of_event(
    "spot_check",
    text("lesson_id", ""),
    text("check", ""),
    text("by", "the instructor who confirmed it"),
    whole("at", "the box's time of the confirmation"),
    whole("present", "checked in then"),
    text("items", "JSON: SHA-256 of what was confirmed"),
    Index("spot_check_by_lesson", "lesson_id"),
)

recording = of_event(
    "recording",
    text("lesson_id", ""),
    text("camera", ""),
    whole("starts", ""),
    Column("ends", BigInteger, comment="absent: it began, and its end is not known yet"),
    text("sha256", "empty while it runs"),
    whole("bytes", ""),
    Column("interrupted", Boolean, nullable=False),
    *clocks(),
    Index("recording_by_lesson", "lesson_id"),
)

gap = of_event(
    "gap",
    text("lesson_id", ""),
    text("camera", ""),
    whole("starts", ""),
    whole("ends", ""),
    text("cause", ""),
    Index("gap_by_lesson", "lesson_id"),
)

clock_truth = of_event(
    "clock_truth",
    text("boot", ""),
    whole("mono", "when it was true, nanoseconds since boot"),
    whole("clock_offset", "true wall time minus monotonic clock, microseconds"),
    whole("error", "bound on either side, microseconds"),
    text("source", "ntp | centre | battery"),
    Index("clock_truth_by_boot", "boot"),
)

camera = projection(
    "camera",
    Column("box", Text, primary_key=True),
    Column("camera", Text, primary_key=True),
    text("state", "online | offline | refused | unusable"),
    text("cause", ""),
    whole("at", "the box's time of the change"),
)

document_answer = of_event(
    "document_answer",
    text("kind", "of document"),
    text("epoch", "of the centre"),
    whole("version", ""),
    text("outcome", "applied | refused"),
    text("reason", "why it was refused"),
    whole("at", "the box's time"),
    Index("document_answer_by_box", "box", "epoch", "kind"),
)

alert = projection(
    "alert",
    Column("box", Text, primary_key=True),
    Column("subject", Text, primary_key=True, comment="a camera's id, or box"),
    Column("code", Text, primary_key=True, comment="of edge.rules.alerts"),
    text("detail", "what the box saw"),
    text("lesson_id", "of that moment, or empty"),
    whole("at", "the box's time of the raising"),
)

disk = projection(
    "disk",
    Column("box", Text, primary_key=True),
    text("quality", "what the cameras record, of edge.rules.disk"),
    Column("ballast", Boolean, nullable=False),
    whole("free", "bytes"),
    whole("total", "bytes"),
    whole("days_left", "days of lessons, -1 when nothing is recorded"),
    whole("at", "the box's time of the change"),
)
