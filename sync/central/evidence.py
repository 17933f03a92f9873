"""What there is to show that a lesson took place: recording, snapshots, scans, and who attended.

Owns the centre's reading of a lesson. Attendance is derived here by the same pure rules as on
the box, from the scans of all its boxes; nothing derived is stored.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from sqlalchemy import Connection, and_, func, or_, select

from edge.events import MediaDeleted
from edge.model import ClockQuality, Instant, Profile, Scan, Segment, Way, Window
from edge.rules.attendance import attend
from edge.rules.dating import Filmed, Span, dated_gap
from edge.rules.heads import present_at
from edge.rules.lessons import attendance_window, recording_window
from edge.rules.moments import Moment, doubtful
from edge.rules.segments import segments_of
from edge.rules.snapshots import plan
from sync.central import books, credits, spot_checks, tables, times
from sync.central.views import Attendee, Evidence, Film, Hole, Look, Planned, Shot


def of_lesson(connection: Connection, planned: Planned, now: Instant) -> Evidence:
    """Return what the centre holds of a lesson at *now*."""
    lesson = planned.lesson
    profile = books.profile_of(connection, planned)
    segments = segments_of(lesson, profile)
    attendance = attendance_window(lesson, profile)
    roster = books.roster_of(connection, planned)
    the_class = books.class_of(connection, planned)
    looks = _looks(connection, planned, attendance, segments)
    by_person: dict[str, list[Scan]] = defaultdict(list)
    for look in looks.values():
        by_person[look.scan.person_id].append(look.scan)
    trainees = the_class.trainees if the_class else ()
    window = recording_window(lesson, profile)
    dating = times.Dating(connection)
    films = _films(connection, planned, window, now, dating)
    known = {trainee.id for trainee in trainees} | {entry.id for entry in roster.instructors}
    attendees = tuple(
        Attendee(trainee, attend(segments, by_person[trainee.id], profile)) for trainee in trainees
    )
    shots = _shots(connection, planned, profile, attendees, now, dating)
    return Evidence(
        planned=planned,
        profile=profile,
        segments=segments,
        window=window,
        attendance=attendance,
        instructors=tuple(entry for entry in roster.instructors if entry.id in lesson.instructors),
        attendees=attendees,
        looks=looks,
        undated=_undated(connection, planned, attendance),
        strangers=len([person for person in by_person if person not in known]),
        judged=credits.of_lesson(connection, planned, shots, now),
        shots=shots,
        films=films,
        holes=_holes(connection, planned, window, films, dating),
        draw=spot_checks.draw_of(connection, lesson.id),
        spot_checks=spot_checks.taken(connection, lesson.id),
    )


def dated(connection: Connection, planned: Planned) -> Planned:
    """Return the lesson with when it was really opened and ended."""
    if planned.run is None:
        return planned
    dating = times.Dating(connection)
    table = tables.lesson_run
    row = connection.execute(
        select(table)
        .where(table.c.lesson_id == planned.lesson.id, table.c.box.in_(planned.boxes))
        .order_by(table.c.box)
        .limit(1)
    ).one()
    opened = dating.event(row.box, row.ledger, row.seq, row.opened_at)
    ended = None
    if row.ended_seq is not None:
        ended = dating.event(row.box, row.ended_ledger, row.ended_seq, row.ended_at)
    return replace(planned, run=replace(planned.run, opened=opened, ended=ended))


def _holes(
    connection: Connection,
    planned: Planned,
    window: Window,
    films: Sequence[Film],
    dating: times.Dating,
) -> tuple[Hole, ...]:
    """Return what is missing of the recording: what was stated, less what was filmed after all."""
    filmed: dict[str, list[Filmed]] = defaultdict(list)
    for film in films:
        if film.span is not None and film.stated is not None:
            filmed[film.camera].append(Filmed(film.stated, film.span))
    holes: list[Hole] = []
    rows = connection.execute(
        select(tables.gap)
        .where(tables.gap.c.lesson_id == planned.lesson.id)
        .order_by(tables.gap.c.starts)
    ).all()
    for row in rows:
        for span in dated_gap(
            Window(row.starts, row.ends),
            window,
            filmed[row.camera],
            partial(dating.event, row.box, row.ledger, row.seq),
        ):
            holes.append(Hole(span.starts.at, span.ends.at, row.camera, row.cause, span))
    return tuple(sorted(holes, key=lambda hole: hole.starts))


def _looks(
    connection: Connection, planned: Planned, window: Window, segments: Sequence[Segment]
) -> dict[str, Look]:
    table = tables.scan
    rows = connection.execute(
        select(table)
        .where(
            table.c.box.in_(planned.boxes),
            table.c.at >= window.opens,
            table.c.at <= window.last,
        )
        .order_by(table.c.at, table.c.id)
    )
    dating = times.Dating(connection)
    looks: dict[str, Look] = {}
    for row in rows.all():
        when = _moment(row, dating)
        looks[row.id] = Look(_scan(row), row.photo, row.reason, when, doubtful(when, segments))
    return looks


def _moment(row: Any, dating: times.Dating) -> Moment:
    """Return how exactly the time of a scan is known."""
    if row.error is not None:
        return Moment(row.at, row.at - row.error, row.at + row.error, known=True)
    return dating.moment(times.reading_of(row), row.box, row.ledger, row.seq)


def _undated(connection: Connection, planned: Planned, window: Window) -> int:
    """Return how many scans of the boot in which the lesson was opened have no known time.

    Those inside the window by what the box believed are shown, and in doubt; these are the others.
    """
    scan, run, event = tables.scan, tables.lesson_run, tables.event
    boots = (
        select(event.c.boot)
        .join(run, and_(run.c.ledger == event.c.ledger, run.c.seq == event.c.seq))
        .where(
            run.c.lesson_id == planned.lesson.id,
            event.c.clock == str(ClockQuality.UNSYNCHRONISED),
        )
    )
    count = connection.execute(
        select(func.count())
        .select_from(scan)
        .where(
            scan.c.boot.in_(boots),
            scan.c.box.in_(planned.boxes),
            scan.c.clock == str(ClockQuality.UNSYNCHRONISED),
            scan.c.error.is_(None),
            or_(scan.c.at < window.opens, scan.c.at > window.last),
        )
    ).scalar()
    return int(count or 0)


def _scan(row: Any) -> Scan:
    return Scan(row.id, row.person_id, row.at, Way.of(row.way))


def _shots(
    connection: Connection,
    planned: Planned,
    profile: Profile,
    attendees: Sequence[Attendee],
    now: Instant,
    dating: times.Dating,
) -> tuple[Shot, ...]:
    table = tables.snapshot
    said: dict[tuple[int, int], Any] = {}
    for told in connection.execute(
        select(table, tables.media.c.sha256.label("held"))
        .outerjoin(tables.media, tables.media.c.sha256 == table.c.sha256)
        .where(table.c.lesson_id == planned.lesson.id)
        .order_by(table.c.at, table.c.seq)
    ):
        key = (told.hour, told.number)
        # A picture found later replaces "missed"; a second picture changes nothing.
        if key not in said or (told.sha256 and not said[key].sha256):
            said[key] = told
    copies = spot_checks.copies(connection, planned.lesson.id)
    late = tables.recovered_snapshot
    recovered = set(
        connection.execute(
            select(late.c.sha256).where(late.c.lesson_id == planned.lesson.id)
        ).scalars()
    )
    shots: list[Shot] = []
    for slot in plan(planned.lesson, profile):
        row: Any = said.get((slot.hour, slot.number))
        if row is None:
            state = "due" if now > slot.window.closes else "planned"
            shots.append(Shot(slot, state, slot.aim))
        elif row.sha256:
            when = dating.stated(row, row.at)
            copy, heads = copies.get(row.sha256, ("", -1))
            shots.append(
                Shot(
                    slot,
                    "taken",
                    when.at,
                    row.sha256,
                    row.held is not None,
                    moment=when,
                    recovered=row.sha256 in recovered,
                    copy=copy,
                    heads=heads,
                    present=present_at((one.marks for one in attendees), when.at),
                )
            )
        else:
            shots.append(Shot(slot, "missed", slot.aim, cause=row.cause))
    return tuple(shots)


def _films(
    connection: Connection,
    planned: Planned,
    window: Window,
    now: Instant,
    dating: times.Dating,
) -> tuple[Film, ...]:
    table = tables.recording
    films: list[Film] = []
    begun: dict[tuple[str, str], Instant] = {}
    reach: dict[tuple[str, str], Instant] = {}
    upload, media = tables.upload, tables.media
    rows = connection.execute(
        select(table, upload.c.held, upload.c.size, media.c.stored_at)
        .outerjoin(upload, (upload.c.box == table.c.box) & (upload.c.sha256 == table.c.sha256))
        .outerjoin(media, media.c.sha256 == table.c.sha256)
        .where(table.c.lesson_id == planned.lesson.id)
        .order_by(table.c.starts)
    ).all()
    gone = _deleted(connection, rows)
    for row in rows:
        key = (row.box, row.camera)
        starts = dating.stated(row, row.starts)
        if row.ends is None:
            begun[key] = max(begun.get(key, 0), starts.at)
        else:
            span = Span(starts, dating.stated(row, row.ends))
            film = Film(
                starts=span.starts.at,
                ends=span.ends.at,
                camera=row.camera,
                bytes=row.bytes,
                interrupted=row.interrupted,
                running=False,
                span=span,
                stated=Window(row.starts, row.ends),
            )
            where, percent = "box", 0
            if row.stored_at is not None:
                where = "here"
            elif row.sha256 in gone:
                where = "gone"
            elif row.held:
                where, percent = "coming", row.held * 100 // row.size
            films.append(replace(film, sha256=row.sha256, where=where, percent=percent))
            reach[key] = max(reach.get(key, 0), film.ends)
    for (box, camera), since in begun.items():
        first = max(since, reach.get((box, camera), 0))
        until, running = _alive(connection, box, camera, first)
        ends = min(now, window.closes, until)
        if now <= window.closes and ends > first:
            films.append(Film(first, ends, camera, 0, not running, running))
    return tuple(sorted(films, key=lambda film: film.starts))


def _deleted(connection: Connection, recordings: Sequence[Any]) -> set[str]:
    """Return the hashes of those *recordings* that their box says it deleted."""
    ids = {MediaDeleted.id_of(row.sha256, row.seq): row.sha256 for row in recordings}
    found = connection.execute(select(tables.event.c.id).where(tables.event.c.id.in_(list(ids))))
    return {ids[row.id] for row in found}


def _alive(connection: Connection, box: str, camera: str, since: Instant) -> tuple[Instant, bool]:
    """Return until when a recording that began at *since* ran, and whether it still does.

    As far as the centre has heard: a silent box may record on, and will say so later.
    """
    health = connection.execute(
        select(tables.camera).where(tables.camera.c.box == box, tables.camera.c.camera == camera)
    ).one_or_none()
    if health is not None and health.state != "online" and health.at >= since:
        return int(health.at), False
    seen = connection.execute(select(tables.box.c.last_seen).where(tables.box.c.id == box)).scalar()
    return int(seen or 0), True
