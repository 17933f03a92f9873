"""Random lessons, profiles, scans and decisions: strategies for what must always hold."""

from __future__ import annotations

from dataclasses import replace
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from edge.model import MINUTE, SECOND, Lesson, LessonHour, LessonState, Profile, Scan, Way
from edge.policies import Basis, Handover, Pairing, Policy
from edge.queries import shipped_profile
from edge.rules.credit import Drawn, Facts, Opener, Seen
from edge.rules.moments import Moment
from edge.rules.reasons import WAIVABLE
from edge.rules.rulings import Action, Decision
from tests.boxes import LESSON_ID, TEACHER_ID, at, lesson_of

ZONE = ZoneInfo("Asia/Shanghai")
PEOPLE = ("p-1", "p-2", "p-3")
AUTHORITY = "县人社局"


@st.composite
def lessons(draw: st.DrawFn, profile: str = "default") -> Lesson:
    """Draw a timetable: one to five lesson hours with breaks, some of them short, some at night."""
    start = at(draw(st.sampled_from(["08:00", "09:00", "13:30", "22:30"])))
    hours: list[LessonHour] = []
    for _ in range(draw(st.integers(1, 5))):
        length = draw(st.sampled_from([10, 40, 45, 45, 45])) * MINUTE
        hours.append(LessonHour(start, start + length))
        start += length + draw(st.sampled_from([0, 0, 10, 20, 21, 60])) * MINUTE
    return replace(lesson_of(("09:00", "09:45"), profile=profile), hours=tuple(hours))


@st.composite
def profiles(draw: st.DrawFn, handover: Handover | None = None, limited: bool = True) -> Profile:
    """Draw a region's rules: a shipped profile, or one with other numbers."""
    shipped = shipped_profile(draw(st.sampled_from(["jinan", "shenzhen", "shanxi", "default"])))
    if handover is not None:
        shipped = shipped_profile("shenzhen")
    pairing = shipped.pairing
    if pairing is Pairing.SEGMENT and shipped.handover is Handover.TWO_SCANS:
        pairing = draw(st.sampled_from([Pairing.SEGMENT, Pairing.SEGMENT, Pairing.LESSON]))
    basis = draw(st.sampled_from([Basis.SCHEDULE, Basis.SCHEDULE, Basis.CLOCK]))
    ways = {way: draw(st.sampled_from(Policy)) for way in shipped.ways}
    return replace(
        shipped,
        name="drawn",
        pairing=pairing,
        basis=Basis.SCHEDULE if pairing is Pairing.DAY else basis,
        ways={**ways, Way.FACE: Policy.COUNTS},
        hours_a_segment=draw(st.integers(1, 3)),
        minimum_presence=draw(st.sampled_from([0, 1, 5, 20])) * MINUTE,
        scans_a_day=draw(st.sampled_from([0, 0, 2, 5])) if limited else 0,
        check_out=replace(shipped.check_out, before=draw(st.sampled_from([0, 1, 15])) * MINUTE),
    )


@st.composite
def moments_within(draw: st.DrawFn, lesson: Lesson) -> int:
    """Draw a time near the lesson, often at the very edge of something."""
    edges = [edge for hour in lesson.hours for edge in (hour.start, hour.end)]
    off = draw(st.sampled_from([-16, -15, -1, 0, 1, 15, 16])) * MINUTE
    near = draw(st.sampled_from(edges)) + off + draw(st.integers(-2, 2)) * SECOND
    anywhere = draw(st.integers(lesson.start - 3600 * SECOND, lesson.end + 3600 * SECOND))
    return draw(st.sampled_from([near, near, anywhere]))


@st.composite
def seen(draw: st.DrawFn, lesson: Lesson, person: str) -> list[Seen]:
    """Draw one person's scans, some of whose times are not well known."""
    found: list[Seen] = []
    for number in range(draw(st.integers(0, 7))):
        when = draw(moments_within(lesson))
        error = draw(st.sampled_from([0, 0, 0, 1, 180])) * SECOND
        scan = Scan(f"{person}-{number}", person, when, draw(st.sampled_from(Way)))
        found.append(
            Seen(
                scan,
                Moment(when, when - error, when + error, known=True),
                photo=draw(st.booleans()),
                reason=draw(st.sampled_from(["camera_out", "camera_out", ""])),
            )
        )
    return found


@st.composite
def decisions(draw: st.DrawFn, lesson: Lesson) -> tuple[Decision, ...]:
    """Draw what people decided about the lesson."""
    found: list[Decision] = []
    for number in range(draw(st.integers(0, 3))):
        action = draw(st.sampled_from(Action))
        whole = action is Action.EXTEND
        hours = () if whole else draw(st.sampled_from([(), (0,)]))
        found.append(
            Decision(
                id=f"d-{number}",
                lesson_id=LESSON_ID,
                action=action,
                by=AUTHORITY,
                at=lesson.end + draw(st.integers(1, 9)) * 86_400 * SECOND,
                reason="理由",
                trainee="" if whole else draw(st.sampled_from(["", *PEOPLE])),
                hours=hours,
                settles=draw(st.sampled_from(sorted(WAIVABLE))) if action is Action.WAIVE else None,
                until=lesson.end + 30 * MINUTE if whole else None,
            )
        )
    return tuple(found)


@st.composite
def facts(draw: st.DrawFn, handover: Handover | None = None, limited: bool = True) -> Facts:
    """Draw everything that a lesson's hours depend on."""
    profile = draw(profiles(handover, limited))
    lesson = replace(draw(lessons()), state=draw(st.sampled_from(_STATES)))
    return Facts(
        lesson=lesson,
        profile=profile,
        trainees=PEOPLE,
        seen={person: draw(seen(lesson, person)) for person in PEOPLE},
        opener=draw(
            st.sampled_from([None, Opener(TEACHER_ID, "", True), Opener("t-x", "", False)])
        ),
        received_at=lesson.start + draw(st.sampled_from([-86_400, 60])) * SECOND,
        drawn=draw(st.sampled_from([None, None, Drawn(AUTHORITY), Drawn(AUTHORITY, "approved")])),
        missed=draw(st.sampled_from([{}, {}, {0: 1}])),
        earlier_manual=draw(st.sampled_from([{}, {PEOPLE[0]: 2}])),
        decisions=draw(decisions(lesson)),
        now=draw(st.sampled_from([None, lesson.start, lesson.end])),
    )


_STATES = [LessonState.HELD] * 4 + list(LessonState)
