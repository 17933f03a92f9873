"""What the events in a bundle say of each lesson. Pure.

Owns the way from chains to lessons, without a database: the same for whoever makes a bundle and for
whoever checks one. Attendance is derived by ``edge.rules``, as on the box and at the console.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from edge import events
from edge.clock_events import ClockStepped
from edge.documents import lesson_from_json
from edge.events import Body, decode
from edge.model import (
    Instant,
    Lesson,
    LessonState,
    Profile,
    Scan,
    Segment,
    SnapshotSlot,
    Trainee,
    Way,
    Window,
)
from edge.picture_events import PictureProcessed, SpotCheckConfirmed, SpotCheckTaken
from edge.rules.attendance import Mark, attend
from edge.rules.credit import HourCredit
from edge.rules.dating import Filmed, Span, dated_gap
from edge.rules.heads import present_at
from edge.rules.lessons import attendance_window, recording_window
from edge.rules.moments import Moment, doubtful
from edge.rules.segments import segments_of
from edge.rules.snapshots import plan
from sync.central.bundle import hours
from sync.central.bundle.dating import Dating, Said
from sync.central.bundle.form import ERASED, ChainOf, Line, Manifest, Sitting
from sync.central.bundle.told import Told


@dataclass(frozen=True, slots=True)
class Look:
    """A scan as it is shown. ``photo``: SHA-256 or empty; ``entered_by``: instructor's id."""

    scan: Scan
    photo: str
    reason: str
    entered_by: str
    moment: Moment
    doubtful: bool


@dataclass(frozen=True, slots=True)
class Shot:
    """A planned snapshot. ``state``: taken | missed | unheard. ``heads``: -1 when not counted."""

    slot: SnapshotSlot
    state: str
    at: Instant
    sha256: str = ""
    copy: str = ""
    cause: str = ""
    recovered: bool = False
    heads: int = -1
    present: int = 0


@dataclass(frozen=True, slots=True)
class Pupil:
    """A trainee in a lesson: marks by segment, credit by lesson hour."""

    trainee: Trainee
    marks: tuple[Mark, ...]
    hours: tuple[HourCredit, ...]


@dataclass(frozen=True, slots=True)
class Check:
    """A confirmed spot check: pictures are (SHA-256, marked copy or empty, photo | clip)."""

    by: str
    at: Instant
    present: int
    pictures: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True, slots=True)
class Taught:
    """Everything that a bundle says of one lesson. ``withheld``: scans of others in its windows."""

    sitting: Sitting
    lesson: Lesson
    segments: tuple[Segment, ...]
    opened: Moment | None
    ended: Moment | None
    opened_by: str
    pupils: tuple[Pupil, ...]
    looks: Mapping[str, Look]
    withheld: int
    shots: tuple[Shot, ...]
    filmed: tuple[Span, ...]
    gaps: tuple[tuple[Span, str], ...]
    checks: tuple[Check, ...]
    steps: int

    @property
    def profile(self) -> Profile:
        """The rules that judge it."""
        return self.sitting.profile


@dataclass(frozen=True, slots=True)
class Facts:
    """What a bundle says. ``erased``: (box, seq, kind) of bodies that were erased."""

    lessons: tuple[Taught, ...]
    erased: tuple[tuple[str, int, str], ...]
    branched: tuple[tuple[str, str], ...]


def gathered(manifest: Manifest, chains: Iterable[tuple[ChainOf, Sequence[Line]]]) -> Facts:
    """Return what *chains* say of the lessons in *manifest*."""
    told: list[Told] = []
    seen: set[bytes] = set()
    erased: list[tuple[str, int, str]] = []
    for stated, lines in chains:
        said: list[Said] = [(line.record.event, body_of(line)) for line in lines]
        dating = Dating(said, stated.received)
        for place, (line, (event, body)) in enumerate(zip(lines, said, strict=True)):
            if event.hash in seen:
                continue  # two branches share what came before them
            seen.add(event.hash)
            told.append(Told(stated.box, event, body, place, dating))
            if line.absent == ERASED:
                erased.append((stated.box, event.seq, event.kind))
    lessons = tuple(_taught(sitting, manifest, told) for sitting in manifest.sittings)
    branched = tuple(
        (one.box, one.body.cause) for one in told if isinstance(one.body, events.LedgerBranched)
    )
    return Facts(lessons, tuple(erased), branched)


