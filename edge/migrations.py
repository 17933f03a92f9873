"""The tables of the box's database, as migrations that only ever add; see edge.later_migrations.

Three sorts stand side by side: the ledger (event, body, head), whose form is frozen; material
that the ledger cites (document, template, request); and projections, which ``rebuild`` empties
and fills again from the events.
"""

from __future__ import annotations

from sqlite_utils import Database, Migrations

box = Migrations("classbox.box")

# Emptied and filled again by a rebuild; the order does not matter, none refers to another.
PROJECTIONS = (
    "alert",
    "anchor",
    "attendance",
    "branch",
    "camera",
    "camera_fact",
    "camera_link",
    "class",
    "clock_truth",
    "consent",
    "disk_plan",
    "document_in_force",
    "draw",
    "enrolment",
    "instructor",
    "lesson",
    "lesson_run",
    "live_view",
    "media",
    "media_deleted",
    "media_missing",
    "picture_copy",
    "recording",
    "recording_gap",
    "recording_order",
    "scan",
    "snapshot",
    "spot_check",
    "spot_check_item",
    "trainee",
)


def run_script(db: Database, script: str) -> None:
    """Run each statement of *script* inside the migration's transaction.

    ``executescript`` would commit first, and a trigger's body holds semicolons: statements are
    parted by an empty line.
    """
    for statement in script.strip().split("\n\n"):
        db.conn.execute(statement)


@box()
def ledger(db: Database) -> None:
    """The chain, the bodies beside it, and its head."""
    run_script(
        db,
        """
CREATE TABLE event (
    seq       INTEGER PRIMARY KEY,              -- from 1, without gaps
    id        TEXT NOT NULL UNIQUE,             -- chosen by the writer; makes a repeat harmless
    kind      TEXT NOT NULL,
    at        INTEGER NOT NULL,                 -- wall time, microseconds since 1970 UTC
    boot      TEXT NOT NULL,                    -- the kernel's boot id
    mono      INTEGER NOT NULL,                 -- nanoseconds since boot, suspend included
    clock     TEXT NOT NULL CHECK (clock IN ('synchronised', 'unsynchronised')),
    body_hash BLOB NOT NULL CHECK (length(body_hash) = 32),   -- SHA-256(salt, bytes)
    prev_hash BLOB NOT NULL CHECK (length(prev_hash) = 32),
    hash      BLOB NOT NULL CHECK (length(hash) = 32),
    signature BLOB NOT NULL CHECK (length(signature) = 64)    -- Ed25519 over hash
) STRICT

CREATE TRIGGER event_is_never_changed BEFORE UPDATE ON event
BEGIN SELECT RAISE(ABORT, 'facts are never changed: append a correction'); END

CREATE TRIGGER event_is_never_deleted BEFORE DELETE ON event
BEGIN SELECT RAISE(ABORT, 'facts are never deleted'); END

CREATE TABLE body (
    seq   INTEGER PRIMARY KEY REFERENCES event (seq),
    salt  BLOB NOT NULL CHECK (length(salt) = 32),
    bytes BLOB NOT NULL                          -- canonical JSON, never re-encoded
) STRICT

CREATE TABLE head (
    one         INTEGER PRIMARY KEY CHECK (one = 1),
    ledger_uuid TEXT NOT NULL,
    seq         INTEGER NOT NULL,                -- of the last event, 0 before the first
    hash        BLOB NOT NULL CHECK (length(hash) = 32)
) STRICT
""",
    )


@box()
def material(db: Database) -> None:
    """What the ledger cites and cannot rebuild: documents whole, requests on their way."""
    run_script(
        db,
        """
CREATE TABLE document (
    sha256  TEXT PRIMARY KEY,
    kind    TEXT NOT NULL,
    content BLOB NOT NULL                        -- as received, never re-encoded
) STRICT

CREATE TABLE request (
    id            TEXT PRIMARY KEY,
    kind          TEXT NOT NULL,
    args          TEXT NOT NULL,                 -- JSON
    expires       INTEGER NOT NULL,              -- wall time
    claimed_by    TEXT,
    claimed_until INTEGER,                       -- wall time; a claim expires with its worker
    answered      INTEGER REFERENCES event (seq)
) STRICT
""",
    )


