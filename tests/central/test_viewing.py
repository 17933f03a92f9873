"""Live view at the centre with a real broker; the box is a client that says what a box might."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from edge.events import RequestRefused
from edge.live_events import LiveViewEnded, LiveViewStarted
from edge.rules.live import FRESH, Refusal
from sync import seal, wire
from sync.central import config, tables
from sync.central.viewing import Key, Stage, Viewing
from sync.line import Arrived, Connected, Happening, Inbox, Line
from sync.messages import FRAME, WATCH, Frame, Watch, topic
from tests.brokers import Broker
from tests.central.centres import SEALING_KEY, Centre, open_centre
from tests.chains import Chain
from tests.processes import wait_for

BOX, OTHER = "room-203", "room-204"
KEY = Key(BOX, "", "console")
JPEG = b"\xff\xd8\xff picture "


class Room:
    """A centre, its console's live view, and two boxes as far as pictures go."""

    def __init__(self, folder: Path, broker: Broker, centre: Centre) -> None:
        self.centre = centre
        self.chains = {BOX: Chain(BOX), OTHER: Chain(OTHER, "ledger-2")}
        for chain in self.chains.values():
            centre.know(chain)
        settings = (
            f'[centre]\ndata_dir = "{folder}"\n[broker]\nhost = "127.0.0.1"\n'
            f'port = {broker.port}\nsecurity = "none"\n'
        )
        self.viewing = Viewing(
            centre.store,
            centre.clock,
            centre.signer,
            config.parse(settings, "centre.toml", Path("/")),
        )
        self.inbox: Inbox[Happening] = Inbox()
        self.heard: list[dict[str, Any]] = []
        self.line = Line(
            "127.0.0.1", broker.port, "a box", [topic(BOX, WATCH)], self.inbox.put, None
        )
        self.line.start()
        self.viewing.start()
        self.connected = False
        wait_for("the box is connected", self._listen)
        wait_for("the console is connected", lambda: self.stage() is not Stage.NO_BROKER)

    def _listen(self) -> bool:
        for one in self.inbox.take(0):
            self.connected = self.connected or isinstance(one, Connected)
            if isinstance(one, Arrived):
                one.done()
                message = wire.decode(one.payload)
                assert isinstance(message, Watch)
                letter = seal.unseal(
                    message.sealed, BOX, seal.WATCH, SEALING_KEY, self.centre.signer.public_key
                )
                self.heard.append(dict(letter.head))
        return self.connected

    def stage(self) -> Stage:
        """Look, as a page does, and return how the view stands."""
        return self.viewing.look(KEY).stage

    def stands(self, stage: Stage) -> None:
        """Look until the view stands like that."""
        wait_for(f"it is {stage}", lambda: self.stage() is stage)

    def asked(self) -> str:
        """Return the id of the last request that was filed."""
        rows = self.centre.rows(tables.request)
        return str(max(rows, key=lambda row: (row.filed_at, row.id)).id)

    def agree(self) -> str:
        """Let the box agree to the view; return its id once the console has heard it."""
        view = self.asked()
        self.centre.learn(
            self.chains[BOX], LiveViewStarted(view, "front", "lesson-1", "console", 10**15)
        )
        self.stands(Stage.COMING)
        return view

    def signs(self, count: int) -> int:
        """Wait until the box has heard that many signs; return the last one's number."""

        def enough() -> bool:
            self.stage()
            self._listen()
            return len(self.heard) >= count

        wait_for(f"{count} signs", enough)
        return int(self.heard[-1]["number"])

    def send(self, box: str, frame: Frame) -> None:
        """Let *box* send a picture, surely."""
        assert self.line.publish(topic(box, FRAME), wire.encode(frame))

    def close(self) -> None:
        """End both connections."""
        self.viewing.close()
        self.line.close()


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    with Broker() as broker, open_centre(tmp_path) as centre:
        opened = Room(tmp_path, broker, centre)
        yield opened
        opened.close()


def test_a_picture_is_live_and_the_box_hears_that_it_came(room: Room) -> None:
    """Everybody who looks as the same person at the same camera shares the one request."""
    view = room.agree()
    number = room.signs(1)
    room.send(BOX, Frame("front", 1, 100, {view: number}, data=JPEG + b"1"))
    room.stands(Stage.LIVE)
    seen = room.viewing.look(KEY)
    assert (seen.camera, seen.number) == ("front", 1)
    assert room.viewing.picture(KEY, 1) == JPEG + b"1"
    assert room.viewing.picture(KEY, 2) is None
    room.signs(2)
    assert room.heard[-1] == {"view": view, "number": number + 1, "seen": 1}
    assert len(room.centre.rows(tables.request)) == 1


def test_what_is_old_or_kept_back_is_never_live(room: Room) -> None:
    """By its own age, or because somebody kept it and says it again later."""
    view = room.agree()
    number = room.signs(1)
    room.send(BOX, Frame("front", 1, FRESH // 1000 + 500, {view: number}, data=JPEG))
    room.stands(Stage.OLD)
    assert room.viewing.picture(KEY, 1) is None
    room.send(BOX, Frame("front", 2, 0, {view: room.signs(2)}, data=JPEG + b"2"))
    room.stands(Stage.LIVE)
    for late in (
        Frame("front", 2, 0, {view: number}, data=JPEG + b"said again"),
        Frame("front", 3, 0, {view: 10_000}, data=JPEG + b"of a sign that nobody gave"),
    ):
        room.send(BOX, late)
    room.send(BOX, Frame("front", 4, 0, {view: room.signs(3)}, state="offline"))
    room.stands(Stage.NO_PICTURE)
    assert room.viewing.look(KEY).number == 2


def test_another_boxs_pictures_and_nonsense_do_no_harm(room: Room) -> None:
    """Not its box, not a known version, no picture: what comes after them is shown."""
    view = room.agree()
    number = room.signs(1)
    room.send(OTHER, Frame("front", 9, 0, {view: number}, data=JPEG + b"forged"))
    for payload in (b"", b'{"v":2,"type":"frame"}', b'{"v":1,"type":"film"}', b"\xff" * 900):
        assert room.line.publish(topic(BOX, FRAME), payload)
    assert room.line.publish("classbox/2/0/x/up/frame", b"of another version")
    room.send(BOX, Frame("front", 1, 0, {view: number}, data=JPEG + b"good"))
    room.stands(Stage.LIVE)
    assert room.viewing.picture(KEY, 1) == JPEG + b"good"


def test_a_refusal_and_an_end_are_told_and_only_a_wish_begins_anew(room: Room) -> None:
    """Looking on asks for nothing more; pressing again does."""
    first = room.asked()
    room.centre.learn(room.chains[BOX], RequestRefused(first, "live_view", Refusal.NO_LESSON))
    room.stands(Stage.REFUSED)
    assert room.viewing.look(KEY).why == Refusal.NO_LESSON
    assert len(room.centre.rows(tables.request)) == 1
    room.centre.clock.at += 1
    room.viewing.look(KEY, again=True)
    view = room.agree()
    assert view != first
    room.centre.learn(room.chains[BOX], LiveViewEnded(view, 7, "limit"))
    room.stands(Stage.ENDED)
    assert room.viewing.look(KEY).why == "limit"
    (row,) = room.centre.rows(tables.live_view)
    assert (row.id, row.frames, row.cause) == (view, 7, "limit")
