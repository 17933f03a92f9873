"""The service at the door: frames become scans, and people are enrolled.

Promises that a greeting is shown only after its scan is committed; that a scan is untyped (what it
means is the rules' business) and stored whether or not a lesson is on; and that one look is one
scan. Somebody seen again is scanned again only after a new look, and after 10 s, or 3 s when by
the rules the scan is a check-in or a check-out. Who came too early and stays in view is scanned
once more by itself when the scan begins to count.

After a crash a scan whose photo is whole is stored under the id it had; one whose photo is not is
given up: nobody was greeted for it.
"""

from __future__ import annotations

import sqlite3
import sys
from dataclasses import dataclass
from pathlib import Path

import click
import cv2

from camera import expectations
from camera.card_reader import CardReader
from camera.door import Door, DoorError, Frame, bound_door
from camera.faces import decide, embed, enrol
from camera.faces.compare import Match
from camera.faces.decide import Guide, LastScan, Moment
from camera.faces.gallery import Sealer, Templates
from camera.faces.manifest import ModelError
from camera.faces.mesh import Mesh
from camera.faces.quality import Flaw
from camera.faces.watcher import Look, Watcher
from camera.preview import Card, Greeting, Preview, jpeg
from edge import agreement, consents, queries, requests
from edge.assets import AssetMissing
from edge.box import BoxService, NotConfigured, run
from edge.clock import monotonic
from edge.config import DoorConfig
from edge.events import PersonEnrolled, RequestRefused, ScanMade
from edge.keys import KeyProblem
from edge.media import Draft
from edge.model import Reading, Way
from edge.requests import Request

NAME = "greeter"
ENROL = "enrol"
_KIND = ScanMade.kind
_PHOTO_QUALITY = 85
_JPEG_END = b"\xff\xd9"
_WAIT_S = 0.25
_REFRESH_S = 1.0
_ENROLMENT_S = 20.0
_BETWEEN_FRAMES_S = 0.2

_ENROLMENT_GUIDE = {
    None: Guide.LOOKING,
    Flaw.NO_FACE: Guide.NONE,
    Flaw.TOO_SMALL: Guide.COME_CLOSER,
    Flaw.SEVERAL_FACES: Guide.ONE_AT_A_TIME,
}


@dataclass(slots=True)
class _Enrolment:
    request: Request
    person_id: str
    collector: enrol.Collector
    until: float
    offered: float = float("-inf")


