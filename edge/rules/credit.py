"""Which lesson hours count: 有效, 待审核 or 无效 for each trainee, and why (decision 2). Pure.

Promises that equal facts give equal results, in whatever order they come, on box and centre; and
that every lesson hour has at least one reason. The box says 暂计: only the authority decides.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from edge.model import Instant, LessonState, Profile, Segment, Window
from edge.policies import Pairing, Way
from edge.rules.lesson_facts import Credit as Credit
from edge.rules.lesson_facts import Drawn as Drawn
from edge.rules.lesson_facts import Facts as Facts
from edge.rules.lesson_facts import HourCredit as HourCredit
from edge.rules.lesson_facts import Opener as Opener
from edge.rules.lesson_facts import Seen as Seen
from edge.rules.lesson_facts import of_kind
from edge.rules.lesson_facts import touches as touches
from edge.rules.person_hours import Person
from edge.rules.reasons import Code, Reason
from edge.rules.rulings import Action, Decision
from edge.rules.segments import day_of, segments_of
from edge.rules.spot_check import spot_check_window

# Goes up when equal facts would be judged differently than before.
ENGINE = 1


@dataclass(frozen=True, slots=True)
class Judged:
    """A lesson's hours by person, and by what they were judged (decision 2)."""

    hours: Mapping[str, tuple[HourCredit, ...]]
    engine: int
    profile: str
    profile_version: int
    documents: Mapping[str, str]


def judge(facts: Facts) -> Judged:
    """Return the credit of every lesson hour of every trainee of the roster."""
    segments = _extended(facts)
    lesson = _of_the_lesson(facts)
    share = _manual_share(facts)
    return Judged(
        hours={
            person: Person(facts, person, segments, share).hours(lesson)
            for person in facts.trainees
        },
        engine=ENGINE,
        profile=facts.profile.name,
        profile_version=facts.profile.version,
        documents=facts.documents,
    )


def reach_of(window: Window, decisions: Iterable[Decision]) -> Window:
    """Return *window* and what approved overruns add to it: scans in it matter to the credit."""
    until = [one.until for one in decisions if one.until is not None]
    return Window(window.opens, max([window.closes, *until]))


def days_with_manual(times: Mapping[str, Iterable[Instant]], profile: Profile) -> dict[str, int]:
    """Return on how many local days each person had a manual entry at one of *times*."""
    return {
        person: len({day_of(at, profile).opens for at in made}) for person, made in times.items()
    }


def _extended(facts: Facts) -> tuple[Segment, ...]:
    """Return the segments; an approved overrun moves the last check-out's end (decision 13)."""
    segments = segments_of(facts.lesson, facts.profile)
    if facts.profile.pairing is Pairing.DAY:
        return segments
    last = segments[-1]
    whole = reach_of(last.check_out, of_kind(facts, Action.EXTEND))
    return (*segments[:-1], replace(last, check_out=whole))


def _manual_share(facts: Facts) -> Reason | None:
    """Return why the manual entries of a lesson are reviewed: too many of them (decision 8)."""
    entered = sum(
        any(one.scan.way is Way.MANUAL for one in facts.seen.get(person, ()))
        for person in facts.trainees
    )
    total, percent = len(facts.trainees), facts.profile.manual_entry.review_percent
    if entered * 100 <= total * percent:
        return None
    return Reason(Code.MANUAL_SHARE, {"count": entered, "total": total, "percent": percent})


def _of_the_lesson(facts: Facts) -> list[tuple[Credit, Reason]]:
    """Return what holds for everybody and every hour."""
    lesson, found = facts.lesson, list[tuple[Credit, Reason]]()
    falls_out = {
        LessonState.CANCELLED: Code.CANCELLED,
        LessonState.POSTPONED: Code.POSTPONED,
        LessonState.MADE_UP: Code.MADE_UP,
    }.get(lesson.state)
    if falls_out is not None:
        return [(Credit.INVALID, Reason(falls_out))]
    if lesson.state is LessonState.PLANNED:
        found.append((Credit.PENDING, Reason(Code.NOT_OPENED)))
    if facts.received_at is not None and facts.received_at > lesson.start:
        values = {"received": facts.received_at, "starts": lesson.start}
        found.append((Credit.PENDING, Reason(Code.FILING_LATE, values)))
    opener = facts.opener
    if opener is not None and not opener.filed:
        reason = Reason(Code.INSTRUCTOR_NOT_FILED, {"instructor": opener.name or opener.id})
        found.append((Credit.PENDING, reason))
    elif opener is not None and opener.id not in lesson.instructors:
        reason = Reason(Code.SUBSTITUTE, {"instructor": opener.name or opener.id})
        found.append((Credit.VALID, reason))
    found.extend(_spot_check(facts))
    for one in of_kind(facts, Action.EXTEND):
        extended: dict[str, int | str] = {"by": one.by, "until": one.until or 0, "why": one.reason}
        found.append((Credit.VALID, Reason(Code.EXTENDED, extended)))
    return found


def _spot_check(facts: Facts) -> list[tuple[Credit, Reason]]:
    drawn = facts.drawn
    if drawn is None or drawn.result == "approved":
        return []
    if drawn.result == "rejected":
        values = {"by": drawn.decided_by, "why": drawn.why or "–"}
        return [(Credit.INVALID, Reason(Code.SPOT_CHECK_REJECTED, values))]
    if spot_check_window(facts.lesson, facts.profile) is None:
        return [(Credit.VALID, Reason(Code.SPOT_CHECK_IMPOSSIBLE))]
    return [(Credit.PENDING, Reason(Code.SPOT_CHECK_PENDING, {"by": drawn.by}))]
