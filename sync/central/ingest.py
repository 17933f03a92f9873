"""The ingest: from the broker into the store, then the answers, then the broker may forget.

Owns the order of the hand-over: one transaction, then the acknowledgement to the box, then the
one to the broker (PUBACK). Promises that nothing is kept in memory that only memory holds: what
is not acknowledged, the box sends again. Runs the media beside the events on a connection and a
thread of its own, so that a large file never delays a small fact.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence

from edge.clock import Clock, monotonic
from edge.keys import Signer
from edge.model import DAY
from edge.service import Service
from sync.central import broker, documents, erasure, leftovers, metrics, requests
from sync.central.config import CentreConfig
from sync.central.intake import EventIntake
from sync.central.media import MediaHolder
from sync.central.media_intake import MediaIntake
from sync.central.outgoing import Outgoing
from sync.central.receipts import Receipts
from sync.central.share import Share
from sync.central.store import CentralStore
from sync.line import Arrived, Connected, Happening, Inbox, Line, Lost
from sync.messages import EVENTS, HELLO, MEDIA, MEDIA_SUFFIX, shard_topic
from sync.tls import Context

log = logging.getLogger("classbox")

_WAIT_S = 0.25
_DOCUMENTS_EVERY_S = 0.5
_TIDY_EVERY_S = 30.0
# A transaction takes what has come, up to this: enough to share the cost of a commit, few enough
# to answer soon.
_MESSAGES_AT_ONCE = 200
_BYTES_AT_ONCE = 1024 * 1024
# What may wait in memory for a slow database or disk. What comes beyond that is let go of at once:
# nobody was told that it is held, and its box sends it again, fewer at once. MQTT's Receive Maximum
# alone does not bound it: Mosquitto 2.0.11 sends up to that many more for each PUBACK.
MOST_WAITING = 1000
MOST_WAITING_BYTES = 32 * 1024 * 1024
_CRL_EVERY_S = 3600.0
_CLEAR_EVERY_S = 3600.0

Take = Callable[[Sequence[tuple[str, bytes]]], list[Outgoing]]


class Reception:
    """One connection and what is done with its messages."""

    def __init__(
        self,
        config: CentreConfig,
        name: str,
        digits: str,
        channels: Sequence[str],
        take: Take,
        context: Context | None,
    ) -> None:
        self._inbox: Inbox[Happening] = Inbox()
        self._take = take
        self._channel = channels[-1]
        # Each has one writer, the line's thread and ours: their difference needs no lock.
        self._bytes_come = self._bytes_taken = 0
        self.dropped = 0  # messages let go of because too much waited
        metrics.watch(self._channel, self.waiting, self.waiting_bytes)
        self.line = Line(
            config.broker_host,
            config.broker_port,
            name,
            [shard_topic(digit, channel) for digit in digits for channel in channels],
            self._comes,
            context,
        )

    def step(self) -> bool:
        """Deal with what has come; True when the connection was made in this step."""
        happenings = self._what_has_come()
        arrived = [one for one in happenings if isinstance(one, Arrived)]
        for one in happenings:
            if isinstance(one, Lost):
                log.warning("ingest: no connection to the broker (%s); trying again", one.cause)
        connected = any(isinstance(one, Connected) for one in happenings)
        if arrived:
            try:
                with metrics.COMMIT_SECONDS.labels(self._channel).time():
                    said = self._take([(one.topic, one.payload) for one in arrived])
                self.say(said)
            finally:
                # Even when the database failed: the boxes send again what was not answered.
                for one in arrived:
                    one.done()
            metrics.BATCHES.inc()
            metrics.MESSAGES.labels(self._channel).inc(len(arrived))
        return connected

    def waiting(self) -> int:
        """Return how many messages wait to be taken."""
        return self._inbox.length()

    def waiting_bytes(self) -> int:
        """Return how many bytes of messages wait to be taken."""
        return self._bytes_come - self._bytes_taken

    def _comes(self, happening: Happening) -> None:
        """Let a happening wait for its turn; called in the line's thread."""
        if isinstance(happening, Arrived):
            size = len(happening.payload)
            full = self.waiting() >= MOST_WAITING
            if full or self.waiting_bytes() + size > MOST_WAITING_BYTES:
                self.dropped += 1
                metrics.DROPPED.labels(self._channel).inc()
                happening.done()
                return
            self._bytes_come += size
        self._inbox.put(happening)

    def _what_has_come(self) -> list[Happening]:
        happenings = self._inbox.take(_WAIT_S, 1)
        more, size = happenings, 0
        while more and len(happenings) < _MESSAGES_AT_ONCE:
            size += sum(map(_size, more))
            if size >= _BYTES_AT_ONCE:
                break
            more = self._inbox.take(0, 1)
            happenings += more
        self._bytes_taken += sum(map(_size, happenings))
        return happenings

    def say(self, outgoing: Sequence[Outgoing]) -> None:
        """Publish; what cannot be sent now is asked for again by the boxes."""
        for out in outgoing:
            self.line.publish(out.topic, out.payload(), out.retain)


