"""The centre's store: what it promises, on either database."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from sync.central import tables
from sync.central.store import CentralStore, StoreProblem, insert_new, insert_or_update
from tests.central.centres import Centre


def test_the_epoch_is_born_once(tmp_path: Path) -> None:
    """Opening the same database again finds the same epoch; another one has its own."""
    first = CentralStore(f"sqlite:///{tmp_path}/a.db")
    again = CentralStore(f"sqlite:///{tmp_path}/a.db")
    other = CentralStore(f"sqlite:///{tmp_path}/b.db")
    assert first.epoch == again.epoch != other.epoch
    for store in (first, again, other):
        store.close()


def test_writers_take_turns_and_what_is_written_is_there(centre: Centre) -> None:
    """Threads that write at once follow one another; a checkpoint in between hurts nobody."""

    def write(number: int) -> None:
        for at in range(20):
            with centre.store.writing() as connection:
                row = {"box": f"box-{number}", "camera": "c", "state": "online", "cause": ""}
                insert_or_update(connection, tables.camera, {**row, "at": at})
            if at % 5 == 0:
                centre.store.tidy()

    threads = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted((row.box, row.at) for row in centre.rows(tables.camera)) == [
        (f"box-{number}", 19) for number in range(4)
    ]


def test_inserting_what_is_there_changes_nothing(centre: Centre) -> None:
    """``insert_new`` leaves a row of the same key as it was."""
    for size in (1, 2):
        with centre.store.writing() as connection:
            row = {"sha256": "a" * 64, "size": size, "box": "b", "stored_at": 1}
            insert_new(connection, tables.media, [row])
    assert [row.size for row in centre.rows(tables.media)] == [1]


def test_every_column_of_meaning_is_commented(centre: Centre) -> None:
    """Whoever opens the database finds out what its tables hold."""
    for table in (tables.box, tables.ledger, tables.event, tables.upload, tables.document):
        for column in table.columns:
            explained = column.comment or column.name in ("number", "box", "content")
            assert explained or column.primary_key or column.constraints, f"{table}.{column.name}"


def test_a_database_that_cannot_be_opened_says_what_to_do(tmp_path: Path) -> None:
    """A folder that is not there is one clear sentence that names the key."""
    with pytest.raises((StoreProblem, FileNotFoundError)) as problem:
        CentralStore(f"sqlite:///{tmp_path}/none/centre.db")
    assert "none" in str(problem.value)
