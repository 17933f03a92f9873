"""Media files reach the ledger once, whatever step the power goes out at."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge.clock import SimulatedClock
from edge.events import ScanMade, SnapshotTaken
from edge.ledger import Ledger
from edge.media import MediaError, MediaStore
from tests.boxes import at, open_ledger

PICTURE = b"not really a JPEG, but bytes all the same" * 100
NAME = hashlib.sha256(PICTURE).hexdigest()
BODY = SnapshotTaken("lesson-1", 0, 1, "classroom", at("09:05"), "key_frame", "", 0)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with open_ledger(tmp_path, SimulatedClock(at("09:05"))) as opened:
        yield opened


@pytest.fixture
def media(tmp_path: Path) -> MediaStore:
    return MediaStore(tmp_path / "media")


def snapshots(ledger: Ledger) -> list[tuple[str, int]]:
    with ledger.store.read() as connection:
        return [
            (row["sha256"], row["bytes"]) for row in connection.execute("SELECT * FROM snapshot")
        ]


def test_a_file_is_named_by_its_hash_and_then_by_an_event(
    ledger: Ledger, media: MediaStore
) -> None:
    """The way without accidents: bytes, hash, name, event, nothing left over."""
    draft = media.draft(BODY)
    draft.write(PICTURE)
    draft.store(ledger)
    assert snapshots(ledger) == [(NAME, len(PICTURE))]
    with media.open(NAME) as file:
        assert file.read() == PICTURE
    assert list(media.incoming.iterdir()) == []
    assert media.unknown(ledger) == []
    assert media.missing(ledger) == []


def test_killed_with_bytes_but_no_name(ledger: Ledger, media: MediaStore) -> None:
    """A draft whose bytes are there is adopted at the next start."""
    media.draft(BODY).write(PICTURE)
    (left,) = MediaStore(media.root).unfinished([SnapshotTaken.kind])
    assert left.has_bytes()
    left.store(ledger)
    assert snapshots(ledger) == [(NAME, len(PICTURE))]


def test_killed_between_file_and_event(ledger: Ledger, media: MediaStore) -> None:
    """The file has its name and no event names it: the intent still knows, and says it once."""
    draft = media.draft(BODY)
    draft.write(PICTURE)

    class PowerCut(Exception):
        pass

    class LedgerThatDies:
        def append(self, body: object, *, event_id: str) -> None:
            raise PowerCut

    with pytest.raises(PowerCut):
        draft.store(LedgerThatDies())  # type: ignore[arg-type]  # stands in for the moment of death
    assert media.path(NAME).exists()
    assert snapshots(ledger) == []
    (left,) = MediaStore(media.root).unfinished([SnapshotTaken.kind])
    left.store(ledger)
    assert snapshots(ledger) == [(NAME, len(PICTURE))]


def test_killed_between_event_and_the_end_of_the_intent(ledger: Ledger, media: MediaStore) -> None:
    """Event stored, intent still there: carrying on stores nothing twice."""
    draft = media.draft(BODY)
    intent = media.incoming / f"{draft.id}.json"
    draft.write(PICTURE)
    draft.note(sha256="")
    before = intent.read_bytes()
    draft.store(ledger)
    head = ledger.head()
    intent.write_bytes(before.replace(b'"sha_field"', f'"sha256": "{NAME}", "sha_field"'.encode()))
    (left,) = MediaStore(media.root).unfinished([SnapshotTaken.kind])
    left.store(ledger)
    assert ledger.head() == head
    assert MediaStore(media.root).unfinished([SnapshotTaken.kind]) == []


def test_a_draft_without_bytes_is_told_apart(ledger: Ledger, media: MediaStore) -> None:
    """Killed before the first byte: there is nothing to store, and storing says so."""
    media.draft(BODY)
    (left,) = MediaStore(media.root).unfinished([SnapshotTaken.kind])
    assert not left.has_bytes()
    with pytest.raises(MediaError, match="no bytes"):
        left.store(ledger)
    left.discard()
    assert MediaStore(media.root).unfinished([SnapshotTaken.kind]) == []


def test_two_drafts_of_the_same_bytes_share_one_file(ledger: Ledger, media: MediaStore) -> None:
    """Two people may be in one photo: two events, one file."""
    for person in ("p-1", "p-2"):
        draft = media.draft(ScanMade(person, at("09:05"), "face", ""), sha_field="photo")
        draft.write(PICTURE)
        draft.store(ledger)
    with ledger.store.read() as connection:
        photos = [row["photo"] for row in connection.execute("SELECT photo FROM scan")]
    assert photos == [NAME, NAME]
    assert len(list(media.root.glob("[0-9a-f][0-9a-f]/*"))) == 1


def test_strange_and_lost_files_are_reported(ledger: Ledger, media: MediaStore) -> None:
    """Nothing is deleted for being unknown, and a lost file is named."""
    draft = media.draft(BODY)
    draft.write(PICTURE)
    draft.store(ledger)
    media.path(NAME).unlink()
    stranger = media.path("f" * 64)
    media.make_folder(stranger.parent)
    stranger.write_bytes(b"?")
    assert media.missing(ledger) == [NAME]
    assert media.unknown(ledger) == [stranger]
    assert stranger.exists()


def test_a_path_never_leaves_the_media_folder(media: MediaStore) -> None:
    """A name that is not a hash is refused, whatever it is."""
    with pytest.raises(MediaError, match="not the name of a media file"):
        media.path("../../etc/passwd")
