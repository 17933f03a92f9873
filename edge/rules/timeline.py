"""A lesson's recording by one camera on one line of time: video, gaps with causes, marks. Pure.

What kiosk and console draw, play and download alike. A file's own length is no measure here: where
a part belongs is said by its event, in the time of the box.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from edge.model import SECOND, Duration, Instant, Window

# Holes shorter than this are a frame or two, not a loss.
SHORTEST_GAP: Duration = 1 * SECOND


class Sort(StrEnum):
    """What a stretch of the line holds."""

    VIDEO = "video"
    ELSEWHERE = "elsewhere"  # there is video, but on another machine: it has not arrived here
    DELETED = "deleted"  # there was video; a rule of retention removed it, and an event says so
    GAP = "gap"  # stated as missing, with its cause
    UNSTATED = "unstated"  # neither video nor gap: the recorder has not come to it yet
    AHEAD = "ahead"  # not over yet


@dataclass(frozen=True, slots=True)
class Part:
    """One stored part of a recording. ``here``: its file is on this machine."""

    starts: Instant
    ends: Instant
    sha256: str
    bytes: int
    deleted: bool = False
    here: bool = True

    @property
    def sort(self) -> Sort:
        """What a stretch of it is."""
        if self.deleted:
            return Sort.DELETED
        return Sort.VIDEO if self.here else Sort.ELSEWHERE


@dataclass(frozen=True, slots=True)
class Gap:
    """A stretch that was stated as missing. ``cause``: one of model.GapCause."""

    starts: Instant
    ends: Instant
    cause: str


@dataclass(frozen=True, slots=True)
class Mark:
    """A moment to show on the line: a snapshot, a check-in, the lesson's opening.

    ``ref``: what it leads to, such as a picture's SHA-256 or a person's id.
    """

    at: Instant
    sort: str
    ref: str = ""


@dataclass(frozen=True, slots=True)
class Stretch:
    """A piece of the line. ``part`` belongs to video, wherever it is, ``cause`` to a gap."""

    sort: Sort
    starts: Instant
    ends: Instant
    part: Part | None = None
    cause: str = ""


@dataclass(frozen=True, slots=True)
class Timeline:
    """The line of what *axis* spans and more, where there is more; no two stretches overlap."""

    axis: Window
    stretches: tuple[Stretch, ...]
    marks: tuple[Mark, ...]

    @property
    def begins(self) -> Instant:
        """When the line begins: recording begins a little early, to be there in time."""
        return min([self.axis.opens, *(one.starts for one in self.stretches[:1])])

    def offset(self, at: Instant) -> Duration:
        """Return where *at* lies on the line, in µs from its beginning."""
        return at - self.begins

    def of(self, *sorts: Sort) -> tuple[Stretch, ...]:
        """Return the stretches of those sorts."""
        return tuple(one for one in self.stretches if one.sort in sorts)

    def filmed(self) -> Timeline | None:
        """Return the line from the first video to the last, which a film of it is; None without.

        A film begins with a picture: players differ in what they make of one that does not.
        """
        video = self.of(Sort.VIDEO)
        if not video:
            return None
        first, last = video[0].starts, video[-1].ends
        kept = tuple(one for one in self.stretches if first <= one.starts and one.ends <= last)
        return Timeline(Window(first, last), kept, ())

    def lasting(self, *sorts: Sort) -> Duration:
        """Return how long the stretches of those sorts are together."""
        return sum(one.ends - one.starts for one in self.of(*sorts))


def timeline(
    axis: Window,
    parts: Iterable[Part],
    gaps: Iterable[Gap],
    marks: Iterable[Mark] = (),
    now: Instant | None = None,
) -> Timeline:
    """Return the line of one camera. *now* is given while the recording may still grow.

    Where video and a gap claim the same moment, the video is right: it can be played. Of two
    parts the earlier one keeps it. Holes of less than SHORTEST_GAP are passed over.
    """
    claims = [
        Stretch(part.sort, part.starts, part.ends, part)
        for part in sorted(parts, key=lambda part: (part.starts, part.ends))
    ]
    line = _laid([], claims)
    stated = sorted(gaps, key=lambda gap: (gap.starts, gap.ends))
    line = _laid(line, [Stretch(Sort.GAP, gap.starts, gap.ends, None, gap.cause) for gap in stated])
    until = axis.closes if now is None else max(axis.opens, min(now, axis.closes))
    rest = [Stretch(Sort.UNSTATED, axis.opens, until), Stretch(Sort.AHEAD, until, axis.closes)]
    rest = [one for one in _laid(line, rest) if one not in line]
    rest = [one for one in rest if one.ends - one.starts >= SHORTEST_GAP]
    return Timeline(
        axis,
        tuple(sorted((*line, *rest), key=lambda one: one.starts)),
        tuple(sorted(marks, key=lambda mark: (mark.at, mark.sort, mark.ref))),
    )


def _laid(line: list[Stretch], claims: Iterable[Stretch]) -> list[Stretch]:
    """Return *line* with what of each claim is still free, in order of time."""
    for claim in claims:
        reached = claim.starts
        free: list[Stretch] = []
        for taken in [one for one in line if one.ends > claim.starts and one.starts < claim.ends]:
            if taken.starts > reached:
                free.append(_cut(claim, reached, taken.starts))
            reached = max(reached, taken.ends)
        if reached < claim.ends:
            free.append(_cut(claim, reached, claim.ends))
        line = sorted((*line, *free), key=lambda one: one.starts)
    return line


def _cut(stretch: Stretch, starts: Instant, ends: Instant) -> Stretch:
    return Stretch(stretch.sort, starts, ends, stretch.part, stretch.cause)
