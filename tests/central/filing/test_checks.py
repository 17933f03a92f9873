"""Tables of a class: every mistake is named with its cell, and nothing right is refused."""

from __future__ import annotations

import csv
import io
import random
from datetime import date, datetime, time
from typing import Any

import pytest

from edge.shipped import shipped_profiles
from sync.central.filing import words
from sync.central.filing.checks import check
from sync.central.filing.columns import ID_TYPES
from sync.central.filing.model import Checked
from sync.central.filing.tables_of import Sheet, Unreadable, read
from tests.boxes import at
from tests.central.filing.books import filled_template, id_number, tables, workbook

TODAY = at("08:00", "2026-11-25")
Tables = dict[str, list[list[Any]]]


def checked(content: Tables) -> Checked:
    """Check tables as an .xlsx file."""
    return check(read("class.xlsx", workbook(content)), shipped_profiles(), TODAY)


def faults(content: Tables) -> dict[str, str]:
    """Return cell → code of every fault."""
    return {str(fault.cell): fault.code for fault in checked(content).faults}


def test_a_class_that_is_right_is_taken_as_it_stands() -> None:
    """Names, numbers, kinds of document and times arrive as they were typed."""
    found = checked(tables())
    assert not found.faults
    assert not found.warnings
    filing = found.filing
    assert filing is not None
    assert (filing.period_id, filing.name, filing.profile) == (
        "2026-JN-0031",
        "面点 3 班",
        "default",
    )
    assert filing.received_at == at("08:00", "2026-11-01")
    assert [one.number for one in filing.trainees] == ["01", "02", "03"]
    assert [one.sex for one in filing.trainees] == ["female", "male", "female"]
    first, second = filing.lessons
    assert [(hour.start, hour.end) for hour in first.hours] == [
        (at("09:00", "2026-12-01"), at("09:45", "2026-12-01")),
        (at("09:45", "2026-12-01"), at("10:30", "2026-12-01")),
    ]
    assert (second.number, second.room, second.instructors) == (2, "203", ("T-001",))


def test_the_template_with_its_examples_is_a_class() -> None:
    """What is given out can be taken: its headings, its examples, its page of help."""
    found = check(read("template.xlsx", filled_template()), shipped_profiles(), TODAY)
    assert [words.line(fault) for fault in found.faults] == []
    assert found.filing is not None


def test_the_same_class_from_csv_files_in_both_encodings() -> None:
    """Excel in China saves CSV as GB18030 unless it is told otherwise; Excel's dates are dates."""
    for encoding in ("utf-8-sig", "gb18030"):
        sheets: list[Sheet] = []
        for name, rows in tables().items():
            text = io.StringIO()
            csv.writer(text).writerows(rows)
            sheets += read(f"{name}.csv", text.getvalue().encode(encoding), name)
        assert check(sheets, shipped_profiles(), TODAY).filing == checked(tables()).filing
    dated = tables()
    dated["班级"][1][4] = datetime.fromisoformat("2026-11-01T08:00")
    for row in dated["课表"][1:]:
        row[1] = date.fromisoformat(row[1])
        row[4], row[5] = time.fromisoformat(row[4]), time.fromisoformat(row[5])
    assert checked(dated).filing == checked(tables()).filing


