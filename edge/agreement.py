"""Consent given and taken back, and the deletion of templates that follows from it.

Promises that a withdrawal and the deletion it demands commit together, with a receipt of each.
Attendance stays: it is evidence, kept for its own term.
"""

from __future__ import annotations

from edge import consents
from edge.consent_events import ConsentWithdrawn
from edge.events import TemplateDeleted
from edge.ledger import Ledger, Writer


def withdraw(ledger: Ledger, person_id: str, way: str, witness: str = "") -> bool:
    """Take back the consent of *person_id* and delete their templates; False if none stands.

    ``way``: kiosk | staff. Afterwards ``erasure.empty_wal`` takes the sealed bytes from the disk.
    """
    with ledger.writing() as writer:
        found = consents.of_person(writer.connection, person_id)
        if found is None or found.withdrawn_at is not None:
            return False
        writer.append(ConsentWithdrawn(person_id, way, witness))
        if forget(writer, person_id):
            writer.append(TemplateDeleted(person_id, reason="withdrawn"))
    return True


def forget(writer: Writer, person_id: str) -> bool:
    """Delete the templates of *person_id* of every network; False when there were none."""
    writer.execute("PRAGMA secure_delete=ON")
    deleted = writer.execute("DELETE FROM template WHERE person_id = ?", (person_id,)).rowcount
    return deleted > 0


def forget_departed(ledger: Ledger) -> int:
    """Delete the templates of everybody whose class is complete; return how many people.

    A class is complete when the centre takes it off the roster. A roster without any trainee
    deletes nothing: a mistake there must not cost a school its enrolment.
    """
    gone = (
        "SELECT DISTINCT person_id FROM template WHERE EXISTS (SELECT 1 FROM trainee) "
        "AND person_id NOT IN (SELECT person_id FROM trainee) "
        "AND person_id NOT IN (SELECT id FROM instructor) ORDER BY person_id"
    )
    with ledger.store.read() as connection:  # most looks find nothing and need no write lock
        if connection.execute(gone).fetchone() is None:
            return 0
    with ledger.writing() as writer:
        people = [row["person_id"] for row in writer.execute(gone).fetchall()]
        for person_id in people:
            forget(writer, person_id)
            writer.append(TemplateDeleted(person_id, reason="completed"))
    return len(people)
