"""Workbooks and CSV files as tables of cells: whatever a school's spreadsheet program saved.

Promises that a cell is text as somebody sees it, or a date or time as such, and that what a
spreadsheet has already damaged (an identity number kept as a number) is told from what it has not.
"""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

from openpyxl import load_workbook
from openpyxl.utils.exceptions import InvalidFileException

# What the largest class needs, many times over; an office file is a ZIP, and a ZIP can be a bomb.
MOST_BYTES = 20_000_000
MOST_UNPACKED = 200_000_000
MOST_ROWS = 20_000
MOST_COLUMNS = 60
# What Excel writes in China unless it is told to write UTF-8.
_ENCODINGS = ("utf-8-sig", "gb18030")


class Unreadable(ValueError):
    """The file is no table that can be read; the message says what to do, in both languages."""


@dataclass(frozen=True, slots=True)
class Lossy:
    """A number of more digits than a spreadsheet keeps: its last ones are lost."""

    shown: str


Content = str | date | datetime | time | Lossy


@dataclass(frozen=True, slots=True)
class Sheet:
    """One table. ``rows``: row number, from 1 as a spreadsheet shows it, and its cells by column.

    Empty cells and empty rows are left out.
    """

    name: str
    rows: Sequence[tuple[int, Mapping[int, Content]]]


def read(name: str, content: bytes, sheet: str = "") -> list[Sheet]:
    """Return the tables of the file called *name*; *sheet*: what a CSV's only table is.

    Raises Unreadable.
    """
    if len(content) > MOST_BYTES:
        raise Unreadable(
            f"文件超过 20 MB，请拆分。 The file is larger than 20 MB: split it. ({name})"
        )
    if name.lower().endswith(".csv"):
        return [Sheet(sheet, _within(_csv_rows(name, content), name))]
    if name.lower().endswith(".xlsx"):
        return _workbook(name, content)
    raise Unreadable(
        f"请另存为 .xlsx 或 .csv。 Save it as .xlsx or .csv: {name} has another kind of name."
    )


def _workbook(name: str, content: bytes) -> list[Sheet]:
    problem = (
        f"{name} 无法读取：请在表格软件中打开并另存为 .xlsx（不加密码）。 It cannot be read: "
        "open it in a spreadsheet program and save it as .xlsx, without a password."
    )
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            if sum(entry.file_size for entry in packed.infolist()) > MOST_UNPACKED:
                raise Unreadable(problem)
        book = load_workbook(io.BytesIO(content), read_only=True, data_only=True)
        sheets = [
            Sheet(one.title, _within(_sheet_rows(one), name))
            for one in book.worksheets
            if one.sheet_state == "visible"
        ]
        book.close()
    except (zipfile.BadZipFile, InvalidFileException, KeyError, ValueError, OSError) as error:
        if isinstance(error, Unreadable):
            raise
        raise Unreadable(problem) from error
    return sheets


def _sheet_rows(sheet: Any) -> Iterator[tuple[int, dict[int, Content]]]:
    # A styled but empty sheet says that it reaches to the last row there can be.
    sheet.reset_dimensions()
    for number, row in enumerate(sheet.iter_rows(max_col=MOST_COLUMNS, values_only=True), start=1):
        cells = {
            column: found
            for column, value in enumerate(row, start=1)
            if (found := _content(value)) is not None
        }
        yield number, cells


def _content(value: Any) -> Content | None:
    """Return what a cell shows, None when nothing."""
    if value is None:
        return None
    if isinstance(value, (datetime, date, time)):
        return value
    if isinstance(value, bool):
        return str(value)
    if isinstance(value, (int, float)):
        whole = int(value) if value == int(value) else None
        if whole is None:
            return str(value)
        # A spreadsheet keeps 15 digits and puts noughts for the rest.
        return Lossy(str(whole)) if abs(whole) >= 10**15 else str(whole)
    text = str(value).strip()
    return text or None


def _csv_rows(name: str, content: bytes) -> Iterator[tuple[int, dict[int, Content]]]:
    text = _decoded(content)
    if text is None:
        raise Unreadable(
            f"{name} 的文字编码无法识别：请另存为“CSV UTF-8”。 "
            "Its characters cannot be read: save it as “CSV UTF-8”."
        )
    try:
        for number, row in enumerate(csv.reader(io.StringIO(text, newline=""), strict=True), 1):
            cells: dict[int, Content] = {}
            for column, value in enumerate(row[:MOST_COLUMNS], start=1):
                if found := value.strip().lstrip("\t'"):
                    # Excel saves a long number that it has damaged in this form.
                    damaged = "E+" in found.upper() and found[0].isdigit()
                    cells[column] = Lossy(found) if damaged else found
            yield number, cells
    except csv.Error as error:
        raise Unreadable(
            f"{name} 不是有效的 CSV：{error}。 It is not a valid CSV file: save it anew."
        ) from error


def _decoded(content: bytes) -> str | None:
    for encoding in _ENCODINGS:
        with suppress(UnicodeDecodeError):
            return content.decode(encoding)
    return None


def _within(
    rows: Iterator[tuple[int, dict[int, Content]]], name: str
) -> list[tuple[int, Mapping[int, Content]]]:
    kept: list[tuple[int, Mapping[int, Content]]] = []
    for number, cells in rows:
        if cells:
            kept.append((number, cells))
        if len(kept) > MOST_ROWS:
            raise Unreadable(
                f"{name} 超过 {MOST_ROWS} 行，请按班级拆分。 "
                f"It has more than {MOST_ROWS} rows: one file a class."
            )
    return kept
