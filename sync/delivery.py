"""What the box sends next: the state of one ledger's replication, as a pure machine.

Owns the box's side of "nothing lost, nothing twice" (docs/protocol.md). Promises that

- ``acked`` only ever says what the centre said it has committed;
- what is not acknowledged is sent again: after a reconnect, after a repeated acknowledgement and
  after some seconds without progress;
- at most ``Pace.window`` messages are under way, and nothing is sent before the centre has said,
  in answer to this connection's hello, how far it is;
- a centre that is slow, because many boxes come at once, is not made slower: what went unanswered
  is asked again later and later, and fewer messages are under way after each that was lost;
- where the centre holds other events than this ledger, both find the last event that they share,
  and the box goes on from there under a new name: nothing is overwritten on either side;
- inputs that do not belong to the present state change nothing.

Pure: frozen values in, frozen values out; ``now`` is a monotonic time in seconds.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import Enum, auto

from sync.messages import POINTS
from sync.pace import Flow, Pace


class State(Enum):
    """Where the replication of a ledger stands."""

    OFFLINE = auto()  # no connection
    ASKING = auto()  # hello is due or sent; its answer says how far the centre is
    STREAMING = auto()  # events may flow
    COMPARING = auto()  # the centre holds other events: where do both part?
    PARTED = auto()  # that is known; the box must branch off before it says anything more
    REFUSED = auto()  # the centre will not take this ledger; asked again now and then


class Input(Enum):
    """What can happen to it."""

    CONNECTED = auto()
    LOST = auto()
    ANSWERED = auto()  # the answer to the last hello
    ADVANCED = auto()  # an acknowledgement beyond ``acked``
    REPEATED = auto()  # the same acknowledgement again: the centre found a gap, or began anew
    FELL_BACK = auto()  # an acknowledgement below ``acked``: an old one, or a restored centre
    STALLED = auto()  # no progress for Pace.stall, or a hello without an answer
    REFUSED = auto()
    RETRY = auto()  # Pace.retry has passed since the refusal
    DIFFERS = auto()  # the centre holds another event where this ledger has one
    AHEAD = auto()  # the centre holds all of this ledger and more: it is an older copy
    PARTS = auto()  # the last event that both share is found
    SAME = auto()  # nothing differs after all
    BRANCHED = auto()  # the ledger goes by a new name from there on


# The whole machine. An input that a state does not list changes nothing.
NEXT: dict[State, dict[Input, State]] = {
    State.OFFLINE: {
        Input.CONNECTED: State.ASKING,
    },
    State.ASKING: {
        Input.CONNECTED: State.ASKING,
        Input.ANSWERED: State.STREAMING,
        Input.ADVANCED: State.ASKING,
        Input.REPEATED: State.ASKING,
        Input.FELL_BACK: State.ASKING,
        Input.REFUSED: State.REFUSED,
        Input.DIFFERS: State.COMPARING,
        Input.AHEAD: State.PARTED,
        Input.LOST: State.OFFLINE,
    },
    State.STREAMING: {
        Input.CONNECTED: State.ASKING,
        Input.ANSWERED: State.STREAMING,
        Input.ADVANCED: State.STREAMING,
        Input.REPEATED: State.STREAMING,
        Input.FELL_BACK: State.ASKING,
        Input.STALLED: State.ASKING,
        Input.REFUSED: State.REFUSED,
        Input.DIFFERS: State.COMPARING,
        Input.AHEAD: State.PARTED,
        Input.LOST: State.OFFLINE,
    },
    State.COMPARING: {
        Input.CONNECTED: State.ASKING,
        Input.PARTS: State.PARTED,
        Input.SAME: State.ASKING,
        Input.STALLED: State.ASKING,
        Input.REFUSED: State.REFUSED,
        Input.LOST: State.OFFLINE,
    },
    State.PARTED: {
        Input.CONNECTED: State.ASKING,
        Input.BRANCHED: State.ASKING,
        Input.LOST: State.OFFLINE,
    },
    State.REFUSED: {
        Input.CONNECTED: State.ASKING,
        Input.RETRY: State.ASKING,
        Input.LOST: State.OFFLINE,
    },
}


@dataclass(frozen=True, slots=True)
class Greet:
    """Send a hello with this number; only its answer may set ``acked`` back."""

    number: int


@dataclass(frozen=True, slots=True)
class Send:
    """Send one message with the events that follow ``after``."""

    after: int


@dataclass(frozen=True, slots=True)
class Compare:
    """Ask which of these seqs the centre holds with the same hash; number the question."""

    number: int
    seqs: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Part:
    """Branch the ledger off behind event ``base``."""

    base: int


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing to do before ``until``, or before something happens (None)."""

    until: float | None


Step = Greet | Send | Compare | Part | Wait


