"""The door camera: pictures from a USB camera, an RTSP camera, a film or a folder of images.

Promises the newest picture, never a queue of old ones: a thread reads the source at its own speed
and keeps only what is due. A silent source is noticed instead of waited for, and every failure is
a ``DoorError`` that says what to do and holds no password. Opening again is the caller's business.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import av
import cv2
import numpy as np
from av.container import InputContainer
from av.error import FFmpegError
from av.video.frame import VideoFrame

from camera.faces.align import Picture
from camera.failures import StreamFailed
from camera.stream import Stream, with_login
from edge import bindings
from edge.clock import Clock, monotonic
from edge.config import Config, DoorConfig
from edge.logins import Logins
from edge.model import Reading
from edge.store import Store

SILENCE_S = 8.0
# Larger pictures are reduced: a face that is near enough has more pixels than the network sees.
LONGEST_SIDE = 1280
IMAGES = (".jpg", ".jpeg", ".png", ".bmp", ".webp")


FRAMES_PER_SECOND = 10


class DoorError(Exception):
    """The door camera gives no picture; the message says what to do."""


def bound_door(store: Store, config: Config) -> DoorConfig | None:
    """Return the door camera that was bound in the ledger, the first of several, None for none.

    Raises KeyProblem.
    """
    logins = Logins(config.data_dir)
    with store.read() as connection:
        for camera in bindings.in_force(connection, config, logins):
            if camera.role == "door":
                source = camera.address
                if camera.kind != "v4l2":
                    source = with_login(source, camera.user, camera.password)
                return DoorConfig(source, FRAMES_PER_SECOND, camera.label)
    return None


@dataclass(frozen=True, eq=False)
class Frame:
    """One picture (height×width×3, RGB) and when it was taken."""

    picture: Picture
    reading: Reading


class Door:
    """An open door camera. Use ``next`` for its pictures and ``close`` at the end."""

    def __init__(self, config: DoorConfig, clock: Clock) -> None:
        """Begin to read; nothing is waited for here."""
        self._config = config
        self._clock = clock
        self._stop = threading.Event()
        self._news = threading.Condition()
        self._latest: Frame | None = None
        self._error: Exception | None = None
        self._heard = monotonic()
        self._thread = threading.Thread(target=self._read, name="door", daemon=True)
        self._thread.start()

    def next(self, timeout: float) -> Frame | None:
        """Return a picture not returned before; None when there is none within *timeout* seconds.

        Raises DoorError when the source failed or has been silent for too long.
        """
        with self._news:
            self._news.wait_for(lambda: self._latest is not None or self._error, timeout)
            frame, self._latest = self._latest, None
            error = self._error
        if frame is not None:
            self._heard = monotonic()
            return frame
        if error is not None:
            raise error
        if monotonic() - self._heard >= SILENCE_S:
            raise DoorError(
                f"The door camera {self._config.label} sent no picture for {SILENCE_S:.0f} s. "
                "Look at its cable and its power supply."
            )
        return None

    def close(self) -> None:
        """Stop reading. A reader that is stuck in the camera's driver is left behind."""
        self._stop.set()
        self._thread.join(1.0)

    def _read(self) -> None:
        try:
            for picture in _pictures(self._config, self._stop):
                frame = Frame(picture, self._clock.now())
                with self._news:
                    self._latest = frame
                    self._news.notify_all()
            raise DoorError(f"The door camera {self._config.label} ended.")
        except Exception as error:
            with self._news:
                self._error = error
                self._news.notify_all()


def _pictures(config: DoorConfig, stop: threading.Event) -> Iterator[Picture]:
    """Yield the source's pictures as they become due, until *stop*. Raises DoorError."""
    scheme, _, place = config.source.partition(":")
    try:
        if scheme == "folder":
            yield from _folder(Path(place), config.frames_per_second, stop)
        elif scheme == "file":
            yield from _thinned(_film(Path(place), stop), config.frames_per_second, stop)
        elif scheme == "v4l2":
            yield from _thinned(_device(place), config.frames_per_second, stop)
        else:
            yield from _thinned(_network(config.source), config.frames_per_second, stop)
    except StreamFailed as error:
        raise DoorError(str(error)) from None
    except FFmpegError as error:
        raise DoorError(
            f"The door camera {config.label} stopped sending pictures ({error.strerror}). "
            "Look at its cable and its power supply."
        ) from None


