"""The doctor's page: what ``classbox doctor`` says, at the touch screen in its language.

Open to whoever stands there, like the state of the box: it names no person, and changes nothing.
"""

from __future__ import annotations

from flask import Blueprint, render_template

from kiosk_ui import checkup, remedies
from kiosk_ui.checkup import State, Surroundings
from kiosk_ui.parts import parts

pages = Blueprint("doctor", __name__)

_LAMPS = {State.PROBLEM: "care", State.NOTE: "idle", State.WELL: "good"}


@pages.get("/doctor")
def look() -> str:
    """Look at everything now; worst first."""
    box = parts()
    around = Surroundings()
    found = [
        *checkup.services(around),
        *checkup.network(around),
        *checkup.without_ledger(box.config, around),
        *checkup.with_ledger(box.config, box.ledger),
    ]
    order = list(_LAMPS)
    found.sort(key=lambda one: order.index(one.state))
    titles = remedies.titles()
    return render_template(
        "doctor.html",
        found=[(_LAMPS[one.state], titles[one.check], remedies.words(one)) for one in found],
        well=all(one.state is not State.PROBLEM for one in found),
        help_phone=box.config.help_phone,
    )
