"""What the centre wants to say, once what it rests on is committed."""

from __future__ import annotations

from dataclasses import dataclass

from sync import wire
from sync.messages import Message


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message to publish; None takes back what the broker retains there.

    ``replaces``: a later one with the same value makes it needless.
    """

    topic: str
    message: Message | None
    retain: bool = False
    replaces: str = ""

    def payload(self) -> bytes:
        """Return its bytes."""
        return b"" if self.message is None else wire.encode(self.message)
