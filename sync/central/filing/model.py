"""A class as filed, and what can be wrong with its tables. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from edge.model import Instant, LessonHour


class IdType(StrEnum):
    """Kinds of identity document; a profile says which of them it accepts."""

    RESIDENT = "resident"
    HONG_KONG_MACAO_TAIWAN = "hong_kong_macao_taiwan"
    TRAVEL_PERMIT = "travel_permit"
    PASSPORT = "passport"
    FOREIGN_RESIDENT = "foreign_resident"


@dataclass(frozen=True, slots=True)
class Cell:
    """Where something stands: the sheet's name, the column's letters, the row from 1."""

    sheet: str
    column: str
    row: int

    def __str__(self) -> str:
        """Return it as spreadsheet programs show it."""
        return f"{self.sheet}!{self.column}{self.row}"


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with one cell. ``code`` is one of ``words.FAULTS`` or ``words.WARNINGS``.

    ``shown``: what stands there, shortened, an identity number masked. ``values`` fill the words.
    """

    cell: Cell
    code: str
    shown: str = ""
    values: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FiledTrainee:
    """One line of the roster. Never print it: it holds an identity number."""

    number: str
    name: str
    id_type: IdType
    id_number: str = field(repr=False)
    sex: str = ""
    phone: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class FiledInstructor:
    """A teacher filed for the class (R34). ``id``: the school's own number for them."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class FiledLesson:
    """One sitting. ``number``: of the lesson in its class, from 1."""

    number: int
    room: str
    instructors: tuple[str, ...]
    hours: tuple[LessonHour, ...]


@dataclass(frozen=True, slots=True)
class Filing:
    """A class as the county approved it (R33): everything or nothing of it is taken."""

    period_id: str
    name: str
    organisation: str
    approved_by: str
    received_at: Instant
    profile: str
    trainees: tuple[FiledTrainee, ...]
    instructors: tuple[FiledInstructor, ...]
    lessons: tuple[FiledLesson, ...]


@dataclass(frozen=True, slots=True)
class Checked:
    """What came of the tables. With faults there is no filing; warnings refuse nothing."""

    filing: Filing | None
    faults: Sequence[Fault]
    warnings: Sequence[Fault]
