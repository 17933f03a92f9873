"""The kinds of event about marked copies of classroom pictures, and spot checks. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from edge.events import Body
from edge.model import Instant


@dataclass(frozen=True)
class PictureProcessed(Body, kind="picture.processed"):
    """A copy of a picture bears a visible watermark, and the heads in it were counted.

    ``original``: SHA-256 of the picture as the camera gave it, which stays; ``sha256`` is the
    copy's. ``heads``: as ``model`` in ``model_version`` counted them; nobody is recognised.
    """

    original: str
    lesson_id: str
    sha256: str
    bytes: int
    heads: int
    model: str
    model_version: str


@dataclass(frozen=True)
class SpotCheckTaken(Body, kind="spot_check.taken"):
    """One picture or clip of a spot check (R6), kept because an instructor confirmed it.

    ``check``: the spot check it belongs to; ``number`` in it, from 1. ``sort``: photo | clip.
    ``source``: classroom | spare (a spare camera) | phone (``camera`` is empty then).
    """

    lesson_id: str
    check: str
    number: int
    sort: str
    source: str
    camera: str
    at: Instant
    sha256: str
    bytes: int


@dataclass(frozen=True)
class SpotCheckConfirmed(Body, kind="spot_check.confirmed"):
    """An instructor looked at the pictures and confirms that everyone is in them.

    ``items``: SHA-256 of each picture and clip. ``present``: how many were checked in then.
    """

    lesson_id: str
    check: str
    by: str
    items: Sequence[str]
    present: int
