"""Where a row of the centre's projections comes from: one event of one box."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, Table

from edge.model import Reading
from edge.rules.moments import Truth
from sync.central import tables
from sync.central.store import insert_new


@dataclasses.dataclass(frozen=True, slots=True)
class Origin:
    """Which event of which box a row comes from, and the box's clocks when it was written.

    ``rows`` collects what is only inserted, table by table: one statement for a whole batch
    costs a tenth of one for each row. ``truths`` are those of boots asked for in this batch.
    """

    box: str
    ledger: str
    seq: int
    event_id: str
    reading: Reading
    rows: dict[str, list[dict[str, Any]]]
    truths: dict[str, tuple[Truth, ...]]

    @property
    def at(self) -> int:
        """The event's wall time."""
        return self.reading.at

    @property
    def key(self) -> dict[str, Any]:
        """The columns that every projection of an event begins with."""
        return {"ledger": self.ledger, "seq": self.seq, "box": self.box}

    def flush(self, connection: Connection) -> None:
        """Insert what was noted so far, for an event that changes rows of others."""
        for name, rows in self.rows.items():
            insert_new(connection, tables.metadata.tables[name], rows)
        self.rows.clear()

    def add(self, table: Table, row: Mapping[str, Any]) -> None:
        """Note a row of this event for *table*."""
        self.rows.setdefault(table.name, []).append({**self.key, **row})
