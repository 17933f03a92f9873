"""Whether a chain of events is what its owner signed: the check itself, wherever they lie. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from edge import chain
from edge.chain import Event
from edge.signing import signed


@dataclass(frozen=True, slots=True)
class Record:
    """One event with what stands beside the chain; ``salt`` and ``body`` are None when erased."""

    event: Event
    salt: bytes | None
    body: bytes | None


@dataclass(slots=True)
class Report:
    """What ``check`` found. ``problems`` are sentences; an intact ledger has none."""

    events: int = 0
    erased: int = 0
    problems: list[str] = field(default_factory=list)

    @property
    def intact(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems


def check(
    records: Iterable[Record], uuid: str, public_key: bytes, head: tuple[int, bytes]
) -> Report:
    """Check every hash, link, signature and body, and that *head* (seq, hash) is the last event.

    *uuid* is the name that the ledger was born under, *public_key* its raw Ed25519 key.
    """
    report = Report()
    head_seq, head_hash = head
    prev = chain.genesis(uuid)
    for record in records:
        event = record.event
        report.events += 1
        where = f"event {event.seq} ({event.kind})"
        if event.seq != report.events:
            report.problems.append(f"{where}: event {report.events} is missing before it")
            return report
        if event.prev_hash != prev:
            report.problems.append(f"{where}: does not follow from the event before it")
        if chain.recomputed_hash(event) != event.hash:
            report.problems.append(f"{where}: its header was changed")
        if not signed(public_key, event.hash, event.signature):
            report.problems.append(f"{where}: not signed by this box's key")
        if record.salt is None or record.body is None:
            report.erased += 1
        elif chain.body_hash(record.salt, record.body) != event.body_hash:
            report.problems.append(f"{where}: its body was changed")
        prev = event.hash
        if event.seq == head_seq and event.hash != head_hash:
            report.problems.append("head: differs from the last event")
    if report.events < head_seq:
        report.problems.append(f"head: says {head_seq} events, but {report.events} are there")
    return report
