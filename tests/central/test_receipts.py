"""Receipts: what the centre vouches for, and what it must not."""

from __future__ import annotations

import hashlib

import pytest

from edge.events import ServiceStarted
from edge.model import DAY, MINUTE, ClockQuality
from edge.signing import signed
from sync import wire
from sync.central import receipts, tables
from sync.messages import Ask, Chunk, MediaAck, Message, Offer, Receipt
from tests.central.centres import Centre
from tests.chains import Chain

BOX = "room-203"
FILE = b"a picture"
SHA256 = hashlib.sha256(FILE).hexdigest()


@pytest.fixture
def chain(centre: Centre) -> Chain:
    """A box whose first event and one file are at the centre."""
    made = Chain()
    centre.know(made)
    centre.learn(made)
    centre.hear(BOX, made.batch(), Chunk(SHA256, len(FILE), 0, FILE))
    return made


def ask(centre: Centre, chain: Chain, *media: str) -> list[Message]:
    """Return what the centre answers."""
    return centre.hear(chain.box, Ask("q.1", chain.uuid, media))


def receipt_of(answers: list[Message]) -> Receipt:
    """Return the receipt among *answers*."""
    (found,) = [one for one in answers if isinstance(one, Receipt)]
    return found


def backup(centre: Centre, ago: int = 0) -> None:
    """Note a backup that was begun *ago* microseconds ago."""
    now = centre.clock.now().at
    with centre.store.writing() as connection:
        receipts.note(connection, now - ago, "the safe in the cellar", now)


def test_nothing_is_safe_before_a_backup(centre: Centre, chain: Chain) -> None:
    """What was merely committed may still be lost with the machine."""
    receipt = receipt_of(ask(centre, chain, SHA256))
    assert (receipt.seq, receipt.media) == (0, ())


def test_a_noted_backup_makes_safe_what_arrived_before_it(centre: Centre, chain: Chain) -> None:
    """Events and files up to its beginning, and none behind it; the signature is the centre's."""
    centre.clock.advance(10 * MINUTE)
    backup(centre, ago=MINUTE)
    centre.learn(chain, ServiceStarted("link", "1"))
    receipt = receipt_of(ask(centre, chain, SHA256))
    assert (receipt.seq, receipt.hash) == (1, chain.records[0].event.hash)
    assert (receipt.media, receipt.basis, receipt.answer) == ((SHA256,), "backup", "q.1")
    assert signed(centre.signer.public_key, wire.signed_part(receipt), receipt.signature)


def test_what_arrived_behind_the_beginning_of_a_backup_is_not_safe(
    centre: Centre, chain: Chain
) -> None:
    """A backup holds what was there when it was begun, not when it was noted."""
    backup(centre, ago=1)
    assert receipt_of(ask(centre, chain, SHA256)).seq == 0


def test_age_makes_safe_without_a_backup(centre: Centre, chain: Chain) -> None:
    """After the days that the centre has set, and only by a clock that somebody vouches for."""
    centre.clock.advance(60 * DAY - 1)
    assert receipt_of(ask(centre, chain, SHA256)).media == ()
    centre.clock.advance(1)
    receipt = receipt_of(ask(centre, chain, SHA256))
    assert (receipt.seq, receipt.media, receipt.basis) == (1, (SHA256,), "age")
    centre.clock.quality = ClockQuality.UNSYNCHRONISED
    assert receipt_of(ask(centre, chain, SHA256)).seq == 0


def test_a_file_that_is_gone_is_not_safe_and_is_asked_for(centre: Centre, chain: Chain) -> None:
    """Whatever a backup holds: the box hears that it is not here, and offers it again."""
    centre.clock.advance(MINUTE)
    backup(centre)
    centre.media.path(SHA256).unlink()
    other = "0" * 64
    answers = ask(centre, chain, SHA256, other)
    assert receipt_of(answers).media == ()
    told = [one for one in answers if isinstance(one, MediaAck)]
    assert sorted(told, key=lambda one: one.sha256) == [MediaAck(other, 0), MediaAck(SHA256, 0)]


def test_a_file_that_came_again_is_as_new_as_its_return(centre: Centre, chain: Chain) -> None:
    """A backup made while it was lost does not hold it."""
    centre.media.path(SHA256).unlink()
    centre.clock.advance(MINUTE)
    backup(centre)
    centre.clock.advance(MINUTE)
    centre.hear(BOX, Chunk(SHA256, len(FILE), 0, FILE))
    assert receipt_of(ask(centre, chain, SHA256)).media == ()
    centre.clock.advance(MINUTE)
    backup(centre)
    assert receipt_of(ask(centre, chain, SHA256)).media == (SHA256,)


def test_a_file_whose_row_was_lost_costs_one_offer(centre: Centre, chain: Chain) -> None:
    """An older database beside a newer folder: the file is there, and only its row is written."""
    with centre.store.writing() as connection:
        connection.execute(tables.media.delete())
    offer = Offer(SHA256, len(FILE), "photo")
    assert centre.hear(BOX, offer) == [MediaAck(SHA256, len(FILE), stored=True)]
    assert [row.sha256 for row in centre.rows(tables.media)] == [SHA256]


def test_another_box_gets_no_receipt(centre: Centre, chain: Chain) -> None:
    """Nobody is told about a ledger that is not its own."""
    centre.know(Chain(box="room-204", name="ledger-2"))
    assert centre.hear("room-204", Ask("q.1", chain.uuid)) == []
    assert centre.hear(BOX, Ask("q.1", "unheard of")) == []


def test_a_branch_is_safe_as_far_as_what_it_branched_off_from(centre: Centre, chain: Chain) -> None:
    """Up to its base a branch's events are the parent's, and as safe as they are."""
    centre.clock.advance(MINUTE)
    backup(centre)
    centre.clock.advance(MINUTE)
    centre.learn(chain, ServiceStarted("link", "1"))
    with centre.store.writing() as connection:
        parent = connection.execute(tables.ledger.select()).one()
        branch = {**parent._asdict(), "uuid": "branch", "parent": chain.uuid, "base": 2}
        connection.execute(tables.ledger.insert().values(**branch))
    assert receipt_of(centre.hear(BOX, Ask("q.2", "branch"))).seq == 1
    centre.clock.advance(MINUTE)
    backup(centre)
    receipt = receipt_of(centre.hear(BOX, Ask("q.2", "branch")))
    assert (receipt.seq, receipt.hash) == (2, chain.records[1].event.hash)


def test_a_backup_of_the_future_is_not_noted(centre: Centre) -> None:
    """A wrong time would make safe what nobody holds; a backup that nobody finds is none."""
    with centre.store.writing() as connection:
        for until, place in ((2_000_000, "somewhere"), (1, " ")):
            with pytest.raises(receipts.BadNote):
                receipts.note(connection, until, place, 1_000_000)
        assert receipts.noted(connection) == []
