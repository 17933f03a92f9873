"""Which bytes of a media file the box sends next: one file at a time, as a pure machine.

Owns the box's side of the media hand-over (docs/protocol.md). Promises that a file counts as
delivered only when the centre said that it is stored whole; that after any interruption the
centre is asked how much it holds, and sending goes on from there; and that at most
``Pace.window`` bytes are under way.

Pure: frozen values in, frozen values out; ``now`` is a monotonic time in seconds.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum, auto

from sync.messages import KIB


class State(Enum):
    """Where the upload of media stands."""

    OFFLINE = auto()  # no connection
    IDLE = auto()  # connected, no file chosen
    ASKING = auto()  # an offer is due or sent; its answer says how much the centre holds
    SENDING = auto()  # chunks may flow


class Input(Enum):
    """What can happen to it."""

    CONNECTED = auto()
    LOST = auto()
    PICKED = auto()  # the next file was chosen
    ANSWERED = auto()  # the centre said how much it holds
    REPEATED = auto()  # it said the same again: a chunk went missing
    FELL_BACK = auto()  # it holds less than it said: it lost what was not yet durable
    STALLED = auto()
    FINISHED = auto()  # stored whole, or refused for good


# The whole machine. An input that a state does not list changes nothing.
NEXT: dict[State, dict[Input, State]] = {
    State.OFFLINE: {Input.CONNECTED: State.IDLE},
    State.IDLE: {
        Input.CONNECTED: State.IDLE,
        Input.PICKED: State.ASKING,
        Input.LOST: State.OFFLINE,
    },
    State.ASKING: {
        Input.CONNECTED: State.IDLE,
        Input.ANSWERED: State.SENDING,
        Input.FINISHED: State.IDLE,
        Input.LOST: State.OFFLINE,
    },
    State.SENDING: {
        Input.CONNECTED: State.IDLE,
        Input.ANSWERED: State.SENDING,
        Input.REPEATED: State.SENDING,
        Input.FELL_BACK: State.ASKING,
        Input.STALLED: State.ASKING,
        Input.FINISHED: State.IDLE,
        Input.LOST: State.OFFLINE,
    },
}


@dataclass(frozen=True, slots=True)
class Pace:
    """Bytes of a chunk and under way at once; seconds of patience."""

    chunk: int = 128 * KIB
    window: int = 512 * KIB
    stall: float = 4.0


@dataclass(frozen=True, slots=True)
class File:
    """A media file to deliver. ``sort``: snapshot | photo | recording."""

    sha256: str
    size: int
    sort: str


@dataclass(frozen=True, slots=True)
class Pick:
    """Choose the next file, if there is one."""


@dataclass(frozen=True, slots=True)
class Ask:
    """Offer the file."""

    file: File


@dataclass(frozen=True, slots=True)
class Send:
    """Send *length* bytes of the file from *offset* on."""

    file: File
    offset: int
    length: int


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing to do before ``until``, or before something happens (None)."""

    until: float | None


Step = Pick | Ask | Send | Wait


@dataclass(frozen=True, slots=True)
class Upload:
    """The delivery of media. ``held`` bytes are durable at the centre, ``sent`` are under way."""

    pace: Pace = Pace()
    state: State = State.OFFLINE
    file: File | None = None
    held: int = 0
    sent: int = 0
    ask_at: float = 0.0
    progress_at: float = 0.0
    rewound_at: int = -1


def step(upload: Upload, now: float) -> Step:
    """Return what to do now. After Pick, Ask or Send say so with picked, asked or sent."""
    if upload.state is State.OFFLINE:
        return Wait(None)
    if upload.state is State.IDLE or upload.file is None:
        return Pick()
    if upload.state is State.ASKING:
        return Ask(upload.file) if now >= upload.ask_at else Wait(upload.ask_at)
    length = min(upload.pace.chunk, upload.file.size - upload.sent)
    room = upload.pace.window - (upload.sent - upload.held)
    if length > 0 and (room >= length or upload.sent == upload.held):
        return Send(upload.file, upload.sent, length)
    return Wait(upload.progress_at + upload.pace.stall)


def connected(upload: Upload) -> Upload:
    """A connection stands; whatever was under way is asked for again."""
    return _goes(upload, Input.CONNECTED, file=None)


def lost(upload: Upload) -> Upload:
    """The connection is gone."""
    return _goes(upload, Input.LOST, file=None)


def picked(upload: Upload, file: File, now: float) -> Upload:
    """*file* is the next to go."""
    return _goes(upload, Input.PICKED, file=file, held=0, sent=0, ask_at=now, rewound_at=-1)


def asked(upload: Upload, now: float) -> Upload:
    """The offer was sent."""
    return replace(upload, ask_at=now + upload.pace.stall)


def sent(upload: Upload, length: int, now: float) -> Upload:
    """A chunk of *length* bytes was sent."""
    progress_at = now if upload.sent == upload.held else upload.progress_at
    return replace(upload, sent=upload.sent + length, progress_at=progress_at)


def answered(upload: Upload, sha256: str, offset: int, now: float) -> Upload:
    """The centre said that it holds *offset* bytes of that file durably."""
    if upload.file is None or upload.file.sha256 != sha256 or offset > upload.file.size:
        return upload
    if upload.state is State.ASKING:
        return _goes(
            upload, Input.ANSWERED, held=offset, sent=offset, progress_at=now, rewound_at=-1
        )
    if offset > upload.held:
        # What was sent again after a rewind may already be there.
        return _goes(
            upload, Input.ANSWERED, held=offset, sent=max(upload.sent, offset), progress_at=now
        )
    if offset < upload.held:
        return _goes(upload, Input.FELL_BACK, ask_at=now)
    if upload.sent == upload.held or upload.rewound_at == offset:
        return upload
    return _goes(upload, Input.REPEATED, sent=offset, rewound_at=offset, progress_at=now)


def finished(upload: Upload, sha256: str) -> Upload:
    """The centre stored that file whole, or refused it: it is done with."""
    if upload.file is None or upload.file.sha256 != sha256:
        return upload
    return _goes(upload, Input.FINISHED, file=None)


def ticked(upload: Upload, now: float) -> Upload:
    """Time has passed: notice that nothing moves."""
    if upload.state is State.SENDING and now - upload.progress_at >= upload.pace.stall:
        return _goes(upload, Input.STALLED, ask_at=now)
    return upload


def _goes(upload: Upload, what: Input, **changes: object) -> Upload:
    state = NEXT[upload.state].get(what)
    if state is None:
        return upload
    return replace(upload, state=state, **changes)  # type: ignore[arg-type]
