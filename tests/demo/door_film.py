"""A film for the door camera: somebody walks up, stands before it, and leaves again.

Drawn from one portrait (the demo's is a public-domain one), so that no photo of anybody else is
needed. Meant to be looped: it begins and ends with the empty doorway.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from mediapipe.python.solutions import (  # type: ignore[import-untyped]  # has no types
    selfie_segmentation,
)
from numpy.typing import NDArray

from camera.faces.quiet import without_chatter

Image = NDArray[np.uint8]

WIDTH, HEIGHT = 640, 480
FRAMES_PER_SECOND = 10
# Seconds from the film's beginning.
COMES, STANDS, LEAVES, GONE, END = 4.0, 7.0, 13.0, 15.5, 24.0
# Portrait of 512 pixels: the face's middle, and how large the person appears far and near.
_FACE = (225.0, 125.0)
_FAR, _NEAR = 0.55, 1.25


def make_film(path: Path, portrait: Path) -> Path:
    """Write the film of *portrait* to *path* unless it is there already, and return *path*."""
    if path.exists():
        return path
    return write_film(frames(portrait), path)


def write_film(pictures: Sequence[Image], path: Path) -> Path:
    """Write *pictures* (RGB, of one size) as H.264 in MP4 to *path*, and return *path*."""
    height, width = pictures[0].shape[:2]
    draft = path.with_name(f".{path.name}")
    with av.open(str(draft), "w", format="mp4") as container:
        stream = container.add_stream("h264", rate=FRAMES_PER_SECOND)
        assert isinstance(stream, VideoStream)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.options = {"preset": "veryfast", "crf": "20"}
        for number, picture in enumerate(pictures):
            frame = VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts = number
            frame.time_base = Fraction(1, FRAMES_PER_SECOND)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    draft.replace(path)
    return path


def frames(portrait: Path) -> list[Image]:
    """Return the film's pictures (480×640×3, RGB)."""
    person, outline = _cut_out(portrait)
    doorway = _doorway()
    grain = np.random.default_rng(1).normal(0, 2.5, (7, HEIGHT, WIDTH, 3)).astype(np.float32)
    film = []
    for number in range(round(END * FRAMES_PER_SECOND)):
        picture: NDArray[np.float32] = doorway.astype(np.float32)
        where = _placement(number / FRAMES_PER_SECOND)
        if where is not None:
            size = (WIDTH, HEIGHT)
            body = cv2.warpAffine(person, where, size, flags=cv2.INTER_AREA)
            alpha = cv2.warpAffine(outline, where, size)[..., None]
            picture = np.asarray(picture * (1 - alpha) + body * alpha, dtype=np.float32)
        film.append(np.clip(picture + grain[number % len(grain)], 0, 255).astype(np.uint8))
    return film


def _placement(second: float) -> NDArray[np.float64] | None:
    """Return the 2×3 map from portrait to picture, None while nobody is there."""
    if not COMES <= second < GONE:
        return None
    if second < STANDS:  # from the left, growing
        done = _eased((second - COMES) / (STANDS - COMES))
        scale, across = _FAR + (_NEAR - _FAR) * done, -60 + 380 * done
    elif second < LEAVES:
        scale, across = _NEAR, 320.0
    else:  # to the right, past the camera
        done = _eased((second - LEAVES) / (GONE - LEAVES))
        scale, across = _NEAR + 0.15 * done, 320 + 560 * done
    # Nobody stands like a post.
    scale *= 1 + 0.008 * np.sin(1.7 * second)
    across += 4 * np.sin(1.1 * second)
    # The portrait ends at the hip: it stands on the lower edge, and near the camera below it.
    below = 160 * (scale - _FAR) / (_NEAR - _FAR)
    down = HEIGHT - (512 - _FACE[1]) * scale + below + 3 * np.sin(2.3 * second)
    turn = np.radians(1.5 * np.sin(0.9 * second))
    cosine, sine = scale * np.cos(turn), scale * np.sin(turn)
    return np.array(
        [
            [cosine, -sine, across - cosine * _FACE[0] + sine * _FACE[1]],
            [sine, cosine, down - sine * _FACE[0] - cosine * _FACE[1]],
        ]
    )


def _eased(share: float) -> float:
    return share * share * (3 - 2 * share)


def _cut_out(portrait: Path) -> tuple[Image, NDArray[np.float32]]:
    """Return the portrait (512×512, RGB) and how much of each pixel is the person, 0 to 1."""
    content = cv2.imread(str(portrait), cv2.IMREAD_COLOR_RGB)
    if content is None:
        raise FileNotFoundError(f"{portrait}: not a picture that can be read")
    picture = np.asarray(cv2.resize(content, (512, 512)), dtype=np.uint8)
    with without_chatter(), selfie_segmentation.SelfieSegmentation(model_selection=0) as model:
        mask = np.asarray(model.process(picture).segmentation_mask, dtype=np.float32)
    soft = cv2.GaussianBlur(np.clip((mask - 0.3) / 0.4, 0, 1), (0, 0), 2)
    return picture, np.asarray(soft, dtype=np.float32)


def _doorway() -> Image:
    """Return an empty corridor behind an open door (480×640×3, RGB)."""
    down = np.linspace(0, 1, HEIGHT)[:, None, None]
    wall = np.array([206.0, 200.0, 188.0]) * (1 - 0.18 * down)
    picture = np.repeat(wall, WIDTH, axis=1).astype(np.uint8)
    far = np.array([[250, 120], [390, 120], [390, 330], [250, 330]], dtype=np.int32)
    floor = np.array([[250, 330], [390, 330], [560, 480], [80, 480]], dtype=np.int32)
    cv2.fillPoly(picture, [floor], (150, 140, 126))
    cv2.fillPoly(picture, [far], (226, 224, 216))
    for left, right in ((0, 250), (640, 390)):
        side = np.array([[left, 0], [right, 120], [right, 330], [left, 520]], dtype=np.int32)
        cv2.fillPoly(picture, [side], (190, 184, 172))
    cv2.rectangle(picture, (286, 168), (354, 330), (146, 122, 96), -1)  # a door at the far end
    cv2.rectangle(picture, (286, 168), (354, 330), (112, 92, 72), 2)
    cv2.rectangle(picture, (60, 120), (150, 230), (172, 196, 208), -1)  # a notice board
    cv2.rectangle(picture, (60, 120), (150, 230), (120, 112, 100), 2)
    cv2.rectangle(picture, (0, 0), (26, 480), (120, 100, 80), -1)  # the near door's frame
    cv2.rectangle(picture, (614, 0), (640, 480), (120, 100, 80), -1)
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), 1.6), dtype=np.uint8)
