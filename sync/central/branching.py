"""What a person must know when a ledger branches: what is kept, and what nobody holds any more.

Owns the words of these incidents. Promises that every range of events which cannot be brought
back is named.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection

from edge import events
from edge.events import BadBody, LedgerBranched
from sync.central import lines
from sync.central.ingest_core import Store


def troubles(connection: Connection, ledger: str, verdict: Store) -> list[tuple[str, str]]:
    """Return cause and text of each incident that storing these records of *ledger* shows."""
    found: list[tuple[str, str]] = []
    for record in verdict.records:
        if record.event.kind == LedgerBranched.kind and record.body is not None:
            found += _branched(connection, ledger, record.body)
    others = lines.branches_of(connection, ledger, verdict.last)
    if others:
        found.append(
            (
                "cloned",
                f"two machines write under one name: ledger {ledger} goes on though "
                f"{', '.join(others)} branched off from it. Both are kept apart and complete. "
                "Find the copied disk, take one of the two out of service, and enrol it anew.",
            )
        )
    return found


def _branched(connection: Connection, ledger: str, content: bytes) -> list[tuple[str, str]]:
    try:
        body = events.decode(LedgerBranched.kind, content)
    except BadBody:
        return []  # reported with the other bodies that make no sense
    parent: Any = lines.row_of(connection, str(getattr(body, "parent", "")))
    row = lines.row_of(connection, ledger)
    if not isinstance(body, LedgerBranched) or parent is None or body.ledger_uuid != ledger:
        return []  # an older branch of this line, reported when it came
    why = (
        "its disk was restored from an older copy"
        if body.cause == "restored"
        else "another copy of its disk, older or newer, has written events of its own"
    )
    found = [
        (
            str(body.cause),
            f"{why}. From event {row.base + 1} on its facts stand in ledger {ledger}; events "
            f"{row.base + 1} to {parent.last} of ledger {parent.uuid} are kept beside them."
            if parent.last > row.base
            else f"{why}. From event {row.base + 1} on its facts stand in ledger {ledger}.",
        )
    ]
    if parent.said > max(parent.last, row.base):
        first = max(parent.last, row.base) + 1
        found.append(
            (
                "lost",
                f"events {first} to {parent.said} of ledger {parent.uuid} were on the box and have "
                "not arrived. Unless the disk that held them comes back they are lost: ask the "
                "school for its own evidence of that time.",
            )
        )
    return found
