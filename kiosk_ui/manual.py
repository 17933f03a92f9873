"""Entry by hand (R9, decision 8): a scan by an instructor, with a photo taken by the box.

Promises that one form makes one entry for each person, however often it is sent.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from edge.model import Way
from kiosk_ui import presence
from kiosk_ui.parts import Parts

_ENTRIES = uuid.UUID("6c1f3f0a-6d0f-4c39-9a2f-2b7f0a54c3c7")


def new_form() -> str:
    """Return the id of a new form."""
    return uuid.uuid4().hex


def entry_id(form: str, person_id: str) -> str:
    """Return the id of the event by which *form* enters *person_id*: always the same one."""
    return uuid.uuid5(_ENTRIES, f"{form}/{person_id}").hex


def enter(box: Parts, form: str, people: Sequence[str], instructor_id: str, reason: str) -> bool:
    """Store an entry for each of *people*; tell whether there is a photo with each."""
    photographed = [
        presence.store(box, entry_id(form, person), person, Way.MANUAL, instructor_id, reason)
        for person in people
    ]
    return all(photographed)