class Greeter:
    """The state of the service between two frames."""

    def __init__(
        self, box: BoxService, door: DoorConfig, watcher: Watcher, templates: Templates
    ) -> None:
        self._box = box
        self._ledger = box.ledger
        self._config = door
        self._watcher = watcher
        self._templates = templates
        self._preview = Preview(box)
        self._watch = box.ledger.store.watch()
        self._door: Door | None = None
        self._unfinished = True
        self._refreshed = float("-inf")
        self._expected: frozenset[str] = frozenset()
        self._gallery = templates.gallery()
        self._enrolment: _Enrolment | None = None
        self._greeting: Greeting | None = None
        self._cards = CardReader()
        self._card: Card | None = None
        with self._ledger.store.read() as connection:
            self._last = last_scans(connection, box.clock.now())

    def step(self) -> None:
        """Take in one frame, or wait a moment for it."""
        self._finish_drafts()
        self._refresh()
        try:
            frame = self._next_frame()
        except DoorError as error:
            self._camera_is_out(error)
            raise
        if frame is None:
            return
        if self._enrolment is not None:
            self._go_on_enrolling(self._enrolment, frame)
        else:
            self._greet(frame)
        self._box.progress()

    def close(self) -> None:
        """Let go of the camera and the database."""
        if self._door is not None:
            self._door.close()
        self._watch.close()

    def _next_frame(self) -> Frame | None:
        if self._door is None:
            self._door = Door(self._config, self._box.clock)
        return self._door.next(_WAIT_S)

    def _camera_is_out(self, error: DoorError) -> None:
        """Say so where people look, and begin anew; that is progress too: the try was made."""
        if self._door is not None:
            self._door.close()
            self._door = None
        self._watcher.forget_scene()
        if self._enrolment is not None:
            self._refuse(self._enrolment.request, enrol.Refused.NO_CAMERA)
        self._preview.out(self._box.clock.now().at, str(error))
        self._box.progress()

    def _refresh(self) -> None:
        """Look at what others changed: templates, lessons, requests; windows open by themselves."""
        now = monotonic()
        if not self._watch.changed() and now - self._refreshed < _REFRESH_S:
            return
        self._refreshed = now
        agreement.forget_departed(self._ledger)
        self._gallery = self._templates.gallery()
        self._learn_card()
        reading = self._box.clock.now()
        with self._ledger.store.read() as connection:
            self._expected = expectations.expected(connection, reading.at)
            for person_id in self._watcher.present():
                counts = expectations.would_count(connection, person_id, reading.at)
                last = self._last.get(person_id)
                if decide.worth_looking_again(last, moment(reading), counts):
                    self._watcher.look_again(person_id)
        if self._enrolment is None:
            request = requests.claim(self._ledger, (ENROL,), NAME)
            if request is not None:
                self._begin_enrolling(request)

    def _greet(self, frame: Frame) -> None:
        look = self._watcher.look(
            frame.picture, moment(frame.reading), self._gallery, self._expected
        )
        if look.match is not None:
            self._meet(frame, look, look.match)
        else:
            before = self._cards.shown
            self._cards.look(frame.picture, frame.reading.at, monotonic())
            if self._cards.shown is not before:
                self._learn_card()
        self._preview.show(
            frame.picture, frame.reading.at, look.guide, look.box, self._greeting, self._card
        )

    def _learn_card(self) -> None:
        """Look up whose card is shown: once, and again when the roster may have changed."""
        shown = self._cards.shown
        if shown is None:
            self._card = None
            return
        with self._ledger.store.read() as connection:
            owner = queries.person_with_card(connection, shown.card_hash)
        self._card = Card(owner or "", shown.at)

    def _meet(self, frame: Frame, look: Look, match: Match) -> None:
        """Make a scan of a match, unless that person was scanned a moment ago."""
        at, now = frame.reading.at, moment(frame.reading)
        with self._ledger.store.read() as connection:
            counts = expectations.would_count(connection, match.person_id, at)
        if not decide.may_scan(self._last.get(match.person_id), now, counts):
            self._watcher.matched(look)
            return
        self._unfinished = True
        draft = self._draft(frame, match)
        self._watcher.matched(look)
        self._last[match.person_id] = LastScan(now, counts)
        event = draft.store(self._ledger)
        self._unfinished = False
        self._greeting = Greeting(event.id, match.person_id, at)

    def _draft(self, frame: Frame, match: Match) -> Draft:
        manifest = self._watcher.embedder.manifest
        scan = ScanMade(
            person_id=match.person_id,
            at=frame.reading.at,
            way=Way.FACE,
            photo="",
            score=round(match.score * 10_000),
            margin=round(match.margin * 10_000),
            frames=match.frames,
            model=manifest.name,
            model_version=manifest.version,
            boot=frame.reading.boot,
            mono=frame.reading.mono,
            clock=frame.reading.clock,
        )
        draft = self._box.media.draft(scan, sha_field="photo")
        draft.write(jpeg(frame.picture, _PHOTO_QUALITY))
        return draft

    def _finish_drafts(self) -> None:
        """Carry on with scans that a crash or a full disk left half stored."""
        if not self._unfinished:
            return
        for draft in self._box.media.unfinished((_KIND,)):
            scan = draft.body
            assert isinstance(scan, ScanMade), "unfinished() returns the kind asked for"
            if scan.way != Way.FACE:
                continue  # an entry by hand, which may be under way: the kiosk's to finish
            if not _whole(draft):
                draft.discard()
                continue
            event = draft.store(self._ledger)
            if self._box.clock.now().at - scan.at < decide.COOL_DOWN:
                self._greeting = Greeting(event.id, scan.person_id, scan.at)
        self._unfinished = False

    def _begin_enrolling(self, request: Request) -> None:
        person_id = str(request.args.get("person_id", ""))
        with self._ledger.store.read() as connection:
            known = queries.person_name(connection, person_id) is not None
            agreed = consents.allows_face(connection, person_id)
        if not known or not agreed:
            missing = enrol.Refused.NO_CONSENT if known else enrol.Refused.UNKNOWN_PERSON
            self._refuse(request, missing)
            return
        self._watcher.forget_scene()
        self._enrolment = _Enrolment(
            request,
            person_id,
            enrol.Collector(self._watcher.embedder),
            monotonic() + _ENROLMENT_S,
        )

    def _go_on_enrolling(self, enrolment: _Enrolment, frame: Frame) -> None:
        faces = self._watcher.find(frame.picture)
        now = monotonic()
        if now - enrolment.offered >= _BETWEEN_FRAMES_S:
            enrolment.offered = now
            enrolment.collector.offer(frame.picture, faces)
        flaw = enrolment.collector.flaw
        guide = _ENROLMENT_GUIDE.get(flaw, Guide.HOLD_STILL)
        self._preview.show(frame.picture, frame.reading.at, guide, None, None)
        template = enrolment.collector.template()
        if template is None:
            if now >= enrolment.until:
                self._refuse(enrolment.request, flaw or Flaw.NO_FACE)
            return
        embedder = self._watcher.embedder
        if enrol.is_somebody_else(template, enrolment.person_id, self._gallery, embedder):
            self._refuse(enrolment.request, enrol.Refused.SOMEBODY_ELSE)
            return
        body = PersonEnrolled(
            person_id=enrolment.person_id,
            model=embedder.manifest.name,
            model_version=embedder.manifest.version,
            source="camera",
            request_id=enrolment.request.id,
        )
        with self._ledger.writing() as writer:
            # It may have been taken back while the camera looked.
            agreed = consents.allows_face(writer.connection, enrolment.person_id)
            if agreed:
                self._templates.put(writer, enrolment.person_id, template)
                requests.answer(writer, enrolment.request.id, body)
        if not agreed:
            self._refuse(enrolment.request, enrol.Refused.NO_CONSENT)
        self._enrolment = None

    def _refuse(self, request: Request, reason: str) -> None:
        with self._ledger.writing() as writer:
            requests.answer(writer, request.id, RequestRefused(request.id, ENROL, str(reason)))
        self._enrolment = None


