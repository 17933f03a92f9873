"""Media files, named by their SHA-256, and how they come to be named by an event.

Owns ``media/<2 hex>/<sha256>`` and ``media/incoming``. The steps, each of which may be the last
before a power cut and each of which may be repeated:

1. ``incoming/<event id>.json``: the event to be, on the disk before the first byte of the file;
2. ``incoming/<event id>.data``: the bytes, fdatasync while they grow, fsync at the end;
3. the intent is rewritten with the file's SHA-256, then the file is renamed to its name and the
   folder synced;
4. the event is appended under the id that the intent has had from the beginning;
5. the intent is removed.

After a crash ``unfinished`` returns what is left, and ``store`` carries on from whichever step
was reached. Nothing is deleted for being unknown.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import uuid
from collections.abc import Iterable
from pathlib import Path
from typing import Any, BinaryIO

from edge import events, queries
from edge.chain import Event
from edge.events import Body
from edge.files import replace_file, sync_folder
from edge.ledger import Ledger

_BLOCK = 1 << 20


class MediaError(Exception):
    """A media file cannot be stored or found; the message says what to do."""


class Draft:
    """A media file on its way into the ledger. ``body`` is the event to be."""

    def __init__(self, store: MediaStore, draft_id: str, intent: dict[str, Any]) -> None:
        self._store = store
        self._intent = intent
        self.id = draft_id
        self.path = store.incoming / f"{draft_id}.data"

    @property
    def body(self) -> Body:
        """The event to be, as far as it is known."""
        return events.decode(self._intent["kind"], events.canonical(self._intent["body"]))

    def write(self, content: bytes) -> None:
        """Write the whole file at once."""
        self.path.write_bytes(content)

    def note(self, **fields: Any) -> None:
        """Change fields of the event to be, durably."""
        self._intent["body"].update(fields)
        self._save()

    def has_bytes(self) -> bool:
        """Tell whether there is anything to store."""
        return self._named() or (self.path.exists() and self.path.stat().st_size > 0)

    def store(self, ledger: Ledger, **fields: Any) -> Event:
        """Carry the file and its event to the end, from wherever they are; see the module.

        *fields* complete the event's body. Raises MediaError when there are no bytes.
        """
        if not self._named():
            if not self.path.exists():
                raise MediaError(f"{self.path.name}: there are no bytes to store")
            sha256, size = _hash_and_sync(self.path)
            self._intent["sha256"] = sha256
            self._intent["body"].update(fields)
            self._intent["body"][self._intent["sha_field"]] = sha256
            if "bytes" in self._intent["body"]:
                self._intent["body"]["bytes"] = size
            self._save()
        final = self._store.path(self._intent["sha256"])
        if self.path.exists():
            self._store.make_folder(final.parent)
            self.path.replace(final)
            # rename(2) leaves both names when they are links to one file: a part of a recording
            # that belongs to two lessons.
            self.path.unlink(missing_ok=True)
            sync_folder(final.parent)
            sync_folder(self._store.incoming)
        event = ledger.append(self.body, event_id=self.id)
        self._forget()
        return event

    def discard(self) -> None:
        """Give the draft up, for the caller has said why in the ledger or nothing was lost."""
        self.path.unlink(missing_ok=True)
        self._forget()

    def _named(self) -> bool:
        return bool(self._intent.get("sha256"))

    def _save(self) -> None:
        replace_file(self._file(), json.dumps(self._intent).encode("utf-8"))

    def _forget(self) -> None:
        self._file().unlink(missing_ok=True)
        sync_folder(self._store.incoming)

    def _file(self) -> Path:
        return self._store.incoming / f"{self.id}.json"


class MediaStore:
    """The media folder of a box."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.incoming = root / "incoming"
        self.make_folder(self.incoming)

    def path(self, sha256: str) -> Path:
        """Return where the file of that hash lies, or would lie."""
        if len(sha256) != 64 or any(letter not in "0123456789abcdef" for letter in sha256):
            raise MediaError(f"{sha256!r} is not the name of a media file")
        return self.root / sha256[:2] / sha256

    def room_of(self, sha256: str) -> int | None:
        """Return how many bytes of the disk a stored file takes, None when it is not there."""
        try:
            return self.path(sha256).stat().st_blocks * 512
        except FileNotFoundError:
            return None

    def open(self, sha256: str) -> BinaryIO:
        """Open a stored file for reading. Raises MediaError when it is not there."""
        try:
            return self.path(sha256).open("rb")
        except FileNotFoundError as error:
            raise MediaError(f"media file {sha256[:12]}… is not on this box") from error

    def draft(self, body: Body, sha_field: str = "sha256", event_id: str | None = None) -> Draft:
        """Begin a file whose event will be *body*, with its hash in the field *sha_field*.

        The event's id is fixed here, so that however often the steps are repeated there is one
        event. Give *event_id* where it follows from what the file is, such as a snapshot's slot.
        """
        draft = Draft(
            self,
            event_id or uuid.uuid4().hex,
            {"kind": body.kind, "sha_field": sha_field, "body": dataclasses.asdict(body)},
        )
        draft._save()
        return draft

    def unfinished(self, kinds: Iterable[str]) -> list[Draft]:
        """Return the drafts that a crash left behind, of those kinds of event, oldest first."""
        wanted = set(kinds)
        found: list[Draft] = []
        for file in sorted(self.incoming.glob("*.json"), key=lambda file: file.stat().st_mtime_ns):
            try:
                intent = json.loads(file.read_bytes())
            except ValueError:
                continue  # not ours, or a disk error: it is reported by `unknown`
            if intent.get("kind") in wanted:
                found.append(Draft(self, file.stem, intent))
        return found

    def under_way(self, kind: str) -> list[Draft]:
        """Return the drafts of that kind that another process may be working on just now.

        Any of them may be finished, and its files gone, before the caller looks at it.
        """
        found: list[Draft] = []
        for file in sorted(self.incoming.glob("*.json")):
            try:
                intent = json.loads(file.read_bytes())
            except (FileNotFoundError, ValueError):
                continue
            if intent.get("kind") == kind:
                found.append(Draft(self, file.stem, intent))
        return found

    def unknown(self, ledger: Ledger) -> list[Path]:
        """Return stored files that no event names; they are reported, never deleted."""
        with ledger.store.read() as connection:
            known = {row[0] for row in connection.execute("SELECT sha256 FROM media")}
        return [
            file
            for file in sorted(self.root.glob("[0-9a-f][0-9a-f]/*"))
            if file.name not in known and not file.name.startswith(".")
        ]

    def missing(self, ledger: Ledger) -> list[str]:
        """Return the hashes that events name and the disk lacks, though nothing deleted them."""
        with ledger.store.read() as connection:
            deleted = queries.deleted_media(connection)
            rows = connection.execute("SELECT sha256 FROM media ORDER BY seq")
            known = [row["sha256"] for row in rows if row["sha256"] not in deleted]
        return [sha256 for sha256 in known if not self.path(sha256).exists()]

    def delete(self, sha256: str) -> None:
        """Delete a file, whose deletion an event has stated; without the file do nothing."""
        path = self.path(sha256)
        if path.exists():
            path.unlink()
            sync_folder(path.parent)

    def make_folder(self, folder: Path) -> None:
        """Create *folder* so that it survives a power cut."""
        if not folder.is_dir():
            folder.mkdir(parents=True, exist_ok=True)
            sync_folder(folder.parent)


def _hash_and_sync(path: Path) -> tuple[str, int]:
    digest = hashlib.sha256()
    size = 0
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
            size += len(block)
        os.fsync(file.fileno())
    return digest.hexdigest(), size
