"""The logins of the cameras that were bound at this box or by a document: sealed at rest.

Owns the table ``camera_login`` and the key that seals it (``keys/cameras.key``, 0600, outside the
database). Promises that no password and no verification code reaches the disk unsealed, an event
or a message; a login is bound to its camera, so a row moved to another does not open.
"""

from __future__ import annotations

import json
import sqlite3
from dataclasses import asdict, dataclass, field
from pathlib import Path

from edge.keys import Locker
from edge.ledger import Writer


@dataclass(frozen=True, slots=True)
class Login:
    """What opens a camera. ``code``: the verification code on its label (验证码), as recorded."""

    user: str = ""
    password: str = field(default="", repr=False)
    code: str = field(default="", repr=False)


class Logins:
    """The logins in the box's database."""

    def __init__(self, data_dir: Path) -> None:
        """Use the key of the box in *data_dir*; the first call makes it. Raises KeyProblem."""
        self._locker = Locker(data_dir / "keys" / "cameras.key", "a key for logins")

    def put(self, writer: Writer, camera: str, login: Login) -> None:
        """Store *login* in the writer's transaction, in place of the camera's earlier one."""
        content = json.dumps(asdict(login)).encode("utf-8")
        nonce, sealed = self._locker.seal(content, camera.encode("utf-8"))
        writer.execute(
            "INSERT OR REPLACE INTO camera_login VALUES (?, ?, ?)", (camera, nonce, sealed)
        )

    def of(self, connection: sqlite3.Connection, camera: str) -> Login:
        """Return the camera's login, an empty one where none was recorded. Raises KeyProblem."""
        row = connection.execute(
            "SELECT nonce, sealed FROM camera_login WHERE camera = ?", (camera,)
        ).fetchone()
        if row is None:
            return Login()
        content = self._locker.open(
            row["nonce"],
            row["sealed"],
            camera.encode("utf-8"),
            f"the login of camera {camera} does not open with keys/cameras.key. Put the box's "
            f"own key back, or give the login again: classbox cameras login {camera}.",
        )
        return Login(**json.loads(content))


def forget(writer: Writer, camera: str) -> None:
    """Delete the login of *camera*."""
    writer.execute("DELETE FROM camera_login WHERE camera = ?", (camera,))
