"""Filings at the centre: whole or not at all, nothing taught is undone, boxes get their rooms'."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import select

from edge.documents import ROSTER, TIMETABLE, Roster, parse
from edge.model import MINUTE, Instant, Lesson, LessonHour
from edge.shipped import shipped_profiles
from sync.central.command import main
from sync.central.documents import in_force
from sync.central.erasure import forget_name
from sync.central.filing import records, tables
from sync.central.filing.checks import check
from sync.central.filing.model import Filing
from sync.central.filing.publish import publish, rooms_without_a_box
from sync.central.filing.records import Conflict, DoesNotFit, People
from sync.central.filing.tables_of import read
from sync.central.store import insert_or_update
from tests.boxes import at
from tests.central.centres import Centre
from tests.central.days import opened
from tests.central.filing import books
from tests.chains import Chain

NOW = at("08:00", "2026-11-25")


def filing(content: dict[str, list[list[object]]] | None = None) -> Filing:
    """Return the filing that tables hold, those of the usual class by default."""
    made = check(read("c.xlsx", books.workbook(content or books.tables())), shipped_profiles(), NOW)
    assert made.filing is not None, made.faults
    return made.filing


def another(room: str = "204", instructor: str = "T-009") -> Filing:
    """Return a class at the same hours with other people, room and instructor."""
    usual = filing()
    return replace(
        usual,
        period_id="2026-JN-0032",
        trainees=tuple(
            replace(one, id_number=books.id_number(900 + number))
            for number, one in enumerate(usual.trainees)
        ),
        instructors=(replace(usual.instructors[0], id=instructor),),
        lessons=tuple(replace(one, room=room, instructors=(instructor,)) for one in usual.lessons),
    )


@pytest.fixture
def people(tmp_path: Path) -> People:
    """The keys of identity numbers."""
    return People(tmp_path / "keys")


def take(centre: Centre, people: People, *filings: Filing, now: Instant = NOW) -> records.Taken:
    """Take them one after another; return what the last changed."""
    for one in filings:
        with centre.store.writing() as connection:
            taken = records.store(connection, people, one, now, "staff")
    return taken


def documents(centre: Centre, box: str) -> tuple[Roster, tuple[Lesson, ...]]:
    """Return what the box is given."""
    with centre.store.reading() as connection:
        stored = in_force(connection, box, centre.store.epoch)
    content = {one.kind: parse(one.kind, one.content) for one in stored}
    roster, lessons = content[ROSTER], content[TIMETABLE]
    assert isinstance(roster, Roster)
    assert isinstance(lessons, tuple)
    return roster, tuple(one for one in lessons if isinstance(one, Lesson))


def room(centre: Centre, name: str, box: str) -> None:
    """State which box is in a room."""
    with centre.store.writing() as connection:
        insert_or_update(connection, tables.room, {"name": name, "box": box})


@contextmanager
def refused(*conflicts: Conflict) -> Iterator[None]:
    """Expect exactly these conflicts."""
    with pytest.raises(DoesNotFit) as caught:
        yield
    assert sorted(caught.value.conflicts, key=repr) == sorted(conflicts, key=repr)


def test_each_box_gets_the_classes_of_its_room(centre: Centre, people: People) -> None:
    """Roster and timetable of one room are its box's alone."""
    take(centre, people, filing(), another())
    for name, box in (("203", "box-a"), ("204", "box-b")):
        room(centre, name, box)
    told = publish(centre.store, NOW)
    assert [(one.box, one.lessons, one.trainees) for one in told] == [
        ("box-a", 2, 3),
        ("box-b", 2, 3),
    ]
    roster, lessons = documents(centre, "box-a")
    (only,) = roster.classes
    assert (only.id, only.approved_by, len(only.trainees)) == ("2026-JN-0031", "县人社局", 3)
    assert (only.trainees[0].number, only.trainees[0].name) == ("01", "学员1")
    assert [one.id for one in lessons] == ["2026-JN-0031-001", "2026-JN-0031-002"]
    assert lessons[0].instructors == ("T-001",)
    assert lessons[0].hours == filing().lessons[0].hours
    assert told[0].without_pin == ("T-001", "T-002")