def body_of(line: Line) -> Body | None:
    """Return the body of an event that is there. Raises BadBody."""
    content = line.record.body
    return None if content is None else decode(line.record.event.kind, content)


def named_media(facts: Facts) -> dict[str, str]:
    """Return SHA-256 → what it is, for every picture that the pages show or should show."""
    found: dict[str, str] = {}
    for one in facts.lessons:
        for look in one.looks.values():
            if look.photo:
                found.setdefault(look.photo, "photo")
        for shot in one.shots:
            for name in filter(None, (shot.sha256, shot.copy)):
                found.setdefault(name, "snapshot")
        for check in one.checks:
            for original, copy, _ in check.pictures:
                for name in filter(None, (original, copy)):
                    found.setdefault(name, "spot check")
    return found


def _taught(sitting: Sitting, manifest: Manifest, told: Sequence[Told]) -> Taught:
    mine = [one for one in told if one.box in sitting.boxes]
    here = [one for one in mine if getattr(one.body, "lesson_id", None) == sitting.lesson.id]
    opening = next((one for one in here if isinstance(one.body, events.LessonOpened)), None)
    ending = next((one for one in here if isinstance(one.body, events.LessonEnded)), None)
    lesson, opened_by = sitting.lesson, ""
    if opening is not None and isinstance(opening.body, events.LessonOpened):
        lesson = lesson_from_json(dict(opening.body.lesson))
        opened_by = opening.body.by
    profile = sitting.profile
    segments = segments_of(lesson, profile)
    window = attendance_window(lesson, profile)
    looks = _looks(mine, window, segments)
    by_person: dict[str, list[Scan]] = defaultdict(list)
    for look in looks.values():
        by_person[look.scan.person_id].append(look.scan)
    marks = {
        trainee.id: attend(segments, by_person[trainee.id], profile)
        for trainee in manifest.the_class.trainees
    }
    shots = _shots(here, lesson, profile, list(marks.values()))
    if opening is not None:
        lesson = replace(lesson, state=LessonState.HELD if ending else LessonState.OPEN)
    missed = [shot.slot.hour for shot in shots if shot.state == "missed"]
    judged = hours.judged(lesson, sitting, manifest, mine, window, missed, opened_by)
    pupils = [
        Pupil(trainee, marks[trainee.id], judged.hours[trainee.id])
        for trainee in manifest.the_class.trainees
    ]
    filmed, gaps = _films(here, recording_window(lesson, profile))
    return Taught(
        sitting=sitting,
        lesson=lesson,
        segments=segments,
        opened=None if opening is None else opening.when(opening.event.reading.at),
        ended=None if ending is None else ending.when(ending.event.reading.at),
        opened_by=opened_by,
        pupils=tuple(pupils),
        looks=looks,
        withheld=_withheld(mine, window),
        shots=shots,
        filmed=filmed,
        gaps=gaps,
        checks=_checks(here),
        steps=sum(
            isinstance(one.body, ClockStepped) and window.holds(one.when(one.event.reading.at).at)
            for one in mine
        ),
    )


def _looks(mine: Sequence[Told], window: Window, segments: Sequence[Segment]) -> dict[str, Look]:
    found: list[Look] = []
    for one in mine:
        body = one.body
        if not isinstance(body, events.ScanMade):
            continue
        at, moment = one.dating.scanned(body.taken(one.event.reading), one.place)
        if window.opens <= at <= window.last:
            scan = Scan(one.event.id, body.person_id, at, Way.of(body.way))
            doubt = doubtful(moment, segments)
            found.append(Look(scan, body.photo, body.reason, body.entered_by, moment, doubt))
    found.sort(key=lambda look: (look.scan.at, look.scan.id))
    return {look.scan.id: look for look in found}


