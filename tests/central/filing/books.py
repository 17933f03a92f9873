"""Workbooks as a school might send them: made-up people, any size, any mistake."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from typing import Any

from openpyxl import Workbook, load_workbook
from stdnum.cn import ric

from sync.central.filing import template

# No address of anybody: the library's own list says that there was such a county.
REGION = "110105"
Change = Callable[[dict[str, list[list[Any]]]], None]


def id_number(serial: int, born: str = "19900101") -> str:
    """Return a valid resident ID of nobody; an even *serial* is a woman's."""
    stem = f"{REGION}{born}{serial % 1000:03d}"
    return stem + ric.calc_check_digit(stem + "0")


def tables(trainees: int = 3, lessons: int = 2) -> dict[str, list[list[Any]]]:
    """Return the four tables of a class that is right: sheets and their rows with headings."""
    people = []
    day = date(1970, 1, 1)
    for number in range(trainees):
        born = day + timedelta(days=number // 900)
        serial = 100 + number % 900
        sex = "男" if serial % 2 else "女"
        own = id_number(serial, f"{born:%Y%m%d}")
        people.append([f"{number + 1:02d}", f"学员{number + 1}", sex, "居民身份证", own, ""])
    return {
        "班级": [
            ["培训期次ID*", "班级名称*", "培训机构*", "批准单位*", "批复收到时间*", "规则*"],
            ["2026-JN-0031", "面点 3 班", "一职校", "县人社局", "2026-11-01 08:00", "default"],
        ],
        "教师": [["工号*", "姓名*"], ["T-001", "王老师"], ["T-002", "张老师"]],
        "花名册": [["学号*", "姓名*", "性别", "证件类型*", "证件号码*", "联系电话"], *people],
        "课表": [
            ["课次*", "日期*", "教室*", "教师工号*", "课时开始*", "课时结束*"],
            *_lessons(lessons),
        ],
    }


def _lessons(count: int) -> Iterator[list[Any]]:
    for number in range(count):
        day = f"{date(2026, 12, 1) + timedelta(days=number):%Y-%m-%d}"
        yield [str(number + 1), day, "203", "T-001", "09:00", "09:45"]
        yield [str(number + 1), day, "203", "T-001", "09:45", "10:30"]


def workbook(content: dict[str, list[list[Any]]]) -> bytes:
    """Return the tables as an .xlsx file."""
    book = Workbook()
    book.remove(book.worksheets[0])
    for name, rows in content.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    packed = io.BytesIO()
    book.save(packed)
    return packed.getvalue()


def filled_template() -> bytes:
    """Return the template as it is given out: its own examples are a class."""
    book = load_workbook(io.BytesIO(template.workbook()))
    packed = io.BytesIO()
    book.save(packed)
    return packed.getvalue()
