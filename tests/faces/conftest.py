"""What the tests of the faces look at: a public-domain portrait, a film of it, research photos."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
import pytest

from camera.door import read_picture
from camera.faces import embed
from camera.faces.align import Picture
from camera.faces.embed import Embedder
from camera.faces.mesh import Mesh
from tests.demo.door_film import make_film
from tests.system import portrait as portrait_file

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def portrait_path() -> Path:
    """Return the file of the portrait."""
    return portrait_file()


@pytest.fixture(scope="session")
def portrait(portrait_path: Path) -> Picture:
    """Return the portrait (512×512, RGB)."""
    picture = read_picture(portrait_path)
    assert picture is not None
    return picture


@pytest.fixture(scope="session")
def film(tmp_path_factory: pytest.TempPathFactory, portrait_path: Path) -> Path:
    """Return the door film."""
    return make_film(tmp_path_factory.mktemp("film") / "door.mp4", portrait_path)


@pytest.fixture(scope="session")
def film_frames(film: Path) -> list[Picture]:
    """Return the door film's pictures."""
    with av.open(str(film)) as container:
        return [
            np.asarray(frame.to_ndarray(format="rgb24"), dtype=np.uint8)
            for frame in container.decode(video=0)
        ]


@pytest.fixture(scope="session")
def embedder() -> Embedder:
    """Return the product's face network."""
    return embed.load()


@pytest.fixture(scope="session")
def photo_mesh() -> Iterator[Mesh]:
    """Return a face mesh for single pictures."""
    with Mesh(video=False) as mesh:
        yield mesh


@pytest.fixture(scope="session")
def research_photos() -> Path:
    """Return the folder of research photos; they are only measured here, never copied."""
    default = REPOSITORY.parent / "shared" / "data"
    folder = Path(os.environ.get("CLASSBOX_MEASURE_DATA", default)) / "faces"
    if not folder.is_dir():
        pytest.skip("needs the research photos: set CLASSBOX_MEASURE_DATA to their folder")
    return folder
