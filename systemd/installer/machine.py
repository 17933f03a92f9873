"""The machine that is installed on, or a folder that stands for one: asked, read and written.

Promises that a file appears whole or not at all, and that nothing outside ``root`` is written.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[2]
_UNIT_FOLDERS = ("etc/systemd/system", "usr/lib/systemd/system", "lib/systemd/system")


class Problem(Exception):
    """The installation cannot go on; the message says what to do."""


@dataclass
class Machine:
    """``root``: ``/``, or a folder in which files are written and nothing is started.

    ``touched``: what this run has changed or, in a dry run, would have changed; later steps
    restart by it.
    """

    root: Path
    touched: set[str] = field(default_factory=set)

    @property
    def redirected(self) -> bool:
        """Whether a folder stands for the machine."""
        return self.root != Path("/")

    @property
    def live(self) -> bool:
        """Whether systemd runs here, so that units can be started."""
        return not self.redirected and Path("/run/systemd/system").is_dir()

    def at(self, path: str) -> Path:
        """Return where the absolute *path* lies."""
        return self.root / path.lstrip("/")

    def text(self, path: str) -> str | None:
        """Return what the file holds, None where there is none."""
        try:
            return self.at(path).read_text("utf-8")
        except FileNotFoundError:
            return None

    def write(self, path: str, content: str, mode: int = 0o644) -> None:
        """Put the file there, whole, with its folders."""
        target = self.at(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        draft = target.with_name(f".{target.name}.new")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
        with open(descriptor, "w", encoding="utf-8") as file:
            os.fchmod(descriptor, mode)
            file.write(content)
            file.flush()
            os.fsync(descriptor)
        draft.replace(target)

    def link(self, path: str, target: str) -> None:
        """Let *path* lead to *target*. Raises Problem where something else has that name."""
        place = self.at(path)
        place.parent.mkdir(parents=True, exist_ok=True)
        if place.is_symlink():
            place.unlink()
        try:
            place.symlink_to(target)
        except FileExistsError as error:
            raise Problem(f"{path} is something else. Give that another name first.") from error

    def remove(self, path: str) -> None:
        """Delete a file, or a folder with all in it."""
        target = self.at(path)
        if target.is_dir() and not target.is_symlink():
            shutil.rmtree(target)
        else:
            target.unlink(missing_ok=True)

    def ids(self, database: str) -> dict[str, int]:
        """Return the accounts (``passwd``) or groups (``group``) of the machine by name."""
        lines = (self.text(f"/etc/{database}") or "").splitlines()
        rows = [line.split(":") for line in lines]
        known = {row[0]: int(row[2]) for row in rows if len(row) > 2 and row[2].isdigit()}
        return {"root": 0, **known}

    def has_unit(self, unit: str) -> bool:
        """Tell whether systemd would find *unit*."""
        return any((self.root / folder / unit).exists() for folder in _UNIT_FOLDERS)

    def enabled(self, unit: str) -> bool:
        """Tell whether *unit* starts at boot."""
        return self._systemctl("is-enabled", unit).returncode == 0

    def systemctl(self, *arguments: str) -> None:
        """Run systemctl on this machine or, for links of units, on the folder. Raises Problem."""
        done = self._systemctl(*arguments)
        if done.returncode != 0:
            told = done.stderr.strip().splitlines()
            raise Problem(
                f"systemctl {' '.join(arguments)}: {told[-1] if told else 'failed'}. Look at: "
                "journalctl -b -u 'classbox*'. Then run the same command again."
            )

    def run(self, *command: str, remedy: str) -> None:
        """Run *command* before everybody's eyes. Raises Problem, which says *remedy*."""
        try:
            status = subprocess.run(command, check=False).returncode
        except FileNotFoundError as error:
            raise Problem(f"{command[0]} is not installed. {remedy}") from error
        if status != 0:
            raise Problem(f"{' '.join(command)} ended with status {status} (above). {remedy}")

    def _systemctl(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        where = [f"--root={self.root}"] if self.redirected else []
        try:
            return subprocess.run(
                ["systemctl", *where, *arguments], capture_output=True, text=True, check=False
            )
        except FileNotFoundError as error:
            raise Problem("systemd is not installed. As root: apt-get install systemd") from error
