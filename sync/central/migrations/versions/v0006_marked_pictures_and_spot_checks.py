"""Marked pictures, head counts and spot checks."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go one step up."""
    op.create_table(
        "picture_copy",
        sa.Column("ledger", sa.Text(), nullable=False),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("box", sa.Text(), nullable=False, comment="box id"),
        sa.Column("lesson_id", sa.Text(), nullable=False, comment=""),
        sa.Column(
            "original", sa.Text(), nullable=False, comment="SHA-256 of the picture as it was taken"
        ),
        sa.Column("sha256", sa.Text(), nullable=False, comment="of the copy with the watermark"),
        sa.Column("heads", sa.BigInteger(), nullable=False, comment="as model counted them"),
        sa.Column("model", sa.Text(), nullable=False, comment="name and version"),
        sa.PrimaryKeyConstraint("ledger", "seq"),
    )
    op.create_index("picture_copy_by_lesson", "picture_copy", ["lesson_id"], unique=False)
    op.create_table(
        "spot_check",
        sa.Column("ledger", sa.Text(), nullable=False),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("box", sa.Text(), nullable=False, comment="box id"),
        sa.Column("lesson_id", sa.Text(), nullable=False, comment=""),
        sa.Column("check", sa.Text(), nullable=False, comment=""),
        sa.Column("by", sa.Text(), nullable=False, comment="the instructor who confirmed it"),
        sa.Column(
            "at", sa.BigInteger(), nullable=False, comment="the box's time of the confirmation"
        ),
        sa.Column("present", sa.BigInteger(), nullable=False, comment="checked in then"),
        sa.Column(
            "items", sa.Text(), nullable=False, comment="JSON: SHA-256 of what was confirmed"
        ),
        sa.PrimaryKeyConstraint("ledger", "seq"),
    )
    op.create_index("spot_check_by_lesson", "spot_check", ["lesson_id"], unique=False)
    op.create_table(
        "spot_check_item",
        sa.Column("ledger", sa.Text(), nullable=False),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("box", sa.Text(), nullable=False, comment="box id"),
        sa.Column("lesson_id", sa.Text(), nullable=False, comment=""),
        sa.Column("check", sa.Text(), nullable=False, comment="the spot check it belongs to"),
        sa.Column("number", sa.BigInteger(), nullable=False, comment="in it, from 1"),
        sa.Column("sort", sa.Text(), nullable=False, comment="photo | clip"),
        sa.Column("source", sa.Text(), nullable=False, comment="classroom | spare | phone"),
        sa.Column("camera", sa.Text(), nullable=False, comment=""),
        sa.Column("at", sa.BigInteger(), nullable=False, comment=""),
        sa.Column("sha256", sa.Text(), nullable=False, comment=""),
        sa.PrimaryKeyConstraint("ledger", "seq"),
    )
    op.create_index("spot_check_item_by_lesson", "spot_check_item", ["lesson_id"], unique=False)
    op.create_table(
        "recovered_snapshot",
        sa.Column("ledger", sa.Text(), nullable=False),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("box", sa.Text(), nullable=False, comment="box id"),
        sa.Column("lesson_id", sa.Text(), nullable=False, comment=""),
        sa.Column("sha256", sa.Text(), nullable=False, comment="a frame of the recording"),
        sa.PrimaryKeyConstraint("ledger", "seq"),
    )
    op.create_index(
        "recovered_snapshot_by_lesson", "recovered_snapshot", ["lesson_id"], unique=False
    )


# There is no way down: evidence is not for undoing. Go back with a backup.
