"""One RTSP session: from an address to packets and key frames.

Owns how a camera is dialled and what it sends. Promises that every failure is one of
``camera.failures``, said in a sentence with its remedy; that no message holds a password; and
that a silent camera is noticed, not waited for (a frozen one answers nothing for ever).
"""

from __future__ import annotations

import socket
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote, urlsplit, urlunsplit

import av
from av.audio.stream import AudioStream
from av.error import (
    FFmpegError,
    HTTPBadRequestError,
    HTTPClientError,
    HTTPForbiddenError,
    HTTPNotFoundError,
    HTTPServerError,
    HTTPUnauthorizedError,
    InvalidDataError,
)
from av.packet import Packet
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from camera.failures import Failure, StreamFailed
from edge.clock import monotonic
from edge.model import Instant

SILENCE_S = 5
# Enough for the SDP of every camera that announces its H.264 parameters; the others are asked
# again at leisure. Opening takes 0.1 s instead of 1-2 s.
_QUICK = {"probesize": "32768", "analyzeduration": "0"}
# MJPEG quantiser 3 of 2..31: measured equal to libjpeg's quality 88.
_JPEG_QUANTISER = 3
_FF_QP2LAMBDA = 118
_PROTOCOL_NOT_SUPPORTED = 93
_START = b"\0\0\1"
_SPS, _PPS = 7, 8
_SLICES = range(1, 6)


def with_login(address: str, user: str, password: str) -> str:
    """Return *address* with the login in it, as libavformat wants it; no user, no change."""
    if not user:
        return address
    parts = urlsplit(address)
    host = parts.netloc.rpartition("@")[2]
    login = f"{quote(user, safe='')}:{quote(password, safe='')}@"
    return urlunsplit(parts._replace(netloc=login + host))


@dataclass(frozen=True, slots=True)
class KeyFrame:
    """A picture as the camera sent it: decodable by itself. ``at``: when it arrived."""

    content: bytes
    extradata: bytes
    at: Instant


class _TransportRefused(StreamFailed):
    """The camera speaks RTSP and wants its packets carried otherwise: 461, in some 400."""


class Stream:
    """An open RTSP session with H.264 video, and audio if the camera has any.

    Use as a context manager. Raises StreamFailed from the constructor and while iterating.
    """

    def __init__(self, address: str, *, transport: str = "auto") -> None:
        """Dial *address* (with its login) over ``tcp``, ``udp`` or ``auto``.

        That is TCP, which loses nothing, and UDP only where the camera refuses TCP.
        """
        self.address = address
        try:
            container = _open(address, "udp" if transport == "udp" else "tcp")
        except _TransportRefused:
            if transport != "auto":
                raise
            container = _open(address, "udp")
        self._container = container
        self.video = _h264(container, address)
        # How the pictures are to be decoded now; a camera may change it in mid-stream.
        self.parameters: bytes = self.video.codec_context.extradata or b""
        self.size = (self.video.codec_context.width, self.video.codec_context.height)
        self.audio: AudioStream | None = next(iter(container.streams.audio), None)

    def __enter__(self) -> Self:
        """Return the open stream."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Hang up."""
        self.close()

    def packets(self) -> Iterator[Packet[Any]]:
        """Yield packets of the video and the audio as they arrive, until the stream fails.

        The first key frame of an RTSP session has no time stamps: it is at 0. What libavformat
        sends to flush decoders (size 0) is left out, and so is what holds no picture: of one that
        was cut off (a camera that goes away, a lost datagram) its parameter sets alone may be
        left, and a player would stop at them.
        """
        wanted = [self.video, *([self.audio] if self.audio else [])]
        try:
            for packet in self._container.demux(wanted):
                if packet.size == 0:
                    continue
                if packet.stream.type == "video" and not holds_picture(bytes(packet)):
                    continue
                if packet.dts is None and packet.pts is None:
                    packet.pts = packet.dts = 0
                yield packet
        except FFmpegError as error:
            raise _explained(error, self.address) from None
        raise _hung_up(self.address)

    def key_frame(self, packet: Packet[Any], at: Instant) -> KeyFrame:
        """Return *packet*, a key frame of the video that arrived at *at*, as a value."""
        return KeyFrame(bytes(packet), self.parameters, at)

    def changes_with(self, key_frame: Packet[Any]) -> bool:
        """Take over the parameters that *key_frame* brings along; tell whether its SPS is new.

        Somebody chose another resolution, or the camera has its night settings: what follows
        cannot stand in one file with what came before. The announcement of the session (SDP)
        is no help, for some cameras never renew it. A new PPS alone changes no file's header.
        """
        sps, pps = parameter_sets(bytes(key_frame))
        if not (sps and pps):
            return False
        changes = sps != parameter_sets(self.parameters)[0]
        self.parameters = sps + pps
        if changes:
            self.size = _size(self.key_frame(key_frame, 0)) or self.size
        return changes

    def close(self) -> None:
        """Hang up."""
        self._container.close()


