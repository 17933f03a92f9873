"""How long a frame of the door camera takes to become a decision, on one core.

Both sides run as processes of their own, pinned to the same core, and are asked in turn; each
gets the same pictures: the seconds of the door film in which somebody stands there.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from tests.bench.figures import CannotMeasure, Figure
from tests.demo.door_film import LEAVES, STANDS, frames
from tests.system import portrait

REPOSITORY = Path(__file__).parents[2]
REFERENCE_PYTHON = REPOSITORY / ".venv-bench-faces" / "bin" / "python"
FRAMES = 20


class Side:
    """One pipeline in a process of its own: ``measure`` returns its ms a frame."""

    def __init__(self, python: Path, script: str, pictures: Path, core: int) -> None:
        """Start it and wait until it has loaded its networks."""
        self._process = subprocess.Popen(
            [str(python), str(Path(__file__).with_name(script)), str(pictures), str(core)],
            cwd=REPOSITORY,
            env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._expect("ready")

    def measure(self) -> float:
        """Let it decide about every picture once; return the mean time of one in ms."""
        assert self._process.stdin is not None
        self._process.stdin.write("go\n")
        self._process.stdin.flush()
        return float(self._expect(""))

    def __enter__(self) -> Self:
        """Return the running side."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End it."""
        self._process.kill()
        self._process.communicate()

    def _expect(self, beginning: str) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline().strip()
        if not line or not line.startswith(beginning):
            self._process.kill()
            raise CannotMeasure(
                "one side of the benchmark ended early, see above; "
                "./box bench faces sets up the reference's environment"
            )
        return line


def figures() -> Iterator[Figure]:
    """Yield the one figure."""
    if not REFERENCE_PYTHON.exists():
        raise CannotMeasure(
            f"{REFERENCE_PYTHON.parents[1].name} is missing: run ./box bench faces, which makes it"
        )
    core = min(os.sched_getaffinity(0))
    with tempfile.TemporaryDirectory() as folder, ExitStack() as sides:
        pictures = Path(folder) / "pictures.npy"
        standing = frames(portrait())[round(STANDS * 10) : round(LEAVES * 10)][:FRAMES]
        np.save(pictures, np.stack(standing))
        ours = sides.enter_context(Side(Path(sys.executable), "faces_ours.py", pictures, core))
        reference = sides.enter_context(
            Side(REFERENCE_PYTHON, "faces_reference.py", pictures, core)
        )
        yield Figure(
            name="frame to decision",
            ours=ours.measure,
            reference=reference.measure,
            unit="ms",
            reference_is=(
                "face_recognition with its defaults: face_locations (HOG), face_encodings, "
                "compare_faces with 50; same 640×480 frames, same single core"
            ),
            goal="ours <= 40 and ratio <= 0.2",
        )
