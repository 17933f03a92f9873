"""What the file of one part holds: tracks, and where its fragments lie. Pure."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import BinaryIO

from edge.film import boxes
from edge.film.boxes import VIDEO, BadBox, Run, Track
from edge.model import SECOND, Duration


@dataclass(frozen=True, slots=True)
class Fragment:
    """Where a fragment lies in its part's file, and what it holds."""

    at: int
    moof: int
    size: int
    runs: tuple[Run, ...]


@dataclass(frozen=True, slots=True)
class Contents:
    """What a part's file holds."""

    tracks: tuple[Track, ...]
    fragments: tuple[Fragment, ...]


def contents(file: BinaryIO) -> Contents:
    """Read through a part's file; its pictures and its sound are passed over. Raises BadBox.

    Of a file that is still being written, what is whole is returned.
    """
    length = file.seek(0, 2)
    found: tuple[Track, ...] = ()
    fragments: list[Fragment] = []
    runs: tuple[Run, ...] = ()
    at, moof = 0, b""
    while len(start := read(file, at, 8)) == 8:
        size, kind = struct.unpack(">I4s", start)
        if size < 8:
            raise BadBox(f"a box {kind!r} of {size} bytes at byte {at}")
        if at + size > length:
            break
        if kind == b"moov":
            found = boxes.tracks(read(file, at, size))
        elif kind == b"moof":
            moof = read(file, at, size)
            runs = boxes.runs(moof)
        elif kind == b"mdat" and moof:
            fragments.append(Fragment(at - len(moof), len(moof), len(moof) + size, runs))
            moof = b""
        at += size
    if not found:
        raise BadBox("there is no moov")
    return Contents(found, tuple(fragments))


def lasts(held: Contents) -> Duration:
    """Return how long the pictures of a part are, by the camera's clock; 0 without any."""
    for track in held.tracks:
        if track.handler == VIDEO:
            return last(held, track) * SECOND // track.timescale
    return 0


def last(held: Contents, track: Track) -> int:
    """Return where *track* ends in its own ticks, 0 when nothing is in it."""
    runs = (run for one in held.fragments for run in one.runs if run.track == track.id)
    return max((run.starts + run.lasts for run in runs), default=0)


def read(file: BinaryIO, at: int, size: int) -> bytes:
    """Return *size* bytes of *file* from *at* on, fewer at its end."""
    file.seek(at)
    return file.read(size)
