"""The upload of media as a pure machine: order, window, rate, hours, and a wire at its worst."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from sync import uploads
from sync.messages import KIB, Chunk, MediaAck, Message, Offer
from sync.uploads import Ask, File, Pace, Pick, Send, State, Upload, within_hours

DAY_S = 86_400


@dataclass
class Centre:
    """The receiver: what is durable survives its crash, what was only written does not."""

    durable: dict[str, bytes] = field(default_factory=dict)
    there: dict[str, bytes] = field(default_factory=dict)
    stored: set[str] = field(default_factory=set)

    def take(self, message: Message) -> MediaAck:
        """Write what follows; say what is durable."""
        assert isinstance(message, Offer | Chunk)
        name = message.sha256
        held = self.there.setdefault(name, b"")
        if isinstance(message, Chunk) and message.offset == len(held) and name not in self.stored:
            self.there[name] = held = held + message.data
        self.durable[name] = held  # a sync comes before every answer
        if len(held) == message.size:
            self.stored.add(name)
        return MediaAck(name, len(held), stored=name in self.stored)

    def crash(self) -> None:
        """Forget what was not synced."""
        self.there = {
            name: held for name, held in self.durable.items() if name not in self.stored
        } | {name: self.durable[name] for name in self.stored}


@dataclass
class Box:
    """The sender, as ``sync.media`` drives the machine. ``files``: name → rank and bytes."""

    pace: Pace
    files: dict[str, tuple[int, bytes]] = field(default_factory=dict)
    stored: set[str] = field(default_factory=set)
    sends: list[tuple[float, int]] = field(default_factory=list)
    order: list[str] = field(default_factory=list)
    in_hours: bool = True
    upload: Upload = field(default_factory=Upload)

    def __post_init__(self) -> None:
        self.upload = Upload(self.pace)

    def next(self) -> str | None:
        """Return the file that goes next; rank 3 only in its hours."""
        waiting = [
            (rank, name)
            for name, (rank, _) in self.files.items()
            if name not in self.stored and (self.in_hours or rank < 3)
        ]
        return min(waiting)[1] if waiting else None

    def step(self, now: float) -> list[Message]:
        """Return what the box says now."""
        said: list[Message] = []
        self.upload = uploads.ticked(self.upload, now)
        file, first = self.upload.file, self.next()
        if file and (first is None or self.files[first][0] < file.rank):
            self.upload = uploads.set_aside(self.upload)
        while True:
            what = uploads.step(self.upload, now)
            if isinstance(what, Pick):
                name = self.next()
                if name is None:
                    return said
                rank, content = self.files[name]
                picked = File(name, len(content), "photo", rank)
                self.upload = uploads.picked(self.upload, picked, now)
            elif isinstance(what, Ask):
                said.append(Offer(what.file.sha256, what.file.size, what.file.sort))
                self.upload = uploads.asked(self.upload, now)
            elif isinstance(what, Send):
                name = what.file.sha256
                assert self.in_hours or what.file.rank < 3, "sent outside its hours"
                data = self.files[name][1][what.offset : what.offset + what.length]
                said.append(Chunk(name, what.file.size, what.offset, data))
                self.sends.append((now, what.length))
                self.order.append(name)
                self.upload = uploads.sent(self.upload, what.length, now)
            else:
                return said

    def hear(self, message: MediaAck, now: float) -> None:
        """Take an answer in."""
        if message.stored:
            self.stored.add(message.sha256)
            self.upload = uploads.finished(self.upload, message.sha256)
        else:
            self.upload = uploads.answered(self.upload, message.sha256, message.offset, now)


class Uploading(RuleBasedStateMachine):
    """Files are added and sent; the wire drops, doubles and shuffles; both sides crash."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.centre = Centre()
        self.up: list[Message] = []
        self.down: list[MediaAck] = []

    @initialize(rate=st.sampled_from([0, 50, 1000]))
    def begin(self, rate: int) -> None:
        """Start with small chunks, so that there are many."""
        self.box = Box(Pace(chunk=10, window=40, least=20, most=80, rate=rate))
        self.box.upload = uploads.connected(self.box.upload)

    @rule(rank=st.integers(1, 3), size=st.integers(1, 150))
    def take_picture(self, rank: int, size: int) -> None:
        """A new file waits."""
        number = len(self.box.files)
        name = f"{number:03d}"
        self.box.files[name] = (rank, bytes((number + at) % 251 for at in range(size)))

    @rule(seconds=st.sampled_from([0.01, 0.2, 5.0]))
    def time_passes(self, seconds: float) -> None:
        """The box says what it may."""
        self.now += seconds
        self.up += self.box.step(self.now)

    @rule(place=st.floats(0, 1, exclude_max=True), copies=st.integers(0, 2))
    def a_message_arrives(self, place: float, copies: int) -> None:
        """Any of those under way, not at all, once or twice."""
        if self.up:
            message = self.up.pop(int(place * len(self.up)))
            self.down += [self.centre.take(message) for _ in range(copies)]

    @rule(place=st.floats(0, 1, exclude_max=True), copies=st.integers(0, 2))
    def an_answer_arrives(self, place: float, copies: int) -> None:
        """The same on the way back."""
        if self.down:
            message = self.down.pop(int(place * len(self.down)))
            for _ in range(copies):
                self.box.hear(message, self.now)

    @rule()
    def box_restarts(self) -> None:
        """Everything but the files and what is known to be stored is forgotten."""
        self.box.upload = uploads.connected(Upload(self.box.pace))

    @rule()
    def the_line_breaks(self) -> None:
        """What was under way may be lost; the connection comes back."""
        self.up.clear()
        self.box.upload = uploads.connected(uploads.lost(self.box.upload))

    @rule()
    def centre_restarts(self) -> None:
        """What it had not synced is gone."""
        self.centre.crash()

    @rule(in_hours=st.booleans())
    def hours(self, in_hours: bool) -> None:
        """The hours begin or end."""
        self.box.in_hours = in_hours

    @invariant()
    def what_the_box_thinks_stored_is(self) -> None:
        """Nothing counts as delivered that is not whole at the centre."""
        if hasattr(self, "box"):
            assert self.box.stored <= self.centre.stored
            for name in self.centre.stored:
                assert self.centre.there[name] == self.box.files[name][1]

    @invariant()
    def not_too_much_is_under_way(self) -> None:
        """The window bounds what a cut can cost, and memory."""
        if hasattr(self, "box"):
            upload = self.box.upload
            assert upload.sent - upload.held <= upload.pace.most
            assert upload.window <= upload.pace.most

    def teardown(self) -> None:
        """On a good wire everything ends up at the centre, at the allowed rate."""
        if not hasattr(self, "box"):
            return
        self.box.in_hours = True
        for _ in range(3000):
            if self.box.next() is None:
                break
            self.now += 0.3
            self.up += self.box.step(self.now)
            for message in self.up:
                self.box.hear(self.centre.take(message), self.now)
            self.up.clear()
        assert self.box.next() is None, "no end in sight"
        self.what_the_box_thinks_stored_is()
        pace = self.box.pace
        if pace.rate:
            for first in range(len(self.box.sends)):
                total = 0
                for at, length in self.box.sends[first:]:
                    total += length
                    elapsed = at - self.box.sends[first][0]
                    assert total <= pace.rate * elapsed + pace.piece + 1e-6


