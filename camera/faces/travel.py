"""Templates that go with a class to another box, sealed so that only that box can read them.

Owns two files. A *passport* says who a box is: its id, the key that is sealed to (X25519), signed
by the key of its ledger; it holds no secret. A *package* holds templates and consents: a line of
JSON for whom and until when, then HPKE (RFC 9180, X25519, HKDF-SHA-256, AES-256-GCM) around the
sender's signature and the content. People compare the fingerprints of both boxes' keys by eye.

Promises that a package is imported whole or not at all, once, by the box it is for, before it
expires; and that a consent taken back on this box is not brought back by an older one.
"""

from __future__ import annotations

import base64
import json
import uuid
from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from camera.faces import gallery
from camera.faces.gallery import Sealer
from edge import consents, queries
from edge.consent_events import ConsentGiven, TemplateReceived, TemplateSent
from edge.events import PersonEnrolled, canonical
from edge.ledger import Ledger
from edge.model import DAY, Duration
from edge.signing import signed

_SUITE = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)
_INFO = b"classbox-faces-1"
_SIGNATURE_BYTES = 64
_PASSPORT, _PACKAGE = "classbox passport", "classbox faces"
LASTS: Duration = 7 * DAY
# 1,000 people of two networks take less.
LARGEST_BYTES = 32 * 1024 * 1024


class BadPackage(ValueError):
    """A file cannot be used; the text says why and what to do. Nothing was changed."""


@dataclass(frozen=True, slots=True)
class Passport:
    """Who a box is: ``ledger_key`` (raw Ed25519) signs its events, ``sealing_key`` raw X25519."""

    box: str
    ledger_key: bytes
    sealing_key: bytes


@dataclass(frozen=True, slots=True)
class Imported:
    """How many people came, and how many stayed out for they had taken consent back here."""

    people: int
    withdrawn: int


def passport(ledger: Ledger, key: X25519PrivateKey) -> bytes:
    """Return the passport of this box, whose sealing key is *key*."""
    told = canonical(
        {
            "file": _PASSPORT,
            "box": ledger.box_id,
            "ledger_key": ledger.public_key.hex(),
            "sealing_key": key.public_key().public_bytes_raw().hex(),
        }
    )
    return told + b"\n" + ledger.sign(_INFO + told).hex().encode("ascii") + b"\n"


def read_passport(content: bytes) -> Passport:
    """Return the passport in *content*. Raises BadPackage."""
    told, _, signature = content.strip().partition(b"\n")
    try:
        value = json.loads(told)
        if value["file"] != _PASSPORT:
            raise ValueError(value["file"])
        found = Passport(
            str(value["box"]),
            bytes.fromhex(value["ledger_key"]),
            bytes.fromhex(value["sealing_key"]),
        )
        whole = signed(found.ledger_key, _INFO + told, bytes.fromhex(signature.decode("ascii")))
    except (ValueError, KeyError, TypeError) as error:
        raise BadPackage("it is not a box's passport: classbox people passport") from error
    if not whole:
        raise BadPackage("it was changed. Bring the box's passport again.")
    return found


def pack(ledger: Ledger, sealer: Sealer, to: Passport, lasts: Duration = LASTS) -> bytes:
    """Return the templates of all who consent, sealed to *to*; each is noted as sent.

    Raises BadPackage when nobody's can go, or *to* is this box; KeyProblem.
    """
    if to.ledger_key == ledger.public_key:
        raise BadPackage("it is this box's own passport. Bring that of the other box.")
    package, expires = uuid.uuid4().hex, ledger.clock.now().at + lasts
    with ledger.writing() as writer:
        rows = writer.execute(
            "SELECT template.* FROM template JOIN consent USING (person_id) "
            "WHERE withdrawn_at IS NULL ORDER BY person_id"
        ).fetchall()
        people: list[dict[str, Any]] = []
        for row in rows:
            person_id, model, version = row["person_id"], row["model"], row["model_version"]
            agreed = consents.of_person(writer.connection, person_id)
            assert agreed is not None, "the rows are joined with consent"
            context = gallery.context_of(model, version, person_id)
            template = sealer.open(row["sealed"], row["nonce"], context)
            people.append(
                {
                    "model": model,
                    "model_version": version,
                    "template": base64.b64encode(template.astype("<f4").tobytes()).decode("ascii"),
                    "consent": vars(agreed.given),
                }
            )
        if not people:
            raise BadPackage("nobody with a standing consent is enrolled here: nothing to pack.")
        for person_id in sorted({row["person_id"] for row in rows}):
            writer.append(TemplateSent(person_id, to.box, package, expires))
    head = canonical(
        {
            "file": _PACKAGE,
            "package": package,
            "to": to.box,
            "from": ledger.box_id,
            "from_key": ledger.public_key.hex(),
            "expires": expires,
        }
    )
    told = head + b"\n" + canonical(people)
    key = X25519PublicKey.from_public_bytes(to.sealing_key)
    return head + b"\n" + _SUITE.encrypt(ledger.sign(_INFO + told) + told, key, info=_INFO)


