"""One part of a recording: a fragmented MP4 that is readable up to its last written second.

Owns the file while it grows. Promises that what ``sync`` returned is on the disk, that neither a
kill nor a full disk makes the file unreadable, and that the picture is never lost for the sake of
the sound: AAC is copied, G.711 becomes AAC, other sound is left out.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path
from typing import Any, BinaryIO, Protocol

import av
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from av.error import FFmpegError
from av.packet import Packet

from camera.stream import Stream
from edge.model import SECOND, Duration, Instant

COPIED_SOUND = frozenset({"aac"})
CONVERTED_SOUND = frozenset({"pcm_alaw", "pcm_mulaw"})

_MUXER = {
    "movflags": "frag_keyframe+empty_moov+default_base_moof",
    "frag_duration": "1000000",
    "flush_packets": "1",
}
# A stamp that goes back by less is put right; one that jumps further begins a new file, since a
# file with a jump in it seeks to the wrong place.
_PUT_RIGHT_S = 1
_JUMP_S = 5
_AAC_FRAME = 1024
_AAC_BITS = 32_000


class Jump(Exception):
    """The camera's time stamps jumped: this file must end, and another begin at a key frame."""


class GrowingFile:
    """Unbuffered and append-only, so that each fragment reaches the kernel at once."""

    def __init__(self, path: Path) -> None:
        """Create *path*; its folder is synced, so that its name survives a power cut."""
        self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o640)
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
        self._broken = False
        self.size = 0

    def write(self, content: bytes) -> int:
        """Append *content*. After a first failure (disk full) it only pretends to."""
        view = memoryview(content)
        while view and not self._broken:
            try:
                written = os.write(self._descriptor, view)
            except OSError:
                # libavformat goes on flushing while it is torn down; that must not raise again.
                self._broken = True
                raise
            self.size += written
            view = view[written:]
        return len(content)

    def sync(self) -> int:
        """Bring everything written to the disk; return how many bytes that is."""
        if not self._broken:
            os.fdatasync(self._descriptor)
        return self.size

    def close(self) -> None:
        """Sync and close."""
        self.sync()
        os.close(self._descriptor)


@dataclass(slots=True)
class _Track:
    """How one stream's stamps become the file's: minus ``offset``, always after ``last``."""

    offset: int
    ticks_a_second: Fraction
    last: int = -1


class _Sound(Protocol):
    def packets(self, packet: Packet[Any]) -> Iterator[Packet[Any]]:
        """Return what to write for *packet*, whose stamps already are the file's."""

    def rest(self) -> Iterator[Packet[Any]]:
        """Return what was held back, at the end of the file."""


class Segment:
    """One file that begins at a key frame of *stream*."""

    def __init__(
        self,
        path: Path,
        stream: Stream,
        key_frame: Packet[Any],
        at: Instant,
        *,
        key_frames: bool = False,
    ) -> None:
        """Create the file; ``at`` is when *key_frame*, to be written next, arrived.

        *key_frames*: of the picture keep the key frames only, and no sound, which would take as
        much room as they do.
        """
        self._key_frames = key_frames
        self._file = GrowingFile(path)
        self._output = av.open(self._file, "w", format="mp4", options=_MUXER)
        moment = datetime.fromtimestamp(at / 1_000_000, UTC)
        self._output.metadata["creation_time"] = moment.isoformat()
        self._video = self._output.add_stream_from_template(stream.video)
        self._video.codec_context.extradata = stream.parameters
        self._video.codec_context.width, self._video.codec_context.height = stream.size
        assert stream.video.time_base is not None
        begin = Fraction(key_frame.dts or 0) * stream.video.time_base
        self._index = stream.video.index
        self._tracks = {stream.video.index: _track(stream.video.time_base, begin)}
        self._sound: _Sound | None = None
        if (
            not key_frames
            and stream.audio is not None
            and stream.audio.codec_context.name in (COPIED_SOUND | CONVERTED_SOUND)
        ):
            assert stream.audio.time_base is not None
            self._tracks[stream.audio.index] = _track(stream.audio.time_base, begin)
            copied = stream.audio.codec_context.name in COPIED_SOUND
            self._sound = (_Copied if copied else _Converted)(self._output, stream.audio)
        self._output.start_encoding()
        self._header = self._file.size

    def write(self, packet: Packet[Any]) -> None:
        """Append *packet*. Raises Jump before writing it, OSError when the disk is full."""
        track = self._tracks.get(packet.stream.index)
        if track is None:
            return
        is_video = packet.stream.type == "video"
        if not _fit(packet, track, is_video):
            return
        if self._key_frames and not packet.is_keyframe:
            return
        if is_video:
            packet.stream = self._video
            self._output.mux(packet)
        elif self._sound is not None:
            for part in self._sound.packets(packet):
                self._output.mux(part)

    @property
    def played(self) -> Duration:
        """How far the video goes by the camera's own clock."""
        track = self._tracks[self._index]
        return round(track.last / track.ticks_a_second * SECOND) if track.last > 0 else 0

    def sync(self) -> int:
        """Bring what was written to the disk; return how many bytes of video that is."""
        return self._file.sync() - self._header

    def close(self) -> None:
        """End the file. Never raises for what libavformat could not add: it is readable anyway."""
        try:
            if self._sound is not None:
                for part in self._sound.rest():
                    self._output.mux(part)
            self._output.close()
        except (FFmpegError, OSError):
            pass  # what is on the disk plays; its last second is lost, as after a kill
        finally:
            self._file.close()


