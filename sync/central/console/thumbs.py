"""Small copies of pictures for pages that show many: a cache, made when first asked for."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import cv2

_WIDTH = 400
_QUALITY = 82
# A picture is a snapshot or a photo; what claims more pixels than this is not made small.
_MOST_BYTES = 32 << 20
_one_at_a_time = threading.Lock()


def small(original: Path, folder: Path) -> Path | None:
    """Return the file of the small copy of *original*; None when it is not a picture."""
    target = folder / f"{original.name}.jpg"
    if target.is_file():
        return target
    if original.stat().st_size > _MOST_BYTES:
        return None
    with _one_at_a_time:  # decoding takes much memory for a moment
        picture = cv2.imread(str(original), cv2.IMREAD_COLOR)
    if picture is None:
        return None
    height, width = picture.shape[:2]
    if width > _WIDTH:
        size = (_WIDTH, max(1, round(height * _WIDTH / width)))
        picture = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    done, encoded = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
    if not done:
        return None
    folder.mkdir(parents=True, exist_ok=True)
    draft = folder / f".{target.name}.{os.getpid()}.{threading.get_ident()}"
    draft.write_bytes(encoded.tobytes())
    draft.replace(target)
    return target
