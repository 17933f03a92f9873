"""The hours of a lesson as this box knows them (暂计): its facts, judged by ``edge.rules.credit``.

Owns how the facts are read from the projections; ``sync.central.credits`` reads the same at the
centre. Nothing derived is stored.
"""

from __future__ import annotations

import sqlite3
from collections import Counter, defaultdict

from edge import queries, times
from edge.directions import drawn_of
from edge.model import ClockQuality, Instant, Lesson, Profile, Scan, Way, Window
from edge.queries import LessonRun
from edge.rules.credit import (
    Facts,
    Judged,
    Opener,
    Seen,
    days_with_manual,
    judge,
    reach_of,
    touches,
)
from edge.rules.lessons import attendance_window


def of_lesson(connection: sqlite3.Connection, lesson: Lesson, now: Instant | None) -> Judged:
    """Return the credit of every lesson hour of *lesson* at *now*, and why."""
    return judge(facts(connection, lesson, now))


def facts(connection: sqlite3.Connection, lesson: Lesson, now: Instant | None) -> Facts:
    """Return what the hours of *lesson* depend on."""
    profile = queries.profile_of(connection, lesson)
    group = queries.training_class(connection, lesson.class_id)
    run = queries.run(connection, lesson.id)
    decisions = queries.decisions(connection, lesson.id)
    window = reach_of(attendance_window(lesson, profile), decisions)
    return Facts(
        lesson=lesson,
        profile=profile,
        trainees=tuple(one.id for one in group.trainees) if group else (),
        seen=_seen(connection, lesson, window, run),
        opener=_opener(connection, run),
        received_at=group.received_at if group else None,
        drawn=drawn_of(queries.draw_of(connection, lesson.id)),
        missed=Counter(
            row["hour"]
            for row in queries.snapshots(connection, lesson.id)
            if row["state"] == "missed"
        ),
        earlier_manual=_earlier_manual(connection, lesson, window, profile),
        decisions=decisions,
        now=now,
        documents=run.documents if run else {},
    )


def _seen(
    connection: sqlite3.Connection, lesson: Lesson, window: Window, run: LessonRun | None
) -> dict[str, list[Seen]]:
    """Return each trainee's scans that were made, or may have been made, in *window*.

    Of scans whose time nobody knows only those of the boot in which the lesson was opened may
    belong to it, beside those that lie inside by what the box believed.
    """
    rows = connection.execute(
        "SELECT scan.* FROM trainee JOIN scan USING (person_id) "
        "WHERE class_id = ? AND (at BETWEEN ? AND ? OR clock = ?) ORDER BY at, scan.id",
        (lesson.class_id, window.opens, window.last, ClockQuality.UNSYNCHRONISED),
    ).fetchall()
    dating = times.Dating(connection)
    boot = dating.event(run.opened_seq)[0].boot if run and run.opened_seq else ""
    seen: dict[str, list[Seen]] = defaultdict(list)
    for row in rows:
        moment = dating.scan(row)
        known = row["error"] is not None or row["boot"] == boot
        if not window.holds(row["at"]) and not (known and touches(moment, window)):
            continue
        scan = Scan(row["id"], row["person_id"], row["at"], Way.of(row["way"]))
        seen[scan.person_id].append(Seen(scan, moment, bool(row["photo"]), row["reason"]))
    return seen


def _opener(connection: sqlite3.Connection, run: LessonRun | None) -> Opener | None:
    filed = {one.id: one.name for one in queries.instructors(connection)}
    return Opener.among(run.opened_by if run else "", filed)


def _earlier_manual(
    connection: sqlite3.Connection, lesson: Lesson, window: Window, profile: Profile
) -> dict[str, int]:
    made: dict[str, list[Instant]] = defaultdict(list)
    for row in connection.execute(
        "SELECT person_id, at FROM trainee JOIN scan USING (person_id) "
        "WHERE class_id = ? AND way = ? AND at < ?",
        (lesson.class_id, Way.MANUAL, window.opens),
    ):
        made[row["person_id"]].append(row["at"])
    return days_with_manual(made, profile)
