"""The head of a joined film: its description, its text track, its metadata, its index. Pure."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence

from edge.film.boxes import EPOCH, box, full_box
from edge.model import SECOND, Duration, Instant

TEXT_TIMESCALE = 1000
# One frame of silence in AAC-LC at any sample rate, by the number of channels.
SILENCE = {1: bytes.fromhex("00c800802380"), 2: bytes.fromhex("210049900219002380")}
AAC_FRAME = 1024
_MATRIX = struct.pack(">9I", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)
_MEMORY = struct.pack(">Q", 0)  # two reserved words
# The items of iTunes' metadata, which players and ffprobe show by these names.
_ITEMS = {"title": b"\xa9nam", "date": b"\xa9day", "comment": b"\xa9cmt"}
_UTF8 = 1


def head(
    traks: Sequence[bytes], lasts: Duration, made: Instant, metadata: Mapping[str, str]
) -> bytes:
    """Return ``ftyp`` and ``moov`` of a film with *traks* of the ids 1, 2 …, lasting *lasts*."""
    created = EPOCH + made // SECOND
    milliseconds = lasts * 1000 // SECOND
    mvhd = full_box(
        b"mvhd",
        1,
        0,
        struct.pack(">QQIQ", created, created, 1000, milliseconds),
        struct.pack(">IHH", 0x10000, 0x100, 0),  # played at its own speed, full volume
        _MEMORY,
        _MATRIX,
        bytes(24),
        struct.pack(">I", len(traks) + 1),
    )
    mehd = full_box(b"mehd", 1, 0, struct.pack(">Q", milliseconds))
    trexes = [
        full_box(b"trex", 0, 0, struct.pack(">5I", number, 1, 0, 0, 0))
        for number in range(1, len(traks) + 1)
    ]
    return box(b"ftyp", b"iso5", struct.pack(">I", 512), b"iso5iso6mp41") + box(
        b"moov", mvhd, *traks, box(b"mvex", mehd, *trexes), _udta(metadata)
    )


def _udta(metadata: Mapping[str, str]) -> bytes:
    items = [
        box(
            _ITEMS[name],
            box(b"data", struct.pack(">II", _UTF8, 0), text.encode("utf-8")),
        )
        for name, text in metadata.items()
    ]
    handler = full_box(b"hdlr", 0, 0, bytes(4), b"mdirappl", bytes(9))
    return box(b"udta", full_box(b"meta", 0, 0, handler, box(b"ilst", *items)))


def text_track(track_id: int, made: Instant) -> bytes:
    """Return the ``trak`` of timed text (3GPP TS 26.245), whose ticks are milliseconds."""
    created = EPOCH + made // SECOND
    shown_in_picture = 0x3  # enabled, in the movie
    tkhd = full_box(
        b"tkhd",
        1,
        shown_in_picture,
        struct.pack(">QQIIQ", created, created, track_id, 0, 0),
        _MEMORY,
        struct.pack(">hhhh", 0, 1, 0, 0),  # its own alternate group
        _MATRIX,
        struct.pack(">II", 0, 0),
    )
    und = 0x55C4  # a language that is not named
    mdhd = full_box(
        b"mdhd", 1, 0, struct.pack(">QQIQHH", created, created, TEXT_TIMESCALE, 0, und, 0)
    )
    hdlr = full_box(b"hdlr", 0, 0, bytes(4), b"sbtl", bytes(12), b"watermark\0")
    style = struct.pack(">HHHBBI", 0, 0, 1, 0, 18, 0xFFFFFFFF)
    fonts = box(b"ftab", struct.pack(">HHB", 1, 1, 5), b"Serif")
    entry = box(
        b"tx3g",
        bytes(6),
        struct.pack(">H", 1),
        struct.pack(">IbbI", 0, 1, -1, 0),  # centred, at the bottom, no background
        struct.pack(">hhhh", 0, 0, 0, 0),
        style,
        fonts,
    )
    tables = [
        full_box(b"stsd", 0, 0, struct.pack(">I", 1), entry),
        full_box(b"stts", 0, 0, bytes(4)),
        full_box(b"stsc", 0, 0, bytes(4)),
        full_box(b"stsz", 0, 0, bytes(8)),
        full_box(b"stco", 0, 0, bytes(4)),
    ]
    data = box(b"dinf", full_box(b"dref", 0, 0, struct.pack(">I", 1), full_box(b"url ", 0, 1)))
    minf = box(b"minf", full_box(b"nmhd", 0, 0), data, box(b"stbl", *tables))
    return box(b"trak", tkhd, box(b"mdia", mdhd, hdlr, minf))


def text_sample(text: str) -> bytes:
    """Return a sample of the text track."""
    content = text.encode("utf-8")
    return struct.pack(">H", len(content)) + content


def index(timescale: int, starts: int, references: Sequence[tuple[int, int]]) -> bytes:
    """Return the ``sidx`` by which players seek, to stand right before what it refers to.

    *references*: of each stretch from one key frame to another, its bytes and its ticks.
    """
    entries = b"".join(
        # A reference to media; it begins with a key frame (SAP type 1).
        struct.pack(">III", size, lasts, 0x90000000)
        for size, lasts in references
    )
    return full_box(
        b"sidx",
        1,
        0,
        struct.pack(">IIQQHH", 1, timescale, starts, 0, 0, len(references)),
        entries,
    )
