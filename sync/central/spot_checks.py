"""Spot checks at the centre (R6, R7): lessons that were drawn, what was taken, the verdict.

Owns the documents ``draws``. Promises that a lesson is drawn once, at every box it takes place at,
and that a verdict changes nothing but itself: the lesson keeps its draw, its pictures, and what an
earlier verdict said stays in the document's earlier versions.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace

from sqlalchemy import Connection, select

from edge import documents
from edge.directions import Draw, Verdict, draws_to_json, parse_draws
from edge.model import Instant
from sync.central import books, tables
from sync.central.documents import newest, store_document
from sync.central.store import CentralStore
from sync.central.views import SpotCheck, SpotItem


class CannotDraw(ValueError):
    """A lesson cannot be drawn or decided on; the message says why."""


def draws(connection: Connection, box: str, epoch: str) -> dict[str, Draw]:
    """Return the lessons drawn at a box, by their id."""
    document = newest(connection, box, documents.DRAWS, epoch)
    found = parse_draws(json.loads(document.content)) if document else ()
    return {draw.lesson_id: draw for draw in found}


def draw_of(connection: Connection, lesson_id: str) -> Draw | None:
    """Return how a lesson was drawn, None when it was not."""
    for _box, content in books.in_force(connection, documents.DRAWS):
        for found in parse_draws(json.loads(content)):
            if found.lesson_id == lesson_id:
                return found
    return None


def draw(store: CentralStore, lesson_id: str, by: str, now: Instant) -> tuple[str, ...]:
    """Draw a lesson for a spot check; return the boxes that hear of it. Raises CannotDraw."""
    boxes = _boxes(store, lesson_id)
    for box in boxes:
        with store.reading() as connection:
            known = draws(connection, box, store.epoch)
        if lesson_id not in known:
            _store(store, box, {**known, lesson_id: Draw(lesson_id, by, now)}, now)
    return boxes


def decide(store: CentralStore, lesson_id: str, verdict: Verdict, now: Instant) -> tuple[str, ...]:
    """Note the authority's verdict; return the boxes that hear of it. Raises CannotDraw."""
    boxes = _boxes(store, lesson_id)
    told: list[str] = []
    for box in boxes:
        with store.reading() as connection:
            known = draws(connection, box, store.epoch)
        if lesson_id in known:
            decided = replace(known[lesson_id], verdict=verdict)
            _store(store, box, {**known, lesson_id: decided}, now)
            told.append(box)
    if not told:
        raise CannotDraw(f"{lesson_id}: this lesson was not drawn: classbox centre draws add")
    return tuple(told)


def _boxes(store: CentralStore, lesson_id: str) -> tuple[str, ...]:
    with store.reading() as connection:
        planned = books.lesson(connection, lesson_id)
    if planned is None:
        raise CannotDraw(f"{lesson_id}: no timetable names this lesson. Its id is in the timetable")
    return planned.boxes


def _store(store: CentralStore, box: str, known: Mapping[str, Draw], now: Instant) -> None:
    content = draws_to_json(tuple(known[lesson] for lesson in sorted(known)))
    store_document(store, box, documents.DRAWS, content, now)


def taken(connection: Connection, lesson_id: str) -> tuple[SpotCheck, ...]:
    """Return the confirmed spot checks of a lesson in the order of their confirmation."""
    check, item = tables.spot_check, tables.spot_check_item
    marked = copies(connection, lesson_id)
    rows = connection.execute(
        select(item, tables.media.c.sha256.label("held"))
        .outerjoin(tables.media, tables.media.c.sha256 == item.c.sha256)
        .where(item.c.lesson_id == lesson_id)
        .order_by(item.c.number, item.c.ledger, item.c.seq)
    ).all()
    found: dict[str, SpotCheck] = {}
    for one in connection.execute(
        select(check).where(check.c.lesson_id == lesson_id).order_by(check.c.at, check.c.seq)
    ):
        chosen = set(json.loads(one.items))
        items: dict[str, SpotItem] = {}
        for row in rows:
            if row.check == one.check and row.sha256 in chosen:
                copy, heads = marked.get(row.sha256, ("", -1))
                items.setdefault(
                    row.sha256,
                    SpotItem(
                        row.sort, row.source, row.at, row.sha256, row.held is not None, copy, heads
                    ),
                )
        found.setdefault(one.check, SpotCheck(one.by, one.at, one.present, tuple(items.values())))
    return tuple(found.values())


def copies(connection: Connection, lesson_id: str) -> dict[str, tuple[str, int]]:
    """Return original → marked copy (empty while it has not arrived) and head count."""
    table = tables.picture_copy
    return {
        row.original: (row.sha256 if row.held else "", row.heads)
        for row in connection.execute(
            select(table, tables.media.c.sha256.label("held"))
            .outerjoin(tables.media, tables.media.c.sha256 == table.c.sha256)
            .where(table.c.lesson_id == lesson_id)
        )
    }
