"""Lesson → segments and their windows (R1, R2, R4, R11; decisions 3, 4 and 6). Pure."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from edge.model import SECOND, Instant, Lesson, Profile, Segment, Window
from edge.policies import Pairing


def segments_of(lesson: Lesson, profile: Profile) -> tuple[Segment, ...]:
    """Return the segments of *lesson*: runs of at most ``hours_a_segment`` lesson hours.

    A break longer than ``break_ends_segment`` also ends one, so lunch always splits. A profile
    that pairs by lesson or by day has one segment; by day its windows are the calendar day.
    """
    if profile.pairing is Pairing.DAY:
        return (_day(lesson, profile),)
    if profile.pairing is Pairing.LESSON:
        return (_segment(0, list(range(len(lesson.hours))), lesson, profile),)
    runs: list[list[int]] = []
    for index, hour in enumerate(lesson.hours):
        if runs:
            rest = hour.start - lesson.hours[index - 1].end
            if len(runs[-1]) < profile.hours_a_segment and rest <= profile.break_ends_segment:
                runs[-1].append(index)
                continue
        runs.append([index])
    return tuple(_segment(number, run, lesson, profile) for number, run in enumerate(runs))


def day_of(at: Instant, profile: Profile) -> Window:
    """Return the local calendar day of *at*, from midnight to its last second (decision 6)."""
    zone = ZoneInfo(profile.time_zone)
    date = datetime.fromtimestamp(at // SECOND, zone).date()
    midnights = (datetime.combine(day, time(), zone) for day in (date, date + timedelta(days=1)))
    opens, closes = (int(midnight.timestamp()) * SECOND for midnight in midnights)
    return Window(opens, closes - SECOND)


def _segment(number: int, run: list[int], lesson: Lesson, profile: Profile) -> Segment:
    start = lesson.hours[run[0]].start
    end = lesson.hours[run[-1]].end
    return Segment(
        number=number,
        hours=tuple(run),
        start=start,
        end=end,
        check_in=Window(start - profile.check_in.before, start + profile.check_in.after),
        check_out=Window(end - profile.check_out.before, end + profile.check_out.after),
    )


def _day(lesson: Lesson, profile: Profile) -> Segment:
    """Return the segment of a profile without windows: any time of the lesson's day.

    A lesson across midnight belongs to the day of its start, and is waited for after its end.
    """
    day = day_of(lesson.start, profile)
    closes = max(day.closes, lesson.end + profile.recording.after)
    return Segment(
        number=0,
        hours=tuple(range(len(lesson.hours))),
        start=lesson.start,
        end=lesson.end,
        check_in=Window(day.opens, closes),
        check_out=Window(day.opens, closes),
    )
