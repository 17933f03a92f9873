"""The only door to the centre's database.

Owns how it is opened, brought to its present form (``migrations``), and the statements that
databases spell differently. Promises that a write is on the disk when ``writing`` returns, that
what SQLite writes follows one another, and that a database of a newer version is refused and
not touched. SQLite by default; nothing outside this module is particular to either.
"""

from __future__ import annotations

import fcntl
import json
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import psycopg
from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Engine,
    Table,
    Text,
    any_,
    create_engine,
    event,
    func,
    literal,
    select,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError

from sync.central import migrations, tables

_BUSY_TIMEOUT_S = 30
# How long a database machine that answers nothing at all may hold a process up: to dial it, and to
# wait for what was sent to it. Without the second, Linux waits for a quarter of an hour.
_DIAL_TIMEOUT_S = 10
_SILENCE_TIMEOUT_MS = 30_000
# Any number that nothing else in this database locks.
_UPGRADE_LOCK = 0x636C617373626F78
# From so many rows on the way around SQLAlchemy, whose care for each row costs more than either
# database does for it, is worth its beginning.
_MANY = 20


class StoreProblem(Exception):
    """The centre's database cannot be used; the message says what to do."""


class CentralStore:
    """The centre's database, used by several processes and threads."""

    def __init__(self, url: str) -> None:
        """Open *url*, bringing it to the present form where needed. Raises StoreProblem."""
        self.engine = _engine(url)
        self._turn = _turn_of(self.engine)
        try:
            row = self._prepared()
        except (migrations.NewerDatabase, DBAPIError) as error:
            self.engine.dispose()
            shown = make_url(url).render_as_string(hide_password=True)
            if isinstance(error, DBAPIError):
                remedy = "Correct the key `database` in the centre's configuration, or give its "
                raise StoreProblem(
                    f"{shown}: {str(error.orig).strip()}. {remedy}folder the right owner."
                ) from error
            raise StoreProblem(
                f"{shown} was written by newer software: {error}. Nothing was changed. Install "
                "that version again, or restore a backup from before it."
            ) from error
        self.epoch: str = row.epoch

    def _prepared(self) -> Any:
        """Bring the database to its present form; return the centre's row."""
        with self.writing() as connection:
            _one_at_a_time(connection)
            migrations.upgrade(connection)
            insert_new(connection, tables.centre, [{"one": 1, "epoch": str(uuid.uuid4())}])
            return connection.execute(select(tables.centre)).one()

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Run one transaction that writes; committed and on the disk when the block ends."""
        with (
            self._turn(),
            self.engine.connect().execution_options(writes=True) as connection,
            connection.begin(),
        ):
            yield connection

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Run one transaction that sees one state of the database throughout."""
        with self.engine.connect() as connection, connection.begin():
            yield connection

    def tidy(self) -> None:
        """Let the database do its housekeeping; the ingest calls this now and then."""
        if self.engine.dialect.name == "sqlite":
            with self._turn(), self.engine.connect() as connection:
                connection.exec_driver_sql("COMMIT")  # a checkpoint needs to be outside
                connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").close()
                connection.exec_driver_sql("BEGIN")

    def close(self) -> None:
        """Close every connection."""
        with self._turn():
            self.engine.dispose()


