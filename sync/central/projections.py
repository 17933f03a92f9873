"""Event → rows at the centre: what staff see of what the boxes said.

Owns the only way in which a projection changes. Promises that each event changes rows once,
because every row carries its event's ledger and seq; that a body which makes no sense is
reported and never stops the ones behind it; and that ``rebuild`` gives the same rows.
"""

from __future__ import annotations

import dataclasses
import json
import typing
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

from sqlalchemy import Connection, and_, delete, select, update

from edge import events
from edge.chain import event_from_row
from edge.clock_events import ClockCorrected
from edge.document_events import DocumentApplied, DocumentRefused
from edge.documents import BadDocument, lesson_from_json
from edge.events import BadBody, Body
from edge.model import ClockQuality, Reading
from edge.rules.moments import Truth, correct
from sync.central import answers, health, live_rows, picture_rows, tables, times
from sync.central.origin import Origin
from sync.central.store import insert_new, insert_or_update
from sync.messages import Record

B = TypeVar("B", bound=Body)
_LARGEST = 2**63 - 1
_CHECKS: dict[Any, Callable[[Any], bool]] = {
    str: lambda value: isinstance(value, str) and "\0" not in value,
    bool: lambda value: isinstance(value, bool),
    int: lambda value: type(value) is int and abs(value) <= _LARGEST,
    Sequence[int]: lambda value: isinstance(value, list) and all(type(one) is int for one in value),
    Sequence[str]: lambda value: (
        isinstance(value, list) and all(isinstance(one, str) and "\0" not in one for one in value)
    ),
}
Checks = tuple[tuple[str, Callable[[Any], bool]], ...]
_CHECKS_OF: dict[type[Body], Checks] = {}


@dataclasses.dataclass(frozen=True, slots=True)
class Unreadable:
    """An event whose body makes no sense; it is stored, and shows nothing."""

    seq: int
    problem: str


Apply = Callable[[Connection, Origin, Any], None]
_APPLY: dict[type[Body], Apply] = {**health.APPLY, **live_rows.APPLY}


def apply(
    connection: Connection, box: str, ledger: str, records: Iterable[Record]
) -> list[Unreadable]:
    """Change the rows that *records* change; return those whose body makes no sense."""
    rows: dict[str, list[dict[str, Any]]] = {}
    truths: dict[str, tuple[Truth, ...]] = {}
    unreadable: list[Unreadable] = []
    for record in records:
        event = record.event
        change = _APPLY.get(events.KINDS.get(event.kind, Body))
        if change is None or record.body is None:
            continue
        try:
            body = events.decode(event.kind, record.body)
            _check(body)
            origin = Origin(box, ledger, event.seq, event.id, event.reading, rows, truths)
            change(connection, origin, body)
        except BadBody as error:
            unreadable.append(Unreadable(event.seq, str(error)))
    for name, of_table in rows.items():
        insert_new(connection, tables.metadata.tables[name], of_table)
    return unreadable


def rebuild(connection: Connection) -> None:
    """Empty the projections and fill them again from the events."""
    for table in tables.PROJECTIONS:
        connection.execute(delete(table))
    rows = connection.execute(
        select(tables.event, tables.body.c.salt, tables.body.c.content, tables.ledger.c.box)
        .join(tables.ledger, tables.ledger.c.uuid == tables.event.c.ledger)
        .join(
            tables.body,
            and_(
                tables.body.c.ledger == tables.event.c.ledger,
                tables.body.c.seq == tables.event.c.seq,
            ),
        )
        .order_by(tables.event.c.ledger, tables.event.c.seq)
    )
    for row in rows.all():
        record = Record(event_from_row(row._asdict()), row.salt, row.content)
        apply(connection, row.box, row.ledger, [record])  # what is unreadable was reported


def _check(body: Body) -> None:
    """Refuse fields of another type than their event kind states."""
    for name, holds in _checks_of(type(body)):
        if not holds(getattr(body, name)):
            raise BadBody(f"{body.kind}: {name}: not of its type")


