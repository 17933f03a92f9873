"""How fast and how patiently a box deals with its centre: numbers, and how they give way. Pure.

A centre to which many boxes come at once answers late, and lets go of what is too much. Whoever
then asks as often and sends as much as before makes it slower still, until all that it does is
answer what nobody waits for any more. So a box gives it more time after each question that went
unanswered, and sends less after each loss; both recover by themselves.
"""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds, and messages under way at once.

    ``stall`` and ``ask_again`` hold for a centre that answers within half of that; a slower one
    is given more, up to ``longest``.
    """

    window: int = 20
    stall: float = 3.0
    ask_again: float = 3.0
    longest: float = 30.0
    heartbeat: float = 10.0
    retry: float = 60.0


@dataclass(frozen=True, slots=True)
class Flow:
    """How a pace is kept with one centre over one connection.

    ``patience`` multiplies the seconds that the centre has to answer in; ``narrowed`` is how many
    messages fewer than the window may be under way.
    """

    patience: float = 1.0
    narrowed: int = 0

    def room(self, pace: Pace) -> int:
        """Return how many messages may be under way, at least one."""
        return max(1, pace.window - self.narrowed)

    def unanswered(self, pace: Pace) -> Flow:
        """A hello was not answered in time: give the next twice as long."""
        return replace(self, patience=min(2 * self.patience, pace.longest / pace.ask_again))

    def answered_after(self, took: float, pace: Pace) -> Flow:
        """A hello was answered after *took* seconds: twice as long may do."""
        fits = max(1.0, 2 * took / pace.ask_again)
        return replace(self, patience=min(fits, pace.longest / pace.ask_again))

    def lost(self, pace: Pace) -> Flow:
        """Something went missing: half as many may be under way."""
        return replace(self, narrowed=pace.window - max(1, self.room(pace) // 2))

    def arrived(self, count: int) -> Flow:
        """*count* messages were acknowledged: so many more may be under way again."""
        return replace(self, narrowed=max(0, self.narrowed - count))
