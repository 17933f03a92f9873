"""What a lesson may become, and how far it reaches beyond its own hours (decision 18). Pure."""

from __future__ import annotations

from edge.model import MINUTE, Duration, Instant, Lesson, LessonState, Profile, Window
from edge.policies import Pairing
from edge.rules.segments import segments_of

# What may follow each state. A lesson that moved or fell out is made up by another lesson.
NEXT_STATES: dict[LessonState, frozenset[LessonState]] = {
    LessonState.PLANNED: frozenset(
        {LessonState.OPEN, LessonState.CANCELLED, LessonState.POSTPONED}
    ),
    LessonState.OPEN: frozenset({LessonState.HELD}),
    LessonState.HELD: frozenset(),
    LessonState.CANCELLED: frozenset({LessonState.MADE_UP}),
    LessonState.POSTPONED: frozenset({LessonState.MADE_UP}),
    LessonState.MADE_UP: frozenset(),
}

TAUGHT = frozenset({LessonState.PLANNED, LessonState.OPEN, LessonState.HELD})

# Staff may have a lesson recorded from so long before S on, whatever the profile's margin (R14).
ORDER_BEFORE: Duration = 10 * MINUTE


def may_become(state: LessonState, wanted: LessonState) -> bool:
    """Tell whether a lesson may go from *state* to *wanted*."""
    return wanted in NEXT_STATES[state]


def recording_window(lesson: Lesson, profile: Profile) -> Window:
    """Return when the cameras record *lesson*: its hours and the profile's margins (R14)."""
    return Window(lesson.start - profile.recording.before, lesson.end + profile.recording.after)


def recorded_at(
    lesson: Lesson, recording: Window, now: Instant, *, dated: bool = True, ordered: bool = False
) -> bool:
    """Tell whether *lesson*, whose recording window that is, is to be filmed at *now* (R14).

    By itself in the window; a lesson that somebody opened or *ordered* early from then on. Without
    a date an open lesson is filmed whatever the clock says.
    """
    if lesson.state not in TAUGHT:
        return False
    if lesson.state is LessonState.OPEN and not dated:
        return True
    early = lesson.state is LessonState.OPEN or (ordered and lesson.state is LessonState.PLANNED)
    return now <= recording.last and (early or now >= recording.opens)


def order_window(lesson: Lesson) -> Window:
    """Return when somebody may have *lesson* recorded by hand: from S−10 until its end (R14)."""
    return Window(lesson.start - ORDER_BEFORE, lesson.end)


def kept_from_recording(lesson: Lesson, now: Instant, dated: bool = True) -> str | None:
    """Return why *lesson* may not be recorded by hand at *now*: too_early, too_late, its state."""
    if lesson.state not in TAUGHT:
        return str(lesson.state)
    allowed = order_window(lesson)
    if now > allowed.last or lesson.state is LessonState.HELD:
        return "too_late"
    return "too_early" if dated and not allowed.holds(now) else None


def attendance_window(lesson: Lesson, profile: Profile) -> Window:
    """Return the time in which a scan can belong to *lesson*: first check-in to last check-out."""
    segments = segments_of(lesson, profile)
    return Window(
        min(segment.check_in.opens for segment in segments),
        max(segment.check_out.closes for segment in segments),
    )


def start_window(lesson: Lesson, profile: Profile) -> Window:
    """Return when an instructor may start *lesson*: from its first check-in until its end.

    Where there are no windows, from when the cameras record it.
    """
    windows = profile.pairing is not Pairing.DAY
    margin = profile.check_in if windows else profile.recording
    return Window(lesson.start - margin.before, lesson.end)


def kept_from_starting(
    lesson: Lesson, profile: Profile, now: Instant, dated: bool = True
) -> str | None:
    """Return why an instructor may not start *lesson* at *now*: too_early, too_late, None if free.

    A box without a date (*dated* false) knows only that it is not earlier than *now*: no lesson
    is too early for it, and the instructor decides (R8, R19). Its events say so.
    """
    allowed = start_window(lesson, profile)
    if now > allowed.last:
        return "too_late"
    return "too_early" if dated and not allowed.holds(now) else None


def over(lesson: Lesson, profile: Profile, now: Instant) -> bool:
    """Tell whether nothing more can happen to *lesson*: its last check-out window has closed."""
    return now > attendance_window(lesson, profile).last
