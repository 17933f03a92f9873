"""The chains and anchors in a bundle: every hash, link and signature. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from edge import chain
from edge.events import BadBody, Body, BodyErased, LedgerBorn
from edge.model import MINUTE, ClockQuality, Duration, Instant
from edge.signing import signed
from sync import wire
from sync.central.bundle import facts, form
from sync.central.bundle.form import BadForm, ChainOf, Line, Manifest
from sync.messages import Anchor

Chains = Sequence[tuple[ChainOf, list[Line]]]

# What the clocks of box and centre may be apart, though both call themselves synchronised.
_APART: Duration = 10 * MINUTE


class Fault(Exception):
    """The first thing that is wrong: ``code`` is one of explain.FAULTS, ``place`` says where."""

    def __init__(self, code: str, place: str = "") -> None:
        super().__init__(f"{code}: {place}")
        self.code = code
        self.place = place


def checked(stated: ChainOf, content: bytes) -> list[Line]:
    """Return the events of a chain's stretch, every one of them checked."""
    where = f"{stated.file} ({stated.box})"
    try:
        lines = list(form.lines_in(content))
    except BadForm as error:
        code = "body_without_salt" if "salt" in str(error) else "chain_unreadable"
        raise Fault(code, f"{where}: {error}") from error
    _in_order(stated, lines, where)
    previous = lines[0].record.event.prev_hash
    if stated.first == 1 and previous != chain.genesis(stated.root):
        raise Fault("chain_foreign", where)
    for line in lines:
        event = line.record.event
        place = f"{where}: {event.seq} {event.kind}"
        if chain.recomputed_hash(event) != event.hash:
            raise Fault("event_changed", place)
        if not signed(stated.key, event.hash, event.signature):
            raise Fault("event_resigned", place)
        if event.prev_hash != previous:
            raise Fault("event_unlinked", place)
        salt, body = line.record.salt, line.record.body
        if salt is not None and body is not None:
            if chain.body_hash(salt, body) != event.body_hash:
                raise Fault("body_changed", place)
            _born(stated, line, place)
        previous = event.hash
    return lines


def _in_order(stated: ChainOf, lines: Sequence[Line], where: str) -> None:
    """Check that the events are those from ``first`` to ``last``, each once."""
    there = {line.record.event.seq for line in lines}
    expected = range(stated.first, stated.last + 1)
    for number, seq in enumerate(expected):
        if number >= len(lines) or lines[number].record.event.seq != seq:
            raise Fault("event_reordered" if seq in there else "event_removed", f"{where}: {seq}")
    if len(lines) != len(expected) or not lines:
        raise Fault("event_added", f"{where}: {stated.last + 1}")


def _born(stated: ChainOf, line: Line, place: str) -> None:
    body = body_of(line, place)
    if isinstance(body, LedgerBorn) and (body.ledger_uuid, body.public_key) != (
        stated.root,
        stated.key.hex(),
    ):
        raise Fault("chain_foreign", place)


def check_erasures(chains: Chains) -> None:
    """Check that just those bodies are erased that an event says are.

    An event of a branch may erase what the branch shares with its parent.
    """
    said: set[bytes] = set()
    for stated, lines in chains:
        for line in lines:
            body = body_of(line, stated.file)
            if isinstance(body, BodyErased):
                inside = [seq for seq in body.seqs if stated.first <= seq <= stated.last]
                said.update(lines[seq - stated.first].record.event.hash for seq in inside)
    for stated, lines in chains:
        for line in lines:
            event = line.record.event
            place = f"{stated.file} ({stated.box}): {event.seq} {event.kind}"
            if line.absent == form.ERASED and event.hash not in said:
                raise Fault("erasure_unfounded", place)
            if not line.absent and event.hash in said:
                raise Fault("erased_present", place)


def body_of(line: Line, place: str) -> Body | None:
    """Return the body of an event that is there. Raises Fault."""
    try:
        return facts.body_of(line)
    except BadBody as error:
        raise Fault("body_unreadable", f"{place}: {error}") from error


def check_anchors(manifest: Manifest, chains: Chains, content: bytes) -> Instant:
    """Check every anchor; return since when they cover all bodies that are in the bundle."""
    try:
        anchors = form.anchors_in(content)
    except BadForm as error:
        raise Fault("anchor_changed", f"{form.ANCHORS}: {error}") from error
    covering: dict[str, list[Anchor]] = {one.file: [] for one in manifest.chains}
    for anchor in anchors:
        place = f"{anchor.ledger} {anchor.seq}"
        if not signed(manifest.key, wire.signed_part(anchor), anchor.signature):
            raise Fault("anchor_changed", place)
        found = False
        for stated, lines in chains:
            held = hash_at(stated, lines, anchor.ledger, anchor.seq)
            if held is None:
                continue
            found = True
            if held != anchor.hash:
                raise Fault("anchor_disagrees", place)
            covering[stated.file].append(anchor)
        if not found:
            raise Fault("anchor_foreign", place)
    return max((_covered(manifest, *one, covering[one[0].file]) for one in chains), default=0)


def _covered(
    manifest: Manifest, stated: ChainOf, lines: Sequence[Line], anchors: list[Anchor]
) -> Instant:
    """Check that anchors hold both ends of a stretch, and that no clock contradicts them."""
    where = f"{stated.file} ({stated.box})"
    at = {anchor.seq: anchor for anchor in anchors}
    if stated.last not in at:
        raise Fault("anchor_missing", f"{where}: {stated.last}")
    if stated.first > 1 and stated.first - 1 not in at:
        raise Fault("anchor_missing", f"{where}: {stated.first - 1}")
    before: Instant = 0
    latest: Instant = 0
    needed = max((line.record.event.seq for line in lines if not line.absent), default=0)
    since: Instant | None = None
    for line in lines:
        event = line.record.event
        if event.reading.clock is ClockQuality.SYNCHRONISED:
            latest = max(latest, event.reading.at)
        anchor = at.get(event.seq)
        if anchor is None:
            continue
        if not max(before, latest - _APART) <= anchor.at <= manifest.made_at:
            raise Fault("clock_forged", f"{where}: {anchor.seq}")
        before = anchor.at
        if since is None and anchor.seq >= needed:
            since = anchor.at
    return since or before


def hash_at(stated: ChainOf, lines: Sequence[Line], ledger: str, seq: int) -> bytes | None:
    """Return the hash of event *seq* of *ledger* where it lies on that stretch or just before."""
    if not stated.owns(ledger, seq) or not stated.first - 1 <= seq <= stated.last or seq < 1:
        return None
    if seq == stated.first - 1:
        return lines[0].record.event.prev_hash
    return lines[seq - stated.first].record.event.hash
