"""A box that woke in 1970 and its centre, on one stage."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy import select

from sync.central import books, evidence, tables
from sync.central.views import Evidence
from sync.messages import Batch, Hello, Record
from tests.boxes import LESSON_ID, at
from tests.central.centres import SEALING_KEY, Centre
from tests.time.stage import Box


class Both:
    """A box in 1970 and the centre that hears of it later."""

    def __init__(self, folder: Path) -> None:
        self.box = Box(folder, at("08:40"))
        (folder / "centre").mkdir()
        self.centre = Centre(folder / "centre", at("08:40"))
        self._sent = 0

    def bring(self) -> None:
        """Bring everything to the centre, which receives it at the true time."""
        ledger = self.box.ledger
        self.centre.clock.jump(self.box.true)
        head, head_hash = ledger.head()
        hello = Hello(
            id="1",
            ledger=ledger.uuid,
            head=head,
            head_hash=head_hash,
            acked=self._sent,
            public_key=ledger.public_key,
            sealing_key=SEALING_KEY.public_key().public_bytes_raw(),
            at=0,
            clock="unsynchronised",
            software="test",
            media_waiting=0,
        )
        records = tuple(
            Record(one.event, one.salt, one.body) for one in ledger.events(self._sent, 500)
        )
        self.centre.hear("room-203", hello, Batch(ledger.uuid, self._sent, records))
        self._sent = head

    def scans_of_the_box(self) -> list[tuple[Any, ...]]:
        """Return when each scan was made, as the box reckons it."""
        with self.box.ledger.store.read() as connection:
            rows = connection.execute("SELECT seq, at, error FROM scan ORDER BY seq").fetchall()
        return [tuple(row) for row in rows]

    def scans_of_the_centre(self) -> list[tuple[Any, ...]]:
        """Return the same as the centre does."""
        scan = tables.scan
        with self.centre.store.reading() as connection:
            rows = connection.execute(
                select(scan.c.seq, scan.c.at, scan.c.error).order_by(scan.c.seq)
            ).all()
        return [tuple(row) for row in rows]

    def evidence(self) -> Evidence:
        """Return what the console shows of the lesson."""
        with self.centre.store.reading() as connection:
            planned = books.lesson(connection, LESSON_ID)
            assert planned is not None
            return evidence.of_lesson(connection, planned, self.box.true)
