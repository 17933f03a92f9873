"""Recordings on their way into the ledger: finished parts, parts that a crash left, and gaps.

Promises that every part is stored once, however often a process dies on the way, and that video
which should exist and does not is stated, once, with its cause. Every function may be repeated.
"""

from __future__ import annotations

import sqlite3

from camera import health
from camera.health import Why
from camera.segment import duration_of, mend
from edge import queries, times
from edge.events import RecordingGap, RecordingStored
from edge.ledger import Ledger
from edge.media import Draft, MediaStore
from edge.model import Instant, Window


def store(draft: Draft, ledger: Ledger) -> bool:
    """Bring one part into the ledger; False when it holds no video and was given up.

    A part whose end is not known was cut short by a kill or a power cut: the file itself says how
    far it goes.
    """
    body = draft.body
    assert isinstance(body, RecordingStored)
    if body.sha256 or body.end > body.start:
        draft.store(ledger)
        return True
    played = None
    if draft.has_bytes():
        mend(draft.path)
        played = duration_of(draft.path)
    if not played:
        # Nothing is lost by giving it up: the time is not covered, and becomes a gap.
        draft.discard()
        return False
    draft.store(ledger, end=body.start + played, interrupted=True)
    return True


def adopt(media: MediaStore, ledger: Ledger) -> None:
    """Store what an earlier run left. For the start, when no process records."""
    for draft in media.unfinished([RecordingStored.kind]):
        store(draft, ledger)


def gaps(
    connection: sqlite3.Connection, lesson_id: str, camera: str, recording: Window, until: Instant
) -> tuple[Window, ...]:
    """Return the stretches of a lesson's *recording* until then that nothing accounts for."""
    dating = times.Dating(connection)
    films = [
        dating.span(row)
        for row in queries.recordings(connection, lesson_id)
        if row["camera"] == camera
    ]
    covered = [(film.starts.at, film.ends.at) for film in films]
    covered += [
        (row["starts"], row["ends"])
        for row in queries.gaps(connection, lesson_id)
        if row["camera"] == camera
    ]
    return health.missing(recording, covered, until)


def state_gaps(
    ledger: Ledger, lesson_id: str, camera: str, recording: Window, until: Instant, why: Why
) -> int:
    """Append an event for each stretch that nothing accounts for; return how many there were."""
    with ledger.store.read() as connection:
        if not gaps(connection, lesson_id, camera, recording, until):
            return 0
    with ledger.writing() as writer:
        # Looked up again inside the transaction, so that a gap is never stated twice.
        holes = gaps(writer.connection, lesson_id, camera, recording, until)
        for hole in holes:
            gap = RecordingGap(lesson_id, camera, hole.opens, hole.closes, why.cause, why.detail)
            writer.append(gap)
    return len(holes)
