"""How fast a backlog goes home, what that costs both sides, and how records fare beside media.

Real link, real Mosquitto, real ingest. The references insert the rows that the drain left into the
same tables, with the plain driver and nothing else.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from statistics import median, quantiles

from edge.clock import SystemClock
from edge.keys import Signer
from edge.ledger import Ledger
from sync.central.ingest_core import Known, Store, judge
from sync.messages import BATCH_EVENTS, Batch, Record
from tests.bench import inserts
from tests.bench.beside import Beside, beside_media, sent_again_in_a_drain, sent_again_in_a_file
from tests.bench.figures import Figure
from tests.bench.way import BOX, Drained, cpu_seconds, opened, write_backlog
from tests.postgres import Postgres

EVENTS = 100_000
MEDIA_MB = 200
ROUNDS = 3
# The events under way at most (sync.delivery.Pace.window), and what design allows beside.
_GROWTH_MB = 20 * 128 / 1024 + 10


def figures(events: int = EVENTS, media: int = MEDIA_MB) -> Iterator[Figure]:
    """Drain a backlog of *events* into both databases, then send *media* MB beside records."""
    with tempfile.TemporaryDirectory(prefix="bench-sync-") as name, ExitStack() as held:
        folder = Path(name)
        backlog = folder / "backlog"
        write_backlog(backlog, events)
        drained: list[Drained] = []
        commits: list[inserts.Commit] = []

        def drain(database: str = "") -> float:
            with opened(folder, backlog, database) as way:
                drained.append(way.drain())
                commits[:] = commits or inserts.commits_of(way.store)
            return drained[-1].rate

        yield Figure(
            name="drain sqlite",
            ours=drain,
            reference=lambda: inserts.into_sqlite(folder, commits),
            unit="events/s",
            reference_is="plain sqlite3, the same rows into the same tables, 500 events a commit",
            goal=">= 0.5",
            rounds=ROUNDS,
        )
        yield from _costs(drained, backlog)
        server = held.enter_context(Postgres(durable=True))

        def on_postgres(measure: str) -> float:
            with server.database() as database:
                if measure == "drain":
                    return drain(database)
                if measure == "insert":
                    return inserts.by_the_centre(database, commits)
                return inserts.into_postgresql(database, commits)

        copied = "psycopg, COPY into a temporary table, INSERT … ON CONFLICT, 500 events a commit"
        for figure, what, goal in (
            ("drain postgresql", "drain", ">= 0.5"),
            ("postgresql ingest", "insert", ">= 0.7"),
        ):
            yield Figure(
                name=figure,
                ours=lambda what=what: on_postgres(what),  # type: ignore[misc]
                reference=lambda: on_postgres("copy"),
                unit="events/s",
                reference_is=copied,
                goal=goal,
                rounds=ROUNDS,
            )
        yield from _beside(folder, media)
        short = folder / "short"
        write_backlog(short, min(events, 20_000))
        yield _found(
            "sent again after a cut in a file", sent_again_in_a_file(folder), "kB", "<= 1280"
        )
        yield _found(
            "sent again after a cut in a drain",
            sent_again_in_a_drain(folder, short),
            "kB",
            "<= 2622",  # what may be under way: 20 messages of 128 KiB
        )


def _costs(drained: list[Drained], backlog: Path) -> Iterator[Figure]:
    """Yield what the drains took of processor and memory, signing and checking apart."""
    checking = _checking(backlog)
    link = [one.link_cpu for one in drained]
    ingest = [one.ingest_cpu - checking for one in drained]
    micro = "CPU µs/event"
    yield _found("cpu link", median(link), micro, "<= 10")
    yield _found("cpu ingest without checking", median(ingest), micro, "<= 15")
    yield _found("cpu checking", checking, micro)
    yield _found("cpu signing", _signing(backlog), micro)
    most = f"<= {_GROWTH_MB:g}"
    yield _found("memory link", max(one.link_growth for one in drained), "MB grown", most)
    yield _found("memory ingest", max(one.ingest_growth for one in drained), "MB grown", most)


def _beside(folder: Path, media: int) -> Iterator[Figure]:
    """Yield how records fare while *media* MB go over a line of 1 MB/s."""
    result: Beside = beside_media(folder, media)
    hundredths = quantiles(result.waits, n=100)
    yield _found("record beside media, p50", hundredths[49], "ms", "<= 100")
    yield _found("record beside media, p99", hundredths[98], "ms", "<= 100")
    yield Figure(
        name="media beside records",
        ours=lambda: result.media_rate / 1e6,
        reference=lambda: 1.0,
        unit="MB/s",
        reference_is="the line, throttled to 1 MB/s for everything on it",
        goal=">= 0.9",
        rounds=1,
    )


def _checking(backlog: Path) -> float:
    """Return CPU µs an event of the hashes, the links and the signature of each batch."""
    ledger = Ledger.open(backlog, BOX, SystemClock("trusted"))
    try:
        records = [Record(one.event, one.salt, one.body) for one in ledger.events(0, 20_000)]
        known = Known.born(ledger.uuid, ledger.public_key)
    finally:
        ledger.close()
    before = cpu_seconds(os.getpid())
    for first in range(0, len(records), BATCH_EVENTS):
        batch = Batch(known.ledger, first, tuple(records[first : first + BATCH_EVENTS]))
        verdict = judge(known, batch, {}, {})
        assert isinstance(verdict, Store)
        known = Known(known.ledger, known.public_key, verdict.last, verdict.last_hash)
    return 1e6 * (cpu_seconds(os.getpid()) - before) / len(records)


def _signing(backlog: Path) -> float:
    """Return CPU µs of one signature under an event's hash, which its append pays."""
    signer = Signer(backlog / "keys" / "ledger.key")
    hashes = [number.to_bytes(32, "big") for number in range(20_000)]
    before = cpu_seconds(os.getpid())
    for one in hashes:
        signer.sign(one)
    return 1e6 * (cpu_seconds(os.getpid()) - before) / len(hashes)


def _found(name: str, value: float, unit: str, goal: str = "") -> Figure:
    """Return a figure of its own, measured already, with nothing to hold it against."""
    goal = f"ours {goal}" if goal else ""
    return Figure(name, lambda: value, None, unit, "", goal, rounds=1)