@box()
def projections(db: Database) -> None:
    """What people see of the ledger. Times are wall times in microseconds."""
    run_script(
        db,
        """
CREATE TABLE document_in_force (
    kind    TEXT PRIMARY KEY,
    epoch   TEXT NOT NULL,
    version INTEGER NOT NULL,
    sha256  TEXT NOT NULL
) STRICT

CREATE TABLE lesson (
    id       TEXT PRIMARY KEY,
    class_id TEXT NOT NULL,
    starts   INTEGER NOT NULL,
    ends     INTEGER NOT NULL,
    content  TEXT NOT NULL                       -- JSON of edge.documents.lesson_to_json
) STRICT

CREATE INDEX lesson_by_start ON lesson (starts)

CREATE TABLE lesson_run (
    lesson_id TEXT PRIMARY KEY,
    state     TEXT NOT NULL CHECK (state IN ('open', 'held')),
    opened_at INTEGER NOT NULL,
    opened_by TEXT NOT NULL,
    ended_at  INTEGER,
    ended_by  TEXT,
    starts    INTEGER NOT NULL,
    ends      INTEGER NOT NULL,
    documents TEXT NOT NULL,                     -- JSON: kind -> SHA-256, frozen at opening
    content   TEXT NOT NULL                      -- the lesson as frozen at opening
) STRICT

CREATE TABLE class (
    id          TEXT PRIMARY KEY,
    name        TEXT NOT NULL,
    period_id   TEXT NOT NULL,
    approved_by TEXT NOT NULL,
    received_at INTEGER NOT NULL
) STRICT

CREATE TABLE trainee (
    class_id  TEXT NOT NULL,
    person_id TEXT NOT NULL,
    number    TEXT NOT NULL,
    name      TEXT NOT NULL,
    position  INTEGER NOT NULL,                  -- place on the roster, from 0
    PRIMARY KEY (class_id, person_id)
) STRICT

CREATE INDEX trainee_by_person ON trainee (person_id)

CREATE TABLE instructor (
    id       TEXT PRIMARY KEY,
    name     TEXT NOT NULL,
    pin_hash TEXT NOT NULL
) STRICT

CREATE TABLE profile (
    name    TEXT PRIMARY KEY,
    version INTEGER NOT NULL,
    content TEXT NOT NULL                        -- JSON of edge.rules.profile
) STRICT

CREATE TABLE scan (
    seq        INTEGER PRIMARY KEY,
    id         TEXT NOT NULL,                    -- the event's; look it up there
    person_id  TEXT NOT NULL,
    at         INTEGER NOT NULL,
    way        TEXT NOT NULL,
    photo      TEXT NOT NULL,
    score      INTEGER NOT NULL,
    entered_by TEXT NOT NULL,
    reason     TEXT NOT NULL
) STRICT

CREATE INDEX scan_by_person ON scan (person_id, at)

CREATE TABLE attendance (
    lesson_id TEXT NOT NULL,
    person_id TEXT NOT NULL,
    segment   INTEGER NOT NULL,                  -- from 0
    check_in  TEXT,                              -- scan id
    check_out TEXT,                              -- scan id
    PRIMARY KEY (lesson_id, person_id, segment)
) STRICT

CREATE TABLE snapshot (
    lesson_id TEXT NOT NULL,
    hour      INTEGER NOT NULL,                  -- lesson hour, from 0
    number    INTEGER NOT NULL,                  -- snapshot of that hour, from 1
    camera    TEXT NOT NULL,
    state     TEXT NOT NULL CHECK (state IN ('taken', 'missed')),
    at        INTEGER NOT NULL,
    method    TEXT NOT NULL,
    sha256    TEXT NOT NULL,
    bytes     INTEGER NOT NULL,
    cause     TEXT NOT NULL,
    PRIMARY KEY (lesson_id, hour, number)
) STRICT

CREATE TABLE recording (
    seq         INTEGER PRIMARY KEY,
    lesson_id   TEXT NOT NULL,
    camera      TEXT NOT NULL,
    starts      INTEGER NOT NULL,
    ends        INTEGER NOT NULL,
    sha256      TEXT NOT NULL,
    bytes       INTEGER NOT NULL,
    interrupted INTEGER NOT NULL
) STRICT

CREATE INDEX recording_by_lesson ON recording (lesson_id, starts)

CREATE TABLE recording_gap (
    seq       INTEGER PRIMARY KEY,
    lesson_id TEXT NOT NULL,
    camera    TEXT NOT NULL,
    starts    INTEGER NOT NULL,
    ends      INTEGER NOT NULL,
    cause     TEXT NOT NULL
) STRICT

CREATE TABLE camera (
    id    TEXT PRIMARY KEY,
    state TEXT NOT NULL,
    cause TEXT NOT NULL,
    at    INTEGER NOT NULL
) STRICT

CREATE TABLE enrolment (
    person_id     TEXT PRIMARY KEY,
    model         TEXT NOT NULL,
    model_version TEXT NOT NULL,
    at            INTEGER NOT NULL
) STRICT

CREATE TABLE media (
    seq    INTEGER PRIMARY KEY,                  -- the event that names the file
    sha256 TEXT NOT NULL,
    sort   TEXT NOT NULL CHECK (sort IN ('snapshot', 'photo', 'recording'))
) STRICT

CREATE TABLE media_missing (
    sha256 TEXT PRIMARY KEY
) STRICT
""",
    )


