"""The columns that the centre's tables are made of, and the one list of these tables."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
)
from sqlalchemy.schema import SchemaItem

metadata = MetaData()
PROJECTIONS: list[Table] = []  # what the events alone make: emptied and filled again by a rebuild

# SQLite numbers rows by itself only in a column of type INTEGER.
Number = BigInteger().with_variant(Integer, "sqlite")


def text(name: str, comment: str, default: str | None = None) -> Column[str]:
    """Return a column of text that is always there."""
    return Column(name, Text, nullable=False, comment=comment, default=default)


def whole(name: str, comment: str) -> Column[int]:
    """Return a column of whole numbers that is always there."""
    return Column(name, BigInteger, nullable=False, comment=comment)


def raw(name: str, comment: str, length: int = 32) -> Column[bytes]:
    """Return a column of exactly *length* bytes."""
    check = CheckConstraint(f"length({name}) = {length}", name=f"{name}_length")
    return Column(name, LargeBinary, check, nullable=False, comment=comment)


def projection(name: str, *columns: SchemaItem) -> Table:
    """Return a table of ``PROJECTIONS``."""
    PROJECTIONS.append(Table(name, metadata, *columns))
    return PROJECTIONS[-1]


def of_event(name: str, *columns: SchemaItem) -> Table:
    """Return a projection with one row an event, so that no event can count twice."""
    return projection(
        name,
        Column("ledger", Text, primary_key=True),
        Column("seq", BigInteger, primary_key=True, autoincrement=False),
        text("box", "box id"),
        *columns,
    )


def clocks() -> tuple[SchemaItem, ...]:
    """Return the columns by which it is reckoned when something was; absent: as the box said."""
    return (
        Column("boot", Text, comment="of the box, in which that was"),
        Column("mono", BigInteger, comment="the box's monotonic clock then, nanoseconds"),
        Column("clock", Text, comment="whether the box's time was synchronised then"),
    )
