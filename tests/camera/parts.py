"""What a recording process has said, and the parts that it left."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from camera.recording import Order
from camera.supervision import Child
from edge.events import RecordingStored
from edge.media import MediaStore
from edge.model import SECOND
from tests.processes import wait_for
from tests.virtual_cameras import VirtualCamera


def said(child: Child, what: str) -> list[dict[str, Any]]:
    """Return the reports of that sort."""
    return [report for report in list(child.reports) if report["say"] == what]


def drafts(folder: Path) -> list[tuple[RecordingStored, Path]]:
    """Return the parts that lie in ``incoming`` of *folder*'s media, in the order of time."""
    found = []
    for draft in MediaStore(folder / "media").unfinished([RecordingStored.kind]):
        assert isinstance(draft.body, RecordingStored)
        found.append((draft.body, draft.path))
    return sorted(found, key=lambda pair: pair[0].start)


def recorded(folder: Path, camera: VirtualCamera, seconds: int, resize: bool = False) -> None:
    """Record the camera for some seconds into *folder*."""
    child = Child(Order("cam-1", camera.address, "tcp", str(folder / "media"), 600 * SECOND))
    child.record(("lesson-1",))
    wait_for("it grows", lambda: len(said(child, "alive")) > seconds)
    if resize:
        camera.resize(640, 360)
        wait_for("another part grows", lambda: len(said(child, "alive")) > 2 * seconds + 2)
    child.stop()
