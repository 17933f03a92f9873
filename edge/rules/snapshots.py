"""The snapshot plan of a lesson (R5; decision 11). Pure."""

from __future__ import annotations

from edge.model import Lesson, Profile, SnapshotSlot, Window


def plan(lesson: Lesson, profile: Profile) -> tuple[SnapshotSlot, ...]:
    """Return every planned snapshot of *lesson* in the order of time."""
    return tuple(
        SnapshotSlot(
            lesson_id=lesson.id,
            hour=index,
            number=number,
            window=Window(hour.start + rule.earliest, min(hour.start + rule.latest, hour.end)),
            aim=min(hour.start + rule.aim, hour.end),
        )
        for index, hour in enumerate(lesson.hours)
        for number, rule in enumerate(profile.snapshots, start=1)
        if hour.start + rule.earliest < hour.end
    )
