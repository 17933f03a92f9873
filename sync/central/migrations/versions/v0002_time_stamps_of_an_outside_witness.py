"""Time stamps of an outside witness."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go one step up."""
    op.create_table(
        "stamp",
        sa.Column(
            "number",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("at", sa.BigInteger(), nullable=False, comment="the centre's time when it came"),
        sa.Column("address", sa.Text(), nullable=False, comment="of the authority that gave it"),
        sa.Column("statement", sa.LargeBinary(), nullable=False, comment="what it covers"),
        sa.Column(
            "response", sa.LargeBinary(), nullable=False, comment="TimeStampResp (RFC 3161), DER"
        ),
        sa.PrimaryKeyConstraint("number"),
    )


# There is no way down: evidence is not for undoing. Go back with a backup.
