"""The hours of a lesson as the centre knows them: its facts, judged by ``edge.rules.credit``.

Owns how the facts are read from the store, from all boxes of the lesson; ``edge.credits`` reads
the same on a box. Nothing derived is stored.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import cast

from sqlalchemy import Connection, or_, select

from edge import documents
from edge.directions import drawn_of
from edge.model import ClockQuality, Instant, Profile, Scan, Way, Window
from edge.rules.credit import (
    Drawn,
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
from edge.rules.moments import Moment
from edge.rules.rulings import Decision
from sync.central import books, spot_checks, tables, times
from sync.central.views import Planned, Shot


def of_lesson(
    connection: Connection, planned: Planned, shots: Sequence[Shot], now: Instant | None
) -> Judged:
    """Return the credit of every lesson hour of the lesson at *now*, and why."""
    return judge(facts(connection, planned, shots, now))


def facts(
    connection: Connection, planned: Planned, shots: Sequence[Shot], now: Instant | None
) -> Facts:
    """Return what the hours of the lesson depend on."""
    lesson = planned.lesson
    profile = books.profile_of(connection, planned)
    group = books.class_of(connection, planned)
    trainees = tuple(one.id for one in group.trainees) if group else ()
    decisions = decisions_of(connection, planned)
    window = reach_of(attendance_window(lesson, profile), decisions)
    return Facts(
        lesson=lesson,
        profile=profile,
        trainees=trainees,
        seen=_seen(connection, planned, trainees, window),
        opener=_opener(connection, planned),
        received_at=group.received_at if group else None,
        drawn=drawn(connection, lesson.id),
        missed=Counter(shot.slot.hour for shot in shots if shot.state == "missed"),
        earlier_manual=_earlier_manual(connection, planned, trainees, window, profile),
        decisions=decisions,
        now=now,
        documents=planned.run.documents if planned.run else {},
    )


def decisions_of(connection: Connection, planned: Planned) -> tuple[Decision, ...]:
    """Return what people decided about the lesson, by the documents in force at its boxes."""
    found: dict[str, Decision] = {}
    for box, content in books.in_force(connection, documents.DECISIONS):
        if box not in planned.boxes:
            continue
        parsed = cast("tuple[Decision, ...]", documents.parse(documents.DECISIONS, content))
        found |= {one.id: one for one in parsed if one.lesson_id == planned.lesson.id}
    return tuple(sorted(found.values(), key=lambda one: (one.at, one.id)))


def _seen(
    connection: Connection, planned: Planned, trainees: Sequence[str], window: Window
) -> dict[str, list[Seen]]:
    """Return each trainee's scans that were made, or may have been made, in *window*.

    Of scans whose time nobody knows only those of the boot in which the lesson was opened may
    belong to it, beside those that lie inside by what the box believed.
    """
    table = tables.scan
    rows = connection.execute(
        select(table)
        .where(
            table.c.box.in_(planned.boxes),
            table.c.person_id.in_(trainees),
            or_(
                table.c.at.between(window.opens, window.last),
                table.c.clock == str(ClockQuality.UNSYNCHRONISED),
            ),
        )
        .order_by(table.c.at, table.c.id)
    ).all()
    dating = times.Dating(connection)
    boots = _boots(connection, planned)
    seen: dict[str, list[Seen]] = defaultdict(list)
    for row in rows:
        if row.error is not None:
            moment = Moment(row.at, row.at - row.error, row.at + row.error, known=True)
        else:
            moment = dating.moment(times.reading_of(row), row.box, row.ledger, row.seq)
        known = row.error is not None or row.boot in boots
        if not window.holds(row.at) and not (known and touches(moment, window)):
            continue
        scan = Scan(row.id, row.person_id, row.at, Way.of(row.way))
        seen[scan.person_id].append(Seen(scan, moment, bool(row.photo), row.reason))
    return seen


def _boots(connection: Connection, planned: Planned) -> set[str]:
    run, event = tables.lesson_run, tables.event
    rows = connection.execute(
        select(event.c.boot)
        .join(run, (run.c.ledger == event.c.ledger) & (run.c.seq == event.c.seq))
        .where(run.c.lesson_id == planned.lesson.id)
    )
    return {row.boot for row in rows}


def _opener(connection: Connection, planned: Planned) -> Opener | None:
    filed = {one.id: one.name for one in books.roster_of(connection, planned).instructors}
    return Opener.among(planned.run.opened_by if planned.run else "", filed)


def drawn(connection: Connection, lesson_id: str) -> Drawn | None:
    """Return who drew the lesson for a spot check, and the verdict."""
    return drawn_of(spot_checks.draw_of(connection, lesson_id))


def _earlier_manual(
    connection: Connection,
    planned: Planned,
    trainees: Sequence[str],
    window: Window,
    profile: Profile,
) -> dict[str, int]:
    table = tables.scan
    made: dict[str, list[Instant]] = defaultdict(list)
    for row in connection.execute(
        select(table.c.person_id, table.c.at).where(
            table.c.box.in_(planned.boxes),
            table.c.person_id.in_(trainees),
            table.c.way == str(Way.MANUAL),
            table.c.at < window.opens,
        )
    ):
        made[row.person_id].append(row.at)
    return days_with_manual(made, profile)
