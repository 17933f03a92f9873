"""Pictures after they were taken: a copy with a visible watermark, and a head count (R5, R28).

Owns ``picture.processed``. Promises one such event for each picture however often a process dies
(its id follows from the picture's hash), and that the original stays as the camera gave it. The
work is done by a process of its own (``camera.processing``); nothing here waits for it.
"""

from __future__ import annotations

import logging
import sqlite3
import uuid
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

from camera import photo
from camera.failures import StreamFailed
from camera.processing import process
from camera.task import Task
from edge import pictures
from edge.clock import local, monotonic
from edge.ledger import Ledger
from edge.media import MediaStore
from edge.model import ClockQuality, Instant
from edge.picture_events import PictureProcessed

log = logging.getLogger("classbox")

RETRY_S = 60.0
TRIES = 3
_IDS = uuid.UUID("9d0c6b0e-5a35-5a0b-8f0e-0a8f4c1d7a52")
_SOURCES = {"phone": "手机拍摄", "spare": "备用摄像头", "from_recording": "录像截取"}


@dataclass(frozen=True, slots=True)
class Developed:
    """What came of one picture."""

    content: bytes
    heads: int
    model: str
    model_version: str


class Darkroom:
    """Processes the pictures of this box, one at a time, the oldest first."""

    def __init__(self, ledger: Ledger, media: MediaStore, folder: Path, zone: str) -> None:
        """*folder*: where copies pass through; in tmpfs. *zone*: the box's time zone."""
        self._ledger = ledger
        self._media = media
        self._folder = folder
        self._zone = ZoneInfo(zone)
        self._at_work: tuple[sqlite3.Row, Task[Developed]] | None = None
        self._tries: dict[str, int] = {}
        self._look = True
        self._retry_at = 0.0

    def adopt(self) -> None:
        """Finish what an earlier run began; what was torn is made again."""
        for draft in self._media.unfinished([PictureProcessed.kind]):
            body = draft.body
            assert isinstance(body, PictureProcessed)
            whole = draft.path.exists() and photo.is_whole_jpeg(draft.path.read_bytes())
            if whole or body.sha256:
                draft.store(self._ledger)
            else:
                draft.discard()

    def tend(self, changed: bool) -> None:
        """Take one step. *changed*: there may be new pictures in the ledger."""
        self._look |= changed
        if self._at_work is not None:
            if self._at_work[1].done:
                self._finish()
        elif self._look and monotonic() >= self._retry_at:
            with self._ledger.store.read() as connection:
                waiting = pictures.unprocessed(connection)
            ready = [row for row in waiting if self._tries.get(row["sha256"], 0) < TRIES]
            self._look = bool(ready)
            if ready:
                row, lines = ready[0], watermark_of(ready[0], self._zone)
                self._at_work = (row, Task(lambda: self._develop(row["sha256"], lines)))

    def _develop(self, sha256: str, lines: list[str]) -> Developed:
        copy = self._folder / f"copy-{uuid.uuid4().hex}.jpg"
        try:
            said = process(self._media.path(sha256), copy, lines)
            return Developed(copy.read_bytes(), **said)
        finally:
            copy.unlink(missing_ok=True)

    def _finish(self) -> None:
        assert self._at_work is not None
        row, task = self._at_work
        try:
            done = task.result()
        except (StreamFailed, OSError) as error:
            self._at_work = None
            self._retry_at = monotonic() + RETRY_S
            self._tries[row["sha256"]] = self._tries.get(row["sha256"], 0) + 1
            log.warning(
                "picture %s: %s. It is kept as it was taken, without watermark and head count.",
                row["sha256"][:12],
                error,
            )
            return
        body = PictureProcessed(
            original=row["sha256"],
            lesson_id=row["lesson_id"],
            sha256="",
            bytes=0,
            heads=done.heads,
            model=done.model,
            model_version=done.model_version,
        )
        # As of a snapshot, what is at work is forgotten only once it is stored.
        event_id = uuid.uuid5(_IDS, f"{self._ledger.uuid}/{row['sha256']}").hex
        draft = self._media.draft(body, event_id=event_id)
        draft.write(done.content)
        draft.store(self._ledger)
        self._at_work = None


def watermark_of(row: sqlite3.Row, zone: ZoneInfo) -> list[str]:
    """Return the lines that a picture is marked with: where, of what, when, and which entry.

    *row*: one of ``pictures.unprocessed``. The words are Chinese whatever the screen
    speaks: they are for the authority.
    """
    room = str(row["room"])
    where = f"{room} 教室" if room.isdecimal() else room
    what = (
        f"第 {row['hour'] + 1} 课时 抓拍 {row['number']}" if row["hour"] is not None else "现场督查"
    )
    source = _SOURCES.get(row["source"], "")
    first = " · ".join(part for part in (where, row["class_name"], what, source) if part)
    doubtful = row["clock"] != ClockQuality.SYNCHRONISED
    when = _when(row["at"], zone) + ("（时间待核：终端时钟未校准）" if doubtful else "")
    return [first, f"{when} · 存证 {row['sha256'][:16]}"]


def _when(at: Instant, zone: ZoneInfo) -> str:
    moment = local(at, zone)
    offset = moment.strftime("%z")
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC{offset[:3]}:{offset[3:]}"
