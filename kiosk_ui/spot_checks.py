"""Spot checks (R6): what is proposed, and how it becomes a fact once the instructor confirmed it.

Owns the step from the runtime folder into the ledger. Promises that one spot check is stored once
however often its form is sent, and that nothing counts as confirmed before all its pictures are
stored.
"""

from __future__ import annotations

import hashlib
import json
import re
import sqlite3
import threading
import uuid
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from edge import requests
from edge.events import RequestAnswered, RequestRefused
from edge.files import replace_file
from edge.ledger import Ledger
from edge.media import MediaStore
from edge.model import MINUTE, Instant
from edge.picture_events import SpotCheckConfirmed, SpotCheckTaken
from edge.rules.heads import present_at
from kiosk_ui.parts import Parts
from kiosk_ui.screen import Sheet

TTL = MINUTE
_IDS = uuid.UUID("2f0c7c43-3d9f-5b5e-a0a5-6f1f7cf9a1b8")
_ID = re.compile(r"[0-9a-f]{32}")
_FILE = re.compile(r"spot-check-[0-9a-f]{32}(-phone)?(-\d+)?\.(jpg|mp4)")
_END_OF_JPEG = b"\xff\xd9"
_one_at_a_time = threading.Lock()


@dataclass(frozen=True, slots=True)
class Item:
    """One proposed picture or clip. ``file`` lies in the runtime folder; ``heads`` -1: not counted.

    ``sort``: photo | clip. ``source``: classroom | spare | phone.
    """

    file: str
    sort: str
    source: str
    camera: str
    at: Instant
    heads: int = -1


@dataclass(frozen=True, slots=True)
class Proposal:
    """A spot check that nobody confirmed yet. ``refused``: why the cameras gave nothing."""

    id: str
    items: tuple[Item, ...] = ()
    refused: str = ""

    @property
    def waiting(self) -> bool:
        """Whether the recorder is still taking the pictures."""
        return not self.items and not self.refused

    @property
    def heads(self) -> int:
        """The most heads that one of the photos shows, -1 when none was counted."""
        return max((one.heads for one in self.items), default=-1)


def propose(ledger: Ledger, lesson_id: str) -> str:
    """Ask the recorder for pictures; return the id of the spot check."""
    return requests.ask(ledger, requests.SPOT_CHECK, {"lesson_id": lesson_id}, TTL)


def proposal(box: Parts, check: str) -> Proposal | None:
    """Return what is proposed under that id; None when nothing was asked or it is gone."""
    if not _ID.fullmatch(check):
        return None
    with box.ledger.store.read() as connection:
        asked = connection.execute("SELECT expires FROM request WHERE id = ?", (check,)).fetchone()
        answer = requests.answer_of(connection, check)
    if isinstance(answer, RequestRefused):
        return Proposal(check, refused=answer.reason)
    phone = _from_phone(box, check)
    if isinstance(answer, RequestAnswered):
        items = tuple(Item(**one) for one in answer.result["items"])
        return Proposal(check, tuple(one for one in items if _path(box, one.file).is_file()))
    if phone:
        return Proposal(check, phone)
    if asked is None:
        return None
    late = box.ledger.clock.now().at > asked["expires"]
    return Proposal(check, refused="The recorder does not answer." if late else "")


def file_of(box: Parts, name: str) -> Path | None:
    """Return a proposed picture or clip, None when there is none of that name."""
    path = _path(box, name)
    return path if _FILE.fullmatch(name) and path.is_file() else None


def add_from_phone(box: Parts, check: str, content: bytes, at: Instant) -> None:
    """Put a photo that a phone sent among what is proposed."""
    with _one_at_a_time:
        known = _from_phone(box, check)
        name = f"spot-check-{check}-phone-{len(known) + 1}.jpg"
        replace_file(_path(box, name), content, durable=False)
        items = [*known, Item(name, "photo", "phone", "", at)]
        listed = json.dumps([asdict(one) for one in items]).encode("utf-8")
        replace_file(_path(box, f"spot-check-{check}-phone.json"), listed, durable=False)


def confirm(
    box: Parts, lesson_id: str, proposed: Proposal, chosen: Sequence[str], by: str, present: int
) -> int:
    """Store the *chosen* files and the instructor's word; return how many there are.

    A form that comes twice changes nothing.
    """
    with _one_at_a_time:
        kept: list[str] = []
        for number, item in enumerate(proposed.items, start=1):
            if item.file not in chosen:
                continue
            content = _path(box, item.file).read_bytes()
            body = SpotCheckTaken(
                lesson_id=lesson_id,
                check=proposed.id,
                number=number,
                sort=item.sort,
                source=item.source,
                camera=item.camera,
                at=item.at,
                sha256="",
                bytes=0,
            )
            event_id = uuid.uuid5(_IDS, f"{proposed.id}/{number}").hex
            if not _known(box.ledger, event_id):
                draft = box.media.draft(body, event_id=event_id)
                try:
                    draft.write(content)
                except OSError:
                    draft.discard()
                    raise
                draft.store(box.ledger)
            kept.append(hashlib.sha256(content).hexdigest())
        confirmed = SpotCheckConfirmed(lesson_id, proposed.id, by, kept, present)
        event_id = uuid.uuid5(_IDS, f"{proposed.id}/confirmed").hex
        box.ledger.append(confirmed, event_id=event_id)
    return len(kept)


def finish(media: MediaStore, ledger: Ledger) -> None:
    """Store the pictures that a crash interrupted; one that is torn was never confirmed."""
    for draft in media.unfinished([SpotCheckTaken.kind]):
        body = draft.body
        assert isinstance(body, SpotCheckTaken)
        torn = draft.path.exists() and not (
            body.sort == "clip" or draft.path.read_bytes().endswith(_END_OF_JPEG)
        )
        if draft.has_bytes() and not torn:
            draft.store(ledger)
        else:
            draft.discard()


def present_now(sheet: Sheet, now: Instant) -> int:
    """Return how many of the class are checked in."""
    return present_at((sheet.of(one.id) for one in sheet.trainees), now)


def _known(ledger: Ledger, event_id: str) -> bool:
    with ledger.store.read() as connection:
        found: sqlite3.Row | None = connection.execute(
            "SELECT 1 FROM event WHERE id = ?", (event_id,)
        ).fetchone()
    return found is not None


def _from_phone(box: Parts, check: str) -> tuple[Item, ...]:
    try:
        listed: list[dict[str, Any]] = json.loads(
            _path(box, f"spot-check-{check}-phone.json").read_bytes()
        )
    except FileNotFoundError:
        return ()
    return tuple(Item(**one) for one in listed)


def _path(box: Parts, name: str) -> Path:
    return box.config.runtime_dir / name
