"""What an ingester tells Prometheus about itself (docs/centre.md lists and explains it).

Owns the names. Each process counts from its start; what is counted in a transaction counts once
it is committed, except incidents, which also count when they happen again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, start_http_server

from edge.clock import monotonic

HEARD_WITHIN_S = 60.0

REGISTRY = CollectorRegistry()

Figure = Counter

MESSAGES = Counter(
    "classbox_messages", "Messages taken from the broker", ["channel"], registry=REGISTRY
)
EVENTS = Counter("classbox_events", "Events stored", registry=REGISTRY)
BATCHES = Counter(
    "classbox_batches", "Transactions, each with the messages that had come", registry=REGISTRY
)
REDELIVERIES = Counter(
    "classbox_redeliveries", "Messages whose events were held already", registry=REGISTRY
)
GAPS = Counter(
    "classbox_gaps",
    "Messages not stored because something before them is missing",
    registry=REGISTRY,
)
INCIDENTS = Counter(
    "classbox_incidents", "What was set aside for a person", ["cause"], registry=REGISTRY
)
MEDIA_BYTES = Counter("classbox_media_bytes", "Bytes of media made durable", registry=REGISTRY)
COMMIT_SECONDS = Histogram(
    "classbox_commit_seconds",
    "From taking messages to having committed what they hold",
    ["channel"],
    buckets=(0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10),
    registry=REGISTRY,
)
DROPPED = Counter(
    "classbox_dropped_messages",
    "Messages let go of because too much waited; boxes send them again",
    ["channel"],
    registry=REGISTRY,
)
QUEUE = Gauge(
    "classbox_queue_messages",
    "Messages received and not yet taken",
    ["channel"],
    registry=REGISTRY,
)
QUEUE_BYTES = Gauge(
    "classbox_queue_bytes",
    "Bytes of the messages received and not yet taken",
    ["channel"],
    registry=REGISTRY,
)
BOXES = Gauge(
    "classbox_boxes_heard", f"Boxes heard within the last {HEARD_WITHIN_S:.0f} s", registry=REGISTRY
)


class Heard:
    """Which boxes were heard lately. One thread notes, another may count."""

    def __init__(self) -> None:
        self._at: dict[str, float] = {}
        BOXES.set_function(self.count)

    def note(self, box: str) -> None:
        """A message of *box* has come."""
        self._at[box] = monotonic()

    def count(self) -> float:
        """Return how many were heard within HEARD_WITHIN_S."""
        since = monotonic() - HEARD_WITHIN_S
        return float(sum(at >= since for at in list(self._at.values())))


@contextmanager
def served(port: int) -> Iterator[None]:
    """Serve the figures on that loopback port while the block runs; 0 serves none.

    Raises OSError when something else has the port.
    """
    if not port:
        yield
        return
    server, thread = start_http_server(port, "127.0.0.1", REGISTRY)
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def watch(channel: str, length: Callable[[], float], size: Callable[[], float]) -> None:
    """Let the queue of *channel* hold as many messages as *length* says, and bytes as *size*."""
    QUEUE.labels(channel).set_function(length)
    QUEUE_BYTES.labels(channel).set_function(size)