def sender(content: bytes) -> tuple[str, bytes]:
    """Return box and ledger key that a package says it is from. Raises BadPackage."""
    head = _head(content)
    return head["from"], bytes.fromhex(head["from_key"])


def unpack(ledger: Ledger, sealer: Sealer, key: X25519PrivateKey, content: bytes) -> Imported:
    """Take in the package in *content* whole, with its consents. Raises BadPackage.

    The caller made sure, by its fingerprint, that ``sender`` is who it says.
    """
    head = _head(content)
    people = _opened(ledger, key, content, head)
    package, origin = head["package"], head["from"]
    came, withdrawn = set(), set()
    with ledger.writing() as writer:
        for one in people:
            given = ConsentGiven(**{**one["consent"], "origin": origin})
            person_id, model, version = given.person_id, one["model"], one["model_version"]
            receipt = TemplateReceived.id_of(f"{package}-{model}-{version}", person_id)
            if writer.find(receipt) is not None:
                raise BadPackage("it was imported before. Nothing was changed.")
            if queries.person_name(writer.connection, person_id) is None:
                raise BadPackage(
                    "it holds somebody who is on no roster of this box. Let the centre publish "
                    "the class's roster to this box first, then unpack again."
                )
            here = consents.of_person(writer.connection, person_id)
            taken_back = here.withdrawn_at if here is not None else None
            if taken_back is not None and taken_back >= given.given_at:
                withdrawn.add(person_id)
                continue
            if person_id not in came:
                gallery.forget(writer, person_id)
                if here is None or not here.allows_face:
                    writer.append(given)
            nonce, sealed = sealer.seal_bytes(
                base64.b64decode(one["template"]), gallery.context_of(model, version, person_id)
            )
            writer.execute(
                "INSERT INTO template VALUES (?, ?, ?, ?, ?)",
                (person_id, model, version, nonce, sealed),
            )
            body = TemplateReceived(person_id, origin, package, model, version)
            writer.append(body, receipt)
            writer.append(PersonEnrolled(person_id, model, version, source="travelled"))
            came.add(person_id)
    return Imported(len(came), len(withdrawn))


def _head(content: bytes) -> dict[str, Any]:
    try:
        head = json.loads(content.partition(b"\n")[0])
        if head["file"] != _PACKAGE:
            raise ValueError(head["file"])
        bytes.fromhex(head["from_key"])
        if not all(isinstance(head[name], str) for name in ("package", "to", "from")):
            raise ValueError("a name is not a text")
        if not isinstance(head["expires"], int):
            raise ValueError("expires is not a number")
    except (ValueError, KeyError, TypeError) as error:
        raise BadPackage("it is no package of templates: classbox people pack") from error
    return dict(head)


def _opened(
    ledger: Ledger, key: X25519PrivateKey, content: bytes, head: dict[str, Any]
) -> list[dict[str, Any]]:
    line, _, sealed = content.partition(b"\n")
    if head["to"] != ledger.box_id:
        raise BadPackage(f"it is for box {head['to']}; this is {ledger.box_id}.")
    try:
        opened = _SUITE.decrypt(sealed, key, info=_INFO)
    except (InvalidTag, ValueError) as error:
        raise BadPackage(
            "it does not open with this box's key: it was damaged, or packed for an earlier key. "
            "Bring this box's passport to the other box and pack again."
        ) from error
    signature, told = opened[:_SIGNATURE_BYTES], opened[_SIGNATURE_BYTES:]
    inside, _, people = told.partition(b"\n")
    if inside != line or not signed(bytes.fromhex(head["from_key"]), _INFO + told, signature):
        raise BadPackage("it was changed on its way. Pack it again.")
    if ledger.clock.now().at > head["expires"]:
        raise BadPackage("it has expired. Pack it again on the other box.")
    found: list[dict[str, Any]] = json.loads(people)  # the other box wrote it: its signature holds
    return found
