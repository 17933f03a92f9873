"""The hours of a lesson in a bundle: its events, judged as on the box and at the console. Pure.

``edge.credits`` and ``sync.central.credits`` read the same facts from their databases. Entries by
hand before the bundle's first record are not in it, and so not counted among earlier ones.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence, Set

from edge.model import Instant, Lesson, Profile, Scan, Way, Window
from edge.rules.credit import (
    Facts,
    Judged,
    Opener,
    Seen,
    days_with_manual,
    judge,
    reach_of,
    touches,
)
from sync.central.bundle.form import Manifest, Sitting
from sync.central.bundle.told import Told, scans


def judged(
    lesson: Lesson,
    sitting: Sitting,
    manifest: Manifest,
    mine: Sequence[Told],
    window: Window,
    missed: Iterable[int],
    opened_by: str,
) -> Judged:
    """Return the credit of every hour. *missed*: the lesson hour of each missed snapshot."""
    people = {one.id for one in manifest.the_class.trainees}
    profile = sitting.profile
    return judge(
        Facts(
            lesson=lesson,
            profile=profile,
            trainees=tuple(one.id for one in manifest.the_class.trainees),
            seen=_seen(mine, reach_of(window, sitting.decisions), people),
            opener=Opener.among(opened_by, manifest.instructors),
            received_at=manifest.the_class.received_at,
            drawn=sitting.draw,
            missed=Counter(missed),
            earlier_manual=_earlier_manual(mine, window, profile, people),
            decisions=sitting.decisions,
            now=manifest.made_at,
        )
    )


def _seen(mine: Sequence[Told], window: Window, people: Set[str]) -> dict[str, list[Seen]]:
    """Return each trainee's scans that were made, or may have been made, in *window*."""
    found: dict[str, list[Seen]] = defaultdict(list)
    for one, body, at, moment in scans(mine, people):
        if window.holds(at) or touches(moment, window):
            scan = Scan(one.event.id, body.person_id, at, Way.of(body.way))
            found[body.person_id].append(Seen(scan, moment, bool(body.photo), body.reason))
    for seen in found.values():
        seen.sort(key=lambda each: (each.scan.at, each.scan.id))
    return found


def _earlier_manual(
    mine: Sequence[Told], window: Window, profile: Profile, people: Set[str]
) -> dict[str, int]:
    made: dict[str, list[Instant]] = defaultdict(list)
    for _, body, at, _ in scans(mine, people):
        if body.way == Way.MANUAL and at < window.opens:
            made[body.person_id].append(at)
    return days_with_manual(made, profile)