def test_no_identity_number_lies_open_or_goes_to_a_box(
    centre: Centre, people: People, tmp_path: Path
) -> None:
    """Sealed in the database, in no document; and with the key it can be read again."""
    take(centre, people, filing())
    room(centre, "203", "box-a")
    publish(centre.store, NOW)
    numbers = [one.id_number for one in filing().trainees]
    for table in (tables.person, tables.class_trainee, tables.filed_class):
        for row in centre.rows(table):
            assert not any(number in repr(tuple(row)) for number in numbers)
    with centre.store.reading() as connection:
        for stored in in_force(connection, "box-a", centre.store.epoch):
            assert not any(number.encode() in stored.content for number in numbers)
        rows = connection.execute(select(tables.person)).all()
    assert sorted(People(tmp_path / "keys").id_number(row) for row in rows) == sorted(numbers)


def test_a_person_of_two_classes_is_one_person(centre: Centre, people: People) -> None:
    """Found again by the keyed hash, so that being in two rooms at once can be seen at all."""
    usual = filing()
    later = replace(another(), trainees=usual.trainees[:1], lessons=another().lessons[1:])
    moved = replace(later.lessons[0], hours=_later(later.lessons[0].hours, 5 * 24 * 60))
    taken = take(centre, people, usual, replace(later, lessons=(moved,)))
    assert taken.new_people == 0
    assert len(centre.rows(tables.person)) == 3


def test_a_class_filed_again_takes_the_place_of_what_was(centre: Centre, people: People) -> None:
    """Before its first lesson everything may change; people keep the ids that boxes know."""
    take(centre, people, filing())
    before = {row.id for row in centre.rows(tables.person)}
    smaller = books.tables(trainees=2, lessons=1)
    taken = take(centre, people, filing(smaller))
    assert taken == records.Taken(trainees=2, new_people=0, lessons=1, replaced=True)
    assert {row.person_id for row in centre.rows(tables.class_trainee)} < before
    assert [row.id for row in centre.rows(tables.filed_lesson)] == ["2026-JN-0031-001"]


def test_what_was_taught_stays_and_nobody_leaves(centre: Centre, people: People) -> None:
    """R24: a lesson that a box opened and whoever was on its roster are evidence."""
    take(centre, people, filing())
    room(centre, "203", "room-203")
    publish(centre.store, NOW)
    _, lessons = documents(centre, "room-203")
    chain = Chain()
    centre.know(chain)
    centre.learn(chain, opened(lessons[0]), at=lessons[0].start)
    usual = filing()
    later = replace(usual.lessons[0], hours=_later(usual.lessons[0].hours, 15))
    with refused(Conflict("lesson_taught", {"lesson": "1"})):
        take(centre, people, replace(usual, lessons=(later, usual.lessons[1])))
    with refused(
        Conflict("lesson_taught", {"lesson": "1"}), Conflict("trainee_left", {"number": "03"})
    ):
        take(
            centre,
            people,
            replace(usual, trainees=usual.trainees[:2], lessons=usual.lessons[1:]),
        )
    assert len(centre.rows(tables.class_trainee)) == 3
    grown = (*usual.trainees, replace(usual.trainees[0], number="04", id_number=books.id_number(7)))
    moved = replace(usual.lessons[1], hours=_later(usual.lessons[1].hours, 15))
    taken = take(centre, people, replace(usual, trainees=grown, lessons=(usual.lessons[0], moved)))
    assert taken.new_people == 1


