"""What the centre writes to one box so that only that box can read it, and knows who wrote it.

Owns the form of a sealed letter: HPKE (RFC 9180, base mode, X25519, HKDF-SHA-256, AES-256-GCM)
around a line of JSON that names box, purpose and sort, the centre's Ed25519 signature over all of
it, and the content. Promises that what ``unseal`` returns was written by the centre for this box
and this purpose, whole. Pure but for the randomness of the encryption itself.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from edge.events import canonical
from edge.signing import signed

_SUITE = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)
_INFO = b"classbox-letter-1"
_SIGNATURE_BYTES = 64
CAMERA_LOGIN, WATCH = "camera_login", "watch"


class BadLetter(ValueError):
    """Bytes are not a letter of this centre to this box; the text says what is wrong."""


@dataclass(frozen=True, slots=True)
class Letter:
    """What a letter says. ``head`` is what its purpose needs.

    ``purpose``: document | request | watch | camera_login.
    """

    box: str
    purpose: str
    head: dict[str, str | int]
    content: bytes


def seal(letter: Letter, sealing_key: bytes, sign: Callable[[bytes], bytes]) -> bytes:
    """Return *letter*, signed by *sign* and readable only by the owner of *sealing_key*."""
    head = canonical({"box": letter.box, "purpose": letter.purpose, "head": letter.head})
    told = head + b"\n" + letter.content
    key = X25519PublicKey.from_public_bytes(sealing_key)
    return _SUITE.encrypt(sign(_INFO + told) + told, key, info=_INFO)


def unseal(
    sealed: bytes, box: str, purpose: str, key: X25519PrivateKey, centre_key: bytes
) -> Letter:
    """Return the letter in *sealed*; *centre_key* is the centre's raw Ed25519 public key.

    Raises BadLetter when it was not sealed to *key*, not signed by the centre, or is for another
    box or purpose.
    """
    try:
        opened = _SUITE.decrypt(sealed, key, info=_INFO)
    except (InvalidTag, ValueError) as error:
        raise BadLetter("it is not sealed to this box's key") from error
    signature, told = opened[:_SIGNATURE_BYTES], opened[_SIGNATURE_BYTES:]
    if not signed(centre_key, _INFO + told, signature):
        raise BadLetter("it is not signed by the centre that this box was enrolled at")
    line, _, content = told.partition(b"\n")
    head = json.loads(line)  # the centre wrote it: its signature holds
    if head["box"] != box or head["purpose"] != purpose:
        raise BadLetter(f"it is a {head['purpose']} for box {head['box']}")
    return Letter(box, purpose, head["head"], content)
