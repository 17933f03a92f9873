"""Keeps a library's start-up chatter out of a service's log, and nothing else.

MediaPipe's C++ writes warnings about its own internals to file descriptor 2 and offers no switch.
Whatever else is written meanwhile is passed on.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

CHATTER = (
    b"Created TensorFlow Lite XNNPACK delegate",
    b"All log messages before absl::InitializeLog()",
    b"inference_feedback_manager.cc",
    b"landmark_projection_calculator.cc",
)
_STDERR = 2


@contextmanager
def without_chatter() -> Iterator[None]:
    """Hold stderr back for the length of the block; then pass on every line but the known ones."""
    sys.stderr.flush()
    held = os.memfd_create("stderr")
    real = os.dup(_STDERR)
    os.dup2(held, _STDERR)
    try:
        yield
    finally:
        sys.stderr.flush()
        os.dup2(real, _STDERR)
        os.lseek(held, 0, os.SEEK_SET)
        with os.fdopen(held, "rb") as lines:
            for line in lines:
                if not any(words in line for words in CHATTER):
                    os.write(real, line)
        os.close(real)
