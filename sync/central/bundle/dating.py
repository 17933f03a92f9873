"""When things in a bundle happened: ``sync.central.times`` without a database. Pure.

The same rules over the same facts, so that verifier and console say the same time.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import cached_property

from edge.chain import Event
from edge.clock_events import ClockCorrected
from edge.events import Body
from edge.model import ClockQuality, Instant, Reading
from edge.rules.moments import FIRST_RELEASE, Boot, Moment, Reach, Truth, certain, correct, settle

Said = tuple[Event, Body | None]


class Dating:
    """The times of one chain's stretch: *said* are its events in order, bodies where they are."""

    def __init__(self, said: Sequence[Said], received: Mapping[str, int]) -> None:
        self._said = said
        self._received = received
        self._reaches: dict[tuple[int, str], Reach] = {}

    @cached_property
    def _truths(self) -> dict[str, list[Truth]]:
        found: dict[str, list[Truth]] = defaultdict(list)
        for event, body in self._said:
            # Of another boot's monotonic clock an event knows nothing.
            if isinstance(body, ClockCorrected) and body.boot == event.reading.boot:
                found[body.boot].append(Truth(event.reading.mono, body.offset, body.error))
        return found

    def scanned(self, reading: Reading, place: int) -> tuple[Instant, Moment]:
        """Return when a scan counts as made, and between what that surely lies.

        *place*: of the event that states it, in *said*.
        """
        at, error = correct(reading, self._truths[reading.boot])
        if error is not None:
            return at, Moment(at, at - error, at + error, known=True)
        return at, self.moment(reading, place)

    def moment(self, reading: Reading, place: int) -> Moment:
        """Return when *reading*, which the event at *place* states, was really taken."""
        if reading.clock is ClockQuality.SYNCHRONISED or reading.mono < 0:
            return certain(reading.at)
        key = (place, reading.boot)
        if key not in self._reaches:
            self._reaches[key] = self._reach(place, reading.boot)
        return self._reaches[key].moment(reading)

    def _reach(self, place: int, boot: str) -> Reach:
        written = [one for one in range(place + 1) if self._said[one][0].reading.boot == boot]
        truths = tuple(self._truths[boot])
        if not written:
            return Reach(Boot(boot, 0, truths), FIRST_RELEASE, None)
        here = written[-1]
        before = next((one for one in range(here - 1, -1, -1) if self._certain(one)), None)
        last = len(self._said)
        after = next((one for one in range(here + 1, last) if self._certain(one)), None)
        spans: dict[str, int] = {}
        for event, _ in self._said[before or 0 : last if after is None else after + 1]:
            reading = event.reading
            spans[reading.boot] = max(spans.get(reading.boot, 0), reading.mono)
        around = [self._said[one][0].reading for one in (before, after) if one is not None]
        boots = [
            Boot(
                name,
                span,
                tuple(self._truths[name]) + tuple(map(Truth.of, _of(name, around))),
                self._received.get(name),
            )
            for name, span in spans.items()
        ]
        return settle(boots).get(boot) or Reach(Boot(boot, 0), 0, None)

    def _certain(self, place: int) -> bool:
        return self._said[place][0].reading.clock is ClockQuality.SYNCHRONISED


def _of(boot: str, readings: Sequence[Reading]) -> list[Reading]:
    return [one for one in readings if one.boot == boot]