def _checks_of(kind: type[Body]) -> Checks:
    if kind not in _CHECKS_OF:
        hints = typing.get_type_hints(kind)
        _CHECKS_OF[kind] = tuple(
            (field.name, _CHECKS.get(hints[field.name], lambda value: isinstance(value, Mapping)))
            for field in dataclasses.fields(kind)
        )
    return _CHECKS_OF[kind]


def _of(kind: type[B]) -> Callable[[Callable[[Connection, Origin, B], None]], Apply]:
    def register(change: Callable[[Connection, Origin, B], None]) -> Apply:
        _APPLY[kind] = change
        return change

    return register


@_of(DocumentApplied)
def _document_applied(connection: Connection, origin: Origin, body: DocumentApplied) -> None:
    _document_answered(origin, body, answers.APPLIED, "")


@_of(DocumentRefused)
def _document_refused(connection: Connection, origin: Origin, body: DocumentRefused) -> None:
    _document_answered(origin, body, answers.REFUSED, body.reason or "unknown")


def _document_answered(
    origin: Origin,
    body: DocumentApplied | DocumentRefused,
    outcome: str,
    reason: str,
) -> None:
    row = {
        "kind": body.document,
        "epoch": body.epoch,
        "version": body.version,
        "outcome": outcome,
        "reason": reason,
        "at": origin.at,
    }
    origin.add(tables.document_answer, row)


@_of(events.LessonOpened)
def _lesson_opened(connection: Connection, origin: Origin, body: events.LessonOpened) -> None:
    try:
        lesson = lesson_from_json(body.lesson)
    except BadDocument as error:
        raise BadBody(f"{body.kind}: {error}") from error
    insert_new(
        connection,
        tables.lesson_run,
        [
            {
                "box": origin.box,
                "lesson_id": body.lesson_id,
                "ledger": origin.ledger,
                "seq": origin.seq,
                "state": "open",
                "opened_at": origin.at,
                "opened_by": body.by,
                "starts": lesson.start,
                "ends": lesson.end,
                "profile": body.profile,
                "documents": json.dumps(dict(body.documents), sort_keys=True),
                "content": json.dumps(dict(body.lesson), ensure_ascii=False, sort_keys=True),
            }
        ],
    )


@_of(events.LessonEnded)
def _lesson_ended(connection: Connection, origin: Origin, body: events.LessonEnded) -> None:
    run = tables.lesson_run
    connection.execute(
        update(run)
        .where(run.c.box == origin.box, run.c.lesson_id == body.lesson_id, run.c.state == "open")
        .values(
            state="held",
            ended_at=origin.at,
            ended_by=body.by,
            ended_ledger=origin.ledger,
            ended_seq=origin.seq,
        )
    )


@_of(events.ScanMade)
def _scan_made(connection: Connection, origin: Origin, body: events.ScanMade) -> None:
    taken = body.taken(origin.reading)
    at, error = taken.at, None
    if taken.clock is ClockQuality.UNSYNCHRONISED:
        if taken.boot not in origin.truths:
            origin.truths[taken.boot] = times.truths(connection, origin.box, taken.boot)
        at, error = correct(taken, origin.truths[taken.boot])
    row = {
        "id": origin.event_id,
        "person_id": body.person_id,
        "at": at,
        "way": body.way,
        "photo": body.photo,
        "score": body.score,
        "entered_by": body.entered_by,
        "reason": body.reason,
        "boot": taken.boot,
        "mono": taken.mono,
        "clock": str(taken.clock),
        "error": error,
    }
    origin.add(tables.scan, row)


def _clocks(reading: Reading) -> dict[str, Any]:
    return {"boot": reading.boot, "mono": reading.mono, "clock": str(reading.clock)}