@box()
def templates(db: Database) -> None:
    """Face templates: sealed material that no event holds and no rebuild touches."""
    run_script(
        db,
        """
CREATE TABLE template (
    person_id     TEXT NOT NULL,
    model         TEXT NOT NULL,                 -- templates of different networks
    model_version TEXT NOT NULL,                 -- cannot be compared
    nonce         BLOB NOT NULL UNIQUE CHECK (length(nonce) = 12),
    sealed        BLOB NOT NULL                  -- AES-256-GCM; the key is not in the database
) STRICT

CREATE INDEX template_by_person ON template (person_id)
""",
    )


@box()
def branches(db: Database) -> None:
    """The names that the chain goes by, and what the centre signed of it."""
    run_script(
        db,
        """
CREATE TABLE branch (
    seq    INTEGER PRIMARY KEY,                  -- of the event that says so
    ledger TEXT NOT NULL UNIQUE,                 -- the name of the events behind base
    base   INTEGER NOT NULL
) STRICT

CREATE TABLE anchor (
    ledger TEXT NOT NULL,
    seq    INTEGER NOT NULL,                     -- up to where the centre signed
    at     INTEGER NOT NULL,                     -- the centre's time
    PRIMARY KEY (ledger, seq)
) STRICT
""",
    )


@box()
def deletions(db: Database) -> None:
    """Media files that left the box."""
    run_script(
        db,
        """
CREATE TABLE media_deleted (
    sha256 TEXT PRIMARY KEY,
    at     INTEGER NOT NULL,
    rule   TEXT NOT NULL
) STRICT
""",
    )


@box()
def truths(db: Database) -> None:
    """What was stated about the time, and with a scan the clocks when it was made.

    ``scan.at`` is when it was made as far as is known now; ``error`` bounds a corrected time on
    either side, and is NULL where the time stands as the box said it.
    """
    run_script(
        db,
        """
CREATE TABLE clock_truth (
    seq          INTEGER PRIMARY KEY,
    boot         TEXT NOT NULL,
    mono         INTEGER NOT NULL,               -- when it was true, nanoseconds since boot
    clock_offset INTEGER NOT NULL,               -- true wall time minus monotonic clock
    error        INTEGER NOT NULL,               -- bound on either side
    source       TEXT NOT NULL
) STRICT

CREATE INDEX clock_truth_by_boot ON clock_truth (boot, seq)

ALTER TABLE scan ADD COLUMN boot TEXT NOT NULL DEFAULT ''

ALTER TABLE scan ADD COLUMN mono INTEGER NOT NULL DEFAULT 0

ALTER TABLE scan ADD COLUMN clock TEXT NOT NULL DEFAULT ''

ALTER TABLE scan ADD COLUMN error INTEGER

CREATE INDEX scan_to_correct ON scan (boot) WHERE clock = 'unsynchronised'
""",
    )


@box()
def cameras(db: Database) -> None:
    """What is known of the cameras as things, and the logins that this box keeps for them."""
    run_script(
        db,
        """
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
""",
    )
