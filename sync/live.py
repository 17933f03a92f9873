"""The link's live view: pictures of a lesson up, while somebody at the centre looks.

Owns who looks (``live_view.started`` and ``.ended`` in the ledger) and the pace of the pictures.
Promises that a picture only goes after that fact is committed; that a view ends by itself when
nobody renews it, after ``LONGEST``, and with the lesson; that at most one picture of a camera is on
its way, and none while an event waits for its acknowledgement: a slow line has fewer pictures, not
later records. Pictures are read from files on tmpfs (``edge.glimpses``) and are kept nowhere.
"""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass, field
from typing import Any

from edge import bindings, glimpses, live_views, requests
from edge.box import BoxService
from edge.clock import monotonic
from edge.live_events import LiveViewEnded, LiveViewStarted
from edge.live_views import View
from edge.requests import CannotDo, Request
from edge.rules.live import FRESH, LONGEST, MOST_VIEWS, UNWATCHED, Ended, Refusal
from sync import wire
from sync.letters import Letters
from sync.line import Line
from sync.messages import FRAME, BadMessage, Frame, Watch, topic
from sync.seal import WATCH, BadLetter

log = logging.getLogger("classbox")

# A picture without an answer for so long counts as lost.
_LOST_AFTER_S = 5.0
# Under way for longer, a picture says that the line is slow: media then wait.
_SLOW_S = 1.0
_LOOK_EVERY_S = 2.0


@dataclass(slots=True)
class _Looked:
    """One view: until when it goes on without another sign, and how far it is."""

    view: View
    renewed_until: float
    ends_at: float
    heard: int = 0  # number of the last Watch
    frames: int = 0


@dataclass(slots=True)
class _Shown:
    """One camera's pictures, shared by all views of it."""

    sent: int = 0
    seen: int = 0
    sent_at: float = 0.0
    taken: float = field(default_factory=monotonic)  # the last picture; else since when it waits
    slow: bool = False


