"""Which boxes are this centre's: taken in by their request, and put out again.

Owns the columns ``enrolled_at``, ``revoked_at`` and ``public_key`` of table ``box``. Promises that
a box's key changes only when a person says so, that the ledgers of the key before keep it, and
that certificates of a key that no longer holds are void before new ones are given.
"""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import insert, select, update

from edge.keys import Signer
from edge.model import Instant
from sync.central import tables
from sync.central.authority import Authority, Issued
from sync.central.config import CentreConfig
from sync.central.store import CentralStore
from sync.enrolment import Answered, Asked, BadEnrolment, answer_bytes, file_of
from sync.messages import MEDIA_SUFFIX


class NeedsReplace(BadEnrolment):
    """The box is known with another key, or was revoked: a person must say that this is meant."""


def enrol(
    store: CentralStore, authority: Authority, asked: Asked, now: Instant, replace: bool
) -> tuple[str, str]:
    """Take a box in; return its two certificates (PEM), for facts and media.

    May be repeated. Raises NeedsReplace unless *replace*, AuthorityProblem for a bad request.
    """
    with store.writing() as connection:
        known = connection.execute(
            select(tables.box).where(tables.box.c.id == asked.box)
        ).one_or_none()
        if known is not None and not replace:
            if bytes(known.public_key) != asked.public_key:
                raise NeedsReplace(
                    f"box {asked.box} is known with another key. If it was set up anew, or "
                    "another machine takes its place, say so: --replace"
                )
            if known.revoked_at is not None:
                raise NeedsReplace(
                    f"box {asked.box} was revoked. If it is back and can be trusted, say so: "
                    "--replace"
                )
        if replace:
            authority.revoke([issued.serial for issued in _certificates(authority, asked.box)], now)
        # First everything that may fail; a certificate that nobody gets harms nobody.
        facts = authority.issue(asked.box, asked.facts)
        media = authority.issue(asked.box + MEDIA_SUFFIX, asked.media)
        told = {
            "public_key": asked.public_key,
            "sealing_key": asked.sealing_key,
            "enrolled_at": now,
            "revoked_at": None,
        }
        if known is None:
            connection.execute(
                insert(tables.box).values(
                    id=asked.box,
                    ledger=asked.ledger,
                    first_seen=now,
                    last_seen=now,
                    head=0,
                    media_waiting=0,
                    clock_ahead=0,
                    clock="unsynchronised",
                    software="",
                    safe=0,
                    speaks="[]",
                    **told,
                )
            )
        else:
            connection.execute(
                update(tables.box).where(tables.box.c.id == asked.box).values(**told)
            )
    return facts, media


def answer(
    config: CentreConfig,
    authority: Authority,
    signer: Signer,
    asked: Asked,
    certificates: tuple[str, str],
) -> bytes:
    """Return the file that the box is answered with."""
    facts, media = certificates
    answered = Answered(
        box=asked.box,
        public_key=asked.public_key,
        centre=config.name,
        centre_key=signer.public_key,
        host=authority.hosts()[0],
        port=config.broker_port,
        ca=authority.certificate,
        facts=facts,
        media=media,
    )
    told = answer_bytes(answered)
    return file_of(told, signer.sign(told))


def revoke(store: CentralStore, authority: Authority, box: str, now: Instant) -> bool:
    """Put a box out: nothing is taken from it or sent to it; False when there is none.

    The broker must read the revocation list again before it refuses the box.
    """
    with store.writing() as connection:
        found = connection.execute(
            update(tables.box).where(tables.box.c.id == box).values(revoked_at=now)
        ).rowcount
    serials = [issued.serial for issued in _certificates(authority, box)]
    if serials:
        authority.revoke(serials, now)
    return bool(found or serials)


def _certificates(authority: Authority, box: str) -> Iterator[Issued]:
    return authority.valid(box, box + MEDIA_SUFFIX)
