"""When something is wrong for long enough to call a person, and when it is over. Pure.

Owns the alerts there are and their patience. Promises that an alert is raised once and cleared
once, in turn; that nothing which comes and goes within its patience changes anything; and that
what cannot be seen at the moment is neither raised nor cleared.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

BOX = "box"


class Code(StrEnum):
    """What can be the matter. Up to ``CLOCK`` with a camera, then with the room and the disk."""

    OFFLINE = "offline"
    REFUSED = "refused"
    UNUSABLE = "unusable"
    NOT_RECORDING = "not_recording"
    PICTURE_BLACK = "picture_black"
    PICTURE_COVERED = "picture_covered"
    PICTURE_FROZEN = "picture_frozen"
    VIEW_CHANGED = "view_changed"
    FRAME_RATE = "frame_rate"
    CLOCK = "clock"
    NOT_BOUND = "not_bound"
    DISK_FULL = "disk_full"
    DISK_DEGRADED = "disk_degraded"
    DISK_FILLING = "disk_filling"


@dataclass(frozen=True, slots=True)
class Patience:
    """How many seconds something must go on before it is raised, and be over to be cleared."""

    raises: float
    clears: float


# A camera restarts within a minute, and is dialled again within half of one. Light that is
# switched off and on again, or somebody who walks past the lens, is no reason to call.
PATIENCE: Mapping[Code, Patience] = {
    Code.OFFLINE: Patience(20, 20),
    Code.REFUSED: Patience(0, 5),
    Code.UNUSABLE: Patience(20, 20),
    Code.NOT_RECORDING: Patience(30, 10),
    Code.PICTURE_BLACK: Patience(60, 20),
    Code.PICTURE_COVERED: Patience(60, 20),
    Code.PICTURE_FROZEN: Patience(0, 10),  # a frozen picture is judged over a minute as it is
    Code.VIEW_CHANGED: Patience(60, 60),
    Code.FRAME_RATE: Patience(60, 60),
    Code.CLOCK: Patience(0, 0),
    Code.NOT_BOUND: Patience(30, 0),
    Code.DISK_FULL: Patience(0, 60),
    Code.DISK_DEGRADED: Patience(0, 60),
    Code.DISK_FILLING: Patience(60, 600),
}


@dataclass(frozen=True, slots=True, order=True)
class Case:
    """One alert's place: a camera's id or ``box``, and what is the matter with it."""

    subject: str
    code: Code


@dataclass(frozen=True, slots=True)
class Change:
    """An alert that is to be stated now; ``detail`` is empty where it is cleared."""

    case: Case
    raised: bool
    detail: str = ""


# What was seen: a sentence where something is the matter, None where surely nothing is. A case that
# is left out cannot be seen at the moment.
Seen = Mapping[Case, str | None]


class Alarm:
    """Which alerts stand. ``now`` is on a monotonic clock, in seconds, and never goes back."""

    def __init__(self, standing: Iterable[Case] = ()) -> None:
        """Begin with what the ledger says stands."""
        self.standing = set(standing)
        self._since: dict[Case, float] = {}

    def step(self, seen: Seen, now: float) -> list[Change]:
        """Return what is to be stated, by code and subject; call ``stated`` for each that was."""
        changes: list[Change] = []
        for case in sorted({*seen, *self._since}):
            if not self._differs(case, seen):
                self._since.pop(case, None)
                continue
            since = self._since.setdefault(case, now)
            patience = PATIENCE[case.code]
            raised = case not in self.standing
            if now - since >= (patience.raises if raised else patience.clears):
                changes.append(Change(case, raised, seen[case] or ""))
        return changes

    def stated(self, change: Change) -> None:
        """Take note that *change* is in the ledger."""
        (self.standing.add if change.raised else self.standing.discard)(change.case)
        self._since.pop(change.case, None)

    def _differs(self, case: Case, seen: Seen) -> bool:
        return case in seen and (seen[case] is not None) != (case in self.standing)
