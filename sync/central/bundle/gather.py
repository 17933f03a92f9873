"""What the centre holds of a class, put together as a bundle.

Owns what goes into a bundle and what stays out: bodies of this class's lessons and trainees, and
what says how chain and clocks stand; of every other event only its header, which names nobody.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, BinaryIO

from sqlalchemy import Connection, and_, func, or_, select

from edge import documents, events
from edge.chain import Event, event_from_row
from edge.clock_events import ClockCorrected, ClockStepped
from edge.document_events import DocumentApplied
from edge.events import BadBody, Body
from edge.keys import Signer
from edge.model import ClockQuality, Instant, TrainingClass
from edge.proof import Record
from edge.rules.lessons import attendance_window
from sync.central import anchors, books, credits, lines, tables, witness
from sync.central.bundle import archive, facts, figures, form, pages
from sync.central.bundle.form import ChainOf, Manifest, Sitting
from sync.central.documents import content_of
from sync.central.media import MediaHolder
from sync.central.statement import read
from sync.central.store import CentralStore
from sync.central.views import Planned
from sync.messages import Anchor

# Bodies that name nobody and that a check needs: how chain, clocks and documents stand.
_PLAIN = (
    events.LedgerBorn,
    events.LedgerBranched,
    events.BodyErased,
    events.MediaDeleted,
    ClockCorrected,
    ClockStepped,
    DocumentApplied,
)
_KINDS = frozenset(body.kind for body in _PLAIN)


class NothingToShow(ValueError):
    """There is no bundle to make; the text says what to do."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody asked for. ``copy``: school | authority; lessons begin within since, until."""

    class_id: str
    copy: str
    since: Instant
    until: Instant
    filed_hours: int = 0


@dataclass(frozen=True, slots=True)
class Office:
    """Whose bundle it is: name and time zone of the centre, its media, its key."""

    name: str
    zone: str
    media: MediaHolder
    signer: Signer


def make(store: CentralStore, office: Office, wish: Wish, now: Instant, file: BinaryIO) -> Manifest:
    """Write the bundle that *wish* asks for to *file*; return its manifest. Raises NothingToShow.

    Every chain that grew is anchored first, so that the centre's signature covers all of it.
    """
    with store.writing() as connection:
        anchors.make(connection, now, office.signer, every=0)
    with store.reading() as connection:
        manifest, contents = _gathered(connection, office, wish, now)
    names = {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()}
    names |= {name: _stem(name) for name in _media_files(manifest, office.media)}
    manifest = replace(manifest, files={**names})
    chains = [(one, list(form.lines_in(contents[one.file]))) for one in manifest.chains]
    known = facts.gathered(manifest, chains)
    heads = [found[-1].record.event.hash for _, found in chains]
    counted = figures.counted(manifest, known, heads)
    contents[form.FIGURES] = figures.to_json(counted)
    contents[form.INDEX] = pages.index(manifest, known, counted)
    contents[form.NOTE] = pages.note()
    hashed = {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()}
    manifest = replace(manifest, files=dict(sorted({**names, **hashed}.items())))
    head, signature = form.write(manifest, office.signer.sign)
    archive.write(file, _all(manifest, contents, head, signature, office.media))
    return manifest


def _gathered(
    connection: Connection, office: Office, wish: Wish, now: Instant
) -> tuple[Manifest, dict[str, bytes]]:
    planned = [
        one
        for one in books.lessons(connection, wish.since, wish.until)
        if one.lesson.class_id == wish.class_id
    ]
    if not planned:
        raise NothingToShow(
            f"{wish.class_id}: no timetable names a lesson of this class in that time. Its id is "
            "in the timetable (class_id); --from and --to bound the days."
        )
    the_class, instructors = _people(connection, planned, wish.class_id)
    sittings = tuple(_sitting(connection, one) for one in planned)
    chains: list[ChainOf] = []
    contents: dict[str, bytes] = {}
    anchored: dict[tuple[str, int], Anchor] = {}
    disclosed = _Disclosed(the_class, instructors, sittings)
    boxes = sorted({box for one in planned for box in one.boxes})
    for row in connection.execute(
        select(tables.ledger)
        .where(tables.ledger.c.box.in_(boxes))
        .order_by(tables.ledger.c.box, tables.ledger.c.uuid)
    ).all():
        stretch = _stretch(connection, row, disclosed, f"chains/{len(chains) + 1}.jsonl")
        if stretch is not None:
            stated, content, held = stretch
            chains.append(stated)
            contents[stated.file] = content
            anchored |= {(one.ledger, one.seq): one for one in held}
    contents[form.ANCHORS] = form.anchors_to(anchored[key] for key in sorted(anchored))
    for one in planned:
        digest = one.run.documents.get(documents.PROFILES, "") if one.run else ""
        book = content_of(connection, digest) if digest else None
        if book is not None:
            contents[f"documents/{digest}.json"] = book
    contents |= _stamps(connection, chains)
    manifest = Manifest(
        pages=pages.VERSION,
        made_at=now,
        centre=office.name,
        key=office.signer.public_key,
        copy=wish.copy,
        zone=office.zone,
        the_class=the_class,
        instructors=instructors,
        filed_hours=wish.filed_hours,
        since=wish.since,
        until=wish.until,
        sittings=sittings,
        chains=tuple(chains),
        media={},
        files={},
    )
    parsed = [(one, list(form.lines_in(contents[one.file]))) for one in chains]
    named = facts.named_media(facts.gathered(manifest, parsed))
    gone = tables.media_erased
    erased = set(connection.execute(select(gone.c.sha256)).scalars())
    states = {
        name: form.GONE if name in erased else form.HERE if office.media.has(name) else form.AWAY
        for name in sorted(named)
    }
    return replace(manifest, media=states), contents


