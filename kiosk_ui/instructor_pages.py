"""The instructor's pages: PIN pad, start and end of a lesson, manual entry."""

from __future__ import annotations

from math import ceil
from typing import Any

from flask import (
    Blueprint,
    abort,
    flash,
    redirect,
    render_template,
    request,
    url_for,
)
from werkzeug.wrappers import Response

from edge import queries, requests, teaching
from edge.events import InstructorLoggedIn
from edge.look.language import _, ngettext
from edge.model import Instant, Instructor, Lesson
from edge.rules.attendance import Kind
from edge.rules.lessons import kept_from_recording
from edge.teaching import NotAllowed
from kiosk_ui import access, facts, manual, spot_check_pages, words
from kiosk_ui.access import instructor_only
from kiosk_ui.parts import parts
from kiosk_ui.screen import Phase, Sheet, may_start, moment, what_it_would_be

pages = Blueprint("instructor", __name__, url_prefix="/instructor")


def _now() -> Instant:
    return parts().ledger.clock.now().at


def _me() -> Instructor:
    me = access.instructor()
    if me is None:
        abort(403)
    return me


@pages.get("/login")
def login() -> Response | str:
    """Ask who it is and for the PIN."""
    target = access.safe_next(request.args.get("next"))
    if access.instructor() is not None:
        return redirect(target or url_for("instructor.home"))
    return _login_page(target)


def _login_page(target: str | None, chosen: str = "", problem: str = "") -> str:
    looked = facts.look(parts().ledger, parts().runtime, parts().config)
    known = list(looked.instructors.values())
    teaching_now = looked.current.lesson.instructors if looked.current else ()
    known.sort(key=lambda one: (one.id not in teaching_now, one.id))
    if not chosen and known and (known[0].id in teaching_now or len(known) == 1):
        chosen = known[0].id
    return render_template(
        "login.html",
        known=known,
        chosen=chosen,
        target=target,
        problem=problem,
        wait=ceil(parts().pins.wait(chosen)) if chosen else 0,
    )


@pages.post("/login")
def check() -> Response | tuple[str, int]:
    """Check the PIN; after some wrong ones the next try must wait."""
    target = access.safe_next(request.form.get("next"))
    who = request.form.get("instructor", "")
    with parts().ledger.store.read() as connection:
        found = next((one for one in queries.instructors(connection) if one.id == who), None)
    if found is None:
        return _login_page(target, problem=_("Please choose your name first.")), 400
    pins = parts().pins
    pin = request.form.get("pin", "")
    if not pin:
        return _login_page(target, found.id, _("Please enter your PIN.")), 400
    if pins.opens(found, pin):
        parts().ledger.append(InstructorLoggedIn(found.id, "pin"))
        access.log_in(found)
        return redirect(target or url_for("instructor.home"))
    wait = ceil(pins.wait(found.id))
    if wait:
        problem = _("Too many wrong PINs. Please wait.")
        return _login_page(target, found.id, problem), 429
    left = pins.tries_left(found.id)
    tries = ngettext("%(num)d more try", "%(num)d more tries", left)
    problem = _("That PIN is not right: %(tries)s.", tries=tries)
    return _login_page(target, found.id, problem), 403


@pages.post("/logout")
def logout() -> Response:
    """Log out and go back to the main screen."""
    access.log_out()
    return redirect(url_for("public.main"))


@pages.get("")
@instructor_only
def home() -> str:
    """Show the lesson that can be started, taught or ended now, and the ways on."""
    looked = facts.look(parts().ledger, parts().runtime, parts().config)
    sheet = looked.current or _next(looked)
    free = [one for one in looked.sheets if may_start(one, looked.now, looked.dated)]
    return render_template(
        "instructor.html",
        me=_me(),
        sheet=sheet,
        coming=looked.coming,
        moment=moment(sheet, looked.now) if sheet else None,
        may_start=sheet in free,
        others=[one for one in free if one is not sheet] if not looked.dated else [],
        starts_from=sheet.segments[0].check_in.opens if sheet else None,
        spot_check=words.spot_check(sheet, looked.now, looked.zone) if sheet else None,
        waiting=looked.services.link.waiting,
        now=looked.now,
        Phase=Phase,
        recordable=_recordable(looked),
        heads=spot_check_pages.last_count(sheet, looked.now) if sheet else None,
    )


def _recordable(looked: facts.Facts) -> list[Lesson]:
    """Return the lessons that may be recorded by hand now (R14), none while one is recorded."""
    if any(one.state == "recording" for one in (looked.services.recorder or {}).values()):
        return []
    return [
        one.lesson
        for one in looked.sheets
        if kept_from_recording(one.lesson, looked.now, looked.dated) is None
    ]


