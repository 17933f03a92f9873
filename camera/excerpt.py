"""Pieces of a recording: one frame, or its last seconds: ``python -m camera.excerpt``.

Reads stored parts and those that are still being written (a fragmented MP4 is readable as far as
it goes). A process of its own at low priority, since decoding takes a core for a moment.

    asked:    {"do": "frame", "file", "start", "opens", "closes", "aim", "path"}
    answered: {"at"}             when the frame was recorded; its JPEG lies at "path"
    asked:    {"do": "clip", "file", "start", "seconds", "path"}
    answered: {"at"}             when the clip begins; the MP4 lies at "path"
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
from av.container import InputContainer
from av.error import FFmpegError
from av.packet import Packet

from camera.failures import Failure, StreamFailed
from camera.oneshot import answer, ask
from camera.stream import encoded
from edge.model import SECOND, Instant, Reading, Window

DEADLINE_S = 60.0
_POLITE = 10  # nice
_MUXER = {"movflags": "faststart"}


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a recording: its file, and when its first frame was recorded.

    ``clocks``: of that moment, None where older software did not state them.
    """

    camera: str
    file: Path
    start: Instant
    clocks: Reading | None = None


def frame(part: Part, window: Window, aim: Instant, path: Path) -> Instant:
    """Write the frame of *part* inside *window* that is nearest to *aim*; return its time.

    Raises StreamFailed when there is none.
    """
    question = {
        "do": "frame",
        "file": str(part.file),
        "start": part.start,
        "opens": window.opens,
        "closes": window.last,
        "aim": aim,
        "path": str(path),
    }
    return int(ask("camera.excerpt", question, DEADLINE_S)["at"])


def clip(part: Part, seconds: float, path: Path) -> Instant:
    """Write the last *seconds* of *part*, from a key frame on, as they are; return their start.

    Raises StreamFailed when the part holds no video.
    """
    question = {
        "do": "clip",
        "file": str(part.file),
        "start": part.start,
        "seconds": seconds,
        "path": str(path),
    }
    return int(ask("camera.excerpt", question, DEADLINE_S)["at"])


def _work(question: dict[str, Any]) -> dict[str, Any]:
    os.nice(_POLITE)
    do = {"frame": _frame, "clip": _clip}[question["do"]]
    try:
        with av.open(question["file"], format="mp4") as container:
            return {"at": do(container, question)}
    except (FFmpegError, OSError, IndexError) as error:
        raise StreamFailed(
            Failure.BROKEN, f"the recording cannot be read ({type(error).__name__})"
        ) from None


def _shown(packet: Packet[Any]) -> Fraction:
    assert packet.pts is not None and packet.time_base is not None
    return packet.pts * packet.time_base


def _packets(container: InputContainer) -> list[Packet[Any]]:
    """Return the video's packets with a time, up to a torn end."""
    found: list[Packet[Any]] = []
    try:
        for packet in container.demux(container.streams.video[0]):
            if packet.size and packet.pts is not None and packet.time_base is not None:
                found.append(packet)
    except FFmpegError:
        pass  # the end is being written, or was torn off; what came before counts
    if not found:
        raise StreamFailed(Failure.BROKEN, "the recording holds no video yet")
    return found


def _frame(container: InputContainer, question: dict[str, Any]) -> Instant:
    packets = _packets(container)
    first = min(_shown(packet) for packet in packets)

    def at(packet: Packet[Any]) -> Instant:
        return int(question["start"]) + round((_shown(packet) - first) * SECOND)

    inside = [one for one in packets if question["opens"] <= at(one) <= question["closes"]]
    if not inside:
        raise StreamFailed(Failure.BROKEN, "the recording has no frame of that time")
    chosen = min(inside, key=lambda one: abs(at(one) - question["aim"]))
    # From the key frame before it on; what follows the chosen one is not needed.
    place = packets.index(chosen)
    begin = max(index for index in range(place + 1) if packets[index].is_keyframe or index == 0)
    decoder = container.streams.video[0].codec_context
    last = None
    for packet in (*packets[begin : place + 1], None):
        for picture in decoder.decode(packet):
            if picture.pts is not None and last is not None and picture.pts > (chosen.pts or 0):
                break
            last = picture
    if last is None:
        raise StreamFailed(Failure.BROKEN, "the frame cannot be decoded")
    Path(question["path"]).write_bytes(encoded(last))
    return at(chosen)


def _clip(container: InputContainer, question: dict[str, Any]) -> Instant:
    packets = _packets(container)
    first = min(_shown(packet) for packet in packets)
    since = max(_shown(packet) for packet in packets) - Fraction(question["seconds"])
    begins = [
        index
        for index, one in enumerate(packets)
        if one.is_keyframe and (_shown(one) <= since or index == 0)
    ]
    kept = packets[begins[-1] if begins else 0 :]
    offset = min(packet.dts if packet.dts is not None else packet.pts or 0 for packet in kept)
    begin = min(_shown(packet) for packet in kept)
    with av.open(question["path"], "w", format="mp4", options=_MUXER) as output:
        track = output.add_stream_from_template(container.streams.video[0])
        for packet in kept:
            if packet.dts is None:
                packet.dts = packet.pts
            assert packet.dts is not None and packet.pts is not None
            packet.dts, packet.pts = packet.dts - offset, packet.pts - offset
            packet.stream = track
            output.mux(packet)
    return int(question["start"]) + round((begin - first) * SECOND)


if __name__ == "__main__":
    answer(_work)