def _people(
    connection: Connection, planned: Sequence[Planned], class_id: str
) -> tuple[TrainingClass, dict[str, str]]:
    """Return the class as the last of its lessons knew it, and the names of who teaches it."""
    the_class: TrainingClass | None = None
    instructors: dict[str, str] = {}
    for one in planned:
        roster = books.roster_of(connection, one)
        the_class = next((each for each in roster.classes if each.id == class_id), the_class)
        instructors |= {
            each.id: each.name
            for each in roster.instructors
            if each.id in one.lesson.instructors or (one.run and each.id == one.run.opened_by)
        }
    if the_class is None:
        raise NothingToShow(
            f"{class_id}: no roster of this class is held. Publish its roster first."
        )
    return the_class, instructors


def _sitting(connection: Connection, planned: Planned) -> Sitting:
    return Sitting(
        planned.lesson,
        planned.boxes,
        books.profile_of(connection, planned),
        credits.drawn(connection, planned.lesson.id),
        credits.decisions_of(connection, planned),
    )


class _Disclosed:
    """Which bodies belong to the class."""

    def __init__(
        self, the_class: TrainingClass, instructors: dict[str, str], sittings: Sequence[Sitting]
    ) -> None:
        self._lessons = {one.lesson.id for one in sittings}
        self._people = {one.id for one in the_class.trainees} | set(instructors)
        spans = [attendance_window(one.lesson, one.profile) for one in sittings]
        self._windows = [(span.opens, span.last) for span in spans]

    def needed(self, event: Event, body: Body) -> bool:
        """Tell whether the class's hours and evidence rest on that event."""
        if isinstance(body, events.ScanMade):
            if body.person_id not in self._people:
                return False
            # A clock that was wrong may put a scan anywhere: the rules see where it belongs.
            doubtful = body.taken(event.reading).clock is ClockQuality.UNSYNCHRONISED
            return doubtful or any(low <= body.at <= high for low, high in self._windows)
        return getattr(body, "lesson_id", None) in self._lessons

    def shown(self, event: Event, content: bytes) -> tuple[bool, bool]:
        """Return whether the body goes into the bundle, and whether the class needs the event."""
        try:
            body = events.decode(event.kind, content)
            needed = self.needed(event, body)
        except (BadBody, TypeError):
            return False, False
        return needed or event.kind in _KINDS, needed


def _stretch(
    connection: Connection, row: Any, disclosed: _Disclosed, file: str
) -> tuple[ChainOf, bytes, list[Anchor]] | None:
    """Return the part of a ledger's line that the class needs, None when it needs nothing of it.

    It begins after an anchor, or with the chain itself, so that nothing before can be slipped in;
    the clocks need the last synchronised event before. It ends with the newest anchor.
    """
    lineage = _lineage(connection, row)
    newest = connection.execute(
        select(func.max(tables.anchor.c.seq)).where(tables.anchor.c.ledger == row.uuid)
    ).scalar()
    wanted: list[int] = []
    certain: list[int] = []
    for record in _records(connection, lineage, row.base + 1, newest or row.base):
        event = record.event
        if event.reading.clock is ClockQuality.SYNCHRONISED:
            certain.append(event.seq)
        if record.body is not None and disclosed.shown(event, record.body)[1]:
            wanted.append(event.seq)
    if not wanted or newest is None:
        return None
    needed = max((seq for seq in certain if seq < wanted[0]), default=row.base)
    began = _anchor_before(connection, lineage, needed)
    first = began + 1
    content: list[bytes] = []
    received: dict[str, int] = {}
    for record in _records(connection, lineage, first, newest, received):
        absent = ""
        if record.body is None:
            absent = form.ERASED
        elif not disclosed.shown(record.event, record.body)[0]:
            absent = form.WITHHELD
        content.append(form.line_of(record, absent))
    stated = ChainOf(row.box, tuple(lineage), bytes(row.public_key), first, newest, file, received)
    return stated, b"".join(content), _anchors(connection, stated)


