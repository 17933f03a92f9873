"""What a bundle's pages count: hours, exceptions, the sample for call-backs. Pure.

Owns every figure on the pages; they follow from the facts alone, so that whoever checks a bundle
counts again. The hours are those of ``edge.rules.credit``; the 80 % line is held in
integers against the prescribed hours (decision 10). Nothing here decides: the authority does.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from edge.events import canonical
from edge.forms import time_to_json
from edge.model import Instant, Trainee, Way
from edge.rules.credit import Credit
from edge.rules.heads import Agreement, compare
from sync.central.bundle.facts import Facts, Look, Taught, named_media
from sync.central.bundle.form import AUTHORITY, AWAY, GONE, Manifest

# One in so many trainees is called back.
SAMPLE = 10
# In the order of the page. Each is shown, with 无 where there is none.
EXCEPTIONS = (
    "not_held",
    "filed_late",
    "manual",
    "manual_without_photo",
    "no_check_out",
    "time_in_doubt",
    "clock_stepped",
    "snapshot_missed",
    "snapshot_unheard",
    "snapshot_recovered",
    "fewer_heads",
    "no_recording",
    "recording_gap",
    "spot_check_missing",
    "spot_check_pending",
    "spot_check_rejected",
    "media_away",
    "media_erased",
    "body_erased",
    "chain_branched",
)


@dataclass(frozen=True, slots=True)
class Hours:
    """Lesson hours of one trainee. ``passes``: the valid ones reach the line (R17)."""

    trainee: Trainee
    valid: int
    pending: int
    invalid: int
    passes: bool


@dataclass(frozen=True, slots=True)
class Irregularity:
    """Something an inspector should look at. ``who`` and ``what`` are a name and a code or text."""

    code: str
    lesson: str
    at: Instant
    who: str = ""
    what: str = ""


@dataclass(frozen=True, slots=True)
class Figures:
    """All of it. ``prescribed``: the filed hours, else those of the timetable (``filed`` false)."""

    prescribed: int
    filed: bool
    planned: int
    held: int
    hours: tuple[Hours, ...]
    exceptions: tuple[Irregularity, ...]
    seed: str
    sample: tuple[Trainee, ...]

    def count(self, code: str) -> int:
        """Return how many exceptions of that sort there are."""
        return sum(one.code == code for one in self.exceptions)

    def total(self, state: Credit) -> int:
        """Return the hours of that state of all trainees together."""
        return sum(int(getattr(one, str(state))) for one in self.hours)

    @property
    def passing(self) -> int:
        """How many trainees reach the line by their valid hours."""
        return sum(one.passes for one in self.hours)


def counted(manifest: Manifest, facts: Facts, heads: Iterable[bytes]) -> Figures:
    """Return the figures. *heads*: the hash of each chain's last event, which make the seed."""
    planned = sum(len(one.lesson.hours) for one in facts.lessons)
    held = sum(len(one.lesson.hours) for one in facts.lessons if one.opened is not None)
    prescribed = manifest.filed_hours or planned
    percent = max((one.profile.pass_percent for one in facts.lessons), default=80)
    seed = hashlib.sha256(
        b"classbox-sample-1\n" + b"".join(sorted(digest.hex().encode() + b"\n" for digest in heads))
    ).hexdigest()
    return Figures(
        prescribed=prescribed,
        filed=manifest.filed_hours > 0,
        planned=planned,
        held=held,
        hours=tuple(
            _hours(trainee, number, facts, prescribed, percent)
            for number, trainee in enumerate(manifest.the_class.trainees)
        ),
        exceptions=tuple(_exceptions(manifest, facts)),
        seed=seed,
        sample=drawn(manifest.the_class.trainees, seed) if manifest.copy == AUTHORITY else (),
    )


