"""The rows of events about classroom pictures at the centre: marked copies, spot checks."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from sqlalchemy import Table

from edge.events import Body
from edge.model import Instant
from edge.picture_events import (
    PictureProcessed,
    SpotCheckConfirmed,
    SpotCheckTaken,
)
from sync.central import tables

Row = dict[str, Any]


def row_of(body: Body, at: Instant) -> tuple[Table, Row]:
    """Return the row that an event of one of ``KINDS`` makes, with its table.

    *at*: the event's time. Raises KeyError for other kinds.
    """
    table, row = _ROWS[type(body)]
    return table, row(body, at)


def _processed(body: PictureProcessed, at: Instant) -> Row:
    return {
        "lesson_id": body.lesson_id,
        "original": body.original,
        "sha256": body.sha256,
        "heads": body.heads,
        "model": f"{body.model} {body.model_version}",
    }


def _spot_check_taken(body: SpotCheckTaken, at: Instant) -> Row:
    return {
        "lesson_id": body.lesson_id,
        "check": body.check,
        "number": body.number,
        "sort": body.sort,
        "source": body.source,
        "camera": body.camera,
        "at": body.at,
        "sha256": body.sha256,
    }


def _confirmed(body: SpotCheckConfirmed, at: Instant) -> Row:
    return {
        "lesson_id": body.lesson_id,
        "check": body.check,
        "by": body.by,
        "at": at,
        "present": body.present,
        "items": json.dumps(list(body.items)),
    }


_ROWS: dict[type[Body], tuple[Table, Callable[[Any, Instant], Row]]] = {
    PictureProcessed: (tables.picture_copy, _processed),
    SpotCheckTaken: (tables.spot_check_item, _spot_check_taken),
    SpotCheckConfirmed: (tables.spot_check, _confirmed),
}
KINDS = tuple(_ROWS)
