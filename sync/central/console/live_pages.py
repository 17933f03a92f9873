"""The console's pages of the cameras: live view, and recording by hand for many lessons at once.

Looking is asked for with POST: it opens a classroom to somebody's eyes, which no link and no
prefetch may do.
"""

from __future__ import annotations

from dataclasses import dataclass

from flask import (
    Blueprint,
    Response,
    abort,
    jsonify,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from werkzeug.wrappers import Response as AnyResponse

from edge.model import Instant
from edge.rules.lessons import TAUGHT, kept_from_recording, order_window
from sync.central import books, orders
from sync.central.console import live_words, words
from sync.central.console.app import parts
from sync.central.console.reading import boxes_of, day_of, lessons_of, refreshed
from sync.central.viewing import Key
from sync.central.views import Box, Evidence

live = Blueprint("live", __name__)

# There is no login yet: whoever has the page is the console.
WHO = "console"
_FAULTS = frozenset({"offline", "refused", "unusable", "disk_full"})


@dataclass(frozen=True, slots=True)
class Row:
    """A lesson of today in one box's room. ``state``: of its device, of ``live_words.DEVICES``.

    ``viewable``: it is being filmed, so that somebody may look; ``may_order``: R14's time for it.
    """

    of: Evidence
    box: str
    state: str
    viewable: bool
    may_order: bool


@live.before_request
def _own_pages_only() -> None:
    """Refuse what another site lets this browser ask for."""
    site = request.headers.get("Sec-Fetch-Site", "same-origin")
    if request.method == "POST" and site not in ("same-origin", "none"):
        abort(403)


@live.get("/live")
def cameras() -> AnyResponse:
    """Today's lessons, by how their devices stand and by name: to look, and to have recorded."""
    here = parts()
    now = here.clock.now().at
    state, text = request.args.get("state", ""), request.args.get("lesson", "").strip()
    with here.store.reading() as connection:
        boxes = {box.id: box for box in boxes_of(connection, now)}
        lessons = lessons_of(connection, *day_of(now), now)
        given = orders.of_lessons(connection, now, [one.lesson.id for one in lessons])
    rows = [_row(one, box, boxes.get(box), now) for one in lessons for box in one.planned.boxes]
    called = {one.lesson.id: one.lesson for one in lessons}
    return refreshed(
        "cameras",
        render_template("cameras_head.html", state=state, text=text, devices=live_words.DEVICES),
        rows=[row for row in rows if state in ("", row.state) and _called(row.of, text)],
        whole=len(rows),
        orders=[(one, called[one.lesson_id], _said_of(one, boxes)) for one in given],
        recording=sum(row.viewable for row in rows),
    )


@live.post("/record")
def record() -> AnyResponse:
    """Have the chosen lessons recorded from now on (R14)."""
    here = parts()
    now = here.clock.now().at
    with here.store.writing() as connection:
        found = [books.lesson(connection, one) for one in set(request.form.getlist("lesson"))]
        orders.give(connection, now, [one for one in found if one is not None], WHO)
    return redirect(url_for("live.cameras", _anchor="orders"))


@live.get("/live/<box>")
def room(box: str) -> AnyResponse:
    """One room; the picture comes once the page asks to look."""
    here = parts()
    now = here.clock.now().at
    one = _box(box, now)
    with here.store.reading() as connection:
        today = [of.lesson for of in books.lessons(connection, *day_of(now)) if box in of.boxes]
    begun = [lesson for lesson in today if order_window(lesson).opens <= now]
    lesson = begun[-1] if begun else None
    return make_response(
        render_template("room.html", name="room", box=one, lesson=lesson, camera=_camera())
    )


@live.post("/live/<box>/look")
def look(box: str) -> AnyResponse:
    """Somebody looks: say what there is to see now. The page asks about once a second."""
    here = parts()
    now = here.clock.now().at
    one = _box(box, now)
    if one.silent:
        since = words.when(one.last_seen, now, here.config.zone)
        return jsonify({"stage": "offline", "text": live_words.offline(since), "number": 0})
    seen = here.viewing.look(_key(box), again="again" in request.form)
    return jsonify(
        {
            "stage": seen.stage,
            "text": live_words.seen(seen),
            "number": seen.number,
            "camera": seen.camera,
            "over": seen.over,
        }
    )


@live.get("/live/<box>/picture/<int:number>")
def picture(box: str, number: int) -> AnyResponse:
    """One picture, while it is the last one and of this moment."""
    content = parts().viewing.picture(_key(box), number)
    if content is None:
        abort(404)
    return Response(content, mimetype="image/jpeg")


def _row(one: Evidence, box_id: str, box: Box | None, now: Instant) -> Row:
    filmed = any(film.running for film in one.films)
    if box is None or box.silent:
        state = "offline"
    elif any(camera.state in _FAULTS for camera in box.cameras):
        state = "fault"
    else:
        state = "recording" if filmed else "idle"
    in_time = one.lesson.state in TAUGHT and one.window.holds(now)
    may_order = kept_from_recording(one.lesson, now) is None
    return Row(one, box_id, state, in_time or filmed, may_order)


def _called(one: Evidence, text: str) -> bool:
    lesson = one.lesson
    return not text or any(text in part for part in (lesson.class_name, lesson.room, lesson.id))


def _said_of(order: orders.Order, boxes: dict[str, Box]) -> tuple[str, str]:
    box = boxes.get(order.box)
    return live_words.order(order.state, order.why, box is None or box.silent)


def _box(box_id: str, now: Instant) -> Box:
    with parts().store.reading() as connection:
        found = [box for box in boxes_of(connection, now) if box.id == box_id]
    if not found:
        abort(404)
    return found[0]


def _camera() -> str:
    return request.args.get("camera", "")[:64]


def _key(box: str) -> Key:
    return Key(box, _camera(), WHO)
