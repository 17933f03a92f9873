"""A small disk that only one process sees, and a scenario run on it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.virtual_cameras.onvif import namespace_options


def in_own_disk(
    folder: Path, module: str, *scenario: str, kilobytes: int, within: float = 120.0
) -> str:
    """Run *module* with the disk's folder behind its other arguments; return what it printed."""
    script = (
        f'mount -t tmpfs -o size={kilobytes}k tmpfs "$1" && '
        f'exec "$0" -W error -m {module} {" ".join(scenario)} "$1"'
    )
    done = subprocess.run(
        [
            *("unshare", *namespace_options(), "--mount", "sh", "-c", script),
            *(sys.executable, str(folder)),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=within,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout
