"""Heads are counted once each, wherever the tiles' seams fall; nobody is recognised."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from camera.faces import heads
from camera.faces.align import Picture
from camera.faces.heads import Counter, tiles
from tests.system import portrait

ABOUT = heads.load_manifest()


@pytest.fixture(scope="module")
def counter() -> Counter:
    """Return the product's head counter."""
    return heads.load()


@pytest.fixture(scope="module")
def face() -> Picture:
    """Return one face with some of what is around it (B G R)."""
    somebody = cv2.imread(str(portrait()))
    assert somebody is not None
    return np.asarray(somebody[0:230, 110:330], np.uint8)


def room_with(face: Picture, places: list[tuple[int, int]], height: int) -> Picture:
    """Return a grey room of 1920×1080 with that face, *height* pixels high, at each place."""
    room = np.full((1080, 1920, 3), 128, np.uint8)
    small = cv2.resize(face, (face.shape[1] * height // face.shape[0], height))
    for x, y in places:
        room[y : y + height, x : x + small.shape[1]] = small
    return room


def test_an_empty_room_has_no_heads(counter: Counter) -> None:
    """Nothing is counted where nobody is."""
    assert counter.count(np.full((1080, 1920, 3), 128, np.uint8)) == 0


@pytest.mark.parametrize("height", [90, 150, 260])
def test_heads_are_counted_once_each(counter: Counter, face: Picture, height: int) -> None:
    """Fifteen heads on a grid, some of them across the tiles' seams: fifteen."""
    places = [(30 + column * 375, 40 + row * 350) for row in range(3) for column in range(5)]
    assert counter.count(room_with(face, places, height)) == 15


def test_small_heads_need_the_tiles(counter: Counter, face: Picture) -> None:
    """In one look at the whole picture the back rows are lost."""
    places = [(20 + column * 190, 30 + row * 200) for row in range(5) for column in range(10)]
    room = room_with(face, places, 60)
    one_look = heads.load()
    one_look.manifest = replace(ABOUT, rows=1, columns=1, side=10_000)
    assert counter.count(room) == 50
    assert one_look.count(room) < 50


@given(height=st.integers(120, 1200), width=st.integers(160, 2000))
def test_tiles_cover_the_picture(height: int, width: int) -> None:
    """No pixel is left out, and none lies outside."""
    seen = np.zeros((height, width, 1), np.uint8)
    for left, top, tile in tiles(seen, ABOUT):
        tile[:] = 1
        assert seen[top : top + tile.shape[0], left : left + tile.shape[1]].shape == tile.shape
    assert seen.all()
