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


@box()
def clocks_of_evidence(db: Database) -> None:
    """The clocks beside the times of snapshots, recordings and lessons, to reckon when they were.

    What stands there from before has none, and keeps the time that the box believed, until a
    rebuild.
    """
    run_script(
        db,
        """
ALTER TABLE lesson_run ADD COLUMN opened_seq INTEGER

ALTER TABLE lesson_run ADD COLUMN ended_seq INTEGER

ALTER TABLE snapshot ADD COLUMN seq INTEGER NOT NULL DEFAULT 0

ALTER TABLE snapshot ADD COLUMN boot TEXT NOT NULL DEFAULT ''

ALTER TABLE snapshot ADD COLUMN mono INTEGER NOT NULL DEFAULT 0

ALTER TABLE snapshot ADD COLUMN clock TEXT NOT NULL DEFAULT 'synchronised'

ALTER TABLE recording ADD COLUMN boot TEXT NOT NULL DEFAULT ''

ALTER TABLE recording ADD COLUMN mono INTEGER NOT NULL DEFAULT 0

ALTER TABLE recording ADD COLUMN clock TEXT NOT NULL DEFAULT 'synchronised'
""",
    )


@box()
def pictures(db: Database) -> None:
    """Marked copies of classroom pictures with their head counts, spot checks, verdicts."""
    run_script(
        db,
        """
CREATE TABLE picture_copy (
    original      TEXT PRIMARY KEY,              -- SHA-256 of the picture as it was taken
    lesson_id     TEXT NOT NULL,
    sha256        TEXT NOT NULL,                 -- of the copy with the watermark
    heads         INTEGER NOT NULL,
    model         TEXT NOT NULL,
    model_version TEXT NOT NULL
) STRICT

CREATE INDEX picture_copy_by_lesson ON picture_copy (lesson_id)

CREATE TABLE spot_check (
    id        TEXT PRIMARY KEY,
    seq       INTEGER NOT NULL,
    lesson_id TEXT NOT NULL,
    by        TEXT NOT NULL,                     -- the instructor who confirmed it
    at        INTEGER NOT NULL,
    present   INTEGER NOT NULL,                  -- checked in then
    items     TEXT NOT NULL                      -- JSON: SHA-256 of what was confirmed
) STRICT

CREATE INDEX spot_check_by_lesson ON spot_check (lesson_id)

CREATE TABLE spot_check_item (
    seq       INTEGER PRIMARY KEY,
    check_id  TEXT NOT NULL,
    number    INTEGER NOT NULL,                  -- in its spot check, from 1
    lesson_id TEXT NOT NULL,
    sort      TEXT NOT NULL CHECK (sort IN ('photo', 'clip')),
    source    TEXT NOT NULL,                     -- classroom | spare | phone
    camera    TEXT NOT NULL,
    at        INTEGER NOT NULL,
    sha256    TEXT NOT NULL
) STRICT

CREATE INDEX spot_check_item_by_check ON spot_check_item (check_id)

ALTER TABLE draw ADD COLUMN verdict TEXT NOT NULL DEFAULT ''

CREATE INDEX media_by_file ON media (sha256)
""",
    )


@box()
def live_views(db: Database) -> None:
    """Who looks into the room, and which lessons somebody ordered to be recorded."""
    run_script(
        db,
        """
CREATE TABLE live_view (
    id         TEXT PRIMARY KEY,                 -- of the request that asked for it
    camera     TEXT NOT NULL,
    lesson_id  TEXT NOT NULL,
    by         TEXT NOT NULL,                    -- who looks
    started_at INTEGER NOT NULL,
    until      INTEGER NOT NULL,                 -- it ends then at the latest
    ended_at   INTEGER
) STRICT

CREATE TABLE recording_order (
    lesson_id TEXT PRIMARY KEY,
    by        TEXT NOT NULL,
    at        INTEGER NOT NULL
) STRICT
""",
    )


@box()
def pins_of_trainees(db: Database) -> None:
    """PINs and cards of trainees, for whoever does not use the face (decision 19)."""
    run_script(
        db,
        """
ALTER TABLE trainee ADD COLUMN pin_hash TEXT NOT NULL DEFAULT ''

ALTER TABLE trainee ADD COLUMN card_hash TEXT NOT NULL DEFAULT ''
""",
    )


@box()
def consents(db: Database) -> None:
    """The latest word of each person on face recognition."""
    run_script(
        db,
        """
CREATE TABLE consent (
    person_id    TEXT PRIMARY KEY,
    choices      TEXT NOT NULL,                  -- of edge.consents, with commas
    text         TEXT NOT NULL,                  -- version of the words
    text_sha256  TEXT NOT NULL,
    language     TEXT NOT NULL,
    way          TEXT NOT NULL,                  -- kiosk | signed
    given_at     INTEGER NOT NULL,
    witness      TEXT NOT NULL,
    guardian     TEXT NOT NULL,
    guardian_way TEXT NOT NULL,
    origin       TEXT NOT NULL,                  -- the box it came from, if another
    withdrawn_at INTEGER                         -- NULL while it stands
) STRICT
""",
    )
