"""What becomes of media from a box: bytes on the disk, then a row, then the answer.

Owns the centre's half of the media hand-over. The steps, each of which may be the last before a
power cut and each of which may be repeated:

1. the chunks that follow what is held are written, then synced;
2. ``upload.held`` says how much is durable; it is what a box hears when it asks;
3. of a whole file the hash is checked, then it gets its name;
4. the row in ``media`` replaces the one in ``upload``; only now is the box told ``stored``.

Nothing is remembered between two calls, so another ingester may go on at any step. Two that are
given the same box at once write the same bytes to the same places.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, delete, select, update

from edge.clock import Clock
from sync import wire
from sync.central import erasure, incidents, metrics, tables
from sync.central.media import MediaHolder
from sync.central.outgoing import Outgoing
from sync.central.store import CentralStore, insert_new, insert_or_update
from sync.messages import (
    MEDIA_ACK,
    BadMessage,
    Chunk,
    MediaAck,
    Offer,
    UnknownMessage,
    parse_topic,
    topic,
)


@dataclass(slots=True)
class _Arriving:
    """One file during one call. ``durable``: what the database says; ``there``: also written."""

    box: str
    sha256: str
    size: int
    durable: int
    there: int
    stored: bool = False
    asked: bool = False
    erased: bool = False


class MediaIntake:
    """Offers and chunks of media files."""

    def __init__(self, store: CentralStore, media: MediaHolder, clock: Clock) -> None:
        self._store = store
        self._media = media
        self._clock = clock

    def take(self, arrived: Sequence[tuple[str, bytes]]) -> list[Outgoing]:
        """Deal with messages, each a topic and a payload; return what may now be said."""
        now = self._clock.now().at
        files: dict[tuple[str, str], _Arriving] = {}
        answers: list[Outgoing] = []
        bad: list[tuple[str, str, bytes]] = []
        for topic_text, payload in arrived:
            try:
                box, _ = parse_topic(topic_text)
            except UnknownMessage:
                continue
            try:
                message = wire.decode(payload)
                if isinstance(message, Offer | Chunk):
                    answers += self._one(now, box, message, files)
                else:
                    raise BadMessage(f"{type(message).__name__} does not belong on {topic_text}")
            except BadMessage as error:
                bad.append((box, str(error), payload))
        for file in files.values():
            if file.there > file.durable:
                answers += self._advance(now, file)
            elif file.asked:
                answers.append(_answer(file.box, MediaAck(file.sha256, file.durable)))
        if bad:
            with self._store.writing() as connection:
                for box, text, payload in bad:
                    incidents.report(connection, now, box, "bad_message", text, payload)
        return answers

    def _one(
        self,
        now: int,
        box: str,
        message: Offer | Chunk,
        files: dict[tuple[str, str], _Arriving],
    ) -> list[Outgoing]:
        key = (box, message.sha256)
        if key not in files:
            file = self._look_up(now, box, message)
            if file is None:
                return []
            if file.erased:
                return [_erased(file)]
            if file.stored:
                return [_answer(box, MediaAck(file.sha256, file.size, stored=True))]
            if file.durable == file.size:
                return self._complete(now, file)  # it has its name, but the row is owed
            files[key] = file
        file = files[key]
        if message.size != file.size:
            if isinstance(message, Chunk):
                raise BadMessage(f"{message.sha256}: offered with {file.size} bytes before")
            self._begin_anew(now, file, message.size)
        if isinstance(message, Chunk) and message.offset == file.there:
            self._media.write(box, file.sha256, message.offset, message.data)
            file.there += len(message.data)
            return []
        if isinstance(message, Offer):
            file.asked = True  # what came with it counts too, once it is durable
            return []
        return [_answer(box, MediaAck(file.sha256, file.durable))]

    def _begin_anew(self, now: int, file: _Arriving, size: int) -> None:
        """A box that offers a file with another size than before was wrong then, or is now.

        Either way what came is dropped: kept, a wrong size would keep the file out for ever.
        """
        with self._store.writing() as connection:
            row = update(tables.upload).where(_upload(file))
            connection.execute(row.values(size=size, held=0, at=now))
        self._media.drop(file.box, file.sha256)
        file.size, file.durable, file.there = size, 0, 0

    def _look_up(self, now: int, box: str, message: Offer | Chunk) -> _Arriving | None:
        """Return the file as it stands; None for a box that has not said hello."""
        sha256, size = message.sha256, message.size
        here = self._media.has(sha256)
        with self._store.reading() as connection:
            known = select(tables.box.c.id).where(tables.box.c.id == box)
            if connection.execute(known).one_or_none() is None:
                return None
            if erasure.was_erased(connection, sha256):
                return _Arriving(box, sha256, size, 0, 0, erased=True)
            if here and _stored(connection, sha256):
                return _Arriving(box, sha256, size, size, size, stored=True)
            held = _held(connection, box, sha256)
        if held is None:
            row = {"box": box, "sha256": sha256, "size": size, "held": 0, "at": now}
            with self._store.writing() as connection:
                insert_new(connection, tables.upload, [row])
                held = _held(connection, box, sha256)
        if held is None:
            return None  # another ingester stored it in this moment; the box asks again
        if here:
            # Named before a crash, or before an older backup of the database was restored.
            return _Arriving(box, sha256, held.size, held.size, held.size)
        # A folder restored from an older backup may hold less than the database believes.
        durable = min(held.held, self._media.arrived(box, sha256))
        return _Arriving(box, sha256, held.size, durable, durable)

    def _advance(self, now: int, file: _Arriving) -> list[Outgoing]:
        self._media.make_durable(file.box, file.sha256)
        with self._store.writing() as connection:
            connection.execute(
                update(tables.upload).where(_upload(file)).values(held=file.there, at=now)
            )
        metrics.MEDIA_BYTES.inc(file.there - file.durable)
        file.durable = file.there
        if file.durable == file.size:
            return self._complete(now, file)
        return [_answer(file.box, MediaAck(file.sha256, file.durable))]

    def _complete(self, now: int, file: _Arriving) -> list[Outgoing]:
        right = self._media.commit(file.box, file.sha256)
        with self._store.writing() as connection:
            connection.execute(delete(tables.upload).where(_upload(file)))
            # It may have been erased while it arrived.
            file.erased = erasure.was_erased(connection, file.sha256)
            if right and not file.erased:
                row = {
                    "sha256": file.sha256,
                    "size": file.size,
                    "box": file.box,
                    "stored_at": now,
                }
                # One that was lost here and came again is only as old as its return.
                insert_or_update(connection, tables.media, row)
            elif not right:
                incidents.report(
                    connection,
                    now,
                    file.box,
                    "bad_media",
                    f"a file arrived whole but does not hash to its name {file.sha256}: "
                    "the box's disk may be failing",
                )
        if file.erased:
            self._media.delete(file.sha256)
            return [_erased(file)]
        if right:
            return [_answer(file.box, MediaAck(file.sha256, file.size, stored=True))]
        return [_answer(file.box, MediaAck(file.sha256, 0, refused="its hash is wrong"))]


def _answer(box: str, message: MediaAck) -> Outgoing:
    return Outgoing(topic(box, MEDIA_ACK), message)


def _erased(file: _Arriving) -> Outgoing:
    return _answer(file.box, MediaAck(file.sha256, 0, refused="it was erased"))


def _stored(connection: Connection, sha256: str) -> bool:
    found = select(tables.media.c.sha256).where(tables.media.c.sha256 == sha256)
    return connection.execute(found).one_or_none() is not None


def _held(connection: Connection, box: str, sha256: str) -> Any:
    table = tables.upload
    query = select(table.c.size, table.c.held)
    where = (table.c.box == box) & (table.c.sha256 == sha256)
    return connection.execute(query.where(where)).one_or_none()


def _upload(file: _Arriving) -> ColumnElement[bool]:
    table = tables.upload
    return (table.c.box == file.box) & (table.c.sha256 == file.sha256)
