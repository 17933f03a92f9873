"""How cameras and disks do."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go one step up."""
    op.create_table(
        "alert",
        sa.Column("box", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False, comment="a camera's id, or box"),
        sa.Column("code", sa.Text(), nullable=False, comment="of edge.rules.alerts"),
        sa.Column("detail", sa.Text(), nullable=False, comment="what the box saw"),
        sa.Column("lesson_id", sa.Text(), nullable=False, comment="of that moment, or empty"),
        sa.Column("at", sa.BigInteger(), nullable=False, comment="the box's time of the raising"),
        sa.PrimaryKeyConstraint("box", "subject", "code"),
    )
    op.create_table(
        "disk",
        sa.Column("box", sa.Text(), nullable=False),
        sa.Column(
            "quality",
            sa.Text(),
            nullable=False,
            comment="what the cameras record, of edge.rules.disk",
        ),
        sa.Column("ballast", sa.Boolean(), nullable=False),
        sa.Column("free", sa.BigInteger(), nullable=False, comment="bytes"),
        sa.Column("total", sa.BigInteger(), nullable=False, comment="bytes"),
        sa.Column(
            "days_left",
            sa.BigInteger(),
            nullable=False,
            comment="days of lessons, -1 when nothing is recorded",
        ),
        sa.Column("at", sa.BigInteger(), nullable=False, comment="the box's time of the change"),
        sa.PrimaryKeyConstraint("box"),
    )
