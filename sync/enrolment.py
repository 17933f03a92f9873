"""The two files of an enrolment: what a box asks its centre, and what it is answered. Pure.

Both are JSON for people to carry (a USB stick, copy and paste), signed by who wrote them: the
request by the key of the box's ledger, which thereby shows that it has it; the answer by the
centre's. Neither holds a secret. What a person compares by eye is the key's ``fingerprint``.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from edge.events import canonical
from edge.signing import signed
from sync.fields import Head, b64
from sync.messages import BadMessage, topic

_REQUEST, _ANSWER = "classbox enrolment request", "classbox enrolment answer"
_VERSION = 1
_KEY_BYTES = 32
_SIGNATURE_BYTES = 64
_PEM_LETTERS = 8192
_FILE_BYTES = 64 * 1024


class BadEnrolment(ValueError):
    """A file is no enrolment, or not this box's or centre's; the text says what is wrong."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A box asks to be enrolled.

    ``public_key`` (raw Ed25519) signs its ledger, ``sealing_key`` (raw X25519) is what is written
    to it under; ``facts`` and ``media`` are certificate requests (PKCS #10, PEM) for its two
    connections to the broker.
    """

    box: str
    ledger: str
    public_key: bytes
    sealing_key: bytes
    facts: str
    media: str


@dataclass(frozen=True, slots=True)
class Answered:
    """The centre answers: certificates (PEM) for the key that asked, and whom to obey.

    ``ca`` is the authority that the broker's certificate must be of, ``centre_key`` (raw Ed25519)
    signs what the centre writes, ``host`` and ``port`` are the broker's.
    """

    box: str
    public_key: bytes
    centre: str
    centre_key: bytes
    host: str
    port: int
    ca: str
    facts: str
    media: str


def request_bytes(asked: Asked) -> bytes:
    """Return what the box signs of a request."""
    return canonical(
        {
            "type": _REQUEST,
            "v": _VERSION,
            "box": asked.box,
            "ledger": asked.ledger,
            "public_key": b64(asked.public_key),
            "sealing_key": b64(asked.sealing_key),
            "facts": asked.facts,
            "media": asked.media,
        }
    )


def answer_bytes(answered: Answered) -> bytes:
    """Return what the centre signs of an answer."""
    return canonical(
        {
            "type": _ANSWER,
            "v": _VERSION,
            "box": answered.box,
            "public_key": b64(answered.public_key),
            "centre": answered.centre,
            "centre_key": b64(answered.centre_key),
            "host": answered.host,
            "port": answered.port,
            "ca": answered.ca,
            "facts": answered.facts,
            "media": answered.media,
        }
    )


def file_of(told: bytes, signature: bytes) -> bytes:
    """Return the file that holds *told*, a request's or answer's bytes, and its signature."""
    values = {**json.loads(told), "signature": b64(signature)}
    return json.dumps(values, ensure_ascii=True, indent=1).encode("ascii") + b"\n"


def read_request(content: bytes) -> Asked:
    """Return the request in a file. Raises BadEnrolment."""
    try:
        head = _head(content, _REQUEST)
        asked = Asked(
            box=head.text("box"),
            ledger=head.text("ledger"),
            public_key=head.raw("public_key", _KEY_BYTES),
            sealing_key=head.raw("sealing_key", _KEY_BYTES),
            facts=_pem(head, "facts"),
            media=_pem(head, "media"),
        )
        signature = head.raw("signature", _SIGNATURE_BYTES)
        topic(asked.box, "")
    except BadMessage as error:
        raise BadEnrolment(f"not a usable request: {error}") from error
    if not signed(asked.public_key, request_bytes(asked), signature):
        raise BadEnrolment("the request is not signed by the box's key: it was changed on its way")
    return asked


def read_answer(content: bytes) -> Answered:
    """Return the answer in a file. Raises BadEnrolment."""
    try:
        head = _head(content, _ANSWER)
        answered = Answered(
            box=head.text("box"),
            public_key=head.raw("public_key", _KEY_BYTES),
            centre=head.text("centre"),
            centre_key=head.raw("centre_key", _KEY_BYTES),
            host=head.text("host"),
            port=head.whole("port", least=1),
            ca=_pem(head, "ca"),
            facts=_pem(head, "facts"),
            media=_pem(head, "media"),
        )
        signature = head.raw("signature", _SIGNATURE_BYTES)
    except BadMessage as error:
        raise BadEnrolment(f"not a usable answer: {error}") from error
    if not signed(answered.centre_key, answer_bytes(answered), signature):
        raise BadEnrolment("the answer is not signed by its centre: it was changed on its way")
    return answered


def _head(content: bytes, wanted: str) -> Head:
    if len(content) > _FILE_BYTES:
        raise BadMessage("larger than any such file")
    try:
        values: Any = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise BadMessage("not JSON; was the whole file copied?") from error
    if not isinstance(values, dict) or values.get("type") != wanted:
        raise BadMessage(f"not a {wanted}")
    if values.get("v") != _VERSION:
        raise BadMessage(f"of version {values.get('v')!r:.20}; this software knows {_VERSION}")
    return Head(values, wanted)


def _pem(head: Head, key: str) -> str:
    # Line ends are what text() refuses in what arrives by itself; a PEM has them.
    text = head.lines(key, _PEM_LETTERS)
    if not text.isascii() or not text.startswith("-----BEGIN CERTIFICATE"):
        raise BadMessage(f"{key}: not PEM")
    return text
