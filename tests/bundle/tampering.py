"""A bundle taken apart and put together again, with whatever keys a forger may have."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from edge.chain import body_hash, event_from_row, header_hash
from edge.events import canonical
from edge.keys import Signer
from sync import wire
from sync.central.bundle import form
from sync.central.bundle.archive import Archive, BadArchive
from sync.central.bundle.chains import Fault
from sync.central.bundle.verify import Proven, verify
from sync.messages import Anchor

CHAIN = "chains/1.jsonl"
_RAW = ("body_hash", "prev_hash", "hash", "signature")


class Parts:
    """The files of a bundle, to be changed. Names may stand there twice."""

    def __init__(self, content: bytes) -> None:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            self.files = [(info.filename, archive.read(info)) for info in archive.infolist()]

    def __getitem__(self, name: str) -> bytes:
        return next(content for found, content in self.files if found == name)

    def __setitem__(self, name: str, content: bytes) -> None:
        self.files = [(found, content if found == name else old) for found, old in self.files]

    def drop(self, name: str) -> None:
        self.files = [(found, content) for found, content in self.files if found != name]

    def add(self, name: str, content: bytes) -> None:
        self.files.append((name, content))

    def named(self, begin: str) -> str:
        """Return the first name that begins so."""
        return next(name for name, _ in self.files if name.startswith(begin))

    # What stands in the chain.

    def events(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self[CHAIN].splitlines()]

    def put(self, events: list[dict[str, Any]]) -> None:
        self[CHAIN] = b"".join(canonical(event) + b"\n" for event in events)

    def seq_of(self, kind: str, number: int = 0) -> int:
        """Return the seq of one of the events of a kind whose body is here."""
        found = [one["seq"] for one in self.events() if one["kind"] == kind and "body" in one]
        return int(found[number])

    def change(self, seq: int, **values: Any) -> None:
        events = self.events()
        events[seq - 1].update(values)
        self.put(events)

    def rechained(self, seq: int, change: Callable[[str], str], key: Ed25519PrivateKey) -> None:
        """Change the body of an event, and make every hash and signature from there on anew."""
        events = self.events()
        previous = events[seq - 2]["hash"]
        for event in events[seq - 1 :]:
            if event["seq"] == seq:
                event["body"] = change(event["body"])
                salt = bytes.fromhex(event["salt"])
                event["body_hash"] = body_hash(salt, event["body"].encode()).hex()
            event["prev_hash"] = previous
            raw = {name: bytes.fromhex(event[name]) for name in _RAW}
            read = event_from_row(event | raw)
            own = header_hash(
                read.seq, read.id, read.kind, read.reading, read.body_hash, read.prev_hash
            )
            event["hash"] = previous = own.hex()
            event["signature"] = key.sign(own).hex()
        self.put(events)

    def anchors(self) -> list[Anchor]:
        return list(form.anchors_in(self[form.ANCHORS]))

    def put_anchors(self, anchors: list[Anchor]) -> None:
        self[form.ANCHORS] = form.anchors_to(anchors)

    def manifest(self) -> form.Manifest:
        return form.read(self[form.MANIFEST])

    def signed(self, signer: Signer, **changes: Any) -> None:
        """Sign what is there now as the centre's key does: its hashes, and *changes*."""
        manifest = replace(self.manifest(), **changes)
        names = {form.MANIFEST, form.SIGNATURE}
        files = {
            name: hashlib.sha256(content).hexdigest()
            for name, content in self.files
            if name not in names
        }
        manifest = replace(manifest, files=dict(sorted(files.items())))
        self[form.MANIFEST], self[form.SIGNATURE] = form.write(manifest, signer.sign)

    def zipped(self) -> bytes:
        written = io.BytesIO()
        with zipfile.ZipFile(written, "w") as archive:
            for name, content in self.files:
                archive.writestr(zipfile.ZipInfo(name), content)
        return written.getvalue()


def anchored(anchor: Anchor, signer: Signer, **changes: Any) -> Anchor:
    """Return *anchor* with *changes*, signed by the centre."""
    changed = replace(anchor, **changes, signature=b"")
    return replace(changed, signature=signer.sign(wire.signed_part(changed)))


def check(content: bytes, key: bytes, outside: bytes | None = None) -> Proven:
    """Check a bundle."""
    with Archive(io.BytesIO(content)) as archive:
        return verify(archive, key, outside)


def fault_of(content: bytes, key: bytes, outside: bytes | None = None) -> tuple[str, str]:
    """Return code and place of the first fault; a bundle without one is accepted: empty."""
    try:
        check(content, key, outside)
    except (Fault, BadArchive) as error:
        return error.code, error.place
    return "", ""
