"""The link's live view without a broker: who may look, how long, and at what pace."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from edge import config as configuration
from edge import events, glimpses
from edge.box import BoxService
from edge.clock import BoxClock, SimulatedClock, monotonic
from edge.events import Body
from edge.glimpses import Glimpse
from edge.keys import Signer
from edge.ledger import Ledger
from edge.live_events import LiveViewEnded, LiveViewStarted
from edge.model import MINUTE, SECOND
from edge.requests import CannotDo, Request
from edge.rules.live import LONGEST, MOST_VIEWS, UNWATCHED, Refusal
from edge.service import Service
from sync import seal, wire
from sync.letters import Letters
from sync.live import Live
from sync.messages import WATCH, BadMessage, Frame, Watch, topic
from sync.seal import Letter
from tests.boxes import at, roster_of, send_documents, two_hours

BOX = "room-203"
START = at("09:00")
HOUR = 60 * MINUTE
JPEG = b"\xff\xd8\xff a picture"


class Wire:
    """Stands for the connection; ``stuck``: what was offered last has not left."""

    def __init__(self) -> None:
        self.frames: list[Frame] = []
        self.stuck = False

    def offer(self, topic_text: str, payload: bytes) -> bool:
        """Take a picture, or not."""
        if not self.stuck:
            frame = wire.decode(payload)
            assert isinstance(frame, Frame)
            self.frames.append(frame)
        return not self.stuck


class Room:
    """A box during a lesson, somebody at its centre, and time that passes as told."""

    def __init__(self, folder: Path) -> None:
        toml = folder / "box.toml"
        toml.write_text(
            f'[box]\nid = "{BOX}"\nroom = "203"\ndata_dir = "data"\nruntime_dir = "run"\n'
            '[[camera]]\nid = "front"\naddress = "rtsp://127.0.0.1:1/"\n'
            '[[camera]]\nid = "back"\naddress = "rtsp://127.0.0.1:2/"\n'
            '[[camera]]\nid = "aside"\nrole = "spare"\naddress = "rtsp://127.0.0.1:3/"\n'
        )
        config = configuration.load(toml)
        config.runtime_dir.mkdir()
        self.machine = SimulatedClock(START + MINUTE)
        clock = BoxClock(self.machine, folder / "run" / "clock.json", "ntp", folder / "no-battery")
        self.ledger = Ledger.open(folder / "data", BOX, clock)
        self.config = config
        self.service = BoxService(Service("link"), config, clock, self.ledger)
        self.centre = Signer(folder / "centre.key")
        self.letters = Letters(BOX, folder / "data", trust_first=True)
        self.letters.meet(self.centre.public_key)
        self.wire = Wire()
        self.live = self.started()
        self.now = monotonic()
        self.numbers = 0
        self.said = 0
        send_documents(self.ledger, (two_hours(START),), roster_of())

    def started(self) -> Live:
        """Return the live view of a link that starts."""
        return Live(self.service, self.letters, self.wire)  # type: ignore[arg-type]

    def ask(self, camera: str = "", by: str = "a clerk") -> str:
        """Let somebody ask to look; return the view's id."""
        self.numbers += 1
        self.now = max(self.now, monotonic())
        args = {"by": by} | ({"camera": camera} if camera else {})
        view = f"view-{self.numbers}"
        self.live.start(Request(view, "live_view", args))
        return view

    def watch(self, view: str, seen: int = 0, number: int = 0) -> bytes:
        """Return a sign that somebody looks, by default the next one."""
        self.said = number or self.said + 1
        head: dict[str, str | int] = {"view": view, "number": self.said, "seen": seen}
        letter = Letter(BOX, seal.WATCH, head, b"")
        sealed = seal.seal(letter, self.letters.public_key, self.centre.sign)
        return wire.encode(Watch(view, sealed))

    def hear(self, payload: bytes) -> None:
        """Let the box hear that."""
        self.live.hear(topic(BOX, WATCH), payload, self.now)

    def step(self, seconds: float = 0.1, *, records_wait: bool = False) -> None:
        """Let time pass and the link look."""
        self.now += seconds
        self.machine.advance(round(seconds * SECOND))
        self.live.step(self.now, records_wait=records_wait)

    def picture(self, camera: str = "front", content: bytes = JPEG) -> None:
        """Let the recorder have a picture of this moment."""
        self.now = max(self.now, monotonic()) + 0.001  # never the moment of the one before
        path = glimpses.path_of(self.config.runtime_dir, camera)
        glimpses.put(path, Glimpse(self.machine.now().at, self.now, content))

    def facts(self, kind: type[Body]) -> list[Body]:
        """Return the bodies of the events of that kind."""
        return [
            events.decode(record.event.kind, record.body)
            for record in self.ledger.events()
            if record.event.kind == kind.kind and record.body is not None
        ]

    def ends(self) -> list[str]:
        """Return why views ended."""
        return [one.cause for one in self.facts(LiveViewEnded) if isinstance(one, LiveViewEnded)]


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    opened = Room(tmp_path)
    yield opened
    opened.ledger.close()


def test_one_picture_is_under_way_at_a_time(room: Room) -> None:
    """The next one waits for the sign that the last one came, or counts it as lost after 5 s."""
    view = room.ask()
    for _ in range(3):
        room.picture()
        room.step(0.7)
    assert [frame.number for frame in room.wire.frames] == [1]
    room.hear(room.watch(view, seen=1))
    room.step(0)
    assert [frame.number for frame in room.wire.frames] == [1, 2]
    room.step(5.1)
    room.picture()
    room.step(0.1)
    assert [frame.number for frame in room.wire.frames] == [1, 2, 3]
    assert room.wire.frames[-1].heard == {view: 1}


