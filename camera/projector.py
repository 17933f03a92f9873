"""Pictures of this moment for somebody at the centre who looks: decoded beside the recording.

Owns a thread of its own in the recording process, at low priority, that decodes the stream while
somebody looks, and makes one small JPEG of it now and then. Promises that the recording never waits
for it: where it does not keep up it leaves pictures out, up to the next key frame. While nobody
looks it costs nothing.
"""

from __future__ import annotations

import contextlib
import os
import queue
import threading
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
from av.error import FFmpegError
from av.packet import Packet
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame

from edge import glimpses
from edge.clock import monotonic
from edge.glimpses import Glimpse
from edge.model import Instant

EVERY_S = 0.7
# Pictures that may wait to be decoded: some seconds of a stream.
_WAITING = 100
_NICE = 10
# From the largest to the smallest that shows who sits where: width in pixels, MJPEG quantiser.
_SIZES = ((640, 4), (640, 7), (480, 8), (320, 8), (320, 16))
_FF_QP2LAMBDA = 118

_Waiting = tuple[bytes, bool, bytes, Instant, float]


class Projector:
    """Takes packets from the recording's thread, and orders from the one that listens."""

    def __init__(self) -> None:
        self._path: Path | None = None
        self._most = glimpses.MOST_BYTES
        self._packets: queue.Queue[_Waiting] = queue.Queue(_WAITING)
        self._in_step = False  # from a key frame on, without one left out
        self._thread: threading.Thread | None = None

    def show(self, path: Path | None, most: int) -> None:
        """Keep a picture of at most *most* bytes at *path* from here on; None: no more."""
        self._most = most
        self._path = path
        if path is not None and self._thread is None:
            self._thread = threading.Thread(target=self._run, name="projector", daemon=True)
            self._thread.start()

    def take(self, packet: Packet[Any], parameters: bytes, at: Instant) -> None:
        """Take note of a packet of the video; never waits."""
        if self._path is None:
            self._in_step = False
            return
        if packet.is_keyframe:
            self._in_step = True
        if not self._in_step:
            return
        try:
            self._packets.put_nowait(
                (bytes(packet), packet.is_keyframe, parameters, at, monotonic())
            )
        except queue.Full:
            self._in_step = False

    def _run(self) -> None:
        with contextlib.suppress(OSError):  # Linux takes a thread's id for a process's
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICE)
        decoder: VideoCodecContext | None = None
        decodes = b""
        next_at = 0.0
        while True:
            content, key, parameters, at, mono = self._packets.get()
            path = self._path
            if path is None:
                decoder = None
                continue
            if key and (decoder is None or parameters != decodes):
                decoder, decodes = _decoder(parameters), parameters
            if decoder is None:
                continue
            try:
                frames = decoder.decode(Packet(content))
                if not frames or mono < next_at:
                    continue
                picture = small(frames[-1], self._most)
            except FFmpegError:
                decoder = None  # damaged: the next key frame is a fresh beginning
                continue
            next_at = mono + EVERY_S
            with contextlib.suppress(OSError):  # a full tmpfs costs a picture, which is no fact
                glimpses.put(path, Glimpse(at, mono, picture))


def small(frame: VideoFrame, most: int) -> bytes:
    """Return *frame* as the best JPEG of at most *most* bytes; the smallest where none is so small.

    Raises FFmpegError.
    """
    made = b""
    for made in _tried(frame):
        if len(made) <= most:
            break
    return made


def _tried(frame: VideoFrame) -> Iterator[bytes]:
    for width, quantiser in _SIZES:
        width = min(width, frame.width)
        height = max(2, round(frame.height * width / frame.width / 2) * 2)
        picture = frame.reformat(width=width, height=height, format="yuvj420p")
        picture.pts = 0
        encoder = av.CodecContext.create("mjpeg", "w")
        assert isinstance(encoder, VideoCodecContext)
        encoder.width, encoder.height = picture.width, picture.height
        encoder.pix_fmt = "yuvj420p"
        encoder.time_base = Fraction(1, 25)
        encoder.options = {"flags": "qscale", "global_quality": str(_FF_QP2LAMBDA * quantiser)}
        encoder.qmin = encoder.qmax = quantiser
        yield b"".join(map(bytes, (*encoder.encode(picture), *encoder.encode(None))))


def _decoder(parameters: bytes) -> VideoCodecContext:
    decoder = av.CodecContext.create("h264", "r")
    assert isinstance(decoder, VideoCodecContext)
    decoder.thread_count = 1
    # The picture at hand is wanted, not the order in which a film would show them.
    decoder.flags |= int(av.codec.context.Flags.low_delay)
    if parameters:
        decoder.extradata = parameters
    return decoder
