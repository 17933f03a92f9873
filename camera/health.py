"""Wanted against actual: which camera should record what, and what to do about the difference.

A lost event can stop nothing for ever here, because nothing is driven by events: at each look
the whole difference is worked out again. Pure: times and facts come in as arguments.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Set
from dataclasses import dataclass
from enum import StrEnum

from camera.failures import Failure
from edge.model import (
    SECOND,
    Duration,
    GapCause,
    Instant,
    Lesson,
    SnapshotSlot,
    Window,
)
from edge.rules.lessons import recorded_at
from edge.rules.timeline import SHORTEST_GAP

# Dialling takes a moment: beginning this much early, the first picture is there in time.
LEAD: Duration = 10 * SECOND
FIRST_PAUSE_S = 1.0
LONGEST_PAUSE_S = 30.0

# Lesson, lesson hour, number in that hour.
SlotKey = tuple[str, int, int]


class State(StrEnum):
    """What the kiosk's lamp and the ledger say of a camera."""

    RECORDING = "recording"
    WAITING = "waiting"
    ONLINE = "online"
    OFFLINE = "offline"
    REFUSED = "refused"
    UNUSABLE = "unusable"
    NOT_RECORDING = "not_recording"
    DISK_FULL = "disk_full"


STATE_AFTER: Mapping[Failure, State] = {
    Failure.REFUSED: State.REFUSED,
    Failure.UNREACHABLE: State.OFFLINE,
    Failure.UNUSABLE: State.UNUSABLE,
    Failure.ANOTHER: State.OFFLINE,
    Failure.SILENT: State.OFFLINE,
    Failure.ENDED: State.OFFLINE,
    Failure.DISK_FULL: State.DISK_FULL,
    Failure.BROKEN: State.NOT_RECORDING,
}


CAUSE_OF: Mapping[Failure, GapCause] = {
    Failure.REFUSED: GapCause.LOGIN_REFUSED,
    Failure.UNREACHABLE: GapCause.CAMERA_UNREACHABLE,
    Failure.UNUSABLE: GapCause.VIDEO_UNUSABLE,
    Failure.ANOTHER: GapCause.CAMERA_UNREACHABLE,
    Failure.SILENT: GapCause.CAMERA_SILENT,
    Failure.ENDED: GapCause.CAMERA_HUNG_UP,
    Failure.DISK_FULL: GapCause.DISK_FULL,
    Failure.BROKEN: GapCause.WRITING_FAILED,
}


@dataclass(frozen=True, slots=True)
class Why:
    """Why video is missing: a word of the ledger's vocabulary, and a sentence with a remedy."""

    cause: GapCause
    detail: str


class Step(StrEnum):
    """What to do about one camera's recording process."""

    NOTHING = "nothing"
    START = "start"
    TELL = "tell"
    STOP = "stop"
    KILL = "kill"


@dataclass(frozen=True, slots=True)
class Actual:
    """How one camera's recording process fares; ``retry_at`` is on the monotonic clock."""

    running: bool
    lessons: tuple[str, ...] = ()
    hangs: bool = False
    retry_at: float = 0.0


@dataclass(frozen=True, slots=True)
class Planned:
    """A lesson with what its profile makes of it."""

    lesson: Lesson
    recording: Window
    slots: tuple[SnapshotSlot, ...]


def wanted(
    planned: Iterable[Planned], now: Instant, dated: bool = True, ordered: Collection[str] = ()
) -> tuple[str, ...]:
    """Return the ids of the lessons that every classroom camera should be recording for *now*.

    Recording starts and stops by itself with the lesson (R14), whether or not anybody opened it;
    margins of lessons that follow each other overlap, and the video then belongs to both. A lesson
    that somebody opened early, by hand, is recorded from then on, and so is one of *ordered*.
    """
    return tuple(
        entry.lesson.id
        for entry in sorted(planned, key=lambda entry: (entry.recording.opens, entry.lesson.id))
        if recorded_at(
            entry.lesson,
            Window(entry.recording.opens - LEAD, entry.recording.closes),
            now,
            dated=dated,
            ordered=entry.lesson.id in ordered,
        )
    )


def next_step(want: tuple[str, ...], actual: Actual, now: float, *, room: bool) -> Step:
    """Return what brings *actual* closer to *want*. ``room``: the disk takes more video."""
    if actual.running:
        if actual.hangs:
            return Step.KILL
        if not want or not room:
            return Step.STOP
        return Step.NOTHING if actual.lessons == want else Step.TELL
    if want and room and now >= actual.retry_at:
        return Step.START
    return Step.NOTHING


def pause_after(failures: int, kind: Failure) -> float:
    """Return how many seconds to wait after that many failures in a row: 1, 2, 4 … 30.

    A refused password waits longest at once: some cameras lock the account after a few tries.
    """
    if kind is Failure.REFUSED:
        return LONGEST_PAUSE_S
    return min(FIRST_PAUSE_S * 2.0 ** min(failures - 1, 10), LONGEST_PAUSE_S)


def missing(
    recording: Window, covered: Iterable[tuple[Instant, Instant]], until: Instant
) -> tuple[Window, ...]:
    """Return the stretches of *recording*, as far as *until*, that nothing covers.

    *covered*: starts and ends of what is stored, and of gaps that were stated already.
    """
    holes: list[Window] = []
    reached = recording.opens
    limit = min(until, recording.closes)
    for start, end in sorted(covered):
        if min(start, limit) - reached >= SHORTEST_GAP:
            holes.append(Window(reached, min(start, limit)))
        reached = max(reached, end)
    if limit - reached >= SHORTEST_GAP:
        holes.append(Window(reached, limit))
    return tuple(holes)


def due(
    slots: Iterable[SnapshotSlot], answered: Set[SlotKey], now: Instant
) -> tuple[SnapshotSlot, ...]:
    """Return the snapshots to take now: aimed at, not over, not *answered*; the oldest first."""
    return tuple(
        slot
        for slot in sorted(slots, key=lambda slot: slot.aim)
        if slot.aim <= now and not _over(slot, now) and slot_key(slot) not in answered
    )


def passed(
    slots: Iterable[SnapshotSlot], answered: Set[SlotKey], now: Instant
) -> tuple[SnapshotSlot, ...]:
    """Return the slots whose time is over without an answer: they were missed."""
    return tuple(slot for slot in slots if _over(slot, now) and slot_key(slot) not in answered)


def slot_key(slot: SnapshotSlot) -> SlotKey:
    """Return what tells one slot from all others of the box's life."""
    return (slot.lesson_id, slot.hour, slot.number)


def _over(slot: SnapshotSlot, now: Instant) -> bool:
    # The closing second counts to its end (decision 4).
    return now > slot.window.closes and not slot.window.holds(now)
