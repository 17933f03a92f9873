"""The steps of the box's database that came after those of ``edge.migrations``, in their order.

A step adds. It may drop a projection, which is derived from the events, and nothing else.
"""

from __future__ import annotations

from sqlite_utils import Database

from edge.migrations import PROJECTIONS as PROJECTIONS
from edge.migrations import box as box
from edge.migrations import run_script


@box()
def health(db: Database) -> None:
    """What is wrong now, how the disk is used, and at what quality each part was recorded."""
    run_script(
        db,
        """
CREATE TABLE alert (
    subject   TEXT NOT NULL,                     -- a camera's id, or 'box'
    code      TEXT NOT NULL,                     -- of edge.rules.alerts
    detail    TEXT NOT NULL,
    lesson_id TEXT NOT NULL,
    at        INTEGER NOT NULL,
    PRIMARY KEY (subject, code)
) STRICT

CREATE TABLE disk_plan (
    quality   TEXT NOT NULL,                     -- of edge.rules.disk
    ballast   INTEGER NOT NULL,
    free      INTEGER NOT NULL,
    total     INTEGER NOT NULL,
    days_left INTEGER NOT NULL,
    at        INTEGER NOT NULL
) STRICT

ALTER TABLE recording ADD COLUMN quality TEXT NOT NULL DEFAULT 'full'
""",
    )
