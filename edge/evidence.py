"""What the recorder states, as rows: snapshots, recordings, gaps, health of cameras, media files.

``edge.projections`` applies the events; nothing else changes these rows. Times are those that the
box believed; the rows keep the clocks beside them, by which ``edge.times`` reckons when it was.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import Any

from edge.chain import Event
from edge.events import (
    Body,
    CameraHealth,
    MediaDeleted,
    MediaMissing,
    RecordingGap,
    RecordingStored,
    SnapshotMissed,
    SnapshotTaken,
)


def add_media(connection: sqlite3.Connection, event: Event, sha256: str, sort: str) -> None:
    """Note that *event* names a file."""
    if sha256:
        # The file exists before the event that names it: if it was deleted once, it is here again.
        connection.execute("DELETE FROM media_deleted WHERE sha256 = ?", (sha256,))
        connection.execute("INSERT INTO media VALUES (?, ?, ?)", (event.seq, sha256, sort))


def _snapshot_taken(connection: sqlite3.Connection, event: Event, body: SnapshotTaken) -> None:
    taken = body.taken(event.reading)
    # A snapshot found later replaces "missed"; a second one for the same slot changes nothing.
    connection.execute(
        "INSERT INTO snapshot VALUES (?, ?, ?, ?, 'taken', ?, ?, ?, ?, '', ?, ?, ?, ?) "
        "ON CONFLICT DO UPDATE SET camera = excluded.camera, state = 'taken', at = excluded.at, "
        "method = excluded.method, sha256 = excluded.sha256, bytes = excluded.bytes, cause = '', "
        "seq = excluded.seq, boot = excluded.boot, mono = excluded.mono, clock = excluded.clock "
        "WHERE snapshot.state = 'missed'",
        (
            body.lesson_id,
            body.hour,
            body.number,
            body.camera,
            body.at,
            body.method,
            body.sha256,
            body.bytes,
            event.seq,
            taken.boot,
            taken.mono,
            taken.clock,
        ),
    )
    add_media(connection, event, body.sha256, "snapshot")


def _snapshot_missed(connection: sqlite3.Connection, event: Event, body: SnapshotMissed) -> None:
    reading = event.reading
    connection.execute(
        "INSERT OR IGNORE INTO snapshot VALUES (?, ?, ?, ?, 'missed', ?, '', '', 0, ?, ?, ?, ?, ?)",
        (
            body.lesson_id,
            body.hour,
            body.number,
            body.camera,
            reading.at,
            body.cause,
            event.seq,
            reading.boot,
            reading.mono,
            reading.clock,
        ),
    )


def _recording_stored(connection: sqlite3.Connection, event: Event, body: RecordingStored) -> None:
    begun = body.begun(event.reading)
    connection.execute(
        "INSERT INTO recording VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            event.seq,
            body.lesson_id,
            body.camera,
            body.start,
            body.end,
            body.sha256,
            body.bytes,
            int(body.interrupted),
            body.quality,
            begun.boot,
            begun.mono,
            begun.clock,
        ),
    )
    add_media(connection, event, body.sha256, "recording")


def _recording_gap(connection: sqlite3.Connection, event: Event, body: RecordingGap) -> None:
    connection.execute(
        "INSERT INTO recording_gap VALUES (?, ?, ?, ?, ?, ?)",
        (event.seq, body.lesson_id, body.camera, body.start, body.end, body.cause),
    )


def _camera_health(connection: sqlite3.Connection, event: Event, body: CameraHealth) -> None:
    connection.execute(
        "INSERT OR REPLACE INTO camera VALUES (?, ?, ?, ?)",
        (body.camera, body.state, body.cause, event.reading.at),
    )


def _media_missing(connection: sqlite3.Connection, event: Event, body: MediaMissing) -> None:
    connection.execute("INSERT OR IGNORE INTO media_missing VALUES (?)", (body.sha256,))


def _media_deleted(connection: sqlite3.Connection, event: Event, body: MediaDeleted) -> None:
    connection.execute(
        "INSERT OR REPLACE INTO media_deleted VALUES (?, ?, ?)",
        (body.sha256, event.reading.at, body.rule),
    )


APPLY: dict[type[Body], Callable[[sqlite3.Connection, Event, Any], None]] = {
    SnapshotTaken: _snapshot_taken,
    SnapshotMissed: _snapshot_missed,
    RecordingStored: _recording_stored,
    RecordingGap: _recording_gap,
    CameraHealth: _camera_health,
    MediaMissing: _media_missing,
    MediaDeleted: _media_deleted,
}
