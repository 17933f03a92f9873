"""A box says hello: who it is, whether it is taken, and what it is answered.

Owns the answer. Promises that a box is known by one key, that nothing is taken from a ledger
which is not its own, and that every answer says how far the centre is.
"""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import Connection, select, update

from edge.keys import Signer
from edge.model import Reading
from edge.signing import signed
from sync import wire
from sync.central import anchors, answers, documents, incidents, lines, requests, tables
from sync.central.documents import Stored
from sync.central.lines import NotTaken
from sync.central.outgoing import Outgoing
from sync.central.store import CentralStore
from sync.messages import ACK, REQUEST, SPEAKS, Ack, Hello, Refused, document_topic, topic


class Hellos:
    """What the ingest does with hellos."""

    def __init__(self, store: CentralStore, signer: Signer, enrolled_only: bool) -> None:
        self._store = store
        self._signer = signer
        self._enrolled_only = enrolled_only

    def takes_from(self, connection: Connection, box: str) -> bool:
        """Tell whether anything is taken from *box*: a revoked one may still be connected."""
        return not self._enrolled_only or _refusal(box, _box(connection, box)) is None

    def answer(
        self, connection: Connection, reading: Reading, box: str, hello: Hello
    ) -> list[Outgoing]:
        """Return what to say to *hello*, after the commit of the caller's transaction.

        *reading* is of the centre's clock: the box may learn the time from it.
        """
        now = reading.at
        try:
            pinned = _box(connection, box)
            self._check(box, pinned, hello)
            standing = lines.stand(connection, box, hello)
        except NotTaken as error:
            incidents.report(connection, now, box, error.cause, str(error), ledger=hello.ledger)
            refusal = Refused(hello.ledger, error.cause, str(error), hello.id)
            return [Outgoing(topic(box, ACK), refusal)]
        if hello.acked > standing.seq and standing.agrees:
            incidents.report(
                connection,
                now,
                box,
                "centre_behind",
                f"events {standing.seq + 1} to {hello.acked} were acknowledged and are not here: "
                "the centre's store was restored from an older backup. The box sends them again. "
                "If you did restore it, run: classbox centre restored",
                ledger=hello.ledger,
            )
        self._seen(connection, now, box, hello, standing.ledger, first=pinned is None)
        answer = Ack(
            hello.ledger,
            standing.seq,
            hello.id,
            agrees=standing.agrees,
            at=now,
            clock=reading.clock,
            centre_key=self._signer.public_key,
            speaks=SPEAKS,
        )
        said = [Outgoing(topic(box, ACK), answer)]
        if pinned is not None and _under_a_new_key(pinned, hello):
            said += self.taken_back(connection, box)
        said += self._lacking(connection, box, hello)
        said += self.requests(connection, now, box)
        return said + anchors.lacking(connection, box, hello)

    def _lacking(self, connection: Connection, box: str, hello: Hello) -> list[Outgoing]:
        """Return the documents in force that the box has not, and did not refuse.

        Who names none, as after a request to send everything anew, gets those as well.
        """
        refused = answers.refused(connection, box, self._store.epoch) if hello.documents else ()
        said: list[Outgoing] = []
        for document in documents.in_force(connection, box, self._store.epoch):
            has = hello.documents.get(document.kind)
            if has is not None and (has.epoch, has.version) == (document.epoch, document.version):
                continue
            if (document.kind, document.version) not in refused:
                said += self.letters(connection, box, document)
        return said

    def requests(self, connection: Connection, now: int, box: str) -> list[Outgoing]:
        """Return what brings the open requests to *box*; nothing before it said its key."""
        known = _box(connection, box)
        if known is None or known.sealing_key is None or known.revoked_at is not None:
            return []
        key = bytes(known.sealing_key)
        return [
            Outgoing(topic(box, REQUEST), requests.sealed(row, key, self._signer))
            for row in requests.waiting(connection, box, now)
        ]

    def letters(self, connection: Connection, box: str, document: Stored) -> list[Outgoing]:
        """Return what brings *document* to *box*; nothing before the box said its key."""
        known = _box(connection, box)
        if known is None or known.sealing_key is None or known.revoked_at is not None:
            return []
        parts = documents.sealed(document, box, bytes(known.sealing_key), self._signer)
        said = [
            Outgoing(document_topic(box, part.kind, part.part), part, retain=True) for part in parts
        ]
        # A longer version may have been there before: its last parts belong to nothing now.
        most = documents.most_parts(connection, box).get(document.kind, 0)
        return said + _cleared(box, document.kind, len(parts) + 1, most)

    def taken_back(self, connection: Connection, box: str) -> list[Outgoing]:
        """Return what clears every document of *box* at the broker: it has another key now."""
        most = documents.most_parts(connection, box)
        return [out for kind, parts in most.items() for out in _cleared(box, kind, 1, parts)]

    def _check(self, box: str, pinned: Any, hello: Hello) -> None:
        refusal = _refusal(box, pinned) if self._enrolled_only else None
        if refusal is not None:
            raise refusal
        if pinned is not None and bytes(pinned.public_key) != hello.public_key:
            raise NotTaken(
                "other_key",
                f"box {box} is known with another key: another machine uses its name, or its "
                "key was replaced. Find out which before either is trusted.",
            )
        # A box of the first version signs no hello; its events it does sign.
        unsigned = not hello.signature and "compare" not in hello.speaks
        if not unsigned and not signed(hello.public_key, wire.signed_part(hello), hello.signature):
            raise NotTaken(
                "forged",
                f"a hello of box {box} is not signed by the key that it names: somebody else "
                "speaks in its name.",
            )

    def _seen(
        self, connection: Connection, now: int, box: str, hello: Hello, ledger: str, first: bool
    ) -> None:
        told = {
            "ledger": ledger,
            "last_seen": now,
            "head": hello.head,
            "media_waiting": hello.media_waiting,
            "clock_ahead": hello.at - now,
            "clock": hello.clock,
            "software": hello.software,
            "sealing_key": hello.sealing_key or None,
            "safe": hello.safe,
            "speaks": json.dumps(hello.speaks),
        }
        if first:
            # Trusted on first sight, as development allows; otherwise enrolment made the row.
            connection.execute(
                tables.box.insert().values(
                    id=box, public_key=hello.public_key, first_seen=now, **told
                )
            )
        else:
            connection.execute(update(tables.box).where(tables.box.c.id == box).values(**told))


