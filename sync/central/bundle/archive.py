"""A bundle as a ZIP: written, and read without trusting it.

Owns the container. Promises that nothing is unpacked to a disk, that a name cannot lead anywhere,
that what one reader sees every other sees too, and that no entry takes more memory than it may.
"""

from __future__ import annotations

import zipfile
import zlib
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO

from sync.central.bundle.form import NAMES

MIB = 1024 * 1024
# What honest bundles stay far below; beyond it a file is a bomb, or not for one ZIP.
_FILES = 200_000
_FILE_BYTES = 512 * MIB
_ALL_BYTES = 64 * 1024 * MIB
# Lines of hashes shrink to a third, pages to a tenth or so.
_RATIO = 200
_LOCAL_HEADER = 30
_ENCRYPTED = 1
_LINK = 0o120000
# 1980-01-01: a bundle's own times are in its manifest, and equal contents give equal files.
_DATE = (1980, 1, 1, 0, 0, 0)


class BadArchive(ValueError):
    """A file is no bundle that can be read; ``code`` says which sort of fault, the text where."""

    def __init__(self, code: str, place: str) -> None:
        super().__init__(f"{code}: {place}" if place else code)
        self.code = code
        self.place = place


class Archive:
    """A ZIP that was looked at wholly before anything in it is read. Raises BadArchive."""

    def __init__(self, file: Path | BinaryIO) -> None:
        try:
            self._zip = zipfile.ZipFile(file)
        except (OSError, zipfile.BadZipFile, ValueError, NotImplementedError) as error:
            raise BadArchive("truncated", str(error)) from error
        try:
            _check(self._zip)
        except BadArchive:
            self._zip.close()
            raise

    def __enter__(self) -> Archive:
        return self

    def __exit__(self, *_: object) -> None:
        self._zip.close()

    def names(self) -> tuple[str, ...]:
        """See form.Bundle."""
        return tuple(self._zip.namelist())

    def read(self, name: str) -> bytes:
        """See form.Bundle. Raises BadArchive when the bytes are damaged."""
        info = self._zip.getinfo(name)
        try:
            with self._zip.open(info) as file:
                content = file.read(info.file_size + 1)
        except (zipfile.BadZipFile, EOFError, zlib.error, OSError, NotImplementedError) as error:
            raise BadArchive("damaged", name) from error
        if len(content) != info.file_size:
            raise BadArchive("bomb", name)
        return content


def write(file: BinaryIO, contents: Iterable[tuple[str, bytes]]) -> None:
    """Write *contents* (name, bytes) as a ZIP. What is compressed already is stored as it is."""
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in contents:
            info = zipfile.ZipInfo(name, _DATE)
            info.external_attr = 0o644 << 16
            stored = name.startswith("media/")
            info.compress_type = zipfile.ZIP_STORED if stored else zipfile.ZIP_DEFLATED
            archive.writestr(info, content)


def _check(archive: zipfile.ZipFile) -> None:
    infos = archive.infolist()
    if len(infos) > _FILES:
        raise BadArchive("bomb", f"{len(infos)} files")
    for info in infos:
        # ``orig_filename``: zipfile itself turns some odd names into harmless ones.
        name = info.orig_filename
        if not NAMES.fullmatch(name):
            unsafe = name != info.filename or name.startswith(("/", "\\")) or ":" in name
            unsafe = unsafe or ".." in name.replace("\\", "/").split("/") or "\\" in name
            raise BadArchive("unsafe_name" if unsafe else "extra_file", name[:80])
        if (info.external_attr >> 16) & 0o170000 == _LINK:
            raise BadArchive("unsafe_name", f"{name} (a link)")
        if info.flag_bits & _ENCRYPTED or info.compress_type not in (0, zipfile.ZIP_DEFLATED):
            raise BadArchive("damaged", name)
        if info.file_size > min(_FILE_BYTES, max(MIB, info.compress_size * _RATIO)):
            raise BadArchive("bomb", name)
    twice = [name for name, times in Counter(archive.namelist()).items() if times > 1]
    if twice:
        raise BadArchive("duplicate", twice[0])
    if sum(info.file_size for info in infos) > _ALL_BYTES:
        raise BadArchive("bomb", "all files together")
    _check_places(archive, infos)


def _check_places(archive: zipfile.ZipFile, infos: list[zipfile.ZipInfo]) -> None:
    """Refuse what other readers may see differently: parts before, between or over one another."""
    reached = 0
    for info in sorted(infos, key=lambda info: info.header_offset):
        if info.header_offset != reached:
            raise BadArchive("hidden_bytes", info.filename)
        reached += _LOCAL_HEADER + len(info.filename) + len(info.extra) + info.compress_size
    if reached != archive.start_dir or archive.comment:
        raise BadArchive("hidden_bytes", "")
