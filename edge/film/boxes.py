"""Reading and making the boxes of fragmented MP4 (ISO 14496-12). Pure: bytes in, bytes out.

Knows what camera.segment writes: one moov, then fragments of a moof and its mdat, whose data lies
relative to the moof (default-base-is-moof), each track fragment with one tfdt of 64 bits.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

# Seconds from 1904-01-01, where MP4's time begins, to 1970-01-01.
EPOCH = 2_082_844_800
VIDEO = b"vide"

_BASE_OFFSET, _DESCRIPTION, _DURATION, _SIZE, _FLAGS = 0x1, 0x2, 0x8, 0x10, 0x20
_BASE_IS_MOOF = 0x020000
_DATA_OFFSET, _FIRST_FLAGS = 0x1, 0x4
_EACH_DURATION, _EACH_SIZE, _EACH_FLAGS, _EACH_SHIFT = 0x100, 0x200, 0x400, 0x800
# Of the sample flags: this picture needs another one.
_NO_SYNC = 0x10000


class BadBox(ValueError):
    """The bytes are not an MP4 of the expected form; the message says where."""


@dataclass(frozen=True, slots=True)
class Track:
    """A track as its file describes it. ``description``: its one sample entry, whole."""

    id: int
    handler: bytes
    timescale: int
    box: bytes
    description: bytes


@dataclass(frozen=True, slots=True)
class Run:
    """What a fragment holds of one track, in the track's own ticks."""

    track: int
    starts: int
    lasts: int
    begins_with_key: bool


@dataclass(frozen=True, slots=True)
class Place:
    """Where a track of a part goes in the whole film.

    A moment *t* of the part becomes ``starts + t * scale`` ticks of the film's track.
    """

    track: int
    description: int
    starts: int
    scale: Fraction


def box(kind: bytes, *content: bytes) -> bytes:
    """Return a box."""
    inside = b"".join(content)
    return struct.pack(">I4s", 8 + len(inside), kind) + inside


def full_box(kind: bytes, version: int, flags: int, *content: bytes) -> bytes:
    """Return a box with version and flags."""
    return box(kind, struct.pack(">I", version << 24 | flags), *content)


def inside(content: bytes, at: int = 8) -> Iterator[tuple[bytes, bytes]]:
    """Yield kind and bytes of each box in *content* from *at* on. Raises BadBox."""
    while at < len(content):
        if at + 8 > len(content):
            raise BadBox(f"a box is torn at byte {at}")
        size, kind = struct.unpack_from(">I4s", content, at)
        if size < 8 or at + size > len(content):
            raise BadBox(f"a box {kind!r} of {size} bytes is torn at byte {at}")
        yield kind, content[at : at + size]
        at += size


def found(content: bytes, *path: bytes) -> bytes:
    """Return the first box at *path* inside the box *content*. Raises BadBox."""
    for name in path:
        content = next((one for kind, one in inside(content) if kind == name), b"")
        if not content:
            raise BadBox(f"there is no box {name!r}")
    return content


def replaced(content: bytes, path: Sequence[bytes], change: Callable[[bytes], bytes]) -> bytes:
    """Return the box *content* with what lies at *path* changed, all sizes put right."""
    if not path:
        return change(content)
    parts = [
        replaced(one, path[1:], change) if kind == path[0] else one for kind, one in inside(content)
    ]
    return box(content[4:8], *parts)


def tracks(moov: bytes) -> tuple[Track, ...]:
    """Return the tracks that a ``moov`` describes. Raises BadBox."""
    return tuple(_track(one) for kind, one in inside(moov) if kind == b"trak")


def _track(trak: bytes) -> Track:
    header, media = found(trak, b"tkhd"), found(trak, b"mdia", b"mdhd")
    stsd = found(trak, b"mdia", b"minf", b"stbl", b"stsd")
    return Track(
        id=struct.unpack_from(">I", header, 28 if header[8] else 20)[0],
        handler=found(trak, b"mdia", b"hdlr")[16:20],
        timescale=struct.unpack_from(">I", media, 28 if media[8] else 20)[0],
        box=trak,
        description=next(inside(stsd, 16))[1],
    )


