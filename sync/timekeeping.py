"""The centre's time, as far as a box may go by it: what one hello and its answer say. Pure.

The centre wrote its time somewhere between the hello and its answer, so the middle of the two is
right to within half of that. Promises an error bound that holds however uneven the way is.
"""

from __future__ import annotations

from dataclasses import dataclass

from edge.model import SECOND, ClockQuality, Duration
from sync.messages import Ack

# What a centre that calls itself synchronised may be off.
CENTRE_ERROR: Duration = SECOND // 10
# A slower answer says too little for a time that counts as true; hellos go on, and one is quicker.
_SLOWEST: Duration = 2 * SECOND
# Hellos that were not answered are not remembered for ever.
_REMEMBERED = 8


@dataclass(frozen=True, slots=True)
class Asked:
    """When hellos of this process went out: number and monotonic clock (ns), the oldest first."""

    sent: tuple[tuple[int, int], ...] = ()

    def greeted(self, number: int, mono: int) -> Asked:
        """Return this after hello *number* went out at *mono*."""
        return Asked((*self.sent, (number, mono))[-_REMEMBERED:])

    def measured(self, number: int, ack: Ack, mono: int) -> tuple[Duration, Duration] | None:
        """Return offset and error of this boot's clock by *ack*, heard at *mono*; microseconds.

        None when the centre does not vouch for its time, took too long, or answers another's hello.
        """
        sent = dict(self.sent).get(number)
        if sent is None or ack.clock != ClockQuality.SYNCHRONISED or ack.at <= 0:
            return None
        passed = (mono - sent) // 1000
        if not 0 <= passed <= _SLOWEST:
            return None
        return ack.at - (sent + mono) // 2000, passed // 2 + 1 + CENTRE_ERROR
