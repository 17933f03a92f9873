"""Half-arrived media files that nobody goes on with.

Owns the rule by which they go. Promises that no file which may still be finished is touched
before its time, and that a box which comes back later than that only begins that file anew: it
offers it, and hears that nothing is held.
"""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import delete, select

from edge.model import DAY, Duration, Instant
from sync.central import tables
from sync.central.media import MediaHolder
from sync.central.store import CentralStore

# Longer than school holidays of a week; after a longer absence a box sends one file again.
ABANDONED_AFTER: Duration = 14 * DAY


def clear(
    store: CentralStore, media: MediaHolder, now: Instant, mine: Callable[[str], bool]
) -> int:
    """Drop the leftovers of the boxes that are *mine*; return how many files that were.

    Leftover is what had no chunk for ABANDONED_AFTER, what is here whole from another box, what
    was erased, and what no row tells of, as after a restore: nothing could be resumed from it.
    Call it where no chunk of these boxes can arrive meanwhile.
    """
    upload, whole, erased = tables.upload.c, tables.media.c, tables.media_erased.c
    with store.reading() as connection:
        rows = connection.execute(select(upload.box, upload.sha256, upload.at)).all()
        stored = set(
            connection.execute(
                select(whole.sha256).where(whole.sha256.in_(select(upload.sha256)))
            ).scalars()
        )
        gone = set(
            connection.execute(
                select(erased.sha256).where(erased.sha256.in_(select(upload.sha256)))
            ).scalars()
        )
    over = [
        (row.box, row.sha256)
        for row in rows
        if mine(row.box)
        and (
            abs(now - row.at) > ABANDONED_AFTER  # or its time was a wrong clock's
            or row.sha256 in gone
            or (row.sha256 in stored and media.has(row.sha256))
        )
    ]
    known = {(row.box, row.sha256) for row in rows}
    unknown = [one for one in media.arriving() if mine(one[0]) and one not in known]
    # Files first: a row whose file is gone says by itself that nothing is held.
    for box, sha256 in (*over, *unknown):
        media.drop(box, sha256)
    if over:
        with store.writing() as connection:
            for box, sha256 in over:
                connection.execute(
                    delete(tables.upload).where(upload.box == box, upload.sha256 == sha256)
                )
    return len(over) + len(unknown)
