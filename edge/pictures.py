"""What the ledger knows of classroom pictures: their marked copies, and spot checks.

Owns the tables ``picture_copy``, ``spot_check`` and ``spot_check_item``, and the questions about
them. ``edge.projections`` applies the events; nothing else changes these
rows.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from edge.chain import Event
from edge.events import Body, canonical
from edge.evidence import add_media
from edge.model import Instant
from edge.picture_events import PictureProcessed, SpotCheckConfirmed, SpotCheckTaken


@dataclass(frozen=True, slots=True)
class Copy:
    """The marked copy of a picture and the head count. ``original``: SHA-256 of the picture."""

    original: str
    sha256: str
    heads: int


@dataclass(frozen=True, slots=True)
class SpotCheck:
    """A confirmed spot check. ``items``: rows of ``spot_check_item``; ``present``: checked in."""

    id: str
    lesson_id: str
    by: str
    at: Instant
    present: int
    items: tuple[sqlite3.Row, ...]


def unprocessed(connection: sqlite3.Connection) -> list[sqlite3.Row]:
    """Return the pictures that have no marked copy yet, the oldest first.

    Columns: sha256, lesson_id, at, hour and number (NULL for a spot check), source, clock (its
    quality when the picture entered the ledger), room, class_name.
    """
    return connection.execute(
        """
        SELECT found.*, event.clock,
            coalesce(json_extract(run.content, '$.room'), json_extract(lesson.content, '$.room'),
                '') AS room,
            coalesce(json_extract(run.content, '$.class_name'),
                json_extract(lesson.content, '$.class_name'), '') AS class_name
        FROM (
            SELECT sha256, lesson_id, at, hour, number, method AS source FROM snapshot
            WHERE sha256 <> ''
            UNION ALL
            SELECT sha256, lesson_id, at, NULL, NULL, source FROM spot_check_item
            WHERE sort = 'photo'
        ) AS found
        JOIN media USING (sha256) JOIN event USING (seq)
        LEFT JOIN lesson_run AS run USING (lesson_id)
        LEFT JOIN lesson ON lesson.id = found.lesson_id
        WHERE sha256 NOT IN (SELECT original FROM picture_copy)
        AND sha256 NOT IN (SELECT sha256 FROM media_deleted)
        GROUP BY sha256 ORDER BY media.seq
        """
    ).fetchall()


def copies(connection: sqlite3.Connection, lesson_id: str) -> dict[str, Copy]:
    """Return the copies of a lesson's pictures, by the SHA-256 of the original."""
    rows = connection.execute("SELECT * FROM picture_copy WHERE lesson_id = ?", (lesson_id,))
    return {row["original"]: Copy(row["original"], row["sha256"], row["heads"]) for row in rows}


def spot_checks(connection: sqlite3.Connection, lesson_id: str) -> list[SpotCheck]:
    """Return the confirmed spot checks of a lesson in the order in which they were confirmed."""
    checks = connection.execute(
        "SELECT * FROM spot_check WHERE lesson_id = ? ORDER BY seq", (lesson_id,)
    ).fetchall()
    return [
        SpotCheck(
            id=row["id"],
            lesson_id=row["lesson_id"],
            by=row["by"],
            at=row["at"],
            present=row["present"],
            items=tuple(_items(connection, row["id"], json.loads(row["items"]))),
        )
        for row in checks
    ]


def _items(connection: sqlite3.Connection, check: str, chosen: list[str]) -> list[sqlite3.Row]:
    rows = connection.execute(
        "SELECT * FROM spot_check_item WHERE check_id = ? ORDER BY number", (check,)
    )
    return [row for row in rows if row["sha256"] in chosen]


def _processed(connection: sqlite3.Connection, event: Event, body: PictureProcessed) -> None:
    connection.execute(
        "INSERT OR IGNORE INTO picture_copy VALUES (?, ?, ?, ?, ?, ?)",
        (
            body.original,
            body.lesson_id,
            body.sha256,
            body.heads,
            body.model,
            body.model_version,
        ),
    )
    add_media(connection, event, body.sha256, "snapshot")


def _spot_check_taken(connection: sqlite3.Connection, event: Event, body: SpotCheckTaken) -> None:
    connection.execute(
        "INSERT INTO spot_check_item VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            event.seq,
            body.check,
            body.number,
            body.lesson_id,
            body.sort,
            body.source,
            body.camera,
            body.at,
            body.sha256,
        ),
    )
    # A clip goes home as video does, after the pictures.
    add_media(connection, event, body.sha256, "recording" if body.sort == "clip" else "snapshot")


def _confirmed(connection: sqlite3.Connection, event: Event, body: SpotCheckConfirmed) -> None:
    connection.execute(
        "INSERT OR IGNORE INTO spot_check VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            body.check,
            event.seq,
            body.lesson_id,
            body.by,
            event.reading.at,
            body.present,
            canonical(list(body.items)).decode("utf-8"),
        ),
    )


APPLY: dict[type[Body], Callable[[sqlite3.Connection, Event, Any], None]] = {
    PictureProcessed: _processed,
    SpotCheckTaken: _spot_check_taken,
    SpotCheckConfirmed: _confirmed,
}
