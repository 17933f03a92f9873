"""Check-in without the face: student number or printed card, and PIN (decision 19).

Public, so no names: numbers only, until a right PIN shows whose it is. Whether a presence by PIN
counts is the profile's; like every scan it is stored in any case, and says what it means.
"""

from __future__ import annotations

from math import ceil
from typing import Any
from zoneinfo import ZoneInfo

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from edge.look.language import _, ngettext
from edge.model import Trainee, Way
from kiosk_ui import facts, manual, presence, words
from kiosk_ui.parts import parts
from kiosk_ui.screen import Phase, Sheet, moment

pages = Blueprint("pin", __name__)


@pages.get("/check-in/pin")
def ask() -> str | Response:
    """Ask for student number and PIN while there is a lesson to check in to."""
    sheet = _sheet()
    if sheet is None:
        return redirect(url_for("public.main"))
    card = request.args.get("card", "")
    owner = _shown_by(sheet, card)
    return _page(sheet, chosen=owner, card=card if owner else "")


@pages.post("/check-in/pin")
def check() -> tuple[str, int] | str | Response:
    """Store the presence when the PIN is right; after some wrong ones the next try must wait."""
    sheet = _sheet()
    if sheet is None:
        return redirect(url_for("public.main"))
    card = request.form.get("card", "")
    owner = _shown_by(sheet, card)
    card = card if owner else ""
    person = owner or sheet.trainee(request.form.get("person", ""))
    if person is None:
        return _page(sheet, _("Please choose your student number first.")), 400
    pin = request.form.get("pin", "")
    if not pin:
        return _page(sheet, _("Please enter your PIN."), person, card), 400
    if not person.pin_hash:
        problem = _("No PIN was issued for this number. Please ask the instructor.")
        return _page(sheet, problem, person), 403
    pins = parts().pins
    if pins.opens(person, pin):
        scan_id = manual.entry_id(request.form.get("form", ""), person.id)
        presence.store(parts(), scan_id, person.id, Way.CARD if owner else Way.PIN)
        return _done(scan_id)
    if pins.wait(person.id):
        return _page(sheet, _("Too many wrong PINs. Please wait."), person, card), 429
    left = pins.tries_left(person.id)
    tries = ngettext("%(num)d more try", "%(num)d more tries", left)
    return _page(sheet, _("That PIN is not right: %(tries)s.", tries=tries), person, card), 403


def _shown_by(sheet: Sheet, card: str) -> Trainee | None:
    """Return who showed the card of the moment *card*, None when the door camera saw none then."""
    shown = parts().runtime.now().door.card
    if shown is None or str(shown.at) != card:
        return None
    return sheet.trainee(shown.person_id)


def _sheet() -> Sheet | None:
    box = parts()
    looked = facts.look(box.ledger, box.runtime, box.config)
    sheet = looked.current
    if sheet is None or moment(sheet, looked.now).phase is Phase.OVER:
        return None
    return sheet


def _page(sheet: Sheet, problem: str = "", chosen: Trainee | None = None, card: str = "") -> str:
    values: dict[str, Any] = {
        "sheet": sheet,
        "problem": problem,
        "chosen": chosen.id if chosen else "",
        "wait": ceil(parts().pins.wait(chosen.id)) if chosen else 0,
        "form_id": manual.new_form(),
        "card": card,
    }
    return render_template("pin.html", **values)


def _done(scan_id: str) -> str:
    box = parts()
    greeted = facts.greeted_by(box.ledger, scan_id)
    zone = ZoneInfo(box.config.time_zone)
    band = words.greeting(greeted, zone, box.ledger.clock.now().at)
    return render_template("pin_done.html", band=band)
