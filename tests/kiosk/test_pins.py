"""Check-in by student number and PIN: a way without the face for everybody (decision 19)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from edge.events import ScanMade
from edge.model import MINUTE
from tests.boxes import at, roster_of, two_hours
from tests.kiosk.stage import PIN, PIN_HASH, Stage
from tests.kiosk.test_lesson import bodies


@pytest.fixture
def pins(stage: Stage) -> Stage:
    """The box of the tests, whose first two trainees were issued a PIN."""
    roster = roster_of(5, PIN_HASH)
    (the_class,) = roster.classes
    trainees = tuple(
        replace(one, pin_hash=PIN_HASH) if one.id in ("p-1", "p-2") else one
        for one in the_class.trainees
    )
    with_pins = replace(roster, classes=(replace(the_class, trainees=trainees),))
    stage.send((two_hours(at("09:00")),), with_pins, version=7)
    return stage


def check_in(stage: Stage, person: str, pin: str = PIN, form: str = "f-1") -> tuple[int, str]:
    """Send the form."""
    return stage.client().post("/check-in/pin", person=person, pin=pin, form=form)


def test_the_door_offers_it_where_somebody_has_a_pin(stage: Stage) -> None:
    """Without any PIN it would be a dead end."""
    assert 'href="/check-in/pin"' not in stage.client().get("/")


def test_a_right_pin_checks_in_with_a_photo(pins: Stage) -> None:
    """The page shows numbers only; the answer is the one that a face gets."""
    pins.picture()
    browser = pins.client()
    assert 'href="/check-in/pin"' in browser.get("/")
    page = browser.get("/check-in/pin")
    assert "Your student number" in page
    assert "李" not in page
    status, page = browser.post("/check-in/pin", person="p-1", pin=PIN, form="f-1")
    assert status == 200
    assert "checked in" in page
    (scan,) = bodies(pins, ScanMade.kind)
    assert (scan["person_id"], scan["way"], scan["entered_by"]) == ("p-1", "pin", "")
    assert scan["photo"]


def test_a_form_sent_twice_makes_one_scan(pins: Stage) -> None:
    """An impatient finger is no second glance."""
    check_in(pins, "p-1")
    check_in(pins, "p-1")
    assert len(bodies(pins, ScanMade.kind)) == 1


def test_a_wrong_pin_stores_nothing_and_waits_after_three(pins: Stage) -> None:
    """Each trainee by themselves: whoever guesses at one number locks nobody else out."""
    for left in (2, 1):
        status, page = check_in(pins, "p-1", "000000")
        assert status == 403
        assert f"{left} more tr" in page
    status, page = check_in(pins, "p-1", "000000")
    assert status == 429
    assert "Too many wrong PINs" in page
    assert check_in(pins, "p-1")[0] == 429
    assert check_in(pins, "p-2")[0] == 200
    assert [scan["person_id"] for scan in bodies(pins, ScanMade.kind)] == ["p-2"]


@pytest.mark.parametrize(
    ("person", "pin", "words"),
    [
        ("", PIN, "choose your student number"),
        ("p-404", PIN, "choose your student number"),
        ("p-1", "", "enter your PIN"),
        ("p-3", PIN, "No PIN was issued"),
    ],
)
def test_what_is_missing_is_said(pins: Stage, person: str, pin: str, words: str) -> None:
    """And nothing is stored."""
    status, page = check_in(pins, person, pin)
    assert status in (400, 403)
    assert words in page
    assert bodies(pins, ScanMade.kind) == []


def test_too_late_is_stored_and_says_what_comes_next(pins: Stage) -> None:
    """Like a face: the scan is a fact, and the words are those of the rules."""
    pins.clock.jump(at("09:00") + 20 * MINUTE)
    status, page = check_in(pins, "p-1")
    assert status == 200
    assert "Check-in closed at 09:15" in page
    assert len(bodies(pins, ScanMade.kind)) == 1


def test_outside_of_lessons_it_leads_back(pins: Stage) -> None:
    """There is nothing to check in to."""
    pins.clock.jump(at("20:00"))
    assert 'href="/check-in/pin"' not in pins.client().get("/")
    assert pins.client().client.get("/check-in/pin").status_code == 302
