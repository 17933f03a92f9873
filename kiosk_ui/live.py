"""Live updates: one watcher looks at the box, every open page hears of changes.

Promises that a page which has just connected, or lost its stream and came back, is sent the whole
state first; and that a stream never outlives its page by more than a heartbeat.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator

from edge.clock import monotonic
from edge.ledger import Ledger
from edge.model import Instant
from edge.store import Watch
from kiosk_ui.runtime import Now, Runtime

HEARTBEAT_S = 5.0
# A page that is reloaded leaves a stream behind until its next heartbeat; the oldest gives way.
MOST_STREAMS = 6
_POLL_S = 0.1


class Live:
    """Counts the changes of the box."""

    def __init__(self, ledger: Ledger, runtime: Runtime) -> None:
        self._ledger = ledger
        self._runtime = runtime
        self._changed = threading.Condition()
        self._count = 0
        self._seen: Now | None = None
        self._streams: deque[threading.Event] = deque()
        self._stop = threading.Event()
        self._watch: Watch | None = None

    def look(self) -> None:
        """Wait a moment for a change of the ledger or the runtime folder, and tell the pages.

        The service's loop calls this again and again, from one thread.
        """
        if self._watch is None:
            self._watch = self._ledger.store.watch()
        changed = self._watch.wait(_POLL_S, self._stop)
        now = self._runtime.now()
        if changed or now != self._seen:
            self._seen = now
            with self._changed:
                self._count += 1
                self._changed.notify_all()

    def close(self) -> None:
        """End all streams and stop watching; the loop around ``look`` must have ended."""
        self._stop.set()
        with self._changed:
            for ended in self._streams:
                ended.set()
            self._changed.notify_all()
        if self._watch is not None:
            self._watch.close()
            self._watch = None

    def wait(self, count: int, timeout: float, ended: threading.Event) -> None:
        """Wait until there were more than *count* changes, at most *timeout* seconds."""
        with self._changed:
            self._changed.wait_for(lambda: self._count != count or ended.is_set(), timeout)

    def stream(self, state: Callable[[], tuple[str, Instant, Instant | None]]) -> Iterator[str]:
        """Yield server-sent events: the whole state at first and after each change.

        *state* returns what a page shows as one line of JSON, the time now, and when that will
        change by time alone.
        """
        ended = self._join()
        try:
            sent, beat = "", 0.0
            while not ended.is_set():
                count = self._count
                shown, now, changes_at = state()
                if shown != sent:
                    yield f"event: beat\ndata: {now}\n\ndata: {shown}\n\n"
                    sent, beat = shown, monotonic()
                elif monotonic() - beat >= HEARTBEAT_S:
                    yield f"event: beat\ndata: {now}\n\n"
                    beat = monotonic()
                wait = HEARTBEAT_S
                if changes_at is not None:
                    wait = min(wait, max(_POLL_S, (changes_at - now) / 1_000_000))
                self.wait(count, wait, ended)
        finally:
            with self._changed:
                if ended in self._streams:
                    self._streams.remove(ended)

    def _join(self) -> threading.Event:
        ended = threading.Event()
        with self._changed:
            if self._stop.is_set():
                ended.set()
            self._streams.append(ended)
            while len(self._streams) > MOST_STREAMS:
                self._streams.popleft().set()
            self._changed.notify_all()
        return ended
