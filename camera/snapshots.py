"""The planned snapshots: each taken once inside its window, or stated as missed with its cause.

Owns the way from a slot of the plan to its event: aim, retry to the end of the window, look in the
recording, else say why not. Promises one answer to each slot however often the recorder is killed:
the event's id follows from the slot, and the ledger is asked inside the transaction. A picture is
never backdated: what was not seen inside the window is not used.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from camera import excerpt, lenses, photo
from camera.excerpt import Part
from camera.failures import StreamFailed
from camera.health import Planned, SlotKey, due, passed, slot_key
from camera.keeper import Keeper
from camera.lenses import NO_CAMERA, NoPicture, Picture
from camera.task import Task
from edge import events, queries
from edge.clock import monotonic
from edge.events import RecordingStored, SnapshotMissed, SnapshotTaken
from edge.ledger import Ledger
from edge.media import MediaStore
from edge.model import Instant, MissCause, SnapshotSlot

log = logging.getLogger("classbox")

RETRY_S = 3.0
NOT_RUNNING = "The box was off, or the recorder was not running, while it should have been taken."
LATE = "The camera answered only after the time was over."
FROM_RECORDING = "from_recording"
# A part that is stored while it is read is gone from where it lay; then it is looked up again.
_LOOKS = 3
_IDS = uuid.UUID("3d2f4e6a-0c1b-5d7e-9a86-4b5c1f20e7d3")

# Whether the keeper's camera films the lesson of that id.
Films = Callable[[Keeper, str], bool]


@dataclass(frozen=True, slots=True)
class _Work:
    """A picture on its way; ``late``: it is looked for in the recording."""

    slot: SnapshotSlot
    task: Task[Picture]
    late: bool


class Photographer:
    """Takes the planned snapshots of one classroom."""

    def __init__(self, ledger: Ledger, media: MediaStore, folder: Path) -> None:
        """*folder*: where pictures pass through on their way to the media store; in tmpfs."""
        self._ledger = ledger
        self._media = media
        self._folder = folder
        self._at_work: _Work | None = None
        self._retry_at = 0.0
        self._causes: dict[SlotKey, tuple[MissCause, str]] = {}
        self._looks: dict[SlotKey, int] = {}
        self._done: set[SlotKey] = set()  # answered in the ledger

    def adopt(self) -> None:
        """Finish what an earlier run began: a whole picture is stored, a torn one given up."""
        for draft in self._media.unfinished([SnapshotTaken.kind]):
            body = draft.body
            assert isinstance(body, SnapshotTaken)
            whole = draft.path.exists() and photo.is_whole_jpeg(draft.path.read_bytes())
            if whole or body.sha256:
                draft.store(self._ledger)
            else:
                draft.discard()

    def tend(self, planned: Iterable[Planned], keepers: Sequence[Keeper], films: Films) -> None:
        """Take one step: finish a picture, begin the next, state what was missed."""
        slots = [slot for entry in planned for slot in entry.slots]
        self._finish(keepers, films)
        now = self._ledger.clock.now().at
        if due(slots, self._done, now) or passed(slots, self._done, now):
            self._done |= self._answered(slots)
        waiting = due(slots, self._done, now)
        if waiting and self._at_work is None and monotonic() >= self._retry_at:
            asked = [lenses.lens_of(one) for one in keepers if films(one, waiting[0].lesson_id)]
            self._at_work = _Work(
                waiting[0], Task(lambda: lenses.take(asked, self._folder)), late=False
            )
        for slot in passed(slots, self._done, now):
            if self._at_work is None or slot_key(self._at_work.slot) != slot_key(slot):
                self._look_back(slot, [one for one in keepers if films(one, slot.lesson_id)])

    def _finish(self, keepers: Sequence[Keeper], films: Films) -> None:
        work = self._at_work
        if work is None or not work.task.done:
            return
        key = slot_key(work.slot)
        try:
            picture = work.task.result()
        except FileNotFoundError:
            self._at_work = None  # the part was stored meanwhile: it is looked up anew
            return
        except NoPicture as error:
            self._at_work = None
            if work.late:
                self._looks[key] = _LOOKS
                return
            self._retry_at = monotonic() + RETRY_S
            if self._causes.get(key) != (error.cause, str(error)):
                log.warning("snapshot of lesson %s: %s", work.slot.lesson_id, error)
            self._causes[key] = (error.cause, str(error))
            return
        if work.slot.window.holds(picture.at):
            self._store(work.slot, picture)
        else:
            self._causes[key] = (MissCause.ANSWERED_LATE, LATE)
        self._at_work = None

    def _look_back(self, slot: SnapshotSlot, keepers: Sequence[Keeper]) -> None:
        """Look for *slot* in the recording; without one state that it was missed."""
        looks = self._looks.get(slot_key(slot), 0)
        parts = self._parts(slot) if looks < _LOOKS else []
        if not parts:
            self._miss(slot, keepers)
        elif self._at_work is None:
            self._looks[slot_key(slot)] = looks + 1
            self._at_work = _Work(slot, Task(lambda: _find(slot, parts, self._folder)), late=True)

    def _parts(self, slot: SnapshotSlot) -> list[Part]:
        """Return the parts that may hold a frame of *slot*, the one that reaches its aim first."""
        window = slot.window
        now = self._ledger.clock.now()
        found: list[tuple[Part, Instant]] = []
        with self._ledger.store.read() as connection:
            for row in queries.recordings(connection, slot.lesson_id):
                clocks = events.clocks_at(
                    row["starts"], row["boot"], row["mono"], row["clock"], now
                )
                path = self._media.path(row["sha256"])
                found.append((Part(row["camera"], path, row["starts"], clocks), row["ends"]))
        for draft in self._media.unfinished([RecordingStored.kind]):
            body = draft.body
            assert isinstance(body, RecordingStored)
            if body.lesson_id == slot.lesson_id and not body.sha256:
                part = Part(body.camera, draft.path, body.start, body.begun(now))
                found.append((part, window.last))
        near = [
            (max(part.start - slot.aim, slot.aim - ends, 0), part)
            for part, ends in found
            if part.start <= window.last and ends >= window.opens and part.file.exists()
        ]
        return [part for _, part in sorted(near, key=lambda one: (one[0], one[1].start))]

    def _store(self, slot: SnapshotSlot, picture: Picture) -> None:
        taken = (picture.clocks or self._ledger.clock.now()).when(picture.at)
        body = SnapshotTaken(
            lesson_id=slot.lesson_id,
            hour=slot.hour,
            number=slot.number,
            camera=picture.camera,
            at=picture.at,
            method=picture.method,
            sha256="",
            bytes=0,
            boot=taken.boot,
            mono=taken.mono,
            clock=taken.clock,
        )
        draft = self._media.draft(body, event_id=self._event_id(slot))
        draft.write(picture.content)
        draft.store(self._ledger)

    def _miss(self, slot: SnapshotSlot, keepers: Sequence[Keeper]) -> None:
        cause, detail = MissCause.NO_CAMERA, NO_CAMERA
        if keepers:
            unknown = (MissCause.RECORDER_OFF, NOT_RUNNING)
            cause, detail = self._causes.get(slot_key(slot), unknown)
        body = SnapshotMissed(
            lesson_id=slot.lesson_id,
            hour=slot.hour,
            number=slot.number,
            camera=keepers[0].camera.id if keepers else "",
            cause=cause,
            detail=detail,
        )
        with self._ledger.writing() as writer:
            rows = queries.snapshots(writer.connection, slot.lesson_id)
            if slot_key(slot) not in {(slot.lesson_id, row["hour"], row["number"]) for row in rows}:
                writer.append(body)

    def _answered(self, slots: Iterable[SnapshotSlot]) -> set[SlotKey]:
        with self._ledger.store.read() as connection:
            return {
                (lesson_id, row["hour"], row["number"])
                for lesson_id in {slot.lesson_id for slot in slots}
                for row in queries.snapshots(connection, lesson_id)
            }

    def _event_id(self, slot: SnapshotSlot) -> str:
        name = f"{self._ledger.uuid}/{slot.lesson_id}/{slot.hour}/{slot.number}"
        return uuid.uuid5(_IDS, name).hex


def _find(slot: SnapshotSlot, parts: Sequence[Part], folder: Path) -> Picture:
    """Return the frame of *slot* that is nearest to its aim. Raises NoPicture, FileNotFoundError.

    Runs beside the service loop.
    """
    for part in parts:
        path = folder / f"snapshot-{uuid.uuid4().hex}.jpg"
        if not part.file.exists():
            raise FileNotFoundError(part.file)
        try:
            at: Instant = excerpt.frame(part, slot.window, slot.aim, path)
            return Picture(part.camera, at, FROM_RECORDING, path.read_bytes(), part.clocks)
        except StreamFailed as error:
            log.info("snapshot of lesson %s, in the recording: %s", slot.lesson_id, error)
        finally:
            path.unlink(missing_ok=True)
    raise NoPicture(MissCause.PICTURE_UNUSABLE, "the recording has no frame of that time")
