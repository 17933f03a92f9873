"""An event of a chain with its body and its place in time. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass

from edge import events
from edge.chain import Event
from edge.events import Body
from edge.model import Instant
from edge.rules.moments import Moment
from sync.central.bundle.dating import Dating


@dataclass(frozen=True, slots=True)
class Told:
    """An event of a chain with its body; ``place`` in its chain's ``dating``."""

    box: str
    event: Event
    body: Body | None
    place: int
    dating: Dating

    def when(self, at: Instant) -> Moment:
        """Return when that was which the event says was at *at*."""
        return self.dating.moment(self.event.reading.when(at), self.place)


def scans(
    mine: Sequence[Told], people: Set[str]
) -> Iterator[tuple[Told, events.ScanMade, Instant, Moment]]:
    """Yield the scans of *people*, each with its time as far as it is known."""
    for one in mine:
        body = one.body
        if isinstance(body, events.ScanMade) and body.person_id in people:
            at, moment = one.dating.scanned(body.taken(one.event.reading), one.place)
            yield one, body, at, moment
