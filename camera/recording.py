"""The recording process of one camera: ``python -m camera.recording``, a child of the recorder.

Owns one RTSP session, which feeds the recording and the snapshots. It is a process of its own
because libavformat can block for ever in C, and a process can be killed. Promises that each part
of the recording exists as a draft (edge.media) before its first byte, and that it ends when its
parent does, by the kernel's signal (the parent asks for it) or because standard input closes.

Orders come as JSON lines on standard input, the first one being the camera itself:

    {"camera", "address", "transport", "media", "segment_length"}   address with its login
    {"do": "record", "lessons": ["…"], "quality"}   record for these from the next key frame on
    {"do": "photo", "id", "path"}           write the last key frame there as a JPEG
    {"do": "show", "path", "bytes"}         keep a picture of this moment there; no path: no more
    {"do": "stop"}

Reports go as JSON lines to standard output:

    {"say": "streaming", "note"}            the camera sends video
    {"say": "opened", "parts": [{"draft", "lesson"}], "start", "continuous"}
    {"say": "alive", "at", "bytes"}         each second; bytes of video that are safely on the disk
    {"say": "closed", "drafts": ["…"], "interrupted"}   these may be stored now
    {"say": "look", "grey", "mark", "rate"} a key frame made small, and frames a second
    {"say": "photo", "id", "at"} or {"say": "photo", "id", "error"}
    {"say": "failed", "kind", "message"}    the last report; see camera.failures
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import signal
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from av.error import FFmpegError
from av.packet import Packet

from camera.failures import Failure, StreamFailed, redacted
from camera.looks import Looks
from camera.projector import Projector
from camera.segment import CONVERTED_SOUND, COPIED_SOUND, Jump, Segment
from camera.stream import KeyFrame, Stream, jpeg
from edge.clock import STEP, inherited, monotonic
from edge.events import RecordingStored
from edge.files import sync_folder
from edge.media import Draft, MediaStore
from edge.model import SECOND, Duration, Instant, Reading
from edge.rules.disk import Quality

SYNC_EVERY_S = 1.0
# A key frame older than this shows a moment that is over.
STALE: Duration = 10 * SECOND
# How far a camera's clock and the box's may differ within one part before another begins, on two
# key frames in a row (a stall of the network is over by the second). What is shown when follows
# from where a part begins, in the box's time, so that the difference never adds up.
DRIFT: Duration = 1 * SECOND
# No camera that sends video is quiet for so long.
LULL: Duration = 2 * SECOND
# How long a child may need to end by itself once its parent is gone.
_FAREWELL_S = 15.0

Say = Callable[[dict[str, Any]], None]


@dataclass(frozen=True, slots=True)
class Order:
    """What one child records. ``address`` holds the login: never print it."""

    camera: str
    address: str
    transport: str
    media: str
    segment_length: Duration


@dataclass(frozen=True, slots=True)
class Wanted:
    """For which lessons to record, none for nothing, and how much of the stream."""

    lessons: tuple[str, ...]
    quality: Quality


@dataclass(slots=True)
class _Part:
    """The part that is being written: one file, one draft for each lesson it belongs to."""

    segment: Segment
    wanted: Wanted
    drafts: list[Draft]
    start: Instant
    drifted: bool = False

    def drifts(self, now: Instant) -> bool:
        """Tell whether the camera's clock has left the box's, at this key frame and the last."""
        before = self.drifted
        self.drifted = abs(now - self.start - self.segment.played) > DRIFT
        return before and self.drifted


class Recording:
    """The session: packets in, parts out."""

    def __init__(self, order: Order, say: Say) -> None:
        """Dial nothing yet; see ``run``."""
        self._order = order
        self._say = say
        self._media = MediaStore(Path(order.media))
        self._clock = inherited()
        self._reading = self._clock.now()  # at the packet under way
        self._offset: Duration | None = None
        self._part: _Part | None = None
        self._on_disk = 0
        self._next_sync = 0.0
        self._key_frame: KeyFrame | None = None
        self._last_packet: Instant = 0
        self._heard_at: Instant = 0
        self._looks = Looks()
        self.projector = Projector()
        # Set by the thread that reads orders.
        self.wanted = Wanted((), Quality.FULL)
        self.stop = threading.Event()

    def run(self) -> None:
        """Record until told to stop, or until something fails; then say what."""
        try:
            with Stream(self._order.address, transport=self._order.transport) as stream:
                self._say({"say": "streaming", "note": _note_on_sound(stream)})
                self._follow(stream)
        except StreamFailed as failure:
            self._fail(failure.kind, str(failure))
        except (FFmpegError, OSError) as error:
            self._fail(*_writing_trouble(error))

    def photo(self, photo_id: str, path: Path) -> None:
        """Write the last key frame to *path* and say when it was sent, or why there is none."""
        key_frame = self._key_frame
        try:
            if key_frame is None or self._clock.now().at - key_frame.at > STALE:
                raise StreamFailed(Failure.SILENT, "the stream has given no fresh key frame")
            path.write_bytes(jpeg(key_frame))
        except (StreamFailed, OSError) as error:
            self._say({"say": "photo", "id": photo_id, "error": str(error)})
        else:
            self._say({"say": "photo", "id": photo_id, "at": key_frame.at})

    def _follow(self, stream: Stream) -> None:
        for packet in stream.packets():
            reading = self._reading = self._clock.now()
            self._mind_a_leap(reading)
            now = reading.at
            self._hear(now)
            if packet.stream.type == "video":
                self._looks.count()
                self.projector.take(packet, stream.parameters, now)
            if packet.stream.type == "video" and packet.is_keyframe:
                self._at_key_frame(stream, packet, now)
                self._key_frame = stream.key_frame(packet, now)
                self._look(self._key_frame)
            elif self._part is not None and not self.wanted.lessons:
                self._end_part(now)
            if self._part is not None:
                self._write(stream, packet, now)
            if monotonic() >= self._next_sync:
                self._sync(now)
            if self.stop.is_set():
                self._end_part(now)
                return

    def _hear(self, now: Instant) -> None:
        """Note when the last packet came.

        libavformat holds one picture back until the next comes, and hands it over when it gives
        up waiting: what comes after a lull does not count before something follows it.
        """
        if now - self._heard_at <= LULL:
            self._last_packet = now
        self._heard_at = now

    @property
    def _last_end(self) -> Instant:
        """Where the part ends when it ends by itself; at its start when that is not known yet.

        The file says how far it goes then; see footage.
        """
        return max(self._part.start if self._part else 0, self._last_packet)

    def _look(self, key_frame: KeyFrame) -> None:
        now = monotonic()
        if self._looks.due(now):
            report = self._looks.report(key_frame, now)
            if report is not None:
                self._say(report)

    def _mind_a_leap(self, reading: Reading) -> None:
        """End the part where the time was set: none begins by one time and ends by another."""
        offset = reading.at - reading.mono // 1000
        if self._offset is not None and abs(offset - self._offset) > STEP:
            self._end_part(self._last_end)
        self._offset = offset

    def _at_key_frame(self, stream: Stream, packet: Packet[Any], now: Instant) -> None:
        part, changed = self._part, stream.changes_with(packet)
        if part is not None:
            due = now - part.start >= self._order.segment_length
            if part.wanted == self.wanted and not (due or changed or part.drifts(now)):
                return
            self._end_part(now)
        if self.wanted.lessons:
            self._begin_part(stream, packet, now, continues=part is not None)

    def _begin_part(
        self, stream: Stream, packet: Packet[Any], now: Instant, *, continues: bool
    ) -> None:
        wanted = self.wanted
        drafts = [
            self._media.draft(self._event_to_be(lesson, now, wanted.quality))
            for lesson in wanted.lessons
        ]
        key_frames = wanted.quality is Quality.KEY_FRAMES
        segment = Segment(drafts[0].path, stream, packet, now, key_frames=key_frames)
        for draft in drafts[1:]:
            os.link(drafts[0].path, draft.path)
        sync_folder(self._media.incoming)
        self._part = _Part(segment, wanted, drafts, now)
        parts = [
            {"draft": draft.id, "lesson": lesson}
            for draft, lesson in zip(drafts, wanted.lessons, strict=True)
        ]
        self._say({"say": "opened", "parts": parts, "start": now, "continuous": continues})

    def _event_to_be(self, lesson: str, now: Instant, quality: Quality) -> RecordingStored:
        """Return the event of a part whose end is not known yet: ``end`` equals ``start``."""
        return RecordingStored(
            lesson_id=lesson,
            camera=self._order.camera,
            start=now,
            end=now,
            sha256="",
            bytes=0,
            interrupted=True,
            quality=quality,
            boot=self._reading.boot,
            mono=self._reading.when(now).mono,
            clock=self._reading.clock,
        )

    def _write(self, stream: Stream, packet: Packet[Any], now: Instant) -> None:
        assert self._part is not None
        try:
            self._part.segment.write(packet)
        except Jump:
            self._end_part(now)
            if packet.is_keyframe:
                self._at_key_frame(stream, packet, now)
                self._write(stream, packet, now)

    def _sync(self, now: Instant) -> None:
        self._next_sync = monotonic() + SYNC_EVERY_S
        fresh = self._part.segment.sync() if self._part else 0
        self._say({"say": "alive", "at": now, "bytes": self._on_disk + fresh})

    def _end_part(self, now: Instant, *, interrupted: bool = False) -> None:
        part, self._part = self._part, None
        if part is None:
            return
        self._on_disk += part.segment.sync()
        part.segment.close()
        for draft in part.drafts:
            draft.note(end=now, interrupted=interrupted)
        drafts = [draft.id for draft in part.drafts]
        self._say({"say": "closed", "drafts": drafts, "interrupted": interrupted})

    def _fail(self, kind: Failure, message: str) -> None:
        try:
            # The last packet is the end, not the moment at which its successor was given up.
            self._end_part(self._last_end, interrupted=True)
        except OSError as error:
            # The draft stays as it is; whoever adopts it measures the file.
            kind, message = _writing_trouble(error)
        self._say({"say": "failed", "kind": kind, "message": message})


def _note_on_sound(stream: Stream) -> str:
    if stream.audio is None:
        return ""
    codec = stream.audio.codec_context.name
    if codec in COPIED_SOUND | CONVERTED_SOUND:
        return ""
    return (
        f"the camera's sound ({codec}) cannot be recorded; set its audio encoding to AAC. "
        "The picture is recorded."
    )


def _writing_trouble(error: FFmpegError | OSError) -> tuple[Failure, str]:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return Failure.DISK_FULL, (
            "The disk is full: recording stopped. Free some space; it goes on by itself then."
        )
    reason = error.strerror or type(error).__name__
    return Failure.BROKEN, (
        f"The recording cannot be written ({redacted(reason)}). If that goes on, check the disk "
        "and restart the camera."
    )


def _listen(recording: Recording, ended: threading.Event) -> None:
    """Carry out orders until standard input closes; then see to it that this process ends."""
    for line in sys.stdin:
        order = json.loads(line)
        if order["do"] == "record":
            recording.wanted = Wanted(tuple(order["lessons"]), Quality(order["quality"]))
        elif order["do"] == "photo":
            recording.photo(order["id"], Path(order["path"]))
        elif order["do"] == "show":
            recording.projector.show(Path(order["path"]) if order["path"] else None, order["bytes"])
        elif order["do"] == "stop":
            recording.stop.set()
    recording.stop.set()
    if not ended.wait(_FAREWELL_S):
        os._exit(1)


def main() -> None:
    """Record one camera for the recorder at the other end of standard input and output."""
    # Ctrl-C and systemd signal the whole group; it is the recorder that ends its children.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    speaking = threading.Lock()

    def say(report: dict[str, Any]) -> None:
        # Without a parent nobody listens: the order to end is on its way (standard input closed).
        with speaking, contextlib.suppress(BrokenPipeError):
            sys.stdout.write(json.dumps(report) + "\n")
            sys.stdout.flush()

    recording = Recording(Order(**json.loads(sys.stdin.readline())), say)
    ended = threading.Event()
    threading.Thread(target=_listen, args=(recording, ended), daemon=True).start()
    recording.run()
    ended.set()
    # Not `return`: an interpreter that shuts down while a thread reads standard input aborts.
    os._exit(0)


if __name__ == "__main__":
    main()
