"""What other services say of this moment: the files in the runtime folder. A cache, never a fact.

Owns how old such a file may be before it is no longer believed. Age is counted from when this
process saw the file change, on the monotonic clock: a wall clock that jumps makes nothing stale
and nothing fresh.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from edge.clock import monotonic
from edge.model import Instant

PICTURE_FRESH_S = 2.0
STATE_FRESH_S = 15.0

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Greeting:
    """The scan that the person at the door has just made."""

    event_id: str
    person_id: str
    at: Instant


@dataclass(frozen=True, slots=True)
class Card:
    """The card that was shown to the door; ``person_id`` is empty when it is nobody's here."""

    person_id: str
    at: Instant


@dataclass(frozen=True, slots=True)
class Door:
    """What the greeter sees. ``guide`` is ``camera_out`` when it says nothing any more."""

    guide: str = "camera_out"
    greeting: Greeting | None = None
    card: Card | None = None


@dataclass(frozen=True, slots=True)
class Camera:
    """What the recorder says of one classroom camera."""

    state: str
    cause: str


@dataclass(frozen=True, slots=True)
class Link:
    """How the way to the centre is. ``waiting``: events and media files not delivered yet."""

    connected: bool = False
    known: bool = False
    waiting: int = 0


@dataclass(frozen=True, slots=True)
class Now:
    """One look at everything in the folder; equal looks mean that nothing worth showing changed."""

    door: Door
    picture: bool
    recorder: Mapping[str, Camera] | None
    link: Link


@dataclass(slots=True)
class _File:
    path: Path
    identity: tuple[int, int, int] | None = None
    content: bytes = b""
    changed: float = field(default=float("-inf"))

    def look(self) -> float:
        """Read the file when it changed; return its age in seconds."""
        try:
            stat = self.path.stat()
            identity = (stat.st_mtime_ns, stat.st_ino, stat.st_size)
            if identity != self.identity:
                self.content = self.path.read_bytes()
                self.identity = identity
                self.changed = monotonic()
        except OSError:
            self.identity, self.content, self.changed = None, b"", float("-inf")
        return monotonic() - self.changed


class Runtime:
    """The runtime folder of the box. Threads may share it."""

    def __init__(self, folder: Path) -> None:
        self._lock = threading.Lock()
        self._picture = _File(folder / "door.jpg")
        self._door = _File(folder / "door.json")
        self._recorder = _File(folder / "recorder.json")
        self._link = _File(folder / "link.json")

    def picture(self) -> bytes | None:
        """Return the door camera's last picture as JPEG, None when it is not fresh."""
        with self._lock:
            return self._picture.content if self._picture.look() <= PICTURE_FRESH_S else None

    def now(self) -> Now:
        """Return what the services say, as far as it is fresh enough to be believed."""
        with self._lock:
            picture = self._picture.look() <= PICTURE_FRESH_S
            return Now(
                door=_believed(self._door, _door) or Door("none") if picture else Door(),
                picture=picture,
                recorder=_believed(self._recorder, _cameras),
                link=_believed(self._link, _link) or Link(),
            )


def _believed(file: _File, meant: Callable[[dict[str, Any]], T]) -> T | None:
    """Return what *file* says, None when it is too old or cannot be understood."""
    if file.look() > STATE_FRESH_S:
        return None
    try:
        return meant(json.loads(file.content))
    except (ValueError, TypeError, AttributeError, KeyError):
        return None  # a cache: the next one will be better


def _door(values: Mapping[str, Any]) -> Door:
    said = values.get("greeting")
    greeting = None
    if isinstance(said, dict) and {"event_id", "person_id", "at"} <= said.keys():
        greeting = Greeting(str(said["event_id"]), str(said["person_id"]), int(said["at"]))
    shown = values.get("card")
    card = None
    if isinstance(shown, dict) and {"person_id", "at"} <= shown.keys():
        card = Card(str(shown["person_id"]), int(shown["at"]))
    return Door(str(values.get("guide", "none")), greeting, card)


def _cameras(values: Mapping[str, Any]) -> dict[str, Camera]:
    return {
        str(name): Camera(str(entry.get("state", "")), str(entry.get("cause", "")))
        for name, entry in values["cameras"].items()
    }


def _link(values: Mapping[str, Any]) -> Link:
    events = max(0, int(values.get("head") or 0) - int(values.get("acked") or 0))
    return Link(
        connected=bool(values.get("connected")),
        known=True,
        waiting=events + int(values.get("media_waiting") or 0),
    )
