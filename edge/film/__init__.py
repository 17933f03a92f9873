"""A lesson's recording as one MP4, joined while it is read: nothing is transcoded or copied. Pure.

The parts lie on the disk as fragmented MP4. The film is a head and their fragments, in which only
numbers and times are changed, so its size is known beforehand: it can be sent while it is made,
asked for by Range, broken off and resumed, and it needs no room on a disk that may be full. What
is missing stays missing: a gap is a leap in the time stamps, as long as the gap was, and in the
text track, which tells the wall time of each second, it says why.

Where a part's own length differs from the box's time (the camera's clock runs fast or slow), its
time stamps are stretched to the box's time, by which everything else is known.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import BinaryIO

from edge.film import boxes
from edge.film.boxes import VIDEO, BadBox, Place, Run, Track
from edge.film.head import AAC_FRAME, SILENCE, TEXT_TIMESCALE, head, index, text_sample, text_track
from edge.film.parts import Contents, Fragment, contents, last, read
from edge.model import SECOND, Duration, Instant
from edge.rules.timeline import Part, Sort, Stretch, Timeline

TYPE = "video/mp4"
_BLOCK = 1 << 18
# A part is stretched by no more than this: what differs further is no clock.
_MOST_STRETCH = 2
# A sidx counts in 16 bits.
_MOST_REFERENCES = 65_535

Opener = Callable[[str], BinaryIO | None]


class NothingToJoin(Exception):
    """No part of the recording is on this machine."""


@dataclass(frozen=True, slots=True)
class Cue:
    """One line of the text track, in µs from the film's beginning."""

    starts: Duration
    ends: Duration
    text: str


