"""What a picture shows of its camera: dark, covered, frozen, turned away; and what it must not."""

from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from camera.picture import (
    ALIKE,
    FROZEN_AFTER_S,
    HEIGHT,
    MEDIAN_OF,
    UNLIKE,
    WIDTH,
    BadPicture,
    Grey,
    Look,
    View,
    covered,
    dark,
    edges,
    grey_from,
    likeness,
)
from camera.recording import Order
from camera.sight import Sight, kept_view
from camera.supervision import Child
from edge.model import MINUTE
from edge.rules.alerts import Code
from tests.camera.parts import said
from tests.processes import wait_for
from tests.virtual_cameras import VirtualCamera, classroom

Image = Any


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Image:
    """The drawn classroom, 1280×720."""
    path = tmp_path_factory.mktemp("room") / "room.png"
    classroom.still(path)
    return cv2.imread(str(path))


def small(image: Image) -> Grey:
    """Return a picture as the recording process makes it small."""
    grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
    found: Grey = cv2.resize(grey, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA).astype(np.uint8)
    return found


def moved(image: Image, degrees: float = 0, across: int = 0, down: int = 0) -> Image:
    """Return what the camera sees when it is turned."""
    size = (image.shape[1], image.shape[0])
    matrix: Any = cv2.getRotationMatrix2D((size[0] / 2, size[1] / 2), degrees, 1)
    matrix[:, 2] += (across, down)
    return cv2.warpAffine(image, matrix, size, borderMode=cv2.BORDER_REFLECT)


def lit(image: Image, gamma: float) -> Image:
    """Return the room in other light."""
    return (255 * (image / 255) ** gamma).astype(np.uint8)


def sunny(image: Image) -> Image:
    """Return the room with the sun coming in at one side."""
    light = np.linspace(0.4, 1.3, image.shape[1])[None, :, None]
    return np.clip(image * light, 0, 255).astype(np.uint8)


def crowded(image: Image) -> Image:
    """Return the room with eight people standing where nobody stood."""
    crowd, chance = image.copy(), np.random.default_rng(3)
    for _ in range(8):
        place = (int(chance.integers(0, 1280)), int(chance.integers(250, 720)))
        colour = tuple(int(part) for part in chance.integers(0, 255, 3))
        cv2.ellipse(crowd, place, (50, 90), 0, 0, 360, colour, -1)
    return crowd


@pytest.mark.parametrize(
    "change",
    [
        lambda image: lit(image, 0.6),
        lambda image: lit(image, 1.8),
        sunny,
        crowded,
        lambda image: moved(image, 1, 25, 10),
        lambda image: crowded(sunny(lit(image, 1.4))),
    ],
    ids=["bright", "dim", "sun", "people", "nudged", "all at once"],
)
def test_another_day_is_the_same_view(room: Image, change: Callable[[Image], Image]) -> None:
    """Light, people and a nudge while the lens was cleaned call nobody."""
    assert likeness(edges(small(room)), edges(small(change(room)))) > ALIKE


@pytest.mark.parametrize(
    "change",
    [
        lambda image: moved(image, 15),
        lambda image: moved(image, 0, 400),
        lambda image: moved(image, 0, 0, 150),
        lambda image: np.rot90(image, 2),
    ],
    ids=["tilted", "to the side", "to the floor", "upside down"],
)
def test_a_camera_that_was_turned_shows_another_view(
    room: Image, change: Callable[[Image], Image]
) -> None:
    """A view that shows a third of the room no more is not the view of yesterday."""
    assert likeness(edges(small(room)), edges(small(change(room)))) < UNLIKE


def test_dark_and_covered_are_told_apart_from_a_room(room: Image) -> None:
    """The light off, a cap, a hand, a cloth; and a dim room is none of them."""
    hand = np.full_like(room, (70, 90, 140))
    cloth = cv2.GaussianBlur(room, (0, 0), 80)
    night = (room * 0.1).astype(np.uint8)
    assert dark(small(night)) and dark(small(np.zeros_like(room)))
    assert covered(small(hand)) and covered(small(cloth))
    for seen in (room, lit(room, 1.8), lit(room, 0.5), crowded(room)):
        assert not dark(small(seen)) and not covered(small(seen))
    assert not covered(small(night)), "what is dark is said to be dark"


