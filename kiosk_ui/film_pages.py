"""A lesson's film for the instructor: the page, what its player is told, and the bytes.

It is played here and not given away: files leave the box by the centre.
"""

from __future__ import annotations

import sqlite3
from functools import partial
from typing import Any

from flask import Blueprint, Response, abort, jsonify, render_template, request

from edge import queries
from edge.look import screening
from edge.look.screening import Showing
from kiosk_ui import access, film, records
from kiosk_ui.access import instructor_only
from kiosk_ui.film import Strip
from kiosk_ui.parts import parts
from kiosk_ui.records import Record

pages = Blueprint("film", __name__, url_prefix="/lessons/<lesson_id>/film")


@pages.get("")
@instructor_only
def page(lesson_id: str) -> str:
    """Show the player, with the first camera unless another is asked for."""
    now = parts().ledger.clock.now().at
    with parts().ledger.store.read() as connection:
        record = _record(connection, lesson_id, now)
        found = _strips(connection, record, now)
    chosen = _chosen(found, request.args.get("camera", ""))
    return render_template(
        "film.html",
        record=record,
        cameras=[one.camera for one in found],
        camera=chosen.camera,
        player_words=film.player_words(),
    )


@pages.get("/state")
def state(lesson_id: str) -> Response:
    """Tell the player what there is to play now; without a login there is nothing (404)."""
    if access.instructor() is None:
        abort(404)
    box, now = parts(), parts().ledger.clock.now().at
    with box.ledger.store.read() as connection:
        record = _record(connection, lesson_id, now)
        strip = _chosen(_strips(connection, record, now), request.args.get("camera", ""))
        return jsonify(film.state(box, connection, record, strip, now))


@pages.get("/<camera>/<edition>.mp4")
def video(lesson_id: str, camera: str, edition: str) -> Response:
    """Send a range of a film."""
    if access.instructor() is None:
        abort(404)
    box = parts()
    found = box.films.get(
        edition,
        partial(_showing, lesson_id, camera),
        partial(film.open_part, box),
        partial(film.has_part, box),
    )
    return screening.send(found, edition) if found else screening.gone()


def _showing(lesson_id: str, camera: str) -> Showing | None:
    box, now = parts(), parts().ledger.clock.now().at
    with box.ledger.store.read() as connection:
        record = _record(connection, lesson_id, now)
        strips = _strips(connection, record, now)
    strip = next((one for one in strips if one.camera == camera), None)
    return film.showing(box, record, strip, now) if strip else None


def _record(connection: sqlite3.Connection, lesson_id: str, now: int) -> Record:
    found = queries.lesson(connection, lesson_id)
    if found is None:
        abort(404)
    return records.read(connection, found, parts().config, now)


def _strips(connection: sqlite3.Connection, record: Record, now: int) -> list[Strip]:
    return film.strips(parts(), connection, record, film.growing(record, now))


def _chosen(found: list[Strip], camera: str) -> Strip:
    nothing: Any = Strip(camera, (), (), {})
    return next((one for one in found if one.camera == camera), (found or [nothing])[0])
