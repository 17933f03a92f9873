"""An outside witness of what the centre holds: time stamps (RFC 3161) under its chains' heads.

The centre's own anchors prove its records against everybody but the centre. A statement of the
newest anchors (``sync.central.statement``), stamped by an authority that has no part in this,
proves them against the centre too: what it names existed then and cannot be changed unnoticed.

Owns the stamps. Promises that a stamp is stored only after it was verified, together with the very
bytes that it covers; that only a hash leaves the centre; and that nothing else waits for it.
"""

from __future__ import annotations

import hashlib
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from urllib.error import HTTPError

from cryptography import x509
from rfc3161_client import (
    HashAlgorithm,
    PKIStatus,
    TimestampRequestBuilder,
    TimeStampResponse,
    VerificationError,
    VerifierBuilder,
    decode_timestamp_response,
)
from sqlalchemy import Connection, func, insert, select

from edge.forms import time_to_json
from edge.keys import Signer
from edge.model import SECOND, Instant
from sync.central import lines, tables
from sync.central.statement import BadStatement, Head, Statement, read, write

_TIMEOUT_S = 30
# A stamp with its certificates takes a few KiB.
_ANSWER_BYTES = 256 * 1024


class NoWitness(Exception):
    """There is no stamp this time, and nothing was changed; the message says what to do."""


class BadStamp(ValueError):
    """A stamp does not prove anything; the text says why."""


@dataclass(frozen=True, slots=True)
class Stamp:
    """A stored stamp. ``statement`` is what it covers, ``response`` the TimeStampResp (DER)."""

    number: int
    at: Instant
    address: str
    statement: bytes
    response: bytes


@dataclass(frozen=True, slots=True)
class Finding:
    """What became of what a statement names: how many chains agree, and what does not."""

    agree: int
    problems: tuple[str, ...]


def statement(connection: Connection, centre: str, signer: Signer) -> bytes | None:
    """Return the signed statement of the newest anchor of each chain, None before the first."""
    table, ledger = tables.anchor, tables.ledger
    newest = select(table.c.ledger, func.max(table.c.seq).label("seq")).group_by(table.c.ledger)
    last = newest.subquery()
    rows = connection.execute(
        select(table, ledger.c.box)
        .join(last, (last.c.ledger == table.c.ledger) & (last.c.seq == table.c.seq))
        .join(ledger, ledger.c.uuid == table.c.ledger)
    ).all()
    if not rows:
        return None
    heads = (Head(row.box, row.ledger, row.seq, bytes(row.hash), row.at) for row in rows)
    return write(Statement(centre, signer.public_key, tuple(heads)), signer.sign)


def obtain(address: str, content: bytes, roots: Sequence[x509.Certificate]) -> bytes:
    """Return a verified stamp (TimeStampResp, DER) for *content* from the authority at *address*.

    Only the SHA-512 of *content* is sent. Raises NoWitness.
    """
    request = TimestampRequestBuilder(content, HashAlgorithm.SHA512).build()
    asked = urllib.request.Request(
        address,
        request.as_bytes(),
        {"Content-Type": "application/timestamp-query", "Accept": "application/timestamp-reply"},
    )
    try:
        # The settings take http and https only (sync.central.config).
        with urllib.request.urlopen(asked, timeout=_TIMEOUT_S) as response:
            answer: bytes = response.read(_ANSWER_BYTES + 1)
    except (OSError, ValueError, HTTPException) as error:
        if isinstance(error, HTTPError):
            error.close()
        raise NoWitness(
            f"{address}: no answer ({error}). Nothing is lost: the next stamp covers what this one "
            "would have. When it stays so, look at the network, and at `witness.address`."
        ) from error
    try:
        _verified(answer, content, roots, request.nonce)
    except BadStamp as error:
        raise NoWitness(
            f"{address}: its answer is no use: {error}. Nothing was stored. See whether "
            "`witness.address` and `witness.roots` belong to the same authority."
        ) from error
    return answer


def stamped_at(response: bytes, content: bytes, roots: Sequence[x509.Certificate]) -> Instant:
    """Return when the authority says that *content* existed. Raises BadStamp.

    Its certificate must lead to one of *roots* and have been valid then; it may have expired since.
    """
    time = _verified(response, content, roots, None).tst_info.gen_time
    return int(time.timestamp()) * SECOND + time.microsecond


def keep(connection: Connection, now: Instant, address: str, content: bytes, stamp: bytes) -> int:
    """Store a stamp and what it covers; return its number."""
    row = {"at": now, "address": address, "statement": content, "response": stamp}
    done = connection.execute(insert(tables.stamp).values(**row))
    assert done.inserted_primary_key is not None
    return int(done.inserted_primary_key[0])


def stamps(connection: Connection) -> list[Stamp]:
    """Return the stored stamps, the oldest first."""
    rows = connection.execute(select(tables.stamp).order_by(tables.stamp.c.number))
    return [
        Stamp(row.number, row.at, row.address, bytes(row.statement), bytes(row.response))
        for row in rows
    ]


def newest(connection: Connection) -> Stamp | None:
    """Return the stamp that was stored last."""
    return next(iter(reversed(stamps(connection))), None)


def compare(connection: Connection, content: bytes, key: bytes) -> Finding:
    """Hold what the statement *content* names against what the centre holds now.

    *key* is the centre's (raw Ed25519). Raises BadStatement.
    """
    stated = read(content)
    if stated.key != key:
        raise BadStatement(
            f"it is signed with the key {stated.key.hex()}, which is not this centre's"
        )
    problems = [
        problem for head in stated.heads if (problem := _compared(connection, head)) is not None
    ]
    return Finding(len(stated.heads) - len(problems), tuple(problems))


def roots_in(path: Path) -> list[x509.Certificate]:
    """Return the certificates in the PEM file *path*. Raises NoWitness."""
    try:
        return x509.load_pem_x509_certificates(path.read_bytes())
    except (OSError, ValueError) as error:
        raise NoWitness(
            f"{path}: no certificates can be read from it ({error}). Put the root certificate of "
            "the time stamp authority there, as PEM; it publishes it."
        ) from error


def _compared(connection: Connection, head: Head) -> str | None:
    row = lines.row_of(connection, head.ledger)
    held = None if row is None else lines.hash_at(connection, row, head.seq)
    if held == head.hash:
        return None
    what = "is not held any more" if held is None else "is another one now"
    return (
        f"box {head.box}, chain {head.ledger}: event {head.seq}, held at {time_to_json(head.at)}, "
        f"{what}"
    )


def _verified(
    response: bytes, content: bytes, roots: Sequence[x509.Certificate], nonce: int | None
) -> TimeStampResponse:
    if len(response) > _ANSWER_BYTES:
        raise BadStamp(f"it is longer than {_ANSWER_BYTES} bytes")
    try:
        stamp = decode_timestamp_response(response)
        status = PKIStatus(stamp.status)
    except ValueError as error:
        raise BadStamp("it is no time stamp (RFC 3161)") from error
    if status is not PKIStatus.GRANTED:
        said = "; ".join(stamp.status_string) or status.name
        raise BadStamp(f"the authority refused: {said}")
    builder = VerifierBuilder(roots=list(roots), nonce=nonce)
    try:
        builder.build().verify(stamp, hashlib.sha512(content).digest())
    except (VerificationError, ValueError) as error:
        raise BadStamp(str(error)) from error
    return stamp
