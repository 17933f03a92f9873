"""What can go wrong with a camera, in words that say what to do.

Promises that no message holds a login. Pure.
"""

from __future__ import annotations

import re
from enum import StrEnum

_LOGIN = re.compile(r"(?<=://)[^/\s]*@")


class Failure(StrEnum):
    """Why a stream could not be had, or ended."""

    REFUSED = "refused"
    UNREACHABLE = "unreachable"
    UNUSABLE = "unusable"
    ANOTHER = "another"  # another camera answers at its address
    SILENT = "silent"
    ENDED = "ended"
    DISK_FULL = "disk_full"
    BROKEN = "broken"


class StreamFailed(Exception):
    """A camera gave no video; ``kind`` says which sort of failure, the message what to do."""

    def __init__(self, kind: Failure, message: str) -> None:
        """Say *message*, without any login that it holds."""
        super().__init__(redacted(message))
        self.kind = kind


def redacted(text: str) -> str:
    """Return *text* without the ``user:password@`` of any address in it."""
    return _LOGIN.sub("", text)
