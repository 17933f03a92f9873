"""What an ingester tells Prometheus: true, on loopback only, and documented."""

from __future__ import annotations

import re
import socket
import urllib.request
from dataclasses import replace

import pytest
from prometheus_client import Counter

from edge.events import ServiceStarted
from sync.central import metrics
from tests.central.centres import Centre
from tests.chains import Chain, batch_of
from tests.house import ROOT
from tests.processes import free_port


def value(figure: Counter, **labels: str) -> float:
    """Return what stands in the registry, 0 before the first."""
    name = f"{next(iter(figure.describe())).name}_total"
    return metrics.REGISTRY.get_sample_value(name, labels) or 0.0


def test_events_redeliveries_and_gaps_count_once_committed(centre: Centre) -> None:
    """A batch counts its events; the same again and one too early count as what they are."""
    before = [value(one) for one in (metrics.EVENTS, metrics.REDELIVERIES, metrics.GAPS)]
    chain = Chain()
    for _ in range(9):
        chain.append(ServiceStarted("link", "1"))
    centre.know(chain)
    for batch in (chain.batch(0, 4), chain.batch(0, 4), chain.batch(6, 2), chain.batch(4, 6)):
        centre.hear(chain.box, batch)
    after = [value(one) for one in (metrics.EVENTS, metrics.REDELIVERIES, metrics.GAPS)]
    assert [now - then for now, then in zip(after, before, strict=True)] == [10, 1, 1]


def test_incidents_count_by_their_cause(centre: Centre) -> None:
    """Each time that something is set aside its cause counts, repetitions included."""
    before = value(metrics.INCIDENTS, cause="forged")
    chain = Chain()
    centre.know(chain)
    event = replace(chain.records[0].event, signature=bytes(64))
    forged = batch_of(chain.uuid, [replace(chain.records[0], event=event)])
    centre.hear(chain.box, forged)
    centre.hear(chain.box, forged)
    assert value(metrics.INCIDENTS, cause="forged") - before == 2


def test_boxes_heard_lately_are_counted(centre: Centre) -> None:
    """Two boxes that said hello are two, however often they did."""
    for name in ("room-203", "room-204", "room-203"):
        centre.know(Chain(name, f"ledger of {name}"))
    assert metrics.REGISTRY.get_sample_value("classbox_boxes_heard") == 2


def test_figures_are_served_on_loopback_and_end_with_the_block() -> None:
    """Prometheus finds them while the ingester runs; the port is free again afterwards."""
    port = free_port()
    with metrics.served(port):
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=30) as answer:
            assert b"classbox_events_total" in answer.read()
        with pytest.raises(OSError), metrics.served(port):
            raise AssertionError("it was served twice")
    socket.create_server(("127.0.0.1", port)).close()


def test_every_figure_is_documented() -> None:
    """docs/centre.md explains each figure there is, and no other."""
    text = (ROOT / "docs/centre.md").read_text("utf-8")
    documented = set(re.findall(r"^\| `(\w+)` \|", text, re.M))
    there = set()
    for metric in metrics.REGISTRY.collect():
        there.add(f"{metric.name}_total" if metric.type == "counter" else metric.name)
    assert documented == there