def test_a_picture_that_never_changes_is_frozen_after_a_minute(room: Image) -> None:
    """A film of one picture; a single pixel that changes within a minute shows a live camera."""
    grey = small(room)
    view = View()
    for second in range(0, int(FROZEN_AFTER_S), 2):
        view.take(Look(grey, 7, float(second)))
        assert not view.frozen
    view.take(Look(grey, 7, FROZEN_AFTER_S))
    assert view.frozen
    view.take(Look(grey, 8, FROZEN_AFTER_S + 2))
    assert not view.frozen and not view.repeats


def test_a_gap_between_two_looks_is_no_frozen_picture(room: Image) -> None:
    """Two looks with an hour between them prove nothing about the time between."""
    view = View()
    view.take(Look(small(room), 7, 0.0))
    view.take(Look(small(room), 7, 3600.0))
    assert not view.frozen


def test_a_view_is_learnt_once_and_kept_while_it_is_unlike(tmp_path: Path, room: Image) -> None:
    """Turned away overnight: the next lesson says so, and goes on saying so."""
    path = kept_view(tmp_path, "cam-1")
    looks = {"yesterday": small(room), "turned": small(moved(room, 0, 400))}

    def lesson(which: str) -> dict[Code, str | None]:
        sight = Sight(path)
        for number in range(MEDIAN_OF):
            sight.hear(report(looks[which], mark=number))
        return sight.findings()

    assert lesson("yesterday")[Code.VIEW_CHANGED] is None
    kept = path.read_bytes()
    for _ in range(3):
        assert "likeness" in str(lesson("turned")[Code.VIEW_CHANGED])
    assert path.read_bytes() == kept
    assert lesson("yesterday")[Code.VIEW_CHANGED] is None
    path.write_bytes(kept[:100])
    assert lesson("turned")[Code.VIEW_CHANGED] is None, "a torn file is learnt anew"


def test_a_dark_picture_says_nothing_of_the_view(tmp_path: Path, room: Image) -> None:
    """Before a lesson the light is off: that is one thing the matter, not two."""
    sight = Sight(kept_view(tmp_path, "cam-1"))
    for number in range(MEDIAN_OF):
        sight.hear(report(small((room * 0.1).astype(np.uint8)), mark=number))
    found = sight.findings()
    assert found[Code.PICTURE_BLACK] and Code.VIEW_CHANGED not in found


def report(grey: Grey, mark: int) -> dict[str, Any]:
    """Return what a recording process says of a picture."""
    text = base64.b64encode(grey.tobytes()).decode("ascii")
    return {"say": "look", "grey": text, "mark": mark, "rate": 25.0}


@pytest.mark.parametrize("text", ["", "AAAA", "no base64 !"])
def test_a_damaged_report_is_refused(text: str) -> None:
    """A picture of another size is none."""
    with pytest.raises(BadPicture):
        grey_from(text)


def test_the_recording_process_looks_at_its_key_frames(tmp_path: Path) -> None:
    """A live stream gives small pictures, each with another mark, and its frame rate."""
    with VirtualCamera(rate=10) as camera:
        order = Order("cam-1", camera.address, "tcp", str(tmp_path / "media"), 60 * MINUTE)
        child = Child(order)
        try:
            wait_for("it looked twice", lambda: len(said(child, "look")) >= 2, 40)
        finally:
            child.kill()
    first, second = said(child, "look")[:2]
    assert first["mark"] != second["mark"]
    assert 8 < second["rate"] < 12
    sight = Sight(kept_view(tmp_path, "cam-1"))
    sight.hear(second)
    assert {code: bool(detail) for code, detail in sight.findings().items()} == {
        Code.PICTURE_BLACK: False,
        Code.PICTURE_COVERED: False,
        Code.PICTURE_FROZEN: False,
        Code.FRAME_RATE: False,
    }
