"""What the boxes answered to documents: which version is in force, which was refused and why."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go one step up."""
    op.create_table(
        "document_answer",
        sa.Column("ledger", sa.Text(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("box", sa.Text(), nullable=False, comment="box id"),
        sa.Column("kind", sa.Text(), nullable=False, comment="of document"),
        sa.Column("epoch", sa.Text(), nullable=False, comment="of the centre"),
        sa.Column("version", sa.BigInteger(), nullable=False, comment=""),
        sa.Column("outcome", sa.Text(), nullable=False, comment="applied | refused"),
        sa.Column("reason", sa.Text(), nullable=False, comment="why it was refused"),
        sa.Column("at", sa.BigInteger(), nullable=False, comment="the box's time"),
        sa.PrimaryKeyConstraint("ledger", "seq"),
    )
    op.create_index("document_answer_by_box", "document_answer", ["box", "epoch", "kind"])


# There is no way down: evidence is not for undoing. Go back with a backup.
