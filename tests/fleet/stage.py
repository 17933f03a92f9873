"""A centre of real processes for a fleet of light boxes: broker, database, ingesters."""

from __future__ import annotations

import socket
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from sync.central.config import CentreConfig, load
from sync.central.share import Share
from sync.central.store import CentralStore
from tests.brokers import Broker
from tests.processes import CLASSBOX, Child, NotInTime, free_port, wait_for


class Ingester(Child):
    """One ingester, as its unit starts it, with its share and its figures."""

    def __init__(self, settings: Path, share: Share, metrics_port: int, log: Path) -> None:
        program: list[str | Path] = [CLASSBOX, "--config", settings, "centre", "ingest"]
        which = ["--number", str(share.number), "--of", str(share.of)]
        super().__init__(share.name, [*program, *which], log)
        self.share = share
        self._metrics_port = metrics_port

    def start(self) -> None:
        """Start it and return when it listens to its boxes."""
        self.log.write_bytes(b"")
        super().start()
        wait_for(f"{self.name} listens", partial(self.said, "ingest: connected"), 60)

    def figures(self) -> dict[str, float]:
        """Return its figures for Prometheus: of those with a channel, that of the events."""
        address = f"http://127.0.0.1:{self._metrics_port}/metrics"
        with urllib.request.urlopen(address, timeout=30) as answer:
            families = text_string_to_metric_families(answer.read().decode("utf-8"))
        return {
            sample.name: sample.value
            for family in families
            for sample in family.samples
            if sample.labels.get("channel", "up/events") == "up/events"
        }


class Stage:
    """A centre whose ingesters a test starts, hurts and starts again."""

    def __init__(self, folder: Path, broker: Broker, ingesters: int, database: str) -> None:
        settings = folder / "centre.toml"
        metrics_port = _free_ports(ingesters)
        settings.write_text(
            f'[centre]\ndata_dir = "centre"\nmetrics_port = {metrics_port}\n'
            + (f'database = "{database}"\n' if database else "")
            + f'[broker]\nhost = "127.0.0.1"\nport = {broker.port}\nsecurity = "none"\n',
            "utf-8",
        )
        self.broker = broker
        self.config: CentreConfig = load(settings)
        self.config.data_dir.mkdir()
        self.store = CentralStore(self.config.database)
        self.ingesters = [
            Ingester(
                settings,
                Share(number, ingesters),
                metrics_port + number - 1,
                folder / f"ingest-{number}.log",
            )
            for number in range(1, ingesters + 1)
        ]

    def start(self) -> None:
        """Start every ingester."""
        for ingester in self.ingesters:
            ingester.start()

    def close(self) -> None:
        """End everything."""
        for ingester in self.ingesters:
            ingester.stop()
        self.store.close()


@contextmanager
def staged(folder: Path, ingesters: int = 1, database: str = "") -> Iterator[Stage]:
    """Open a centre (on SQLite unless said otherwise) and clear it away."""
    with Broker() as broker:
        stage = Stage(folder, broker, ingesters, database)
        try:
            yield stage
        finally:
            stage.close()


def _free_ports(count: int) -> int:
    """Return the first of *count* loopback ports in a row that were free a moment ago."""
    for _ in range(100):
        first = free_port()
        if first + count < 65536 and all(map(_free, range(first, first + count))):
            return first
    raise NotInTime("no free ports in a row on loopback")


def _free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True
