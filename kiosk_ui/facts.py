"""One look at the box: lessons and scans from the ledger, and what the services say now.

Owns what the screens ask of the read side. Everything shown that claims to be stored comes from
here, that is from committed rows.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from edge import alerts, cameras, live_views, queries
from edge.alerts import Alert
from edge.clock import local
from edge.config import Config
from edge.health_events import DiskPlanned
from edge.ledger import Ledger
from edge.model import (
    SECOND,
    ClockQuality,
    Duration,
    Instant,
    Instructor,
    Lesson,
    Notice,
    Scan,
    Trainee,
    Way,
)
from edge.rules.attendance import Mark, Meaning
from edge.rules.conditions import Conditions, conditions
from edge.rules.lessons import TAUGHT, attendance_window, start_window
from kiosk_ui import screen
from kiosk_ui.runtime import Now, Runtime
from kiosk_ui.screen import Sheet

DAY: Duration = 24 * 3600 * SECOND
RECORDS_SHOWN: Duration = 14 * DAY
# How long a greeting stays when the greeter does not take it back, and the farthest any window of
# a lesson reaches from it.
GREETING: Duration = 6 * SECOND
_NEAR: Duration = DAY


@dataclass(frozen=True, slots=True)
class Facts:
    """What the main screen is made of."""

    now: Instant
    zone: ZoneInfo
    clock_trusted: bool
    dated: bool
    room: str
    sheets: tuple[Sheet, ...]
    current: Sheet | None
    coming: tuple[Lesson, ...]
    instructors: dict[str, Instructor]
    services: Now
    greeted: Greeted | None
    labels: Mapping[str, str]
    alerts: tuple[Alert, ...]
    disk: DiskPlanned | None
    conditions: Conditions | None
    notices: tuple[Notice, ...] = ()
    watched_since: Instant | None = None  # somebody at the centre looks into the room

    @property
    def shown_notices(self) -> list[Notice]:
        """The notices to show now, the newest first."""
        shown = [one for one in self.notices if one.shown(self.now, self.dated)]
        return shown[::-1]

    @property
    def check_in_from(self) -> Instant | None:
        """When check-in to the next lesson opens, if that is soon enough to be known."""
        for sheet in self.sheets:
            if self.coming and sheet.lesson.id == self.coming[0].id:
                return start_window(sheet.lesson, sheet.profile).opens
        return None

    @property
    def changes_at(self) -> Instant | None:
        """The next instant at which the screen changes by time alone."""
        edges = [screen.changes_after(sheet, self.now) for sheet in self.sheets]
        if self.greeted:
            edges.append(self.greeted.until)
        edges += [edge for one in self.notices for edge in (one.valid_from, one.valid_until)]
        return min((edge for edge in edges if edge is not None and edge > self.now), default=None)


@dataclass(frozen=True, slots=True)
class Greeted:
    """A committed scan to be greeted until ``until``.

    ``sheet`` is the lesson that it belongs to, or the person's next one; with it come the scan's
    ``meaning`` and the person's ``marks`` before it. ``trainee`` is None for an instructor.
    """

    scan: Scan
    until: Instant
    name: str
    trainee: Trainee | None = None
    sheet: Sheet | None = None
    meaning: Meaning | None = None
    marks: tuple[Mark, ...] = ()


def look(ledger: Ledger, runtime: Runtime, config: Config) -> Facts:
    """Return what the main screen shows now."""
    reading, dated = ledger.clock.now(), ledger.clock.dated()
    services = runtime.now()
    trusted = reading.clock is ClockQuality.SYNCHRONISED
    with ledger.store.read() as connection:
        labels = cameras.labels(connection)
        standing, disk = alerts.standing(connection), alerts.disk_plan(connection)
        lessons = queries.lessons(connection, reading.at - _NEAR, reading.at + 8 * DAY)
        # Without a date today may be any of the days to come.
        near = [one for one in lessons if not dated or one.start <= reading.at + _NEAR]
        sheets = tuple(sheet(connection, lesson) for lesson in near)
        greeted = _greeted(connection, sheets, services, reading.at)
        coming = tuple(
            one
            for one in lessons
            if one.start > reading.at
            and one.state in TAUGHT
            and _shown_from(queries.profile_of(connection, one).shown_days_before, one)
            <= reading.at
        )
        instructors = {one.id: one for one in queries.instructors(connection)}
        notices = queries.notices(connection)
        views = live_views.running(connection)
    current = screen.current(sheets, reading.at)
    return Facts(
        now=reading.at,
        zone=ZoneInfo(config.time_zone),
        clock_trusted=trusted,
        dated=dated,
        room=config.room,
        sheets=sheets,
        current=current,
        coming=coming,
        instructors=instructors,
        services=services,
        greeted=greeted,
        labels={**{one.id: one.label for one in config.cameras}, **labels},
        alerts=standing,
        disk=disk,
        conditions=_conditions(current, standing, services, reading.at, trusted, config),
        notices=notices,
        watched_since=views[0].started_at if views else None,
    )


def _conditions(
    current: Sheet | None,
    standing: tuple[Alert, ...],
    services: Now,
    now: Instant,
    trusted: bool,
    config: Config,
) -> Conditions | None:
    if current is None:
        return None
    recorder = services.recorder
    states = None if recorder is None else {name: one.state for name, one in recorder.items()}
    return conditions(
        current.lesson,
        current.profile,
        now,
        standing=[alert.case for alert in standing],
        cameras=states,
        clock_trusted=trusted,
        door=services.picture or config.door is None,
    )


def sheet(connection: sqlite3.Connection, lesson: Lesson) -> Sheet:
    """Return the sheet of *lesson* as it is stored now."""
    profile = queries.profile_of(connection, lesson)
    group = queries.training_class(connection, lesson.class_id)
    scans = queries.scans(connection, lesson, attendance_window(lesson, profile))
    drawn = queries.draw_of(connection, lesson.id) is not None
    return screen.sheet_of(lesson, profile, group.trainees if group else (), scans, drawn)


def listed(ledger: Ledger, now: Instant) -> list[Lesson]:
    """Return the lessons that the list shows: records of two weeks, and what is coming (R8)."""
    with ledger.store.read() as connection:
        found = queries.lessons(connection, now - RECORDS_SHOWN, now + 31 * DAY)
        return [
            one
            for one in found
            if _shown_from(queries.profile_of(connection, one).shown_days_before, one) <= now
        ]


def _shown_from(days: int, lesson: Lesson) -> Instant:
    return lesson.start - days * DAY


def greeted_by(ledger: Ledger, scan_id: str) -> Greeted:
    """Return what a scan that was stored just now meant, for whoever made it at the screen."""
    now = ledger.clock.now().at
    with ledger.store.read() as connection:
        near = queries.lessons(connection, now - _NEAR, now + 8 * DAY)
        sheets = tuple(sheet(connection, lesson) for lesson in near)
        found = _greeting_of(connection, sheets, scan_id, now + GREETING)
    assert found is not None, "the scan was stored"
    return found


def _greeted(
    connection: sqlite3.Connection, sheets: tuple[Sheet, ...], services: Now, now: Instant
) -> Greeted | None:
    said = services.door.greeting
    if said is None or not said.at - SECOND <= now < said.at + GREETING:
        return None
    return _greeting_of(connection, sheets, said.event_id, said.at + GREETING)


def _greeting_of(
    connection: sqlite3.Connection, sheets: tuple[Sheet, ...], scan_id: str, until: Instant
) -> Greeted | None:
    row = connection.execute(
        "SELECT id, person_id, at, way FROM scan WHERE id = ?", (scan_id,)
    ).fetchone()
    if row is None:
        return None
    scan = Scan(row["id"], row["person_id"], row["at"], Way.of(row["way"]))
    name = queries.person_name(connection, scan.person_id) or ""
    mine = [
        one
        for one in sheets
        if one.taught
        and (one.trainee(scan.person_id) or scan.person_id in one.lesson.instructors)
        and scan.at <= attendance_window(one.lesson, one.profile).closes + SECOND
    ]
    if not mine:
        return Greeted(scan, until, name)
    chosen = mine[0]  # the lessons come in the order of time: the one now, or the next one
    window = attendance_window(chosen.lesson, chosen.profile)
    scans = queries.scans_of_person(connection, scan.person_id, window)
    meaning, marks = screen.what_it_was(chosen, scan, scans)
    trainee = chosen.trainee(scan.person_id)
    return Greeted(scan, until, name, trainee, chosen, meaning, marks)


def same_day(one: Instant, other: Instant, zone: ZoneInfo) -> bool:
    """Tell whether two instants fall on one calendar day of the room."""
    return local(one, zone).date() == local(other, zone).date()