def cues(
    line: Timeline, caption: Callable[[Instant], str], missing: Callable[[Stretch], str]
) -> Iterator[Cue]:
    """Yield what the text track says: *caption* of each second, *missing* of each gap."""
    for stretch in line.stretches:
        if stretch.sort is Sort.AHEAD:
            continue
        if stretch.sort is not Sort.VIDEO:
            yield Cue(line.offset(stretch.starts), line.offset(stretch.ends), missing(stretch))
            continue
        at = stretch.starts
        while at < stretch.ends:
            after = min(stretch.ends, at // SECOND * SECOND + SECOND)
            yield Cue(line.offset(at), line.offset(after), caption(at))
            at = after


def webvtt(lines: Iterator[Cue]) -> str:
    """Return the same as a WebVTT file, for a player's ``<track>``."""

    def clock(at: Duration) -> str:
        seconds, rest = divmod(at, SECOND)
        minutes, second = divmod(seconds, 60)
        return f"{minutes // 60:02d}:{minutes % 60:02d}:{second:02d}.{rest * 1000 // SECOND:03d}"

    said = "\n\n".join(
        f"{clock(cue.starts)} --> {clock(cue.ends)}\n{cue.text.replace('-->', '→')}"
        for cue in lines
    )
    return f"WEBVTT\n\n{said}\n"


@dataclass(frozen=True, slots=True)
class _Piece:
    """A stretch of the film's bytes: made here, or a fragment that lies in a part's file."""

    at: int
    size: int
    made: bytes = b""
    sha256: str = ""
    fragment: Fragment | None = None
    sequence: int = 0
    places: Mapping[int, Place] = field(default_factory=dict)
    starts: Mapping[int, int] = field(default_factory=dict)


class Film:
    """One camera's recording of one lesson, as the bytes of an MP4."""

    def __init__(self, pieces: tuple[_Piece, ...], open_part: Opener) -> None:
        """See ``join``."""
        self._pieces = pieces
        self._open = open_part
        self.size = pieces[-1].at + pieces[-1].size
        # The parts that it is read from, by SHA-256.
        self.parts = tuple(dict.fromkeys(piece.sha256 for piece in pieces if piece.sha256))

    def read(self, at: int = 0, size: int | None = None) -> Iterator[bytes]:
        """Yield the bytes from *at* on, *size* of them, in blocks.

        Ends early when a part was deleted since the film was joined.
        """
        until = self.size if size is None else min(self.size, at + size)
        sha256, file = "", None
        try:
            for piece in self._pieces:
                if piece.at + piece.size <= at or piece.at >= until:
                    continue
                if piece.fragment is not None and piece.sha256 != sha256:
                    if file is not None:
                        file.close()
                    sha256, file = piece.sha256, self._open(piece.sha256)
                    if file is None:
                        return
                begins, ends = max(at, piece.at) - piece.at, min(until, piece.at + piece.size)
                yield from _bytes_of(piece, file, begins, ends - piece.at)
        finally:
            if file is not None:
                file.close()


def _bytes_of(piece: _Piece, file: BinaryIO | None, begins: int, ends: int) -> Iterator[bytes]:
    fragment = piece.fragment
    if fragment is None or file is None:
        yield piece.made[begins:ends]
        return
    moof = read(file, fragment.at, fragment.moof)
    moof = boxes.placed(moof, piece.sequence, piece.places, piece.starts)
    if begins < len(moof):
        yield moof[begins:ends]
    grown = len(moof) - fragment.moof
    at, until = fragment.at + max(begins, len(moof)) - grown, fragment.at + ends - grown
    while at < until:
        block = read(file, at, min(_BLOCK, until - at))
        if not block:
            return
        yield block
        at += len(block)


def join(
    line: Timeline,
    open_part: Opener,
    caption: Callable[[Instant], str],
    missing: Callable[[Stretch], str],
    metadata: Mapping[str, str],
) -> Film:
    """Return the film of *line*. *open_part*: a part's file by SHA-256, None when it is gone.

    *metadata*: ``title``, ``date`` and ``comment``. Raises NothingToJoin; a part whose file is
    gone or is no MP4 is left out, and its time shows nothing.
    """
    found: list[tuple[Stretch, Contents]] = []
    seen: set[str] = set()
    for stretch in line.of(Sort.VIDEO):
        assert stretch.part is not None
        file = None if stretch.part.sha256 in seen else open_part(stretch.part.sha256)
        seen.add(stretch.part.sha256)
        if file is not None:
            with file:
                try:
                    found.append((stretch, contents(file)))
                except BadBox:
                    continue
    joiner = _Joiner(line, [one for one in found if one[1].fragments])
    return Film(joiner.pieces(list(cues(line, caption, missing)), metadata), open_part)


# What shares a track: all pictures, whose players take over new parameters, and sound that is
# coded alike; other sound gets a track of its own, for decoders do not change theirs in mid-track.
_Kind = tuple[bytes, bytes]
_PICTURE: _Kind = (VIDEO, b"")


def _kind(track: Track) -> _Kind:
    return _PICTURE if track.handler == VIDEO else (track.handler, track.description)


class _Joiner:
    """Lays out the film: which tracks there are, what goes where."""

    def __init__(self, line: Timeline, parts: list[tuple[Stretch, Contents]]) -> None:
        if not parts:
            raise NothingToJoin("no part of this recording is here")
        self._line = line
        self._parts = parts
        # The film's tracks: what the first of its kind was like, and all descriptions there are.
        self._models: dict[_Kind, Track] = {}
        self._descriptions: dict[_Kind, list[bytes]] = {}
        for track in (one for _, part in parts for one in part.tracks):
            self._models.setdefault(_kind(track), track)
            known = self._descriptions.setdefault(_kind(track), [])
            if track.description not in known:
                known.append(track.description)
        if _PICTURE not in self._models:
            raise NothingToJoin("no part of this recording holds a picture")
        order = sorted(self._models, key=lambda kind: kind != _PICTURE)
        self._ids = {kind: number for number, kind in enumerate(order, start=1)}
        self._text = len(self._ids) + 1
        self._reached = dict.fromkeys(self._ids.values(), 0)
        self._sequence = 0

    def pieces(self, said: list[Cue], metadata: Mapping[str, str]) -> tuple[_Piece, ...]:
        body: list[_Piece] = []
        # Of each piece that begins with a key frame: its number among the pieces, its ticks.
        keys: list[tuple[int, int]] = []
        body += self._silence()
        for number, (stretch, part) in enumerate(self._parts):
            following = self._parts[number + 1][0] if number + 1 < len(self._parts) else None
            until = self._line.offset(following.starts) if following else None
            text = [one for one in said if until is None or one.starts < until]
            said = said[len(text) :]
            if text:
                body.append(self._text_piece(text))
            begins = len(body) - bool(text)
            for piece in self._placed(stretch, part):
                if any(run.track == 1 and run.begins_with_key for run in _renamed(piece)):
                    keys.append((begins, piece.starts[1]))
                body.append(piece)
                begins = len(body)
        top = self._head(metadata, body, keys)
        pieces, at = [_Piece(0, len(top), made=top)], len(top)
        for piece in body:
            pieces.append(replace(piece, at=at))
            at += piece.size
        return tuple(pieces)

    def _silence(self) -> Iterator[_Piece]:
        """Yield a frame of silence for each sound that begins after the first picture.

        Without it libavformat, and Chromium with it, would take the film for longer than it is
        by as much as the sound is late.
        """
        stretch, part = self._parts[0]
        assert stretch.part is not None
        first = self._line.offset(stretch.part.starts)
        present = {_kind(track) for track in part.tracks}
        for kind, number in self._ids.items():
            model = self._models[kind]
            frame = SILENCE.get(boxes.channels(model.description))
            if kind in present or frame is None:
                continue
            self._sequence += 1
            starts = first * model.timescale // SECOND
            made = boxes.fragment(self._sequence, number, starts, [(AAC_FRAME, frame)])
            yield _Piece(0, len(made), made)

    def _text_piece(self, text: list[Cue]) -> _Piece:
        def ticks(at: Duration) -> int:
            return at * TEXT_TIMESCALE // SECOND

        self._sequence += 1
        samples: list[tuple[int, bytes]] = []
        reached = starts = ticks(text[0].starts)
        for cue in text:
            if ticks(cue.starts) > reached:  # nothing is said in between
                samples.append((ticks(cue.starts) - reached, text_sample("")))
            samples.append((ticks(cue.ends) - ticks(cue.starts), text_sample(cue.text)))
            reached = ticks(cue.ends)
        made = boxes.fragment(self._sequence, self._text, starts, samples)
        return _Piece(0, len(made), made)

    def _placed(self, stretch: Stretch, part: Contents) -> Iterator[_Piece]:
        assert stretch.part is not None
        places = self._places(stretch.part, part)
        for fragment in part.fragments:
            starts: dict[int, int] = {}
            for run in fragment.runs:
                place = places[run.track]
                at = max(place.starts + round(run.starts * place.scale), self._reached[place.track])
                starts[place.track] = at
                self._reached[place.track] = at + round(run.lasts * place.scale)
            self._sequence += 1
            grown = boxes.growth(fragment.runs, places)
            yield _Piece(
                0,
                fragment.size + grown,
                sha256=stretch.part.sha256,
                fragment=fragment,
                sequence=self._sequence,
                places=places,
                starts=starts,
            )

    def _places(self, part: Part, held: Contents) -> dict[int, Place]:
        """Return where the tracks of a part go; by the box's time, not by the camera's."""
        video = next(track for track in held.tracks if track.handler == VIDEO)
        whole = last(held, video)
        stretch = Fraction((part.ends - part.starts) * video.timescale, max(1, whole) * SECOND)
        if not 1 / Fraction(_MOST_STRETCH) <= stretch <= _MOST_STRETCH:
            stretch = Fraction(1)
        places = {}
        for track in held.tracks:
            scale = self._models[_kind(track)].timescale
            places[track.id] = Place(
                track=self._ids[_kind(track)],
                description=1 + self._descriptions[_kind(track)].index(track.description),
                starts=self._line.offset(part.starts) * scale // SECOND,
                scale=stretch * Fraction(scale, track.timescale),
            )
        return places

    def _head(
        self, metadata: Mapping[str, str], body: list[_Piece], keys: list[tuple[int, int]]
    ) -> bytes:
        timescale = self._models[_PICTURE].timescale
        made = self._parts[0][0].starts
        traks = [
            boxes.joined_track(self._models[kind], number, self._descriptions[kind])
            for kind, number in self._ids.items()
        ]
        traks.append(text_track(self._text, made))
        lasts = self._reached[1] * SECOND // timescale
        top = head(traks, lasts, made, metadata)
        keys = keys[:: 1 + len(keys) // _MOST_REFERENCES]
        keys[:1] = [(0, keys[0][1] if keys else 0)]  # what stands before it belongs to the first
        ends = [*keys[1:], (len(body), self._reached[1])]
        references = [
            (sum(piece.size for piece in body[first:beyond]), later - ticks)
            for (first, ticks), (beyond, later) in zip(keys, ends, strict=True)
        ]
        return top + index(timescale, keys[0][1], references)


def _renamed(piece: _Piece) -> Iterator[Run]:
    """Yield the runs of *piece* under the film's own track numbers."""
    for run in piece.fragment.runs if piece.fragment else ():
        yield Run(piece.places[run.track].track, run.starts, run.lasts, run.begins_with_key)