def parameter_sets(picture: bytes) -> tuple[bytes, bytes]:
    """Return the SPS and the PPS that stand before a *picture* in Annex B's form, in that form.

    Empty where they are missing.
    """
    found: dict[int, dict[bytes, None]] = {_SPS: {}, _PPS: {}}
    for kind, begins, ends in _units(picture):
        if kind in _SLICES:
            break
        if kind in found:
            unit = picture[begins:ends].rstrip(b"\0")
            # Kept once: some cameras send each several times over.
            found[kind].setdefault(b"\0" + _START + unit)
    return b"".join(found[_SPS]), b"".join(found[_PPS])


def holds_picture(packet: bytes) -> bool:
    """Tell whether *packet*, in Annex B's form, has a slice: any part of a picture."""
    return any(kind in _SLICES for kind, _, _ in _units(packet))


def _units(packet: bytes) -> Iterator[tuple[int, int, int]]:
    """Yield kind, beginning and end of the units of *packet*, which is read no further than asked.

    ISO 14496-10, 7.3.1 and annex B: a unit begins after 00 00 01, and the lower five bits of its
    first byte say what it is.
    """
    begins = packet.find(_START)
    while begins >= 0:
        begins += len(_START)
        kind = packet[begins] & 0x1F if begins < len(packet) else 0
        # A slice is the last that anybody looks at, and to look for its end is to read it all.
        following = -1 if kind in _SLICES else packet.find(_START, begins)
        yield kind, begins, len(packet) if following < 0 else following
        begins = following


def jpeg(key_frame: KeyFrame) -> bytes:
    """Return the picture as a JPEG. Raises StreamFailed when it cannot be decoded."""
    return encoded(decoded(key_frame))


def decoded(key_frame: KeyFrame) -> VideoFrame:
    """Return the picture. Raises StreamFailed when it cannot be decoded."""
    try:
        return _decoded(key_frame)
    except (FFmpegError, IndexError):
        raise StreamFailed(
            Failure.BROKEN, "the camera's last key frame cannot be decoded; the next one may"
        ) from None


def _decoded(key_frame: KeyFrame) -> VideoFrame:
    decoder = av.CodecContext.create("h264", "r")
    assert isinstance(decoder, VideoCodecContext)
    decoder.thread_count = 1
    if key_frame.extradata:
        decoder.extradata = key_frame.extradata
    return [*decoder.decode(Packet(key_frame.content)), *decoder.decode(None)][-1]


def _size(key_frame: KeyFrame) -> tuple[int, int] | None:
    try:
        frame = _decoded(key_frame)
    except (FFmpegError, IndexError):
        return None
    return frame.width, frame.height


def encoded(frame: VideoFrame) -> bytes:
    """Return a decoded picture as a JPEG. Raises FFmpegError."""
    picture = frame.reformat(format="yuvj420p")
    picture.pts = 0
    encoder = av.CodecContext.create("mjpeg", "w")
    assert isinstance(encoder, VideoCodecContext)
    encoder.width, encoder.height = picture.width, picture.height
    encoder.pix_fmt = "yuvj420p"
    encoder.time_base = Fraction(1, 25)
    encoder.options = {
        "flags": "qscale",
        "global_quality": str(_FF_QP2LAMBDA * _JPEG_QUANTISER),
    }
    encoder.qmin = encoder.qmax = _JPEG_QUANTISER
    return b"".join(bytes(packet) for packet in (*encoder.encode(picture), *encoder.encode(None)))


def _open(address: str, transport: str) -> av.container.InputContainer:
    container = _dial(address, transport, _QUICK)
    if not _complete(container):
        container.close()
        container = _dial(address, transport, {})
    return container