class Ingest:
    """One ingester of a centre, for the boxes of its share."""

    def __init__(
        self,
        config: CentreConfig,
        store: CentralStore,
        media: MediaHolder,
        clock: Clock,
        signer: Signer,
        share: Share,
    ) -> None:
        self._store = store
        self._share = share
        self._media = media
        receipts = Receipts(media, clock, signer, config.safe_after_days * DAY)
        enrolled_only = config.security == "tls"
        self._events = EventIntake(store, clock, signer, receipts, enrolled_only)
        name = broker.ingester(share.number)
        self.events = Reception(
            config,
            name,
            share.digits,
            (HELLO, EVENTS),
            self._events.take,
            broker.context_of(config, name, clock),
        )
        name += MEDIA_SUFFIX
        self._files = MediaIntake(store, media, clock)
        self.media = Reception(
            config,
            name,
            share.digits,
            (MEDIA,),
            self._files.take,
            broker.context_of(config, name, clock),
        )
        self._config = config
        self._clock = clock
        self._crl_at = 0.0
        self._published = 0
        self._requested = 0
        self._swept = 0
        self._look_at = 0.0
        self._tidy_at = 0.0
        self._clear_at = 0.0

    def run(self, service: Service) -> None:
        """Run until the service stops."""
        self.events.line.start()
        self.media.line.start()
        beside = threading.Thread(
            target=service.loop, args=(self._step_media, 0.0), name="media", daemon=True
        )
        beside.start()
        service.ready()
        try:
            service.loop(lambda: self._step(service), 0.0)
        finally:
            service.stop.set()
            beside.join(10)
            self.events.line.close()
            self.media.line.close()

    def _step(self, service: Service) -> None:
        if self.events.step():
            log.info("ingest: connected to the broker")
            with self._store.reading() as connection:
                self._published = documents.last_number(connection)
                self._requested = requests.last_filed(connection)
            self.events.say(self._events.announcements(self._share.has))
        self._publish()
        if monotonic() >= self._tidy_at:
            self._swept = erasure.sweep(self._store, self._media, self._swept)
            self._store.tidy()
            if self._share.number == 1:
                self.events.say(self._events.anchors())
            self._tidy_at = monotonic() + _TIDY_EVERY_S
        if (
            self._share.number == 1
            and self._config.security == "tls"
            and monotonic() >= self._crl_at
        ):
            self._crl_at = monotonic() + _CRL_EVERY_S
            broker.keep_current(self._config.data_dir, self._clock.now().at)
        service.progress()

    def _step_media(self) -> None:
        self.media.step()
        if monotonic() >= self._clear_at:
            now = self._clock.now().at
            dropped = leftovers.clear(self._store, self._media, now, self._share.has)
            if dropped:
                log.info("ingest: %d half-arrived files that nobody goes on with dropped", dropped)
            self._clear_at = monotonic() + _CLEAR_EVERY_S

    def _publish(self) -> None:
        """Send what was stored or filed since the last look, whichever process did it."""
        if monotonic() < self._look_at:
            return
        self._look_at = monotonic() + _DOCUMENTS_EVERY_S
        with self._store.reading() as connection:
            number = documents.last_number(connection)
            boxes = documents.boxes_after(connection, self._published)
            filed = requests.last_filed(connection)
            asked = requests.boxes_after(connection, self._requested)
        if number > self._published:
            self.events.say(self._events.documents(list(filter(self._share.has, boxes))))
            self._published = number
        if filed > self._requested:  # documents first: a request may rest on one
            self.events.say(self._events.requests(list(filter(self._share.has, asked))))
            self._requested = filed


def _size(happening: Happening) -> int:
    return len(happening.payload) if isinstance(happening, Arrived) else 0
