"""A lesson's film at the console: the page, what its player is told, the bytes, and downloads."""

from __future__ import annotations

from functools import partial
from typing import Any

from flask import Blueprint, Response, abort, jsonify, render_template, request
from sqlalchemy import Connection

from edge.film import Film
from edge.look import screening
from edge.look.screening import Showing
from edge.model import MINUTE
from edge.rules.timeline import Sort
from sync.central import books, evidence, requests
from sync.central.console import film, words
from sync.central.console.app import parts
from sync.central.console.film import Strip
from sync.central.views import Evidence

pages = Blueprint("film", __name__, url_prefix="/lesson/<lesson_id>/film")

# As long as a request by command is worth doing.
_WORTH = 72 * 60 * MINUTE
# A form of another site cannot send this header, and a script of another site may not.
_OURS = "X-Classbox"


@pages.get("")
def page(lesson_id: str) -> str:
    """Show the player, with the first camera unless another is asked for."""
    one, found = _read(lesson_id)
    chosen = _chosen(found)
    return render_template(
        "film.html",
        name="lesson",
        of=one,
        strips=found,
        chosen=chosen,
        day=words.day(one.lesson.start, parts().config.zone),
        player_words=film.player_words(),
    )


@pages.get("/state")
def state(lesson_id: str) -> Response:
    """Tell the player what there is to play now."""
    here = parts()
    one, found = _read(lesson_id)
    strip = _chosen(found)
    told = film.state(one, strip, here.media, here.clock.now().at, here.config.zone)
    told["asked"] = bool(told["rest"]) and _asked(strip.box, lesson_id)
    return jsonify(told)


@pages.get("/<box>/<camera>/<edition>.mp4")
def video(lesson_id: str, box: str, camera: str, edition: str) -> Response:
    """Send a range of a film."""
    found = _film(lesson_id, box, camera, edition)
    return screening.send(found, edition) if found else screening.gone()


@pages.get("/<box>/<camera>/<edition>/download")
def download(lesson_id: str, box: str, camera: str, edition: str) -> Response:
    """Send a film as a file to keep; one that broke off is resumed."""
    found = _film(lesson_id, box, camera, edition)
    if found is None:
        abort(410)
    here = parts()
    one, strips = _read(lesson_id)
    strip = next(strip for strip in strips if (strip.box, strip.camera) == (box, camera))
    name = film.file_name(one, strip, here.config.zone)
    return here.films.download(found, edition, name, request.args.get("as", "")[:64])


@pages.get("/downloads/<name>")
def progress(lesson_id: str, name: str) -> Response:
    """Tell how far a download is that the page began."""
    return jsonify(parts().films.progress(name))


@pages.post("/ask")
def ask(lesson_id: str) -> Response:
    """Ask the boxes for what they still have of a lesson; asked twice it is asked once."""
    if _OURS not in request.headers:
        abort(400)
    here = parts()
    now = here.clock.now().at
    _, found = _read(lesson_id)
    boxes = {strip.box for strip in found if strip.where(Sort.ELSEWHERE)}
    with here.store.writing() as connection:
        for box in sorted(boxes):
            args = {"lesson": lesson_id}
            requests.file(connection, now, box, "send_media", args, "console", _WORTH)
    return Response(status=204)


def _film(lesson_id: str, box: str, camera: str, edition: str) -> Film | None:
    here = parts()
    return here.films.get(
        edition,
        partial(_showing, lesson_id, box, camera),
        film.opener(here.media),
        here.media.has,
    )


def _showing(lesson_id: str, box: str, camera: str) -> Showing | None:
    here = parts()
    one, found = _read(lesson_id)
    strip = next((one for one in found if (one.box, one.camera) == (box, camera)), None)
    if strip is None:
        return None
    return film.showing(one, strip, here.clock.now().at, here.config.zone)


def _read(lesson_id: str) -> tuple[Evidence, list[Strip]]:
    here = parts()
    with here.store.reading() as connection:
        one = _evidence(connection, lesson_id)
    return one, film.strips(one, here.media)


def _evidence(connection: Connection, lesson_id: str) -> Evidence:
    planned = books.lesson(connection, lesson_id)
    if planned is None:
        abort(404)
    now = parts().clock.now().at
    return evidence.of_lesson(connection, evidence.dated(connection, planned), now)


def _chosen(found: list[Strip]) -> Strip:
    wanted = (request.args.get("box", ""), request.args.get("camera", ""))
    nothing: Any = Strip("", "", (), (), {})
    return next((one for one in found if (one.box, one.camera) == wanted), (found or [nothing])[0])


def _asked(box: str, lesson_id: str) -> bool:
    here = parts()
    with here.store.reading() as connection:
        return requests.is_open(
            connection, here.clock.now().at, box, "send_media", {"lesson": lesson_id}
        )
