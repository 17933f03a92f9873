"""What there is to play of a lesson: each camera's line of time with parts, gaps and marks.

The part that is being written just now belongs to it, as far as it is whole on the disk; until it
has a SHA-256 it goes by its draft's id.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO
from zoneinfo import ZoneInfo

from flask import url_for

from edge import pictures, times
from edge.clock import local
from edge.events import RecordingStored
from edge.film import parts as film_parts
from edge.film.boxes import BadBox
from edge.look.language import _
from edge.look.screening import Showing, captions, told_mark
from edge.model import LessonState, Scan, Way
from edge.rules.dating import Span
from edge.rules.timeline import Gap, Part, Sort, Stretch, timeline
from kiosk_ui import words
from kiosk_ui.parts import Parts
from kiosk_ui.records import Record

_DRAFT = "draft-"


@dataclass(frozen=True, slots=True)
class Strip:
    """One camera's recording. ``spans``: how exactly is known when a stretch was, by its start."""

    camera: str
    parts: tuple[Part, ...]
    gaps: tuple[Gap, ...]
    spans: dict[int, Span]


def strips(
    box: Parts, connection: sqlite3.Connection, record: Record, growing: bool
) -> list[Strip]:
    """Return the recordings of a lesson, in the order in which its cameras are set up."""
    parts: dict[str, list[Part]] = {}
    gaps: dict[str, list[Gap]] = {}
    spans: dict[str, dict[int, Span]] = {}
    for piece in record.recordings:
        gone = piece.sha256 in record.deleted or not box.media.path(piece.sha256).is_file()
        starts, ends = piece.span.starts.at, piece.span.ends.at
        parts.setdefault(piece.camera, []).append(
            Part(starts, ends, piece.sha256, piece.bytes, gone)
        )
        spans.setdefault(piece.camera, {})[starts] = piece.span
    for piece in record.gaps:
        starts, ends = piece.span.starts.at, piece.span.ends.at
        gaps.setdefault(piece.camera, []).append(Gap(starts, ends, piece.cause))
        spans.setdefault(piece.camera, {})[starts] = piece.span
    if growing:
        for camera, part in _under_way(box, connection, record.lesson.id):
            parts.setdefault(camera, []).append(part)
    order = list(record.cameras)
    return [
        Strip(one, tuple(parts.get(one, ())), tuple(gaps.get(one, ())), spans.get(one, {}))
        for one in sorted(
            parts.keys() | gaps.keys(),
            key=lambda one: (order.index(one) if one in order else len(order), one),
        )
    ]


def _under_way(
    box: Parts, connection: sqlite3.Connection, lesson_id: str
) -> Iterator[tuple[str, Part]]:
    """Yield what is being written of the lesson just now, with its camera."""
    dating = times.Dating(connection)
    last = connection.execute("SELECT max(seq) AS seq FROM event").fetchone()["seq"]
    for draft in box.media.under_way(RecordingStored.kind):
        body = draft.body
        assert isinstance(body, RecordingStored)
        if body.lesson_id != lesson_id or body.sha256:
            continue
        name = f"{_DRAFT}{draft.id}"
        file = open_part(box, name)
        if file is None:
            continue
        with file:
            try:
                lasts = film_parts.lasts(film_parts.contents(file))
            except BadBox:
                continue  # it has only begun
        if lasts:
            begun = body.begun(box.ledger.clock.now())
            starts = dating.moment(begun, last).at
            yield body.camera, Part(starts, starts + lasts, f"{name}:{lasts}", 0)


def open_part(box: Parts, name: str) -> BinaryIO | None:
    """Open a part by its SHA-256, or one that is being written; None when it is gone."""
    if name.startswith(_DRAFT):
        draft = name.removeprefix(_DRAFT).partition(":")[0]
        path = box.media.incoming / f"{draft}.data"
    else:
        path = box.media.path(name)
    try:
        return path.open("rb")
    except FileNotFoundError:
        return None


def has_part(box: Parts, name: str) -> bool:
    """Tell whether a part's file is still there."""
    if file := open_part(box, name):
        file.close()
    return file is not None


def growing(record: Record, now: int) -> bool:
    """Tell whether more of the lesson's recording may come."""
    cancelled = record.lesson.state in (LessonState.CANCELLED, LessonState.POSTPONED)
    return record.axis.opens <= now < record.axis.closes and not cancelled