def test_two_classes_cannot_have_one_room_teacher_or_trainee_at_once(
    centre: Centre, people: People
) -> None:
    """Each is named, for each lesson, with the other lesson."""
    take(centre, people, filing())
    one = {"lesson": "1", "other": "2026-JN-0031-001"}
    two = {"lesson": "2", "other": "2026-JN-0031-002"}
    with refused(*(Conflict("room_taken", {**each, "room": "203"}) for each in (one, two))):
        take(centre, people, another(room="203"))
    with refused(*(Conflict("instructor_taken", {**each, "id": "T-001"}) for each in (one, two))):
        take(centre, people, another(instructor="T-001"))
    with refused(*(Conflict("trainee_taken", {**each, "number": "01"}) for each in (one, two))):
        take(centre, people, replace(another(), trainees=filing().trainees[:1]))
    assert len(centre.rows(tables.filed_class)) == 1
    take(centre, people, another())


def test_a_room_without_a_box_is_named(centre: Centre, people: People) -> None:
    """A timetable that no box shows would be found out on the day of the lesson."""
    take(centre, people, filing(), another())
    room(centre, "203", "box-a")
    with centre.store.reading() as connection:
        assert rooms_without_a_box(connection, NOW) == ["204"]
        assert rooms_without_a_box(connection, at("08:00", "2026-12-24")) == []


def test_an_erased_person_leaves_the_filing_too(centre: Centre, people: People) -> None:
    """Name, number and class; the others stay."""
    take(centre, people, filing())
    first, *others = centre.rows(tables.person)
    with centre.store.writing() as connection:
        forget_name(connection, centre.store.epoch, first.id)
    assert centre.rows(tables.person) == others
    assert first.id not in {row.person_id for row in centre.rows(tables.class_trainee)}


def test_staff_file_a_class_by_commands(tmp_path: Path) -> None:
    """Template, check, take, room, PIN, publish; and a wrong cell ends it with nothing stored."""
    settings = tmp_path / "centre.toml"
    settings.write_text(
        f'[centre]\ndata_dir = "{tmp_path / "data"}"\n'
        '[broker]\nhost = "127.0.0.1"\nsecurity = "none"\n',
        "utf-8",
    )

    def run(*arguments: str) -> Result:
        return CliRunner().invoke(main, ["--config", str(settings), "filing", *arguments])

    book = tmp_path / "class.xlsx"
    assert run("template", str(book)).exit_code == 0
    wrong = books.tables()
    wrong["花名册"][1][0] = None
    (tmp_path / "wrong.xlsx").write_bytes(books.workbook(wrong))
    for what in ("check", "take"):
        done = run(what, str(tmp_path / "wrong.xlsx"))
        assert done.exit_code == 1
        assert "花名册!A2 “学号”不能为空" in done.output
        assert "1 cells are wrong: nothing was stored" in done.output
    assert "nothing was stored" in run("check", str(book)).output
    assert "2026-JN-0031 is taken: 1 trainees" in run("take", str(book)).output
    assert "room 203 has no box" in run("publish").output
    assert run("room", "203", "room-203").exit_code == 0
    assert "T-001 has no PIN yet" in run("publish").output
    issued = run("pin", "T-001")
    assert "shown once" in issued.output
    assert run("pin", "T-404").exit_code == 1
    slips = tmp_path / "slips.html"
    assert "1 PINs" in run("pins", "2026-JN-0031", str(slips)).output
    assert slips.stat().st_mode & 0o077 == 0
    assert "李明华" in slips.read_text("utf-8")
    assert run("pins", "2026-JN-0031", str(slips), "--number", "99").exit_code == 1
    last = run("publish").output
    assert "room-203 (room 203): 1 lessons, 1 trainees" in last
    assert "PIN" not in last
    held = json.dumps([path.name for path in tmp_path.rglob("*")])
    assert "people.key" in held
    pin = issued.output.split("PIN ")[1].split()[0]
    assert pin.isdigit()
    assert pin.encode() not in (tmp_path / "data" / "centre.db").read_bytes()


def _later(hours: tuple[LessonHour, ...], minutes: int) -> tuple[LessonHour, ...]:
    return tuple(
        LessonHour(hour.start + minutes * MINUTE, hour.end + minutes * MINUTE) for hour in hours
    )
