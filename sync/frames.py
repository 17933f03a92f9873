"""The messages of live view as bytes, for ``sync.wire``. Pure."""

from __future__ import annotations

import re
from typing import Any

from sync.fields import Head
from sync.messages import FRAME_BYTES, BadMessage, Frame, Watch

_CAMERA = re.compile(r"[A-Za-z0-9_-]{1,64}")
_STATE = re.compile(r"[a-z_]{0,32}")
_MOST_VIEWS = 16
_JPEG = b"\xff\xd8\xff"


def frame_to_json(message: Frame) -> tuple[dict[str, Any], bytes]:
    """Return head and picture."""
    return {
        "type": "frame",
        "camera": message.camera,
        "number": message.number,
        "age": message.age,
        "heard": dict(message.heard),
        "state": message.state,
    }, message.data


def frame_from_json(head: Head, data: bytes) -> Frame:
    """Return the frame. Raises BadMessage."""
    heard = Head(head.values.get("heard") or {}, "frame: heard")
    if type(heard.values) is not dict or len(heard.values) > _MOST_VIEWS:
        raise BadMessage(f"frame: heard: not an object of at most {_MOST_VIEWS}")
    for view in heard.values:
        Head({"": view}, "frame: heard").text("", 64)
    frame = Frame(
        camera=head.name("camera", _CAMERA),
        number=head.whole("number", 1),
        age=head.whole("age"),
        heard={view: heard.whole(view) for view in heard.values},
        state=head.name("state", _STATE),
        data=data,
    )
    if bool(data) == bool(frame.state):
        raise BadMessage("frame: either a picture or the state of a camera without one")
    if len(data) > FRAME_BYTES or (data and not data.startswith(_JPEG)):
        raise BadMessage(f"frame: {len(data)} bytes that are no JPEG of at most {FRAME_BYTES}")
    return frame


def watch_to_json(message: Watch) -> tuple[dict[str, Any], bytes]:
    """Return head and letter."""
    return {"type": "watch", "view": message.view}, message.sealed


def watch_from_json(head: Head, data: bytes) -> Watch:
    """Return the watch. Raises BadMessage."""
    return Watch(head.text("view", 64), data)