def channels(description: bytes) -> int:
    """Return the number of channels that a sample entry of AAC names."""
    count: int = struct.unpack_from(">H", description, 24)[0]
    return count


def joined_track(track: Track, track_id: int, descriptions: Sequence[bytes]) -> bytes:
    """Return the ``trak`` of the film: *track* under another id, with all *descriptions*."""

    def renumbered(header: bytes) -> bytes:
        at = 28 if header[8] else 20
        return header[:at] + struct.pack(">I", track_id) + header[at + 4 :]

    def described(_: bytes) -> bytes:
        return full_box(b"stsd", 0, 0, struct.pack(">I", len(descriptions)), *descriptions)

    trak = replaced(track.box, [b"tkhd"], renumbered)
    trak = replaced(trak, [b"mdia", b"minf", b"stbl", b"stsd"], described)
    return box(b"trak", *(one for kind, one in inside(trak) if kind != b"edts"))


def runs(moof: bytes) -> tuple[Run, ...]:
    """Return what a ``moof`` says of each track. Raises BadBox."""
    return tuple(_run(one) for kind, one in inside(moof) if kind == b"traf")


def _run(traf: bytes) -> Run:
    header = found(traf, b"tfhd")
    flags, track = struct.unpack_from(">II", header, 8)
    if flags & (_BASE_OFFSET | _DESCRIPTION) or not flags & _BASE_IS_MOOF:
        raise BadBox("a fragment that is not as the recorder writes them")
    at, each, usual = 16, 0, 0
    if flags & _DURATION:
        each = struct.unpack_from(">I", header, at)[0]
    at += 4 * bool(flags & _DURATION) + 4 * bool(flags & _SIZE)
    if flags & _FLAGS:
        usual = struct.unpack_from(">I", header, at)[0]
    lasts, first = 0, None
    for kind, trun in inside(traf):
        if kind == b"trun":
            samples = _samples(trun)
            lasts += sum(samples.durations) if samples.durations else each * samples.count
            if first is None:
                first = samples.first_flags
    starts = struct.unpack_from(">Q", found(traf, b"tfdt"), 12)[0]
    return Run(track, starts, lasts, not (usual if first is None else first) & _NO_SYNC)


@dataclass(frozen=True, slots=True)
class _Samples:
    count: int
    durations: tuple[int, ...]
    first_flags: int | None


def _samples(trun: bytes) -> _Samples:
    flags, count = struct.unpack_from(">II", trun, 8)
    at = 16 + 4 * bool(flags & _DATA_OFFSET)
    first: int | None = None
    if flags & _FIRST_FLAGS:
        first = struct.unpack_from(">I", trun, at)[0]
        at += 4
    width = _width(flags)
    if flags & _EACH_FLAGS and first is None and count:
        before = bool(flags & _EACH_DURATION) + bool(flags & _EACH_SIZE)
        first = struct.unpack_from(">I", trun, at + 4 * before)[0]
    durations: tuple[int, ...] = ()
    if flags & _EACH_DURATION:
        durations = struct.unpack_from(f">{count * width}I", trun, at)[::width]
    return _Samples(count, durations, first)


def _width(flags: int) -> int:
    return sum(bool(flags & one) for one in (_EACH_DURATION, _EACH_SIZE, _EACH_FLAGS, _EACH_SHIFT))


def growth(held: Iterable[Run], places: Mapping[int, Place]) -> int:
    """Return by how many bytes ``placed`` makes the ``moof`` of those runs longer."""
    return sum(4 * (places[run.track].description != 1) for run in held)


