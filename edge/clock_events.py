"""The kinds of event about the time: what it really was, and where it jumped. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from edge.events import Body


@dataclass(frozen=True)
class ClockCorrected(Body, kind="clock.corrected"):
    """Truth about the time of one boot: true wall time = monotonic clock + ``offset``.

    Microseconds; ``error`` bounds it on either side, at the moment of this event. ``source``:
    ntp | trusted (the machine's clock, which the settings trust) | centre.
    """

    boot: str
    offset: int
    error: int
    source: str


@dataclass(frozen=True)
class ClockStepped(Body, kind="clock.stepped"):
    """A clock jumped while the box ran: wall time minus monotonic clock, in microseconds.

    ``clock``: box (the time that events carry, from this event on) | machine (the machine's own
    wall clock was set, and the box did not follow it).
    """

    boot: str
    before: int
    after: int
    clock: str = "box"
