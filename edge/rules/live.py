"""Who may look into a classroom, when and for how long. Pure.

A camera is shown only while it films a lesson: the notice at the door is about lessons, and JN 4.5
shows 正在开班中的实时监控. What it shows is known to the box, the centre and the room.
"""

from __future__ import annotations

from enum import StrEnum

from edge.model import MINUTE, SECOND, Duration

# One pressing of the button lasts as long; then somebody must want it again.
LONGEST: Duration = 10 * MINUTE
# Without a sign of somebody who looks, a view ends: a page that was closed says nothing.
UNWATCHED: Duration = 15 * SECOND
# Views of one box at a time, of all its cameras together.
MOST_VIEWS = 4
# An older picture is never shown as if it were now.
FRESH: Duration = 5 * SECOND


class Refusal(StrEnum):
    """Why a box shows nothing: its sentence in ``request.refused``, by which a console knows it."""

    NO_LESSON = (
        "no lesson is being filmed in this room now; a camera is shown only while it films one"
    )
    NO_CAMERA = "no camera of this name films the lesson in this room; bind or link one"
    TOO_MANY = "several people look into this room already; wait until one of them has finished"


class Ended(StrEnum):
    """Why a view ended."""

    UNWATCHED = "unwatched"
    LIMIT = "limit"
    LESSON_OVER = "lesson_over"
    LINK_RESTARTED = "link_restarted"
