"""What others ask of the cameras, such as the kiosk's technician page: find, try out, set up.

Owns the recorder's requests (kinds in ``KINDS``). Promises one answer to each, in one transaction
with its event, that nothing waits for a camera meanwhile, and that no answer holds a login. Binding
needs no request: see ``edge.bindings``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from camera import discovery, trial, whereabouts
from camera.failures import StreamFailed
from camera.task import Task
from edge import bindings, requests
from edge.config import CameraConfig, Config
from edge.events import Body, RequestAnswered, RequestRefused
from edge.ledger import Ledger
from edge.logins import Logins
from edge.requests import CAMERA_DISCOVER, CAMERA_SET_UP, CAMERA_TEST, CannotDo, Request

KINDS = (CAMERA_DISCOVER, CAMERA_SET_UP, CAMERA_TEST)
Result = Mapping[str, Any]


class Errands:
    """Takes one request after the other; see ``tend``."""

    def __init__(self, ledger: Ledger, config: Config, logins: Logins) -> None:
        self._ledger = ledger
        self._config = config
        self._logins = logins
        self._at_work: tuple[Request, Task[Result]] | None = None

    def tend(self) -> None:
        """Take one step: answer what is done, or take what waits."""
        if self._at_work is None:
            request = requests.claim(self._ledger, KINDS, "recorder")
            if request is not None:
                self._at_work = (request, Task(self._work(request)))
        elif self._at_work[1].done:
            request, task = self._at_work
            answer: Body
            try:
                answer = RequestAnswered(request.id, request.kind, task.result())
            except (CannotDo, StreamFailed) as error:
                answer = RequestRefused(request.id, request.kind, str(error))
            with self._ledger.writing() as writer:
                requests.answer(writer, request.id, answer)
            self._at_work = None

    def _work(self, request: Request) -> Callable[[], Result]:
        if request.kind == CAMERA_DISCOVER:
            return self._discover
        work = self._test if request.kind == CAMERA_TEST else self._set_up
        return lambda: work(self._camera(str(request.args.get("camera", ""))))

    def _discover(self) -> Result:
        bound = {camera.address: camera.id for camera in self._in_force()}
        return {
            "cameras": [
                {**asdict(found), "bound": bound.get(found.address, "")}
                for found in discovery.cameras()
            ]
        }

    def _test(self, camera: CameraConfig) -> Result:
        """Leave the test photo beside the lamps, in tmpfs: it is shown, not kept."""
        picture = f"test-{camera.id}.jpg"
        identity = trial.try_out(camera, Path(self._config.runtime_dir) / picture)
        if identity is not None:
            whereabouts.state(self._ledger, camera.id, identity)
        findings = trial.findings_of(camera, identity)
        return {"photo": picture, "findings": [str(finding) for finding in findings]}

    def _set_up(self, camera: CameraConfig) -> Result:
        if camera.kind != "onvif":
            raise CannotDo(f"{camera.label}: only cameras with an ONVIF address can be set up.")
        done = trial.adjust(self._ledger, camera, self._config.time_zone, self._config.room)
        return {"findings": [str(finding) for finding in done.findings]}

    def _camera(self, camera_id: str) -> CameraConfig:
        for camera in self._in_force():
            if camera.id == camera_id:
                return camera
        raise CannotDo(f"{camera_id}: no camera of this id is bound to the room.")

    def _in_force(self) -> tuple[CameraConfig, ...]:
        with self._ledger.store.read() as connection:
            return bindings.in_force(connection, self._config, self._logins)
