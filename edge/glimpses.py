"""A classroom camera's picture of this moment, from the recorder to the link: files on tmpfs.

Owns ``live-CAMERA.frame`` in the runtime folder, replaced in one step: a cache, never a fact, and
never on a disk. A line of JSON (``at``: wall time in µs, ``mono``: seconds of the monotonic clock
when the picture arrived from the camera), then the JPEG.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path

from edge.files import replace_file
from edge.model import Instant

# What one picture may take; a box behind a slow line makes smaller ones.
MOST_BYTES = 48 * 1024
LEAST_BYTES = 6 * 1024


@dataclass(frozen=True, slots=True)
class Glimpse:
    """One picture. ``mono``: when it arrived, which tells its age in every process of the box."""

    at: Instant
    mono: float
    content: bytes = field(repr=False)


def path_of(runtime_dir: Path, camera: str) -> Path:
    """Return where the pictures of *camera* pass."""
    return runtime_dir / f"live-{camera}.frame"


def put(path: Path, glimpse: Glimpse) -> None:
    """Replace the picture that lies at *path*."""
    head = json.dumps({"at": glimpse.at, "mono": glimpse.mono}).encode("ascii")
    replace_file(path, head + b"\n" + glimpse.content, durable=False)


def get(path: Path) -> Glimpse | None:
    """Return the picture at *path*, None when there is none."""
    try:
        head, _, content = path.read_bytes().partition(b"\n")
    except FileNotFoundError:
        return None
    said = json.loads(head)
    return Glimpse(int(said["at"]), float(said["mono"]), content)
