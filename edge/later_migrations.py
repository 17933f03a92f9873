"""The steps of the box's database that came after those of ``edge.migrations``, in their order.

A step adds. It may drop a projection, which is derived from the events, and nothing else.
"""

from __future__ import annotations

from sqlite_utils import Database

from edge.migrations import PROJECTIONS as PROJECTIONS
from edge.migrations import box as box
from edge.migrations import run_script


@box()
def directions(db: Database) -> None:
    """Lessons drawn for a spot check. Profiles are read from their document: no table of theirs."""
    run_script(
        db,
        """
CREATE TABLE draw (
    lesson_id TEXT PRIMARY KEY,
    drawn_by  TEXT NOT NULL,                     -- the authority
    drawn_at  INTEGER NOT NULL
) STRICT

DROP TABLE profile
""",
    )
