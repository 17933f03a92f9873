"""What needs somebody: exceptions first, worst first. Pure.

Owns which situations count and how bad they are; the words for them are the console's.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import IntEnum

from edge.model import MINUTE, SECOND, Instant, LessonState
from sync.central.views import Alert, Box, Evidence, Trouble


class Level(IntEnum):
    """How urgent: something is being lost now, something should be looked at, worth knowing."""

    BAD = 0
    CARE = 1
    INFO = 2


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that needs somebody. ``code`` names it; ``lesson_id`` or ``box`` says where.

    ``count`` and ``at`` belong to the code: see ``sync.central.console.words``.
    """

    level: Level
    code: str
    room: str = ""
    class_name: str = ""
    lesson_id: str = ""
    box: str = ""
    count: int = 0
    whole: int = 0
    at: Instant = 0
    cause: str = ""
    subject: str = ""


# A lesson that nobody has opened so long after S was probably forgotten.
_LATE = 3 * MINUTE
# Alerts that mean that no video is made.
_UNFILMED = frozenset({"not_bound", "offline", "refused", "unusable", "not_recording", "disk_full"})
# The first news of a recording may take this long.
_PATIENCE = 30 * SECOND


def of_lessons(lessons: Iterable[Evidence], boxes: Iterable[Box], now: Instant) -> list[Item]:
    """Return what needs somebody because of lessons and their boxes."""
    by_id = {box.id: box for box in boxes}
    items: list[Item] = []
    busy: set[str] = set()
    rooms: dict[str, str] = {}
    for one in lessons:
        cameras = [
            camera for box in one.planned.boxes if box in by_id for camera in by_id[box].cameras
        ]
        out = any(camera.state != "online" for camera in cameras) or any(
            alert.code in _UNFILMED for box in one.planned.boxes for alert in _alerts(by_id, box)
        )
        items += _of_lesson(one, now, out)
        rooms.update(dict.fromkeys(one.planned.boxes, one.lesson.room))
        if one.open:
            busy |= set(one.planned.boxes)
    for box in by_id.values():
        items += _of_box(box, rooms.get(box.id, ""), box.id in busy)
    return sorted(items, key=lambda item: (item.level, item.at or now, item.room, item.code))


def _alerts(boxes: Mapping[str, Box], box: str) -> tuple[Alert, ...]:
    return boxes[box].alerts if box in boxes else ()


def of_troubles(troubles: Iterable[Trouble]) -> list[Item]:
    """Return the incidents as items."""
    return [
        Item(
            Level.BAD if trouble.cause != "bad_message" else Level.CARE,
            f"incident_{trouble.cause}",
            box=trouble.box,
            count=trouble.times,
            at=trouble.last_at,
            cause=trouble.text,
        )
        for trouble in troubles
    ]


def status(one: Evidence, boxes: Iterable[Box], now: Instant) -> tuple[Level | None, str]:
    """Return how a lesson stands in one word, and how bad that is (None: nothing to say)."""
    lesson = one.lesson
    if lesson.state in (LessonState.CANCELLED, LessonState.POSTPONED, LessonState.MADE_UP):
        return None, str(lesson.state)
    if lesson.state is LessonState.PLANNED:
        if now < lesson.start + _LATE:
            return None, "planned"
        return (Level.CARE, "not_opened") if now <= lesson.end else (Level.CARE, "not_held")
    silent = any(box.silent for box in boxes if box.id in one.planned.boxes)
    if one.open and silent:
        return Level.BAD, "silent"
    if one.open and _unfilmed(one, now):
        return Level.BAD, "not_recording"
    if one.holes:
        return Level.CARE, "gap"
    if one.missed():
        return Level.CARE, "missed"
    return (Level.INFO, "running") if one.open else (None, "held")


def _of_lesson(one: Evidence, now: Instant, camera_out: bool) -> list[Item]:
    lesson = one.lesson

    def item(level: Level, code: str, **more: object) -> Item:
        return Item(
            level,
            code,
            room=lesson.room,
            class_name=lesson.class_name,
            lesson_id=lesson.id,
            **more,  # type: ignore[arg-type]
        )

    items: list[Item] = []
    _, word = status(one, (), now)
    if word == "not_opened":
        items.append(item(Level.BAD, "not_opened", at=lesson.start))
    elif word == "not_held":
        items.append(item(Level.CARE, "not_held", at=lesson.start))
    elif word == "not_recording" and not camera_out:  # which is said of the box, with its cause
        items.append(item(Level.BAD, "not_recording", at=_filmed_until(one)))
    if one.holes:
        minutes = sum(hole.ends - hole.starts for hole in one.holes) // MINUTE
        worst = max(one.holes, key=lambda hole: hole.ends - hole.starts)
        items.append(item(Level.CARE, "gap", count=minutes, at=worst.starts, cause=worst.cause))
    missed = one.missed()
    if missed:
        items.append(
            item(Level.CARE, "missed", count=len(missed), at=missed[-1].at, cause=missed[-1].cause)
        )
    whole = len(one.attendees)
    by_hand = one.entered_by_hand()
    if by_hand and by_hand * 100 > whole * one.profile.manual_entry.review_percent:
        items.append(item(Level.CARE, "by_hand", count=by_hand, whole=whole))
    forgotten = one.not_checked_out(now)
    if forgotten:
        items.append(item(Level.INFO, "not_checked_out", count=forgotten, whole=whole))
    if one.strangers:
        items.append(item(Level.INFO, "strangers", count=one.strangers))
    return items


def _of_box(box: Box, room: str, busy: bool) -> list[Item]:
    items: list[Item] = []
    if box.silent:
        level = Level.BAD if busy else Level.CARE
        items.append(Item(level, "silent", room, box=box.id, at=box.last_seen))
    said = {(alert.subject, alert.code) for alert in box.alerts}
    for alert in box.alerts:
        level = Level.CARE
        if alert.code in _UNFILMED and busy:
            level = Level.BAD
        items.append(
            Item(
                level,
                f"alert_{alert.code}",
                room,
                box=box.id,
                at=alert.at,
                cause=alert.detail,
                subject=alert.subject,
            )
        )
    for camera in box.cameras:
        # Until its patience is over a fault is no alert yet.
        known = (camera.id, camera.state) in said or (
            camera.state == "disk_full" and (("box", "disk_full") in said)
        )
        if camera.state != "online" and not known:
            level = Level.BAD if busy else Level.CARE
            code = f"camera_{camera.state}"
            items.append(Item(level, code, room, box=box.id, at=camera.at, cause=camera.cause))
    items += [
        Item(
            Level.CARE,
            "document_refused",
            room,
            box=box.id,
            count=paper.published,
            cause=f"{paper.kind}: {paper.reason}",
        )
        for paper in box.papers
        if paper.state == "refused"
    ]
    if box.clock_doubtful and not box.silent:
        items.append(Item(Level.CARE, "clock", room, box=box.id, at=box.last_seen))
    return items


def _unfilmed(one: Evidence, now: Instant) -> bool:
    """Tell whether an open lesson should be recorded now and is not."""
    opened_at = one.planned.run.opened_at if one.planned.run else 0
    due = now > max(one.window.opens, opened_at) + _PATIENCE
    return due and one.window.holds(now) and not any(film.running for film in one.films)


def _filmed_until(one: Evidence) -> Instant:
    return max((film.ends for film in one.films), default=one.window.opens)