def _thinned(
    frames: Iterator[VideoFrame], frames_per_second: int, stop: threading.Event
) -> Iterator[Picture]:
    """Yield at most so many pictures a second; the others are decoded and dropped."""
    due = monotonic()
    for frame in frames:
        if stop.is_set():
            return
        now = monotonic()
        if now < due:
            continue
        # Half a period of grace, so that a camera of the same rate is not halved by jitter.
        due = max(due + 1 / frames_per_second, now + 0.5 / frames_per_second)
        yield _rgb(frame)


def _rgb(frame: VideoFrame) -> Picture:
    scale = min(1.0, LONGEST_SIDE / max(frame.width, frame.height))
    picture = frame.to_ndarray(
        format="rgb24", width=round(frame.width * scale), height=round(frame.height * scale)
    )
    return np.asarray(picture, dtype=np.uint8)


def _network(address: str) -> Iterator[VideoFrame]:
    with Stream(address) as stream:
        for packet in stream.packets():
            if packet.stream.type == "video":
                yield from (frame for frame in packet.decode() if isinstance(frame, VideoFrame))


def _device(path: str) -> Iterator[VideoFrame]:
    if not Path(path).exists():
        raise DoorError(
            f"There is no camera at {path}. Plug it in, or bind another one: classbox "
            "cameras discover shows what there is; the settings have it as `source` under [door]."
        )
    options = {"video_size": "640x480", "framerate": "30"}
    try:
        container = av.open(path, format="v4l2", options=options, timeout=(5, 5))
    except (FFmpegError, OSError) as error:
        raise DoorError(
            f"The camera at {path} cannot be opened ({error.strerror}). Is another program using "
            "it? The greeter's user must be in the group video."
        ) from None
    with container:
        yield from container.decode(video=0)
    raise DoorError(f"The camera at {path} was unplugged.")


def _film(path: Path, stop: threading.Event) -> Iterator[VideoFrame]:
    """Yield a film's frames at the speed at which it was taken, over and over."""
    while True:
        with _opened_film(path) as container:
            begun = monotonic()
            shown = 0
            for frame in container.decode(video=0):
                shown += 1
                if stop.wait(max(0.0, begun + (frame.time or 0.0) - monotonic())):
                    return
                yield frame
        if not shown:
            raise DoorError(f"{path}: the film holds no pictures. Give another one.")


def _opened_film(path: Path) -> InputContainer:
    try:
        container = av.open(str(path))
    except (FFmpegError, OSError) as error:
        raise DoorError(
            f"{path}: not a film that can be read ({error.strerror}). Correct `source` under "
            "[door] in box.toml."
        ) from None
    if not container.streams.video:
        container.close()
        raise DoorError(f"{path}: there is no video in it. Correct `source` under [door].")
    return container


def _folder(folder: Path, frames_per_second: int, stop: threading.Event) -> Iterator[Picture]:
    """Yield the images of a folder in the order of their names, over and over."""
    if not folder.is_dir():
        raise DoorError(f"{folder}: no such folder. Correct `source` under [door] in box.toml.")
    files = sorted(file for file in folder.iterdir() if file.suffix.lower() in IMAGES)
    if not files:
        raise DoorError(f"{folder}: there are no images ({', '.join(IMAGES)}) in it.")
    due = monotonic()
    while True:
        for file in files:
            picture = read_picture(file)
            if picture is None:
                raise DoorError(f"{file}: not an image that can be read. Remove it.")
            if stop.wait(max(0.0, due - monotonic())):
                return
            due = max(due, monotonic() - 1.0) + 1 / frames_per_second
            yield picture


def read_picture(file: Path) -> Picture | None:
    """Return the image in *file* as RGB, upright as its EXIF says; None when there is none."""
    try:
        content = np.frombuffer(file.read_bytes(), dtype=np.uint8)
    except OSError:
        return None
    if not content.size:
        return None
    try:
        picture = cv2.imdecode(content, cv2.IMREAD_COLOR_RGB)
    except cv2.error:  # a picture of absurd size
        return None
    return None if picture is None else np.asarray(picture, dtype=np.uint8)
