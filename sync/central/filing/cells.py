"""One sheet under its headings: cells by the column's key, faults by the cell. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from openpyxl.utils import get_column_letter

from edge.model import Instant
from sync.central.filing.columns import Column, Table, matched
from sync.central.filing.model import Cell, Fault
from sync.central.filing.tables_of import Content, Lossy, Sheet

_LONGEST = 100
_DAY = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?")
_TIME = re.compile(r"(\d{1,2})[:：](\d{2})(?:[:：](\d{2}))?")
Tell = Callable[[Fault], None]


@dataclass(frozen=True, slots=True)
class Row:
    """One row. ``cells``: where each column's cell is, also an empty one."""

    number: int
    contents: Mapping[str, Content]
    cells: Mapping[str, Cell]

    def shown(self, key: str) -> str:
        """Return what stands in a column as text, empty when nothing."""
        content = self.contents.get(key, "")
        if isinstance(content, datetime):
            return f"{content:%Y-%m-%d %H:%M}"
        if isinstance(content, Lossy):
            return content.shown
        return content if isinstance(content, str) else str(content)

    def fault(self, key: str, code: str, **values: str) -> Fault:
        """Return a fault of that column's cell."""
        shown = masked(self.shown(key)) if key in ("id_number", "phone") else self.shown(key)
        return Fault(self.cells[key], code, shown[:_LONGEST], values)


class Rows:
    """The rows below the headings of one sheet."""

    def __init__(self, table: Table, sheet: Sheet, tell: Tell) -> None:
        """Match the headings; what is missing is told."""
        self.table = table
        self._sheet = sheet
        self._tell = tell
        self._columns: dict[str, int] = {}
        self._heading_row = 1
        if sheet.rows:
            self._match(*sheet.rows[0])
        for column in table.columns:
            if column.needed and column.key not in self._columns:
                tell(Fault(self._cell(1, self._heading_row), "column_missing", "", _name(column)))

    @property
    def usable(self) -> bool:
        """Whether every column is there that is needed."""
        return all(one.key in self._columns for one in self.table.columns if one.needed)

    def __iter__(self) -> Iterator[Row]:
        """Yield the rows, telling of every needed cell that is empty, too long or damaged."""
        for number, contents in self._sheet.rows[1:]:
            row = self._row(number, contents)
            if row.contents:
                self._check(row)
                yield row

    def nothing(self) -> Fault:
        """Return the fault of a sheet without rows."""
        return Fault(self._cell(1, self._heading_row + 1), "no_rows")

    def _match(self, number: int, headings: Mapping[int, Content]) -> None:
        self._heading_row = number
        for place, heading in headings.items():
            column = matched(heading, self.table.columns) if isinstance(heading, str) else None
            if column is None:
                continue  # the school's own column
            if column.key in self._columns:
                self._tell(Fault(self._cell(place, number), "column_twice", "", _name(column)))
            else:
                self._columns[column.key] = place

    def _row(self, number: int, contents: Mapping[int, Content]) -> Row:
        return Row(
            number,
            {key: contents[place] for key, place in self._columns.items() if place in contents},
            {key: self._cell(place, number) for key, place in self._columns.items()},
        )

    def _check(self, row: Row) -> None:
        for column in self.table.columns:
            content = row.contents.get(column.key)
            if content is None:
                if column.needed and column.key in self._columns:
                    self._tell(row.fault(column.key, "missing", **_name(column)))
            elif isinstance(content, Lossy):
                self._tell(row.fault(column.key, "digits_lost"))
            elif len(row.shown(column.key)) > _LONGEST:
                self._tell(row.fault(column.key, "too_long", most=str(_LONGEST)))

    def _cell(self, place: int, number: int) -> Cell:
        return Cell(self._sheet.name, get_column_letter(place), number)


def day_of(content: Content | None) -> date | None:
    """Return the date in a cell, None when it is none."""
    if isinstance(content, datetime):
        return content.date()
    if isinstance(content, date):
        return content
    found = _DAY.fullmatch(content) if isinstance(content, str) else None
    try:
        return date(*map(int, found.groups())) if found else None
    except ValueError:
        return None


def time_of(content: Content | None) -> time | None:
    """Return the time of day in a cell, None when it is none."""
    if isinstance(content, datetime):
        return content.time()
    if isinstance(content, time):
        return content
    found = _TIME.fullmatch(content) if isinstance(content, str) else None
    try:
        return time(int(found[1]), int(found[2]), int(found[3] or 0)) if found else None
    except ValueError:
        return None


def moment_of(content: Content | None, zone: ZoneInfo) -> Instant | None:
    """Return the instant in a cell that holds date and time, None when it holds none."""
    if isinstance(content, datetime):
        return instant(content.date(), content.time(), zone)
    if not isinstance(content, str):
        return None
    day_text, _, time_text = content.replace("T", " ").partition(" ")
    day, hour = day_of(day_text), time_of(time_text.strip())
    return instant(day, hour, zone) if day and hour else None


def instant(day: date, hour: time, zone: ZoneInfo) -> Instant:
    """Return the instant of a time of day in *zone*."""
    return int(datetime.combine(day, hour, zone).timestamp()) * 1_000_000


def masked(number: str) -> str:
    """Return a number of which only the first six characters can be read (R22)."""
    return number[:6] + "*" * max(0, len(number) - 6)


def _name(column: Column) -> dict[str, str]:
    return {"name": column.names[0]}
