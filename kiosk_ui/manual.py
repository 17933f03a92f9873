"""Entry by hand (R9, decision 8): a scan by an instructor, with a photo taken by the box.

Promises that one form makes one entry for each person, however often it is sent, and that an
entry which a power cut interrupted is completed at the next start.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Sequence

from edge.events import ScanMade
from edge.ledger import Ledger
from edge.media import Draft, MediaStore
from edge.model import Way
from kiosk_ui.parts import Parts

_ENTRIES = uuid.UUID("6c1f3f0a-6d0f-4c39-9a2f-2b7f0a54c3c7")
_END_OF_JPEG = b"\xff\xd9"
_one_at_a_time = threading.Lock()


def new_form() -> str:
    """Return the id of a new form."""
    return uuid.uuid4().hex


def entry_id(form: str, person_id: str) -> str:
    """Return the id of the event by which *form* enters *person_id*: always the same one."""
    return uuid.uuid5(_ENTRIES, f"{form}/{person_id}").hex


def enter(box: Parts, form: str, people: Sequence[str], instructor_id: str, reason: str) -> bool:
    """Store an entry for each of *people*; tell whether there is a photo with it."""
    with _one_at_a_time:
        picture = box.runtime.picture()
        for person in people:
            now = box.ledger.clock.now()
            scan = ScanMade(
                person_id=person,
                at=now.at,
                way=Way.MANUAL,
                photo="",
                entered_by=instructor_id,
                reason=reason,
                boot=now.boot,
                mono=now.mono,
                clock=now.clock,
            )
            event_id = entry_id(form, person)
            with box.ledger.store.read() as connection:
                known = connection.execute("SELECT 1 FROM event WHERE id = ?", (event_id,))
                if known.fetchone():
                    continue
            if picture is None:
                box.ledger.append(scan, event_id=event_id)
            else:
                draft = box.media.draft(scan, sha_field="photo", event_id=event_id)
                try:
                    draft.write(picture)
                except OSError:
                    draft.discard()
                    raise
                draft.store(box.ledger)
    return picture is not None


def finish(media: MediaStore, ledger: Ledger) -> int:
    """Complete the entries that a crash interrupted; return how many.

    An entry whose photo did not reach the disk is stored without one.
    """
    finished = 0
    for draft in media.unfinished([ScanMade.kind]):
        body = draft.body
        if not isinstance(body, ScanMade) or body.way != Way.MANUAL:
            continue  # the greeter's
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
