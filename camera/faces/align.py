"""From a face's mesh to the square crop that a network was trained on. Pure.

Alignment decides: with the same network, five points of MediaPipe's face mesh recognise 95.9 % of
East-Asian faces at FAR 0.1 %, a three-point affine 56.7 %.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float32]
Picture = NDArray[np.uint8]

SIDE = 112
# Where the left and right eye (in the picture), the nose tip and the mouth corners belong.
TARGET: Points = np.array(
    [
        (38.2946, 51.6963),
        (73.5318, 51.5014),
        (56.0252, 71.7366),
        (41.5493, 92.3655),
        (70.7299, 92.2041),
    ],
    dtype=np.float32,
)
_LEFT_EYE = [33, 133, 159, 145]
_RIGHT_EYE = [362, 263, 386, 374]
_NOSE, _LEFT_MOUTH, _RIGHT_MOUTH = 1, 61, 291


def five_points(mesh: Points) -> Points:
    """Return eye centres, nose tip and mouth corners of a *mesh* (468, 2 or 3) as (5, 2) pixels."""
    flat = mesh[:, :2]
    return np.array(
        [
            flat[_LEFT_EYE].mean(axis=0),
            flat[_RIGHT_EYE].mean(axis=0),
            flat[_NOSE],
            flat[_LEFT_MOUTH],
            flat[_RIGHT_MOUTH],
        ],
        dtype=np.float32,
    )


def similarity(source: Points, target: Points) -> NDArray[np.float32]:
    """Return the 2×3 similarity that maps *source* onto *target* with least squares.

    Rotation, one scale and a shift, never a reflection (Umeyama 1991, equations 40 to 43).
    """
    start, end = source.astype(np.float64), target.astype(np.float64)
    start_mean, end_mean = start.mean(axis=0), end.mean(axis=0)
    start_centred, end_centred = start - start_mean, end - end_mean
    covariance = end_centred.T @ start_centred / len(start)
    left, stretch, right = np.linalg.svd(covariance)
    sign = np.ones(2)
    if np.linalg.det(left) * np.linalg.det(right) < 0:
        sign[1] = -1
    rotation = left @ np.diag(sign) @ right
    variance = (start_centred**2).sum() / len(start)
    scale = (stretch * sign).sum() / variance
    matrix = np.zeros((2, 3), dtype=np.float32)
    matrix[:, :2] = scale * rotation
    matrix[:, 2] = end_mean - scale * rotation @ start_mean
    return matrix


def crop(picture: Picture, mesh: Points) -> Picture:
    """Return the face of *mesh* in *picture* (RGB) upright, 112×112 RGB, bilinear."""
    matrix = similarity(five_points(mesh), TARGET)
    warped = cv2.warpAffine(picture, matrix, (SIDE, SIDE), flags=cv2.INTER_LINEAR)
    return np.asarray(warped, dtype=np.uint8)
