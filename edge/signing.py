"""Whether a signature holds, and what people compare of a key. Pure; keys that sign: edge.keys."""

from __future__ import annotations

import hashlib

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


def signed(public_key: bytes, message: bytes, signature: bytes) -> bool:
    """Tell whether *signature* is that of *public_key* (raw Ed25519, 32 bytes) over *message*."""
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def fingerprint(key: bytes) -> str:
    """Return what people compare of a key: 128 bits of its SHA-256 in groups of four digits."""
    digits = hashlib.sha256(key).hexdigest()[:32]
    return " ".join(digits[at : at + 4] for at in range(0, len(digits), 4))


def same_fingerprint(key: bytes, text: str) -> bool:
    """Tell whether *text*, as somebody typed it, is the fingerprint of *key*."""
    typed = "".join(letter for letter in text.lower() if letter.isalnum())
    return typed == fingerprint(key).replace(" ", "")
