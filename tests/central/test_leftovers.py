"""Half-arrived files that nobody goes on with: when they go, and what must stay."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest

from edge.model import DAY
from sync.central import erasure, leftovers, tables
from sync.central.leftovers import ABANDONED_AFTER
from sync.messages import Chunk, MediaAck, Offer
from tests.central.centres import Centre
from tests.chains import Chain

BYTES = bytes(range(256)) * 40
SHA256 = hashlib.sha256(BYTES).hexdigest()
SIZE = len(BYTES)
HALF = SIZE // 2
BOX, OTHER = "room-203", "room-204"
OFFER = Offer(SHA256, SIZE, "recording")


def chunk(first: int, last: int) -> Chunk:
    """Return the bytes from *first* to before *last*."""
    return Chunk(SHA256, SIZE, first, BYTES[first:last])


def everybodys(box: str) -> bool:
    """Take every box as one's own."""
    return True


def clear(centre: Centre, mine: Callable[[str], bool] = everybodys) -> int:
    """Clear as the ingester does each hour."""
    return leftovers.clear(centre.store, centre.media, centre.clock.now().at, mine)


@pytest.fixture(autouse=True)
def half(centre: Centre) -> Path:
    """Two boxes are known, and one of them has sent half of a file."""
    centre.know(Chain())
    centre.know(Chain(box=OTHER, name="ledger-2"))
    assert centre.hear(BOX, chunk(0, HALF)) == [MediaAck(SHA256, HALF)]
    return centre.folder / "media" / "incoming" / f"{BOX}.{SHA256}"


def test_a_file_that_was_not_gone_on_with_for_long_is_dropped(centre: Centre, half: Path) -> None:
    """Its box, should it come back, begins it anew and it arrives whole."""
    centre.clock.advance(ABANDONED_AFTER + 1)
    assert clear(centre) == 1
    assert not half.exists()
    assert centre.rows(tables.upload) == []
    assert centre.hear(BOX, chunk(HALF, SIZE)) == [MediaAck(SHA256, 0)]
    assert centre.hear(BOX, OFFER) == [MediaAck(SHA256, 0)]
    assert centre.hear(BOX, chunk(0, SIZE)) == [MediaAck(SHA256, SIZE, stored=True)]


def test_a_file_that_may_be_gone_on_with_is_left(centre: Centre, half: Path) -> None:
    """Every chunk that comes gives it its time anew."""
    centre.clock.advance(ABANDONED_AFTER)
    assert clear(centre) == 0
    centre.hear(BOX, chunk(HALF, HALF + 100))
    centre.clock.advance(ABANDONED_AFTER)
    assert clear(centre) == 0
    assert half.stat().st_size == HALF + 100
    assert centre.hear(BOX, OFFER) == [MediaAck(SHA256, HALF + 100)]


def test_one_that_a_wrong_clock_dated_into_the_future_is_dropped_too(centre: Centre) -> None:
    """It would otherwise stay until that year."""
    centre.clock.advance(9000 * DAY)
    centre.hear(BOX, chunk(HALF, HALF + 100))
    centre.clock.advance(-9000 * DAY)
    assert clear(centre) == 1


def test_what_is_here_whole_from_another_box_is_dropped(centre: Centre, half: Path) -> None:
    """But not while the whole file is missing from the folder: then it may be the only one."""
    centre.hear(OTHER, chunk(0, SIZE))
    whole = centre.media.path(SHA256)
    moved = whole.rename(whole.with_name("elsewhere"))
    assert clear(centre) == 0
    moved.rename(whole)
    assert clear(centre) == 1
    assert not half.exists()
    assert whole.read_bytes() == BYTES
    assert centre.hear(BOX, OFFER) == [MediaAck(SHA256, SIZE, stored=True)]


def test_what_was_erased_leaves_no_row_behind(centre: Centre, half: Path) -> None:
    """The file goes with the erasure, its row with the next clearing."""
    with centre.store.writing() as connection:
        erasure.erase_media(connection, centre.clock.now().at, [SHA256])
    erasure.sweep(centre.store, centre.media)
    clear(centre)
    assert not half.exists()
    assert centre.rows(tables.upload) == []


def test_a_file_that_no_row_tells_of_is_dropped(centre: Centre, half: Path) -> None:
    """As after the restore of an older database: nothing could be resumed from it."""
    with centre.store.writing() as connection:
        connection.execute(tables.upload.delete())
    assert clear(centre) == 1
    assert not half.exists()
    assert centre.hear(BOX, OFFER) == [MediaAck(SHA256, 0)]


def test_each_ingester_clears_after_its_own_boxes(centre: Centre, half: Path) -> None:
    """Another's may be arriving in this moment. What is no half file at all is not ours."""
    stranger = half.with_name("lost+found")
    stranger.mkdir()
    centre.clock.advance(ABANDONED_AFTER + 1)
    assert clear(centre, lambda box: box == OTHER) == 0
    assert half.exists()
    assert clear(centre, lambda box: box == BOX) == 1
    assert not half.exists()
    assert stranger.exists()
