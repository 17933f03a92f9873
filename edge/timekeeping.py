"""What becomes known about the time is stated in the ledger, once, by whoever notices first.

Every service looks each second (edge.box): that a source was found is stated also on a box without
a centre, and whichever of its services run. Promises that box time is moved in the same
transaction as the event that says so, so that no other event stands in between.
"""

from __future__ import annotations

from edge import times
from edge.clock import BoxClock
from edge.clock_events import ClockCorrected, ClockStepped
from edge.ledger import Ledger
from edge.model import Duration
from edge.rules.moments import Truth, worth_stating


def keep(ledger: Ledger, clock: BoxClock) -> None:
    """State what the machine's own clock has to say: that it is true now, that it was set."""
    basis = clock.basis()
    if clock.disciplined():
        learn(ledger, clock, basis.offset, basis.error, basis.source)
    elif clock.machine_stepped() is not None:
        with ledger.writing() as writer:
            stepped = clock.machine_stepped()  # another process may have been faster
            if stepped is not None:
                writer.append(ClockStepped(basis.boot, *stepped, clock="machine"))
        clock.noticed()


def learn(ledger: Ledger, clock: BoxClock, offset: Duration, error: Duration, source: str) -> bool:
    """Take a truth about this boot, unless it adds nothing to what is known; tell whether it did.

    True time is the monotonic clock plus *offset*, give or take *error* (microseconds).
    """
    reading = clock.now()
    new = Truth(reading.mono, offset, error)
    with ledger.store.read() as connection:
        if not worth_stating(times.last_truth(connection, reading.boot), new):
            return False
    with ledger.writing() as writer:
        if not worth_stating(times.last_truth(writer.connection, reading.boot), new):
            return False  # another service was faster
        if not clock.disciplined():
            clock.learn(offset, error, source)
        writer.append(ClockCorrected(reading.boot, offset, error, source))
    return True
