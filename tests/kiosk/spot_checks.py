"""A spot check's other parties: the authority, the recorder, and the darkroom."""

from __future__ import annotations

import json
from dataclasses import asdict

from edge import requests
from edge.directions import Draw, Verdict, draws_to_json
from edge.documents import DRAWS
from edge.events import RequestAnswered, SnapshotTaken
from edge.inbox import apply_document
from edge.model import Instant
from edge.picture_events import PictureProcessed
from kiosk_ui.spot_checks import Item
from tests.boxes import LESSON_ID, at
from tests.kiosk.stage import Stage
from tests.screens import pictures


def draw(stage: Stage, verdict: Verdict | None = None, version: int = 1) -> None:
    """Let the authority draw the lesson."""
    drawn = (Draw(LESSON_ID, "县人社局", at("07:00"), verdict),)
    apply_document(stage.ledger, DRAWS, "epoch-1", version, draws_to_json(drawn))


def asked(stage: Stage) -> str | None:
    """Return the id of the request that waits for the recorder."""
    with stage.ledger.store.read() as connection:
        waiting = requests.unanswered(connection, [requests.SPOT_CHECK])
    return waiting[0][0].id if waiting else None


def recorder_answers(stage: Stage, source: str = "classroom", heads: int = 3) -> None:
    """Do what the recorder does: two photos and nothing else, in the runtime folder."""
    check = asked(stage)
    assert check is not None
    items = []
    for number in (1, 2):
        name = f"spot-check-{check}-{number}.jpg"
        (stage.config.runtime_dir / name).write_bytes(pictures.jpeg(pictures.classroom(number)))
        items.append(asdict(Item(name, "photo", source, "front", stage.clock.at, heads)))
    with stage.ledger.writing() as writer:
        done = RequestAnswered(check, requests.SPOT_CHECK, {"items": items})
        requests.answer(writer, check, done)


def store_counted(stage: Stage, taken_at: Instant, heads: int) -> str:
    """Store a snapshot with its marked copy; return the snapshot's name."""
    draft = stage.media.draft(SnapshotTaken(LESSON_ID, 0, 1, "front", taken_at, "key_frame", "", 0))
    draft.write(pictures.jpeg(pictures.classroom(1)))
    original = json.loads(_body(stage, draft.store(stage.ledger).seq))["sha256"]
    copy = stage.media.draft(
        PictureProcessed(original, LESSON_ID, "", 0, heads, "fr_detect", "test")
    )
    copy.write(pictures.jpeg(pictures.classroom(2)))
    copy.store(stage.ledger)
    return str(original)


def _body(stage: Stage, seq: int) -> bytes:
    (record,) = stage.ledger.events(seq - 1, 1)
    return record.body or b"{}"
