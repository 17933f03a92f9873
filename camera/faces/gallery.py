"""The faces that this box knows: templates, sealed at rest, compared in memory.

Owns the table ``template`` and the key that seals it (``keys/templates.key``, 0600, outside the
database). Promises that no template reaches the disk, a log or a message unsealed. A template is
bound to its person and network: a row moved to another person does not open.

The key lies on the same disk: who steals the whole disk has the templates, unless the box has a
key store. Who gets only the database, or a backup of it, has not.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

import numpy as np

from camera.faces.compare import Gallery, Vector, gallery_of
from camera.faces.manifest import Manifest
from edge.agreement import forget as forget
from edge.keys import Locker
from edge.ledger import Writer
from edge.store import Store


class Sealer:
    """Seals and opens templates with the box's own key."""

    def __init__(self, locker: Locker) -> None:
        self._locker = locker

    @classmethod
    def of(cls, data_dir: Path) -> Sealer:
        """Use the key of the box in *data_dir*; the first call makes it. Raises KeyProblem."""
        return cls(Locker(data_dir / "keys" / "templates.key", "a template key"))

    def seal(self, template: Vector, context: bytes) -> tuple[bytes, bytes]:
        """Return a fresh nonce, and *template* encrypted with it and bound to *context*."""
        return self.seal_bytes(template.astype("<f4").tobytes(), context)

    def seal_bytes(self, template: bytes, context: bytes) -> tuple[bytes, bytes]:
        """Do the same for a template that is little-endian float32 already."""
        return self._locker.seal(template, context)

    def open(self, sealed: bytes, nonce: bytes, context: bytes) -> Vector:
        """Return the template. Raises KeyProblem when key or context are not the ones."""
        content = self._locker.open(
            nonce,
            sealed,
            context,
            "a face template does not open with keys/templates.key. Put the box's own key "
            "back, or enrol the people again: classbox people add.",
        )
        return np.frombuffer(content, dtype="<f4").astype(np.float32)


class Templates:
    """The sealed templates of one network in the box's database."""

    def __init__(self, store: Store, sealer: Sealer, manifest: Manifest) -> None:
        self._store = store
        self._sealer = sealer
        self._manifest = manifest
        self._seen: tuple[bytes, ...] | None = None
        self._gallery = gallery_of((), (), manifest.dimension)

    def gallery(self) -> Gallery:
        """Return the templates of all who consent; they are opened again only after a change."""
        with self._store.read() as connection:
            rows = connection.execute(
                "SELECT person_id, nonce, sealed FROM template JOIN consent USING (person_id) "
                "WHERE model = ? AND model_version = ? AND withdrawn_at IS NULL "
                "ORDER BY person_id, nonce",
                (self._manifest.name, self._manifest.version),
            ).fetchall()
        # Every sealing has a nonce of its own, so the nonces say whether anything changed.
        nonces = tuple(row["nonce"] for row in rows)
        if nonces != self._seen:
            people = [row["person_id"] for row in rows]
            templates = [
                self._sealer.open(row["sealed"], row["nonce"], self._context(row["person_id"]))
                for row in rows
            ]
            self._gallery = gallery_of(people, templates, self._manifest.dimension)
            self._seen = nonces
        return self._gallery

    def put(self, writer: Writer, person_id: str, template: Vector) -> None:
        """Store *template* in the writer's transaction, in place of what the person had."""
        nonce, sealed = self._sealer.seal(template, self._context(person_id))
        forget(writer, person_id)
        writer.execute(
            "INSERT INTO template VALUES (?, ?, ?, ?, ?)",
            (person_id, self._manifest.name, self._manifest.version, nonce, sealed),
        )

    def _context(self, person_id: str) -> bytes:
        return context_of(self._manifest.name, self._manifest.version, person_id)


def context_of(model: str, model_version: str, person_id: str) -> bytes:
    """Return what a sealed template is bound to."""
    return "\0".join((model, model_version, person_id)).encode("utf-8")


def enrolled(connection: sqlite3.Connection) -> list[tuple[str, str, str]]:
    """Return person, network and version of each template, in the order of person."""
    rows = connection.execute(
        "SELECT person_id, model, model_version FROM template ORDER BY person_id, model"
    ).fetchall()
    return [(row["person_id"], row["model"], row["model_version"]) for row in rows]
