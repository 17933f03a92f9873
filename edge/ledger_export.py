"""A ledger as a file that proves itself: written, read, verified and compared without the box.

Owns the form of an export: lines of JSON. The first says whose ledger it is and where it ends; each
further line is one event as it is stored, hashes and signature as hexadecimal, salt and body
``null`` when erased. Promises that the same ledger gives the same bytes, and that reading another
ledger changes nothing of it.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any, BinaryIO

from edge import proof
from edge.chain import Event, event_from_row
from edge.events import canonical, decode
from edge.ledger import Ledger
from edge.proof import Record, Report

FORMAT = "classbox-export-1"
_RAW = ("body_hash", "prev_hash", "hash", "signature")


class BadExport(ValueError):
    """A file or folder holds no ledger that can be read; the message names the place."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Whose ledger it is. ``uuid`` is the name it was born under; ``head`` its last event's seq."""

    uuid: str
    box: str
    public_key: bytes
    head: int
    hash: bytes


@dataclass(frozen=True, slots=True)
class Comparison:
    """How two ledgers stand to each other.

    Up to ``common`` both hold the same events; ``here`` and ``there`` are their last seqs;
    ``erased_here`` and ``erased_there`` count common events whose body only the other still has.
    """

    common: int
    here: int
    there: int
    erased_here: int
    erased_there: int

    @property
    def equal(self) -> bool:
        """Whether both hold the same events."""
        return self.common == self.here == self.there


def origin_of(ledger: Ledger) -> Origin:
    """Return whose ledger it is, and its end at this moment."""
    head, digest = ledger.head()
    return Origin(ledger.uuid, ledger.box_id, ledger.public_key, head, digest)


def write(ledger: Ledger, file: BinaryIO) -> int:
    """Write *ledger* to *file* up to where it ends now; return the number of events."""
    origin = origin_of(ledger)
    head = {
        "format": FORMAT,
        "ledger": origin.uuid,
        "box": origin.box,
        "public_key": origin.public_key.hex(),
        "head": origin.head,
        "hash": origin.hash.hex(),
    }
    file.write(canonical(head) + b"\n")
    for record in ledger.records():
        if record.event.seq > origin.head:
            break
        file.write(canonical(_to_json(record)) + b"\n")
    return origin.head


@contextmanager
def opened(path: Path) -> Iterator[tuple[Origin, Iterator[Record]]]:
    """Open an export, a ``ledger.db`` or the folder of one, to be read only. Raises BadExport."""
    if path.is_dir():
        path = path / "ledger.db"
    try:
        with path.open("rb") as file:
            if file.read(16) == b"SQLite format 3\0":
                with _database(path) as found:
                    yield found
            else:
                file.seek(0)
                yield _header(file.readline()), _records(file)
    except OSError as error:
        raise BadExport(f"{path}: cannot be read: {error.strerror}") from error
    except sqlite3.DatabaseError as error:
        raise BadExport(f"{path}: no ledger of this software: {error}") from error


def verify(origin: Origin, records: Iterator[Record]) -> Report:
    """Check a ledger that was read: what it says of itself and every event. Raises BadExport."""
    report = proof.check(
        _checked_birth(origin, records), origin.uuid, origin.public_key, (origin.head, origin.hash)
    )
    if report.events > origin.head:
        report.problems.append(f"head: says {origin.head}, but {report.events} events are there")
    return report


def compare(here: Iterator[Record], there: Iterator[Record]) -> Comparison:
    """Compare two ledgers event by event."""
    common = last_here = last_there = erased_here = erased_there = 0
    same = True
    for one, other in zip_longest(here, there):
        last_here = one.event.seq if one else last_here
        last_there = other.event.seq if other else last_there
        # Behind the first difference nothing can be common: each hash covers the one before.
        same = same and one is not None and other is not None and one.event == other.event
        if same and one and other:
            common = one.event.seq
            erased_here += one.body is None and other.body is not None
            erased_there += other.body is None and one.body is not None
    return Comparison(common, last_here, last_there, erased_here, erased_there)


def _to_json(record: Record) -> dict[str, Any]:
    event = record.event
    values: dict[str, Any] = {
        "seq": event.seq,
        "id": event.id,
        "kind": event.kind,
        "at": event.reading.at,
        "boot": event.reading.boot,
        "mono": event.reading.mono,
        "clock": event.reading.clock,
        "salt": None if record.salt is None else record.salt.hex(),
        "body": None if record.body is None else record.body.decode("utf-8"),
    }
    return values | {name: getattr(event, name).hex() for name in _RAW}


def _header(line: bytes) -> Origin:
    try:
        values = json.loads(line)
        if values["format"] != FORMAT:
            raise BadExport(f"line 1: format {values['format']!r}; this version reads {FORMAT}")
        return Origin(
            str(values["ledger"]),
            str(values["box"]),
            bytes.fromhex(values["public_key"]),
            int(values["head"]),
            bytes.fromhex(values["hash"]),
        )
    except (ValueError, TypeError, KeyError) as error:
        if isinstance(error, BadExport):
            raise
        raise BadExport("line 1: not the beginning of an exported ledger") from error


def _records(file: BinaryIO) -> Iterator[Record]:
    for number, line in enumerate(file, start=2):
        try:
            values = json.loads(line)
            event = event_from_row(values | {name: bytes.fromhex(values[name]) for name in _RAW})
            salt, body = values["salt"], values["body"]
            yield Record(
                event,
                None if salt is None else bytes.fromhex(salt),
                None if body is None else body.encode("utf-8"),
            )
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise BadExport(f"line {number}: not an event") from error


@contextmanager
def _database(path: Path) -> Iterator[tuple[Origin, Iterator[Record]]]:
    # Without a write-ahead log beside it nobody writes it, and nothing is left beside it by us.
    how = "mode=ro" if path.with_name(path.name + "-wal").exists() else "immutable=1"
    with closing(sqlite3.connect(f"file:{path}?{how}", uri=True)) as connection:
        connection.row_factory = sqlite3.Row
        head = connection.execute("SELECT * FROM head").fetchone()
        if head is None:
            raise BadExport(f"{path}: an empty ledger")
        rows = connection.execute(
            "SELECT event.*, salt, bytes FROM event LEFT JOIN body USING (seq) ORDER BY seq"
        )
        first = connection.execute("SELECT bytes FROM body WHERE seq = 1").fetchone()
        born = json.loads(first["bytes"])
        yield (
            Origin(
                head["ledger_uuid"],
                born["box_id"],
                bytes.fromhex(born["public_key"]),
                head["seq"],
                head["hash"],
            ),
            (Record(event_from_row(row), row["salt"], row["bytes"]) for row in rows),
        )


def _checked_birth(origin: Origin, records: Iterator[Record]) -> Iterator[Record]:
    """Yield *records*; the first must be the birth that the export says it is."""
    for record in records:
        if record.event.seq == 1:
            _check_birth(origin, record.event, record.body)
        yield record


def _check_birth(origin: Origin, event: Event, content: bytes | None) -> None:
    if content is None:
        return
    born = decode(event.kind, content)
    said = (getattr(born, "ledger_uuid", ""), getattr(born, "public_key", ""))
    if said != (origin.uuid, origin.public_key.hex()):
        raise BadExport("line 1: names another ledger or key than the ledger's first event")
