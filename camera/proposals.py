"""What a spot check proposes (R6, decision 12): photos of the classroom, a clip, a head count.

Owns the requests of kind ``spot_check``. Promises one answer to each; what it proposes lies in the
runtime folder, a cache, for nothing is a fact before an instructor confirmed it (that is the
kiosk's to store). A spare camera is asked only when no classroom camera gives a picture.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from camera import excerpt, lenses, processing
from camera.excerpt import Part
from camera.failures import StreamFailed
from camera.keeper import Keeper
from camera.lenses import Lens, NoPicture, Picture
from camera.task import Task
from edge import requests
from edge.clock import monotonic
from edge.events import Body, RecordingStored, RequestAnswered, RequestRefused
from edge.ledger import Ledger
from edge.media import MediaStore
from edge.requests import SPOT_CHECK, Request

PHOTOS = 4
EVERY_S = 2.0
WITHIN_S = 14.0
CLIP_S = 10.0
Films = Callable[[Keeper, str], bool]
Result = Mapping[str, Any]


class Proposals:
    """Takes one spot check after the other; see ``tend``."""

    def __init__(self, ledger: Ledger, media: MediaStore, folder: Path) -> None:
        """*folder*: the runtime folder, where proposals lie until the box restarts."""
        self._ledger = ledger
        self._media = media
        self._folder = folder
        self._at_work: tuple[Request, Task[Result]] | None = None

    def tend(self, keepers: Sequence[Keeper], films: Films) -> None:
        """Take one step: answer what is done, or take what waits."""
        if self._at_work is None:
            request = requests.claim(self._ledger, (SPOT_CHECK,), "recorder")
            if request is None:
                return
            lesson = str(request.args["lesson_id"])
            mine = [lenses.lens_of(one) for one in keepers if films(one, lesson)]
            spare = [lenses.lens_of(one) for one in keepers if one.camera.role == "spare"]
            self._forget_old(request.id)
            self._at_work = (request, Task(self._work(request.id, lesson, mine, spare)))
        elif self._at_work[1].done:
            request, task = self._at_work
            answer: Body
            try:
                answer = RequestAnswered(request.id, request.kind, task.result())
            except (NoPicture, OSError) as error:
                answer = RequestRefused(request.id, request.kind, str(error))
            with self._ledger.writing() as writer:
                requests.answer(writer, request.id, answer)
            self._at_work = None

    def _forget_old(self, request_id: str) -> None:
        for file in self._folder.glob("spot-check-*"):
            if request_id not in file.name:
                file.unlink(missing_ok=True)

    def _work(
        self, request_id: str, lesson_id: str, mine: Sequence[Lens], spare: Sequence[Lens]
    ) -> Callable[[], Result]:
        return lambda: self._propose(request_id, lesson_id, mine, spare)

    def _propose(
        self, request_id: str, lesson_id: str, mine: Sequence[Lens], spare: Sequence[Lens]
    ) -> Result:
        source = "classroom"
        try:
            pictures = self._series(mine)
        except NoPicture as error:
            if not spare:
                raise
            source = "spare"
            try:
                pictures = self._series(spare)
            except NoPicture as other:
                raise NoPicture(error.cause, f"{error}; {other}") from other
        items = []
        for number, picture in enumerate(pictures, start=1):
            name = f"spot-check-{request_id}-{number}.jpg"
            path = self._folder / name
            path.write_bytes(picture.content)
            items.append(
                {
                    **{"file": name, "sort": "photo", "source": source},
                    **{"camera": picture.camera, "at": picture.at, "heads": _heads(path)},
                }
            )
        return {"items": [*items, *self._clip(request_id, lesson_id, pictures[0].camera, source)]}

    def _series(self, asked: Sequence[Lens]) -> list[Picture]:
        """Return several pictures that differ, some seconds apart; fewer when time runs out."""
        found = [lenses.take(asked, self._folder)]
        until = monotonic() + WITHIN_S
        pace = threading.Event()
        while len(found) < PHOTOS and monotonic() < until:
            pace.wait(EVERY_S)  # nobody sets it: people move meanwhile
            try:
                picture = lenses.take(asked, self._folder)
            except NoPicture:
                break
            if picture.at != found[-1].at:
                found.append(picture)
        return found

    def _clip(
        self, request_id: str, lesson_id: str, camera: str, source: str
    ) -> list[dict[str, Any]]:
        """Return the last seconds of the recording, nothing when that camera is not recorded."""
        name = f"spot-check-{request_id}.mp4"
        for draft in reversed(self._media.unfinished([RecordingStored.kind])):
            body = draft.body
            assert isinstance(body, RecordingStored)
            if (body.lesson_id, body.camera) != (lesson_id, camera) or body.sha256:
                continue
            part = Part(camera, draft.path, body.start)
            try:
                at = excerpt.clip(part, CLIP_S, self._folder / name)
            except StreamFailed:
                continue  # it has only begun: the photos stand alone
            return [{"file": name, "sort": "clip", "source": source, "camera": camera, "at": at}]
        return []


def _heads(path: Path) -> int:
    """Return how many heads a picture shows, -1 when they cannot be counted here."""
    try:
        return processing.heads_in(path)
    except StreamFailed:
        return -1  # the instructor looks at the picture, which is what counts