def test_no_picture_goes_while_a_record_waits_or_the_line_is_stuck(room: Room) -> None:
    """What could not go is not kept: the next one is of its own moment."""
    room.ask()
    room.picture(content=JPEG + b"old")
    room.step(records_wait=True)
    room.wire.stuck = True
    room.step()
    assert room.wire.frames == []
    room.wire.stuck = False
    room.picture(content=JPEG + b"new")
    room.step()
    assert [frame.data for frame in room.wire.frames] == [JPEG + b"new"]


def test_the_same_picture_is_not_sent_twice_and_an_old_one_never(room: Room) -> None:
    """A camera that gives nothing new is said to be out, not shown as it was."""
    view = room.ask()
    room.picture()
    room.step()
    room.hear(room.watch(view, seen=1))
    room.step(1)
    assert len(room.wire.frames) == 1
    room.service.show("recorder.json", {"at": 0, "cameras": {"front": {"state": "offline"}}})
    room.hear(room.watch(view, seen=1))
    room.step(5)
    assert (room.wire.frames[-1].state, room.wire.frames[-1].data) == ("offline", b"")


def test_a_view_ends_when_nobody_gives_a_sign(room: Room) -> None:
    """Fifteen seconds; then nothing more goes, and the ledger says how many pictures did."""
    view = room.ask()
    room.picture()
    room.step()
    room.step(UNWATCHED / SECOND - 1)
    room.hear(room.watch(view, seen=1))
    room.step(UNWATCHED / SECOND - 1)
    assert room.ends() == []
    room.step(2)
    assert room.facts(LiveViewEnded) == [LiveViewEnded(view, 1, "unwatched")]
    sent = len(room.wire.frames)
    room.picture()
    room.hear(room.watch(view, seen=1))
    room.step()
    assert len(room.wire.frames) == sent


def test_a_view_ends_after_its_time_however_often_it_is_renewed(room: Room) -> None:
    """Ten minutes; whoever still looks must want it again."""
    view = room.ask()
    for _ in range(LONGEST // (10 * SECOND)):
        room.hear(room.watch(view))
        room.step(10)
    assert room.ends() == []
    room.hear(room.watch(view))
    room.step(1)
    assert room.ends() == ["limit"]
    (started,) = room.facts(LiveViewStarted)
    assert isinstance(started, LiveViewStarted)
    assert started.until == START + MINUTE + LONGEST


def test_a_view_ends_with_the_lesson(room: Room) -> None:
    """When the recording's margin is over, nobody looks on."""
    room.machine.advance(HOUR + 43 * MINUTE)  # 15 minutes after the end is 105 after the start
    view = room.ask()
    room.step(10)
    room.hear(room.watch(view))
    assert room.ends() == []
    room.machine.advance(MINUTE)
    room.step(3)
    assert room.ends() == ["lesson_over"]


def test_outside_of_lessons_and_through_other_cameras_nobody_looks(room: Room) -> None:
    """Not a spare camera, not an unknown one, nothing after the lesson; nothing is stated."""
    for camera in ("aside", "attic"):
        with pytest.raises(CannotDo, match="no camera of this name"):
            room.ask(camera)
    room.machine.advance(6 * HOUR)
    with pytest.raises(CannotDo, match="no lesson"):
        room.ask()
    assert room.facts(LiveViewStarted) == []


def test_views_of_one_camera_share_its_pictures_and_are_counted(room: Room) -> None:
    """Two people, one stream, two facts; a fifth view is refused."""
    first, second = room.ask(by="a clerk"), room.ask(by="a colleague")
    room.picture()
    room.step()
    (frame,) = room.wire.frames
    assert set(frame.heard) == {first, second}
    room.ask("back")
    for _ in range(MOST_VIEWS - 3):
        room.ask()
    with pytest.raises(CannotDo, match="several people"):
        room.ask()
    assert str(Refusal.TOO_MANY).startswith("several people")


def test_a_sign_that_is_forged_or_said_again_renews_nothing(room: Room, tmp_path: Path) -> None:
    """Neither another signer nor a broker that repeats itself can keep a view going."""
    view = room.ask()
    once = room.watch(view)
    room.hear(once)
    stranger = Signer(tmp_path / "stranger.key")
    honest, room.centre = room.centre, stranger
    with pytest.raises(BadMessage):
        room.hear(room.watch(view, number=50))
    room.centre = honest
    message = wire.decode(room.watch(view, number=51))
    assert isinstance(message, Watch)
    other = room.ask("back")
    with pytest.raises(BadMessage):
        room.hear(wire.encode(replace(message, view=other)))
    room.step(UNWATCHED / SECOND - 1)
    room.hear(once)
    room.step(2)
    assert room.ends() == ["unwatched", "unwatched"]


def test_what_a_killed_link_left_open_is_ended_by_the_next(room: Room) -> None:
    """The ledger never says for ever that somebody looks."""
    view = room.ask()
    room.live = room.started()
    assert room.facts(LiveViewEnded) == [LiveViewEnded(view, -1, "link_restarted")]
    room.picture()
    room.step()
    assert room.wire.frames == []
