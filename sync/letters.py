"""What the centre writes to this box: documents put together from their parts and opened.

Owns the box's sealing key and which centre it obeys. Promises that only what that centre signed
for this box takes effect, and whole.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from edge import keys
from edge.files import replace_file
from sync import seal
from sync.messages import Document
from sync.seal import BadLetter, Letter


class Letters:
    """Letters from the one centre that this box obeys."""

    def __init__(self, box: str, data_dir: Path, trust_first: bool) -> None:
        """*trust_first*: without an enrolment obey the centre that answers first (development)."""
        self._box = box
        self._key = keys.sealing_key(data_dir / "keys" / "sealing.key")
        self._centre_file = data_dir / "keys" / "centre.pub"
        self._trust_first = trust_first
        self._centre = self._centre_file.read_bytes() if self._centre_file.exists() else b""
        self._parts: dict[str, tuple[str, dict[int, bytes]]] = {}

    @property
    def public_key(self) -> bytes:
        """What letters to this box are sealed to (raw X25519)."""
        return self._key.public_key().public_bytes_raw()

    @property
    def centre_key(self) -> bytes:
        """The key of the centre that this box obeys, empty before it knows one."""
        return self._centre

    def meet(self, centre_key: bytes) -> None:
        """The centre named its key: without an enrolment, obey it from now on."""
        if centre_key and not self._centre and self._trust_first:
            replace_file(self._centre_file, centre_key)
            self._centre = centre_key

    def take(self, part: Document) -> Letter | None:
        """Return the document when *part* completes it, None before. Raises BadLetter."""
        name, held = self._parts.get(part.kind, ("", {}))
        if name != part.letter:
            held = {}
            self._parts[part.kind] = (part.letter, held)
        held[part.part] = part.sealed
        if len(held) < part.parts:
            return None
        del self._parts[part.kind]
        sealed = b"".join(held[number] for number in sorted(held))
        if hashlib.sha256(sealed).hexdigest() != part.letter:
            raise BadLetter("its parts do not belong together")
        return self.open(sealed, "document")

    def open(self, sealed: bytes, purpose: str) -> Letter:
        """Return a letter. Raises BadLetter."""
        if not self._centre:
            raise BadLetter("this box is not enrolled at any centre yet")
        return seal.unseal(sealed, self._box, purpose, self._key, self._centre)
