"""What the console's pages share: the day, the boxes and lessons as they stand, live parts."""

from __future__ import annotations

import hashlib
from datetime import datetime, time, timedelta
from typing import Any

from flask import Response, make_response, render_template, request, url_for
from sqlalchemy import Connection
from werkzeug.wrappers import Response as AnyResponse

from edge.clock import local
from edge.model import SECOND, Instant
from sync.central import books, evidence, fleet
from sync.central.console.app import parts
from sync.central.views import Box, Evidence


def refreshed(name: str, head: str = "", **values: Any) -> AnyResponse:
    """Return a page, or only its live part when the page itself asks; 204 when it shows it.

    *head*: what stands above the live part and stays as it is, such as a form.
    """
    part = render_template(f"{name}_part.html", **values)
    mark = hashlib.sha256(part.encode("utf-8")).hexdigest()[:16]
    if request.args.get("seen") == mark:
        return Response(status=204)
    place = {**(request.view_args or {}), **request.args, "seen": mark}
    again = url_for(str(request.endpoint), **place)
    part = render_template("live.html", part=part, again=again)
    if "seen" in request.args:
        return make_response(part)
    return make_response(render_template("page.html", part=part, head=head, name=name, **values))


def day_of(now: Instant) -> tuple[Instant, Instant]:
    """Return the beginning of the calendar day of *now* and of the next one."""
    zone = parts().config.zone
    date = local(now, zone).date()
    midnights = (datetime.combine(day, time(), zone) for day in (date, date + timedelta(days=1)))
    opens, closes = (int(midnight.timestamp()) * SECOND for midnight in midnights)
    return opens, closes


def boxes_of(connection: Connection, now: Instant) -> list[Box]:
    """Return every box as it stands."""
    here = parts()
    return fleet.boxes(connection, now, here.config.silent_after * SECOND, here.store.epoch)


def lessons_of(
    connection: Connection, opens: Instant, closes: Instant, now: Instant
) -> list[Evidence]:
    """Return the lessons that begin within [opens, closes) with their evidence."""
    planned = books.lessons(connection, opens, closes)
    return [evidence.of_lesson(connection, one, now) for one in planned]
