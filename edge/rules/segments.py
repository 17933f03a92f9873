"""Lesson → segments and their windows (R1, R2, R4; decisions 3 and 4). Pure."""

from __future__ import annotations

from edge.model import Lesson, Profile, Segment, Window


def segments_of(lesson: Lesson, profile: Profile) -> tuple[Segment, ...]:
    """Return the segments of *lesson*: runs of at most ``hours_a_segment`` lesson hours.

    A break longer than ``break_ends_segment`` also ends one, so lunch always splits.
    """
    runs: list[list[int]] = []
    for index, hour in enumerate(lesson.hours):
        if runs:
            rest = hour.start - lesson.hours[index - 1].end
            if len(runs[-1]) < profile.hours_a_segment and rest <= profile.break_ends_segment:
                runs[-1].append(index)
                continue
        runs.append([index])
    return tuple(_segment(number, run, lesson, profile) for number, run in enumerate(runs))


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
