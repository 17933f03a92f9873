"""How much has yet to reach the centre, and how long that takes at the present pace.

Owns the measure. Reads what the ledger, the link's memory and the media folder say; keeps a few
samples in memory and nothing else.
"""

from __future__ import annotations

from collections import deque
from dataclasses import asdict, dataclass

from edge.ledger import Ledger
from edge.media import MediaStore
from sync.cursor import Cursor

# An event's header on the wire beside its body: hashes and a signature in base64, names, times.
_HEADER_BYTES = 600
_KEPT_S = 120.0


@dataclass(frozen=True, slots=True)
class Backlog:
    """What the centre lacks: events, about their bytes, media files and their bytes."""

    events: int
    event_bytes: int
    files: int
    file_bytes: int

    @property
    def bytes(self) -> int:
        """All bytes."""
        return self.event_bytes + self.file_bytes

    def told(self) -> dict[str, int]:
        """Return it as the link shows it."""
        return asdict(self)


def measure(ledger: Ledger, media: MediaStore, cursor: Cursor, acked: int) -> Backlog:
    """Return what has yet to go; the centre holds events up to *acked*."""
    with ledger.store.read() as connection:
        events, bodies = connection.execute(
            "SELECT count(*), coalesce(sum(length(bytes)), 0) "
            "FROM event LEFT JOIN body USING (seq) WHERE seq > ?",
            (acked,),
        ).fetchone()
    files = cursor.waiting()
    sizes = 0
    for sha256 in files:
        try:
            sizes += media.path(sha256).stat().st_size
        except FileNotFoundError:
            continue  # it is passed over when its turn comes
    return Backlog(events, bodies + events * _HEADER_BYTES, len(files), sizes)


class Pace:
    """How fast the backlog shrinks, over the last two minutes."""

    def __init__(self) -> None:
        self._samples: deque[tuple[float, int]] = deque()

    def note(self, left: int, now: float) -> None:
        """At monotonic second *now* so many bytes were left."""
        self._samples.append((now, left))
        while now - self._samples[0][0] > _KEPT_S:
            self._samples.popleft()

    def seconds_left(self) -> int | None:
        """Return how long the rest takes, None while that cannot be told."""
        if not self._samples:
            return None
        (began, before), (ended, left) = self._samples[0], self._samples[-1]
        if left == 0:
            return 0
        if before <= left or ended <= began:
            return None
        return round(left * (ended - began) / (before - left))
