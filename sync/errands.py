"""What the centre asks of this box: taken once, carried out or left to its service, answered.

Owns the link's part of requests. Promises that a request counts once however often it arrives,
that its answer is an event in the same transaction as what it changes in the ledger, that nothing
is carried out past its time, and that a kind which this software does not know is refused and
does no harm. What cannot be done yet stays open, also across a restart, until it expires.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from edge import erasure, requests
from edge.erasure import CannotErase, OnRoster
from edge.events import RequestAnswered, RequestRefused
from edge.ledger import Ledger, Writer
from edge.media import MediaStore
from edge.model import ClockQuality, Instant
from edge.requests import CannotDo, Request
from sync import messages
from sync.cursor import Cursor
from sync.letters import Letters
from sync.messages import BadMessage
from sync.seal import BadLetter

log = logging.getLogger("classbox")

ERASE, LIVE_VIEW, RESYNC, SEND_MEDIA = "erase", "live_view", "resync", "send_media"
_LOOK_EVERY_S = 1.0


class Errands:
    """The requests of the centre that this box obeys."""

    def __init__(
        self,
        ledger: Ledger,
        media: MediaStore,
        cursor: Cursor,
        letters: Letters,
        resync: Callable[[], None],
        live_view: Callable[[Request], None],
    ) -> None:
        """*resync*: say hello anew, and let the centre send every document again.

        *live_view*: begin what the request asks for and answer it, or raise CannotDo.
        """
        self._ledger = ledger
        self._media = media
        self._cursor = cursor
        self._letters = letters
        self._resync_now = resync
        self._centre_ahead = 0
        self._look_at = 0.0
        self._wal_holds_erased = True  # a crash may have come between an erasure and its end
        self._carry_out: dict[str, Callable[[Request], None]] = {
            ERASE: self._erase,
            LIVE_VIEW: live_view,
            RESYNC: self._resync,
            SEND_MEDIA: self._send_media,
        }
        erasure.finish(self._ledger, self._media)

    def hear_time(self, at: Instant) -> None:
        """The centre said what time it is, 0 when it did not; for a box that does not know."""
        if at:
            self._centre_ahead = at - self._ledger.clock.now().at

    def take(self, message: messages.Request) -> None:
        """Take a request. Raises BadMessage when it is not from this box's centre for this box."""
        try:
            letter = self._letters.open(message.sealed, "request")
            args = json.loads(letter.content)
        except (BadLetter, ValueError) as error:
            raise BadMessage(f"request {message.id}: {error}") from error
        if not isinstance(args, dict):
            raise BadMessage(f"request {message.id}: its arguments are no object")
        head = letter.head
        if (head["id"], head["expires"]) != (message.id, message.expires):
            raise BadMessage(f"request {message.id}: its letter is another one's")
        kind = str(head["kind"])
        with self._ledger.writing() as writer:
            if not requests.file(writer, message.id, kind, args, message.expires):
                return
            if kind not in self._carry_out and kind not in requests.OF_SERVICES:
                why = f"this version of the box does not know requests of the kind {kind[:40]}"
                self._refuse(writer, Request(message.id, kind, args), why)
        log.info("link: the centre asks for: %s", kind)
        self._look_at = 0.0

    def step(self, now: float) -> None:
        """Carry out what is open; looks once a second, and at once when something came."""
        if now < self._look_at:
            return
        self._look_at = now + _LOOK_EVERY_S
        with self._ledger.store.read() as connection:
            found = requests.unanswered(connection, self._carry_out)
        for request, expires in found:
            if self._now() >= expires:
                self._say_expired(request)
            else:
                self._do(request)
        if self._wal_holds_erased and erasure.empty_wal(self._ledger, patience=0):
            self._wal_holds_erased = False

    def _do(self, request: Request) -> None:
        try:
            self._carry_out[request.kind](request)
        except (CannotErase, KeyError, TypeError, ValueError) as error:
            known = isinstance(error, CannotErase | CannotDo)
            with self._ledger.writing() as writer:
                why = str(error) if known else "its arguments say nothing"
                self._refuse(writer, request, why)

    def _say_expired(self, request: Request) -> None:
        with self._ledger.writing() as writer:
            self._refuse(writer, request, "it expired before it could be carried out")

    def _now(self) -> Instant:
        """Return the time as the centre has it, where this box does not know better."""
        reading = self._ledger.clock.now()
        trusted = reading.clock is ClockQuality.SYNCHRONISED
        return reading.at if trusted else reading.at + self._centre_ahead

    def _erase(self, request: Request) -> None:
        people = [str(person) for person in request.args.get("people", ())]
        with self._ledger.store.read() as connection:
            people += erasure.people_of(connection, request.args.get("seqs", ()))
        reason = request.args["reason"]
        if reason not in erasure.REASONS:
            raise ValueError(reason)
        try:
            found = erasure.erase(self._ledger, self._media, people, reason, request.id)
        except OnRoster:
            return  # the roster without them is on its way; it comes before requests do
        self._cursor.forget(list(found.photos))
        self._wal_holds_erased = True

    def _resync(self, request: Request) -> None:
        self._resync_now()
        self._answer(request, {})

    def _send_media(self, request: Request) -> None:
        sha256s = [str(sha256) for sha256 in request.args.get("media", ())]
        lesson = request.args.get("lesson")
        if lesson is not None:
            sha256s += self._media_of(str(lesson))
        known = self._cursor.prefer(sha256s)
        self._answer(request, {"files": known, "unknown": len(sha256s) - known})

    def _media_of(self, lesson_id: str) -> Sequence[str]:
        with self._ledger.store.read() as connection:
            rows = connection.execute(
                "SELECT sha256 FROM snapshot WHERE lesson_id = :lesson AND sha256 <> '' "
                "UNION SELECT sha256 FROM picture_copy WHERE lesson_id = :lesson "
                "UNION SELECT sha256 FROM spot_check_item WHERE lesson_id = :lesson "
                "UNION SELECT sha256 FROM recording WHERE lesson_id = :lesson",
                {"lesson": lesson_id},
            ).fetchall()
        return [row["sha256"] for row in rows]

    def _answer(self, request: Request, result: Mapping[str, Any]) -> None:
        with self._ledger.writing() as writer:
            body = RequestAnswered(request.id, request.kind, result)
            requests.answer(writer, request.id, body)

    def _refuse(self, writer: Writer, request: Request, reason: str) -> None:
        log.warning("link: refused a request of the centre (%s): %s", request.kind[:40], reason)
        body = RequestRefused(request.id, request.kind, reason)
        requests.answer(writer, request.id, body)
