"""The kinds of event about how well the box's cameras and its disk do. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from edge.events import Body


@dataclass(frozen=True)
class AlertRaised(Body, kind="alert.raised"):
    """Something has gone on for long enough to need a person; see ``edge.rules.alerts``.

    ``subject``: a camera's id, or ``box``. ``code``: one of alerts.Code. ``detail``: what was
    seen, in one sentence. ``lesson_id``: the lesson of that moment, empty outside of lessons.
    """

    subject: str
    code: str
    detail: str
    lesson_id: str


@dataclass(frozen=True)
class AlertCleared(Body, kind="alert.cleared"):
    """What an alert was raised for has been over for a while."""

    subject: str
    code: str


@dataclass(frozen=True)
class DiskPlanned(Body, kind="disk.planned"):
    """How the disk is used from here on; stated when it changes (``edge.rules.disk``).

    ``quality``: what the cameras record, one of disk.Quality. ``ballast``: whether the file that
    keeps room for attendance and snapshots is there. ``free``, ``total``: bytes. ``days_left``:
    days of lessons for which there is room at that quality, -1 when nothing is recorded.
    """

    quality: str
    ballast: bool
    free: int
    total: int
    days_left: int
