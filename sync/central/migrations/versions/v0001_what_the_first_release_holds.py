"""What the first release holds."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go one step up."""
    op.create_table(
        "anchor",
        sa.Column("ledger", sa.Text(), nullable=False),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False, comment="of that event"),
        sa.Column("at", sa.BigInteger(), nullable=False, comment="the centre's time"),
        sa.Column(
            "signature",
            sa.LargeBinary(),
            nullable=False,
            comment="the centre's Ed25519 over sync.wire.signed_part",
        ),
        sa.CheckConstraint("length(hash) = 32", name="hash_length"),
        sa.CheckConstraint("length(signature) = 64", name="signature_length"),
        sa.PrimaryKeyConstraint("ledger", "seq"),
    )
    op.create_table(
        "backup",
        sa.Column(
            "number",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column(
            "until",
            sa.BigInteger(),
            nullable=False,
            comment="the centre's time: what arrived before is in the backup",
        ),
        sa.Column("noted_at", sa.BigInteger(), nullable=False, comment="the centre's time"),
        sa.Column("place", sa.Text(), nullable=False, comment="where it lies, for people"),
        sa.PrimaryKeyConstraint("number"),
    )
    op.create_table(
        "body",
        sa.Column("ledger", sa.Text(), nullable=False),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("salt", sa.LargeBinary(), nullable=False, comment="random"),
        sa.Column("content", sa.LargeBinary(), nullable=False, comment="as stored on the box"),
        sa.CheckConstraint("length(salt) = 32", name="salt_length"),
        sa.PrimaryKeyConstraint("ledger", "seq"),
    )
    op.create_table(
        "box",
        sa.Column(
            "id", sa.Text(), nullable=False, comment="as in its configuration and its topics"
        ),
        sa.Column("ledger", sa.Text(), nullable=False, comment="uuid of the ledger it writes now"),
        sa.Column(
            "public_key",
            sa.LargeBinary(),
            nullable=False,
            comment="Ed25519; as enrolled, or in development as first heard",
        ),
        sa.Column(
            "sealing_key",
            sa.LargeBinary(),
            nullable=True,
            comment="X25519; what is written to the box is sealed to it",
        ),
        sa.Column(
            "enrolled_at",
            sa.BigInteger(),
            nullable=True,
            comment="the centre's time; absent: trusted as first heard",
        ),
        sa.Column(
            "revoked_at",
            sa.BigInteger(),
            nullable=True,
            comment="the centre's time; its certificates are void",
        ),
        sa.Column("first_seen", sa.BigInteger(), nullable=False, comment="the centre's time"),
        sa.Column(
            "last_seen",
            sa.BigInteger(),
            nullable=False,
            comment="the centre's time of the last message",
        ),
        sa.Column(
            "head", sa.BigInteger(), nullable=False, comment="last seq that the box said it has"
        ),
        sa.Column(
            "media_waiting",
            sa.BigInteger(),
            nullable=False,
            comment="media files that it said it has yet to send",
        ),
        sa.Column(
            "clock_ahead",
            sa.BigInteger(),
            nullable=False,
            comment="the box's wall time minus the centre's at the last hello",
        ),
        sa.Column(
            "clock",
            sa.Text(),
            nullable=False,
            comment="quality of the box's clock at the last hello",
        ),
        sa.Column("software", sa.Text(), nullable=False, comment="version at the last hello"),
        sa.Column(
            "safe",
            sa.BigInteger(),
            nullable=False,
            comment="last seq for which it holds a receipt, as it said",
        ),
        sa.Column(
            "speaks", sa.Text(), nullable=False, comment="JSON list: what its software understands"
        ),
        sa.CheckConstraint("length(public_key) = 32", name="public_key_length"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "camera",
        sa.Column("box", sa.Text(), nullable=False),
        sa.Column("camera", sa.Text(), nullable=False),
        sa.Column(
            "state", sa.Text(), nullable=False, comment="online | offline | refused | unusable"
        ),
        sa.Column("cause", sa.Text(), nullable=False, comment=""),
        sa.Column("at", sa.BigInteger(), nullable=False, comment="the box's time of the change"),
        sa.PrimaryKeyConstraint("box", "camera"),
    )
    op.create_table(
        "centre",
        sa.Column("one", sa.Integer(), nullable=False),
        sa.Column(
            "epoch",
            sa.Text(),
            nullable=False,
            comment="born with this store; a restored centre is obeyed again under a new one",
        ),
        sa.CheckConstraint("one = 1", name="only_one"),
        sa.PrimaryKeyConstraint("one"),
    )
    op.create_table(
        "clock_truth",
        sa.Column("ledger", sa.Text(), nullable=False),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("box", sa.Text(), nullable=False, comment="box id"),
        sa.Column("boot", sa.Text(), nullable=False, comment=""),
        sa.Column(
            "mono",
            sa.BigInteger(),
            nullable=False,
            comment="when it was true, nanoseconds since boot",
        ),
        sa.Column(
            "clock_offset",
            sa.BigInteger(),
            nullable=False,
            comment="true wall time minus monotonic clock, microseconds",
        ),
        sa.Column(
            "error", sa.BigInteger(), nullable=False, comment="bound on either side, microseconds"
        ),
        sa.Column("source", sa.Text(), nullable=False, comment="ntp | centre | battery"),
        sa.PrimaryKeyConstraint("ledger", "seq"),
    )
    op.create_index("clock_truth_by_boot", "clock_truth", ["boot"], unique=False)
    op.create_table(
        "document",
        sa.Column(
            "number",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
            comment="order of storing",
        ),
        sa.Column("box", sa.Text(), nullable=False, comment="box id"),
        sa.Column("kind", sa.Text(), nullable=False, comment="one of edge.documents.KINDS"),
        sa.Column("epoch", sa.Text(), nullable=False, comment="the centre's when it was stored"),
        sa.Column(
            "version", sa.BigInteger(), nullable=False, comment="from 1 within box, kind and epoch"
        ),
        sa.Column("sha256", sa.Text(), nullable=False, comment="of content; lessons cite it"),
        sa.Column("content", sa.LargeBinary(), nullable=True, comment="absent when it was erased"),
        sa.Column("stored_at", sa.BigInteger(), nullable=False, comment="the centre's time"),
        sa.PrimaryKeyConstraint("number"),
        sa.UniqueConstraint("box", "kind", "epoch", "version", name="version_once"),
    )
    op.create_index("document_by_sha256", "document", ["sha256"], unique=False)
    op.create_table(
        "erasure",
        sa.Column("ledger", sa.Text(), nullable=False),
        sa.Column(
            "seq",
            sa.BigInteger(),
            autoincrement=False,
            nullable=False,
            comment="whose body is gone",
        ),
        sa.Column("at", sa.BigInteger(), nullable=False, comment="the centre's time"),
        sa.Column("reason", sa.Text(), nullable=False, comment="as in body.erased"),
        sa.PrimaryKeyConstraint("ledger", "seq"),
    )
    op.create_table(
        "event",
        sa.Column("ledger", sa.Text(), nullable=False),
        sa.Column(
            "seq", sa.BigInteger(), autoincrement=False, nullable=False, comment="from 1, no gaps"
        ),
        sa.Column("id", sa.Text(), nullable=False, comment="chosen by the box's writer"),
        sa.Column("kind", sa.Text(), nullable=False, comment="such as scan.made"),
        sa.Column("at", sa.BigInteger(), nullable=False, comment="the box's wall time"),
        sa.Column("boot", sa.Text(), nullable=False, comment="the box's kernel boot id"),
        sa.Column(
            "mono",
            sa.BigInteger(),
            nullable=False,
            comment="nanoseconds since boot, suspend included",
        ),
        sa.Column("clock", sa.Text(), nullable=False),
        sa.Column("body_hash", sa.LargeBinary(), nullable=False, comment="SHA-256(salt, content)"),
        sa.Column(
            "prev_hash", sa.LargeBinary(), nullable=False, comment="hash of the event before"
        ),
        sa.Column("hash", sa.LargeBinary(), nullable=False, comment="SHA-256 of the header"),
        sa.Column("signature", sa.LargeBinary(), nullable=False, comment="Ed25519 over hash"),
        sa.Column("received_at", sa.BigInteger(), nullable=False, comment="the centre's time"),
        sa.CheckConstraint("clock IN ('synchronised', 'unsynchronised')", name="clock_quality"),
        sa.CheckConstraint("length(body_hash) = 32", name="body_hash_length"),
        sa.CheckConstraint("length(hash) = 32", name="hash_length"),
        sa.CheckConstraint("length(prev_hash) = 32", name="prev_hash_length"),
        sa.CheckConstraint("length(signature) = 64", name="signature_length"),
        sa.CheckConstraint("seq >= 1", name="seq_positive"),
        sa.PrimaryKeyConstraint("ledger", "seq"),
        sa.UniqueConstraint("ledger", "id", name="event_id_once"),
    )
    op.create_index("event_by_id", "event", ["id"], unique=False)
    op.create_table(
        "gap",
        sa.Column("ledger", sa.Text(), nullable=False),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("box", sa.Text(), nullable=False, comment="box id"),
        sa.Column("lesson_id", sa.Text(), nullable=False, comment=""),
        sa.Column("camera", sa.Text(), nullable=False, comment=""),
        sa.Column("starts", sa.BigInteger(), nullable=False, comment=""),
        sa.Column("ends", sa.BigInteger(), nullable=False, comment=""),
        sa.Column("cause", sa.Text(), nullable=False, comment=""),
        sa.PrimaryKeyConstraint("ledger", "seq"),
    )
    op.create_index("gap_by_lesson", "gap", ["lesson_id"], unique=False)
    op.create_table(
        "incident",
        sa.Column(
            "number",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("box", sa.Text(), nullable=False, comment="box id as in the topic"),
        sa.Column("ledger", sa.Text(), nullable=False, comment="uuid, empty when none was named"),
        sa.Column(
            "seq", sa.BigInteger(), nullable=False, comment="of the event concerned, 0 when none is"
        ),
        sa.Column("cause", sa.Text(), nullable=False, comment="one of incidents.CAUSES"),
        sa.Column("text", sa.Text(), nullable=False, comment="what happened, for people"),
        sa.Column(
            "content", sa.LargeBinary(), nullable=False, comment="what was set aside, cut to 64 KiB"
        ),
        sa.Column("first_at", sa.BigInteger(), nullable=False, comment="the centre's time"),
        sa.Column(
            "last_at",
            sa.BigInteger(),
            nullable=False,
            comment="the centre's time of the last repetition",
        ),
        sa.Column("times", sa.BigInteger(), nullable=False, comment="how often it happened"),
        sa.Column(
            "resolved_at",
            sa.BigInteger(),
            nullable=True,
            comment="the centre's time; absent: somebody must look",
        ),
        sa.Column("resolved_by", sa.Text(), nullable=True, comment="who looked"),
        sa.Column("note", sa.Text(), nullable=True, comment="what they found and did"),
        sa.PrimaryKeyConstraint("number"),
        sa.UniqueConstraint("box", "ledger", "seq", "cause", name="incident_once"),
    )
    op.create_table(
        "ledger",
        sa.Column("uuid", sa.Text(), nullable=False),
        sa.Column("box", sa.Text(), nullable=False, comment="box id"),
        sa.Column(
            "public_key", sa.LargeBinary(), nullable=False, comment="Ed25519; signs every event"
        ),
        sa.Column(
            "last",
            sa.BigInteger(),
            nullable=False,
            comment="seq of the last event held, 0 before the first",
        ),
        sa.Column(
            "last_hash",
            sa.LargeBinary(),
            nullable=False,
            comment="its hash; before the first, what the root's uuid hashes to",
        ),
        sa.Column(
            "parent",
            sa.Text(),
            nullable=False,
            comment="uuid of the ledger it branched off from, empty for one that did not",
        ),
        sa.Column(
            "base",
            sa.BigInteger(),
            nullable=False,
            comment="up to here its events are the parent's, 0 without one",
        ),
        sa.Column(
            "root",
            sa.Text(),
            nullable=False,
            comment="uuid of the ledger at the beginning of the line, its own without a parent",
        ),
        sa.Column(
            "said",
            sa.BigInteger(),
            nullable=False,
            comment="highest seq that a box ever said it has",
        ),
        sa.CheckConstraint("base >= 0 AND last >= base", name="last_beyond_base"),
        sa.CheckConstraint("length(last_hash) = 32", name="last_hash_length"),
        sa.CheckConstraint("length(public_key) = 32", name="public_key_length"),
        sa.PrimaryKeyConstraint("uuid"),
    )
    op.create_table(
        "lesson_run",
        sa.Column("box", sa.Text(), nullable=False),
        sa.Column("lesson_id", sa.Text(), nullable=False),
        sa.Column("ledger", sa.Text(), nullable=False, comment="of the event that opened it"),
        sa.Column("seq", sa.BigInteger(), nullable=False, comment="of the event that opened it"),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("opened_at", sa.BigInteger(), nullable=False, comment="the box's time"),
        sa.Column("opened_by", sa.Text(), nullable=False, comment="instructor id"),
        sa.Column("ended_at", sa.BigInteger(), nullable=True, comment="the box's time"),
        sa.Column("ended_by", sa.Text(), nullable=True, comment="instructor id, or timetable"),
        sa.Column("starts", sa.BigInteger(), nullable=False, comment="S as frozen at opening"),
        sa.Column("ends", sa.BigInteger(), nullable=False, comment="E as frozen at opening"),
        sa.Column("profile", sa.Text(), nullable=False, comment="name of the rule profile"),
        sa.Column(
            "documents",
            sa.Text(),
            nullable=False,
            comment="JSON: kind -> SHA-256, frozen at opening",
        ),
        sa.Column(
            "content", sa.Text(), nullable=False, comment="JSON of the lesson as frozen at opening"
        ),
        sa.CheckConstraint("state IN ('open', 'held')", name="state_known"),
        sa.PrimaryKeyConstraint("box", "lesson_id"),
    )
    op.create_index("lesson_run_by_lesson", "lesson_run", ["lesson_id"], unique=False)
    op.create_table(
        "media",
        sa.Column("sha256", sa.Text(), nullable=False, comment="name of the file"),
        sa.Column("size", sa.BigInteger(), nullable=False, comment="bytes"),
        sa.Column("box", sa.Text(), nullable=False, comment="which box sent it first"),
        sa.Column("stored_at", sa.BigInteger(), nullable=False, comment="the centre's time"),
        sa.PrimaryKeyConstraint("sha256"),
    )
    op.create_table(
        "media_erased",
        sa.Column(
            "sha256", sa.Text(), nullable=False, comment="a file that is gone and stays away"
        ),
        sa.Column("at", sa.BigInteger(), nullable=False, comment="the centre's time"),
        sa.PrimaryKeyConstraint("sha256"),
    )
    op.create_table(
        "recording",
        sa.Column("ledger", sa.Text(), nullable=False),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("box", sa.Text(), nullable=False, comment="box id"),
        sa.Column("lesson_id", sa.Text(), nullable=False, comment=""),
        sa.Column("camera", sa.Text(), nullable=False, comment=""),
        sa.Column("starts", sa.BigInteger(), nullable=False, comment=""),
        sa.Column(
            "ends",
            sa.BigInteger(),
            nullable=True,
            comment="absent: it began, and its end is not known yet",
        ),
        sa.Column("sha256", sa.Text(), nullable=False, comment="empty while it runs"),
        sa.Column("bytes", sa.BigInteger(), nullable=False, comment=""),
        sa.Column("interrupted", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("ledger", "seq"),
    )
    op.create_index("recording_by_lesson", "recording", ["lesson_id"], unique=False)
    op.create_table(
        "request",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("box", sa.Text(), nullable=False, comment="box id"),
        sa.Column("kind", sa.Text(), nullable=False, comment="what to do"),
        sa.Column(
            "args", sa.LargeBinary(), nullable=True, comment="JSON; absent when it was erased"
        ),
        sa.Column("filed_at", sa.BigInteger(), nullable=False, comment="the centre's time"),
        sa.Column("filed_by", sa.Text(), nullable=False, comment="who"),
        sa.Column("expires", sa.BigInteger(), nullable=False, comment="the centre's time"),
        sa.Column("answered_at", sa.BigInteger(), nullable=True, comment="the centre's time"),
        sa.Column("ledger", sa.Text(), nullable=True, comment="of the event that answers"),
        sa.Column("seq", sa.BigInteger(), nullable=True, comment="of the event that answers"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("request_by_box", "request", ["box", "expires"], unique=False)
    op.create_table(
        "scan",
        sa.Column("ledger", sa.Text(), nullable=False),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("box", sa.Text(), nullable=False, comment="box id"),
        sa.Column("id", sa.Text(), nullable=False, comment="the event's"),
        sa.Column("person_id", sa.Text(), nullable=False, comment=""),
        sa.Column(
            "at",
            sa.BigInteger(),
            nullable=False,
            comment="when the deciding frame was taken, as far as is known now",
        ),
        sa.Column(
            "way", sa.Text(), nullable=False, comment="face | manual, and what newer boxes may add"
        ),
        sa.Column("photo", sa.Text(), nullable=False, comment="SHA-256, empty when there is none"),
        sa.Column("score", sa.BigInteger(), nullable=False, comment="ten-thousandths"),
        sa.Column("entered_by", sa.Text(), nullable=False, comment="instructor id when manual"),
        sa.Column("reason", sa.Text(), nullable=False, comment="coded, when manual"),
        sa.Column("boot", sa.Text(), nullable=False, comment="in which the frame was taken"),
        sa.Column(
            "mono",
            sa.BigInteger(),
            nullable=False,
            comment="the box's monotonic clock then, nanoseconds",
        ),
        sa.Column(
            "clock",
            sa.Text(),
            nullable=False,
            comment="whether the box's time was synchronised then",
        ),
        sa.Column(
            "error",
            sa.BigInteger(),
            nullable=True,
            comment="bound of a corrected time; absent: as the box said it",
        ),
        sa.PrimaryKeyConstraint("ledger", "seq"),
    )
    op.create_index("scan_by_boot", "scan", ["boot"], unique=False)
    op.create_index("scan_by_person", "scan", ["person_id", "at"], unique=False)
    op.create_index("scan_by_time", "scan", ["at"], unique=False)
    op.create_table(
        "snapshot",
        sa.Column("ledger", sa.Text(), nullable=False),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("box", sa.Text(), nullable=False, comment="box id"),
        sa.Column("lesson_id", sa.Text(), nullable=False, comment=""),
        sa.Column("hour", sa.BigInteger(), nullable=False, comment="lesson hour, from 0"),
        sa.Column(
            "number", sa.BigInteger(), nullable=False, comment="snapshot of that hour, from 1"
        ),
        sa.Column("camera", sa.Text(), nullable=False, comment=""),
        sa.Column("at", sa.BigInteger(), nullable=False, comment="when it was taken, or given up"),
        sa.Column("sha256", sa.Text(), nullable=False, comment="empty when missed"),
        sa.Column("cause", sa.Text(), nullable=False, comment="why it was missed"),
        sa.CheckConstraint("(sha256 = '') <> (cause = '')", name="taken_or_missed"),
        sa.PrimaryKeyConstraint("ledger", "seq"),
    )
    op.create_index("snapshot_by_lesson", "snapshot", ["lesson_id"], unique=False)
    op.create_table(
        "upload",
        sa.Column("box", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False, comment="bytes of the whole file"),
        sa.Column(
            "held",
            sa.BigInteger(),
            nullable=False,
            comment="bytes from the beginning that are durable here",
        ),
        sa.Column(
            "at", sa.BigInteger(), nullable=False, comment="the centre's time of the last chunk"
        ),
        sa.CheckConstraint("held >= 0 AND held <= size", name="held_within"),
        sa.PrimaryKeyConstraint("box", "sha256"),
    )


# There is no way down: evidence is not for undoing. Go back with a backup.
