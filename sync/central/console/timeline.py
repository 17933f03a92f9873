"""A lesson drawn as a line: recording, gaps, snapshots and scans on one axis. Pure.

Owns the geometry; the template draws it, and the style sheet colours it. Units are those of the
drawing, ``Shape.width`` of them for the lesson's whole recording window.
"""

from __future__ import annotations

from dataclasses import dataclass

from edge.model import MINUTE, SECOND, Duration, Instant
from sync.central.views import Evidence, Film, Hole, Shot

# The line of "now" moves in such steps, so that a page that shows nothing new stays the same.
_NOW_STEP: Duration = 15 * SECOND


@dataclass(frozen=True, slots=True)
class Bar:
    """A stretch on the axis."""

    x: float
    width: float
    of: Film | Hole


@dataclass(frozen=True, slots=True)
class Dot:
    """A moment on the axis that belongs to a snapshot."""

    x: float
    of: Shot


@dataclass(frozen=True, slots=True)
class Tick:
    """A moment on the axis with its time of day."""

    x: float
    at: Instant


@dataclass(frozen=True, slots=True)
class Shape:
    """The drawing. ``hours``: the lesson hours; ``now`` is None outside the window."""

    width: int
    hours: tuple[tuple[float, float], ...]
    films: tuple[Bar, ...]
    holes: tuple[Bar, ...]
    shots: tuple[Dot, ...]
    scans: tuple[float, ...]
    ticks: tuple[Tick, ...]
    now: float | None


def draw(one: Evidence, now: Instant, width: int) -> Shape:
    """Return the drawing of a lesson."""
    opens = min(one.window.opens, one.attendance.opens)
    closes = max(one.window.closes, one.attendance.closes)
    scale = width / (closes - opens)

    def x(at: Instant) -> float:
        return round((min(max(at, opens), closes) - opens) * scale, 1)

    def bar(of: Film | Hole) -> Bar:
        return Bar(x(of.starts), max(1.0, round(x(of.ends) - x(of.starts), 1)), of)

    steady = now // _NOW_STEP * _NOW_STEP
    return Shape(
        width=width,
        hours=tuple(
            (x(hour.start), round(x(hour.end) - x(hour.start), 1)) for hour in one.lesson.hours
        ),
        films=tuple(bar(_steady(film)) for film in one.films),
        holes=tuple(bar(hole) for hole in one.holes),
        shots=tuple(Dot(x(shot.at), shot) for shot in one.shots),
        scans=tuple(sorted({x(look.scan.at) for look in one.looks.values()})),
        ticks=_ticks(opens, closes, x(opens), scale),
        now=x(steady) if opens <= steady <= closes else None,
    )


def _steady(film: Film) -> Film:
    if not film.running:
        return film
    ends = film.ends // _NOW_STEP * _NOW_STEP
    return Film(film.starts, max(ends, film.starts), film.camera, 0, False, True)


def _ticks(opens: Instant, closes: Instant, left: float, scale: float) -> tuple[Tick, ...]:
    """Return round times of day, at most about eight of them."""
    steps = (1, 2, 5, 10, 15, 30, 60, 120)
    span = (closes - opens) / MINUTE
    step = next((minutes for minutes in steps if span / minutes <= 8), steps[-1]) * MINUTE
    first = -(-opens // step) * step
    return tuple(
        Tick(round(left + (at - opens) * scale, 1), at) for at in range(first, closes + 1, step)
    )