def insert_new(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert *rows*, all of the same columns, leaving out those whose key is there already."""
    if len(rows) < _MANY:
        if rows:
            connection.execute(_insert(connection, table).on_conflict_do_nothing(), list(rows))
        return
    names = tuple(rows[0])
    values = [tuple(map(row.__getitem__, names)) for row in rows]
    if connection.dialect.name == "postgresql":
        _copy(connection, table, names, values)
        return
    marks = ", ".join("?" * len(names))
    connection.exec_driver_sql(
        f"INSERT INTO {table.name} ({', '.join(names)}) VALUES ({marks}) ON CONFLICT DO NOTHING",
        values,
    )


def among(connection: Connection, column: Column[str], texts: Sequence[str]) -> ColumnElement[bool]:
    """Return what holds where *column* is one of *texts*; however many, they are one parameter."""
    if connection.dialect.name == "postgresql":
        return column == any_(literal(list(texts), postgresql.ARRAY(Text)))
    return column.in_(select(func.json_each(json.dumps(texts)).table_valued("value").c.value))


def insert_or_update(connection: Connection, table: Table, row: Mapping[str, Any]) -> None:
    """Insert *row*, or give the row of the same primary key its values."""
    keys = [column.name for column in table.primary_key.columns]
    statement = _insert(connection, table).values(**row)
    changed = {name: statement.excluded[name] for name in row if name not in keys}
    connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=changed))


def _insert(connection: Connection, table: Table) -> sqlite.Insert | postgresql.Insert:
    if connection.dialect.name == "postgresql":
        return postgresql.insert(table)
    return sqlite.insert(table)


def _copy(
    connection: Connection, table: Table, names: Sequence[str], rows: Sequence[tuple[Any, ...]]
) -> None:
    """Insert *rows* by COPY into a table beside, which PostgreSQL takes fastest.

    COPY itself would refuse all for one whose key is there. The table beside belongs to the
    connection, and each transaction begins with it empty.
    """
    columns = ", ".join(names)
    types = [table.c[name].type.compile(connection.dialect).lower() for name in names]
    beside = f"incoming_{table.name}"
    raw: Any = connection.connection.driver_connection
    try:
        with raw.cursor() as cursor:
            cursor.execute(
                f"CREATE TEMPORARY TABLE IF NOT EXISTS {beside} (LIKE {table.name}) "
                f"ON COMMIT DELETE ROWS; DELETE FROM {beside}"
            )
            with cursor.copy(f"COPY {beside} ({columns}) FROM STDIN (FORMAT BINARY)") as copy:
                copy.set_types(types)
                for row in rows:
                    copy.write_row(row)
            cursor.execute(
                f"INSERT INTO {table.name} ({columns}) SELECT {columns} FROM {beside} "
                "ON CONFLICT DO NOTHING"
            )
    except psycopg.Error as error:
        # As SQLAlchemy says it of every other statement.
        raise DBAPIError.instance(
            f"COPY {table.name}", None, error, psycopg.Error, dialect=connection.dialect
        ) from error


def _one_at_a_time(connection: Connection) -> None:
    """Let only one process upgrade; on SQLite the turn that it waited for does that."""
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(_UPGRADE_LOCK)))


def _turn_of(engine: Engine) -> Callable[[], AbstractContextManager[None]]:
    """Return what makes writers take turns.

    PostgreSQL does that itself. SQLite needs one lock over writing, checkpoints and the last
    close: SQLite 3.7.0 to 3.51.2 can lose a write when two processes do those at once
    (sqlite.org/wal.html, "WAL-reset bug"; edge/store.py holds the same lock on the box).
    """
    path = engine.url.database
    if engine.dialect.name != "sqlite" or not path:
        return nullcontext
    among_threads = threading.Lock()

    @contextmanager
    def turn() -> Iterator[None]:
        with among_threads, open(f"{path}.lock", "ab") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    return turn


def _engine(url: str) -> Engine:
    if make_url(url).get_backend_name() != "sqlite":
        return create_engine(
            url,
            pool_pre_ping=True,
            connect_args={
                # A plan that was prepared while a table was small would scan it whole for ever.
                "prepare_threshold": None,
                "connect_timeout": _DIAL_TIMEOUT_S,
                "tcp_user_timeout": _SILENCE_TIMEOUT_MS,
            },
        )
    engine = create_engine(url, connect_args={"timeout": _BUSY_TIMEOUT_S})

    @event.listens_for(engine, "connect")
    def on_connect(connection: Any, record: Any) -> None:
        connection.isolation_level = None  # transactions begin where we say, see on_begin
        for pragma in (
            "journal_mode=WAL",
            "synchronous=FULL",
            "wal_autocheckpoint=0",
            # What is deleted is overwritten: names and scans of a person must not outlive them.
            "secure_delete=ON",
        ):
            connection.execute(f"PRAGMA {pragma}").close()

    @event.listens_for(engine, "begin")
    def on_begin(connection: Connection) -> None:
        # A transaction that reads first and writes later could find itself too late to write.
        writes = connection.get_execution_options().get("writes", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine
