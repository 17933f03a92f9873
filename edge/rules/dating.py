"""When a lesson's video was filmed, and what is missing of it, by corrected times. Pure.

A gap is stated by the time that the box believed. Its edges are those of the plan, which were never
in doubt, or those of a part of the video, which is dated by its own boot, or moments of the boot
that stated it. Where video turns out to have been filmed there is no gap: it can be played.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from edge.model import Instant, Window
from edge.rules.moments import Moment, certain


@dataclass(frozen=True, slots=True)
class Span:
    """From when to when something was."""

    starts: Moment
    ends: Moment

    @property
    def exact(self) -> bool:
        """Whether it stands as it was stated: nothing had to be reckoned."""
        return all(one.earliest == one.latest for one in (self.starts, self.ends))


@dataclass(frozen=True, slots=True)
class Filmed:
    """A part of a recording: as the box believed, and when it was."""

    stated: Window
    span: Span


def dated_gap(
    stated: Window, plan: Window, films: Sequence[Filmed], moment: Callable[[Instant], Moment]
) -> tuple[Span, ...]:
    """Return what is really missing of a gap that was *stated*; none when there was no gap.

    *plan*: when the lesson is recorded. *films*: the parts by the same camera. *moment* dates a
    time of the boot that stated the gap.
    """
    known = {edge: certain(edge) for edge in (plan.opens, plan.closes)}
    for film in films:
        known[film.stated.opens] = film.span.starts
        known[film.stated.closes] = film.span.ends
    starts, ends = (known.get(edge) or moment(edge) for edge in (stated.opens, stated.closes))
    return tuple(_without(Span(starts, ends), (film.span for film in films)))


def _without(gap: Span, films: Iterable[Span]) -> list[Span]:
    left: list[Span] = []
    reached = gap.starts
    for film in sorted(films, key=lambda one: one.starts.at):
        if film.ends.at <= reached.at or film.starts.at >= gap.ends.at:
            continue
        if film.starts.at > reached.at:
            left.append(Span(reached, film.starts))
        reached = film.ends
    if reached.at < gap.ends.at:
        left.append(Span(reached, gap.ends))
    return left