def _refusal(box: str, pinned: Any) -> NotTaken | None:
    """Return why nothing is taken from a box that must be enrolled; None when it is."""
    if pinned is None or pinned.enrolled_at is None:
        return NotTaken(
            "unknown_box",
            f"box {box} is not enrolled at this centre. Enrol it: classbox enrol request on the "
            "box, classbox-central enrol FILE here.",
        )
    if pinned.revoked_at is not None:
        return NotTaken(
            "revoked",
            f"box {box} was revoked and still speaks: it is connected since before, or its disk "
            "was copied. Restart the broker to end its connection.",
        )
    return None


def _box(connection: Connection, box: str) -> Any:
    return connection.execute(select(tables.box).where(tables.box.c.id == box)).one_or_none()


def _cleared(box: str, kind: str, first: int, last: int) -> list[Outgoing]:
    return [
        Outgoing(document_topic(box, kind, part), None, retain=True)
        for part in range(first, last + 1)
    ]


def _under_a_new_key(pinned: Any, hello: Hello) -> bool:
    """Tell whether the box was enrolled anew, or seals to another key, since it was last heard."""
    other = pinned.sealing_key is not None and bytes(pinned.sealing_key) != hello.sealing_key
    return other or (pinned.enrolled_at or 0) > pinned.last_seen