def _whole(draft: Draft) -> bool:
    """Tell whether a draft's photo is complete, under its own name or already under its hash."""
    if not draft.path.exists():
        return draft.has_bytes()
    return draft.path.read_bytes().endswith(_JPEG_END)


def moment(reading: Reading) -> Moment:
    """Return the moment of a reading on the clock that never jumps, in microseconds."""
    return reading.mono // 1000


def last_scans(connection: sqlite3.Connection, reading: Reading) -> dict[str, LastScan]:
    """Return who was scanned just before this service began, so that a restart scans none twice."""
    rows = connection.execute(
        "SELECT person_id, max(at) AS at FROM scan WHERE way = ? AND at > ? GROUP BY person_id",
        (Way.FACE, reading.at - decide.COOL_DOWN),
    ).fetchall()
    return {
        row["person_id"]: LastScan(moment(reading) - (reading.at - row["at"]), counted=True)
        for row in rows
    }


@click.command(name=NAME)
@click.pass_obj
def command(config_path: Path) -> None:
    """Watch the door: recognise people and store their scans."""
    sys.exit(run(NAME, config_path, _serve))


def _serve(box: BoxService) -> None:
    try:
        door = box.config.door or bound_door(box.ledger.store, box.config)
    except KeyProblem as error:
        raise click.ClickException(str(error)) from error
    if door is None:
        raise NotConfigured(
            "no camera is bound to the door: classbox cameras add v4l2:/dev/video0 --role door "
            "--name door; or do not run the greeter on this box."
        )
    # One core is enough, and the recorder needs the others.
    cv2.setNumThreads(1)
    with Mesh(video=True) as mesh:
        try:
            embedder = embed.load()
            sealer = Sealer.of(box.config.data_dir)
            templates = Templates(box.ledger.store, sealer, embedder.manifest)
            greeter = Greeter(box, door, Watcher(mesh, embedder), templates)
        except (ModelError, AssetMissing, KeyProblem) as error:
            raise click.ClickException(str(error)) from error
        box.ready()
        try:
            box.loop(greeter.step, every=0)
        finally:
            greeter.close()
