"""The steps of the centre's database: equal to its tables, safe to repeat, never backwards."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, create_engine, text

from sync.central import migrations
from sync.central.store import CentralStore, StoreProblem


@pytest.fixture
def store(database: str) -> Iterator[CentralStore]:
    """A store that was just made."""
    opened = CentralStore(database)
    yield opened
    opened.close()


def shape(connection: Connection) -> set[tuple[str, str]]:
    """Return everything that the database itself says of its tables, checks and indexes."""
    if connection.dialect.name == "sqlite":
        query = "SELECT name, sql FROM sqlite_master WHERE name NOT LIKE 'alembic%'"
    else:
        query = """
            SELECT conrelid::regclass || '.' || conname, pg_get_constraintdef(oid)
              FROM pg_constraint WHERE connamespace = 'public'::regnamespace
            UNION SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'
            UNION SELECT table_name || '.' || column_name, concat_ws(' ', data_type, is_nullable,
                  column_default, col_description(table_name::regclass, ordinal_position))
              FROM information_schema.columns WHERE table_schema = 'public'
        """
    return {
        (name, part.strip("\t ,)\n"))
        for name, told in connection.execute(text(query))
        if "alembic" not in name
        # A column that a later step adds stands behind the constraints, on their line.
        for part in re.split(r",\s+(?=\w)|\n", told or "")
    }


def test_the_steps_lead_to_the_tables(store: CentralStore) -> None:
    """Alembic finds nothing to add or to change after the last step.

    When this fails: ``python -m tests.revise "what changes"`` writes the step that is missing.
    """
    with store.reading() as connection:
        context = MigrationContext.configure(connection, opts={"compare_server_default": True})
        assert compare_metadata(context, migrations.form()) == []


def test_the_steps_make_what_the_tables_say(store: CentralStore, another_database: str) -> None:
    """Checks, keys and indexes, which Alembic does not compare, come out equal too."""
    engine = create_engine(another_database)
    with engine.begin() as connection, store.reading() as upgraded:
        migrations.form().create_all(connection)
        assert shape(upgraded) == shape(connection)
    engine.dispose()


def test_a_database_of_newer_software_is_refused_and_not_touched(database: str) -> None:
    """An older version that meets it says so, and leaves it as it was."""
    store = CentralStore(database)
    with store.writing() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
        connection.execute(text("DELETE FROM centre"))
    with pytest.raises(StoreProblem, match=r"newer software: form 9999.*Nothing was changed"):
        CentralStore(database)
    with store.reading() as connection:
        assert connection.execute(text("SELECT version_num FROM alembic_version")).all() == [
            ("9999",)
        ]
        assert connection.execute(text("SELECT count(*) FROM centre")).scalar() == 0
    store.close()


def test_an_upgrade_that_fails_leaves_nothing_behind(database: str) -> None:
    """A step that stumbles over what is there already undoes what it had made before."""
    engine = create_engine(database)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE upload (x INTEGER)"))
    with pytest.raises(StoreProblem, match="upload"):
        CentralStore(database)
    with engine.begin() as connection:
        assert {name for name, _ in shape(connection)} <= {"upload", "upload.x"}
    engine.dispose()


def test_processes_that_open_an_empty_database_at_once_upgrade_it_once(database: str) -> None:
    """The others wait, and find it done."""
    opened: list[CentralStore] = []
    threads = [
        threading.Thread(target=lambda: opened.append(CentralStore(database))) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(opened) == 4
    assert len({store.epoch for store in opened}) == 1
    for store in opened:
        store.close()
