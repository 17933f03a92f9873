"""Who looked into which room."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go one step up."""
    op.create_table(
        "live_view",
        sa.Column("box", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False, comment="of the request that asked for it"),
        sa.Column("camera", sa.Text(), nullable=False, comment=""),
        sa.Column("lesson_id", sa.Text(), nullable=False, comment=""),
        sa.Column("by", sa.Text(), nullable=False, comment="who looked"),
        sa.Column("started_at", sa.BigInteger(), nullable=False, comment="the box's time"),
        sa.Column("ended_at", sa.BigInteger(), comment="the box's time; absent: it runs"),
        sa.Column("frames", sa.BigInteger(), comment="pictures sent, -1 where that was forgotten"),
        sa.Column("cause", sa.Text(), comment="why it ended, of edge.rules.live"),
        sa.PrimaryKeyConstraint("box", "id"),
    )
    op.create_index("live_view_by_lesson", "live_view", ["lesson_id"], unique=False)


# There is no way down: evidence is not for undoing. Go back with a backup.