TestUploading = Uploading.TestCase
TestUploading.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)


def drained(box: Box, centre: Centre, delay: float, bandwidth: float = 1e12) -> float:
    """Let *box* send everything over a line of that delay (s) and bandwidth (bytes/s).

    Return how long it took. The line is simulated: nothing waits.
    """
    now = free = 0.0
    arrivals: list[tuple[float, MediaAck]] = []
    box.upload = uploads.connected(box.upload)
    while box.next() is not None:
        for message in box.step(now):
            size = len(message.data) if isinstance(message, Chunk) else 100
            free = max(free, now) + size / bandwidth
            arrivals.append((free + delay, centre.take(message)))
        arrivals.sort(key=lambda one: one[0])
        if arrivals:
            now = max(now, arrivals[0][0])
            box.hear(arrivals.pop(0)[1], now)
        else:
            what = uploads.step(box.upload, now)
            assert isinstance(what, uploads.Wait)
            assert what.until is not None
            now = max(now, what.until)
    return now


@pytest.mark.parametrize(
    ("bandwidth", "delay"), [(1e6, 0.03), (1e5, 0.1), (1e7, 0.1), (1e8, 0.01), (1e6, 0.005)]
)
def test_the_window_fills_slow_lines_and_fast_ones(bandwidth: float, delay: float) -> None:
    """At least nine tenths of the line are used, from 100 KB/s to where 1 MiB a round trip ends."""
    box, centre = Box(Pace()), Centre()
    size = 40_000_000 if bandwidth > 1e6 else 5_000_000
    box.files["a"] = (3, bytes(size))
    reachable = min(bandwidth, box.pace.most / (delay + box.pace.most / bandwidth) / 0.9)
    assert size / drained(box, centre, delay, bandwidth) >= 0.9 * min(reachable, bandwidth)


def test_a_slow_line_is_not_filled_with_what_only_waits() -> None:
    """On 1 MB/s no more than 256 KiB are under way: what else uses the line is not held up."""
    box, centre = Box(Pace()), Centre()
    box.files["a"] = (3, bytes(5_000_000))
    drained(box, centre, 0.02, 1e6)
    assert box.upload.window <= 256 * KIB