MISTAKES: dict[str, tuple[str, int, int, Any, str]] = {
    # name: sheet, row from 1, column from 0, what is typed, the fault
    "no period": ("班级", 2, 0, None, "missing"),
    "no such rules": ("班级", 2, 5, "nobody", "profile_unknown"),
    "no time": ("班级", 2, 4, "tomorrow", "moment_format"),
    "no name": ("花名册", 2, 1, "  ", "missing"),
    "a long name": ("花名册", 2, 1, "长" * 101, "too_long"),
    "a number kept as a number": ("花名册", 3, 4, 110105194912310020, "digits_lost"),
    "one digit too few": ("花名册", 3, 4, id_number(101)[:-1], "id_length"),
    "a wrong check digit": ("花名册", 3, 4, id_number(101)[:-1] + "?", "id_check_digit"),
    "letters": ("花名册", 3, 4, "11010519900101A018", "id_format"),
    "born on no day": ("花名册", 3, 4, id_number(101, "19900231"), "id_birth"),
    "another's sex": ("花名册", 3, 2, "女", "sex_differs"),
    "no sex at all": ("花名册", 3, 2, "?", "sex_unknown"),
    "an unknown document": ("花名册", 3, 3, "学生证", "id_type_unknown"),
    "no passport": ("花名册", 3, 3, "护照", "id_format"),
    "no mobile": ("花名册", 4, 5, "0531-12345", "phone_format"),
    "a number twice": ("花名册", 4, 0, "01", "number_twice"),
    "a teacher twice": ("教师", 3, 0, "T-001", "instructor_twice"),
    "a teacher of nobody": ("课表", 2, 3, "T-009", "instructor_unknown"),
    "two rooms": ("课表", 3, 2, "204", "lesson_differs"),
    "lesson nought": ("课表", 2, 0, "0", "lesson_number"),
    "no day": ("课表", 4, 1, "2026-02-30", "day_format"),
    "no hour": ("课表", 4, 4, "9 o'clock", "time_format"),
    "backwards": ("课表", 4, 5, "08:45", "end_before_start"),
    "into the next hour": ("课表", 2, 5, "09:50", "hours_overlap"),
    "two lessons at once": ("课表", 4, 1, "2026-12-01", "trainee_taken"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_named_with_its_cell(name: str) -> None:
    """One wrong cell: the fault is in that cell or beside it, and nothing of the file is taken."""
    sheet, row, column, typed, code = MISTAKES[name]
    content = tables()
    if code == "id_check_digit":
        good = content[sheet][row - 1][column]
        typed = good[:-1] + ("1" if good[-1] != "1" else "2")
    content[sheet][row - 1][column] = typed
    found = checked(content)
    assert found.filing is None
    told = {(fault.cell.sheet, fault.code) for fault in found.faults}
    assert (sheet, code) in told
    exact = [fault for fault in found.faults if fault.code == code]
    assert all(words.line(fault) for fault in found.faults)
    if code not in ("hours_overlap", "lesson_differs", "trainee_taken", "id_format"):
        assert any(fault.cell.row == row for fault in exact)
        assert f"{'ABCDEF'[column]}{row}" in {f"{one.cell.column}{one.cell.row}" for one in exact}


def test_the_same_person_twice_is_named_with_both_cells() -> None:
    """The second line names the first."""
    content = tables()
    content["花名册"][3][4] = content["花名册"][1][4]
    found = checked(content)
    (fault,) = [one for one in found.faults if one.code == "id_twice"]
    assert str(fault.cell) == "花名册!E4"
    assert fault.values["other"] == "花名册!E2"
    assert "花名册!E2" in words.chinese(fault)


def test_headings_and_sheets_that_are_not_there_are_named() -> None:
    """Before any row is read."""
    content = tables()
    del content["教师"]
    content["花名册"][0][4] = "身份"
    assert faults(content) == {"教师!A1": "sheet_missing", "花名册!A1": "column_missing"}
    content = tables()
    content["课表"][1:] = []
    assert faults(content) == {"课表!A2": "no_rows"}


def test_what_only_warns_refuses_nothing() -> None:
    """Size, ratio, lateness, a short lesson, a child: said, and taken (R16, R33)."""
    content = tables(trainees=51)
    content["班级"][1][4] = "2026-12-01 09:30"
    content["花名册"][1][4] = id_number(200, "20150101")
    content["教师"][2:] = []
    content["课表"][3:] = [["2", "2026-12-02", "203", "T-001", "09:00", "09:30"]]
    found = checked(content)
    assert found.filing is not None
    assert {one.code for one in found.warnings} == {
        *("class_large", "few_instructors", "received_late"),
        *("under_14", "hour_length", "no_spot_check"),
    }
    assert all(words.line(one) for one in found.warnings)


def test_an_identity_number_is_never_shown_whole() -> None:
    """Faults are printed, mailed and pasted into chats (R22)."""
    content = tables()
    good = content["花名册"][2][4]
    content["花名册"][2][4] = wrong = good[:-1] + ("1" if good[-1] != "1" else "2")
    (fault,) = checked(content).faults
    assert wrong not in words.line(fault)
    assert fault.shown == wrong[:6] + "*" * 12
    filing = checked(tables()).filing
    assert good not in repr(filing)


@pytest.mark.parametrize("size", [50, 500, 5000])
def test_every_seeded_error_is_named_with_its_cell(size: int) -> None:
    """However many rows: each error by its cell, no other cell accused, nothing taken."""
    content = tables(trainees=size)
    chosen = random.Random(size).sample(range(1, size + 1), k=size // 10)
    expected: dict[str, str] = {}
    for place, row in enumerate(chosen):
        cells = content["花名册"][row]
        match place % 5:
            case 0:
                cells[4] = cells[4][:-1] + ("1" if cells[4][-1] != "1" else "2")
                expected[f"花名册!E{row + 1}"] = "id_check_digit"
            case 1:
                cells[1] = None
                expected[f"花名册!B{row + 1}"] = "missing"
            case 2:
                cells[3] = "学生证"
                expected[f"花名册!D{row + 1}"] = "id_type_unknown"
            case 3:
                cells[5] = "12345"
                expected[f"花名册!F{row + 1}"] = "phone_format"
            case _:
                cells[2] = "女" if cells[2] == "男" else "男"
                expected[f"花名册!C{row + 1}"] = "sex_differs"
    found = checked(content)
    assert found.filing is None
    assert {str(fault.cell): fault.code for fault in found.faults} == expected


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("class.xls", b"\xd0\xcf\x11\xe0"),
        ("class.xlsx", b"PK\x03\x04 not a workbook"),
        ("class.xlsx", b""),
        ("roster.csv", b"\xff\xff\xff\xff"),
        ("roster.csv", b'"open\n'),
    ],
)
def test_what_is_no_table_is_refused_with_what_to_do(name: str, content: bytes) -> None:
    """In both languages, and by the file's name."""
    with pytest.raises(Unreadable, match=r"(?s)[\u4e00-\u9fff].*[Ss]ave"):
        read(name, content, "花名册")


def test_words_have_the_same_blanks_in_both_languages() -> None:
    """A blank that is only in one of them would be found out by a user."""
    blanks = [
        {piece.split("}")[0] for piece in one[language].split("{")[1:]}
        for group in (words.FAULTS, words.WARNINGS, words.CONFLICTS)
        for one in group.values()
        for language in ("zh", "en")
    ]
    assert all(zh == en for zh, en in zip(blanks[::2], blanks[1::2], strict=True))
    assert set(ID_TYPES.values())
