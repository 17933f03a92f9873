"""A real PostgreSQL for tests and benchmarks: a folder of its own and a loopback port.

``with Postgres() as server``: ``with server.database() as address`` lends an empty database;
``server.kill()`` (as a power cut would), ``server.start()`` (on the same port and data). It ends
by its process id, or with this process.
"""

from __future__ import annotations

import itertools
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

import psycopg
from psycopg.sql import SQL, Identifier

from tests.processes import Child, NotInTime, free_port, wait_for

_USER = "classbox"
_INITDB = ("--auth=trust", "--encoding=UTF8", "--no-locale", "--no-sync")


class Postgres:
    """One PostgreSQL cluster on 127.0.0.1. ``durable``: it syncs, as in earnest."""

    def __init__(self, durable: bool = False) -> None:
        """Make the cluster; nothing runs before ``start`` or ``with``."""
        programs = _programs()
        self.port = free_port()
        self._numbers = itertools.count(1)
        self._free: list[str] = []
        self._folder = Path(tempfile.mkdtemp(prefix="classbox-postgres-"))
        data = self._folder / "data"
        as_user = _as_other_user(self._folder)
        made = subprocess.run(
            [*as_user, f"{programs}/initdb", f"--pgdata={data}", f"--username={_USER}", *_INITDB],
            capture_output=True,
            text=True,
            cwd=self._folder,
            check=False,
        )
        if made.returncode:
            raise NotInTime(f"initdb failed:\n{made.stdout}{made.stderr}")
        settings = [
            "listen_addresses=127.0.0.1",
            f"port={self.port}",
            "unix_socket_directories=",
            f"fsync={'on' if durable else 'off'}",
            "max_wal_size=4GB",  # a benchmark should not meet a checkpoint in every other round
        ]
        options = [word for setting in settings for word in ("-c", setting)]
        arguments = [*as_user, f"{programs}/postgres", "-D", str(data), *options]
        self._child = Child("postgres", arguments, self._folder / "log")

    def start(self) -> None:
        """Start the server and return when it takes connections."""
        self._child.start()
        wait_for("postgres takes connections", self._takes_connections, 60)

    def kill(self) -> None:
        """End the server with SIGKILL, as a power cut would; its helpers end with it."""
        self._child.kill()

    @contextmanager
    def database(self) -> Iterator[str]:
        """Lend an empty database: its address in SQLAlchemy's form. What is in it goes at the end.

        Emptying one and lending it again takes a tenth of the time of making another.
        """
        name = self._free.pop() if self._free else self._create()
        yield self._address(name).replace("postgresql:", "postgresql+psycopg:", 1)
        with psycopg.connect(self._address(name), options="-c lock_timeout=30s") as connection:
            connection.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
        self._free.append(name)

    def _create(self) -> str:
        name = f"test_{next(self._numbers)}"
        with psycopg.connect(self._address("postgres"), autocommit=True) as connection:
            connection.execute(SQL("CREATE DATABASE {}").format(Identifier(name)))
        return name

    def _address(self, name: str) -> str:
        return f"postgresql://{_USER}@127.0.0.1:{self.port}/{name}"

    def _takes_connections(self) -> bool:
        try:
            psycopg.connect(self._address("postgres"), connect_timeout=2).close()
        except psycopg.OperationalError:
            if not self._child.running():
                raise NotInTime(f"postgres did not start:\n{self._child.tail()}") from None
            return False
        return True

    def __enter__(self) -> Self:
        """Start the server."""
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End the server and remove its folder."""
        self.kill()
        shutil.rmtree(self._folder, ignore_errors=True)


def _programs() -> Path:
    """Return the folder of PostgreSQL's programs, which Debian keeps off the PATH."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: path.parts[4])
    if found:
        return found[-1].parent
    program = shutil.which("initdb")
    if program is None:
        raise NotInTime("PostgreSQL is not installed. Run ./box, or apt-get install postgresql")
    return Path(program).parent


def _as_other_user(folder: Path) -> list[str]:
    """Return what to put before a program, since PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return []
    user = next(user for user in map(_user, ("postgres", "nobody")) if user is not None)
    os.chown(folder, user.pw_uid, user.pw_gid)
    # A change of user makes the kernel forget that it should end with us, so say it again.
    return [
        *("setpriv", "--pdeathsig", "KILL", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}"),
        *("--clear-groups", "--"),
    ]


def _user(name: str) -> pwd.struct_passwd | None:
    try:
        return pwd.getpwnam(name)
    except KeyError:
        return None
