"""The centre's store: what it promises, on either database."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from sync.central import tables
from sync.central.store import (
    CentralStore,
    StoreProblem,
    among,
    insert_new,
    insert_or_update,
)
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


def test_many_rows_go_in_at_once_and_leave_alone_what_is_there(centre: Centre) -> None:
    """However many they are, twice in one transaction or not, each key counts once."""
    with centre.store.writing() as connection:
        insert_new(connection, tables.event, event_rows(30, 40))
    with centre.store.writing() as connection:
        insert_new(connection, tables.event, event_rows(1, 100, kind="other"))
        insert_new(connection, tables.event, event_rows(90, 150, kind="third"))
    rows = sorted(centre.rows(tables.event), key=lambda row: int(row.seq))
    assert [row.seq for row in rows] == list(range(1, 151))
    kinds = ["other"] * 29 + ["kind"] * 11 + ["other"] * 60 + ["third"] * 50
    assert [row.kind for row in rows] == kinds
    assert (bytes(rows[29].hash), rows[29].clock, rows[29].at) == (bytes(32), "synchronised", 30)


def test_rows_that_a_table_does_not_take_are_refused_as_one(centre: Centre) -> None:
    """One row that breaks a rule of its table stops all of them, with the store's own error."""
    rows = [*event_rows(1, 30), *event_rows(31, 31, clock="sundial")]
    with pytest.raises(IntegrityError), centre.store.writing() as connection:
        insert_new(connection, tables.event, rows)
    assert centre.rows(tables.event) == []
    with centre.store.writing() as connection:  # and the connection goes on
        insert_new(connection, tables.event, rows[:30])
    assert len(centre.rows(tables.event)) == 30


def test_among_finds_rows_by_any_number_of_names(centre: Centre) -> None:
    """Thousands of names, strange ones too, are one question."""
    with centre.store.writing() as connection:
        insert_new(connection, tables.event, event_rows(1, 50))
    names = [f"{number}" for number in range(40, 9000)] + ["\"'{},\\", "甲"]
    with centre.store.reading() as connection:
        found = connection.execute(
            select(tables.event.c.seq).where(among(connection, tables.event.c.id, names))
        ).scalars()
        assert sorted(found) == list(range(40, 51))


def event_rows(
    first: int, last: int, kind: str = "kind", clock: str = "synchronised"
) -> list[dict[str, Any]]:
    """Return rows of events with these seqs."""
    return [
        {
            "ledger": "ledger-1",
            "seq": seq,
            "id": f"{seq}",
            "kind": kind,
            "at": seq,
            "boot": "boot-1",
            "mono": 1,
            "clock": clock,
            "body_hash": bytes(32),
            "prev_hash": bytes(32),
            "hash": bytes(32),
            "signature": bytes(64),
            "received_at": 1,
        }
        for seq in range(first, last + 1)
    ]


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