def showing(box: Parts, record: Record, strip: Strip, now: int) -> Showing:
    """Return what is shown of one camera's recording."""
    zone = ZoneInfo(box.config.time_zone)
    lesson = record.lesson
    grows = growing(record, now)
    ahead = now < record.axis.closes
    return Showing(
        line=timeline(record.axis, strip.parts, strip.gaps, now=now if ahead else None),
        growing=grows,
        caption=captions(lesson.room, zone),
        says=_says,
        metadata={
            "title": f"{lesson.class_name} · {words.room_words(lesson.room)}",
            "date": f"{local(lesson.start, zone):%Y-%m-%d}",
            "comment": record.cameras.get(strip.camera, strip.camera),
        },
    )


def _says(stretch: Stretch) -> str:
    match stretch.sort:
        case Sort.GAP:
            return _("No video: %(why)s", why=words.gap(stretch.cause))
        case Sort.DELETED:
            return _("No longer on this box")
        case Sort.UNSTATED:
            return _("No video here yet")
        case Sort.AHEAD:
            return _("Still to come")
    return ""


def state(
    box: Parts, connection: sqlite3.Connection, record: Record, strip: Strip, now: int
) -> Any:
    """Return what the player is told of a lesson."""
    zone = ZoneInfo(box.config.time_zone)

    def exact(stretch: Stretch) -> str:
        span = strip.spans.get(stretch.starts)
        return words.exactness(span.starts, zone) if span else ""

    told = showing(box, record, strip, now).state(
        lambda edition: url_for(
            "film.video", lesson_id=record.lesson.id, camera=strip.camera, edition=edition
        ),
        exact,
    )
    told["hours"] = [(hour.start / 1000, hour.end / 1000) for hour in record.lesson.hours]
    told["marks"] = list(_marks(connection, record))
    return told


def _picture(record: Record, sha256: str) -> str:
    here = sha256 and sha256 not in record.deleted
    return url_for("media.media", sha256=sha256) if here else ""


def _marks(connection: sqlite3.Connection, record: Record) -> Iterator[Any]:
    if record.opened:
        yield told_mark(record.opened.at, "lesson", _("Lesson started"))
    if record.ended:
        yield told_mark(record.ended.at, "lesson", _("Lesson ended"))
    for row in record.snapshots:
        title = _("Snapshot")
        if not row.sha256:
            why = words.miss(row.cause)
            yield told_mark(row.moment.at, "missed", _("Snapshot missed"), why)
            continue
        said = [_("from the recording")] if row.method == "from_recording" else []
        if row.copy:
            counted = _(
                "about %(heads)d in the picture, %(present)d checked in",
                heads=row.copy.heads,
                present=row.present,
            )
            said.append(counted)
        picture = _picture(record, row.shown)
        yield told_mark(row.moment.at, "snapshot", title, " · ".join(said), picture)
    for line in record.lines:
        for mark in line.marks:
            for sort, scan in (("check_in", mark.check_in), ("check_out", mark.check_out)):
                if scan is not None:
                    yield _scan(record, sort, line.trainee.name, scan)
    for check in pictures.spot_checks(connection, record.lesson.id):
        for item in check.items:
            if item["sort"] == "photo":
                picture = _picture(record, item["sha256"])
                yield told_mark(item["at"], "spot", _("Spot check photo"), "", picture)


def _scan(record: Record, sort: str, name: str, scan: Scan) -> Any:
    entry = record.entry(scan)
    title = _("%(name)s checked in", name=name)
    if sort == "check_out":
        title = _("%(name)s checked out", name=name)
    detail = ""
    if scan.way is Way.MANUAL:
        detail = " · ".join(filter(None, (_("by hand"), words.reason_words(entry.reason))))
    return told_mark(scan.at, sort, title, detail, _picture(record, entry.photo))


def player_words() -> dict[str, str]:
    """Return what the player says."""
    return {
        "play": _("Play"),
        "pause": _("Pause"),
        "back": _("10 seconds back"),
        "forward": _("10 seconds on"),
        "speed": _("Speed"),
        "timeline": _("Time of the lesson"),
        "happened": _("What happened"),
        "full": _("Full screen"),
        "sound_on": _("Sound on"),
        "sound_off": _("Sound off"),
        "close": _("Close"),
        "none": _("There is nothing to play yet. It appears here by itself."),
        "waiting": _("You have seen all there is so far. It goes on by itself."),
        "trouble": _("The video cannot be loaded just now. It is tried again."),
    }
