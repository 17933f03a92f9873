"""Files that survive a power cut: replaced in one step, and durable when that is wanted.

Holds no data of a box, so the centre uses it too.
"""

from __future__ import annotations

import os
import uuid
from pathlib import Path


def sync_folder(folder: Path) -> None:
    """Make names created in or removed from *folder* survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def replace_file(path: Path, content: bytes, durable: bool = True) -> None:
    """Put *content* at *path* in one step: readers see the old file or the new one."""
    draft = path.with_name(f".{path.name}.{os.getpid()}.{uuid.uuid4().hex[:8]}")
    with draft.open("wb") as file:
        file.write(content)
        if durable:
            file.flush()
            os.fsync(file.fileno())
    draft.replace(path)
    if durable:
        sync_folder(path.parent)
