"""Documents of the centre on their way into force: put together, opened, applied or refused.

Owns what the link does with them. Promises that a document which cannot be used is refused once,
as an event that names the place, and that what was in force stays in force.
"""

from __future__ import annotations

import json
import logging

from edge import bindings, erasure
from edge.bindings import NotBound
from edge.config import Config
from edge.directions import SECRETS, Bindings, CameraDirection
from edge.documents import BINDINGS, KINDS, BadDocument, Parsed
from edge.inbox import apply_document, erase_notices, refuse_document
from edge.keys import KeyProblem
from edge.ledger import Ledger, Writer
from edge.logins import Login, Logins
from sync.letters import Letters
from sync.messages import BadMessage, Document
from sync.seal import CAMERA_LOGIN, BadLetter

log = logging.getLogger("classbox")

_LOOK_EVERY_S = 60.0


class Post:
    """What the centre that this box obeys writes to it."""

    def __init__(self, ledger: Ledger, config: Config, letters: Letters) -> None:
        self._ledger = ledger
        self._config = config
        self._letters = letters
        self._refused: set[tuple[str, str, int]] = set()
        self._look_at = 0.0

    def take(self, part: Document) -> None:
        """Take a part of a document; the last one puts it in force. Raises BadMessage."""
        if part.kind not in KINDS:  # before anything of it is kept
            raise BadMessage(f"a document of the kind {part.kind}, which this box does not know")
        try:
            letter = self._letters.take(part)
        except BadLetter as error:
            raise BadMessage(f"the {part.kind}: {error}") from error
        if letter is not None:
            head = letter.head
            self._apply(str(head["kind"]), str(head["epoch"]), int(head["version"]), letter.content)

    def step(self, now: float) -> None:
        """Erase the text of notices that are over; looks once a minute."""
        if now < self._look_at:
            return
        self._look_at = now + _LOOK_EVERY_S
        if erase_notices(self._ledger, self._ledger.clock.now().at):
            erasure.empty_wal(self._ledger, patience=0)

    def _apply(self, kind: str, epoch: str, version: int, content: bytes) -> None:
        """Put a document in force; a bad one is refused once, clearly, and the old one stays."""
        identity = (kind, epoch, version)
        if identity in self._refused:
            return
        besides = self._direct_cameras if kind == BINDINGS else None
        try:
            applied = apply_document(self._ledger, kind, epoch, version, content, besides)
        except BadDocument as error:
            refuse_document(self._ledger, kind, epoch, version, str(error))
            self._refused.add(identity)
            log.error(
                "link: refused version %d of the %s: %s. The one in force stays in force; "
                "publish a corrected one.",
                version,
                kind,
                error,
            )
            return
        if applied:
            log.info("link: version %d of the %s is in force", version, kind)

    def _direct_cameras(self, writer: Writer, directed: Parsed) -> None:
        assert isinstance(directed, Bindings), "the document is of this kind"
        try:
            logins = Logins(self._config.data_dir)
            bindings.direct(writer, self._config, logins, directed, self._login)
        except (KeyProblem, NotBound) as error:
            raise BadDocument(str(error)) from error

    def _login(self, camera: CameraDirection) -> Login:
        try:
            letter = self._letters.open(camera.login, CAMERA_LOGIN)
            if letter.head["camera"] != camera.id:
                raise BadLetter(f"it is the one of {letter.head['camera']}")
            stated = json.loads(letter.content)
            return Login(**{key: stated.get(key, "") for key in SECRETS})
        except BadLetter as error:
            raise BadDocument(
                f"cameras: {camera.id}: login: {error}. Publish the cameras again, with their "
                "logins."
            ) from error
