"""Filings in the centre's tables: one is taken whole, in one transaction, or not at all.

Promises that what was taught is not filed away: a lesson that a box opened stays as it was, and
nobody leaves a class that has begun (R24). Identity numbers never leave this module but sealed.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import Connection, Row, and_, delete, insert, select, update

from edge.events import canonical
from edge.keys import Locker, secret
from edge.model import Instant
from sync.central.filing.model import FiledLesson, FiledTrainee, Filing
from sync.central.filing.tables import (
    class_instructor,
    class_trainee,
    filed_class,
    filed_lesson,
    instructor,
    person,
)
from sync.central.store import insert_or_update
from sync.central.tables import lesson_run

_KEY_BYTES = 32


@dataclass(frozen=True, slots=True)
class Conflict:
    """Why a filing does not fit to what the centre holds. ``code``: one of ``words.CONFLICTS``."""

    code: str
    values: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Taken:
    """What a filing changed: people and lessons that are new, and those that went."""

    trainees: int
    new_people: int
    lessons: int
    replaced: bool


class DoesNotFit(Exception):
    """Nothing was stored; ``conflicts`` say why, all of them."""

    def __init__(self, conflicts: list[Conflict]) -> None:
        super().__init__(f"{len(conflicts)} conflicts")
        self.conflicts = conflicts


class People:
    """Who is who: identity numbers sealed at rest, found again by a keyed hash."""

    def __init__(self, keys: Path) -> None:
        """Use the keys in that folder, or make them."""
        problem = "the key that identity numbers are sealed with"
        self._locker = Locker(keys / "people.key", problem)
        # Another key than the locker's: a hash that leaks says nothing of how to open the rest.
        self._hash_key = secret(keys / "people-index.key", os.urandom(_KEY_BYTES))

    def key_of(self, trainee: FiledTrainee) -> bytes:
        """Return by what a person is found again, whichever class files them."""
        named = f"{trainee.id_type}\0{trainee.id_number}".encode()
        return hmac.digest(self._hash_key, named, hashlib.sha256)

    def find_or_add(self, connection: Connection, trainee: FiledTrainee) -> tuple[str, bool]:
        """Return the person's id, and whether they are new. Name and phone are the latest filed."""
        key = self.key_of(trainee)
        known = connection.execute(select(person.c.id).where(person.c.id_key == key)).scalar()
        own = known or f"p-{uuid.uuid4().hex}"
        content = {"id_number": trainee.id_number, "phone": trainee.phone}
        nonce, sealed = self._locker.seal(canonical(content), own.encode())
        row = {
            "name": trainee.name,
            "sex": trainee.sex,
            "id_type": trainee.id_type,
            "id_key": key,
            "nonce": nonce,
            "sealed": sealed,
        }
        if known:
            connection.execute(update(person).where(person.c.id == own).values(**row))
        else:
            connection.execute(insert(person).values(id=own, pin_hash="", card_hash="", **row))
        return own, known is None

    def id_number(self, row: Row[tuple[object, ...]]) -> str:
        """Return the whole identity number of a row of ``person``. Raises KeyProblem."""
        problem = "An identity number cannot be opened: restore keys/people.key from the backup."
        opened = self._locker.open(row.nonce, row.sealed, row.id.encode(), problem)
        return str(json.loads(opened)["id_number"])


def store(connection: Connection, people: People, filing: Filing, now: Instant, by: str) -> Taken:
    """Take *filing* in the place of what its period id held before. Raises DoesNotFit."""
    conflicts = [
        *_taught(connection, filing),
        *_left(connection, people, filing),
        *_elsewhere(connection, people, filing),
    ]
    if conflicts:
        raise DoesNotFit(conflicts)
    period = filing.period_id
    before = connection.execute(
        select(filed_class.c.period_id).where(filed_class.c.period_id == period)
    ).scalar()
    for table in (class_trainee, class_instructor, filed_lesson):
        connection.execute(delete(table).where(table.c.period_id == period))
    head = {
        "period_id": period,
        "name": filing.name,
        "organisation": filing.organisation,
        "approved_by": filing.approved_by,
        "received_at": filing.received_at,
        "profile": filing.profile,
        "filed_at": now,
        "filed_by": by,
    }
    insert_or_update(connection, filed_class, head)
    new = 0
    for trainee in filing.trainees:
        own, fresh = people.find_or_add(connection, trainee)
        new += fresh
        row = {"period_id": period, "person_id": own, "number": trainee.number}
        connection.execute(insert(class_trainee).values(**row))
    for one in filing.instructors:
        known = select(instructor.c.id).where(instructor.c.id == one.id)
        if connection.execute(known).scalar() is None:
            connection.execute(insert(instructor).values(id=one.id, name=one.name, pin_hash=""))
        else:
            named = update(instructor).where(instructor.c.id == one.id)
            connection.execute(named.values(name=one.name))
        row = {"period_id": period, "instructor_id": one.id}
        connection.execute(insert(class_instructor).values(**row))
    for lesson in filing.lessons:
        connection.execute(insert(filed_lesson).values(**_lesson_row(period, lesson)))
    return Taken(len(filing.trainees), new, len(filing.lessons), before is not None)


