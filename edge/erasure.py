"""What a person left on this box, taken out again: bodies, photos, face templates, names.

Owns erasure. The steps, each of which may be the last before a power cut:

1. one transaction: ``body.erased`` is appended, salts and bytes go, so does what was derived from
   them, the templates, the name in documents no longer in force, the arguments of requests;
   ``media.deleted`` is appended for each photo that nothing else names;
2. the photos go from the disk (``finish``, which finds by itself what is left of this step);
3. the WAL is emptied into the database and cut to nothing (``empty_wal``).

Promises that the chain verifies
afterwards, that the projections are what a rebuild would make of the events, and that the bytes
are gone from the files (SQLite's secure_delete), not merely from the tables.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from edge import documents, events, projections, requests
from edge.consent_events import ABOUT_A_PERSON
from edge.events import (
    BodyErased,
    MediaDeleted,
    PersonEnrolled,
    RequestAnswered,
    RequestRefused,
    ScanMade,
    TemplateDeleted,
)
from edge.ledger import Ledger, Writer
from edge.media import MediaStore
from edge.queries import person_name

REASONS = ("withdrawn", "retention", "order")
# What ``media.deleted`` gives as its rule; the centre then lets go of its copy as well.
RULE = "erased"
# Seqs in one event: a body holds 64 KiB.
_AT_ONCE = 5000
_OF_A_PERSON = (ScanMade, PersonEnrolled, TemplateDeleted, *ABOUT_A_PERSON)
_PAUSE_S = 0.1
_NEVER = threading.Event()


class CannotErase(Exception):
    """A person cannot be erased as things stand; the message says what to do first."""


class OnRoster(CannotErase):
    """The person is on the roster in force: another roster must come first."""


@dataclass(frozen=True, slots=True)
class Found:
    """What this box holds of people.

    ``seqs`` are events whose bodies name them, ``photos`` (SHA-256) files that only those events
    name; the others are counts of rows.
    """

    seqs: tuple[int, ...]
    photos: tuple[str, ...]
    templates: int
    documents: int
    requests: int

    def told(self) -> dict[str, int]:
        """Return the counts, which name nobody."""
        return {
            "events": len(self.seqs),
            "photos": len(self.photos),
            "templates": self.templates,
            "documents": self.documents,
            "requests": self.requests,
        }

    @property
    def nothing(self) -> bool:
        """Whether there is nothing to erase."""
        return not any(self.told().values())


def find(connection: sqlite3.Connection, people: Iterable[str]) -> Found:
    """Return what this box holds of *people*. Raises CannotErase and OnRoster."""
    seqs: set[int] = set()
    templates, rows, asked = 0, 0, 0
    for person_id in people:
        if person_name(connection, person_id) is not None:
            raise OnRoster(
                "This person is on the roster in force. Let the centre publish a roster without "
                "them first; the box then erases them."
            )
        seqs |= _events_of(connection, person_id)
        templates += _count(connection, "template WHERE person_id = ?", person_id)
        rows += len(_documents_of(connection, person_id))
        asked += _count(connection, "request WHERE instr(args, ?)", _quoted(person_id))
    return Found(tuple(sorted(seqs)), tuple(_photos_of(connection, seqs)), templates, rows, asked)


def people_of(connection: sqlite3.Connection, seqs: Iterable[int]) -> list[str]:
    """Return whom those events are about: how a restored box learns whom it had erased before."""
    people: set[str] = set()
    for seq in seqs:
        row = connection.execute(
            "SELECT kind, bytes FROM event JOIN body USING (seq) WHERE seq = ?", (seq,)
        ).fetchone()
        body = events.decode(row["kind"], row["bytes"]) if row else None
        if isinstance(body, _OF_A_PERSON):
            people.add(body.person_id)
    return sorted(people)


def erase(
    ledger: Ledger,
    media: MediaStore,
    people: Sequence[str],
    reason: str,
    request_id: str = "",
) -> Found:
    """Erase *people* from this box and return what was found of them.

    With *request_id* the answer to that request is part of the transaction. *reason* is one of
    REASONS. A second call finds nothing and only finishes what the first may have left. Call
    ``empty_wal`` afterwards. Raises CannotErase and OnRoster, with nothing changed.
    """
    with ledger.writing() as writer:
        found = find(writer.connection, people)
        if not found.nothing:
            _erase(writer, people, found, reason, request_id)
        if request_id:
            answer = RequestAnswered(request_id, "erase", found.told())
            requests.answer(writer, request_id, answer)
    _discard_drafts(ledger, media, people)
    finish(ledger, media)
    return found


def finish(ledger: Ledger, media: MediaStore) -> None:
    """Delete erased photos that are still on the disk; cheap when there is nothing to do."""
    with ledger.store.read() as connection:
        rows = connection.execute("SELECT sha256 FROM media_deleted WHERE rule = ?", (RULE,))
        for row in rows.fetchall():
            if not _named(connection, row["sha256"]):
                media.delete(row["sha256"])


def empty_wal(ledger: Ledger, patience: float = 30.0) -> bool:
    """Leave nothing in the WAL; False when somebody read all the time for *patience* seconds.

    The link does the checkpoints; this one holds the same lock as every writer, which is what
    makes it safe (edge.store).
    """
    for _ in range(max(1, int(patience / _PAUSE_S))):
        if ledger.store.checkpoint(truncate=True):
            return True
        _NEVER.wait(_PAUSE_S)
    return False


def _erase(
    writer: Writer, people: Sequence[str], found: Found, reason: str, request_id: str
) -> None:
    for start in range(0, len(found.seqs), _AT_ONCE):
        writer.append(BodyErased(found.seqs[start : start + _AT_ONCE], reason, request_id))
    connection = writer.connection
    connection.executemany("DELETE FROM body WHERE seq = ?", [(seq,) for seq in found.seqs])
    projections.forget(connection, people, found.seqs)
    for person_id in people:
        writer.execute("DELETE FROM template WHERE person_id = ?", (person_id,))
        # The request that asks for this is answered right after.
        writer.execute(
            "UPDATE request SET args = '{}', expires = 0 WHERE instr(args, ?)",
            (_quoted(person_id),),
        )
        for sha256, content in _documents_of(connection, person_id):
            # It keeps its name, by which lessons cite it, and no longer hashes to it.
            writer.execute("UPDATE document SET content = ? WHERE sha256 = ?", (content, sha256))
    for sha256 in found.photos:
        writer.append(MediaDeleted(sha256, "photo", RULE))


def _discard_drafts(ledger: Ledger, media: MediaStore, people: Sequence[str]) -> None:
    """Give up scans whose event a crash prevented: they would be carried on some day."""
    for draft in media.unfinished((ScanMade.kind,)):
        body = draft.body
        if isinstance(body, ScanMade) and body.person_id in people:
            draft.discard()
            with ledger.store.read() as connection:
                if body.photo and not _named(connection, body.photo):
                    media.delete(body.photo)


def _events_of(connection: sqlite3.Connection, person_id: str) -> set[int]:
    seqs = set()
    rows = connection.execute(
        "SELECT seq, kind, bytes FROM event JOIN body USING (seq) WHERE instr(bytes, ?)",
        (_quoted(person_id).encode("utf-8"),),
    )
    for row in rows:
        body = events.decode(row["kind"], row["bytes"])
        theirs = (
            body.person_id == person_id
            if isinstance(body, _OF_A_PERSON)
            else isinstance(body, RequestAnswered | RequestRefused)
        )
        if not theirs:
            raise CannotErase(
                f"this person taught, logged in or vouched for others (event {row['seq']}, "
                f"{row['kind']}): the lessons of the trainees rest on that, so it is kept until "
                "their retention ends. Only trainees can be erased."
            )
        seqs.add(int(row["seq"]))
    return seqs


def _documents_of(connection: sqlite3.Connection, person_id: str) -> list[tuple[str, bytes]]:
    """Return hash and remaining content of each roster that names the person."""
    rows = connection.execute("SELECT * FROM document WHERE kind = ?", (documents.ROSTER,))
    return [
        (row["sha256"], content)
        for row in rows
        if (content := documents.roster_without(row["content"], person_id)) is not None
    ]


def _photos_of(connection: sqlite3.Connection, seqs: set[int]) -> list[str]:
    named: dict[str, set[int]] = {}
    for row in connection.execute("SELECT seq, sha256 FROM media"):
        named.setdefault(row["sha256"], set()).add(row["seq"])
    return [sha256 for sha256, by in named.items() if by <= seqs]


def _named(connection: sqlite3.Connection, sha256: str) -> bool:
    return _count(connection, "media WHERE sha256 = ?", sha256) > 0


def _count(connection: sqlite3.Connection, of: str, value: str) -> int:
    (count,) = connection.execute(f"SELECT count(*) FROM {of}", (value,)).fetchone()
    return int(count)


def _quoted(person_id: str) -> str:
    """Return how an id stands in canonical JSON: a whole text, never a part of one."""
    return events.canonical(person_id).decode("utf-8")
