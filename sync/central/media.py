"""The centre's media: files named by their SHA-256, and those still arriving.

Owns the folder ``media/``. Promises that bytes counted as held are on the disk, that a file gets
its name only when its whole hash is right, and that a half-arrived file never hurts another.
``MediaHolder`` is all that the rest of the centre knows, so that an object store can follow.
"""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path
from typing import Protocol

_BLOCK = 1 << 20
_SHA256 = re.compile(r"[0-9a-f]{64}")


class MediaHolder(Protocol):
    """Where media files lie."""

    def has(self, sha256: str) -> bool:
        """Tell whether the whole file is there."""
        ...

    def path(self, sha256: str) -> Path:
        """Return where a whole file can be read."""
        ...

    def arrived(self, box: str, sha256: str) -> int:
        """Return how many bytes of an arriving file are there, durable or not."""
        ...

    def write(self, box: str, sha256: str, offset: int, data: bytes) -> None:
        """Write bytes of an arriving file."""
        ...

    def make_durable(self, box: str, sha256: str) -> None:
        """Return when everything written of an arriving file is on the disk."""
        ...

    def commit(self, box: str, sha256: str) -> bool:
        """Give a whole file its name; False, and the file dropped, when its hash is wrong.

        What has its name already is left as it is: it only ever got it with the right hash.
        """
        ...

    def drop(self, box: str, sha256: str) -> None:
        """Delete what has arrived of a file that is not whole yet; without it do nothing."""
        ...

    def delete(self, sha256: str) -> None:
        """Delete a file, and what is arriving of it from any box; without it do nothing."""
        ...


class MediaFolder:
    """Media in a folder of this machine."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._incoming = root / "incoming"
        self._incoming.mkdir(parents=True, exist_ok=True)

    def has(self, sha256: str) -> bool:
        """See MediaHolder."""
        return self.path(sha256).is_file()

    def path(self, sha256: str) -> Path:
        """See MediaHolder."""
        if not _SHA256.fullmatch(sha256):
            raise ValueError(f"{sha256[:80]!r} is not the name of a media file")
        return self._root / sha256[:2] / sha256

    def arrived(self, box: str, sha256: str) -> int:
        """See MediaHolder."""
        try:
            return self._part(box, sha256).stat().st_size
        except FileNotFoundError:
            return 0

    def write(self, box: str, sha256: str, offset: int, data: bytes) -> None:
        """See MediaHolder."""
        descriptor = os.open(
            self._part(box, sha256), os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o640
        )
        try:
            view = memoryview(data)
            while view:
                written = os.pwrite(descriptor, view, offset)
                view, offset = view[written:], offset + written
        finally:
            os.close(descriptor)

    def make_durable(self, box: str, sha256: str) -> None:
        """See MediaHolder."""
        descriptor = os.open(self._part(box, sha256), os.O_RDONLY)
        try:
            os.fdatasync(descriptor)
        finally:
            os.close(descriptor)
        _sync(self._incoming)

    def commit(self, box: str, sha256: str) -> bool:
        """See MediaHolder."""
        part = self._part(box, sha256)
        if self.has(sha256):
            part.unlink(missing_ok=True)
            return True
        digest = hashlib.sha256()
        with part.open("rb") as file:
            while block := file.read(_BLOCK):
                digest.update(block)
        if digest.hexdigest() != sha256:
            part.unlink(missing_ok=True)
            return False
        final = self.path(sha256)
        if not final.parent.is_dir():
            final.parent.mkdir(exist_ok=True)
            _sync(self._root)
        part.replace(final)
        _sync(final.parent)
        _sync(self._incoming)
        return True

    def drop(self, box: str, sha256: str) -> None:
        """See MediaHolder."""
        self._part(box, sha256).unlink(missing_ok=True)

    def delete(self, sha256: str) -> None:
        """See MediaHolder."""
        for file in (self.path(sha256), *self._incoming.glob(f"*.{sha256}")):
            if file.exists():
                file.unlink()
                _sync(file.parent)

    def _part(self, box: str, sha256: str) -> Path:
        self.path(sha256)
        return self._incoming / f"{box}.{sha256}"


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
