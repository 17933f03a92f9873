"""What the centre can play of a lesson: the parts that arrived, and where the others are."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO
from zoneinfo import ZoneInfo

from flask import url_for

from edge.clock import local
from edge.look.language import _
from edge.look.screening import Showing, captions, told_mark
from edge.model import Instant, Scan, Way
from edge.rules.dating import Span
from edge.rules.timeline import Gap, Part, Sort, Stretch, timeline
from sync.central.console import words
from sync.central.media import MediaHolder
from sync.central.views import Evidence, Shot


@dataclass(frozen=True, slots=True)
class Strip:
    """One camera's recording. ``spans``: how exactly is known when a stretch was, by its start."""

    box: str
    camera: str
    parts: tuple[Part, ...]
    gaps: tuple[Gap, ...]
    spans: dict[Instant, Span]

    def where(self, sort: Sort) -> tuple[Part, ...]:
        """Return the parts of that sort."""
        return tuple(one for one in self.parts if one.sort is sort)


def strips(one: Evidence, media: MediaHolder) -> list[Strip]:
    """Return the recordings of a lesson, by box and camera."""
    known = {(film.box, film.camera) for film in one.films}
    known |= {(hole.box, hole.camera) for hole in one.holes}
    return [_strip(one, media, box, camera) for box, camera in sorted(known)]


def _strip(one: Evidence, media: MediaHolder, box: str, camera: str) -> Strip:
    films = [film for film in one.films if (film.box, film.camera) == (box, camera)]
    holes = [hole for hole in one.holes if (hole.box, hole.camera) == (box, camera)]
    spans = {film.starts: film.span for film in films if film.span is not None}
    spans |= {hole.starts: hole.span for hole in holes if hole.span is not None}
    parts = [
        Part(
            film.starts,
            film.ends,
            film.sha256,
            film.bytes,
            deleted=film.where == "gone",
            here=bool(film.sha256) and media.has(film.sha256),
        )
        for film in films
    ]
    gaps = [Gap(hole.starts, hole.ends, hole.cause) for hole in holes]
    return Strip(box, camera, tuple(parts), tuple(gaps), spans)


def opener(media: MediaHolder) -> Callable[[str], BinaryIO | None]:
    """Return what opens a part by its SHA-256; None when it is gone."""

    def open_part(sha256: str) -> BinaryIO | None:
        try:
            return Path(media.path(sha256)).open("rb")
        except FileNotFoundError:
            return None

    return open_part


def showing(one: Evidence, strip: Strip, now: Instant, zone: ZoneInfo) -> Showing:
    """Return what is shown of one camera's recording."""
    lesson = one.lesson
    ahead = now < one.window.closes
    return Showing(
        line=timeline(one.window, strip.parts, strip.gaps, now=now if ahead else None),
        growing=bool(strip.where(Sort.ELSEWHERE)) or one.window.opens <= now < one.window.closes,
        caption=captions(lesson.room, zone),
        says=_says,
        metadata={
            "title": f"{lesson.class_name} · {words.room(lesson.room)}",
            "date": f"{local(lesson.start, zone):%Y-%m-%d}",
            "comment": f"{strip.box} {strip.camera}",
        },
    )


def file_name(one: Evidence, strip: Strip, zone: ZoneInfo) -> str:
    """Return the name of a film that is kept as a file."""
    lesson = one.lesson
    name = f"{local(lesson.start, zone):%Y-%m-%d %H%M} {lesson.room} {lesson.class_name}"
    kept = "".join("-" if letter in '\\/:*?"<>|' else letter for letter in name)
    return f"{kept} {strip.camera}.mp4"


def _says(stretch: Stretch) -> str:
    match stretch.sort:
        case Sort.GAP:
            return _("No video: %(why)s", why=words.cause(stretch.cause))
        case Sort.DELETED:
            return _("deleted on the box, never here")
        case Sort.ELSEWHERE:
            return _("Still on the box, not here yet")
        case Sort.UNSTATED:
            return _("The box has not reported any video here")
        case Sort.AHEAD:
            return _("Still to come")
    return ""


