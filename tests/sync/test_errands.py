"""What the centre asks of a box: once, in time, and answered whatever it is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from edge import events, requests
from edge.clock import SimulatedClock
from edge.documents import ROSTER, Roster, roster_to_json
from edge.events import Body, RequestAnswered, RequestRefused, ScanMade, SnapshotTaken
from edge.inbox import apply_document
from edge.keys import Signer
from edge.ledger import Ledger
from edge.media import MediaStore
from edge.model import DAY, MINUTE, ClockQuality, Instructor
from edge.requests import CannotDo
from edge.rules.live import Refusal
from sync import seal
from sync.cursor import Cursor
from sync.errands import Errands
from sync.letters import Letters
from sync.messages import BadMessage, Request
from sync.seal import Letter
from tests.boxes import at, open_ledger, roster_of

BOX = "room-203"
NOW = at("09:00")


class Box:
    """A box's errands without a broker, and the centre that writes to it."""

    def __init__(self, folder: Path, ledger: Ledger, clock: SimulatedClock) -> None:
        self.ledger = ledger
        self.clock = clock
        self.cursor = Cursor(folder / "data" / "link.db")
        self.centre = Signer(folder / "centre.key")
        self.letters = Letters(BOX, folder / "data", trust_first=True)
        self.letters.meet(self.centre.public_key)
        self.resynced = 0
        self.errands = self.started()
        self._steps = 0.0

    def started(self) -> Errands:
        """Return the errands of a link that starts."""
        media = MediaStore(self.ledger.store.path.parent / "media")
        return Errands(self.ledger, media, self.cursor, self.letters, self._resync, self._look)

    def asked(
        self, kind: str, number: int = 1, expires: int = NOW + DAY, box: str = BOX, **args: Any
    ) -> Request:
        """Return a request as the centre sends it."""
        name = f"request-{number}"
        head: dict[str, str | int] = {"id": name, "kind": kind, "expires": expires}
        letter = Letter(box, "request", head, events.canonical(args))
        sealed = seal.seal(letter, self.letters.public_key, self.centre.sign)
        return Request(name, expires, sealed)

    def step(self) -> None:
        """Let the link look, a while after it last did."""
        self._steps += 10
        self.errands.step(self._steps)

    def answers(self) -> list[Body]:
        """Return the answers in the ledger."""
        kinds = (RequestAnswered.kind, RequestRefused.kind)
        return [
            events.decode(record.event.kind, record.body)
            for record in self.ledger.events()
            if record.event.kind in kinds and record.body is not None
        ]

    def _resync(self) -> None:
        self.resynced += 1

    def _look(self, request: requests.Request) -> None:
        raise CannotDo(Refusal.NO_LESSON)


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Box]:
    clock = SimulatedClock(NOW)
    with open_ledger(tmp_path / "data", clock, BOX) as ledger:
        opened = Box(tmp_path, ledger, clock)
        yield opened
        opened.cursor.close()


def test_a_request_that_comes_again_and_again_is_carried_out_once(box: Box) -> None:
    """The centre repeats itself until it has the answer; the box does the work once."""
    for _ in range(3):
        box.errands.take(box.asked("resync"))
        box.step()
    assert box.resynced == 1
    assert box.answers() == [RequestAnswered("request-1", "resync", {})]


def test_a_kind_that_the_box_does_not_know_is_refused_without_harm(box: Box) -> None:
    """A newer centre's wish becomes one event that says so; what follows is carried out."""
    for _ in range(2):
        box.errands.take(box.asked("dance"))
    box.errands.take(box.asked("live_view", 2))
    box.errands.take(box.asked("resync", 3))
    box.step()
    dance, live, resync = box.answers()
    assert isinstance(dance, RequestRefused)
    assert "does not know requests of the kind dance" in dance.reason
    assert isinstance(live, RequestRefused)
    assert live.reason == Refusal.NO_LESSON
    assert isinstance(resync, RequestAnswered)


@pytest.mark.parametrize(
    ("kind", "args"),
    [
        ("erase", {}),
        ("erase", {"people": ["p-1"], "reason": "why not"}),
        ("send_media", {"media": 7}),
    ],
)
def test_arguments_that_say_nothing_are_refused(box: Box, kind: str, args: dict[str, Any]) -> None:
    """A request that cannot be understood is answered and stops no other."""
    box.errands.take(box.asked(kind, 1, **args))
    box.errands.take(box.asked("resync", 2))
    box.step()
    first, second = box.answers()
    assert isinstance(first, RequestRefused)
    assert isinstance(second, RequestAnswered)


def test_what_expired_is_not_carried_out_and_says_so(box: Box) -> None:
    """A request that lay about for too long is refused by an event, not done late."""
    box.errands.take(box.asked("resync", expires=NOW))
    box.step()
    assert box.resynced == 0
    (answer,) = box.answers()
    assert isinstance(answer, RequestRefused)
    assert "expired" in answer.reason


