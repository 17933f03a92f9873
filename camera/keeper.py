"""The keeper of one classroom camera: holds its recording process to what is wanted.

Owns the process, and what the ledger and the kiosk hear of the camera. Promises that a report is
dealt with before it is forgotten, so that neither a full disk nor a busy database loses any.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace

from camera import footage
from camera.disk import NO_ROOM, SAVES_ROOM, recorded
from camera.failures import Failure, StreamFailed
from camera.health import (
    CAUSE_OF,
    STATE_AFTER,
    Actual,
    Planned,
    State,
    Step,
    Why,
    next_step,
    pause_after,
)
from camera.onvif import Identity
from camera.recording import Order
from camera.sight import Sight
from camera.supervision import Child, Report
from camera.whereabouts import Whereabouts
from edge import queries
from edge.clock import monotonic
from edge.config import CameraConfig
from edge.events import CameraHealth, RecordingStarted, RecordingStored
from edge.ledger import Ledger
from edge.media import Draft, MediaStore
from edge.model import Duration, Instant
from edge.rules.disk import Quality

log = logging.getLogger("classbox")

# Lesson id → why its recording may be missing when no camera failed.
Explain = Callable[[str], Why]


@dataclass(slots=True)
class _Session:
    """What one recording process has said so far."""

    child: Child
    small: bool = False  # it has the camera's substream
    bytes: int = 0
    failed: bool = False
    ending: bool = False
    parts: dict[str, str] = field(default_factory=dict)  # draft → lesson, while being written
    announced: set[str] = field(default_factory=set)
    # Lesson → the bytes on disk when its first part was opened, and that part's start.
    to_announce: dict[str, tuple[int, Instant]] = field(default_factory=dict)


class Keeper:
    """One camera of the classroom."""

    def __init__(
        self,
        camera: CameraConfig,
        ledger: Ledger,
        media: MediaStore,
        segment_length: Duration,
        zone: str,
        sight: Sight,
    ) -> None:
        """Start nothing yet; see ``tend``. *zone*: the box's time zone."""
        self.sight = sight
        self._where = Whereabouts(camera, ledger, zone)
        self._zone = zone
        self._ledger = ledger
        self._media = media
        self._segment_length = segment_length
        self._session: _Session | None = None
        self._busy: frozenset[str] = frozenset()
        self._failures = 0
        self._retry_at = 0.0
        self._failure: tuple[State, str] | None = None
        self._why: Why | None = None
        self._quality = Quality.FULL
        self._small_fails = False  # the substream was tried and gives no video
        with ledger.store.read() as connection:
            self._stated = queries.camera_state(connection, camera.id)
        self.state, self.cause, self.since = State.WAITING, "", ledger.clock.now().at

    @property
    def camera(self) -> CameraConfig:
        """The camera as it is dialled now."""
        return self._where.camera

    @property
    def identity(self) -> Identity | None:
        """What the camera last said of itself, None while that is not known."""
        return self._where.identity

    @property
    def working(self) -> bool:
        """Whether its recording process runs and nothing failed since it last recorded."""
        return self._session is not None and self._failure is None

    def bind(self, camera: CameraConfig) -> None:
        """Go by *camera*, whose id is the same, from here on; it is dialled anew if need be."""
        now = self.camera
        if camera == replace(now, label=camera.label, role=camera.role, serial=camera.serial):
            self._where.camera = camera
            return
        self._where = Whereabouts(camera, self._ledger, self._zone)
        self._small_fails = False
        self._redial()

    def hurry(self) -> None:
        """Dial at the next look: somebody mended the camera and wants it recorded."""
        self._failures, self._retry_at = 0, 0.0

    @property
    def child(self) -> Child | None:
        """The recording process, None when there is none."""
        return self._session.child if self._session else None

    @property
    def sharp(self) -> bool:
        """Whether the recording process has the camera's main stream, as snapshots want it."""
        return self._session is not None and not self._session.small

    @property
    def lesson_id(self) -> str:
        """The lesson that is being recorded, the first of several; empty when there is none."""
        return self.child.lessons[0] if self.child and self.child.lessons else ""

    def busy_with(self, lesson_id: str) -> bool:
        """Tell whether a part for that lesson may still be on its way."""
        one = self._session
        return one is not None and lesson_id in {*one.child.lessons, *one.parts.values()}

    def tend(
        self,
        want: tuple[str, ...],
        planned: Mapping[str, Planned],
        explain: Explain,
        *,
        quality: Quality,
        busy: Iterable[str] = (),
    ) -> None:
        """Take one step towards *want*, at that *quality* (edge.rules.disk).

        *busy*: addresses of other cameras that work.
        """
        room = quality is not Quality.STOPPED
        try:
            self._busy = frozenset(busy)
            self._hear(planned, explain)
            self._look()
            if self._session is not None and not self._session.child.running:
                self._bury(self._session, planned, explain)
            self._follow(quality)
            self._take(next_step(want, self._actual(), monotonic(), room=room), want)
            self._mind_the_room(bool(want), room)
            self._state_health()
        finally:
            self._judge()

    def stream_address(self) -> str:
        """Return the RTSP address with its login; empty while an ONVIF camera is not looked up."""
        return self._where.stream()

    def why_missing(self, lesson_id: str, explain: Explain) -> Why:
        """Return why video of that lesson is missing, as far as is known."""
        return self._why or explain(lesson_id)

    def close(self) -> None:
        """End the recording cleanly and store what it leaves."""
        if self._session is not None:
            self._session.ending = True
            self._session.child.stop()
            self._bury(self._session, {}, _nothing_planned)
        self._judge()

    def _actual(self) -> Actual:
        child = self.child
        if child is None:
            return Actual(False, retry_at=self._retry_at)
        return Actual(True, child.lessons, bool(child.hangs()), self._retry_at)

    def _take(self, step: Step, want: tuple[str, ...]) -> None:
        session = self._session
        if step is Step.START:
            self._start(want)
        elif session is None:
            return
        elif step in (Step.TELL, Step.NOTHING):
            session.child.record(want, recorded(self._quality, small=session.small))
        elif step is Step.STOP:
            session.ending = True
            session.child.stop()
        elif step is Step.KILL:
            why = session.child.hangs()
            session.child.kill()
            session.failed = True
            self._fail(Failure.SILENT, f"{self.camera.label}: {why}. It is dialled again.")

    def _start(self, want: tuple[str, ...]) -> None:
        try:
            address = self._where.address()
        except StreamFailed as failure:
            self._fail(failure.kind, str(failure))
            return
        if not address:
            return
        self.sight.begin()
        small = self._small
        order = Order(
            camera=self.camera.id,
            address=self._where.substream() if small else address,
            transport=self.camera.transport,
            media=str(self._media.root),
            segment_length=self._segment_length,
        )
        self._session = _Session(Child(order), small)
        self._session.child.record(want, recorded(self._quality, small=small))

    @property
    def _small(self) -> bool:
        """Whether the substream is to be recorded: room is to be saved, and there is one."""
        saves = self._quality in (Quality.SUBSTREAM, Quality.KEY_FRAMES)
        return saves and not self._small_fails and bool(self._where.substream())

    def _follow(self, quality: Quality) -> None:
        """Dial the other stream where the quality asks for it."""
        if quality is not Quality.STOPPED:
            self._quality = quality
        session = self._session
        if session is not None and not session.ending and session.small != self._small:
            self._why = SAVES_ROOM
            self._redial()

    def _look(self) -> None:
        """Follow the camera when it was found under another address."""
        try:
            if self._where.look():
                self._redial()
        except StreamFailed as failure:
            self._fail(failure.kind, str(failure))

    def _redial(self) -> None:
        self.hurry()
        if self._session is not None:
            self._session.ending = True
            self._session.child.stop()

    def _hear(self, planned: Mapping[str, Planned], explain: Explain) -> None:
        session = self._session
        while session is not None and session.child.reports:
            self._deal_with(session, session.child.reports[0], planned, explain)
            session.child.reports.popleft()

    def _deal_with(
        self,
        session: _Session,
        report: Report,
        planned: Mapping[str, Planned],
        explain: Explain,
    ) -> None:
        match report["say"]:
            case "streaming" if report["note"]:
                log.warning("camera %s: %s", self.camera.id, report["note"])
            case "look":
                self.sight.hear(report)
            case "opened":
                self._opened(session, report, planned, explain)
            case "alive":
                self._alive(session, report)
            case "closed":
                self._store(lambda draft: draft.id in report["drafts"])
                for draft_id in report["drafts"]:
                    session.parts.pop(draft_id, None)
                if not (report["interrupted"] or self._full or self._why is SAVES_ROOM):
                    # Also of a part that was too short to be announced: the lesson was over.
                    self._recover()
            case "failed":
                session.failed = True
                self._fail(Failure(report["kind"]), report["message"])

    def _opened(
        self,
        session: _Session,
        report: Report,
        planned: Mapping[str, Planned],
        explain: Explain,
    ) -> None:
        start: Instant = report["start"]
        for part in report["parts"]:
            lesson_id = part["lesson"]
            begins = lesson_id not in session.announced
            if (begins or not report["continuous"]) and lesson_id in planned:
                footage.state_gaps(
                    self._ledger,
                    lesson_id,
                    self.camera.id,
                    planned[lesson_id].recording,
                    start,
                    self.why_missing(lesson_id, explain),
                )
            if begins:
                session.to_announce[lesson_id] = (session.bytes, start)
            session.parts[part["draft"]] = lesson_id

    def _alive(self, session: _Session, report: Report) -> None:
        session.bytes = report["bytes"]
        for lesson_id, (before, start) in list(session.to_announce.items()):
            if session.bytes > before:
                self._ledger.append(RecordingStarted(lesson_id, self.camera.id, start))
                session.announced.add(lesson_id)
                del session.to_announce[lesson_id]
        if session.announced and not session.failed:
            self._recover()

    def _recover(self) -> None:
        if self._failure is not None:
            log.info("camera %s: records again", self.camera.id)
        self._failure, self._failures, self._why = None, 0, None

    def _bury(self, session: _Session, planned: Mapping[str, Planned], explain: Explain) -> None:
        """Take over what a process that has ended leaves behind."""
        session.child.kill()
        self._hear(planned, explain)
        if not session.failed and not session.ending:
            session.failed = True
            self._fail(
                Failure.BROKEN,
                f"{self.camera.label}: its recording process died. It is started again.",
            )
        self._store(lambda draft: True)
        self._session = None

    def _store(self, which: Callable[[Draft], bool]) -> None:
        for draft in self._media.unfinished([RecordingStored.kind]):
            body = draft.body
            assert isinstance(body, RecordingStored)
            if body.camera == self.camera.id and which(draft):
                footage.store(draft, self._ledger)

    def _fail(self, kind: Failure, message: str) -> None:
        session = self._session
        if session is not None and session.small and kind in (Failure.UNUSABLE, Failure.REFUSED):
            self._small_fails = True
        self._failures += 1
        self._retry_at = monotonic() + pause_after(self._failures, kind)
        self._where.failed(kind, self._failures, self._busy)
        failure = (STATE_AFTER[kind], message)
        if failure != self._failure:
            log.warning("camera %s: %s", self.camera.id, message)
        self._failure, self._why = failure, Why(CAUSE_OF[kind], message)

    @property
    def _full(self) -> bool:
        return self._failure is not None and self._failure[0] is State.DISK_FULL

    def _mind_the_room(self, wanted: bool, room: bool) -> None:
        if self._full and room and not wanted:
            self._failure = None
        if wanted and not room and not self._full:
            self._failure, self._why = (State.DISK_FULL, NO_ROOM.detail), NO_ROOM
            log.warning("camera %s: %s", self.camera.id, NO_ROOM.detail)

    def _state_health(self) -> None:
        """Append an event when what the ledger says of this camera is no longer so."""
        online = self._session is not None and self._session.announced
        state, cause = self._failure or (State.ONLINE if online else self._stated, "")
        if state != self._stated:
            self._ledger.append(CameraHealth(self.camera.id, state, cause))
            self._stated = state

    def _judge(self) -> None:
        session = self._session
        if (
            session is not None
            and session.parts
            and session.announced
            and not session.to_announce
            and session.child.grows()
        ):
            state, cause = State.RECORDING, ""
        else:
            state, cause = self._failure or (State.WAITING, "")
        if state is not self.state:
            self.since = self._ledger.clock.now().at
        self.state, self.cause = state, cause


def _nothing_planned(lesson_id: str) -> Why:
    raise AssertionError(f"{lesson_id}: no gap is stated while the recorder ends")
