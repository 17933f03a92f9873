"""The clocks beside the times of snapshots and recordings; which event ended a lesson.

What stands there from before has none, until a rebuild.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go one step up."""
    for table in ("snapshot", "recording"):
        for column in (
            sa.Column("boot", sa.Text(), comment="of the box, in which that was"),
            sa.Column(
                "mono", sa.BigInteger(), comment="the box's monotonic clock then, nanoseconds"
            ),
            sa.Column("clock", sa.Text(), comment="whether the box's time was synchronised then"),
        ):
            op.add_column(table, column)
    op.add_column(
        "lesson_run", sa.Column("ended_ledger", sa.Text(), comment="of the event that ended it")
    )
    op.add_column(
        "lesson_run", sa.Column("ended_seq", sa.BigInteger(), comment="of the event that ended it")
    )


# There is no way down: evidence is not for undoing. Go back with a backup.
