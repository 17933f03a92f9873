"""What processes take of the memory, as the kernel says (proc(5))."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path


def own_bytes(pid: int) -> int:
    """Return what a process takes of the memory, its part of what is shared included (PSS)."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text("ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:")) * 1024


def megabytes(pid: int) -> float:
    """Return the same in units of 2^20 bytes."""
    return own_bytes(pid) / 2**20


def with_children(pid: int) -> Iterator[int]:
    """Yield a process and what it started, and what these started."""
    started: dict[int, list[int]] = {}
    for status in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # it ended while we looked
            parent = status.read_text("utf-8", "replace").rpartition(")")[2].split()[1]
            started.setdefault(int(parent), []).append(int(status.parent.name))
    waiting = [pid]
    while waiting:
        yield (one := waiting.pop())
        waiting += started.get(one, [])
