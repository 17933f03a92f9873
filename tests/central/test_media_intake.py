"""Media at the centre: chunks, durable offsets, whole files, wrong hashes."""

from __future__ import annotations

import hashlib
import random

import pytest

from sync import uploads
from sync.central import tables
from sync.messages import Chunk, MediaAck, Message, Offer
from sync.uploads import Ask, File, Pick, Send, Upload
from tests.central.centres import Centre
from tests.chains import Chain

BYTES = bytes(range(256)) * 1000
SHA256 = hashlib.sha256(BYTES).hexdigest()
SIZE = len(BYTES)
BOX = "room-203"


def chunk(offset: int, length: int, content: bytes = BYTES, sha256: str = SHA256) -> Chunk:
    """Return a chunk of *content*."""
    return Chunk(sha256, len(content), offset, content[offset : offset + length])


@pytest.fixture(autouse=True)
def known(centre: Centre) -> None:
    """The box has said hello."""
    centre.know(Chain())


def test_a_file_arrives_in_chunks_and_is_named_by_its_hash(centre: Centre) -> None:
    """Each call acknowledges what is durable; the last says stored, and the file is there."""
    offer = Offer(SHA256, SIZE, "snapshot")
    assert centre.hear(BOX, offer) == [MediaAck(SHA256, 0)]
    assert centre.hear(BOX, chunk(0, 100_000)) == [MediaAck(SHA256, 100_000)]
    said = centre.hear(BOX, chunk(100_000, 100_000), chunk(200_000, 100_000))
    assert said == [MediaAck(SHA256, SIZE, stored=True)]
    assert centre.media.path(SHA256).read_bytes() == BYTES
    assert [row.sha256 for row in centre.rows(tables.media)] == [SHA256]
    assert centre.rows(tables.upload) == []
    assert list((centre.folder / "media" / "incoming").iterdir()) == []


def test_a_missing_chunk_is_asked_for_by_repeating_the_offset(centre: Centre) -> None:
    """A chunk beyond what is held is not written; the box hears where to go on."""
    centre.hear(BOX, chunk(0, 1000))
    assert centre.hear(BOX, chunk(2000, 1000)) == [MediaAck(SHA256, 1000)]
    assert centre.hear(BOX, chunk(1000, 1000)) == [MediaAck(SHA256, 2000)]


def test_after_a_restart_the_box_hears_the_durable_offset(centre: Centre) -> None:
    """What counts is what the database says was synced, not how long the file happens to be."""
    centre.hear(BOX, chunk(0, 5000))
    centre.media.write(BOX, SHA256, 5000, b"written, but a crash came before the sync")
    assert centre.hear(BOX, Offer(SHA256, SIZE, "snapshot")) == [MediaAck(SHA256, 5000)]
    assert centre.hear(BOX, chunk(5000, SIZE))[-1] == MediaAck(SHA256, SIZE, stored=True)
    assert centre.media.path(SHA256).read_bytes() == BYTES


def test_a_lost_folder_is_filled_again(centre: Centre) -> None:
    """When the folder holds less than the database believes, the folder is right."""
    centre.hear(BOX, chunk(0, 5000))
    (centre.folder / "media" / "incoming" / f"{BOX}.{SHA256}").unlink()
    assert centre.hear(BOX, Offer(SHA256, SIZE, "snapshot")) == [MediaAck(SHA256, 0)]
    centre.hear(BOX, chunk(0, SIZE))
    centre.media.path(SHA256).unlink()
    assert centre.hear(BOX, Offer(SHA256, SIZE, "snapshot")) == [MediaAck(SHA256, 0)]
    assert centre.hear(BOX, chunk(0, SIZE)) == [MediaAck(SHA256, SIZE, stored=True)]


def test_a_file_that_is_held_is_not_sent_again(centre: Centre) -> None:
    """An offer of a stored file is answered with stored, from whichever box it comes."""
    centre.know(Chain(box="room-204", name="ledger-2"))
    centre.hear(BOX, chunk(0, SIZE))
    offer = Offer(SHA256, SIZE, "snapshot")
    for box in (BOX, "room-204"):
        assert centre.hear(box, offer) == [MediaAck(SHA256, SIZE, stored=True)]


