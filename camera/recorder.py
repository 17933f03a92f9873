"""The recorder: lessons → recordings and snapshots, by itself.

Owns the classroom cameras. Promises that at each look, at least every few seconds and at every
change of the ledger, what is wanted is compared with what is; that whatever a kill left behind
is taken over at the next start; and that what is missing is stated: nothing is ever silently
not recorded.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from pathlib import Path

import click

from camera import footage, orders
from camera.darkroom import Darkroom
from camera.disk import Steward
from camera.errands import Errands
from camera.health import Planned, State, Why, wanted
from camera.keeper import Keeper
from camera.proposals import Proposals
from camera.sentinel import Sentinel, unfilmed
from camera.showing import Showing
from camera.sight import Sight, kept_view
from camera.snapshots import Photographer
from edge import bindings, box, cameras, disk, queries
from edge.box import BoxService
from edge.clock import monotonic
from edge.config import CameraConfig
from edge.keys import KeyProblem
from edge.logins import Logins
from edge.model import MINUTE, GapCause, Instant
from edge.retention import NoCentre, Retention
from edge.rules import snapshots
from edge.rules.lessons import TAUGHT, recording_window

log = logging.getLogger("classbox")

LOOK_EVERY_S = 0.5
REPLAN_EVERY_S = 60.0
CHECKPOINT_EVERY_S = 300.0
_DAY = 24 * 60 * MINUTE

NOT_RUNNING = Why(
    GapCause.RECORDER_OFF,
    "The recorder was not running: the box was off, or the recorder was restarted.",
)
KNOWN_LATE = Why(
    GapCause.KNOWN_LATE,
    "The lesson became known to the box only after its recording should have begun.",
)
NO_VIDEO = Why(GapCause.NO_PICTURE_YET, "The camera gave no video in time.")


class Recorder:
    """The state of the running service; ``step`` is one look."""

    def __init__(self, service: BoxService) -> None:
        """Take over what an earlier run left; dial nothing yet."""
        self._service = service
        self._ledger = service.ledger
        config = service.config
        self._config = config
        self._logins = Logins(config.data_dir)
        self._keepers: list[Keeper] = []
        self._leaving: list[Keeper] = []  # unbound: they end what they write, and go
        self._links: dict[str, frozenset[str]] = {}
        self._errands = Errands(service.ledger, config, self._logins)
        self._photographer = Photographer(service.ledger, service.media, config.runtime_dir)
        self._darkroom = Darkroom(
            service.ledger, service.media, config.runtime_dir, config.time_zone
        )
        self._proposals = Proposals(service.ledger, service.media, config.runtime_dir)
        self._showing = Showing(config)
        self._ordered: dict[str, Instant] = {}
        self._watch = service.ledger.store.watch()
        self._began = service.clock.now().at
        self._planned: dict[str, Planned] = {}
        self._seen: dict[str, Instant] = {}  # lesson → when this run first knew of it
        self._settled: set[tuple[str, str]] = set()
        self._adopted = False
        self._swept = False  # the time before this run was looked through
        self._replan_at = 0.0
        self._steward = Steward(service.ledger, config)
        self._sentinel = Sentinel(service.ledger)
        self._checkpoint_at = monotonic() + CHECKPOINT_EVERY_S
        # With a centre it is the link that knows what may go.
        self._retention = _housekeeping(service) if config.link is None else None

    def step(self) -> None:
        """Compare wanted with actual and take one step; waits for a change beforehand."""
        try:
            changed = self._watch.wait(LOOK_EVERY_S, self._service.stop)
            if not self._adopted:
                footage.adopt(self._service.media, self._ledger)
                self._photographer.adopt()
                self._darkroom.adopt()
                self._adopted = True
            begun = orders.take(self._ledger) if changed or not self._swept else ()
            if changed or monotonic() >= self._replan_at:
                self._replan()
            self._hurry(begun)
            self._steward.tend(recording=any(one.child is not None for one in self._keepers))
            clock = self._service.clock
            now, dated = clock.now().at, clock.dated()
            want = wanted(self._planned.values(), now, dated, self._ordered)
            wants: dict[str, tuple[str, ...]] = {}
            for keeper in self._keepers:
                mine = wants[keeper.camera.id] = tuple(
                    lesson for lesson in want if self._films(keeper, lesson)
                )
                busy = [one.camera.address for one in self._keepers if one.working]
                quality = self._steward.quality
                keeper.tend(mine, self._planned, self._explain, quality=quality, busy=busy)
            self._dismiss()
            self._photographer.tend(self._taught(), self._keepers, self._films)
            self._showing.tend(self._keepers)
            self._proposals.tend(self._keepers, self._films)
            self._darkroom.tend(changed)
            self._errands.tend()
            self._watch_over(wants)
            self._settle()
            if self._retention is not None:
                self._keep_house(self._retention)
            self._swept = True
        finally:
            self._show()
        self._service.progress()

    def close(self) -> None:
        """End the recordings cleanly; parts of them become facts like all others."""
        for keeper in (*self._keepers, *self._leaving):
            keeper.close()
        self._show()
        self._watch.close()

    def _keep_house(self, retention: Retention) -> None:
        """Do what the link does where there is one: shed media, move the WAL into the database."""
        now = monotonic()
        retention.step(now)
        if now >= self._checkpoint_at:
            self._checkpoint_at = now + CHECKPOINT_EVERY_S
            self._ledger.store.checkpoint()

    def _watch_over(self, wants: Mapping[str, tuple[str, ...]]) -> None:
        filmed = {
            lesson_id
            for lesson_id in self._planned
            if any(self._films(keeper, lesson_id) for keeper in self._keepers)
        }
        bare = unfilmed(self._planned.values(), filmed, self._service.clock.now().at)
        self._sentinel.tend(self._keepers, wants, bare, self._steward.warnings())

    def _replan(self) -> None:
        """Look up the lessons of about now; the first time, all since the ledger was born.

        What passed while the box was off is stated as missed then.
        """
        now = self._service.clock.now().at
        born = self._ledger.events(0, 1)[0].event.reading.at
        since = now - _DAY if self._swept else min(now - _DAY, born)
        with self._ledger.store.read() as connection:
            self._engage(bindings.in_force(connection, self._config, self._logins))
            self._links = cameras.links(connection)
            self._ordered = cameras.ordered(connection)
            self._showing.learn(connection)
            self._sentinel.learn(connection)
            planned: dict[str, Planned] = {}
            near = queries.lessons(connection, since, now + _DAY)
            known = {one.id: one for one in (*queries.open_lessons(connection), *near)}
            for lesson in known.values():
                profile = queries.profile_of(connection, lesson)
                recording = recording_window(lesson, profile)
                if recording.closes >= born:
                    slots = snapshots.plan(lesson, profile)
                    planned[lesson.id] = Planned(lesson, recording, slots)
        first = not self._seen
        for lesson_id in planned:
            self._seen.setdefault(lesson_id, self._began if first else now)
        self._planned = planned
        self._replan_at = monotonic() + REPLAN_EVERY_S

    def _engage(self, in_force: Iterable[CameraConfig]) -> None:
        """Have one keeper for each camera that films; those of unbound cameras leave."""
        kept = {keeper.camera.id: keeper for keeper in self._keepers}
        self._keepers = []
        for camera in in_force:
            if camera.role == "door":
                continue
            keeper = kept.pop(camera.id, None)
            if keeper is None:
                config = self._config
                keeper = Keeper(
                    camera,
                    self._ledger,
                    self._service.media,
                    config.segment_length,
                    config.time_zone,
                    Sight(kept_view(config.data_dir, camera.id)),
                )
            else:
                keeper.bind(camera)
            self._keepers.append(keeper)
        self._leaving += kept.values()

    def _hurry(self, lessons: Iterable[str]) -> None:
        """Dial at once for lessons that somebody wants recorded now."""
        for keeper in self._keepers:
            if any(self._films(keeper, lesson_id) for lesson_id in lessons):
                keeper.hurry()

    def _dismiss(self) -> None:
        """Let keepers of unbound cameras end their recordings, and go."""
        for keeper in self._leaving:
            keeper.tend((), self._planned, self._explain, quality=self._steward.quality)
        self._leaving = [keeper for keeper in self._leaving if keeper.child is not None]

    def _films(self, keeper: Keeper, lesson_id: str) -> bool:
        return bindings.films(keeper.camera, lesson_id, self._links)

    def _taught(self) -> list[Planned]:
        return [entry for entry in self._planned.values() if entry.lesson.state in TAUGHT]

    def _explain(self, lesson_id: str) -> Why:
        """Return why a recording is missing in part when no camera failed."""
        opens = self._planned[lesson_id].recording.opens
        if self._began > opens:
            return NOT_RUNNING
        return KNOWN_LATE if self._seen[lesson_id] > opens else NO_VIDEO

    def _settle(self) -> None:
        """State what is missing of the recordings that should be whole by now."""
        now = self._service.clock.now().at
        for entry in self._taught():
            lesson_id = entry.lesson.id
            if now <= entry.recording.closes or entry.recording.holds(now):
                continue
            for keeper in self._keepers:
                key = (lesson_id, keeper.camera.id)
                if not self._films(keeper, lesson_id):
                    continue
                if key in self._settled or keeper.busy_with(lesson_id):
                    continue
                footage.state_gaps(
                    self._ledger,
                    lesson_id,
                    keeper.camera.id,
                    entry.recording,
                    entry.recording.closes,
                    keeper.why_missing(lesson_id, self._explain),
                )
                self._settled.add(key)

    def _show(self) -> None:
        """Put what the kiosk's lamp shows where it finds it."""
        cameras = {
            keeper.camera.id: {
                "state": State(keeper.state),
                "since": keeper.since,
                "cause": keeper.cause,
                "lesson_id": keeper.lesson_id,
            }
            for keeper in self._keepers
        }
        self._service.show(
            "recorder.json", {"at": self._service.clock.now().at, "cameras": cameras}
        )


def _housekeeping(service: BoxService) -> Retention:
    ledger, media = service.ledger, service.media

    def nobody_to_ask() -> None:
        """Without a centre nothing becomes safe."""

    return Retention(
        ledger,
        media,
        NoCentre(media),
        nobody_to_ask,
        lambda: disk.to_shed(ledger, service.config),
    )


def _serve(service: BoxService) -> None:
    try:
        recorder = Recorder(service)
    except KeyProblem as error:
        raise click.ClickException(str(error)) from error
    service.ready()
    try:
        service.loop(recorder.step, every=0.0)
    finally:
        recorder.close()


@click.command()
@click.pass_obj
def command(config_path: Path) -> None:
    """Record the lessons and take their snapshots."""
    raise SystemExit(box.run("recorder", config_path, _serve))
