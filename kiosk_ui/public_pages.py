"""The pages that anybody at the door may see: main screen, lessons, the state of the box.

Names are masked here unless an instructor is logged in; photos and recordings are not shown.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from flask import (
    Blueprint,
    Response,
    abort,
    current_app,
    redirect,
    render_template,
    request,
    stream_with_context,
    url_for,
)
from werkzeug.wrappers import Response as Answer

from edge import queries
from edge.model import Instant
from kiosk_ui import access, facts, faults, records, words
from kiosk_ui.lamps import lamps
from kiosk_ui.parts import parts
from kiosk_ui.screen import Phase, Sheet, may_start, moment

pages = Blueprint("public", __name__)

LANGUAGE_COOKIE = "language"
LANGUAGES = ("zh", "en")
_YEAR_S = 365 * 24 * 3600
# Chips that fit the card; with more people missing the last one says how many others there are.
CHIPS = 6
# Only while a look at the camera is of use does the oval ask for a face.
_LOOKING = (Phase.CHECK_IN, Phase.CHECK_OUT)
# Regions of the main screen that live updates replace, each with its template.
REGIONS = ("head", "idle", "say", "side", "foot")


@pages.get("/")
def main() -> str:
    """Show the main screen; whoever was logged in is not any more."""
    access.log_out()
    return render_template("main.html", **_view())


@pages.get("/stream")
def stream() -> Response:
    """Send the main screen's state, whole, now and after every change (server-sent events)."""
    events = parts().live.stream(_state)

    def bytes_of() -> Iterator[bytes]:
        for event in events:
            yield event.encode("utf-8")

    return Response(
        stream_with_context(bytes_of()),
        mimetype="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


def _state() -> tuple[str, Instant, Instant | None]:
    view = _view()
    looked: facts.Facts = view["facts"]
    state = {
        "stamp": current_app.jinja_env.globals["asset_stamp"],
        "layout": view["layout"],
        "guide": view["guide"],
        "card": _card(looked, view["sheet"]),
        "regions": {name: render_template(f"main/{name}.html", **view) for name in REGIONS},
    }
    return json.dumps(state, ensure_ascii=False), looked.now, looked.changes_at


def _view() -> dict[str, Any]:
    box = parts()
    looked = facts.look(box.ledger, box.runtime, box.config)
    sheet = looked.current
    found = moment(sheet, looked.now) if sheet else None
    shown = found.waiting if found else ()
    return {
        "facts": looked,
        "layout": "door" if sheet else "idle",
        "guide": _guide(looked),
        "sheet": sheet,
        "moment": found,
        "Phase": Phase,
        "band": words.band(looked),
        "lamps": lamps(looked, box.config),
        "risks": _risks(looked),
        "chips": shown if len(shown) <= CHIPS else shown[: CHIPS - 1],
        "with_pin": bool(sheet and found and _offers_pins(sheet, found.phase)),
        "may_start": bool(sheet and may_start(sheet, looked.now, looked.dated)),
        "teachers": [words.called(looked.instructors.get(one)) for one in sheet.lesson.instructors]
        if sheet
        else [],
        "today": _today(looked),
    }


def _card(looked: facts.Facts, sheet: Sheet | None) -> int:
    """Return when the card was shown whose owner should be asked for the PIN now; 0 for none."""
    card = looked.services.door.card
    if sheet is None or card is None or sheet.trainee(card.person_id) is None:
        return 0
    if moment(sheet, looked.now).phase is Phase.OVER:
        return 0
    return card.at


def _offers_pins(sheet: Sheet, phase: Phase) -> bool:
    """Tell whether the way without the face is of use now: somebody was issued a PIN."""
    return phase is not Phase.OVER and any(one.pin_hash for one in sheet.trainees)


def _guide(looked: facts.Facts) -> str:
    if not looked.services.picture:
        return "camera_out"
    if looked.greeted:
        return "greeted"
    if looked.current is None or moment(looked.current, looked.now).phase not in _LOOKING:
        return "rest"
    return looked.services.door.guide


def _risks(looked: facts.Facts) -> list[faults.Fault]:
    """Return why the hours of the lesson at hand may not count."""
    found = looked.conditions
    return faults.of_conditions(found, looked.labels) if found else []


def _today(looked: facts.Facts) -> list[Sheet]:
    return [
        one for one in looked.sheets if facts.same_day(one.lesson.start, looked.now, looked.zone)
    ]


@pages.get("/door.jpg")
def door_picture() -> Response:
    """Send the door camera's picture, or say that there is none (204)."""
    picture = parts().runtime.picture()
    if picture is None:
        return Response(status=204)
    return Response(picture, mimetype="image/jpeg")


@pages.get("/alive")
def alive() -> Response:
    """Answer the service's own watchdog."""
    return Response(status=204)


@pages.post("/language")
def language() -> Answer:
    """Switch the screen's language and stay on the page."""
    chosen = request.form.get("language", "")
    if chosen not in LANGUAGES:
        abort(400)
    response = redirect(access.safe_next(request.form.get("next")) or url_for("public.main"))
    response.set_cookie(LANGUAGE_COOKIE, chosen, max_age=_YEAR_S, httponly=True, samesite="Strict")
    return response


@pages.get("/lessons")
def lessons() -> str:
    """List the lessons that have records, those of today and those to come."""
    clock = parts().ledger.clock
    now = clock.now().at
    listed = facts.listed(parts().ledger, now)
    days = records.by_day(parts(), listed, now)
    with parts().ledger.store.read() as connection:
        drawn = {one.id for one in listed if queries.draw_of(connection, one.id)}
        known = queries.notices(connection)
    notices = [one for one in known if one.shown(now, clock.dated())][::-1]
    return render_template("lessons.html", days=days, now=now, drawn=drawn, notices=notices)


@pages.get("/lessons/<lesson_id>")
def lesson(lesson_id: str) -> str:
    """Show one lesson: who was in and out, and for instructors photos."""
    now = parts().ledger.clock.now().at
    with parts().ledger.store.read() as connection:
        found = queries.lesson(connection, lesson_id)
        if found is None:
            abort(404)
        record = records.read(connection, found, parts().config, now)
    view = request.args.get("view", "attendance")
    if view not in ("attendance", "snapshots"):
        abort(404)
    if view != "attendance" and access.instructor() is None:
        view = "attendance"
    why = request.args.get("why", "")
    return render_template("lesson.html", record=record, view=view, now=now, why=why)


@pages.get("/status")
def status() -> str:
    """Say how the box is: network, recording, clock, door camera, what is still to be sent."""
    box = parts()
    looked = facts.look(box.ledger, box.runtime, box.config)
    return render_template(
        "status.html",
        facts=looked,
        lamps=lamps(looked, box.config),
        config=box.config,
        risks=_risks(looked),
        faults=[faults.of_case(alert.case, looked.labels) for alert in looked.alerts],
    )
