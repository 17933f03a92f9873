"""Whether a signature holds: for box and centre alike. Pure; keys that sign are in edge.keys."""

from __future__ import annotations

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


def signed(public_key: bytes, message: bytes, signature: bytes) -> bool:
    """Tell whether *signature* is that of *public_key* (raw Ed25519, 32 bytes) over *message*."""
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True
