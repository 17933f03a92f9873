"""The rows of events about classroom pictures at the centre: snapshots, copies, spot checks."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

from sqlalchemy import Table

from edge.events import Body
from edge.model import Instant
from edge.picture_events import (
    PictureProcessed,
    SnapshotMissed,
    SnapshotTaken,
    SpotCheckConfirmed,
    SpotCheckTaken,
)
from sync.central import tables

Row = dict[str, Any]


def rows_of(body: Body, at: Instant) -> Iterator[tuple[Table, Row]]:
    """Yield the rows that an event of one of ``KINDS`` makes, each with its table.

    *at*: the event's time. Raises KeyError for other kinds.
    """
    table, row = _ROWS[type(body)]
    yield table, row(body, at)
    if isinstance(body, SnapshotTaken) and body.method == "from_recording":
        row_of_it = {"lesson_id": body.lesson_id, "sha256": body.sha256}
        yield tables.recovered_snapshot, row_of_it


def _taken(body: SnapshotTaken, at: Instant) -> Row:
    return {
        "lesson_id": body.lesson_id,
        "hour": body.hour,
        "number": body.number,
        "camera": body.camera,
        "at": body.at,
        "sha256": body.sha256,
        "cause": "" if body.sha256 else "unknown",
    }


def _missed(body: SnapshotMissed, at: Instant) -> Row:
    return {
        "lesson_id": body.lesson_id,
        "hour": body.hour,
        "number": body.number,
        "camera": body.camera,
        "at": at,
        "sha256": "",
        "cause": body.cause or "unknown",
    }


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
    SnapshotTaken: (tables.snapshot, _taken),
    SnapshotMissed: (tables.snapshot, _missed),
    PictureProcessed: (tables.picture_copy, _processed),
    SpotCheckTaken: (tables.spot_check_item, _spot_check_taken),
    SpotCheckConfirmed: (tables.spot_check, _confirmed),
}
KINDS = tuple(_ROWS)