@dataclass(frozen=True, slots=True)
class Delivery:
    """The replication of one ledger, seen from the box.

    ``window`` holds the last seq of each message under way; ``hello`` is the number of the last
    hello sent and ``heard`` of the last one answered, 0 for none; ``hello_at`` is when the next
    one is due. While comparing, event ``shared`` is known to be the same on both sides and event
    ``differs`` is not; once they have parted ``differs`` follows ``shared``. ``question`` numbers
    comparisons, ``compare_at`` is when the next is due. ``flow`` is how the pace is kept with this
    centre.
    """

    pace: Pace = field(default_factory=Pace)
    state: State = State.OFFLINE
    head: int = 0
    acked: int = 0
    window: tuple[int, ...] = ()
    hello: int = 0
    heard: int = 0
    hello_at: float = 0.0
    progress_at: float = 0.0
    retry_at: float = 0.0
    rewound_at: int = -1
    shared: int = 0
    differs: int = 0
    question: int = 0
    compare_at: float = 0.0
    greeted_at: float = 0.0
    flow: Flow = field(default_factory=Flow)

    @property
    def stalls_at(self) -> float:
        """When it counts as stuck, unless something is acknowledged before."""
        return self.progress_at + self.pace.stall * self.flow.patience

    @property
    def sent(self) -> int:
        """The last seq under way, or ``acked`` when nothing is."""
        return self.window[-1] if self.window else self.acked


def step(delivery: Delivery, now: float) -> Step:
    """Return what to do now. After Send or Greet, say so with ``sent`` or ``greeted``."""
    if delivery.state in (State.ASKING, State.STREAMING) and now >= delivery.hello_at:
        return Greet(delivery.hello + 1)
    if delivery.state is State.STREAMING:
        room = delivery.flow.room(delivery.pace)
        if delivery.sent < delivery.head and len(delivery.window) < room:
            return Send(delivery.sent)
        return Wait(
            min(delivery.hello_at, delivery.stalls_at) if delivery.window else delivery.hello_at
        )
    if delivery.state is State.COMPARING:
        if now >= delivery.compare_at:
            return Compare(delivery.question + 1, _points(delivery.shared, delivery.differs))
        return Wait(delivery.compare_at)
    if delivery.state is State.PARTED:
        return Part(delivery.shared)
    if delivery.state is State.ASKING:
        return Wait(delivery.hello_at)
    return Wait(delivery.retry_at if delivery.state is State.REFUSED else None)


def connected(delivery: Delivery, now: float) -> Delivery:
    """A connection stands: ask the centre how far it is, and forget what was under way."""
    return _goes(
        delivery,
        Input.CONNECTED,
        window=(),
        hello_at=now,
        heard=delivery.hello,  # what the last connection left unanswered says nothing of this one
        flow=Flow(),
    )


def lost(delivery: Delivery) -> Delivery:
    """The connection is gone, and with it what was under way."""
    return _goes(delivery, Input.LOST, window=())


def grown(delivery: Delivery, head: int) -> Delivery:
    """The ledger's last seq is *head*."""
    return replace(delivery, head=head)


def greeted(delivery: Delivery, number: int, now: float) -> Delivery:
    """The hello *number* was sent."""
    flow = delivery.flow
    if delivery.heard < delivery.hello:  # the one before was not answered in time
        flow = flow.unanswered(delivery.pace)
    again = now + delivery.pace.ask_again * flow.patience
    return replace(delivery, hello=number, hello_at=again, greeted_at=now, flow=flow)


def sent(delivery: Delivery, upto: int, now: float) -> Delivery:
    """One message whose last event is *upto* was sent."""
    progress_at = delivery.progress_at if delivery.window else now
    return replace(delivery, window=(*delivery.window, upto), progress_at=progress_at)


def answered(
    delivery: Delivery, number: int, seq: int, now: float, agrees: bool = True
) -> Delivery:
    """The centre answered hello *number*: it holds everything up to *seq*.

    *agrees*: the head that this hello named is not held with another content. Only the answer to
    the last hello may set ``acked`` back, to what a restored centre still has.
    """
    if number != delivery.hello:
        # A late answer. Saying hello at once, as to a centre that begins anew, would make a slow
        # centre slower, and each of its answers late again.
        if delivery.state is State.ASKING and not delivery.acked < seq <= delivery.head:
            return delivery
        return acknowledged(delivery, seq, now)
    if delivery.state in (State.ASKING, State.STREAMING):
        flow = delivery.flow.answered_after(now - delivery.greeted_at, delivery.pace)
        again = now + delivery.pace.heartbeat
        delivery = replace(delivery, heard=number, hello_at=again, flow=flow)
    if not agrees:
        return differs(replace(delivery, acked=min(seq, delivery.head)), now)
    if seq > delivery.head:
        return _goes(delivery, Input.AHEAD, acked=delivery.head, window=(), shared=delivery.head)
    if delivery.state is State.STREAMING and seq >= delivery.acked:
        return _advanced(delivery, Input.ANSWERED, seq, now)
    return _goes(
        delivery,
        Input.ANSWERED,
        acked=seq,
        window=(),
        rewound_at=-1,
        progress_at=now,
    )