def forget(connection: Connection, person_id: str) -> None:
    """Take a person out of every class and out of the people; nothing of them stays."""
    connection.execute(delete(class_trainee).where(class_trainee.c.person_id == person_id))
    connection.execute(delete(person).where(person.c.id == person_id))


def lesson_id(period_id: str, number: int) -> str:
    """Return the id of a class's lesson: the same for the same filing, wherever it is imported."""
    return f"{period_id}-{number:03d}"


def _lesson_row(period_id: str, lesson: FiledLesson) -> dict[str, object]:
    return {
        "id": lesson_id(period_id, lesson.number),
        "period_id": period_id,
        "number": lesson.number,
        "room": lesson.room,
        "starts": lesson.hours[0].start,
        "ends": lesson.hours[-1].end,
        "instructors": canonical(list(lesson.instructors)).decode(),
        "hours": canonical([[hour.start, hour.end] for hour in lesson.hours]).decode(),
    }


def _taught(connection: Connection, filing: Filing) -> Iterator[Conflict]:
    """A lesson that a box opened stays in the filing, at its time."""
    rows = connection.execute(
        select(filed_lesson)
        .join(lesson_run, lesson_run.c.lesson_id == filed_lesson.c.id)
        .where(filed_lesson.c.period_id == filing.period_id)
        .distinct()
    )
    filed = {lesson.number: _lesson_row(filing.period_id, lesson) for lesson in filing.lessons}
    for row in rows:
        now = filed.get(row.number)
        if now is None or any(now[key] != getattr(row, key) for key in ("hours", "room")):
            yield Conflict("lesson_taught", {"lesson": str(row.number)})


def _left(connection: Connection, people: People, filing: Filing) -> Iterator[Conflict]:
    """Nobody leaves a class of which a lesson was opened: their attendance is evidence (R24)."""
    begun = connection.execute(
        select(lesson_run.c.lesson_id)
        .join(filed_lesson, filed_lesson.c.id == lesson_run.c.lesson_id)
        .where(filed_lesson.c.period_id == filing.period_id)
        .limit(1)
    ).scalar()
    if begun is None:
        return
    staying = {people.key_of(trainee) for trainee in filing.trainees}
    rows = connection.execute(
        select(person.c.id_key, class_trainee.c.number)
        .join(class_trainee, class_trainee.c.person_id == person.c.id)
        .where(class_trainee.c.period_id == filing.period_id)
        .order_by(class_trainee.c.number)
    )
    for row in rows:
        if bytes(row.id_key) not in staying:
            yield Conflict("trainee_left", {"number": row.number})


def _elsewhere(connection: Connection, people: People, filing: Filing) -> Iterator[Conflict]:
    """Rooms, instructors and trainees that another class has at the same time."""
    if not filing.lessons:
        return
    first = min(lesson.hours[0].start for lesson in filing.lessons)
    last = max(lesson.hours[-1].end for lesson in filing.lessons)
    others = connection.execute(
        select(filed_lesson).where(
            and_(
                filed_lesson.c.period_id != filing.period_id,
                filed_lesson.c.starts < last,
                filed_lesson.c.ends > first,
            )
        )
    ).all()
    if not others:
        return
    keys = {people.key_of(trainee): trainee.number for trainee in filing.trainees}
    theirs: dict[str, list[str]] = {}
    rows = connection.execute(
        select(class_trainee.c.period_id, person.c.id_key)
        .join(person, person.c.id == class_trainee.c.person_id)
        .where(class_trainee.c.period_id.in_({other.period_id for other in others}))
    )
    for row in rows:
        if (number := keys.get(bytes(row.id_key))) is not None:
            theirs.setdefault(row.period_id, []).append(number)
    for lesson in filing.lessons:
        for other in others:
            if not _overlap(lesson, json.loads(other.hours)):
                continue
            where = {"lesson": str(lesson.number), "other": other.id}
            if other.room == lesson.room:
                yield Conflict("room_taken", {**where, "room": lesson.room})
            for one in sorted(set(lesson.instructors) & set(json.loads(other.instructors))):
                yield Conflict("instructor_taken", {**where, "id": one})
            for number in sorted(theirs.get(other.period_id, ())):
                yield Conflict("trainee_taken", {**where, "number": number})


def _overlap(lesson: FiledLesson, hours: list[list[int]]) -> bool:
    return any(
        hour.start < ends and starts < hour.end for hour in lesson.hours for starts, ends in hours
    )
