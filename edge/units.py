"""Time in whole numbers, and how a value says that it breaks its own rules. Pure.

An ``Instant`` is microseconds since 1970-01-01T00:00Z, a ``Duration`` is microseconds. Integers,
because they are exact, sort in SQLite and have one JSON form.
"""

from __future__ import annotations

Instant = int
Duration = int

SECOND: Duration = 1_000_000
MINUTE: Duration = 60 * SECOND
DAY: Duration = 24 * 60 * MINUTE


class Invalid(ValueError):
    """A value breaks its own rules; the message names the field and what is allowed."""


def require(condition: bool, message: str) -> None:
    """Raise Invalid with *message* unless *condition* holds."""
    if not condition:
        raise Invalid(message)
