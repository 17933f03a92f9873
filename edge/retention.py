"""Media leave the box by the rules of retention: first the event, then the file.

Owns the carrying out of ``edge.rules.retention``. Promises that a deletion is a fact in the ledger
before the first byte is gone, that one which a crash interrupted is carried to its end at the next
start, and that what was deleted is neither offered to the centre nor reported as missing.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from edge import queries
from edge.events import MediaDeleted
from edge.ledger import Ledger
from edge.media import MediaStore
from edge.model import ClockQuality, Instant, LessonState, Reading, RetentionRule
from edge.rules.retention import SPACE, Use, may_go

_LOOK_EVERY_S = 60.0
_CARRY_OUT_EVERY_S = 3600.0
_AT_ONCE = 100


class Receipts(Protocol):
    """What is known of the media's way to the centre: the link's cursor, or ``NoCentre``."""

    def safe_media(self) -> dict[str, Instant]:
        """Return the files that the centre vouches for, each with the centre's time of that."""
        ...

    def known(self) -> set[str]:
        """Return every file that is to go to the centre, has gone, or cannot."""
        ...

    def forget(self, sha256s: Sequence[str]) -> None:
        """These files were deleted from the box."""
        ...


class NoCentre:
    """The receipts of a box without a centre: there are none."""

    def __init__(self, media: MediaStore) -> None:
        """*media*: where a deletion that a crash interrupted leaves its file."""
        self._media = media

    def safe_media(self) -> dict[str, Instant]:
        """Nobody vouches for anything."""
        return {}

    def known(self) -> set[str]:
        """Return what lies on the disk: a file whose deletion is stated and not done is there."""
        return {file.name for file in self._media.root.glob("[0-9a-f][0-9a-f]/*")}

    def forget(self, sha256s: Sequence[str]) -> None:
        """There is nothing to forget."""


@dataclass(frozen=True, slots=True)
class Leaving:
    """A file that may go. ``bytes``: on the disk; ``since``: of its youngest use."""

    sha256: str
    sort: str
    seq: int
    bytes: int
    since: Instant
    rule: str


def leaving(
    ledger: Ledger, media: MediaStore, receipts: Receipts, reading: Reading, pressed: bool
) -> list[Leaving]:
    """Return the files that may go now, the oldest first; *pressed*: the disk needs room."""
    now = reading.at if reading.clock is ClockQuality.SYNCHRONISED else None
    uses: dict[str, list[tuple[int, Use]]] = {}
    safe = receipts.safe_media()
    with ledger.store.read() as connection:
        for seq, sha256, use in _uses(connection, safe):
            uses.setdefault(sha256, []).append((seq, use))
    found: list[Leaving] = []
    for sha256, of_file in uses.items():
        rule = may_go([use for _, use in of_file], now, pressed)
        if not rule:
            continue
        try:
            size = media.path(sha256).stat().st_size
        except FileNotFoundError:
            continue  # it is missing, not deleted; that is stated elsewhere
        seq, last = max(of_file, key=lambda one: one[0])
        since = max(use.since for _, use in of_file)
        found.append(Leaving(sha256, last.sort, seq, size, since, rule))
    return sorted(found, key=lambda one: (one.rule == SPACE, one.since, one.seq))


class Retention:
    """A box's housekeeping among its media, done by the link, or by the recorder without one.

    Times are monotonic, in seconds.
    """

    def __init__(
        self,
        ledger: Ledger,
        media: MediaStore,
        receipts: Receipts,
        ask_soon: Callable[[], None],
        to_shed: Callable[[], int],
    ) -> None:
        """*ask_soon* makes the box ask what is safe; *to_shed* says how many bytes should go."""
        self._to_shed = to_shed
        self._ledger = ledger
        self._media = media
        self._receipts = receipts
        self._ask_soon = ask_soon
        self._look_at = 0.0
        self._carry_out_at: float | None = None

    def step(self, now: float) -> None:
        """Do what is due: at the start what a crash left, hourly the rules, at need make room."""
        if now < self._look_at:
            return
        self._look_at = now + _LOOK_EVERY_S
        if self._carry_out_at is None:
            self.finish()
            self._carry_out_at = now
        shed = self._to_shed()
        if shed or now >= self._carry_out_at:
            self._carry_out_at = now + _CARRY_OUT_EVERY_S
            self.carry_out(shed)
        if shed and self._to_shed():
            self._ask_soon()

    def finish(self) -> None:
        """Carry deletions to their end that the ledger states and a crash interrupted."""
        with self._ledger.store.read() as connection:
            deleted = queries.deleted_media(connection)
        self._remove(sorted(deleted & self._receipts.known()))

    def carry_out(self, shed: int) -> None:
        """Delete what may go; of what goes only for room, no more than the *shed* bytes needed."""
        reading = self._ledger.clock.now()
        due = leaving(self._ledger, self._media, self._receipts, reading, shed > 0)
        freed = 0
        chosen: list[Leaving] = []
        for one in due:
            if one.rule == SPACE and freed >= shed:
                break
            chosen.append(one)
            freed += one.bytes
        for first in range(0, len(chosen), _AT_ONCE):
            some = chosen[first : first + _AT_ONCE]
            with self._ledger.writing() as writer:
                for one in some:
                    writer.append(
                        MediaDeleted(one.sha256, one.sort, one.rule),
                        MediaDeleted.id_of(one.sha256, one.seq),
                    )
            self._remove([one.sha256 for one in some])

    def _remove(self, sha256s: list[str]) -> None:
        for sha256 in sha256s:
            self._media.delete(sha256)
        if sha256s:
            self._receipts.forget(sha256s)


