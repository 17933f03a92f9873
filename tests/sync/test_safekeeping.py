"""The box believes a receipt only when it is signed, its own, and about this very chain."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from edge.clock import SimulatedClock
from edge.events import RecordingStored, ServiceStarted
from edge.keys import Signer
from edge.ledger import Ledger
from sync import wire
from sync.cursor import Cursor
from sync.messages import BadMessage, Receipt
from sync.safekeeping import Safekeeping
from tests.boxes import at, open_ledger

FILES = tuple(f"{number:064x}" for number in range(3))


@dataclass
class Box:
    """A box whose files are delivered, with the key of its centre."""

    ledger: Ledger
    cursor: Cursor
    centre: Signer
    safe: Safekeeping

    def asked(self, now: float = 0.0) -> Receipt:
        """Let the box ask; return the true receipt for everything."""
        question = self.safe.question(now, self.ledger.uuid)
        assert question is not None
        self.safe.asked(question, now)
        seq, digest = self.ledger.head()
        return self.signed(
            Receipt(question.ledger, seq, digest, question.media, "backup", 5, question.id)
        )

    def signed(self, receipt: Receipt, by: Signer | None = None) -> Receipt:
        """Return *receipt* with a signature, the centre's unless said otherwise."""
        signature = (by or self.centre).sign(wire.signed_part(receipt))
        return replace(receipt, signature=signature)


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Box]:
    """A box with three delivered parts of a recording."""
    centre = Signer(tmp_path / "centre.key")
    with open_ledger(tmp_path, SimulatedClock(at("09:00"))) as ledger:
        cursor = Cursor(tmp_path / "link.db")
        for number, sha256 in enumerate(FILES):
            body = RecordingStored("lesson-1", "front", number, number + 1, sha256, 5, False)
            ledger.append(body)
        cursor.find_media(ledger)
        for sha256 in FILES:
            cursor.note_media(sha256, "stored")
        yield Box(ledger, cursor, centre, Safekeeping(ledger, cursor, lambda: centre.public_key))
        cursor.close()


def test_a_true_receipt_is_kept_whole(box: Box) -> None:
    """Ledger and files are safe, and the message can be shown and checked again later."""
    receipt = box.asked()
    box.safe.take(receipt, 1.0)
    assert box.cursor.safe(box.ledger.uuid) == box.ledger.head()[0]
    assert box.cursor.not_safe(0, 10) == []
    kept = box.cursor.last_receipt()
    assert kept is not None
    assert wire.decode(kept["whole"]) == receipt


def test_what_is_wrong_with_a_receipt_makes_nothing_safe(box: Box, tmp_path: Path) -> None:
    """Forged, for another ledger, event, question or file: refused, and asked about again."""
    right, (seq, _) = box.asked(), box.ledger.head()
    stranger = Signer(tmp_path / "stranger.key")
    wrong = [
        box.signed(right, by=stranger),
        replace(right, seq=seq - 1),
        box.signed(replace(right, ledger="another")),
        box.signed(replace(right, hash=bytes(32))),
        box.signed(replace(right, seq=seq + 1)),
        box.signed(replace(right, answer="another.1")),
        box.signed(replace(right, media=("f" * 64,))),
    ]
    for receipt in wrong:
        with pytest.raises(BadMessage):
            box.safe.take(receipt, 1.0)
    assert box.cursor.safe(box.ledger.uuid) == 0
    assert len(box.cursor.not_safe(0, 10)) == len(FILES)
    assert box.safe.question(61.0, box.ledger.uuid) is not None


def test_a_box_that_knows_no_centre_believes_nobody(box: Box) -> None:
    """Before an enrolment there is no key that could have signed."""
    box.safe = Safekeeping(box.ledger, box.cursor, lambda: b"")
    with pytest.raises(BadMessage):
        box.safe.take(box.asked(), 1.0)


def test_a_receipt_is_believed_once(box: Box) -> None:
    """The same again answers no open question."""
    receipt = box.asked()
    box.safe.take(receipt, 1.0)
    with pytest.raises(BadMessage):
        box.safe.take(receipt, 2.0)


def test_questions_come_hourly_and_on_demand(box: Box) -> None:
    """Unanswered it asks again after a minute, answered after an hour, or when it is needed."""
    receipt = box.asked(0.0)
    assert box.safe.question(59.0, box.ledger.uuid) is None
    assert box.safe.question(60.0, box.ledger.uuid) is not None
    box.safe.take(receipt, 60.0)
    assert box.safe.question(3659.0, box.ledger.uuid) is None
    box.asked(3660.0)
    box.safe.ask_soon()
    assert box.safe.question(3661.0, box.ledger.uuid) is not None


def test_a_file_that_the_centre_lost_is_no_longer_safe(box: Box) -> None:
    """What was lost in spite of a receipt waits again, and needs a new one."""
    box.safe.take(box.asked(), 1.0)
    assert box.cursor.note_lost(FILES[0])
    assert box.cursor.media_waiting() == 1
    box.cursor.note_media(FILES[0], "stored")
    assert [sha256 for sha256, _ in box.cursor.not_safe(0, 10)] == [FILES[0]]
    box.cursor.offer_again()
    assert box.cursor.media_waiting() == len(FILES)


def test_a_receipt_that_says_nothing_new_is_not_kept(box: Box) -> None:
    """An answer every hour for years does not fill the disk."""
    box.safe.take(box.asked(), 1.0)
    box.safe.ask_soon()
    box.safe.take(box.asked(10.0), 11.0)
    with box.cursor.store.read() as connection:
        (count,) = connection.execute("SELECT count(*) FROM receipt").fetchone()
    assert count == 1


def test_many_files_are_asked_about_in_pages(box: Box) -> None:
    """A thousand at a time, without a pause, from the oldest; then the hour begins."""
    with box.ledger.writing() as writer:
        for number in range(1000):
            writer.append(
                RecordingStored("lesson-2", "front", 1, 2, f"{number + 100:064x}", 5, False)
            )
        writer.append(ServiceStarted("link", "1"))
    box.cursor.find_media(box.ledger)
    with box.cursor.store.write() as connection:
        connection.execute("UPDATE media SET state = 'stored'")
    first = box.asked(0.0)
    assert len(first.media) == 1000
    box.safe.take(box.signed(replace(first, media=())), 0.0)
    second = box.asked(0.0)
    assert len(second.media) == 3
    assert not set(first.media) & set(second.media)
    box.safe.take(second, 0.0)
    assert box.safe.question(1.0, box.ledger.uuid) is None
