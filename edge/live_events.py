"""The kinds of event about staff who look into a classroom while a lesson is taught. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from edge.events import Body
from edge.model import Instant


@dataclass(frozen=True)
class LiveViewStarted(Body, kind="live_view.started"):
    """Somebody at the centre looks through a camera from here on; committed before a picture goes.

    ``request_id``: the request that this answers, by which the view is called. ``until``: it ends
    then at the latest.
    """

    request_id: str
    camera: str
    lesson_id: str
    by: str
    until: Instant


@dataclass(frozen=True)
class LiveViewEnded(Body, kind="live_view.ended"):
    """Nobody looks any more.

    ``cause``: unwatched | limit | lesson_over | link_restarted. ``frames``: how many pictures went
    to the centre, -1 where a restart forgot it.
    """

    request_id: str
    frames: int
    cause: str
