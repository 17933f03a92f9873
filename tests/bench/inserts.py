"""The references of ``bench sync``: the same rows into the same tables, and nothing else.

Plain drivers, prepared statements, rows ready in memory, 500 events a commit.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import Table, select

from edge.clock import monotonic
from sync.central import tables
from sync.central.store import CentralStore, insert_new

EVENTS_A_COMMIT = 500
# What events of ``way.a_long_absence`` become.
TABLES = (tables.event, tables.body, tables.scan, tables.snapshot, tables.gap)

Row = tuple[Any, ...]
Commit = list[tuple[Table, list[Row]]]


def commits_of(store: CentralStore) -> list[Commit]:
    """Return the rows that a drain left, divided as the reference commits them."""
    commits: list[Commit] = []
    with store.reading() as connection:
        last = connection.execute(select(tables.ledger.c.last)).scalar_one()
        for first in range(1, last + 1, EVENTS_A_COMMIT):
            commits.append(
                [
                    (
                        table,
                        [
                            tuple(row)
                            for row in connection.execute(
                                select(table)
                                .where(table.c.seq >= first, table.c.seq < first + EVENTS_A_COMMIT)
                                .order_by(table.c.seq)
                            )
                        ],
                    )
                    for table in TABLES
                ]
            )
    return commits


def into_sqlite(folder: Path, commits: Sequence[Commit]) -> float:
    """Return events a second by plain sqlite3, with the centre's settings."""
    path = folder / "reference.db"
    CentralStore(f"sqlite:///{path}").close()
    connection = sqlite3.connect(path, isolation_level=None)
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "wal_autocheckpoint=0"):
        connection.execute(f"PRAGMA {pragma}")
    statements = {
        table: f"INSERT INTO {table.name} VALUES ({', '.join('?' * len(table.c))}) "
        "ON CONFLICT DO NOTHING"
        for table in TABLES
    }
    begun = monotonic()
    for commit in commits:
        connection.execute("BEGIN IMMEDIATE")
        for table, rows in commit:
            connection.executemany(statements[table], rows)
        connection.execute("COMMIT")
    took = monotonic() - begun
    connection.close()
    for file in folder.glob("reference.db*"):
        file.unlink()
    return events_in(commits) / took


def into_postgresql(database: str, commits: Sequence[Commit]) -> float:
    """Return events a second by COPY into a temporary table and INSERT … ON CONFLICT."""
    CentralStore(database).close()
    with psycopg.connect(database.replace("+psycopg", "", 1)) as connection:
        for table in TABLES:
            connection.execute(
                f"CREATE TEMPORARY TABLE new_{table.name} (LIKE {table.name}) ON COMMIT DELETE ROWS"
            )
        connection.commit()
        begun = monotonic()
        for commit in commits:
            with connection.transaction(), connection.cursor() as cursor:
                for table, rows in commit:
                    with cursor.copy(f"COPY new_{table.name} FROM STDIN") as copy:
                        for row in rows:
                            copy.write_row(row)
                    cursor.execute(
                        f"INSERT INTO {table.name} SELECT * FROM new_{table.name} "
                        "ON CONFLICT DO NOTHING"
                    )
        took = monotonic() - begun
    return events_in(commits) / took


def by_the_centre(database: str, commits: Sequence[Commit]) -> float:
    """Return events a second by the centre's own ``insert_new``."""
    store = CentralStore(database)
    ready = [
        [
            (table, [dict(zip(table.c.keys(), row, strict=True)) for row in rows])
            for table, rows in commit
        ]
        for commit in commits
    ]
    begun = monotonic()
    for commit in ready:
        with store.writing() as connection:
            for table, named in commit:
                insert_new(connection, table, named)
    took = monotonic() - begun
    store.close()
    return events_in(commits) / took


def events_in(commits: Sequence[Commit]) -> int:
    """Return how many events *commits* hold."""
    return sum(len(commit[0][1]) for commit in commits)
