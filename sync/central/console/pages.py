"""The console's pages. Each is one reading of the store, and refreshes itself by asking again.

A page's live part is asked for every two seconds with the mark of what the browser shows; when
nothing has changed the answer is empty (204) and the browser keeps what it has.
"""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

from flask import (
    Blueprint,
    abort,
    redirect,
    request,
    send_file,
    url_for,
)
from werkzeug.wrappers import Response as AnyResponse

from edge.look.language import locale
from edge.rules.standing import Hours, passes
from edge.rules.telling import tell
from sync.central import attention, books, evidence, fleet, live_rows
from sync.central.console import language, thumbs, words
from sync.central.console.app import parts
from sync.central.console.reading import boxes_of, day_of, lessons_of, refreshed
from sync.central.console.timeline import draw

pages = Blueprint("pages", __name__)

_ROW_WIDTH = 360
_PAGE_WIDTH = 1100
_YEAR_S = 365 * 86_400


@pages.get("/")
def today() -> AnyResponse:
    """What needs somebody, today's lessons, the boxes."""
    here = parts()
    now = here.clock.now().at
    opens, closes = day_of(now)
    with here.store.reading() as connection:
        boxes = boxes_of(connection, now)
        lessons = lessons_of(connection, opens, closes, now)
        items = attention.of_troubles(fleet.troubles(connection))
    items = sorted(items + attention.of_lessons(lessons, boxes, now), key=lambda item: item.level)
    return refreshed(
        "today",
        items=items,
        rows=[
            {
                "of": one,
                "shape": draw(one, now, _ROW_WIDTH),
                "segment": one.segment_at(now),
                "status": attention.status(one, boxes, now),
            }
            for one in lessons
        ],
        boxes=boxes,
        day=words.day(now, here.config.zone),
        span=(
            min((one.window.opens for one in lessons), default=0),
            max((one.window.closes for one in lessons), default=0),
        ),
    )


@pages.get("/lesson/<lesson_id>")
def lesson(lesson_id: str) -> AnyResponse:
    """One lesson: its line, who attended, its pictures, its recording."""
    here = parts()
    now = here.clock.now().at
    with here.store.reading() as connection:
        planned = books.lesson(connection, lesson_id)
        if planned is None:
            abort(404)
        one = evidence.of_lesson(connection, evidence.dated(connection, planned), now)
        boxes = boxes_of(connection, now)
        looked = live_rows.of_lesson(connection, lesson_id)
    concerned = [box for box in boxes if box.id in planned.boxes]
    return refreshed(
        "lesson",
        of=one,
        shape=draw(one, now, _PAGE_WIDTH),
        segment=one.segment_at(now),
        status=attention.status(one, boxes, now),
        items=[item for item in attention.of_lessons([one], concerned, now)],
        boxes=concerned,
        day=words.day(one.lesson.start, here.config.zone),
        now=now,
        looked=looked,
    )


@pages.get("/class/<class_id>/trainee/<person_id>")
def trainee(class_id: str, person_id: str) -> AnyResponse:
    """One trainee: the hours of every lesson that has begun, which count, and why."""
    here = parts()
    now = here.clock.now().at
    with here.store.reading() as connection:
        planned = [
            one for one in books.lessons(connection, 0, now) if one.lesson.class_id == class_id
        ]
        group = next(filter(None, (books.class_of(connection, one) for one in planned)), None)
        known = (
            next((one for one in group.trainees if one.id == person_id), None) if group else None
        )
        if group is None or known is None:
            abort(404)
        found = [
            (one.lesson, evidence.hours_of(connection, one, now).get(person_id, ()))
            for one in reversed(planned)
        ]
        profile = books.profile_of(connection, planned[-1])
    total = Hours.of(hour for _, hours in found for hour in hours)
    prescribed = group.prescribed_hours
    return refreshed(
        "trainee",
        trainee=known,
        class_name=group.name,
        lessons=[
            (lesson, tell(hours, locale().language, here.config.zone)) for lesson, hours in found
        ],
        sum=total,
        prescribed=prescribed,
        percent=profile.pass_percent,
        passed=prescribed and passes(total.valid, prescribed, profile),
    )


@pages.get("/boxes")
def boxes() -> AnyResponse:
    """Every box, and what was set aside."""
    here = parts()
    now = here.clock.now().at
    with here.store.reading() as connection:
        return refreshed(
            "boxes", boxes=boxes_of(connection, now), troubles=fleet.troubles(connection)
        )


@pages.get("/media/<sha256>")
def media(sha256: str) -> AnyResponse:
    """One picture or part of a recording as the box took it; with ranges, to seek in it."""
    return _picture(_stored(sha256))


@pages.get("/media/<sha256>/small")
def small(sha256: str) -> AnyResponse:
    """A small copy of a picture."""
    copy = thumbs.small(_stored(sha256), parts().config.data_dir / "small")
    if copy is None:
        abort(404)
    return _picture(copy)


@pages.post("/language")
def choose_language() -> AnyResponse:
    """Remember the language that was chosen in this browser, and go back to where it was."""
    chosen = request.form.get("language", "")
    if chosen not in language.LANGUAGES:
        abort(400)
    back = urlsplit(request.form.get("back", ""))
    safe = back.path.startswith("/") and not back.path.startswith("//") and not back.netloc
    response = redirect(back.path if safe else url_for("pages.today"))
    response.set_cookie(language.COOKIE, chosen, max_age=_YEAR_S, httponly=True, samesite="Strict")
    return response


def _stored(sha256: str) -> Path:
    holder = parts().media
    try:
        path = holder.path(sha256)
    except ValueError:
        abort(404)
    if not path.is_file():
        abort(404)
    return path


def _picture(path: Path) -> AnyResponse:
    with path.open("rb") as file:
        begin = file.read(8)
    kinds = {b"\xff\xd8\xff": "image/jpeg", b"\x89PNG": "image/png"}
    found = [kind for magic, kind in kinds.items() if begin.startswith(magic)]
    if begin[4:] == b"ftyp":
        found = ["video/mp4"]
    if not found:
        abort(404)
    response = send_file(path, mimetype=found[0], conditional=True)
    response.headers["Cache-Control"] = "private, max-age=31536000, immutable"
    return response
