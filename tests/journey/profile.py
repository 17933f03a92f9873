"""The rules that the journeys are taught under: the default's in seconds instead of minutes."""

from __future__ import annotations

from dataclasses import replace

from edge.model import SECOND, Margin, Profile, SnapshotRule
from edge.queries import shipped_profile


def journey_profile() -> Profile:
    """Return a profile whose lesson hour lasts 24 s, with windows that fit the door's film."""
    return replace(
        shipped_profile("default"),
        name="journey",
        lesson_hour=24 * SECOND,
        break_ends_segment=10 * SECOND,
        check_in=Margin(25 * SECOND, 20 * SECOND),
        check_out=Margin(2 * SECOND, 40 * SECOND),
        minimum_presence=5 * SECOND,
        snapshots=(
            SnapshotRule(0, 4 * SECOND, 8 * SECOND),
            SnapshotRule(8 * SECOND, 12 * SECOND, 16 * SECOND),
            SnapshotRule(16 * SECOND, 20 * SECOND, 24 * SECOND),
        ),
        recording=Margin(10 * SECOND, 10 * SECOND),
    )