def test_a_box_without_the_time_takes_the_centres(box: Box) -> None:
    """In 1970 nothing seems expired; what the centre says of the time decides instead."""
    box.clock.quality = ClockQuality.UNSYNCHRONISED
    box.clock.jump(0)
    box.errands.hear_time(NOW)
    box.errands.take(box.asked("resync", 1, expires=NOW - MINUTE))
    box.errands.take(box.asked("resync", 2, expires=NOW + MINUTE))
    box.step()
    assert [type(answer) for answer in box.answers()] == [RequestRefused, RequestAnswered]


def test_only_the_centres_letters_to_this_box_are_requests(box: Box, tmp_path: Path) -> None:
    """Another signer, another box, another key, another head: set aside, nothing stored."""
    good = box.asked("resync")
    forged = box.asked("resync")
    stranger = Signer(tmp_path / "stranger.key")
    head: dict[str, str | int] = {"id": "request-1", "kind": "resync", "expires": NOW + DAY}
    letter = Letter(BOX, "request", head, b"{}")
    own = box.letters.public_key
    other = X25519PrivateKey.generate().public_key().public_bytes_raw()
    document = replace(letter, purpose="document")
    for bad in (
        replace(forged, sealed=seal.seal(letter, own, stranger.sign)),
        replace(forged, sealed=seal.seal(letter, other, box.centre.sign)),
        replace(forged, sealed=seal.seal(document, own, box.centre.sign)),
        box.asked("resync", box="room-204"),
        replace(good, expires=good.expires + 1),
        replace(good, id="another"),
        replace(good, sealed=b""),
    ):
        with pytest.raises(BadMessage):
            box.errands.take(bad)
    box.step()
    assert box.answers() == []


def test_media_that_are_asked_for_go_first(box: Box) -> None:
    """By hash or by lesson; the answer counts what the box has and what it never had."""
    for number in range(3):
        body = SnapshotTaken("lesson-1", 0, number, "front", NOW, "key_frame", f"{number}" * 64, 1)
        box.ledger.append(body)
    box.cursor.find_media(box.ledger)
    assert box.cursor.next_media() is not None
    box.errands.take(box.asked("send_media", 1, media=["0" * 64, "f" * 64]))
    box.step()
    first = box.cursor.next_media()
    assert first is not None
    assert first.sha256 == "0" * 64
    box.errands.take(box.asked("send_media", 2, lesson="lesson-1"))
    box.step()
    assert [answer.result for answer in box.answers() if isinstance(answer, RequestAnswered)] == [
        {"files": 1, "unknown": 1},
        {"files": 3, "unknown": 0},
    ]


def test_an_erasure_waits_for_the_roster_without_the_person(box: Box) -> None:
    """It stays open, also across a restart, and is carried out when the roster has come."""
    roster = roster_of(3)
    apply_document(box.ledger, ROSTER, "epoch-1", 1, roster_to_json(roster))
    box.ledger.append(ScanMade("p-3", NOW, "face", ""))
    box.errands.take(box.asked("erase", people=["p-3"], reason="withdrawn"))
    box.step()
    assert box.answers() == []
    box.errands = box.started()
    apply_document(box.ledger, ROSTER, "epoch-1", 2, roster_to_json(roster_of(2)))
    box.step()
    (answer,) = box.answers()
    assert isinstance(answer, RequestAnswered)
    assert answer.result["events"] == 1
    with box.ledger.store.read() as connection:
        (args,) = connection.execute("SELECT args FROM request").fetchone()
    assert args == "{}"
    assert box.ledger.store.wal_bytes() == 0
    assert box.ledger.verify().intact


def test_a_restored_box_finds_by_seq_whom_it_had_erased(box: Box) -> None:
    """The centre knows only which events were erased; the box knows again whom they name."""
    event = box.ledger.append(ScanMade("p-9", NOW, "face", ""))
    box.ledger.append(ScanMade("p-9", NOW, "face", ""))
    box.errands.take(box.asked("erase", seqs=[event.seq], reason="order"))
    box.step()
    assert [record.body for record in box.ledger.events(event.seq - 1, 2)] == [None, None]


def test_who_taught_stays_and_the_answer_says_why(box: Box) -> None:
    """An erasure that cannot be is refused by an event that names nobody."""
    teacher = Roster((), (Instructor("t-7", "王老师", "-"),))
    apply_document(box.ledger, ROSTER, "epoch-1", 1, roster_to_json(teacher))
    box.ledger.append(events.InstructorLoggedIn("t-7", "pin"))
    apply_document(box.ledger, ROSTER, "epoch-1", 2, roster_to_json(Roster((), ())))
    box.errands.take(box.asked("erase", people=["t-7"], reason="withdrawn"))
    box.step()
    (answer,) = box.answers()
    assert isinstance(answer, RequestRefused)
    assert "rest on that" in answer.reason
    assert "t-7" not in answer.reason


def test_a_kind_of_another_service_is_left_to_it(box: Box) -> None:
    """The link files it; the service that takes such requests claims it."""
    box.errands.take(box.asked("enrol", person_id="p-1"))
    box.step()
    assert box.answers() == []
    claimed = requests.claim(box.ledger, ("enrol",), "greeter")
    assert claimed is not None
    assert claimed.args == {"person_id": "p-1"}