class _Copied:
    def __init__(self, output: av.container.OutputContainer, audio: AudioStream) -> None:
        self._stream = output.add_stream_from_template(audio)

    def packets(self, packet: Packet[Any]) -> Iterator[Packet[Any]]:
        packet.stream = self._stream
        yield packet

    def rest(self) -> Iterator[Packet[Any]]:
        return iter(())


class _Converted:
    """G.711 → AAC. A damaged packet costs its own 20 ms and nothing else."""

    def __init__(self, output: av.container.OutputContainer, audio: AudioStream) -> None:
        rate = audio.codec_context.sample_rate
        self._decoder = audio.codec_context
        self._encoder = output.add_stream("aac", rate=rate, layout="mono")
        self._encoder.codec_context.bit_rate = _AAC_BITS
        self._resampler = AudioResampler("fltp", "mono", rate, _AAC_FRAME)

    def packets(self, packet: Packet[Any]) -> Iterator[Packet[Any]]:
        try:
            frames = self._decoder.decode(packet)
        except FFmpegError:
            return
        for frame in frames:
            for piece in self._resampler.resample(frame):
                yield from self._encoder.encode(piece)

    def rest(self) -> Iterator[Packet[Any]]:
        for piece in self._resampler.resample(None):
            yield from self._encoder.encode(piece)
        yield from self._encoder.encode(None)


def _track(time_base: Fraction, begin: Fraction) -> _Track:
    return _Track(offset=round(begin / time_base), ticks_a_second=1 / time_base)


def _fit(packet: Packet[Any], track: _Track, is_video: bool) -> bool:
    """Give *packet* the file's stamps; False when it has no place in the file.

    Sound that was captured before the first picture has none. Raises Jump for the picture.
    """
    stamp = packet.dts if packet.dts is not None else packet.pts
    if stamp is None:
        return False
    decode = stamp - track.offset
    ahead = decode - track.last if track.last >= 0 else 0
    if is_video and not -_PUT_RIGHT_S * track.ticks_a_second < ahead < _JUMP_S * (
        track.ticks_a_second
    ):
        raise Jump
    if decode <= track.last:
        if not is_video:
            return False
        decode = track.last + 1
    if decode < 0:
        return False
    show = packet.pts - track.offset if packet.pts is not None else decode
    packet.dts, packet.pts = decode, max(show, decode)
    track.last = decode
    return True


def duration_of(path: Path) -> Duration | None:
    """Return how long the video in *path* plays, in µs; None when there is none to play.

    Reads what a kill or a full disk left: everything up to the last whole fragment counts.
    """
    first: Fraction | None = None
    last = Fraction(0)
    try:
        with av.open(str(path), format="mp4") as container:
            video = container.streams.video[0]
            for packet in container.demux(video):
                if packet.size == 0 or packet.pts is None or packet.time_base is None:
                    continue
                shown = packet.pts * packet.time_base
                first = shown if first is None else min(first, shown)
                last = max(last, shown + (packet.duration or 0) * packet.time_base)
    except (FFmpegError, IndexError):
        pass  # a torn last fragment; what came before it was counted
    return None if first is None else round((last - first) * 1_000_000)


def mend(path: Path) -> None:
    """Cut off the torn fragment that a kill, a power cut or a full disk leaves at the end.

    Players would stumble over it; it holds less than a second and cannot be decoded anyway.
    """
    with path.open("r+b") as file:
        size = file.seek(0, os.SEEK_END)
        whole = 0
        for end, kind in _boxes(file, size):
            # A fragment is a `moof` and its `mdat`; what comes before the first stands alone.
            if kind != b"moof":
                whole = end
        if whole < size:
            file.truncate(whole)
            os.fsync(file.fileno())


def _boxes(file: BinaryIO, size: int) -> Iterator[tuple[int, bytes]]:
    """Yield where each whole top-level box of an MP4 ends, and its kind (ISO 14496-12, 4.2)."""
    at = 0
    while at + 8 <= size:
        file.seek(at)
        length, kind = struct.unpack(">I4s", file.read(8))
        at += length
        if length < 8 or at > size:
            return
        yield at, kind
