"""The link: the box's service that brings the ledger and its media to the centre.

Owns the way to the centre: two connections, one for facts and one for media, so that a large
file never delays a small fact. Promises that nothing on the box waits for it, that it is ready
before it has reached anybody, and that what the centre has not acknowledged is sent again.

It also does the checkpoints of the box's database, and nobody else does (see edge.store).
"""

from __future__ import annotations

import logging
import ssl
from pathlib import Path

import click

from edge import box, disk
from edge.box import BoxService, NotConfigured
from edge.clock import SystemClock, monotonic
from edge.config import LinkConfig
from edge.retention import Retention
from edge.store import Watch
from sync import tls
from sync.backlog import Backlog, Pace, measure
from sync.cursor import Cursor
from sync.facts import Facts
from sync.letters import Letters
from sync.line import Arrived, Connected, Happening, Inbox, Line, Lost
from sync.live import Live
from sync.media import Media
from sync.messages import ACK, DOC, MEDIA_ACK, REQUEST, WATCH, BadMessage, topic
from sync.status import status
from sync.tls import Context

log = logging.getLogger("classbox")

# How long the link may sleep: also how long a fresh event may wait before it goes up.
_LOOK_EVERY_S = 0.05
_SHOW_EVERY_S = 1.0
_MEASURE_EVERY_S = 5.0  # counting a large backlog takes a moment
_CHECKPOINT_EVERY_EVENTS = 1000
_CHECKPOINT_EVERY_S = 60.0


class Link:
    """One box's way to its centre. Everything happens in the thread that calls ``step``."""

    def __init__(self, service: BoxService, config: LinkConfig) -> None:
        self._service = service
        self._inbox: Inbox[tuple[str, Happening]] = Inbox()
        self._cursor = Cursor(service.config.data_dir / "link.db")
        self._watch: Watch = service.ledger.store.watch()
        box_id = service.config.box_id
        self._lines = {
            "facts": self._line(config, box_id, [ACK, REQUEST, f"{DOC}/#"], "facts"),
            "media": self._line(config, f"{box_id}.media", [MEDIA_ACK, WATCH], "media"),
        }
        self.media = Media(service, self._cursor, self._lines["media"], config)
        letters = Letters(box_id, service.config.data_dir, trust_first=config.security == "none")
        # Pictures go beside media: on the line of facts an event would wait behind them.
        self._live = Live(service, letters, self._lines["media"])
        self.facts = Facts(
            service,
            self._cursor,
            self._lines["facts"],
            self.media.centre_fell_back,
            letters,
            self._live.start,
        )
        self._retention = Retention(
            service.ledger,
            service.media,
            self._cursor,
            self.facts.safe.ask_soon,
            lambda: disk.to_shed(service.ledger, service.config),
        )
        self._cause = "not connected yet"
        self._left = Backlog(0, 0, 0, 0)
        self._pace = Pace()
        self._show_at = 0.0
        self._measure_at = 0.0
        self._checkpoint_at = monotonic()
        self._checkpointed_head = 0

    def start(self) -> None:
        """Begin to connect; returns at once."""
        for line in self._lines.values():
            line.start()

    def step(self) -> None:
        """Hear what has come, send what may go, remember and show how far things are."""
        due = self.media.due  # a limited rate is only reached by who wakes up in time
        pause = _LOOK_EVERY_S if due is None else max(0.0, min(_LOOK_EVERY_S, due - monotonic()))
        for who, happening in self._inbox.take(pause):
            self._hear(who, happening)
        if self._watch.changed():
            self.facts.look()
            self._cursor.find_media(self._service.ledger)
            self.media.look()
        now = monotonic()
        self._retention.step(now)
        self.facts.step(now)
        self._live.step(now, records_wait=self.facts.waiting)
        if not self._live.waits:
            self.media.step(now)
        if now >= self._show_at:
            self._show_at = now + _SHOW_EVERY_S
            self._show(now)
            self._tidy(now)
            self._service.progress()

    def close(self) -> None:
        """Remember how far things are and let go of everything."""
        self.facts.remember()
        for line in self._lines.values():
            line.close()
        self._watch.close()
        self._cursor.close()

    def _line(self, config: LinkConfig, client: str, channels: list[str], who: str) -> Line:
        box_id = self._service.config.box_id
        return Line(
            config.host,
            config.port,
            client,
            [topic(box_id, channel) for channel in channels],
            lambda happening: self._inbox.put((who, happening)),
            None if config.security == "none" else _context(self._service, who),
        )

    def _hear(self, who: str, happening: Happening) -> None:
        part: Facts | Media = self.facts if who == "facts" else self.media
        hears = part.hear
        if isinstance(happening, Arrived) and happening.topic.endswith(f"/{WATCH}"):
            hears = self._live.hear
        match happening:
            case Connected():
                log.info("link: %s: connected to the broker", who)
                part.connected(monotonic())
                self.facts.safe.ask_soon()  # both lines hear a part of the answer
            case Lost():
                if part.online or self._cause != happening.cause:
                    log.warning("link: %s: no connection (%s); trying again", who, happening.cause)
                self._cause = happening.cause
                part.lost()
            case Arrived():
                happening.done()  # whatever it is, the centre says it again when asked
                try:
                    hears(happening.topic, happening.payload, monotonic())
                except BadMessage as error:
                    log.warning("link: set aside a message from the centre: %s", error)

    def _show(self, now: float) -> None:
        facts = self.facts
        if now >= self._measure_at:
            self._measure_at = now + _MEASURE_EVERY_S
            service = self._service
            self._left = measure(service.ledger, service.media, self._cursor, facts.delivery.acked)
            self._pace.note(self._left.bytes, now)
        receipt = self._cursor.last_receipt()
        self._service.show(
            "link.json",
            {
                "at": self._service.clock.now().at,
                "connected": facts.reached,
                "acked": facts.delivery.acked,
                "head": facts.delivery.head,
                "media_waiting": self._cursor.media_waiting(),
                "cause": facts.problem if facts.online else self._cause,
                "acked_at": facts.acked_at,
                "safe": receipt["seq"] if receipt else 0,
                "safe_at": receipt["at"] if receipt else 0,
                "left": self._left.told(),
                "seconds_left": self._pace.seconds_left(),
            },
        )

    def _tidy(self, now: float) -> None:
        """Move the WAL into the database now and then, when there is something in it."""
        self.facts.remember()
        written = self.facts.delivery.head - self._checkpointed_head
        if written >= _CHECKPOINT_EVERY_EVENTS or (written and now >= self._checkpoint_at):
            self._service.ledger.store.checkpoint()
            self._cursor.store.checkpoint()
            self._checkpointed_head = self.facts.delivery.head
            self._checkpoint_at = now + _CHECKPOINT_EVERY_S


