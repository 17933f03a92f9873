"""What the centre can no longer lose: asked for now and then, believed only under its signature.

Owns the box's receipts. Promises that nothing counts as safe on a bare message: a receipt must
answer this process's own question, be signed by the centre that this box obeys, and name an event
of this very chain; it is kept whole, so that it can be shown later.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable

from edge.ledger import Ledger
from edge.signing import signed
from sync import wire
from sync.cursor import Cursor
from sync.messages import ASKED_MEDIA, Ask, BadMessage, Receipt

_EVERY_S = 3600.0
_AGAIN_S = 60.0


class Safekeeping:
    """Questions to the centre and their answers. Times are monotonic, in seconds."""

    def __init__(self, ledger: Ledger, cursor: Cursor, centre_key: Callable[[], bytes]) -> None:
        """*centre_key* returns the raw Ed25519 key of the centre obeyed, empty for none yet."""
        self._ledger = ledger
        self._cursor = cursor
        self._centre_key = centre_key
        # Answers to the questions of an earlier process are not ours.
        self._token = secrets.token_hex(4)
        self._number = 0
        self._asked: Ask | None = None
        # Files are asked about in pages: behind which event the next one begins, and this one ends.
        self._after = 0
        self._until = 0
        self._due = 0.0

    def ask_soon(self) -> None:
        """Ask at the next opportunity, from the beginning."""
        self._due = 0.0
        self._after = 0

    def question(self, now: float, ledger: str) -> Ask | None:
        """Return what to ask now; *ledger* is the name of what the box writes. Say ``asked``."""
        if now < self._due:
            return None
        media = self._cursor.not_safe(self._after, ASKED_MEDIA)
        self._until = media[-1][1] if len(media) == ASKED_MEDIA else 0
        number = self._number + 1
        return Ask(f"{self._token}.{number}", ledger, tuple(sha256 for sha256, _ in media))

    def asked(self, ask: Ask, now: float) -> None:
        """*ask* was sent."""
        self._number += 1
        self._asked = ask
        self._due = now + _AGAIN_S

    def take(self, receipt: Receipt, now: float) -> None:
        """Believe *receipt* and keep it. Raises BadMessage, and nothing counts as safe."""
        ask = self._asked
        if ask is None or receipt.answer != ask.id:
            raise BadMessage("a receipt that answers no open question of this box")
        self._check(receipt, ask)
        self._asked = None
        self._cursor.keep_receipt(receipt, wire.encode(receipt))
        self._after = self._until
        self._due = now if self._after else now + _EVERY_S

    def _check(self, receipt: Receipt, ask: Ask) -> None:
        if receipt.ledger != ask.ledger:
            raise BadMessage(f"a receipt for ledger {receipt.ledger} instead of {ask.ledger}")
        if not signed(self._centre_key(), wire.signed_part(receipt), receipt.signature):
            raise BadMessage("a receipt that is not signed by the centre that this box obeys")
        if receipt.seq and self._ledger.hash_at(receipt.seq) != receipt.hash:
            raise BadMessage(f"a receipt for another event {receipt.seq} than this ledger's")
        if not set(receipt.media) <= set(ask.media):
            raise BadMessage("a receipt for files that were not asked about")
