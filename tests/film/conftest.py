"""Parts that the recorder made of a virtual camera, as a lesson has them."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from edge.model import Duration
from tests.camera.parts import drafts, recorded
from tests.virtual_cameras import VirtualCamera


@dataclass(frozen=True)
class Made:
    """One part: its bytes and how long it is."""

    content: bytes
    lasts: Duration


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Made, Made]:
    """Lend two recordings of a few seconds each, by the real recorder."""
    found = []
    for _ in range(2):
        folder = tmp_path_factory.mktemp("recorded")
        with VirtualCamera(audio="aac") as camera:
            recorded(folder, camera, 4)
        ((body, path),) = drafts(folder)
        found.append(Made(path.read_bytes(), body.end - body.start))
    return found[0], found[1]