def _dial(address: str, transport: str, options: dict[str, str]) -> av.container.InputContainer:
    began = monotonic()
    try:
        return av.open(
            address,
            options={
                "rtsp_transport": transport,
                "timeout": str(SILENCE_S * 1_000_000),
                **options,
            },
            timeout=(SILENCE_S, SILENCE_S),
        )
    except FFmpegError as error:
        if isinstance(error, InvalidDataError):
            # While it asks the camera, libavformat takes silence, and a connection that is closed
            # without a word, for an answer without sense.
            if monotonic() - began > SILENCE_S * 0.9:
                raise _silent(address) from None
            if not _says_anything(address):
                raise _hung_up(address) from None
        raise _explained(error, address) from None


def _says_anything(address: str) -> bool:
    """Tell whether anything is answered to the question that every RTSP server knows.

    Cameras that start, or have too many viewers, take a connection and close it.
    """
    where = urlsplit(address)
    question = f"OPTIONS rtsp://{where.hostname}/ RTSP/1.0\r\nCSeq: 1\r\n\r\n"
    try:
        with socket.create_connection((where.hostname, where.port or 554), SILENCE_S) as asked:
            asked.sendall(question.encode())
            return bool(asked.recv(1))
    except OSError:
        return False


def _complete(container: av.container.InputContainer) -> bool:
    """Tell whether a quick look was enough to write a file from."""
    if not container.streams.video:
        return False
    context = container.streams.video[0].codec_context
    if context.name == "h264" and not (context.width and context.extradata):
        return False
    return all(audio.codec_context.sample_rate for audio in container.streams.audio)


def _h264(container: av.container.InputContainer, address: str) -> VideoStream:
    video = next(iter(container.streams.video), None)
    codec = video.codec_context.name if video else ""
    if video is not None and codec == "h264" and video.codec_context.width:
        return video
    container.close()
    if not codec:
        what = "sends no video"
    elif codec == "h264":
        what = "sends no H.264 picture that can be decoded"
    else:
        what = f"sends {codec.upper()} video, which browsers do not play"
    raise StreamFailed(
        Failure.UNUSABLE,
        f"{address}: the camera {what}. Set its encoding to H.264 on the camera's own page, or "
        "give the address of another of its streams.",
    )


def _explained(error: FFmpegError, address: str) -> StreamFailed:
    """Return *error* as one of ours; libavformat's own text holds the password."""
    if isinstance(error, HTTPUnauthorizedError | HTTPForbiddenError):
        return StreamFailed(
            Failure.REFUSED,
            f"{address}: the camera refused the user name or the password. Correct them: "
            "classbox cameras login, or `user` and `password` in box.toml; after several wrong "
            "tries some cameras lock the account for minutes.",
        )
    if isinstance(error, HTTPNotFoundError):
        return StreamFailed(
            Failure.UNUSABLE,
            f"{address}: the camera knows no stream of this path. Look up the path in its manual, "
            'or give its ONVIF address and `kind = "onvif"`.',
        )
    if error.errno == _PROTOCOL_NOT_SUPPORTED or isinstance(error, HTTPBadRequestError):
        return _TransportRefused(
            Failure.UNUSABLE,
            f"{address}: the camera does not offer this transport. Set `transport` of this camera "
            'in box.toml to "auto".',
        )
    if isinstance(error, HTTPClientError | HTTPServerError):
        return StreamFailed(
            Failure.UNUSABLE,
            f"{address}: the camera answered with an error. Restart it; if that does not help, "
            "look up the address of its stream in its manual.",
        )
    if isinstance(error, InvalidDataError):
        return StreamFailed(
            Failure.UNUSABLE,
            f"{address}: what answers there is not a camera's RTSP stream. Check the address and "
            "the port (RTSP is usually at 554).",
        )
    if isinstance(error, av.error.ExitError | TimeoutError):
        return _silent(address)
    return StreamFailed(
        Failure.UNREACHABLE,
        f"{address}: the camera cannot be reached. Check that it has power, that its cable is "
        "plugged in, and that the address is right.",
    )


def _silent(address: str) -> StreamFailed:
    return StreamFailed(
        Failure.SILENT,
        f"{address}: the camera was silent for {SILENCE_S} s. Look at its network cable and its "
        "power supply.",
    )


def _hung_up(address: str) -> StreamFailed:
    return StreamFailed(
        Failure.ENDED,
        f"{address}: the camera closed the connection. If it was not restarted, look at its cable "
        "and its power supply.",
    )