def state(one: Evidence, strip: Strip, media: MediaHolder, now: Instant, zone: ZoneInfo) -> Any:
    """Return what the player is told of a lesson."""
    to: dict[str, Any] = {"lesson_id": one.lesson.id, "box": strip.box, "camera": strip.camera}

    def exact(stretch: Stretch) -> str:
        span = strip.spans.get(stretch.starts)
        return words.exactness(span.starts, now, zone) if span else ""

    shown = showing(one, strip, now, zone)
    told = shown.state(lambda edition: url_for("film.video", edition=edition, **to), exact)
    here = sum(part.bytes for part in strip.where(Sort.VIDEO))
    told["download"] = (
        {
            "src": url_for("film.download", edition=shown.edition, **to),
            "says": _("Download the film (%(size)s)", size=words.size(here)),
        }
        if told["film"]
        else None
    )
    told["rest"] = shown.line.lasting(Sort.ELSEWHERE) and _(
        "%(length)s of video are still on the box.",
        length=words.lasting(shown.line.lasting(Sort.ELSEWHERE)),
    )
    told["hours"] = [(hour.start / 1000, hour.end / 1000) for hour in one.lesson.hours]
    told["marks"] = list(_marks(one, media))
    return told


def _pictures(media: MediaHolder, sha256: str) -> dict[str, str]:
    if not sha256 or not media.has(sha256):
        return {}
    return {
        "picture": url_for("pages.media", sha256=sha256),
        "small": url_for("pages.small", sha256=sha256),
    }


def _marks(one: Evidence, media: MediaHolder) -> Iterator[Any]:
    run = one.planned.run
    if run and run.opened:
        yield told_mark(run.opened.at, "lesson", _("Lesson started"))
    if run and run.ended:
        yield told_mark(run.ended.at, "lesson", _("Lesson ended"))
    for shot in one.shots:
        if shot.state == "missed":
            yield told_mark(shot.at, "missed", _("Snapshot missing"), words.cause(shot.cause))
        elif shot.state == "taken":
            yield told_mark(
                shot.at, "snapshot", _("Snapshot"), _detail(shot), **_pictures(media, shot.shown)
            )
    for attendee in one.attendees:
        for mark in attendee.marks:
            name = attendee.trainee.name
            if mark.check_in is not None:
                title = _("%(name)s checked in", name=name)
                yield _scan(one, media, "check_in", title, mark.check_in)
            if mark.check_out is not None:
                title = _("%(name)s checked out", name=name)
                yield _scan(one, media, "check_out", title, mark.check_out)
    for check in one.spot_checks:
        for item in check.items:
            if item.sort == "photo":
                title = _("Spot check photo")
                yield told_mark(item.at, "spot", title, **_pictures(media, item.shown))


def _detail(shot: Shot) -> str:
    said = [_("from the recording")] if shot.recovered else []
    if shot.heads >= 0:
        counted = _(
            "about %(heads)d in the picture, %(present)d checked in",
            heads=shot.heads,
            present=shot.present,
        )
        said.append(counted)
    return " · ".join(said)


def _scan(one: Evidence, media: MediaHolder, sort: str, title: str, scan: Scan) -> Any:
    look = one.looks[scan.id]
    detail = ""
    if scan.way is Way.MANUAL:
        detail = _("by hand") + (f" · {words.reason(look.reason)}" if look.reason else "")
    return told_mark(scan.at, sort, title, detail, **_pictures(media, look.photo))


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
        "none": _("No video of this lesson is here yet. It appears by itself when it arrives."),
        "waiting": _("You have seen all that is here. It goes on by itself when more arrives."),
        "trouble": _("The video cannot be loaded just now. It is tried again."),
        "sent": _("sent"),
        "asked": _("Asked for. The box sends it when it can be reached, before anything else."),
        "not_asked": _("The centre did not take the request. Please try again."),
    }
