"""Scans that are made at the screen, with the door camera's picture of that moment.

Promises that one event id makes one scan, however often it is asked for, and that a scan which a
power cut interrupted is completed at the next start.
"""

from __future__ import annotations

import threading

from edge.events import ScanMade
from edge.ledger import Ledger
from edge.media import Draft, MediaStore
from edge.model import Way
from kiosk_ui.parts import Parts

# The others are the greeter's.
_MADE_HERE = (Way.MANUAL, Way.PIN, Way.CARD)
_END_OF_JPEG = b"\xff\xd9"
_one_at_a_time = threading.Lock()


def store(
    box: Parts, event_id: str, person_id: str, way: Way, entered_by: str = "", reason: str = ""
) -> bool:
    """Store that *person_id* is here now; tell whether there is a photo with it."""
    with _one_at_a_time:
        picture = box.runtime.picture()
        with box.ledger.store.read() as connection:
            known = connection.execute("SELECT 1 FROM event WHERE id = ?", (event_id,))
            if known.fetchone():
                return picture is not None
        now = box.ledger.clock.now()
        scan = ScanMade(
            person_id=person_id,
            at=now.at,
            way=way,
            photo="",
            entered_by=entered_by,
            reason=reason,
            boot=now.boot,
            mono=now.mono,
            clock=now.clock,
        )
        if picture is None:
            box.ledger.append(scan, event_id=event_id)
            return False
        draft = box.media.draft(scan, sha_field="photo", event_id=event_id)
        try:
            draft.write(picture)
        except OSError:
            draft.discard()
            raise
        draft.store(box.ledger)
        return True


def finish(media: MediaStore, ledger: Ledger) -> int:
    """Complete the scans that a crash interrupted; return how many.

    One whose photo did not reach the disk is stored without one.
    """
    finished = 0
    for draft in media.unfinished([ScanMade.kind]):
        body = draft.body
        if not isinstance(body, ScanMade) or body.way not in _MADE_HERE:
            continue
        if _whole(draft):
            draft.store(ledger)
        else:
            ledger.append(body, event_id=draft.id)
            draft.discard()
        finished += 1
    return finished


def _whole(draft: Draft) -> bool:
    """Tell whether the photo reached the disk to its end, under its draft's name or its own."""
    if draft.path.exists():
        return draft.path.read_bytes().endswith(_END_OF_JPEG)
    return draft.has_bytes()
