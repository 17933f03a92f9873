"""A drawn classroom, seen from its camera above the back row, as pictures for a virtual camera.

Owns the drawing; promises that it shows nobody real, and that the pictures differ from second to
second (the wall clock's hand turns, people sway), so that a frozen stream can be told from a
quiet lesson.
"""

from __future__ import annotations

import math
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]
Colour = tuple[int, int, int]

WIDTH, HEIGHT = 1280, 720
SECONDS = 60
ROWS, SEATS = 4, 6
SHIRTS: tuple[Colour, ...] = (
    (150, 96, 62),
    (86, 120, 70),
    (70, 84, 168),
    (140, 132, 120),
    (92, 66, 110),
    (52, 128, 168),
    (120, 90, 40),
)
HAIR: tuple[Colour, ...] = ((28, 26, 24), (40, 44, 52), (36, 30, 28), (58, 70, 84))
EMPTY_SEATS = {(0, 4), (2, 1), (3, 5)}


def draw_reel(folder: Path) -> None:
    """Write one picture for each second of a minute into *folder*."""
    folder.mkdir(parents=True, exist_ok=True)
    room = _room()
    for second in range(SECONDS):
        picture = room.copy()
        _clock(picture, second)
        _instructor(picture, second)
        _people(picture, second)
        _write(folder / f"{second:05d}.jpg", picture)


def still(path: Path) -> None:
    """Write a single picture of the classroom to *path*."""
    picture = _room()
    _clock(picture, 10)
    _instructor(picture, 10)
    _people(picture, 10)
    _write(path, picture)


def _write(path: Path, picture: Picture) -> None:
    done, encoded = cv2.imencode(path.suffix, picture)
    if not done:
        raise OSError(f"{path}: OpenCV could not encode the picture")
    path.write_bytes(encoded.tobytes())


def _room() -> Picture:
    picture = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    for y in range(HEIGHT):
        shade = 1.0 - 0.12 * y / HEIGHT
        wall, floor = (206, 220, 222), (120, 146, 164)
        colour = wall if y < 330 else floor
        picture[y, :] = [int(part * shade) for part in colour]
    cv2.line(picture, (0, 330), (WIDTH, 330), (96, 116, 128), 3, cv2.LINE_AA)
    _board(picture)
    _windows(picture)
    return picture


def _board(picture: Picture) -> None:
    cv2.rectangle(picture, (340, 70), (940, 270), (60, 92, 120), -1)
    cv2.rectangle(picture, (350, 80), (930, 260), (62, 84, 48), -1)
    chalk = (214, 226, 220)
    for text, at, size in (
        ("Lesson 7: circuits", (380, 130), 1.1),
        ("U = R * I", (400, 190), 1.2),
        ("P = U * I", (400, 236), 1.0),
    ):
        cv2.putText(picture, text, at, cv2.FONT_HERSHEY_SIMPLEX, size, chalk, 2, cv2.LINE_AA)
    cv2.rectangle(picture, (700, 140), (880, 236), chalk, 2, cv2.LINE_AA)
    cv2.rectangle(picture, (760, 128), (820, 152), chalk, 2, cv2.LINE_AA)
    cv2.circle(picture, (790, 236), 16, chalk, 2, cv2.LINE_AA)


def _windows(picture: Picture) -> None:
    for left in (30, 170):
        cv2.rectangle(picture, (left, 60), (left + 120, 270), (236, 226, 198), -1)
        cv2.rectangle(picture, (left, 60), (left + 120, 270), (150, 164, 170), 5)
        cv2.line(picture, (left + 60, 60), (left + 60, 270), (150, 164, 170), 4)
    cv2.rectangle(picture, (1090, 120), (1220, 330), (92, 128, 160), -1)
    cv2.circle(picture, (1108, 232), 6, (60, 70, 80), -1, cv2.LINE_AA)


def _clock(picture: Picture, second: int) -> None:
    centre = (1010, 120)
    cv2.circle(picture, centre, 42, (250, 250, 250), -1, cv2.LINE_AA)
    cv2.circle(picture, centre, 42, (70, 70, 70), 3, cv2.LINE_AA)
    for turn, length, thickness in ((0.86, 20, 4), (0.25, 30, 3), (second / 60, 34, 1)):
        angle = 2 * math.pi * turn
        tip = (
            round(centre[0] + length * math.sin(angle)),
            round(centre[1] - length * math.cos(angle)),
        )
        cv2.line(picture, centre, tip, (40, 40, 160), thickness, cv2.LINE_AA)


def _instructor(picture: Picture, second: int) -> None:
    x = 620 + round(60 * math.sin(2 * math.pi * second / SECONDS))
    cv2.rectangle(picture, (x - 34, 222), (x + 34, 350), (120, 70, 40), -1)
    cv2.ellipse(picture, (x, 224), (34, 22), 0, 180, 360, (120, 70, 40), -1, cv2.LINE_AA)
    cv2.circle(picture, (x, 176), 26, (150, 182, 214), -1, cv2.LINE_AA)
    cv2.ellipse(picture, (x, 166), (28, 20), 0, 180, 360, (30, 28, 26), -1, cv2.LINE_AA)
    cv2.rectangle(picture, (560, 300), (800, 372), (84, 116, 146), -1)


def _people(picture: Picture, second: int) -> None:
    for row in range(ROWS):
        scale = 0.62 + 0.24 * row
        y = 372 + round(row * 84 + row * row * 6)
        for seat in range(SEATS):
            x = round(WIDTH / 2 + (seat - (SEATS - 1) / 2) * 176 * scale)
            _desk(picture, x, y, scale)
            if (row, seat) not in EMPTY_SEATS:
                sway = 3 * math.sin(2 * math.pi * (second / 12 + seat * 0.37 + row * 0.21))
                _person(picture, round(x + sway), y, scale, row * SEATS + seat)


def _desk(picture: Picture, x: int, y: int, scale: float) -> None:
    half, deep = round(72 * scale), round(26 * scale)
    cv2.rectangle(picture, (x - half, y - deep), (x + half, y), (128, 168, 196), -1)
    cv2.rectangle(picture, (x - half, y), (x + half, y + round(10 * scale)), (90, 124, 150), -1)


def _person(picture: Picture, x: int, y: int, scale: float, number: int) -> None:
    shirt, hair = SHIRTS[number % len(SHIRTS)], HAIR[number % len(HAIR)]
    shoulder = y + round(34 * scale)
    cv2.ellipse(
        picture,
        (x, shoulder + round(18 * scale)),
        (round(46 * scale), round(44 * scale)),
        0,
        180,
        360,
        shirt,
        -1,
        cv2.LINE_AA,
    )
    cv2.rectangle(
        picture,
        (x - round(46 * scale), shoulder + round(18 * scale)),
        (x + round(46 * scale), shoulder + round(60 * scale)),
        shirt,
        -1,
    )
    neck = (x - round(10 * scale), shoulder - round(30 * scale))
    cv2.rectangle(
        picture, neck, (x + round(10 * scale), shoulder - round(14 * scale)), (150, 182, 214), -1
    )
    cv2.circle(picture, (x, y - round(14 * scale)), round(26 * scale), hair, -1, cv2.LINE_AA)