def _withheld(mine: Sequence[Told], window: Window) -> int:
    return sum(
        one.event.kind == events.ScanMade.kind
        and one.body is None
        and window.holds(one.when(one.event.reading.at).at)
        for one in mine
    )


def _shots(
    here: Sequence[Told], lesson: Lesson, profile: Profile, marks: Sequence[tuple[Mark, ...]]
) -> tuple[Shot, ...]:
    said: dict[tuple[int, int], Told] = {}
    copies: dict[str, PictureProcessed] = {}
    snapshots = [
        one for one in here if isinstance(one.body, events.SnapshotTaken | events.SnapshotMissed)
    ]
    for one in sorted(snapshots, key=lambda one: (_stated(one), one.event.seq)):
        body: Any = one.body
        key = (body.hour, body.number)
        # A picture found later replaces "missed"; a second picture changes nothing.
        taken = isinstance(body, events.SnapshotTaken)
        if key not in said or (taken and isinstance(said[key].body, events.SnapshotMissed)):
            said[key] = one
    for one in here:
        if isinstance(one.body, PictureProcessed):
            copies[one.body.original] = one.body
    shots: list[Shot] = []
    for slot in plan(lesson, profile):
        found = said.get((slot.hour, slot.number))
        body = found.body if found else None
        if found is not None and isinstance(body, events.SnapshotTaken):
            when = found.dating.moment(body.taken(found.event.reading), found.place)
            copy = copies.get(body.sha256)
            shots.append(
                Shot(
                    slot,
                    "taken",
                    when.at,
                    body.sha256,
                    copy.sha256 if copy else "",
                    recovered=body.method == "from_recording",
                    heads=copy.heads if copy else -1,
                    present=present_at(marks, when.at),
                )
            )
        elif isinstance(body, events.SnapshotMissed):
            shots.append(Shot(slot, "missed", slot.aim, cause=body.cause))
        else:
            shots.append(Shot(slot, "unheard", slot.aim))
    return tuple(shots)


def _stated(one: Told) -> Instant:
    return one.body.at if isinstance(one.body, events.SnapshotTaken) else one.event.reading.at


def _films(
    here: Sequence[Told], window: Window
) -> tuple[tuple[Span, ...], tuple[tuple[Span, str], ...]]:
    films: dict[str, list[Filmed]] = defaultdict(list)
    for one in here:
        body = one.body
        if isinstance(body, events.RecordingStored):
            begun = body.begun(one.event.reading)
            span = Span(
                one.dating.moment(begun, one.place),
                one.dating.moment(begun.when(body.end), one.place),
            )
            films[body.camera].append(Filmed(Window(body.start, body.end), span))
    gaps: list[tuple[Span, str]] = []
    for one in here:
        body = one.body
        if isinstance(body, events.RecordingGap):
            stated = Window(body.start, body.end)
            dated = partial(Told.when, one)
            for span in dated_gap(stated, window, films[body.camera], dated):
                gaps.append((span, body.cause))
    spans = [film.span for found in films.values() for film in found]
    return (
        tuple(sorted(spans, key=lambda span: span.starts.at)),
        tuple(sorted(gaps, key=lambda gap: gap[0].starts.at)),
    )


def _checks(here: Sequence[Told]) -> tuple[Check, ...]:
    copies = {
        one.body.original: one.body.sha256 for one in here if isinstance(one.body, PictureProcessed)
    }
    taken = {
        (one.body.check, one.body.sha256): one.body
        for one in here
        if isinstance(one.body, SpotCheckTaken)
    }
    found: dict[str, Check] = {}
    for one in here:
        body = one.body
        if isinstance(body, SpotCheckConfirmed):
            pictures = tuple(
                (name, copies.get(name, ""), taken[body.check, name].sort)
                for name in body.items
                if (body.check, name) in taken
            )
            at = one.when(one.event.reading.at).at
            found.setdefault(body.check, Check(body.by, at, body.present, pictures))
    return tuple(found.values())
