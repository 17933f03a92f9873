"""What the centre wants to say, once what it rests on is committed."""

from __future__ import annotations

from dataclasses import dataclass

from sync.messages import Message


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message to publish. ``replaces``: a later one with the same value makes it needless."""

    topic: str
    message: Message
    retain: bool = False
    replaces: str = ""