@pages.post("/record")
@instructor_only
def record() -> Response:
    """Have lessons recorded at once (R14); the lamp says when video reaches the disk."""
    ledger = parts().ledger
    with ledger.store.read() as connection:
        found = [queries.lesson(connection, one) for one in set(request.form.getlist("lesson"))]
    for lesson in found:
        if lesson is not None:
            args = {"lesson": lesson.id, "by": _me().id}
            requests.ask(ledger, requests.RECORD, args, max(lesson.end - _now(), 1))
    flash(_("Recording has been asked for. The lamp is green once video is being stored."))
    return redirect(url_for("instructor.home"))


def _next(looked: facts.Facts) -> Sheet | None:
    later = [one for one in looked.sheets if one.taught and one.lesson.start > looked.now]
    return later[0] if later else None


@pages.post("/lessons/<lesson_id>/start")
@instructor_only
def start(lesson_id: str) -> Response:
    """Start a lesson; a second tap does nothing."""
    try:
        if teaching.open_lesson(parts().ledger, lesson_id, _me().id):
            flash(_("The lesson has started. This is recorded."))
    except NotAllowed as error:
        flash(words.refusal(error.code), "care")
    return redirect(url_for("instructor.home"))


@pages.route("/lessons/<lesson_id>/end", methods=["GET", "POST"])
@instructor_only
def end(lesson_id: str) -> Response | str:
    """End a lesson; before its end only after a confirmation that says what it means."""
    now = _now()
    sheet = _sheet_or_404(lesson_id)
    if now < sheet.lesson.end and request.form.get("early") != "yes":
        return render_template("end.html", sheet=sheet, now=now)
    if request.method == "GET":
        return redirect(url_for("instructor.home"))
    try:
        if teaching.end_lesson(parts().ledger, lesson_id, _me().id):
            flash(_("The lesson has ended. This is recorded."))
    except NotAllowed as error:
        flash(words.refusal(error.code), "care")
    return redirect(url_for("instructor.home"))


@pages.get("/manual")
@instructor_only
def manual_now() -> Response:
    """Go to the manual entry of the present lesson: where "ask the instructor" leads."""
    looked = facts.look(parts().ledger, parts().runtime, parts().config)
    if looked.current is None:
        flash(_("There is no lesson now. Nobody needs to be entered."), "care")
        return redirect(url_for("instructor.home"))
    return redirect(url_for("instructor.manual_entry", lesson_id=looked.current.lesson.id))


def _sheet_or_404(lesson_id: str) -> Sheet:
    with parts().ledger.store.read() as connection:
        lesson = queries.lesson(connection, lesson_id)
        if lesson is None:
            abort(404)
        return facts.sheet(connection, lesson)


def _manual_page(sheet: Sheet, problem: str = "", **kept: Any) -> str:
    now = _now()
    found = moment(sheet, now)
    kinds = {one.id: what_it_would_be(sheet, one.id, now) for one in sheet.trainees}
    useful = {Kind.CHECK_OUT} if found.phase is Phase.CHECK_OUT else {Kind.CHECK_IN}
    if found.also is not None:
        useful.add(Kind.CHECK_IN)
    order = sorted(sheet.trainees, key=lambda one: kinds[one.id] not in useful)
    return render_template(
        "manual.html",
        sheet=sheet,
        moment=found,
        Phase=Phase,
        people=[one for one in order if kinds[one.id] in useful] or order,
        useful=found.phase in (Phase.CHECK_IN, Phase.CHECK_OUT),
        picture=parts().runtime.picture() is not None,
        problem=problem,
        form_id=manual.new_form(),
        **{"chosen": [], "reason": "", **kept},
    )


@pages.get("/lessons/<lesson_id>/manual")
@instructor_only
def manual_entry(lesson_id: str) -> Response | str:
    """Offer the trainees who are not in (or not out) for entry by hand."""
    sheet = _sheet_or_404(lesson_id)
    if not sheet.profile.manual_entry.allowed:
        flash(_("Entry by hand is not allowed under this class's rules."), "care")
        return redirect(url_for("instructor.home"))
    return _manual_page(sheet)


@pages.post("/lessons/<lesson_id>/manual")
@instructor_only
def enter(lesson_id: str) -> Response | tuple[str, int]:
    """Store the entries; sending the same form twice stores them once."""
    sheet = _sheet_or_404(lesson_id)
    chosen = [one for one in request.form.getlist("person") if sheet.trainee(one)]
    reason = request.form.get("reason", "")
    if not chosen:
        problem = _("Please choose at least one person.")
        return _manual_page(sheet, problem, reason=reason), 400
    if reason not in sheet.profile.manual_entry.reasons or not sheet.profile.manual_entry.allowed:
        problem = _("Please choose a reason.")
        return _manual_page(sheet, problem, chosen=chosen), 400
    photographed = manual.enter(parts(), request.form.get("form", ""), chosen, _me().id, reason)
    count = ngettext("%(num)d person entered", "%(num)d people entered", len(chosen))
    said = _("Entered by the instructor: %(reason)s", reason=words.reason_words(reason))
    flash(f"{count} · {said}")
    if not photographed:
        flash(
            _("The door camera gave no picture: the entry has no photo and will be reviewed."),
            "care",
        )
    return redirect(url_for("instructor.home"))
