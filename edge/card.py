"""The trainee's printed card: what its QR code says, and what a roster holds of it. Pure.

The code is a random number and names nobody. A roster carries its hash, so that neither a document
nor a stolen disk makes a card.
"""

from __future__ import annotations

import base64
import hashlib
import re

CODE_BYTES = 16
_TEXT = re.compile(r"classbox-card:([A-Z2-7]{26})")


def text_of(code: bytes) -> str:
    """Return what the QR code of a card says; *code*: 16 random bytes."""
    return "classbox-card:" + base64.b32encode(code).decode("ascii").rstrip("=")


def hash_of(text: str) -> str | None:
    """Return what a roster holds of the card that says *text*, None for no card of ours."""
    found = _TEXT.fullmatch(text)
    return hashlib.sha256(found[1].encode("ascii")).hexdigest() if found else None
