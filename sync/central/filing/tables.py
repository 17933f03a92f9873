"""The tables of what schools filed. Identity numbers lie in them sealed, found by a keyed hash."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Index, LargeBinary, Table, Text

from sync.central.columns import metadata, raw, text, whole

filed_class = Table(
    "filed_class",
    metadata,
    Column("period_id", Text, primary_key=True, comment="of the approval; the class's id on boxes"),
    text("name", ""),
    text("organisation", "the school"),
    text("approved_by", "the authority"),
    whole("received_at", "when the approval was received"),
    text("profile", "name of the rule profile"),
    whole("filed_at", "the centre's time of the import in force"),
    text("filed_by", "who imported it"),
)

person = Table(
    "person",
    metadata,
    Column("id", Text, primary_key=True, comment="on boxes; says nothing of who it is"),
    text("name", ""),
    text("sex", "male | female | empty"),
    text("id_type", "kind of identity document"),
    raw("id_key", "keyed hash of kind and number, to find a person by it"),
    raw("nonce", "of what is sealed", 12),
    Column("sealed", LargeBinary, nullable=False, comment="JSON: identity number, phone"),
    text("pin_hash", "argon2; empty while none was issued"),
    text("card_hash", "of the code on the printed card; empty while none was issued"),
    Index("person_by_id_key", "id_key", unique=True),
)

class_trainee = Table(
    "class_trainee",
    metadata,
    Column("period_id", Text, ForeignKey("filed_class.period_id"), primary_key=True),
    Column("person_id", Text, ForeignKey("person.id"), primary_key=True),
    text("number", "student number, shown beside a masked name"),
    Index("class_trainee_by_person", "person_id"),
)

instructor = Table(
    "instructor",
    metadata,
    Column("id", Text, primary_key=True, comment="the school's own number"),
    text("name", ""),
    text("pin_hash", "argon2; empty while none was issued"),
    Column("pin_issued_at", BigInteger, comment="the centre's time"),
)

class_instructor = Table(
    "class_instructor",
    metadata,
    Column("period_id", Text, ForeignKey("filed_class.period_id"), primary_key=True),
    Column("instructor_id", Text, ForeignKey("instructor.id"), primary_key=True),
)

filed_lesson = Table(
    "filed_lesson",
    metadata,
    Column("id", Text, primary_key=True, comment="as on boxes and in events"),
    Column("period_id", Text, ForeignKey("filed_class.period_id"), nullable=False),
    whole("number", "in its class, from 1"),
    text("room", ""),
    whole("starts", "S"),
    whole("ends", "E"),
    text("instructors", "JSON: ids"),
    text("hours", "JSON: start and end of each lesson hour"),
    Index("filed_lesson_by_class", "period_id"),
    Index("filed_lesson_by_time", "starts"),
)

room = Table(
    "room",
    metadata,
    Column("name", Text, primary_key=True),
    text("box", "the box in it"),
)
