"""Which picture of a face is good enough to enrol somebody by, and what to do when it is not.

Pure. A poor enrolment photo matches everybody and nobody: better to ask for another one. The
limits were measured on 1,813 research photos: each of them refuses one to a few of a hundred, and
the sharpness limit 98 of 100 that were blurred by 1.5 pixels of the aligned crop.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

import cv2
import numpy as np

from camera.faces.align import Picture


class Flaw(StrEnum):
    """Why a picture is refused."""

    NO_FACE = "no_face"
    SEVERAL_FACES = "several_faces"
    TOO_SMALL = "too_small"
    TURNED_AWAY = "turned_away"
    TOO_DARK = "too_dark"
    TOO_BRIGHT = "too_bright"
    BLURRED = "blurred"


# What is wrong and what to do, in Chinese and English.
WORDS: dict[Flaw, tuple[str, str]] = {
    Flaw.NO_FACE: (
        "照片中没有找到人脸。请正对镜头，露出眉毛到下巴。",
        "No face was found. Face the camera and show your face from brows to chin.",
    ),
    Flaw.SEVERAL_FACES: (
        "照片中不止一张人脸。请只留一个人。",
        "There is more than one face. Only one person may be in the picture.",
    ),
    Flaw.TOO_SMALL: (
        "人脸太小。请靠近一些，或换一张更清楚的照片。",
        "The face is too small. Come closer, or use a photo with more detail.",
    ),
    Flaw.TURNED_AWAY: (
        "没有正对镜头。请抬头，正视镜头。",
        "The face is turned away. Hold the head upright and look straight at the camera.",
    ),
    Flaw.TOO_DARK: (
        "光线太暗。请面向光源。",
        "The face is too dark. Turn towards the light.",
    ),
    Flaw.TOO_BRIGHT: (
        "光线太亮。请避开强光。",
        "The face is too bright. Move out of the direct light.",
    ),
    Flaw.BLURRED: (
        "照片模糊。请站稳，或换一张更清楚的照片。",
        "The picture is blurred. Hold still, or use a sharper photo.",
    ),
}


class Measured(Protocol):
    """What is asked of a face: its larger side in pixels, and its angles in degrees."""

    @property
    def size(self) -> float:
        """Larger side of the face in pixels."""
        ...

    @property
    def yaw(self) -> float:
        """Degrees turned to a side."""
        ...

    @property
    def pitch(self) -> float:
        """Degrees up or down."""
        ...

    @property
    def roll(self) -> float:
        """Degrees leaning to a shoulder."""
        ...


@dataclass(frozen=True, slots=True)
class Limits:
    """What enrolment asks of a picture."""

    size: float = 90.0  # pixels, larger side of the face
    other_face: float = 0.35  # a second face counts from this share of the first one's size
    yaw: float = 20.0  # degrees
    pitch: float = 18.0
    roll: float = 20.0
    dark: float = 60.0  # mean grey of the face, 0 to 255
    bright: float = 215.0
    sharpness: float = 40.0


ENROLMENT = Limits()
# The mesh reads a face that looks straight ahead as looking down by this much.
_LEVEL_PITCH = -8.0


def sharpness(crop: Picture) -> float:
    """Return the variance of the Laplacian of an aligned *crop*; more is sharper."""
    grey = cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY)
    return float(cv2.Laplacian(grey, cv2.CV_64F).var())


def brightness(crop: Picture) -> float:
    """Return the mean grey, 0 to 255, of the middle of an aligned *crop*: of the face itself."""
    grey = cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY)
    return float(np.asarray(grey)[30:100, 25:87].astype(np.float64).mean())


def flaw_of_faces(faces: Sequence[Measured], limits: Limits = ENROLMENT) -> Flaw | None:
    """Return what is wrong with the *faces* of a picture, largest first; None when nothing is."""
    if not faces:
        return Flaw.NO_FACE
    first = faces[0]
    if any(other.size >= limits.other_face * first.size for other in faces[1:]):
        return Flaw.SEVERAL_FACES
    if first.size < limits.size:
        return Flaw.TOO_SMALL
    if (
        abs(first.yaw) > limits.yaw
        or abs(first.pitch - _LEVEL_PITCH) > limits.pitch
        or abs(first.roll) > limits.roll
    ):
        return Flaw.TURNED_AWAY
    return None


def flaw_of_crop(crop: Picture, limits: Limits = ENROLMENT) -> Flaw | None:
    """Return what is wrong with the light or the sharpness of an aligned *crop*."""
    grey = brightness(crop)
    if grey < limits.dark:
        return Flaw.TOO_DARK
    if grey > limits.bright:
        return Flaw.TOO_BRIGHT
    if sharpness(crop) < limits.sharpness:
        return Flaw.BLURRED
    return None
