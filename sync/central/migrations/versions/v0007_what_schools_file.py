"""What schools file: classes, people, instructors, lessons, and which box is in which room."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go one step up."""
    op.create_table(
        "filed_class",
        sa.Column(
            "period_id",
            sa.Text(),
            nullable=False,
            comment="of the approval; the class's id on boxes",
        ),
        sa.Column("name", sa.Text(), nullable=False, comment=""),
        sa.Column("organisation", sa.Text(), nullable=False, comment="the school"),
        sa.Column("approved_by", sa.Text(), nullable=False, comment="the authority"),
        sa.Column(
            "received_at", sa.BigInteger(), nullable=False, comment="when the approval was received"
        ),
        sa.Column("profile", sa.Text(), nullable=False, comment="name of the rule profile"),
        sa.Column(
            "filed_at",
            sa.BigInteger(),
            nullable=False,
            comment="the centre's time of the import in force",
        ),
        sa.Column("filed_by", sa.Text(), nullable=False, comment="who imported it"),
        sa.PrimaryKeyConstraint("period_id"),
    )
    op.create_table(
        "person",
        sa.Column("id", sa.Text(), nullable=False, comment="on boxes; says nothing of who it is"),
        sa.Column("name", sa.Text(), nullable=False, comment=""),
        sa.Column("sex", sa.Text(), nullable=False, comment="male | female | empty"),
        sa.Column("id_type", sa.Text(), nullable=False, comment="kind of identity document"),
        sa.Column(
            "id_key",
            sa.LargeBinary(),
            nullable=False,
            comment="keyed hash of kind and number, to find a person by it",
        ),
        sa.Column("nonce", sa.LargeBinary(), nullable=False, comment="of what is sealed"),
        sa.Column(
            "sealed", sa.LargeBinary(), nullable=False, comment="JSON: identity number, phone"
        ),
        sa.Column(
            "pin_hash", sa.Text(), nullable=False, comment="argon2; empty while none was issued"
        ),
        sa.Column(
            "card_hash",
            sa.Text(),
            nullable=False,
            comment="of the code on the printed card; empty while none was issued",
        ),
        sa.CheckConstraint("length(id_key) = 32", name="id_key_length"),
        sa.CheckConstraint("length(nonce) = 12", name="nonce_length"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("person_by_id_key", "person", ["id_key"], unique=True)
    op.create_table(
        "class_trainee",
        sa.Column("period_id", sa.Text(), nullable=False),
        sa.Column("person_id", sa.Text(), nullable=False),
        sa.Column(
            "number",
            sa.Text(),
            nullable=False,
            comment="student number, shown beside a masked name",
        ),
        sa.ForeignKeyConstraint(["period_id"], ["filed_class.period_id"]),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"]),
        sa.PrimaryKeyConstraint("period_id", "person_id"),
    )
    op.create_index("class_trainee_by_person", "class_trainee", ["person_id"], unique=False)
    op.create_table(
        "instructor",
        sa.Column("id", sa.Text(), nullable=False, comment="the school's own number"),
        sa.Column("name", sa.Text(), nullable=False, comment=""),
        sa.Column(
            "pin_hash", sa.Text(), nullable=False, comment="argon2; empty while none was issued"
        ),
        sa.Column("pin_issued_at", sa.BigInteger(), comment="the centre's time"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "class_instructor",
        sa.Column("period_id", sa.Text(), nullable=False),
        sa.Column("instructor_id", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["period_id"], ["filed_class.period_id"]),
        sa.ForeignKeyConstraint(["instructor_id"], ["instructor.id"]),
        sa.PrimaryKeyConstraint("period_id", "instructor_id"),
    )
    op.create_table(
        "filed_lesson",
        sa.Column("id", sa.Text(), nullable=False, comment="as on boxes and in events"),
        sa.Column("period_id", sa.Text(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False, comment="in its class, from 1"),
        sa.Column("room", sa.Text(), nullable=False, comment=""),
        sa.Column("starts", sa.BigInteger(), nullable=False, comment="S"),
        sa.Column("ends", sa.BigInteger(), nullable=False, comment="E"),
        sa.Column("instructors", sa.Text(), nullable=False, comment="JSON: ids"),
        sa.Column(
            "hours", sa.Text(), nullable=False, comment="JSON: start and end of each lesson hour"
        ),
        sa.ForeignKeyConstraint(["period_id"], ["filed_class.period_id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("filed_lesson_by_class", "filed_lesson", ["period_id"], unique=False)
    op.create_index("filed_lesson_by_time", "filed_lesson", ["starts"], unique=False)
    op.create_table(
        "room",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("box", sa.Text(), nullable=False, comment="the box in it"),
        sa.PrimaryKeyConstraint("name"),
    )


# There is no way down: evidence is not for undoing. Go back with a backup.
