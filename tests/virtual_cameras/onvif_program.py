"""Runs ipycam, an ONVIF camera that nobody here wrote, with the drawn classroom as its picture.

It listens on every interface and answers multicast, so it belongs in a network namespace of its
own: see ``tests.virtual_cameras.onvif``. Settings come as one JSON line on standard input.
"""

from __future__ import annotations

import ctypes
import json
import signal
import sys
import tempfile
import threading
import time  # noqa: TID251 - not to read it
from itertools import cycle
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from ipycam import CameraConfig, IPCamera  # type: ignore[import-untyped]  # it has no types

from tests.virtual_cameras import classroom

PR_SET_PDEATHSIG = 1
NOISE = 24


def main() -> None:
    """Show the classroom until standard input closes."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    # In another time (tests.processes) libfaketime refuses Python's absolute sleeps with EINVAL.
    time.sleep = _wait
    settings = json.loads(sys.stdin.readline())
    camera = IPCamera(CameraConfig(**settings))
    if not camera.start():
        raise SystemExit("ipycam did not start")
    with tempfile.TemporaryDirectory() as folder:
        picture = Path(folder) / "classroom.png"
        classroom.still(picture)
        frame = cv2.imread(str(picture))
    assert frame is not None
    size = (settings["main_width"], settings["main_height"])
    small = cv2.resize(frame, size, interpolation=cv2.INTER_AREA)
    chance = np.random.default_rng(1)
    # As from a sensor: no two pictures alike.
    frames = [cv2.add(small, chance.integers(0, NOISE, small.shape, np.uint8)) for _ in range(9)]
    gone = threading.Event()
    threading.Thread(target=_wait_for_the_end, args=(gone,), daemon=True).start()
    print("ready", flush=True)
    for noisy in cycle(frames):
        if gone.is_set():
            break
        camera.stream(noisy)  # paces itself to the frame rate
    camera.stop()


def _wait(seconds: Any) -> None:
    threading.Event().wait(seconds)


def _wait_for_the_end(gone: threading.Event) -> None:
    sys.stdin.read()
    gone.set()


if __name__ == "__main__":
    main()