def test_a_crash_between_the_name_and_the_row_is_carried_on(centre: Centre) -> None:
    """The file has its name but no row: the next offer writes the row and says stored."""
    centre.hear(BOX, chunk(0, SIZE - 1))
    centre.media.write(BOX, SHA256, SIZE - 1, BYTES[-1:])
    with centre.store.writing() as connection:
        connection.execute(tables.upload.update().values(held=SIZE))
    assert centre.media.commit(BOX, SHA256)
    assert centre.hear(BOX, Offer(SHA256, SIZE, "snapshot")) == [
        MediaAck(SHA256, SIZE, stored=True)
    ]
    assert len(centre.rows(tables.media)) == 1


def test_a_file_with_a_wrong_hash_is_refused_and_dropped(centre: Centre) -> None:
    """Bytes that do not hash to their name never become a file; it is an incident."""
    spoilt = BYTES[:-1] + b"!"
    said = centre.hear(BOX, chunk(0, SIZE, spoilt))
    assert isinstance(said[0], MediaAck)
    assert (said[0].offset, said[0].stored, bool(said[0].refused)) == (0, False, True)
    assert not centre.media.has(SHA256)
    assert centre.incidents() == ["bad_media"]
    assert centre.hear(BOX, chunk(0, SIZE)) == [MediaAck(SHA256, SIZE, stored=True)]


def test_a_box_that_nobody_knows_is_not_answered(centre: Centre) -> None:
    """Media of a box that has not said hello are not taken in."""
    assert centre.hear("room-999", Offer(SHA256, SIZE, "snapshot"), chunk(0, 10)) == []
    assert centre.rows(tables.upload) == []


def test_two_boxes_may_send_the_same_file_at_once(centre: Centre) -> None:
    """Half-arrived files of two boxes do not touch each other."""
    centre.know(Chain(box="room-204", name="ledger-2"))
    centre.hear(BOX, chunk(0, 1000))
    assert centre.hear("room-204", chunk(0, SIZE)) == [MediaAck(SHA256, SIZE, stored=True)]
    assert centre.hear(BOX, chunk(1000, 1000)) == [MediaAck(SHA256, SIZE, stored=True)]
    assert centre.media.path(SHA256).read_bytes() == BYTES


@pytest.mark.parametrize("loss", [0.1, 0.3, 0.6])
def test_the_two_machines_bring_a_file_over_a_bad_line(centre: Centre, loss: float) -> None:
    """Sender and receiver end with the whole file though many messages vanish."""
    lucky = random.Random(7)
    pace = uploads.Pace(chunk=10_000, window=40_000, least=20_000, most=40_000)
    upload = uploads.connected(Upload(pace))
    now, done = 0.0, False
    while not done:
        now += 0.5
        assert now < 2000, "no end in sight"
        upload = uploads.ticked(upload, now)
        messages: list[Message] = []
        while not isinstance(what := uploads.step(upload, now), uploads.Wait):
            if isinstance(what, Pick):
                upload = uploads.picked(upload, File(SHA256, SIZE, "snapshot"), now)
            elif isinstance(what, Ask):
                messages.append(Offer(SHA256, SIZE, "snapshot"))
                upload = uploads.asked(upload, now)
            elif isinstance(what, Send):
                assert what.offset + what.length - upload.held <= pace.most
                messages.append(chunk(what.offset, what.length))
                upload = uploads.sent(upload, what.length, now)
        for message in messages:
            if lucky.random() < loss:
                continue
            for answer in centre.hear(BOX, message):
                assert isinstance(answer, MediaAck)
                if answer.stored:
                    done = True
                else:
                    upload = uploads.answered(upload, SHA256, answer.offset, now)
    assert centre.media.path(SHA256).read_bytes() == BYTES
