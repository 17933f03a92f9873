"""Which bytes of a media file the box sends next: one file at a time, as a pure machine.

Owns the box's side of the media hand-over (docs/protocol.md). Promises that a file counts as
delivered only when the centre said that it is stored whole; that after any interruption the
centre is asked how much it holds, and sending goes on from there; that at most ``Upload.window``
bytes are under way; that ``Pace.rate`` is never exceeded by more than one chunk; and that a file
can be set aside for a more urgent one between any two chunks.

The window follows the line: it grows while acknowledgements come about as fast as they ever did,
and shrinks when bytes merely wait in front of the line.

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
    SET_ASIDE = auto()  # another file goes first
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
        Input.SET_ASIDE: State.IDLE,
        Input.FINISHED: State.IDLE,
        Input.LOST: State.OFFLINE,
    },
    State.SENDING: {
        Input.CONNECTED: State.IDLE,
        Input.ANSWERED: State.SENDING,
        Input.REPEATED: State.SENDING,
        Input.FELL_BACK: State.ASKING,
        Input.STALLED: State.ASKING,
        Input.SET_ASIDE: State.IDLE,
        Input.FINISHED: State.IDLE,
        Input.LOST: State.OFFLINE,
    },
}


# An acknowledgement that comes within the first, or within twice the fastest, says that the line
# takes more; one that takes longer than the second, and than three times the fastest, that bytes
# wait in front of it. Seconds.
_SOON = 0.05
_LATE = 0.1
# Bytes below which a message is mostly its own head.
_PACKET = 4 * KIB


@dataclass(frozen=True, slots=True)
class Pace:
    """Bytes of a chunk; of the window at first, at least and at most; seconds of patience.

    ``rate``: bytes a second that may be sent, 0 for no limit.
    """

    chunk: int = 64 * KIB
    window: int = 256 * KIB
    least: int = 128 * KIB
    most: int = 1024 * KIB
    stall: float = 4.0
    rate: int = 0

    @property
    def piece(self) -> int:
        """Bytes of one message: under a limited rate what it allows in a twentieth of a second.

        So whatever else uses the line waits that long at most. A very slow rate sends a packet.
        """
        if not self.rate:
            return self.chunk
        return min(self.chunk, self.rate, max(self.rate // 20, _PACKET))


_HOUR = 3600.0


def refused_again_after(times: int) -> float:
    """Return how long a file that the centre refused so often stays away, in seconds.

    1, 4, 16, 64 h, then a week: whoever mends a disk need not restart anything, and a file that
    never comes right costs the line little.
    """
    return min(_HOUR * 4.0 ** (min(times, 5) - 1), 7 * 24 * _HOUR)


@dataclass(frozen=True, slots=True)
class File:
    """A media file to deliver. ``sort``: snapshot | photo | recording; a low rank goes first."""

    sha256: str
    size: int
    sort: str
    rank: int = 0


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
    """The delivery of media. ``held`` bytes are durable at the centre, ``sent`` are under way.

    ``marks``: up to which byte each chunk under way reaches, and when it was sent; ``fastest``:
    the shortest round trip on this connection, 0 before the first, and ``latest`` the last one;
    ``free_at``: when the rate allows the next chunk.
    """

    pace: Pace = Pace()
    state: State = State.OFFLINE
    file: File | None = None
    held: int = 0
    sent: int = 0
    ask_at: float = 0.0
    progress_at: float = 0.0
    rewound_at: int = -1
    window: int = 0
    marks: tuple[tuple[int, float], ...] = ()
    fastest: float = 0.0
    latest: float = 0.0
    free_at: float = 0.0

    @property
    def patience(self) -> float:
        """Seconds without progress after which something went missing; more on a slow line."""
        return max(self.pace.stall, 4 * self.latest)


def within_hours(hours: tuple[int, int] | None, second: int) -> bool:
    """Tell whether *second* of the day lies in *hours*, from and to in seconds; None is always.

    The first belongs to them, the last does not; they may go over midnight.
    """
    if hours is None:
        return True
    begins, ends = hours
    return begins <= second < ends if begins < ends else second >= begins or second < ends


def step(upload: Upload, now: float) -> Step:
    """Return what to do now. After Pick, Ask or Send say so with picked, asked or sent."""
    if upload.state is State.OFFLINE:
        return Wait(None)
    if upload.state is State.IDLE or upload.file is None:
        return Pick()
    if upload.state is State.ASKING:
        return Ask(upload.file) if now >= upload.ask_at else Wait(upload.ask_at)
    length = min(upload.pace.piece, upload.file.size - upload.sent)
    room = upload.window - (upload.sent - upload.held)
    if length > 0 and (room >= length or upload.sent == upload.held):
        if now >= upload.free_at:
            return Send(upload.file, upload.sent, length)
        return Wait(upload.free_at)
    return Wait(upload.progress_at + upload.patience)


def connected(upload: Upload) -> Upload:
    """A connection stands; whatever was under way is asked for again."""
    return _goes(
        upload,
        Input.CONNECTED,
        file=None,
        marks=(),
        window=upload.pace.window,
        fastest=0.0,
        latest=0.0,
    )


def lost(upload: Upload) -> Upload:
    """The connection is gone."""
    return _goes(upload, Input.LOST, file=None)


def picked(upload: Upload, file: File, now: float) -> Upload:
    """*file* is the next to go."""
    return _goes(
        upload, Input.PICKED, file=file, held=0, sent=0, ask_at=now, rewound_at=-1, marks=()
    )


def set_aside(upload: Upload) -> Upload:
    """Something more urgent goes first; the centre keeps what it holds of this file."""
    return _goes(upload, Input.SET_ASIDE, file=None)


def asked(upload: Upload, now: float) -> Upload:
    """The offer was sent."""
    return replace(upload, ask_at=now + upload.patience)


def sent(upload: Upload, length: int, now: float) -> Upload:
    """A chunk of *length* bytes was sent."""
    upto = upload.sent + length
    busy = length / upload.pace.rate if upload.pace.rate else 0.0
    return replace(
        upload,
        sent=upto,
        marks=(*upload.marks, (upto, now)),
        progress_at=now if upload.sent == upload.held else upload.progress_at,
        free_at=max(upload.free_at, now) + busy,
    )


def answered(upload: Upload, sha256: str, offset: int, now: float) -> Upload:
    """The centre said that it holds *offset* bytes of that file durably."""
    if upload.file is None or upload.file.sha256 != sha256 or offset > upload.file.size:
        return upload
    if upload.state is State.ASKING:
        return _goes(
            upload,
            Input.ANSWERED,
            held=offset,
            sent=offset,
            progress_at=now,
            rewound_at=-1,
            marks=(),
        )
    if offset > upload.held:
        # What was sent again after a rewind may already be there.
        changed = _goes(
            upload, Input.ANSWERED, held=offset, sent=max(upload.sent, offset), progress_at=now
        )
        return _measured(changed, offset, now)
    if offset < upload.held:
        return _goes(upload, Input.FELL_BACK, ask_at=now)
    if upload.sent == upload.held or upload.rewound_at == offset:
        return upload
    return _goes(upload, Input.REPEATED, sent=offset, rewound_at=offset, progress_at=now, marks=())


def finished(upload: Upload, sha256: str) -> Upload:
    """The centre stored that file whole, or refused it: it is done with."""
    if upload.file is None or upload.file.sha256 != sha256:
        return upload
    return _goes(upload, Input.FINISHED, file=None)


def ticked(upload: Upload, now: float) -> Upload:
    """Time has passed: notice that nothing moves."""
    if upload.state is not State.SENDING or upload.file is None:
        return upload
    expects = upload.sent > upload.held or upload.held == upload.file.size
    if expects and now - upload.progress_at >= upload.patience:
        return _goes(upload, Input.STALLED, ask_at=now, window=upload.pace.least)
    return upload


def _measured(upload: Upload, offset: int, now: float) -> Upload:
    """Let the window follow how long the chunks took that are held since this answer."""
    taken = [at for upto, at in upload.marks if upto <= offset]
    if not taken:
        return upload
    latest = now - taken[-1]
    fastest = min(upload.fastest or latest, latest)
    window = upload.window
    if latest <= max(2 * fastest, _SOON):
        window = min(window + upload.pace.chunk, upload.pace.most)
    elif latest > max(3 * fastest, _LATE):
        window = max(window - upload.pace.chunk, upload.pace.least)
    return replace(
        upload, marks=upload.marks[len(taken) :], window=window, latest=latest, fastest=fastest
    )


def _goes(upload: Upload, what: Input, **changes: object) -> Upload:
    state = NEXT[upload.state].get(what)
    if state is None:
        return upload
    return replace(upload, state=state, **changes)  # type: ignore[arg-type]
