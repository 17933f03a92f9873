"""The kinds of event about documents from the centre: in force, or refused. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from edge.events import Body


@dataclass(frozen=True)
class DocumentApplied(Body, kind="document.applied"):
    """A document from the centre is now in force on this box. ``document``: its kind."""

    document: str
    epoch: str
    version: int
    sha256: str


@dataclass(frozen=True)
class DocumentRefused(Body, kind="document.refused"):
    """A document from the centre cannot be used; ``reason`` names the place and the remedy.

    The one in force stays in force. Stated once a version.
    """

    document: str
    epoch: str
    version: int
    reason: str

    @staticmethod
    def id_of(document: str, epoch: str, version: int) -> str:
        """Return the id of this event, which makes a repetition harmless."""
        return f"document-refused-{document}-{epoch}-{version}"
