"""A kill between any two steps from file to event loses nothing and doubles nothing."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from camera import footage
from camera.health import Why
from camera.recording import Order
from camera.snapshots import Photographer
from camera.supervision import Child
from edge import queries
from edge.clock import SimulatedClock
from edge.events import RecordingStored, SnapshotTaken
from edge.ledger import Ledger
from edge.media import Draft, MediaStore
from edge.model import MINUTE, SECOND, GapCause, Window
from tests.boxes import at, open_ledger
from tests.processes import wait_for
from tests.virtual_cameras import VirtualCamera

START = at("09:00")
WHY = Why(GapCause.CAMERA_SILENT, "The camera was silent.")


class PowerCut(Exception):
    """The moment at which everything stops."""


class DyingLedger:
    """A ledger whose process is killed just before it appends."""

    def append(self, body: object, *, event_id: str | None = None) -> object:
        """Never come back."""
        raise PowerCut


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Lend some seconds of real video, killed in mid-recording."""
    folder = tmp_path_factory.mktemp("video")
    with VirtualCamera() as camera:
        child = Child(Order("cam-1", camera.address, "tcp", str(folder), 10 * MINUTE))
        child.record(("lesson-1",))
        wait_for("it grows", lambda: sum(r["say"] == "alive" for r in list(child.reports)) >= 4)
        child.kill()
    (file,) = (folder / "incoming").glob("*.data")
    return file.read_bytes()


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    """Lend a box's ledger."""
    with open_ledger(tmp_path / "box", SimulatedClock(START)) as opened:
        yield opened


@pytest.fixture
def media(tmp_path: Path) -> MediaStore:
    """Lend a media store."""
    return MediaStore(tmp_path / "box" / "media")


def part(media: MediaStore, content: bytes, end: int = START, lesson: str = "lesson-1") -> Draft:
    """Leave a part of a recording as the recording process does; equal times: end unknown."""
    body = RecordingStored(lesson, "cam-1", START, end, "", 0, True)
    draft = media.draft(body)
    if content:
        draft.write(content)
    return draft


def stored(ledger: Ledger, lesson: str = "lesson-1") -> list[tuple[int, int, int]]:
    """Return (start, end, interrupted) of the stored parts."""
    with ledger.store.read() as connection:
        rows = queries.recordings(connection, lesson)
    return [(row["starts"], row["ends"], row["interrupted"]) for row in rows]


def test_the_end_of_an_interrupted_part_comes_from_the_file(
    ledger: Ledger, media: MediaStore, video: bytes
) -> None:
    """The recorder was killed: the next start measures what plays, once."""
    part(media, video)
    for _ in range(2):
        footage.adopt(media, ledger)
    ((start, end, interrupted),) = stored(ledger)
    assert start == START and end - start > SECOND and interrupted == 1
    assert media.unfinished([RecordingStored.kind]) == []


def test_a_part_that_was_closed_keeps_its_end(
    ledger: Ledger, media: MediaStore, video: bytes
) -> None:
    """The recorder was killed after the part was complete: nothing is marked interrupted."""
    draft = part(media, video, START)
    draft.note(end=START + 9 * SECOND, interrupted=False)
    footage.adopt(media, ledger)
    assert stored(ledger) == [(START, START + 9 * SECOND, 0)]


def test_a_kill_between_file_and_event_stores_the_part_once(
    ledger: Ledger, media: MediaStore, video: bytes
) -> None:
    """The file has its name, its event is missing: the next start appends it, no other."""
    draft = part(media, video)
    with pytest.raises(PowerCut):
        footage.store(draft, DyingLedger())  # type: ignore[arg-type]  # a hand-made fake
    assert stored(ledger) == []
    for _ in range(2):
        footage.adopt(media, ledger)
    assert len(stored(ledger)) == 1
    assert media.missing(ledger) == [] and media.unknown(ledger) == []


def test_a_part_without_video_is_given_up(ledger: Ledger, media: MediaStore) -> None:
    """Killed before the first fragment: there is nothing to store, and the time becomes a gap."""
    part(media, b"")
    part(media, b"\0\0\0\x18ftypisom")
    footage.adopt(media, ledger)
    assert stored(ledger) == []
    assert os.listdir(media.incoming) == []
    window = Window(START, START + 5 * SECOND)
    assert footage.state_gaps(ledger, "lesson-1", "cam-1", window, window.closes, WHY) == 1


def test_a_kill_between_the_two_lessons_of_a_part_loses_neither(
    ledger: Ledger, media: MediaStore, video: bytes
) -> None:
    """The part of an overlap is one file under two drafts: both become facts, one file stays."""
    first = part(media, video)
    second = part(media, b"", lesson="lesson-2")
    os.link(first.path, second.path)
    footage.store(first, ledger)
    footage.adopt(media, ledger)
    assert len(stored(ledger)) == len(stored(ledger, "lesson-2")) == 1
    assert os.listdir(media.incoming) == []
    assert media.missing(ledger) == [] and media.unknown(ledger) == []


def test_a_gap_is_stated_once(ledger: Ledger, media: MediaStore, video: bytes) -> None:
    """However often it is looked at, a gap is one event; what is on film is none."""
    part(media, video, START + 20 * SECOND)
    footage.adopt(media, ledger)
    window = Window(START - 10 * SECOND, START + 60 * SECOND)
    for until in (START + 30 * SECOND, START + 30 * SECOND, window.closes, window.closes):
        footage.state_gaps(ledger, "lesson-1", "cam-1", window, until, WHY)
    with ledger.store.read() as connection:
        gaps = [(row["starts"], row["ends"]) for row in queries.gaps(connection, "lesson-1")]
    assert gaps == [
        (window.opens, START),
        (START + 20 * SECOND, START + 30 * SECOND),
        (START + 30 * SECOND, window.closes),
    ]


@pytest.mark.parametrize(
    ("content", "count"), [(b"\xff\xd8 a picture \xff\xd9", 1), (b"\xff\xd8", 0)]
)
def test_a_kill_between_snapshot_and_event(
    ledger: Ledger, media: MediaStore, tmp_path: Path, content: bytes, count: int
) -> None:
    """A whole picture becomes the slot's one event; a torn one is given up and taken again."""
    body = SnapshotTaken("lesson-1", 0, 1, "cam-1", START, "key_frame", "", 0)
    media.draft(body, event_id="slot-1").write(content)
    for _ in range(2):
        Photographer(ledger, media, tmp_path).adopt()
    with ledger.store.read() as connection:
        assert len(queries.snapshots(connection, "lesson-1")) == count
    assert os.listdir(media.incoming) == []
