"""A picture of the classroom now: which camera, and in which way.

Owns the order of the ways to a picture. Promises that every refusal is one word of
``model.MissCause`` and a sentence, and that neither holds a login.
"""

from __future__ import annotations

import errno
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from camera import photo
from camera.failures import Failure, StreamFailed
from camera.health import State
from camera.keeper import Keeper
from camera.supervision import Child, NoPhoto
from edge.model import Instant, MissCause, Reading

NO_CAMERA = "No classroom camera is bound: classbox cameras discover, classbox cameras add."
_CAUSE_OF: Mapping[Failure, MissCause] = {
    Failure.REFUSED: MissCause.LOGIN_REFUSED,
    Failure.UNREACHABLE: MissCause.CAMERA_UNREACHABLE,
    Failure.UNUSABLE: MissCause.PICTURE_UNUSABLE,
    Failure.ANOTHER: MissCause.CAMERA_UNREACHABLE,
    Failure.SILENT: MissCause.CAMERA_SILENT,
    Failure.ENDED: MissCause.CAMERA_HUNG_UP,
    Failure.DISK_FULL: MissCause.DISK_FULL,
    Failure.BROKEN: MissCause.PICTURE_UNUSABLE,
}
_CAUSE_IN: Mapping[State, MissCause] = {
    State.REFUSED: MissCause.LOGIN_REFUSED,
    State.UNUSABLE: MissCause.PICTURE_UNUSABLE,
    State.NOT_RECORDING: MissCause.PICTURE_UNUSABLE,
}


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture from a camera. ``method`` is one of those of ``snapshot.taken``.

    ``clocks``: of ``at``; None for a picture of this boot.
    """

    camera: str
    at: Instant
    method: str
    content: bytes
    clocks: Reading | None = None


class NoPicture(Exception):
    """No camera gave a picture; the message lists what was tried and why it failed."""

    def __init__(self, cause: MissCause, message: str) -> None:
        super().__init__(message)
        self.cause = cause


@dataclass(frozen=True, slots=True)
class Lens:
    """One camera as it can be asked now. Addresses hold logins: never print them."""

    camera: str
    label: str
    child: Child | None
    sharp: bool
    snapshot: str
    user: str
    password: str
    stream: str
    transport: str
    state: State
    trouble: str


def lens_of(keeper: Keeper) -> Lens:
    """Return how the camera of *keeper* can be asked now."""
    camera = keeper.camera
    return Lens(
        camera=camera.id,
        label=camera.label,
        child=keeper.child,
        sharp=keeper.sharp,
        snapshot=keeper.identity.snapshot if keeper.identity else "",
        user=camera.user,
        password=camera.password,
        stream=keeper.stream_address(),
        transport=camera.transport,
        state=keeper.state,
        trouble=keeper.cause,
    )


def take(lenses: Sequence[Lens], folder: Path) -> Picture:
    """Return a picture of the first camera that gives one, in the quickest way it has.

    Pictures pass through *folder*. Takes seconds where cameras are dead: not for the service loop.
    Raises NoPicture, whose cause is that of the first camera's last way.
    """
    tried: list[str] = []
    causes: list[MissCause] = []
    for lens in lenses:
        ways = _ways(lens)
        cause = _CAUSE_IN.get(lens.state, MissCause.CAMERA_UNREACHABLE)
        if not ways:
            tried.append(f"{lens.label}: {lens.trouble or 'its address is not found out yet'}")
        for method, shoot in ways:
            path = folder / f"snapshot-{uuid.uuid4().hex}.jpg"
            try:
                at = shoot(path)
                content = path.read_bytes()
            except (NoPhoto, StreamFailed, OSError) as error:
                tried.append(f"{lens.label}, {method}: {error}")
                cause = _cause_of(error)
                continue
            finally:
                path.unlink(missing_ok=True)
            if photo.is_whole_jpeg(content):
                return Picture(lens.camera, at, method, content)
            tried.append(f"{lens.label}, {method}: the picture is damaged")
            cause = MissCause.PICTURE_UNUSABLE
        causes.append(cause)
    raise NoPicture(
        causes[0] if causes else MissCause.NO_CAMERA, "; ".join(tried) if tried else NO_CAMERA
    )


def _cause_of(error: NoPhoto | StreamFailed | OSError) -> MissCause:
    if isinstance(error, StreamFailed):
        return _CAUSE_OF[error.kind]
    if isinstance(error, NoPhoto):
        return MissCause.CAMERA_SILENT
    full = error.errno in (errno.ENOSPC, errno.EDQUOT)
    return MissCause.DISK_FULL if full else MissCause.PICTURE_UNUSABLE


def _ways(lens: Lens) -> list[tuple[str, Callable[[Path], Instant]]]:
    """Return the ways to a picture, the quickest first (measured: 13 ms, 8 ms, 81-320 ms).

    The recorder's key frame comes before the snapshot address although it is slower, for it
    costs the camera nothing and shows what the recording shows; but it comes last where room is
    saved and the recording has the small stream.
    """
    ways: list[tuple[str, Callable[[Path], Instant]]] = []
    if lens.child is not None and lens.sharp:
        ways.append(("key_frame", lens.child.photo))
    if lens.snapshot:
        ways.append(
            (
                "snapshot_address",
                lambda path: photo.from_snapshot_address(
                    lens.snapshot, lens.user, lens.password, path
                ),
            )
        )
    if lens.stream:
        ways.append(
            ("fast_open", lambda path: photo.from_stream(lens.stream, lens.transport, path))
        )
    if lens.child is not None and not lens.sharp:
        ways.append(("key_frame", lens.child.photo))
    return ways