def _lineage(connection: Connection, row: Any) -> list[tuple[str, int]]:
    found = [(row.uuid, 0)]
    while row.parent:
        found.append((row.parent, row.base))
        row = lines.row_of(connection, row.parent)
    return found[::-1]


def _on(column: Any, seq: Any, lineage: Sequence[tuple[str, int]]) -> Any:
    """Return what holds for rows with ledger *column* and *seq* that lie on the line."""
    parts = []
    began = 0
    for name, until in lineage:
        own = and_(column == name, seq > began)
        parts.append(and_(own, seq <= until) if until else own)
        began = until
    return or_(*parts)


def _records(
    connection: Connection,
    lineage: Sequence[tuple[str, int]],
    first: int,
    last: int,
    received: dict[str, int] | None = None,
) -> Iterator[Record]:
    """Yield events *first* to *last* of a line; *received* takes what ChainOf says of boots."""
    event, body = tables.event, tables.body
    rows = connection.execute(
        select(event, body.c.salt, body.c.content)
        .outerjoin(body, and_(body.c.ledger == event.c.ledger, body.c.seq == event.c.seq))
        .where(_on(event.c.ledger, event.c.seq, lineage), event.c.seq.between(first, last))
        .order_by(event.c.seq)
    )
    for row in rows.mappings():
        if received is not None:
            since = row["received_at"] - row["mono"] // 1000
            received[row["boot"]] = min(since, received.get(row["boot"], since))
        salt, content = row["salt"], row["content"]
        yield Record(
            event_from_row(dict(row)),
            None if salt is None else bytes(salt),
            None if content is None else bytes(content),
        )


def _anchor_before(connection: Connection, lineage: Sequence[tuple[str, int]], seq: int) -> int:
    """Return the last anchored event before *seq* of a line, 0 without one."""
    anchor = tables.anchor
    found = connection.execute(
        select(func.max(anchor.c.seq)).where(
            _on(anchor.c.ledger, anchor.c.seq, lineage), anchor.c.seq < seq
        )
    ).scalar()
    return int(found or 0)


def _anchors(connection: Connection, stated: ChainOf) -> list[Anchor]:
    table = tables.anchor
    rows = connection.execute(
        select(table).where(
            _on(table.c.ledger, table.c.seq, stated.lineage),
            table.c.seq.between(stated.first - 1, stated.last),
        )
    )
    return [
        Anchor(row.ledger, row.seq, bytes(row.hash), row.at, bytes(row.signature)) for row in rows
    ]


def _stamps(connection: Connection, chains: Sequence[ChainOf]) -> dict[str, bytes]:
    """Return the time stamps that say something of *chains*, with what they cover."""
    found: dict[str, bytes] = {}
    for stamp in witness.stamps(connection):
        stated = read(stamp.statement)
        if any(
            one.owns(head.ledger, head.seq) and one.first - 1 <= head.seq <= one.last
            for one in chains
            for head in stated.heads
        ):
            found[f"stamps/{stamp.number}.txt"] = stamp.statement
            found[f"stamps/{stamp.number}.tsr"] = stamp.response
    return found


def _media_files(manifest: Manifest, media: MediaHolder) -> list[str]:
    names: list[str] = []
    for sha256, state in manifest.media.items():
        if state == form.HERE:
            with media.path(sha256).open("rb") as file:
                suffix = form.suffix_of(file.read(8))
            names.append(f"media/{sha256}.{suffix}")
    return names


def _stem(name: str) -> str:
    return name.removeprefix("media/").partition(".")[0]


def _all(
    manifest: Manifest,
    contents: dict[str, bytes],
    head: bytes,
    signature: bytes,
    media: MediaHolder,
) -> Iterator[tuple[str, bytes]]:
    """Yield every file, the page first, so that it is what people see first."""
    yield form.INDEX, contents[form.INDEX]
    yield form.NOTE, contents[form.NOTE]
    yield form.MANIFEST, head
    yield form.SIGNATURE, signature
    for name in manifest.files:
        if name.startswith("media/"):
            yield name, media.path(_stem(name)).read_bytes()
        elif name not in (form.INDEX, form.NOTE):
            yield name, contents[name]