def acknowledged(delivery: Delivery, seq: int, now: float) -> Delivery:
    """The centre said that it holds everything up to *seq*."""
    if seq > delivery.head:
        # More than there is: an older copy of a ledger finds that out by its next hello.
        return _goes(delivery, Input.FELL_BACK, window=(), hello_at=now)
    if seq > delivery.acked:
        return _advanced(delivery, Input.ADVANCED, seq, now)
    if seq < delivery.acked:
        return _goes(delivery, Input.FELL_BACK, window=(), hello_at=now)
    if delivery.state is State.ASKING:
        return _goes(delivery, Input.REPEATED, hello_at=now)
    if not delivery.window or delivery.rewound_at == seq:
        return delivery  # nothing to rewind, or the other repeats of a window that was rewound
    return _goes(
        delivery,
        Input.REPEATED,
        window=(),
        rewound_at=seq,
        progress_at=now,
        flow=delivery.flow.lost(delivery.pace),
    )


def differs(delivery: Delivery, now: float) -> Delivery:
    """The centre holds another event than this ledger somewhere: find out where both part."""
    return _goes(
        delivery,
        Input.DIFFERS,
        window=(),
        shared=0,
        differs=delivery.head + 1,
        compare_at=now,
        hello_at=now + delivery.pace.retry,
    )


def questioned(delivery: Delivery, number: int, now: float) -> Delivery:
    """The question *number* was sent."""
    again = now + delivery.pace.ask_again * delivery.flow.patience
    return replace(delivery, question=number, compare_at=again)


def compared(delivery: Delivery, number: int, shared: int, now: float) -> Delivery:
    """The centre answered question *number*: of its seqs *shared* is the last held alike, or 0."""
    seqs = _points(delivery.shared, delivery.differs)
    if delivery.state is not State.COMPARING or number != delivery.question:
        return delivery
    delivery = replace(
        delivery,
        shared=max(delivery.shared, shared),
        differs=next((seq for seq in seqs if seq > shared), delivery.differs),
        compare_at=now,
    )
    if delivery.differs > delivery.shared + 1:
        return delivery
    # What the centre does not hold at all differs from nothing.
    what = Input.PARTS if delivery.shared < delivery.acked else Input.SAME
    return _goes(delivery, what, hello_at=now)


def branched(delivery: Delivery, now: float) -> Delivery:
    """The ledger goes by a new name behind ``shared``: say hello under it."""
    return _goes(delivery, Input.BRANCHED, acked=delivery.shared, window=(), hello_at=now)


def refused(delivery: Delivery, now: float) -> Delivery:
    """The centre will not take this ledger as it is."""
    return _goes(delivery, Input.REFUSED, window=(), retry_at=now + delivery.pace.retry)


def ticked(delivery: Delivery, now: float) -> Delivery:
    """Time has passed: notice that nothing moves, or that a refusal may be tried again."""
    if delivery.state is State.REFUSED and now >= delivery.retry_at:
        return _goes(delivery, Input.RETRY, hello_at=now)
    stuck = delivery.window and now >= delivery.stalls_at
    ignored = delivery.heard < delivery.hello and now >= delivery.hello_at
    if stuck or ignored:
        flow = delivery.flow.lost(delivery.pace)
        return _goes(delivery, Input.STALLED, window=(), hello_at=now, flow=flow)
    return delivery


def _points(shared: int, differs: int) -> tuple[int, ...]:
    """Return up to POINTS seqs between both, evenly spread: each answer narrows it as much."""
    between = differs - shared - 1
    count = min(POINTS, between)
    return tuple(shared + between * number // count for number in range(1, count + 1))


def _advanced(delivery: Delivery, what: Input, seq: int, now: float) -> Delivery:
    left = tuple(upto for upto in delivery.window if upto > seq)
    arrived = len(delivery.window) - len(left)
    moved = arrived > 0 or seq > delivery.acked
    return _goes(
        delivery,
        what,
        acked=seq,
        window=left,
        progress_at=now if moved else delivery.progress_at,
        flow=delivery.flow.arrived(arrived),
    )


def _goes(delivery: Delivery, what: Input, **changes: object) -> Delivery:
    state = NEXT[delivery.state].get(what)
    if state is None:
        return delivery
    return replace(delivery, state=state, **changes)  # type: ignore[arg-type]