def _uses(
    connection: sqlite3.Connection, safe: dict[str, Instant]
) -> Iterator[tuple[int, str, Use]]:
    """Yield seq, SHA-256 and use for every event whose file is still on this box."""
    lessons = _Lessons(connection)
    for row in connection.execute(
        "SELECT seq, sha256, lesson_id, ends FROM recording "
        "WHERE sha256 NOT IN (SELECT sha256 FROM media_deleted)"
    ):
        lesson = lessons.of(row["lesson_id"], row["ends"])
        yield row["seq"], row["sha256"], lesson.use("recording", safe.get(row["sha256"]))
    for row in connection.execute(
        "SELECT media.seq, media.sha256, lesson_id, media_at.at FROM media JOIN ("
        "SELECT sha256, lesson_id, at FROM snapshot UNION ALL "
        "SELECT copy.sha256, copy.lesson_id, snapshot.at FROM picture_copy AS copy "
        "JOIN snapshot ON snapshot.sha256 = copy.original) AS media_at USING (sha256) "
        "WHERE media.sha256 NOT IN (SELECT sha256 FROM media_deleted)"
    ):
        lesson = lessons.of(row["lesson_id"], row["at"])
        yield row["seq"], row["sha256"], lesson.use("snapshot", safe.get(row["sha256"]))
    for row in connection.execute(
        "SELECT media.seq, media.sha256, lesson_id, taken.at FROM media JOIN ("
        "SELECT sha256, lesson_id, at FROM spot_check_item UNION ALL "
        "SELECT copy.sha256, copy.lesson_id, item.at FROM picture_copy AS copy "
        "JOIN spot_check_item AS item ON item.sha256 = copy.original) AS taken USING (sha256) "
        "WHERE media.sha256 NOT IN (SELECT sha256 FROM media_deleted)"
    ):
        lesson = lessons.of(row["lesson_id"], row["at"])
        use = lesson.use("recording", safe.get(row["sha256"]))
        yield row["seq"], row["sha256"], replace(use, evidence=True)
    # A photo is a person's, not a lesson's: the longest of the rules in force holds.
    rule = max(
        (one.retention for one in queries.profiles(connection)), key=lambda one: one.photo_days
    )
    for row in connection.execute(
        "SELECT seq, photo, at FROM scan "
        "WHERE photo <> '' AND photo NOT IN (SELECT sha256 FROM media_deleted)"
    ):
        yield row["seq"], row["photo"], Use("photo", row["at"], safe.get(row["photo"]), rule)


@dataclass(frozen=True, slots=True)
class _Taught:
    """What the keeping of a lesson's media depends on."""

    ends: Instant
    rule: RetentionRule
    evidence: bool
    running: bool

    def use(self, sort: str, safe_at: Instant | None) -> Use:
        evidence = self.evidence and sort == "recording"
        return Use(sort, self.ends, safe_at, self.rule, evidence, self.running)


class _Lessons:
    """Lessons looked up once each."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._found: dict[str, _Taught] = {}

    def of(self, lesson_id: str, at: Instant) -> _Taught:
        """Return the lesson; for one that no timetable knows the shipped rules hold from *at*."""
        if lesson_id not in self._found:
            self._found[lesson_id] = self._look_up(lesson_id, at)
        return self._found[lesson_id]

    def _look_up(self, lesson_id: str, at: Instant) -> _Taught:
        connection = self._connection
        lesson = queries.lesson(connection, lesson_id)
        if lesson is None:
            return _Taught(at, queries.shipped_profile("default").retention, False, False)
        run = queries.run(connection, lesson_id)
        # Corrections and secret lessons (decision 20) are not known on the box yet.
        drawn = queries.draw_of(connection, lesson_id) is not None
        replaced = any(
            row["state"] == "missed" or row["method"] == "from_recording"
            for row in queries.snapshots(connection, lesson_id)
        )
        return _Taught(
            ends=max(lesson.end, run.ended_at or 0) if run else lesson.end,
            rule=queries.profile_of(connection, lesson).retention,
            evidence=replaced or drawn,
            running=run is not None and run.state is LessonState.OPEN,
        )
