"""Heads in a picture against who is checked in. Pure.

A head count is a hint for the instructor, never evidence against anybody: people look down, sit
behind others, and the instructor may be in the picture.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from edge.model import Instant
from edge.rules.attendance import Mark


class Agreement(StrEnum):
    """What a head count says beside the number of people checked in."""

    AGREES = "agrees"
    FEWER = "fewer"
    MORE = "more"


def compare(heads: int, present: int) -> Agreement:
    """Return whether *heads* in the picture fit *present* people checked in.

    A tenth of them, and two at least, may be hidden or counted twice.
    """
    tolerance = max(2, present // 10)
    if heads < present - tolerance:
        return Agreement.FEWER
    return Agreement.MORE if heads > present + tolerance else Agreement.AGREES


def present_at(marks: Iterable[Iterable[Mark]], at: Instant) -> int:
    """Return how many people were checked in at that moment; *marks*: those of each person."""
    return sum(
        any(
            mark.check_in is not None
            and mark.check_in.at <= at
            and (mark.check_out is None or mark.check_out.at >= at)
            and at <= mark.segment.check_out.closes
            for mark in of_person
        )
        for of_person in marks
    )
