"""Tables → a filing, or every fault in them by its cell. Pure.

Owns what is refused and what is only warned of. Promises that all faults are told at once, so that
a table is mended in one go; and that size, ratio and lateness never refuse a class (R16, R33).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from math import ceil
from zoneinfo import ZoneInfo

from stdnum.cn import ric
from stdnum.exceptions import InvalidChecksum, InvalidComponent, ValidationError

from edge.clock import local
from edge.model import Instant, Profile
from edge.rules.standing import Unusual, warnings
from sync.central.filing import columns
from sync.central.filing.cells import Row, Rows, moment_of
from sync.central.filing.columns import ID_TYPES, SEXES, TABLES, table_called
from sync.central.filing.model import (
    Cell,
    Checked,
    Fault,
    FiledInstructor,
    FiledLesson,
    FiledTrainee,
    Filing,
    IdType,
)
from sync.central.filing.plan import lessons_of
from sync.central.filing.tables_of import Sheet

_RESIDENT_LENGTH = 18
_ADULT_ENOUGH = 14
_PHONE = re.compile(r"1\d{10}")
_FORMS: Mapping[IdType, re.Pattern[str]] = {
    IdType.HONG_KONG_MACAO_TAIWAN: re.compile(r"8[123]0000\d{11}[\dX]"),
    IdType.TRAVEL_PERMIT: re.compile(r"[HM]\d{8,10}|\d{8}"),
    IdType.PASSPORT: re.compile(r"[A-Z0-9]{6,12}"),
    IdType.FOREIGN_RESIDENT: re.compile(r"[A-Z]{3}\d{12}|9\d{16}[\dX]"),
}


class _Notes:
    """Collects faults and warnings."""

    def __init__(self) -> None:
        self.faults: list[Fault] = []
        self.warnings: list[Fault] = []


def check(sheets: Sequence[Sheet], profiles: Mapping[str, Profile], today: Instant) -> Checked:
    """Return the filing that *sheets* hold, or their faults. *profiles*: those the centre has."""
    notes = _Notes()
    rows = _found(sheets, notes)
    if len(rows) < len(TABLES) or not all(one.usable for one in rows.values()):
        return Checked(None, notes.faults, notes.warnings)
    head = _class_row(rows[columns.CLASS.key], notes)
    profile = _profile(head, profiles, notes)
    zone = ZoneInfo(profile.time_zone) if profile else ZoneInfo("Asia/Shanghai")
    received = moment_of(head.contents.get("received_at"), zone) if head else None
    if head and received is None and "received_at" in head.contents:
        notes.faults.append(head.fault("received_at", "moment_format"))
    instructors = tuple(_instructors(rows[columns.INSTRUCTORS.key], notes))
    trainees = tuple(_trainees(rows[columns.ROSTER.key], today, zone, notes))
    lessons: tuple[FiledLesson, ...] = ()
    if profile is not None:
        _size(head, len(trainees), len(instructors), profile, notes)
        known = {one.id for one in instructors}
        lessons = lessons_of(
            rows[columns.TIMETABLE.key],
            profile,
            known,
            received,
            today,
            notes.faults.append,
            notes.warnings.append,
        )
    if notes.faults or head is None or profile is None or received is None:
        return Checked(None, notes.faults, notes.warnings)
    filing = Filing(
        period_id=head.shown("period_id"),
        name=head.shown("name"),
        organisation=head.shown("organisation"),
        approved_by=head.shown("approved_by"),
        received_at=received,
        profile=profile.name,
        trainees=trainees,
        instructors=instructors,
        lessons=lessons,
    )
    return Checked(filing, [], notes.warnings)


def _found(sheets: Sequence[Sheet], notes: _Notes) -> dict[str, Rows]:
    by_table: dict[str, Sheet] = {}
    for sheet in sheets:
        table = table_called(sheet.name)
        if table is None:
            continue  # the template's page of explanations, or the school's own
        if table.key in by_table:
            name = {"name": table.names[0]}
            notes.faults.append(Fault(Cell(sheet.name, "A", 1), "sheet_twice", "", name))
        else:
            by_table[table.key] = sheet
    found: dict[str, Rows] = {}
    for table in TABLES:
        if table.key in by_table:
            found[table.key] = Rows(table, by_table[table.key], notes.faults.append)
        else:
            name = {"name": table.names[0]}
            notes.faults.append(Fault(Cell(table.names[0], "A", 1), "sheet_missing", "", name))
    return found


def _class_row(rows: Rows, notes: _Notes) -> Row | None:
    found = list(rows)
    if not found:
        notes.faults.append(rows.nothing())
        return None
    notes.faults.extend(row.fault("period_id", "one_class") for row in found[1:])
    return found[0]


def _profile(head: Row | None, profiles: Mapping[str, Profile], notes: _Notes) -> Profile | None:
    if head is None or "profile" not in head.contents:
        return None
    name = head.shown("profile")
    if name not in profiles:
        known = "、".join(sorted(profiles))
        notes.faults.append(head.fault("profile", "profile_unknown", name=name, known=known))
        return None
    return profiles[name]


def _instructors(rows: Rows, notes: _Notes) -> Iterator[FiledInstructor]:
    seen: dict[str, Cell] = {}
    none = True
    for row in rows:
        none = False
        own = row.shown("id")
        if own in seen:
            notes.faults.append(row.fault("id", "instructor_twice", other=str(seen[own])))
        elif own:
            seen[own] = row.cells["id"]
        yield FiledInstructor(own, row.shown("name"))
    if none:
        notes.faults.append(rows.nothing())


def _trainees(rows: Rows, today: Instant, zone: ZoneInfo, notes: _Notes) -> Iterator[FiledTrainee]:
    numbers: dict[str, Cell] = {}
    people: dict[tuple[str, str], Cell] = {}
    none = True
    for row in rows:
        none = False
        number = row.shown("number")
        if number in numbers:
            notes.faults.append(row.fault("number", "number_twice", other=str(numbers[number])))
        elif number:
            numbers[number] = row.cells["number"]
        id_type = ID_TYPES.get("".join(row.shown("id_type").split()).casefold())
        if id_type is None and row.shown("id_type"):
            known = "、".join(one for one in ID_TYPES if not one.isascii())
            notes.faults.append(row.fault("id_type", "id_type_unknown", known=known))
        id_number = "".join(row.shown("id_number").split()).upper()
        sex = SEXES.get(row.shown("sex").casefold(), "")
        if row.shown("sex") and not sex:
            notes.faults.append(row.fault("sex", "sex_unknown"))
        if row.shown("phone") and not _PHONE.fullmatch(row.shown("phone").replace(" ", "")):
            notes.faults.append(row.fault("phone", "phone_format"))
        if id_type and isinstance(row.contents.get("id_number"), str):
            _check_id(row, id_type, id_number, sex, notes)
            if id_type is IdType.RESIDENT:
                _check_age(row, id_number, today, zone, notes)
            if (same := people.get((id_type, id_number))) is not None:
                notes.faults.append(row.fault("id_number", "id_twice", other=str(same)))
            people.setdefault((id_type, id_number), row.cells["id_number"])
        yield FiledTrainee(
            number,
            row.shown("name"),
            id_type or IdType.RESIDENT,
            id_number,
            sex,
            row.shown("phone").replace(" ", ""),
        )
    if none:
        notes.faults.append(rows.nothing())


def _check_id(row: Row, id_type: IdType, number: str, sex: str, notes: _Notes) -> None:
    if id_type is not IdType.RESIDENT:
        if not _FORMS[id_type].fullmatch(number):
            notes.faults.append(row.fault("id_number", "id_format"))
        return
    if len(number) != _RESIDENT_LENGTH:
        notes.faults.append(row.fault("id_number", "id_length", length=str(len(number))))
        return
    try:
        ric.validate(number)
    except InvalidChecksum:
        notes.faults.append(row.fault("id_number", "id_check_digit"))
        return
    except InvalidComponent:
        if _born(number) is None:
            notes.faults.append(row.fault("id_number", "id_birth"))
            return
        # Counties come and go, and the library's list may be older than the person's card.
        notes.warnings.append(row.fault("id_number", "id_region"))
    except ValidationError:
        notes.faults.append(row.fault("id_number", "id_format"))
        return
    if sex and sex != ("male" if int(number[16]) % 2 else "female"):
        notes.faults.append(row.fault("sex", "sex_differs"))


def _check_age(row: Row, number: str, today: Instant, zone: ZoneInfo, notes: _Notes) -> None:
    born = _born(number)
    if born is None:
        return
    now = local(today, zone).date()
    age = now.year - born.year - ((now.month, now.day) < (born.month, born.day))
    if age < _ADULT_ENOUGH:
        notes.warnings.append(row.fault("id_number", "under_14"))


def _born(number: str) -> date | None:
    try:
        return ric.get_birth_date(number)
    except (ValidationError, ValueError):
        return None


def _size(
    head: Row | None, trainees: int, instructors: int, profile: Profile, notes: _Notes
) -> None:
    if head is None:
        return
    rule, unusual = profile.classes, warnings(trainees, instructors, profile)
    if Unusual.TOO_LARGE in unusual:
        counts = {"count": str(trainees), "most": str(rule.size)}
        notes.warnings.append(head.fault("name", "class_large", **counts))
    if Unusual.TOO_FEW_TEACHERS in unusual:
        least = str(ceil(trainees / rule.trainees_a_teacher))
        counts = {"count": str(trainees), "least": least, "there": str(instructors)}
        notes.warnings.append(head.fault("name", "few_instructors", **counts))
