"""A single picture from a camera that is not being recorded: ``python -m camera.photo``.

Three ways: the camera's own snapshot address; the first key frame of its stream with the quickest
opening there is (0.1-0.3 s instead of 1-2); for a USB camera its device.
"""

from __future__ import annotations

import urllib.error
import urllib.request
from http.client import HTTPException
from pathlib import Path
from typing import Any

from camera.failures import Failure, StreamFailed
from camera.oneshot import answer, ask
from camera.stream import Stream, jpeg
from edge.clock import Clock, inherited
from edge.model import Instant

DEADLINE_S = 25.0
_HTTP_TIMEOUT_S = 5
_DEVICE_WITHIN_S = 10.0
_QUALITY = 88
_LARGEST = 20_000_000
_JPEG_BEGINS, _JPEG_ENDS = b"\xff\xd8", b"\xff\xd9"


def is_whole_jpeg(content: bytes) -> bool:
    """Tell whether *content* is a JPEG from its first marker to its last."""
    return content.startswith(_JPEG_BEGINS) and content.rstrip(b"\0\r\n").endswith(_JPEG_ENDS)


def from_stream(address: str, transport: str, path: Path) -> Instant:
    """Write one picture of the stream at *address* (with its login) to *path*; return when."""
    return _asked({"address": address, "transport": transport, "path": str(path)})


def from_snapshot_address(address: str, user: str, password: str, path: Path) -> Instant:
    """Write the picture that *address* serves by HTTP to *path*; return when."""
    return _asked({"snapshot": address, "user": user, "password": password, "path": str(path)})


def from_device(source: str, path: Path) -> Instant:
    """Write one picture of this machine's device *source* (v4l2:/dev/video0) to *path*."""
    return _asked({"device": source, "path": str(path)})


def _asked(question: dict[str, Any]) -> Instant:
    return int(ask("camera.photo", question, DEADLINE_S)["at"])


def _take(question: dict[str, Any]) -> dict[str, Any]:
    clock = inherited()
    if "snapshot" in question:
        content = _fetched(question["snapshot"], question["user"], question["password"])
        at = clock.now().at
    elif "device" in question:
        at, content = _of_device(question["device"], clock)
    else:
        with Stream(question["address"], transport=question["transport"]) as stream:
            at, content = _first_picture(stream, clock)
    Path(question["path"]).write_bytes(content)
    return {"at": at}


def _first_picture(stream: Stream, clock: Clock) -> tuple[Instant, bytes]:
    for packet in stream.packets():
        if packet.stream.type == "video" and packet.is_keyframe:
            at = clock.now().at
            return at, jpeg(stream.key_frame(packet, at))
    raise AssertionError("a stream ends by raising")


def _of_device(source: str, clock: Clock) -> tuple[Instant, bytes]:
    # Only here: what reads devices takes 60 MB, and the recorder imports this module.
    from camera import preview
    from camera.door import FRAMES_PER_SECOND, Door, DoorError
    from edge.config import DoorConfig

    door = Door(DoorConfig(source, FRAMES_PER_SECOND, source), clock)
    try:
        frame = door.next(_DEVICE_WITHIN_S)
    except DoorError as error:
        raise StreamFailed(Failure.UNUSABLE, str(error)) from None
    finally:
        door.close()
    if frame is None:
        raise StreamFailed(Failure.SILENT, f"{source}: no picture came. Plug the camera in again.")
    return frame.reading.at, preview.jpeg(frame.picture, _QUALITY)


def _fetched(address: str, user: str, password: str) -> bytes:
    passwords = urllib.request.HTTPPasswordMgrWithDefaultRealm()
    passwords.add_password(None, address, user, password)
    opener = urllib.request.build_opener(
        urllib.request.ProxyHandler({}),  # a camera is never behind a proxy
        urllib.request.HTTPDigestAuthHandler(passwords),
        urllib.request.HTTPBasicAuthHandler(passwords),
    )
    try:
        with opener.open(address, timeout=_HTTP_TIMEOUT_S) as response:
            content: bytes = response.read(_LARGEST)
    except urllib.error.HTTPError as error:
        error.close()
        kind = Failure.REFUSED if error.code in (401, 403) else Failure.UNUSABLE
        raise StreamFailed(
            kind, f"{address}: the camera answered {error.code} to a request for a picture"
        ) from None
    except (OSError, HTTPException, ValueError) as error:
        raise StreamFailed(
            Failure.UNREACHABLE, f"{address}: no picture could be fetched ({error})"
        ) from None
    if not is_whole_jpeg(content):
        raise StreamFailed(Failure.UNUSABLE, f"{address}: what the camera sent is not a JPEG")
    return content


if __name__ == "__main__":
    answer(_take)
