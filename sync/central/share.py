"""Which boxes an ingester takes in, when several divide them. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from sync.messages import SHARDS, shard


@dataclass(frozen=True, slots=True)
class Share:
    """Ingester *number* (from 1) *of* so many; together they have every box once."""

    number: int = 1
    of: int = 1

    def __post_init__(self) -> None:
        """Raise ValueError for a share that does not exist."""
        if not 1 <= self.number <= self.of <= len(SHARDS):
            raise ValueError(
                f"ingester {self.number} of {self.of}: write 1 to {len(SHARDS)} for --of, and "
                "for --number at most that many"
            )

    @property
    def digits(self) -> str:
        """The digits of the topics that are this ingester's, dealt out in turn."""
        return SHARDS[self.number - 1 :: self.of]

    @property
    def name(self) -> str:
        """What its lock and its log call it; ``broker.ingester`` is its name at the broker."""
        return f"ingest-{self.number}"

    def has(self, box: str) -> bool:
        """Tell whether *box* is this ingester's."""
        return shard(box) in self.digits
