"""What is wrong with the cameras and the disk, at each look, and the alerts that follow.

Owns the alerts' way into the ledger; ``edge.rules.alerts`` has the patience. Promises that every
alert says what was seen, and that each look is worked out whole from what is so now.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable, Mapping, Sequence

from camera.health import Planned, State
from camera.keeper import Keeper
from edge import alerts, cameras
from edge.clock import monotonic
from edge.health_events import AlertCleared, AlertRaised
from edge.ledger import Ledger
from edge.model import DAY, Instant
from edge.rules.alerts import BOX, Alarm, Case, Code
from edge.rules.lessons import TAUGHT

# A camera without a clock of its own shows times that are wrong by more than this, in seconds.
_CLOCK_OFF = 60
_OF_STATE = {
    State.OFFLINE: Code.OFFLINE,
    State.REFUSED: Code.REFUSED,
    State.UNUSABLE: Code.UNUSABLE,
}
_OF_DISK = (Code.DISK_FULL, Code.DISK_DEGRADED, Code.DISK_FILLING)

Seen = dict[Case, str | None]


class Sentinel:
    """Raises and clears the alerts of one box."""

    def __init__(self, ledger: Ledger) -> None:
        """Begin with the alerts that the ledger says stand."""
        self._ledger = ledger
        with ledger.store.read() as connection:
            self._alarm = Alarm(one.case for one in alerts.standing(connection))
            self._ahead = _clocks(connection)

    def learn(self, connection: sqlite3.Connection) -> None:
        """Read again what the ledger says of the cameras' clocks."""
        self._ahead = _clocks(connection)

    def tend(
        self,
        keepers: Sequence[Keeper],
        wanted: Mapping[str, Collection[str]],
        unfilmed: bool,
        disk: Mapping[Code, str],
    ) -> None:
        """Look once. *wanted*: camera → the lessons that it should be recording now.

        *unfilmed*: a lesson is near and no camera is there to film it. *disk*: what is the matter
        with it.
        """
        seen: Seen = {Case(BOX, code): disk.get(code) for code in _OF_DISK}
        seen[Case(BOX, Code.NOT_BOUND)] = (
            "no classroom camera is bound to this room" if unfilmed else None
        )
        for keeper in keepers:
            camera = keeper.camera.id
            found = _of(keeper, bool(wanted.get(camera)), self._ahead.get(camera, 0))
            seen |= {Case(camera, code): detail for code, detail in found.items()}
        present = {BOX, *(keeper.camera.id for keeper in keepers)}
        # A camera that was unbound has no faults any more.
        gone = [case for case in self._alarm.standing if case.subject not in present]
        seen |= dict.fromkeys(gone)
        for change in self._alarm.step(seen, monotonic()):
            case = change.case
            lesson = next(iter(wanted.get(case.subject, ())), "")
            self._ledger.append(
                AlertRaised(case.subject, case.code, change.detail, lesson)
                if change.raised
                else AlertCleared(case.subject, case.code)
            )
            self._alarm.stated(change)


def unfilmed(planned: Iterable[Planned], filmed: Collection[str], now: Instant) -> bool:
    """Tell whether a lesson of the day to come, or of now, has no camera. *filmed*: lesson ids."""
    return any(
        entry.lesson.state in TAUGHT
        and entry.recording.opens - DAY <= now <= entry.recording.closes
        and entry.lesson.id not in filmed
        for entry in planned
    )


def _of(keeper: Keeper, wanted: bool, ahead: int) -> dict[Code, str | None]:
    state = keeper.state
    found: dict[Code, str | None] = {
        Code.CLOCK: f"its clock is {ahead} s ahead and cannot be set" if ahead else None,
    }
    fault = _OF_STATE.get(state)
    if fault is not None or state is State.RECORDING:
        found |= {code: keeper.cause if code is fault else None for code in _OF_STATE.values()}
    # That the disk is full, or the camera out, is said in its own words.
    idle = wanted and state in (State.WAITING, State.NOT_RECORDING)
    found[Code.NOT_RECORDING] = (keeper.cause or "no video reaches the disk") if idle else None
    if keeper.child is not None:
        found |= keeper.sight.findings()
    return found


def _clocks(connection: sqlite3.Connection) -> dict[str, int]:
    """Return by how many seconds the cameras are ahead that refused to be set."""
    found: dict[str, int] = {}
    for camera, facts in cameras.stated(connection).items():
        clock = facts.get(cameras.CLOCK)
        if clock and clock["outcome"] == "refused" and abs(clock["ahead"]) > _CLOCK_OFF:
            found[camera] = int(clock["ahead"])
    return found
