"""A printed card before the door camera leads to the PIN, and card and PIN make one way."""

from __future__ import annotations

from dataclasses import replace

import pytest

from edge.events import ScanMade
from tests.boxes import at, roster_of, two_hours
from tests.kiosk.stage import PIN, PIN_HASH, Stage
from tests.kiosk.test_lesson import bodies


@pytest.fixture
def cards(stage: Stage) -> Stage:
    """The box of the tests; the first trainee has a card and a PIN."""
    roster = roster_of(5, PIN_HASH)
    (the_class,) = roster.classes
    trainees = tuple(replace(one, pin_hash=PIN_HASH) for one in the_class.trainees)
    with_pins = replace(roster, classes=(replace(the_class, trainees=trainees),))
    stage.send((two_hours(at("09:00")),), with_pins, version=7)
    return stage


def shown(stage: Stage, person: str) -> int:
    """Let the greeter say that a card was shown; return the moment."""
    moment = stage.clock.at
    stage.picture()
    card = {"person_id": person, "at": moment}
    stage.show("door.json", {"at": moment, "guide": "none", "greeting": None, "card": card})
    return moment


def test_a_card_and_its_pin_check_in(cards: Stage) -> None:
    """The page is the owner's already; the scan says both."""
    moment = shown(cards, "p-2")
    browser = cards.client()
    page = browser.get(f"/check-in/pin?card={moment}")
    assert "Your card was read" in page
    assert 'value="p-2" checked' in page
    status, page = browser.post("/check-in/pin", card=str(moment), pin=PIN, form="f")
    assert status == 200
    (scan,) = bodies(cards, ScanMade.kind)
    assert (scan["person_id"], scan["way"]) == ("p-2", "card")
    assert scan["photo"]


def test_a_card_without_its_pin_is_nothing(cards: Stage) -> None:
    """A card that was found or lent checks nobody in."""
    moment = shown(cards, "p-2")
    status, page = cards.client().post("/check-in/pin", card=str(moment), pin="000000", form="f")
    assert status == 403
    assert "2 more tries" in page
    assert bodies(cards, ScanMade.kind) == []


def test_a_card_that_the_camera_did_not_see_is_no_card(cards: Stage) -> None:
    """A form that only says so makes a presence by PIN, of the number that was chosen."""
    moment = shown(cards, "p-2")
    cards.client().post("/check-in/pin", card=str(moment + 1), person="p-1", pin=PIN, form="f")
    (scan,) = bodies(cards, ScanMade.kind)
    assert (scan["person_id"], scan["way"]) == ("p-1", "pin")


def test_a_card_of_nobody_here_leads_nowhere(cards: Stage) -> None:
    """Neither of another class, nor of none."""
    for person in ("", "p-404"):
        moment = shown(cards, person)
        page = cards.client().get(f"/check-in/pin?card={moment}")
        assert "Your student number" in page
        assert " checked" not in page