def placed(
    moof: bytes, sequence: int, places: Mapping[int, Place], starts: Mapping[int, int]
) -> bytes:
    """Return *moof* as it stands in the film: its number, its tracks, its times.

    *starts*: by the film's track, when its samples begin (tfdt), in ticks.
    """
    grown = growth(runs(moof), places)

    def part_of_traf(kind: bytes, content: bytes, place: Place) -> bytes:
        if kind == b"tfhd":
            return _header(content, place)
        if kind == b"tfdt":
            return full_box(b"tfdt", 1, 0, struct.pack(">Q", starts[place.track]))
        return _run_of(content, place, grown) if kind == b"trun" else content

    content: list[bytes] = []
    for kind, one in inside(moof):
        if kind == b"mfhd":
            one = full_box(b"mfhd", 0, 0, struct.pack(">I", sequence))
        elif kind == b"traf":
            place = places[struct.unpack_from(">I", found(one, b"tfhd"), 12)[0]]
            one = box(b"traf", *(part_of_traf(*inner, place) for inner in inside(one)))
        content.append(one)
    return box(b"moof", *content)


def _header(tfhd: bytes, place: Place) -> bytes:
    flags, description, rest = struct.unpack_from(">I", tfhd, 8)[0], b"", tfhd[16:]
    if place.description != 1:
        flags |= _DESCRIPTION
        description = struct.pack(">I", place.description)
    if flags & _DURATION:
        (duration,) = struct.unpack_from(">I", rest)
        rest = struct.pack(">I", round(duration * place.scale)) + rest[4:]
    return box(b"tfhd", struct.pack(">II", flags, place.track), description, rest)


def _run_of(trun: bytes, place: Place, grown: int) -> bytes:
    flags, count = struct.unpack_from(">II", trun, 8)
    changed = bytearray(trun)
    at = 16
    if flags & _DATA_OFFSET:
        (offset,) = struct.unpack_from(">i", trun, at)
        struct.pack_into(">i", changed, at, offset + grown)
        at += 4
    at += 4 * bool(flags & _FIRST_FLAGS)
    if place.scale != 1 and flags & (_EACH_DURATION | _EACH_SHIFT):
        width = _width(flags)
        values = list(struct.unpack_from(f">{count * width}I", trun, at))
        if flags & _EACH_DURATION:
            values[::width] = _scaled(values[::width], place.scale)
        if flags & _EACH_SHIFT:  # signed in version 1; ours never go back
            last = width - 1
            values[last::width] = [round(value * place.scale) for value in values[last::width]]
        struct.pack_into(f">{len(values)}I", changed, at, *values)
    return bytes(changed)


def _scaled(durations: Sequence[int], scale: Fraction) -> list[int]:
    """Return *durations* times *scale*, rounded so that their sum is right to one tick."""
    ends, total = [0], 0
    for duration in durations:
        total += duration
        ends.append(round(total * scale))
    return [later - sooner for sooner, later in pairwise(ends)]


def fragment(sequence: int, track: int, starts: int, samples: Sequence[tuple[int, bytes]]) -> bytes:
    """Return a fragment of one track: *samples* of (ticks it lasts, bytes)."""
    header = full_box(b"tfhd", 0, _BASE_IS_MOOF, struct.pack(">I", track))
    time = full_box(b"tfdt", 1, 0, struct.pack(">Q", starts))
    flags = _DATA_OFFSET | _EACH_DURATION | _EACH_SIZE
    table = b"".join(struct.pack(">II", lasts, len(content)) for lasts, content in samples)

    def moof(offset: int) -> bytes:
        run = full_box(b"trun", 0, flags, struct.pack(">Ii", len(samples), offset), table)
        number = full_box(b"mfhd", 0, 0, struct.pack(">I", sequence))
        return box(b"moof", number, box(b"traf", header, time, run))

    return moof(len(moof(0)) + 8) + box(b"mdat", *(content for _, content in samples))
