"""Live view at the centre: who looks through which camera, and the last picture of each.

Owns the console's own connection to the broker (``centre.console``). Promises that pictures are in
memory only, one a view; that a view is renewed only while somebody asks for its picture, and so
ends by itself; that a picture is dated by this machine's own clock, whatever its box's says; and
that all who look through one camera share its stream. See docs/adr/0016-live-view.md.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from sqlalchemy import select

from edge.clock import Clock, monotonic
from edge.events import RequestRefused
from edge.keys import Signer
from edge.live_events import LiveViewStarted
from edge.model import SECOND, Duration
from edge.rules.live import FRESH
from sync import seal, wire
from sync.central import broker, requests, tables
from sync.central.config import CentreConfig
from sync.central.store import CentralStore
from sync.line import Arrived, Connected, Happening, Line
from sync.messages import FRAME, WATCH, BadMessage, Frame, Watch, parse_topic, shard_topic, topic
from sync.seal import Letter
from sync.tls import Context

log = logging.getLogger("classbox")

# Who has not asked for a picture for so long looks no more.
_AWAY_S = 6.0
_RENEW_EVERY_S = 4.0
_TICK_S = 0.5
# A box that does not answer within this is not there; a view must not begin behind anybody's back.
_ASKED: Duration = 20 * SECOND
_MOST_VIEWS = 64
# Signs of which a picture may be the answer: older ones say that it was long on its way.
_SIGNS = 16


class Stage(StrEnum):
    """How a view stands."""

    NOT_SET_UP = "not_set_up"  # the console has no certificate for the broker
    NO_BROKER = "no_broker"
    TOO_MANY = "too_many"
    ASKING = "asking"
    NO_ANSWER = "no_answer"
    REFUSED = "refused"
    COMING = "coming"  # begun, and no picture has come yet
    LIVE = "live"
    OLD = "old"  # the last picture is no longer of this moment
    NO_PICTURE = "no_picture"  # the camera gives none
    ENDED = "ended"


_OVER = (Stage.ENDED, Stage.REFUSED, Stage.NO_ANSWER)


@dataclass(frozen=True, slots=True)
class Key:
    """Who looks where. ``camera`` is empty for the one that films the lesson."""

    box: str
    camera: str
    by: str


@dataclass(frozen=True, slots=True)
class Seen:
    """What there is to see. ``age``: seconds since the picture was taken, at the most.

    ``why``: what a box says, a camera's state, or why the view ended; by the stage.
    """

    stage: Stage
    camera: str = ""
    number: int = 0
    age: float = 0.0
    why: str = ""

    @property
    def over(self) -> bool:
        """Whether nothing more comes unless somebody asks again."""
        return self.stage in _OVER


@dataclass(slots=True)
class _View:
    """One view; ``signs``: number and monotonic time of what was said to the box."""

    request_id: str
    sealing_key: bytes
    asked_at: float
    looked_at: float
    stage: Stage = Stage.ASKING
    why: str = ""
    camera: str = ""
    number: int = 0
    signs: deque[tuple[int, float]] = field(default_factory=lambda: deque(maxlen=_SIGNS))
    said_at: float = 0.0
    shown: Frame | None = None
    state: str = ""  # of a camera that gives no picture
    taken: float = 0.0  # monotonic, not later than the picture was really taken


class Viewing:
    """Shared by the threads of the console; see ``look`` and ``picture``."""

    def __init__(
        self, store: CentralStore, clock: Clock, signer: Signer, config: CentreConfig
    ) -> None:
        self._store = store
        self._clock = clock
        self._signer = signer
        self._views: dict[Key, _View] = {}
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._connected = False
        self._complained = False
        self._line = self._line_of(config)
        self._ticker = threading.Thread(target=self._run, name="viewing", daemon=True)

    def _line_of(self, config: CentreConfig) -> Line | None:
        context: Context | None = broker.context_of(config, broker.CONSOLE, self._clock)
        if context is not None and broker.missing(config, broker.CONSOLE) is not None:
            log.warning(
                "console: no certificate for live view yet. Run: classbox-central broker init, "
                "restart the broker and the console."
            )
            return None
        return Line(
            config.broker_host,
            config.broker_port,
            broker.CONSOLE,
            [shard_topic("+", FRAME)],
            self._happens,
            context,
        )

    def start(self) -> None:
        """Begin to connect; returns at once."""
        if self._line is not None:
            self._line.start()
            self._ticker.start()

    def close(self) -> None:
        """Disconnect; the boxes end their views by themselves."""
        self._stop.set()
        if self._line is not None:
            self._line.close()
            self._ticker.join(2)

    def look(self, key: Key, again: bool = False) -> Seen:
        """Somebody looks: begin the view or keep it going, and return what there is to see.

        *again*: begin anew what has ended. Raises requests.NoSuchBox.
        """
        if self._line is None:
            return Seen(Stage.NOT_SET_UP)
        now = monotonic()
        with self._lock:
            view = self._views.get(key)
            if view is None or (
                again and view.stage in (Stage.ENDED, Stage.REFUSED, Stage.NO_ANSWER)
            ):
                if not self._connected:
                    return Seen(Stage.NO_BROKER)
                if view is None and len(self._views) >= _MOST_VIEWS:
                    return Seen(Stage.TOO_MANY)
                view = self._views[key] = self._begin(key, now)
            view.looked_at = now
            if not self._connected and view.stage is not Stage.ENDED:
                return Seen(Stage.NO_BROKER)
            return _seen(view, now)

    def picture(self, key: Key, number: int) -> bytes | None:
        """Return that picture while it is the last one and of this moment, else None."""
        with self._lock:
            view = self._views.get(key)
            if view is None or _seen(view, monotonic()).stage is not Stage.LIVE:
                return None
            assert view.shown is not None
            return view.shown.data if view.shown.number == number else None

    def _begin(self, key: Key, now: float) -> _View:
        with self._store.writing() as connection:
            args = {"by": key.by} | ({"camera": key.camera} if key.camera else {})
            request_id = requests.file(
                connection, self._clock.now().at, key.box, requests.LIVE_VIEW, args, key.by, _ASKED
            )
            box = tables.box
            sealing_key = connection.execute(
                select(box.c.sealing_key).where(box.c.id == key.box)
            ).scalar()
        return _View(request_id, bytes(sealing_key or b""), now, now)

    def _run(self) -> None:
        while not self._stop.wait(_TICK_S):
            try:
                self._tick(monotonic())
            except Exception as error:
                # A database that is away must not end live view for good.
                if not self._complained:
                    log.exception("console: live view: %s", error)
                self._complained = True
            else:
                self._complained = False

    def _tick(self, now: float) -> None:
        with self._lock:
            for key in [k for k, v in self._views.items() if now - v.looked_at > _AWAY_S]:
                del self._views[key]
            views = list(self._views.items())
        with self._store.reading() as connection:
            answers = {
                view.request_id: requests.answer_to(connection, view.request_id)
                for _, view in views
                if view.stage in (Stage.ASKING, Stage.NO_ANSWER)
            }
            table = tables.live_view
            ended: Mapping[str, str] = {
                row.id: row.cause
                for row in connection.execute(
                    select(table.c.id, table.c.cause).where(
                        table.c.id.in_([view.request_id for _, view in views]),
                        table.c.ended_at.is_not(None),
                    )
                )
            }
        with self._lock:
            for key, view in views:
                self._follow(view, answers.get(view.request_id), ended, now)
                if view.stage is Stage.COMING and now - view.said_at >= _RENEW_EVERY_S:
                    self._say(key.box, view, now)

    def _follow(
        self,
        view: _View,
        answer: object,
        ended: Mapping[str, str],
        now: float,
    ) -> None:
        """Take over what the ledger says of a view."""
        match answer:
            case LiveViewStarted():
                view.stage, view.camera = Stage.COMING, answer.camera
            case RequestRefused():
                view.stage, view.why = Stage.REFUSED, answer.reason
            case _:
                if view.stage is Stage.ASKING and now - view.asked_at > _ASKED / SECOND:
                    view.stage = Stage.NO_ANSWER
        if view.request_id in ended:
            view.stage, view.why = Stage.ENDED, ended[view.request_id]

    def _happens(self, happening: Happening) -> None:
        """Take what comes from the broker, in the line's thread: nothing is queued."""
        if isinstance(happening, Arrived):
            happening.done()
            try:
                box, _ = parse_topic(happening.topic)
                message = wire.decode(happening.payload)
                if isinstance(message, Frame):
                    self._frame(box, message, monotonic())
            except BadMessage as error:
                if not self._complained:
                    log.warning("console: set aside a picture: %s", error)
                self._complained = True
        else:
            self._connected = isinstance(happening, Connected)

    def _frame(self, box: str, frame: Frame, now: float) -> None:
        with self._lock:
            mine = [
                (view, frame.heard[view.request_id])
                for key, view in self._views.items()
                if key.box == box and view.request_id in frame.heard
            ]
            for view, heard in mine:
                # Before its first sign is heard a view is as old as its request.
                said = {0: view.asked_at, **dict(view.signs)}.get(heard)
                if said is None or (view.shown is not None and frame.number <= view.shown.number):
                    continue  # long on its way, or one that somebody kept and says again
                if frame.state:
                    view.state = frame.state
                else:
                    view.shown, view.state = frame, ""
                    # It was sent after that sign was heard, and taken ``age`` before it was sent.
                    view.taken = max(view.taken, said - frame.age / 1000)
                self._say(box, view, now, frame.number)

    def _say(self, box: str, view: _View, now: float, seen: int = 0) -> None:
        """Tell the box that somebody looks, and which picture came."""
        if self._line is None or not view.sealing_key or now - view.looked_at > _AWAY_S:
            return
        view.number += 1
        view.signs.append((view.number, now))
        view.said_at = now
        head: dict[str, str | int] = {
            "view": view.request_id,
            "number": view.number,
            "seen": seen,
        }
        letter = Letter(box, seal.WATCH, head, b"")
        sealed = seal.seal(letter, view.sealing_key, self._signer.sign)
        self._line.publish(topic(box, WATCH), wire.encode(Watch(view.request_id, sealed)))


def _seen(view: _View, now: float) -> Seen:
    if view.stage is not Stage.COMING:
        return Seen(view.stage, view.camera, why=view.why)
    number, age = (view.shown.number, now - view.taken) if view.shown else (0, 0.0)
    if view.state:
        return Seen(Stage.NO_PICTURE, view.camera, number, age, view.state)
    if not number:
        return Seen(Stage.COMING, view.camera)
    fresh = age <= FRESH / SECOND
    return Seen(Stage.LIVE if fresh else Stage.OLD, view.camera, number, age)
