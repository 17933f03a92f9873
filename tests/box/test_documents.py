"""Documents are taken whole or refused whole, and an older one never replaces a newer."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from edge import queries
from edge.clock import SimulatedClock
from edge.decisions import parse_decisions
from edge.documents import (
    PROFILES,
    ROSTER,
    TIMETABLE,
    BadDocument,
    parse,
    roster_to_json,
    timetable_to_json,
)
from edge.events import ScanMade
from edge.inbox import apply_document
from edge.ledger import Ledger, projection_rows
from edge.model import MINUTE
from edge.queries import shipped_profile
from edge.rulebook import Rulebook, parse_profiles, profiles_to_json
from edge.rules.profile import profile_to_mapping
from edge.teaching import open_lesson
from tests.boxes import (
    CLASS_ID,
    LESSON_ID,
    TEACHER_ID,
    at,
    open_ledger,
    roster_of,
    send_documents,
    two_hours,
)

LESSON = two_hours(at("09:00"))


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with open_ledger(tmp_path, SimulatedClock(at("08:50"))) as opened:
        yield opened


def test_every_document_reads_back_as_it_was_written() -> None:
    """Writing and reading are each other's inverse."""
    roster = roster_of()
    profiles = Rulebook.of(shipped_profile(name) for name in ("default", "demo"))
    assert parse(TIMETABLE, timetable_to_json((LESSON,))) == (LESSON,)
    assert parse(ROSTER, roster_to_json(roster)) == roster
    assert parse(PROFILES, profiles_to_json(profiles)) == profiles


@pytest.mark.parametrize(
    ("kind", "change", "complaint"),
    [
        (TIMETABLE, {"lessons": 3}, "lessons: must be a list"),
        (TIMETABLE, {"lessons": [{"id": 3}]}, r"lessons\[0\].hours: must be a list"),
        (TIMETABLE, {"lessons": [{"hours": [{"start": "9"}]}]}, r"hours\[0\].start: .*Invalid"),
        (
            TIMETABLE,
            {"lessons": [{"hours": [{"start": "2026-11-23T09:00:00"}]}]},
            "lacks its offset",
        ),
        (ROSTER, {"classes": [], "instructors": [{"id": "t"}]}, r"instructors\[0\].name"),
        (PROFILES, {"profiles": [{"name": "x"}]}, r"profiles\[0\]: .*is missing"),
        ("menu", {}, "not a kind of document"),
    ],
)
def test_a_bad_document_names_the_place(kind: str, change: object, complaint: str) -> None:
    """Whoever made the document can find the mistake."""
    with pytest.raises(BadDocument, match=complaint):
        parse(kind, json.dumps(change).encode())


def test_a_bad_document_leaves_the_good_one_in_force(ledger: Ledger) -> None:
    """Refused whole: no event, no rows changed."""
    send_documents(ledger, (LESSON,), roster_of())
    before, head = projection_rows(ledger), ledger.head()
    with pytest.raises(BadDocument):
        apply_document(ledger, TIMETABLE, "epoch-1", 2, b'{"lessons": [{}]}')
    assert projection_rows(ledger) == before
    assert ledger.head() == head


def test_versions_only_go_forward_within_an_epoch(ledger: Ledger) -> None:
    """An old retained message does no harm; a restored centre's new epoch is obeyed."""
    content = timetable_to_json((LESSON,))
    assert apply_document(ledger, TIMETABLE, "epoch-1", 2, content)
    assert not apply_document(ledger, TIMETABLE, "epoch-1", 2, content)
    assert not apply_document(ledger, TIMETABLE, "epoch-1", 1, content)
    assert apply_document(ledger, TIMETABLE, "epoch-2", 1, content)


def test_an_opened_lesson_is_judged_by_what_was_frozen(ledger: Ledger) -> None:
    """Decision 2: later changes of timetable and profile do not touch a lesson under way."""
    strict = shipped_profile("default")
    send_documents(ledger, (LESSON,), roster_of(), {"default": strict})
    open_lesson(ledger, LESSON_ID, TEACHER_ID)
    ledger.append(ScanMade("p-1", at("08:52"), "face", ""))
    moved = two_hours(at("14:00"))
    send_documents(ledger, (moved,), roster_of(), {"default": shipped_profile("demo")}, version=2)
    with ledger.store.read() as connection:
        lesson = queries.lesson(connection, LESSON_ID)
        assert lesson is not None
        assert lesson.start == at("09:00")
        assert queries.profile_of(connection, lesson) == strict
        assert queries.lessons(connection, at("13:00"), at("15:00")) == []
    assert len(projection_rows(ledger)["attendance"]) == 1


def test_a_planned_lesson_follows_its_timetable(ledger: Ledger) -> None:
    """A lesson that moves before it is opened takes its scans at the new time."""
    send_documents(ledger, (LESSON,), roster_of())
    ledger.append(ScanMade("p-1", at("08:52"), "face", ""))
    assert len(projection_rows(ledger)["attendance"]) == 1
    later = two_hours(LESSON.start + 60 * MINUTE)
    send_documents(ledger, (later,), roster_of(), version=2)
    assert projection_rows(ledger)["attendance"] == []


def test_without_documents_a_box_has_rules_but_no_lessons(ledger: Ledger) -> None:
    """A new box works: shipped profiles, an empty timetable, nobody on a roster."""
    with ledger.store.read() as connection:
        assert queries.lessons(connection, 0, at("23:00")) == []
        assert queries.training_class(connection, CLASS_ID) is None
        assert queries.profile_of(connection, LESSON) == shipped_profile("default")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"action": "forgive"}, r"decisions\[0\].action: 'forgive' is none of"),
        ({"reason": " "}, r"decisions\[0\].reason: empty"),
        ({"hours": [0]}, "lesson hours count from 1"),
        ({"action": "waive"}, "write which doubt is settled"),
        ({"settles": "manual_share"}, 'belongs to the action "waive" only'),
        ({"until": "2026-11-23T11:00:00+08:00"}, 'belongs to the action "extend" only'),
        ({"who": "me"}, "who"),
    ],
)
def test_a_decision_that_says_too_little_is_refused(change: dict[str, Any], message: str) -> None:
    """Who decided what, and why: the error names the place in the document."""
    entry = {
        "id": "d-1",
        "lesson": LESSON_ID,
        "action": "accept",
        "by": "县人社局",
        "at": "2026-11-25T10:00:00+08:00",
        "reason": "核实",
    }
    assert parse_decisions({"decisions": [entry]})[0].lesson_id == LESSON_ID
    with pytest.raises(BadDocument, match=message):
        parse_decisions({"decisions": [{**entry, **change}]})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"authority": "city_platform", "handover": "one_scan"},
            "under a city platform",
        ),
        ({"pairing": "lesson", "handover": "one_scan"}, "one_scan leads from segment to segment"),
        ({"pairing": "day"}, "has no windows"),
        ({"scans_a_day": 1}, "check-in and check-out need two"),
        ({"ways": {"face": "maybe"}}, "ways.face"),
        ({"class": {"size": 0}}, "size must be 1 or more"),
    ],
)
def test_a_profile_that_contradicts_itself_is_refused(change: dict[str, Any], message: str) -> None:
    """The error says what to write instead."""
    values = profile_to_mapping(shipped_profile("default"))
    with pytest.raises(BadDocument, match=message):
        parse_profiles({"profiles": [{**values, **change}]})