@_of(events.SnapshotTaken)
def _snapshot_taken(connection: Connection, origin: Origin, body: events.SnapshotTaken) -> None:
    row = {
        "lesson_id": body.lesson_id,
        "hour": body.hour,
        "number": body.number,
        "camera": body.camera,
        "at": body.at,
        "sha256": body.sha256,
        "cause": "" if body.sha256 else "unknown",
        **_clocks(body.taken(origin.reading)),
    }
    origin.add(tables.snapshot, row)
    if body.method == "from_recording":
        recovered = {"lesson_id": body.lesson_id, "sha256": body.sha256}
        origin.add(tables.recovered_snapshot, recovered)


@_of(events.SnapshotMissed)
def _snapshot_missed(connection: Connection, origin: Origin, body: events.SnapshotMissed) -> None:
    row = {
        "lesson_id": body.lesson_id,
        "hour": body.hour,
        "number": body.number,
        "camera": body.camera,
        "at": origin.at,
        "sha256": "",
        "cause": body.cause or "unknown",
        **_clocks(origin.reading),
    }
    origin.add(tables.snapshot, row)


def _of_picture(connection: Connection, origin: Origin, body: Body) -> None:
    origin.add(*picture_rows.row_of(body, origin.at))


_APPLY.update(dict.fromkeys(picture_rows.KINDS, _of_picture))


@_of(events.RecordingStarted)
def _recording_started(
    connection: Connection, origin: Origin, body: events.RecordingStarted
) -> None:
    row = {
        "lesson_id": body.lesson_id,
        "camera": body.camera,
        "starts": body.at,
        "ends": None,
        "sha256": "",
        "bytes": 0,
        "interrupted": False,
        **_clocks(origin.reading.when(body.at)),
    }
    origin.add(tables.recording, row)


@_of(events.RecordingStored)
def _recording_stored(connection: Connection, origin: Origin, body: events.RecordingStored) -> None:
    row = {
        "lesson_id": body.lesson_id,
        "camera": body.camera,
        "starts": body.start,
        "ends": body.end,
        "sha256": body.sha256,
        "bytes": body.bytes,
        "interrupted": body.interrupted,
        **_clocks(body.begun(origin.reading)),
    }
    origin.add(tables.recording, row)


@_of(events.RecordingGap)
def _recording_gap(connection: Connection, origin: Origin, body: events.RecordingGap) -> None:
    row = {
        "lesson_id": body.lesson_id,
        "camera": body.camera,
        "starts": body.start,
        "ends": body.end,
        "cause": body.cause,
    }
    origin.add(tables.gap, row)


@_of(events.CameraHealth)
def _camera_health(connection: Connection, origin: Origin, body: events.CameraHealth) -> None:
    row = {"state": body.state, "cause": body.cause, "at": origin.at}
    insert_or_update(connection, tables.camera, {"box": origin.box, "camera": body.camera, **row})


@_of(ClockCorrected)
def _clock_corrected(connection: Connection, origin: Origin, body: ClockCorrected) -> None:
    """Note the truth, and put the scans of its boot at the time at which they were really made."""
    if body.boot != origin.reading.boot:
        return  # of another boot's monotonic clock this event knows nothing
    row = {
        "boot": body.boot,
        "mono": origin.reading.mono,
        "clock_offset": body.offset,
        "error": body.error,
        "source": body.source,
    }
    origin.add(tables.clock_truth, row)
    origin.flush(connection)
    known = origin.truths[body.boot] = times.truths(connection, origin.box, body.boot)
    scan = tables.scan
    mine = and_(
        scan.c.box == origin.box,
        scan.c.boot == body.boot,
        scan.c.clock == str(ClockQuality.UNSYNCHRONISED),
    )
    for made in connection.execute(select(scan).where(mine)).all():
        at, error = correct(times.reading_of(made), known)
        connection.execute(
            update(scan)
            .where(scan.c.ledger == made.ledger, scan.c.seq == made.seq)
            .values(at=at, error=error)
        )
