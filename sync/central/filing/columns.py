"""The tables of a filing: their sheets and columns, as the template shows them. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sync.central.filing.model import IdType


@dataclass(frozen=True, slots=True)
class Column:
    """One column. ``names``: what its heading may be, the template's first; then an example."""

    key: str
    names: tuple[str, ...]
    example: str
    needed: bool = True
    remark: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """One sheet. ``names``: what it may be called, the template's first."""

    key: str
    names: tuple[str, ...]
    columns: tuple[Column, ...]


CLASS = Table(
    "class",
    ("班级", "class"),
    (
        Column("period_id", ("培训期次ID", "班期ID", "period id"), "2026-JN-0031"),
        Column("name", ("班级名称", "class name"), "中式面点师（初级）2026-3 班"),
        Column("organisation", ("培训机构", "organisation"), "市第一职业培训学校"),
        Column("approved_by", ("批准单位", "approved by"), "县人社局"),
        Column(
            "received_at",
            ("批复收到时间", "received at"),
            "2026-11-01 08:00",
            remark="晚于开课时间的，该课次为待审核",
        ),
        Column("profile", ("规则", "rules"), "default", remark="按中心已有的规则名称填写"),
    ),
)
INSTRUCTORS = Table(
    "instructors",
    ("教师", "instructors"),
    (
        Column("id", ("工号", "id"), "T-001"),
        Column("name", ("姓名", "name"), "王老师"),
    ),
)
ROSTER = Table(
    "roster",
    ("花名册", "roster"),
    (
        Column("number", ("学号", "student number"), "01"),
        Column("name", ("姓名", "name"), "李明华"),
        Column("sex", ("性别", "sex"), "女", needed=False),
        Column("id_type", ("证件类型", "id type"), "居民身份证"),
        Column(
            "id_number",
            ("证件号码", "id number"),
            "11010519491231002X",
            remark="单元格格式设为“文本”",
        ),
        Column("phone", ("联系电话", "phone"), "13800138000", needed=False),
    ),
)
TIMETABLE = Table(
    "timetable",
    ("课表", "timetable"),
    (
        Column("lesson", ("课次", "lesson"), "1", remark="同一课次的各课时填相同数字"),
        Column("day", ("日期", "date"), "2026-12-01"),
        Column("room", ("教室", "room"), "203"),
        Column("instructors", ("教师工号", "instructors"), "T-001", remark="多名教师用顿号分开"),
        Column("start", ("课时开始", "start"), "09:00"),
        Column("end", ("课时结束", "end"), "09:45"),
    ),
)
TABLES = (CLASS, INSTRUCTORS, ROSTER, TIMETABLE)

ID_TYPES: Mapping[str, IdType] = {
    "居民身份证": IdType.RESIDENT,
    "身份证": IdType.RESIDENT,
    "resident": IdType.RESIDENT,
    "港澳台居民居住证": IdType.HONG_KONG_MACAO_TAIWAN,
    "来往内地通行证": IdType.TRAVEL_PERMIT,
    "港澳居民来往内地通行证": IdType.TRAVEL_PERMIT,
    "台湾居民来往大陆通行证": IdType.TRAVEL_PERMIT,
    "护照": IdType.PASSPORT,
    "passport": IdType.PASSPORT,
    "外国人永久居留身份证": IdType.FOREIGN_RESIDENT,
}
SEXES: Mapping[str, str] = {"男": "male", "女": "female", "male": "male", "female": "female"}


def matched(heading: str, columns: Sequence[Column]) -> Column | None:
    """Return the column that a sheet's *heading* names; spaces, case and a * do not matter."""
    plain = _plain(heading)
    return next((one for one in columns if plain in map(_plain, one.names)), None)


def table_called(name: str) -> Table | None:
    """Return the table that a sheet called *name* is."""
    plain = _plain(name)
    return next((one for one in TABLES if plain in map(_plain, one.names)), None)


def _plain(text: str) -> str:
    return "".join(text.split()).strip("*＊").casefold()
