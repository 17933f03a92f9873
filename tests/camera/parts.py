"""What a recording process has said, and the parts that it left."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from camera.supervision import Child
from edge.events import RecordingStored
from edge.media import MediaStore


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
