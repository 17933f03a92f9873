"""A file that the centre refused is offered again, without a restart, ever less often."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from edge import config as configuration
from edge.box import BoxService
from edge.clock import BoxClock
from edge.events import ScanMade
from edge.ledger import Ledger
from edge.service import Service
from sync import wire
from sync.cursor import Cursor
from sync.line import Line
from sync.media import Media
from sync.messages import MEDIA_ACK, MediaAck, Message, Offer, topic
from sync.uploads import refused_again_after

BOX = "room-203"
HOUR = 3600.0


class Pencil(Line):
    """A line that only writes down what would have been said."""

    def __init__(self) -> None:
        super().__init__("127.0.0.1", 1, BOX, [], lambda happening: None)
        self.said: list[Message] = []

    def publish(self, topic: str, payload: bytes, retain: bool = False) -> bool:
        """Write it down."""
        self.said.append(wire.decode(payload))
        return True


class Sender:
    """The link's media over a line that goes nowhere, and its centre's answers."""

    def __init__(self, folder: Path) -> None:
        toml = folder / "box.toml"
        toml.write_text(
            f'[box]\nid = "{BOX}"\nroom = "203"\ndata_dir = "box"\nruntime_dir = "run"\n'
            '[link]\nhost = "127.0.0.1"\nsecurity = "none"\n',
            "utf-8",
        )
        config = configuration.load(toml)
        assert config.link is not None
        clock = BoxClock.of(config.runtime_dir, "trusted")
        self.ledger = Ledger.open(config.data_dir, BOX, clock)
        service = BoxService(Service("link"), config, clock, self.ledger)
        draft = service.media.draft(ScanMade("p-1", 5, "face", ""), "photo")
        draft.write(b"a photo")
        draft.store(self.ledger)
        with self.ledger.store.read() as connection:
            self.sha256 = str(connection.execute("SELECT sha256 FROM media").fetchone()[0])
        self.cursor = Cursor(config.data_dir / "link.db")
        self.cursor.find_media(self.ledger)
        self.line = Pencil()
        self.media = Media(service, self.cursor, self.line, config.link)
        self.media.connected(0.0)

    def offers(self, now: float) -> int:
        """Let it do what is due; return how often it offered the file in this step."""
        self.line.said.clear()
        self.media.step(now)
        return sum(isinstance(message, Offer) for message in self.line.said)

    def answer(self, now: float, refused: str = "", stored: bool = False) -> None:
        """Let the centre say what became of the file."""
        message = MediaAck(self.sha256, 0, stored, refused)
        self.media.hear(topic(BOX, MEDIA_ACK), wire.encode(message), now)

    def close(self) -> None:
        """Let go of everything."""
        self.cursor.close()
        self.ledger.close()


@pytest.fixture
def sender(tmp_path: Path) -> Iterator[Sender]:
    """A link with one photo to send."""
    made = Sender(tmp_path)
    yield made
    made.close()


def test_a_refused_file_is_offered_again_later_and_later(sender: Sender) -> None:
    """After 1, 4, 16, 64 h and then each week; never in between."""
    now = 0.0
    for hours in (1, 4, 16, 64, 168, 168):
        assert sender.offers(now) == 1
        sender.answer(now, refused="its hash is wrong")
        assert sender.offers(now) == 0
        assert sender.offers(now + hours * HOUR - 1) == 0
        now += hours * HOUR
    assert sender.offers(now) == 1


def test_once_it_is_stored_that_is_forgotten(sender: Sender) -> None:
    """A mended file arrives; should it be refused again some day, the count begins anew."""
    assert sender.offers(0.0) == 1
    sender.answer(0.0, refused="its hash is wrong")
    assert sender.offers(HOUR) == 1
    sender.answer(HOUR, stored=True)
    assert sender.cursor.media_waiting() == 0
    assert sender.offers(1000 * HOUR) == 0
    sender.cursor.offer_again()  # the centre was restored from a backup without it
    sender.media.look()
    assert sender.offers(1000 * HOUR) == 1
    sender.answer(1000 * HOUR, refused="its hash is wrong")
    assert sender.offers(1001 * HOUR) == 1


def test_one_that_left_the_box_meanwhile_is_not_offered(sender: Sender) -> None:
    """Retention or an erasure took it: there is nothing to send."""
    sender.offers(0.0)
    sender.answer(0.0, refused="it was erased")
    sender.cursor.forget([sender.sha256])
    assert sender.offers(HOUR) == 0
    assert sender.cursor.waiting() == []


@pytest.mark.parametrize("times", range(1, 400, 50))
def test_the_pause_never_ends_and_never_overflows(times: int) -> None:
    """However often a file is refused, a week later it may try again."""
    assert HOUR <= refused_again_after(times) <= 168 * HOUR