def test_a_snapshot_goes_between_two_chunks_of_a_recording() -> None:
    """A small urgent file does not wait for the whole recording, which then goes on."""
    box, centre = Box(Pace(chunk=10, window=20, least=20, most=20)), Centre()
    box.files["film"] = (3, bytes(range(100)))
    box.upload = uploads.connected(box.upload)
    while len(centre.there.get("film", b"")) < 40:
        for message in box.step(1.0):
            box.hear(centre.take(message), 1.0)
    box.files["shot"] = (1, b"picture")
    while box.next() is not None:
        for message in box.step(2.0):
            box.hear(centre.take(message), 2.0)
    place = box.order.index("shot")
    assert "film" in box.order[:place]
    assert "film" in box.order[place:]
    assert box.order.count("film") == 10, "nothing was sent twice"


def test_a_limited_rate_is_kept_and_used() -> None:
    """100 KiB a second are not exceeded by more than a chunk, and not missed by much."""
    box, centre = Box(Pace(rate=100 * KIB)), Centre()
    box.files["film"] = (3, bytes(2_000 * KIB))
    took = drained(box, centre, 0.01)
    assert 2_000 / 100 - 1 <= took <= 2_000 / 100 * 1.05


@pytest.mark.parametrize(
    ("rate", "piece"),
    [(KIB // 2, KIB // 2), (20 * KIB, 4 * KIB), (200 * KIB, 10 * KIB), (9000 * KIB, 64 * KIB)],
)
def test_a_limited_rate_goes_in_pieces_that_hold_nothing_up(rate: int, piece: int) -> None:
    """A message is what the rate allows in a twentieth of a second, between 4 and 64 KiB."""
    box, centre = Box(Pace(rate=rate)), Centre()
    box.files["film"] = (3, bytes(3 * piece))
    drained(box, centre, 0.01)
    assert [length for _, length in box.sends] == [piece] * 3


def test_waiting_for_the_rate_is_no_stall() -> None:
    """A slow rate makes pauses longer than the patience; the file is not offered again for it."""
    box, centre = Box(Pace(rate=KIB, stall=0.5)), Centre()
    box.files["film"] = (3, bytes(10 * KIB))
    box.upload = uploads.connected(box.upload)
    offers, now = 0, 0.0
    while box.next() is not None:
        for message in box.step(now):
            offers += isinstance(message, Offer)
            box.hear(centre.take(message), now)
        now += 0.1
    assert offers == 1


@given(
    begins=st.integers(0, DAY_S - 1), ends=st.integers(0, DAY_S - 1), second=st.integers(0, DAY_S)
)
def test_hours_of_the_day(begins: int, ends: int, second: int) -> None:
    """Inside is from the first to before the last second, round the clock; None is always."""
    second %= DAY_S
    if begins != ends:
        inside = (second - begins) % DAY_S < (ends - begins) % DAY_S
        assert within_hours((begins, ends), second) == inside
    assert within_hours(None, second)


def test_hours_over_midnight() -> None:
    """18:00-06:30 holds at 18:00, at midnight and at 06:29, not at 06:30 nor at noon."""
    hours = (18 * 3600, 6 * 3600 + 1800)
    inside = [18 * 3600, 0, 23 * 3600, 6 * 3600 + 1799]
    assert [within_hours(hours, second) for second in inside] == [True] * 4
    assert not within_hours(hours, 6 * 3600 + 1800)
    assert not within_hours(hours, 12 * 3600)


@settings(max_examples=200)
@given(seed=st.integers(0, 2**32))
def test_inputs_that_do_not_belong_change_nothing(seed: int) -> None:
    """Any input in any state is borne, and answers about other files do nothing."""
    lucky = random.Random(seed)
    upload, file = Upload(), File("a", 100, "photo")
    for now in range(30):
        what = lucky.randrange(8)
        before = upload
        if what == 0:
            upload = uploads.connected(upload)
        elif what == 1:
            upload = uploads.lost(upload)
        elif what == 2:
            upload = uploads.picked(upload, file, now)
        elif what == 3:
            upload = uploads.answered(upload, "a", lucky.randrange(101), now)
        elif what == 4:
            upload = uploads.answered(upload, "b", 5, now)
            assert upload == before
        elif what == 5:
            upload = uploads.finished(upload, "a")
        elif what == 6:
            upload = uploads.set_aside(upload)
        else:
            upload = uploads.ticked(upload, now)
        if upload.state is State.OFFLINE:
            assert isinstance(uploads.step(upload, now), uploads.Wait)
