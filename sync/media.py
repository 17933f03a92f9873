"""The link's media: files up in chunks, over a connection of their own.

Owns the carrying out of what ``sync.uploads`` decides. Promises that a more urgent file never
waits for a whole recording, that recordings travel only in their hours of the day, and that a
file which is not on the disk is stated once in the ledger and passed over.
"""

from __future__ import annotations

import logging
from zoneinfo import ZoneInfo

from edge import queries
from edge.box import BoxService
from edge.clock import local
from edge.config import LinkConfig
from edge.events import MediaMissing
from sync import uploads, wire
from sync.cursor import RANKS, Cursor
from sync.line import Line
from sync.messages import MEDIA, BadMessage, Chunk, MediaAck, Message, Offer, topic
from sync.uploads import Ask, File, Pace, Pick, Send, State, Upload

log = logging.getLogger("classbox")

# Chunks sent before the next look at what has come.
_AT_ONCE = 4


class Media:
    """The delivery of the box's snapshots, check-in photos and recordings."""

    def __init__(self, service: BoxService, cursor: Cursor, line: Line, config: LinkConfig) -> None:
        self._service = service
        self._cursor = cursor
        self._line = line
        self._topic = topic(service.config.box_id, MEDIA)
        self._hours = config.media_hours
        self._zone = ZoneInfo(service.config.time_zone)
        self._in_hours = True
        self._more = True
        self._due: float | None = None
        # How often each file was refused by the centre, and when it may be offered again.
        self._refusals: dict[str, tuple[int, float]] = {}
        self.upload = Upload(Pace(rate=config.media_rate))
        cursor.try_again()

    @property
    def online(self) -> bool:
        """Whether there is a connection to the broker."""
        return self.upload.state is not State.OFFLINE

    @property
    def due(self) -> float | None:
        """The monotonic time before which there is nothing to do by itself, None for never."""
        return self._due

    def look(self) -> None:
        """There may be new files to send."""
        self._more = True

    def centre_fell_back(self) -> None:
        """The centre lost what it held: offer everything again; what it has costs one message."""
        self._cursor.offer_again()
        self._more = True

    def connected(self, now: float) -> None:
        """A connection stands."""
        self.upload = uploads.connected(self.upload)
        self._more = True

    def lost(self) -> None:
        """The connection is gone."""
        self.upload = uploads.lost(self.upload)

    def step(self, now: float) -> None:
        """Send what may go now."""
        self.upload = uploads.ticked(self.upload, now)
        self._due = None
        self._look_at_hours()
        self._look_at_refused(now)
        if self._more and self.upload.file is not None:
            self._give_way(self.upload.file)
        for _ in range(_AT_ONCE):
            what = uploads.step(self.upload, now)
            if isinstance(what, Pick):
                done = self._pick(now)
            elif isinstance(what, Ask):
                done = self._say(Offer(what.file.sha256, what.file.size, what.file.sort))
                if done:
                    self.upload = uploads.asked(self.upload, now)
            elif isinstance(what, Send):
                done = self._send(what, now)
            else:
                self._due = what.until
                return
            if not done:
                return
        self._due = now  # there is more, when what has come in was looked at

    def hear(self, topic_text: str, payload: bytes, now: float) -> None:
        """Deal with a message from the centre. Raises BadMessage when it is none of ours."""
        message = wire.decode(payload)
        if not isinstance(message, MediaAck):
            raise BadMessage(f"{type(message).__name__} does not belong on {topic_text}")
        if message.stored:
            self._cursor.note_media(message.sha256, "stored")
            self._refusals.pop(message.sha256, None)
        elif self._cursor.note_lost(message.sha256):
            self._more = True  # it was stored there, and is no more
            return
        elif message.refused:
            self._refused(message.sha256, message.refused, now)
        else:
            self.upload = uploads.answered(self.upload, message.sha256, message.offset, now)
            return
        self.upload = uploads.finished(self.upload, message.sha256)
        self._more = True

    def _look_at_hours(self) -> None:
        """Notice when the hours begin or end in which recordings may travel."""
        if self._hours is None:
            return
        time = local(self._service.clock.now().at, self._zone)
        second = time.hour * 3600 + time.minute * 60 + time.second
        in_hours = uploads.within_hours(self._hours, second)
        if in_hours != self._in_hours:
            self._in_hours = in_hours
            self._more = True

    def _refused(self, sha256: str, cause: str, now: float) -> None:
        """Set a file aside for a while: its disk may be mended, or what spoilt it on the way."""
        times = self._refusals.get(sha256, (0, 0.0))[0] + 1
        pause = uploads.refused_again_after(times)
        self._refusals[sha256] = (times, now + pause)
        log.error(
            "link: the centre refuses %s…: %s; it is offered again in %d h",
            sha256[:12],
            cause,
            pause // 3600,
        )
        self._cursor.note_media(sha256, "refused")

    def _look_at_refused(self, now: float) -> None:
        """Let files that were refused long enough ago wait their turn again."""
        for sha256, (times, again_at) in self._refusals.items():
            if now >= again_at:
                self._refusals[sha256] = (times, float("inf"))
                self._cursor.try_refused(sha256)
                self._more = True

    def _give_way(self, file: File) -> None:
        """Set *file* aside when another goes first, or when its hours are over."""
        found = self._cursor.next_media(self._in_hours)
        if (found is not None and found.rank < file.rank) or (
            file.rank == RANKS["recording"] and not self._in_hours
        ):
            self.upload = uploads.set_aside(self.upload)
        else:
            self._more = False

    def _pick(self, now: float) -> bool:
        if not self._more:
            return False
        found = self._cursor.next_media(self._in_hours)
        if found is None:
            self._more = False
            return False
        try:
            size = self._service.media.path(found.sha256).stat().st_size
        except FileNotFoundError:
            size = 0
        if size == 0:
            self._miss(found.sha256)
        else:
            file = File(found.sha256, size, found.sort, found.rank)
            self.upload = uploads.picked(self.upload, file, now)
        return True

    def _send(self, what: Send, now: float) -> bool:
        try:
            with self._service.media.path(what.file.sha256).open("rb") as file:
                file.seek(what.offset)
                data = file.read(what.length)
        except FileNotFoundError:
            data = b""
        if len(data) != what.length:
            self._miss(what.file.sha256)
            self.upload = uploads.finished(self.upload, what.file.sha256)
            self._more = True
            return True
        if not self._say(Chunk(what.file.sha256, what.file.size, what.offset, data)):
            return False
        self.upload = uploads.sent(self.upload, what.length, now)
        return True

    def _say(self, message: Message) -> bool:
        return self._line.publish(self._topic, wire.encode(message))

    def _miss(self, sha256: str) -> None:
        """State once that an event names a file which is not there; then go on.

        One that was deleted is not missing.
        """
        with self._service.ledger.store.read() as connection:
            deleted = sha256 in queries.deleted_media(connection)
        if deleted:
            self._cursor.forget([sha256])
            return
        log.error("link: media file %s… is not on the disk", sha256[:12])
        self._service.ledger.append(MediaMissing(sha256), event_id=f"media-missing-{sha256}")
        self._cursor.note_media(sha256, "missing")
