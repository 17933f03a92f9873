"""Enrolment at the screen: consent first, then a look at the door camera, led by the instructor.

Before the first lesson of a class or in a break. Nobody is enrolled without the words shown and a
tap that agrees; whoever does not agree checks in by other ways.
"""

from __future__ import annotations

from flask import (
    Blueprint,
    abort,
    flash,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from werkzeug.wrappers import Response

from edge import agreement, consents, erasure, queries, requests
from edge.events import RequestRefused
from edge.look.language import _, locale
from edge.model import SECOND
from kiosk_ui import access, facts
from kiosk_ui.access import instructor_only
from kiosk_ui.parts import parts

pages = Blueprint("enrolment", __name__, url_prefix="/instructor/enrol")
_ENROL = "enrol"
_PATIENCE = 40 * SECOND
_WAL_PATIENCE_S = 2.0


def refusal(code: str) -> str:
    """Return what to do after the greeter refused an enrolment with *code*."""
    return {
        "no_face": _("No face was found. Face the camera and show your face from brows to chin."),
        "several_faces": _("There is more than one face. Only one person may be in the picture."),
        "too_small": _("The face is too small. Come closer to the camera."),
        "turned_away": _("Hold the head upright and look straight at the camera."),
        "too_dark": _("The face is too dark. Turn towards the light."),
        "too_bright": _("The face is too bright. Move out of the direct light."),
        "blurred": _("The picture is blurred. Hold still for a moment."),
        "somebody_else": _(
            "This face is enrolled as somebody else. Check who stands there; twins use their PINs."
        ),
        "no_camera": _("The door camera gives no picture. Check its cable, then try again."),
        "no_consent": _("The consent was taken back. Ask again, or use PIN or card."),
        "unknown_person": _("This person is no longer on the roster. Ask the office."),
    }.get(code, _("The enrolment did not work. Try again, or use PIN or card."))


@pages.get("")
@instructor_only
def people() -> str:
    """List the trainees of the lesson at hand, those without a face first."""
    looked = facts.look(parts().ledger, parts().runtime, parts().config)
    class_id = looked.current.lesson.class_id if looked.current else ""
    if not class_id and looked.coming:
        class_id = looked.coming[0].class_id
    with parts().ledger.store.read() as connection:
        group = queries.training_class(connection, class_id) if class_id else None
        enrolled = {row["person_id"] for row in connection.execute("SELECT * FROM enrolment")}
    trainees = sorted(group.trainees if group else (), key=lambda one: one.id in enrolled)
    return render_template("enrol.html", trainees=trainees, enrolled=enrolled)


@pages.get("/<person_id>")
@instructor_only
def person(person_id: str) -> str:
    """Show the words of the consent, or what can be done once it stands."""
    return _page(person_id)


@pages.post("/<person_id>/consent")
@instructor_only
def agree(person_id: str) -> Response | tuple[str, int]:
    """Note the consent and let the camera look."""
    _known(person_id)
    me = access.instructor()
    try:
        given = consents.agreed(
            person_id,
            locale().language,
            "kiosk",
            parts().ledger.clock.now().at,
            witness=me.id if me else "",
            under_14=request.form.get("under_14") == "yes",
            guardian=request.form.get("guardian", "")[:60],
            guardian_way=request.form.get("guardian_way", ""),
        )
    except consents.BadConsent:
        said = _("Under 14 a guardian must agree: fill in the name and how they agreed.")
        return _page(person_id, said), 400
    parts().ledger.append(given)
    return _begin(person_id)


@pages.post("/<person_id>/start")
@instructor_only
def start(person_id: str) -> Response:
    """Let the camera look once more; the consent stands."""
    _known(person_id)
    return _begin(person_id)


@pages.post("/<person_id>/withdraw")
@instructor_only
def withdraw(person_id: str) -> Response:
    """Take the consent back; the template goes at once."""
    me = access.instructor()
    if agreement.withdraw(parts().ledger, person_id, "kiosk", me.id if me else ""):
        erasure.empty_wal(parts().ledger, _WAL_PATIENCE_S)
        flash(_("The consent is taken back and the face is deleted. Use PIN or card from now on."))
    return redirect(url_for("enrolment.people"))


@pages.get("/<person_id>/look/<request_id>")
@instructor_only
def look(person_id: str, request_id: str) -> Response:
    """Show the door camera until the greeter has answered."""
    name = _known(person_id)
    with parts().ledger.store.read() as connection:
        answer = requests.answer_of(connection, request_id)
        row = connection.execute(
            "SELECT expires FROM request WHERE id = ?", (request_id,)
        ).fetchone()
    if row is None:
        abort(404)
    if isinstance(answer, RequestRefused):
        flash(refusal(answer.reason), "care")
        return redirect(url_for("enrolment.person", person_id=person_id))
    if answer is not None:
        flash(_("%(name)s is enrolled and can check in by face.", name=name))
        return redirect(url_for("enrolment.people"))
    if parts().ledger.clock.now().at > row["expires"]:
        flash(_("The door camera did not answer. Try again, or use PIN or card."), "care")
        return redirect(url_for("enrolment.person", person_id=person_id))
    response = make_response(render_template("enrol_look.html", name=name))
    response.headers["Refresh"] = "1"
    return response


def _page(person_id: str, problem: str = "") -> str:
    name = _known(person_id)
    with parts().ledger.store.read() as connection:
        found = consents.of_person(connection, person_id)
    return render_template(
        "enrol_person.html",
        person_id=person_id,
        name=name,
        stands=found is not None and found.allows_face,
        words=consents.TEXTS[locale().language].split("\n"),
        problem=problem,
        kept=request.form,
    )


def _known(person_id: str) -> str:
    with parts().ledger.store.read() as connection:
        name = queries.person_name(connection, person_id)
    if name is None:
        abort(404)
    return name


def _begin(person_id: str) -> Response:
    asked = requests.ask(parts().ledger, _ENROL, {"person_id": person_id}, _PATIENCE)
    return redirect(url_for("enrolment.look", person_id=person_id, request_id=asked))
