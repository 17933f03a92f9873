"""The workbook that staff fill in: four sheets with headings and one example each, and help.

Promises that an identity number stays what was typed: its cells are text from the beginning.
"""

from __future__ import annotations

import io

from openpyxl import Workbook
from openpyxl.comments import Comment
from openpyxl.styles import Font, PatternFill
from openpyxl.utils import get_column_letter

from sync.central.filing.columns import TABLES, Table

HELP = "填写说明"
_LINES = (
    "一个文件填写一个班级。带 * 的列必须填写；第 2 行是示例，请改成真实内容。",
    "One file holds one class. Columns with * must be filled in; row 2 is an example: replace it.",
    "课表每行一个课时；同一课次的各课时填同一个课次数字。",
    "On the timetable each row is one lesson hour; the hours of one lesson have the same number.",
    "导入前中心会检查所有单元格：有一处错误则整个文件都不导入。",
    "All cells are checked before anything is taken: one wrong cell, and nothing of the file is.",
)
_ROWS_AS_TEXT = 500


def workbook() -> bytes:
    """Return the template as an .xlsx file."""
    book = Workbook()
    page = book.worksheets[0]
    page.title = HELP
    page.column_dimensions["A"].width = 100
    for line in _LINES:
        page.append([line])
    for table in TABLES:
        _add(book, table)
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def _add(book: Workbook, table: Table) -> None:
    sheet = book.create_sheet(table.names[0])
    sheet.freeze_panes = "A2"
    for place, column in enumerate(table.columns, start=1):
        heading = sheet.cell(1, place, column.names[0] + ("*" if column.needed else ""))
        heading.font = Font(bold=True)
        heading.fill = PatternFill("solid", start_color="E8EEF4")
        if column.remark:
            heading.comment = Comment(column.remark, "classbox")
        for row in range(2, _ROWS_AS_TEXT):
            sheet.cell(row, place).number_format = "@"
        sheet.cell(2, place, column.example)
        sheet.column_dimensions[get_column_letter(place)].width = 24