def drawn(trainees: Sequence[Trainee], seed: str) -> tuple[Trainee, ...]:
    """Return one in ten of *trainees*, rounded up, in the order of the roster.

    They are those for whom SHA-256 of seed, line feed and trainee id (UTF-8) is smallest.
    """

    def lot(trainee: Trainee) -> bytes:
        return hashlib.sha256(f"{seed}\n{trainee.id}".encode()).digest()

    chosen = set(sorted(trainees, key=lot)[: -(-len(trainees) // SAMPLE)])
    return tuple(one for one in trainees if one in chosen)


def to_json(figures: Figures) -> bytes:
    """Return the figures as their file in a bundle."""
    values: dict[str, Any] = {
        "prescribed": figures.prescribed,
        "filed": figures.filed,
        "planned": figures.planned,
        "held": figures.held,
        "valid": figures.total(Credit.VALID),
        "pending": figures.total(Credit.PENDING),
        "invalid": figures.total(Credit.INVALID),
        "passing": figures.passing,
        "trainees": [
            {
                "number": one.trainee.number,
                "valid": one.valid,
                "pending": one.pending,
                "invalid": one.invalid,
                "passes": one.passes,
            }
            for one in figures.hours
        ],
        "exceptions": [
            {
                "code": one.code,
                "lesson": one.lesson,
                "at": time_to_json(one.at) if one.at else "",
                "who": one.who,
                "what": one.what,
            }
            for one in figures.exceptions
        ],
        "seed": figures.seed,
        "sample": [one.number for one in figures.sample],
    }
    return canonical(values) + b"\n"


def _hours(trainee: Trainee, number: int, facts: Facts, prescribed: int, percent: int) -> Hours:
    states = Counter(
        hour.credit
        for one in facts.lessons
        if one.opened is not None
        for hour in one.pupils[number].hours
    )
    valid = states[Credit.VALID]
    passes = prescribed > 0 and valid * 100 >= prescribed * percent
    return Hours(trainee, valid, states[Credit.PENDING], states[Credit.INVALID], passes)


def _exceptions(manifest: Manifest, facts: Facts) -> list[Irregularity]:
    found = [one for lesson in facts.lessons for one in _of_lesson(manifest, lesson)]
    for name, sort in named_media(facts).items():
        state = manifest.media.get(name, AWAY)
        if state in (AWAY, GONE):
            code = "media_away" if state == AWAY else "media_erased"
            found.append(Irregularity(code, "", 0, sort, name[:12]))
    for box, seq, kind in facts.erased:
        found.append(Irregularity("body_erased", "", 0, box, f"{seq} {kind}"))
    for box, cause in facts.branched:
        found.append(Irregularity("chain_branched", "", 0, box, cause))
    order = {code: place for place, code in enumerate(EXCEPTIONS)}
    return sorted(found, key=lambda one: (order[one.code], one.at))


def _of_lesson(manifest: Manifest, taught: Taught) -> Iterable[Irregularity]:
    lesson = taught.lesson
    if taught.opened is None:
        if lesson.end < manifest.made_at:
            yield Irregularity("not_held", lesson.id, lesson.start, what=str(lesson.state))
        return
    if manifest.the_class.received_at > lesson.start:
        yield Irregularity("filed_late", lesson.id, manifest.the_class.received_at)
    yield from _of_people(taught)
    if taught.steps:
        yield Irregularity("clock_stepped", lesson.id, lesson.start, what=str(taught.steps))
    for shot in taught.shots:
        what = f"{shot.slot.hour + 1}-{shot.slot.number}"
        if shot.state == "missed":
            yield Irregularity("snapshot_missed", lesson.id, shot.at, what, shot.cause)
        elif shot.state == "unheard":
            yield Irregularity("snapshot_unheard", lesson.id, shot.at, what)
        if shot.recovered:
            yield Irregularity("snapshot_recovered", lesson.id, shot.at, what)
        if shot.heads >= 0 and compare(shot.heads, shot.present) is Agreement.FEWER:
            yield Irregularity("fewer_heads", lesson.id, shot.at, what,
                             f"{shot.heads} / {shot.present}")  # fmt: skip
    if not taught.filmed:
        yield Irregularity("no_recording", lesson.id, lesson.start)
    for span, cause in taught.gaps:
        minutes = -(-(span.ends.at - span.starts.at) // 60_000_000)
        yield Irregularity("recording_gap", lesson.id, span.starts.at, str(minutes), cause)
    draw = taught.sitting.draw
    if draw is not None:
        code = {"approved": "", "rejected": "spot_check_rejected"}.get(
            draw.result, "spot_check_pending" if taught.checks else "spot_check_missing"
        )
        if code:
            yield Irregularity(code, lesson.id, lesson.start, draw.by)


def _of_people(taught: Taught) -> Iterable[Irregularity]:
    for pupil in taught.pupils:
        who = f"{pupil.trainee.number} {pupil.trainee.name}"
        for mark in pupil.marks:
            for scan in (mark.check_in, mark.check_out):
                if scan is not None:
                    yield from _of_look(taught.lesson.id, who, taught.looks[scan.id])
            if mark.check_in is not None and mark.check_out is None:
                at = mark.check_in.at
                yield Irregularity(
                    "no_check_out", taught.lesson.id, at, who, str(mark.segment.number + 1)
                )


def _of_look(lesson: str, who: str, look: Look) -> Iterable[Irregularity]:
    if look.scan.way is Way.MANUAL:
        code = "manual" if look.photo else "manual_without_photo"
        yield Irregularity(code, lesson, look.scan.at, who, look.reason)
    if look.doubtful:
        yield Irregularity("time_in_doubt", lesson, look.scan.at, who,
                         str(-(-look.moment.error // 1_000_000)))  # fmt: skip
