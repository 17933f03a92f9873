"""A box's link and a centre's ingest as real processes around a real broker, to be hurt."""

from __future__ import annotations

import json
import sqlite3
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import Table, func, select

from edge.clock import SystemClock, local
from edge.events import RecordingStored, ScanMade, ServiceStarted, SnapshotTaken
from edge.ledger import Ledger
from edge.media import MediaStore
from sync.central import tables
from sync.central.config import CentreConfig, load
from sync.central.documents import store_document
from sync.central.store import CentralStore
from tests.brokers import Broker
from tests.faults.wires import Wire
from tests.processes import CLASSBOX, Child, wait_for

BOX = "room-203"


class Stage:
    """One box and one centre, each behind a wire of its own to the same broker."""

    def __init__(self, folder: Path, broker: Broker) -> None:
        self.folder = folder
        self.broker = broker
        self.box_wire = Wire(broker.port)
        self.centre_wire = Wire(broker.port)
        box_toml, centre_toml = folder / "box.toml", folder / "centre.toml"
        box_toml.write_text(
            f'[box]\nid = "{BOX}"\nroom = "203"\ndata_dir = "box"\nruntime_dir = "run"\n'
            f'[link]\nhost = "127.0.0.1"\nport = {self.box_wire.port}\n'
            'security = "none"\n',
            "utf-8",
        )
        centre_toml.write_text(
            '[centre]\ndata_dir = "centre"\n'
            f'[broker]\nhost = "127.0.0.1"\nport = {self.centre_wire.port}\n'
            'security = "none"\n',
            "utf-8",
        )
        self.config: CentreConfig = load(centre_toml)
        self.config.data_dir.mkdir()
        self.store = CentralStore(self.config.database)
        self.clock = SystemClock()
        self.ledger = Ledger.open(folder / "box", BOX, self.clock)
        self.media = MediaStore(folder / "box" / "media")
        self.link = Child("link", [CLASSBOX, "--config", box_toml, "link"], folder / "link.log")
        self.ingest = Child(
            "ingest",
            [CLASSBOX, "--config", centre_toml, "centre", "ingest"],
            folder / "ingest.log",
        )

    def start(self, *children: Child) -> None:
        """Start those processes one by one, each when the one before is up."""
        for child in children:
            child.log.write_bytes(b"")
            child.start()
            # A hello before the ingest listens is lost, and said again 3 s later.
            up = "ingest: connected" if child is self.ingest else "ready"
            wait_for(f"{child.name} is up", partial(child.said, up))

    def write(self, count: int) -> None:
        """Let the box write *count* events."""
        for number in range(count):
            self.ledger.append(ServiceStarted(f"service-{number}", "1"))

    def snapshot(self, content: bytes, number: int = 1) -> str:
        """Let the box take a snapshot; return its hash."""
        at = self.clock.now().at
        body = SnapshotTaken("lesson-1", 0, number, "classroom", at, "key_frame", "", 0)
        draft = self.media.draft(body)
        draft.write(content)
        draft.store(self.ledger)
        return self._last_media()

    def photo(self, content: bytes) -> str:
        """Let the box make a scan with a photo; return the photo's hash."""
        draft = self.media.draft(ScanMade("p-1", self.clock.now().at, "face", ""), "photo")
        draft.write(content)
        draft.store(self.ledger)
        return self._last_media()

    def recording(self, content: bytes, lesson: str = "lesson-1", start: int = 1) -> str:
        """Let the box store a part of a recording; return its hash."""
        body = RecordingStored(lesson, "classroom", start, start + 1, "", 0, False)
        draft = self.media.draft(body)
        draft.write(content)
        draft.store(self.ledger)
        return self._last_media()

    def publish(self, kind: str, content: bytes) -> int:
        """Store a document at the centre, as its command does."""
        return store_document(self.store, BOX, kind, content, self.clock.now().at)

    def back_up(self) -> None:
        """Note a backup of everything that has arrived, and let the link ask what is safe."""
        begun = local(self.clock.now().at, UTC) + timedelta(seconds=1)
        wait_for("that second is over", lambda: local(self.clock.now().at, UTC) > begun)
        note = ["centre", "backup", "note", "--until", begun.isoformat(), "--place", "cellar"]
        config = str(self.folder / "centre.toml")
        subprocess.run([str(CLASSBOX), "--config", config, *note], check=True, capture_output=True)
        self.box_wire.cut()  # it asks after each reconnect, and hourly

    def is_safe(self, *sha256s: str) -> bool:
        """Tell whether the box holds receipts for these files."""
        with sqlite3.connect(self.folder / "box" / "link.db") as connection:
            rows = connection.execute("SELECT sha256 FROM media WHERE receipt IS NOT NULL")
            safe = {row[0] for row in rows}
        connection.close()
        return set(sha256s) <= safe

    def in_force(self) -> dict[str, int]:
        """Return the versions of the documents in force on the box."""
        with self.ledger.store.read() as connection:
            rows = connection.execute("SELECT kind, version FROM document_in_force").fetchall()
        return {row["kind"]: row["version"] for row in rows}

    def rows(self, table: Table) -> Sequence[Any]:
        """Return every row of one of the centre's tables."""
        with self.store.reading() as connection:
            return connection.execute(select(table)).all()

    def held(self) -> int:
        """Return the seq of the last event that the centre holds."""
        with self.store.reading() as connection:
            return int(connection.execute(select(func.max(tables.event.c.seq))).scalar() or 0)

    def told(self) -> dict[str, Any]:
        """Return what the link shows of itself."""
        try:
            values = json.loads((self.folder / "run" / "link.json").read_bytes())
        except FileNotFoundError:
            return {}
        return dict(values)

    def wait_until_complete(self, within: float = 60.0) -> None:
        """Wait until the centre holds and the link knows everything; then compare it all."""
        wait_for(
            "everything is acknowledged",
            lambda: self.told().get("acked") == self.ledger.head()[0],
            within,
        )
        held = [
            (row.seq, row.id, row.hash, row.signature)
            for row in sorted(self.rows(tables.event), key=lambda row: row.seq)
        ]
        written = [
            (event.seq, event.id, event.hash, event.signature)
            for event in (record.event for record in self.ledger.records())
        ]
        assert held == written[: len(held)], "lost, doubled, or changed"
        assert len(held) >= self.told()["acked"]
        assert self.rows(tables.incident) == []

    def wait_for_media(self, *sha256s: str, within: float = 60.0) -> None:
        """Wait until the centre holds those files and the link knows it."""
        files = {sha256: self.config.data_dir / "media" / sha256[:2] / sha256 for sha256 in sha256s}
        wait_for("the files arrive", lambda: all(f.exists() for f in files.values()), within)
        wait_for("the link knows it", lambda: self.told().get("media_waiting") == 0, within)
        for sha256, file in files.items():
            assert file.read_bytes() == self.media.path(sha256).read_bytes()

    def close(self) -> None:
        """End everything."""
        for child in (self.link, self.ingest):
            child.stop()
        self.ledger.close()
        self.store.close()
        self.box_wire.close()
        self.centre_wire.close()

    def _last_media(self) -> str:
        with self.ledger.store.read() as connection:
            row = connection.execute("SELECT sha256 FROM media ORDER BY seq DESC").fetchone()
        return str(row["sha256"])


@contextmanager
def staged(folder: Path) -> Iterator[Stage]:
    """Open a stage and clear it away."""
    with Broker() as broker:
        stage = Stage(folder, broker)
        try:
            yield stage
        finally:
            stage.close()
