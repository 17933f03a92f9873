"""The text of some of the box's tables, for its migrations."""

from __future__ import annotations

CAMERAS = """
CREATE TABLE camera_fact (
    camera  TEXT NOT NULL,
    sort    TEXT NOT NULL,                       -- of edge.cameras: bound, identified, moved …
    at      INTEGER NOT NULL,
    content TEXT NOT NULL,                       -- JSON: the fields of the event
    PRIMARY KEY (camera, sort)
) STRICT

CREATE TABLE camera_link (
    lesson_id TEXT NOT NULL,
    camera    TEXT NOT NULL,
    PRIMARY KEY (lesson_id, camera)
) STRICT

CREATE TABLE camera_login (
    camera TEXT PRIMARY KEY,                     -- no event holds what is sealed here
    nonce  BLOB NOT NULL CHECK (length(nonce) = 12),
    sealed BLOB NOT NULL                         -- AES-256-GCM; the key is not in the database
) STRICT
"""

PICTURES = """
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
"""