def _context(service: BoxService, who: str) -> Context:
    """Return what makes the TLS of a connection, by what the clock is worth at that moment."""
    credentials = tls.of_box(service.config.data_dir, who)
    machine = SystemClock(service.config.trusted_clock)

    def made() -> ssl.SSLContext:
        floor = service.ledger.last_at() or 0
        return tls.context(credentials, tls.dates_trusted(machine.now(), floor))

    return made


def _check_enrolled(service: BoxService, config: LinkConfig) -> None:
    """Say loudly that the way is open, or end in one sentence where certificates are missing."""
    if config.security == "none":
        log.warning(
            "link: development mode: nothing is encrypted and nobody proves who they are. "
            'For a classroom write security = "tls" under [link], and enrol this box.'
        )
        return
    for who in ("facts", "media"):
        missing = tls.of_box(service.config.data_dir, who).missing()
        if missing is not None:
            raise click.ClickException(
                f"this box is not enrolled: {missing} is missing. Run: classbox enrol request, "
                "bring the file to the centre, and its answer back with: classbox enrol accept"
            )


@click.group(invoke_without_command=True)
@click.pass_context
def command(context: click.Context) -> None:
    """Bring the ledger and its media to the centre, and documents to the box.

    Without a further word this is the service itself.
    """
    if context.invoked_subcommand is None:
        _serve(context.obj)


command.add_command(status)


def _serve(config_path: Path) -> None:

    def body(service: BoxService) -> None:
        config = service.config.link
        if config is None:
            raise NotConfigured(
                f'{config_path}: [link] is missing. Write [link] and host = "…", the address '
                "of the centre's broker; or do not start the link."
            )
        _check_enrolled(service, config)
        link = Link(service, config)
        try:
            service.ready()
            link.start()
            service.loop(link.step, 0.0)
        finally:
            link.close()

    raise SystemExit(box.run("link", config_path, body))