class Live:
    """See ``start``, ``hear`` and ``step``. Everything happens in the link's thread."""

    def __init__(self, service: BoxService, letters: Letters, line: Line) -> None:
        """State that what an earlier run left open has ended."""
        self._service = service
        self._ledger = service.ledger
        self._letters = letters
        self._line = line
        self._topic = topic(service.config.box_id, FRAME)
        self._views: dict[str, _Looked] = {}
        self._shown: dict[str, _Shown] = {}
        self._look_at = 0.0
        with self._ledger.store.read() as connection:
            left = live_views.running(connection)
        for view in left:
            self._ledger.append(LiveViewEnded(view.id, -1, Ended.LINK_RESTARTED))

    @property
    def waits(self) -> bool:
        """Whether a picture has been on its way for so long that media must not stand before it."""
        now = monotonic()
        return any(
            one.slow or (one.sent > one.seen and now - one.sent_at > _SLOW_S)
            for one in self._shown.values()
        )

    def start(self, request: Request) -> None:
        """Begin the view that the centre asks for. Raises CannotDo with a ``Refusal``."""
        wanted, by = str(request.args.get("camera", "")), str(request.args["by"])
        if len(self._views) >= MOST_VIEWS:
            raise CannotDo(Refusal.TOO_MANY)
        filming = self._filming()
        if not filming:
            raise CannotDo(Refusal.NO_LESSON)
        camera = wanted or next(iter(filming))
        if camera not in filming:
            raise CannotDo(Refusal.NO_CAMERA)
        now, at = monotonic(), self._ledger.clock.now().at
        view = View(request.id, camera, filming[camera], by, at, at + LONGEST)
        started = LiveViewStarted(view.id, camera, view.lesson_id, by, view.until)
        with self._ledger.writing() as writer:
            requests.answer(writer, request.id, started)
        self._views[view.id] = _Looked(view, now + UNWATCHED / 1_000_000, now + LONGEST / 1_000_000)
        self._shown.setdefault(camera, _Shown())
        log.info("link: %s looks through camera %s", by, camera)

    def hear(self, topic_text: str, payload: bytes, now: float) -> None:
        """Take a sign that somebody looks. Raises BadMessage when the centre did not write it."""
        message = wire.decode(payload)
        if not isinstance(message, Watch):
            raise BadMessage(f"{type(message).__name__} does not belong on {topic_text}")
        looked = self._views.get(message.view)
        if looked is None:
            return  # it has ended; who looks hears that from the ledger
        try:
            letter = self._letters.open(message.sealed, WATCH)
            view, number, seen = (letter.head[key] for key in ("view", "number", "seen"))
        except (BadLetter, KeyError) as error:
            raise BadMessage(f"watch {message.view[:40]}: {error}") from error
        if view != message.view or not isinstance(number, int) or not isinstance(seen, int):
            raise BadMessage(f"watch {message.view[:40]}: its letter is another one's")
        if number <= looked.heard:
            return  # said before
        looked.heard = number
        looked.renewed_until = now + UNWATCHED / 1_000_000
        shown = self._shown[looked.view.camera]
        if shown.seen < seen <= shown.sent:
            shown.seen = seen
            if seen == shown.sent:
                shown.slow = now - shown.sent_at > _SLOW_S

    def step(self, now: float, *, records_wait: bool) -> None:
        """End what is over; send the pictures that may go. *records_wait*: none may."""
        if not self._views:
            return
        self._end_what_is_over(now)
        if records_wait:
            return
        for camera, shown in self._shown.items():
            if shown.sent == shown.seen or now - shown.sent_at > _LOST_AFTER_S:
                self._send(camera, shown, now)

    def _send(self, camera: str, shown: _Shown, now: float) -> None:
        glimpse = glimpses.get(glimpses.path_of(self._service.config.runtime_dir, camera))
        state = ""
        if glimpse is None or now - glimpse.mono > FRESH / 1_000_000:
            glimpse, state = None, self._state_of(camera)
            dialled = state == "waiting" and now - shown.taken < FRESH / 1_000_000
            if dialled or now - shown.sent_at < _LOOK_EVERY_S:
                return
        elif glimpse.mono <= shown.taken:
            return
        mine = [one for one in self._views.values() if one.view.camera == camera]
        frame = Frame(
            camera=camera,
            number=shown.sent + 1,
            age=round((now - glimpse.mono) * 1000) if glimpse else 0,
            heard={one.view.id: one.heard for one in mine},
            state=state,
            data=glimpse.content if glimpse else b"",
        )
        if not self._line.offer(self._topic, wire.encode(frame)):
            return
        shown.sent, shown.sent_at = frame.number, now
        if glimpse is not None:
            shown.taken = glimpse.mono
            for one in mine:
                one.frames += 1

    def _end_what_is_over(self, now: float) -> None:
        ends: dict[str, Ended] = {}
        for view_id, one in self._views.items():
            if now > one.ends_at:
                ends[view_id] = Ended.LIMIT
            elif now > one.renewed_until:
                ends[view_id] = Ended.UNWATCHED
        if now >= self._look_at:
            self._look_at = now + _LOOK_EVERY_S
            filming = self._filming()
            for view_id, one in self._views.items():
                if filming.get(one.view.camera) is None:
                    ends.setdefault(view_id, Ended.LESSON_OVER)
        for view_id, cause in ends.items():
            self._ledger.append(LiveViewEnded(view_id, self._views[view_id].frames, cause))
            del self._views[view_id]
        if ends:
            cameras = {one.view.camera for one in self._views.values()}
            self._shown = {name: one for name, one in self._shown.items() if name in cameras}

    def _filming(self) -> dict[str, str]:
        clock = self._ledger.clock
        with self._ledger.store.read() as connection:
            return bindings.filming(connection, self._service.config, clock.now().at, clock.dated())

    def _state_of(self, camera: str) -> str:
        """Return the state of a camera that gives no picture; ``waiting`` when it is unknown."""
        try:
            shown: dict[str, Any] = json.loads(
                (self._service.config.runtime_dir / "recorder.json").read_bytes()
            )
            state = str(shown["cameras"][camera]["state"])
        except (FileNotFoundError, KeyError):
            return "waiting"
        return "waiting" if state == "recording" else state
