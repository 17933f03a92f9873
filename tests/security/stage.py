"""A centre with its authority, a broker with the generated configuration, boxes with certificates.

``Caller`` is a client of the broker that tells what became of what it tried.
"""

from __future__ import annotations

import contextlib
import re
import socket
import ssl
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion

from edge import cli
from edge.clock import SystemClock
from edge.ledger import Ledger
from sync import tls
from sync.central import broker, enrolment
from sync.central.authority import Authority
from sync.central.config import CentreConfig, load
from sync.central.store import CentralStore
from sync.tls import Credentials
from tests.brokers import Broker
from tests.processes import free_port, wait_for

INGESTER = broker.ingester(1)


def run(settings: Path, *arguments: str, answers: str = "") -> Result:
    """Run a ``classbox`` command in this process."""
    words = ["--config", str(settings), *arguments]
    return CliRunner().invoke(cli.main, words, input=answers, catch_exceptions=False)


def done(settings: Path, *arguments: str) -> str:
    """Run a ``classbox`` command that must succeed; return what it printed."""
    result = run(settings, *arguments)
    assert result.exit_code == 0, result.output
    return result.output


class Secured:
    """A centre whose broker speaks TLS only. ``broker`` is up while the stage is."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.clock = SystemClock()
        self.centre_toml = folder / "centre.toml"
        self.centre_toml.write_text(
            '[centre]\nname = "Centre"\ndata_dir = "centre"\n'
            f'[broker]\nhost = "127.0.0.1"\nport = {self.port}\n',
            "utf-8",
        )
        done(self.centre_toml, "centre", "broker", "init", "--host", "localhost")
        self.config: CentreConfig = load(self.centre_toml)
        self.authority = Authority(self.config.data_dir / "authority")
        self.settings = self.config.data_dir / "broker" / "mosquitto.conf"
        self.broker = Broker(self.port, self.settings)
        self.store = CentralStore(self.config.database)

    @property
    def now(self) -> int:
        """Wall time in microseconds."""
        return self.clock.now().at

    def box_toml(self, box: str) -> Path:
        """Write the settings of a box of that name; return their path."""
        path = self.folder / f"{box}.toml"
        path.write_text(
            f'[box]\nid = "{box}"\nroom = "203"\ndata_dir = "{box}"\nruntime_dir = "{box}-run"\n'
            f'[link]\nhost = "127.0.0.1"\nport = {self.port}\n',
            "utf-8",
        )
        return path

    def enrol(self, box: str) -> Path:
        """Let a box be enrolled by the commands, as technicians do; return its settings."""
        settings = self.box_toml(box)
        request, answer = self.folder / f"{box}.request", self.folder / f"{box}.answer"
        ours = done(settings, "enrol", "request", "--out", str(request)).splitlines()[-1]
        theirs = done(
            self.centre_toml,
            *("centre", "enrol", str(request), "--out", str(answer)),
            *("--fingerprint", ours.partition(": ")[2]),
        ).splitlines()[-1]
        done(settings, "enrol", "accept", str(answer), "--fingerprint", theirs.partition(": ")[2])
        return settings

    def of_box(self, box: str, connection: str = "facts") -> Credentials:
        """Return the credentials of an enrolled box."""
        return tls.of_box(self.folder / box, connection)

    def of_ingester(self) -> Credentials:
        """Return the credentials of the ingester."""
        return Authority.own_files(self.authority.folder, INGESTER)

    def of_console(self) -> Credentials:
        """Return the credentials of the console."""
        return Authority.own_files(self.authority.folder, broker.CONSOLE)

    def ledger(self, box: str) -> contextlib.closing[Ledger]:
        """Open the ledger of a box."""
        return contextlib.closing(Ledger.open(self.folder / box, box, self.clock))

    def wait_until_gone(self, box: str, gone: Callable[[], None]) -> None:
        """Call *gone* and wait until the broker has noticed that a client of *box* went."""
        went = re.compile(rf"Client {box} (closed its connection|disconnected)")

        def seen() -> int:
            return len(went.findall(self.broker.log.read_text("utf-8")))

        before = seen()
        gone()
        wait_for("the broker notices", lambda: seen() > before, 60)

    def revoke(self, box: str) -> None:
        """Put a box out and wait until the broker knows."""
        before = self.broker.log.read_text("utf-8").count("Reloading config")
        enrolment.revoke(self.store, self.authority, box, self.now)
        assert broker.reload(self.settings.parent)
        wait_for(
            "the broker reads its list again",
            lambda: self.broker.log.read_text("utf-8").count("Reloading config") > before,
        )

    def close(self) -> None:
        """End the broker and close the store."""
        self.broker.stop()
        self.store.close()


class Caller:
    """One client; whatever arrives is kept in ``heard`` as topic and payload."""

    def __init__(
        self,
        port: int,
        credentials: Credentials | None,
        name: str = "",
        will: tuple[str, bytes] | None = None,
        context: ssl.SSLContext | None = None,
    ) -> None:
        self.heard: list[tuple[str, bytes]] = []
        self.answer = ""
        self.lost = False
        self._acks: dict[int, str] = {}
        self._port = port
        self._client = Client(
            CallbackAPIVersion.VERSION2, client_id=name, protocol=MQTTProtocolVersion.MQTTv5
        )
        if context is None and credentials is not None:
            context = tls.context(credentials, dates_trusted=True)
        if context is not None:
            self._client.tls_set_context(context)
        if will is not None:
            self._client.will_set(*will, qos=1)

        def on_connect(client: Client, userdata: Any, flags: Any, reason: Any, more: Any) -> None:
            self.answer = str(reason)

        def on_message(client: Client, userdata: Any, message: Any) -> None:
            self.heard.append((message.topic, message.payload))

        def on_ack(client: Client, userdata: Any, mid: int, reason: Any, more: Any) -> None:
            self._acks[mid] = str(reason[0] if isinstance(reason, list) else reason)

        def on_disconnect(
            client: Client, userdata: Any, flags: Any, reason: Any, more: Any
        ) -> None:
            self.lost = True

        self._client.on_connect = on_connect
        self._client.on_message = on_message
        self._client.on_publish = on_ack
        self._client.on_subscribe = on_ack
        self._client.on_disconnect = on_disconnect

    def connect(self) -> str:
        """Return what the broker says to the connection, empty when it hangs up."""
        try:
            self._client.connect("127.0.0.1", self._port)
        except OSError:  # refused in the handshake
            self.lost = True
            return ""
        self._until("the broker answers", lambda: self.answer or self.lost)
        return self.answer

    def subscribe(self, *topics: str) -> None:
        """Subscribe, and wait until the broker has taken note."""
        for topic in topics:
            code, mid = self._client.subscribe(topic, 1)
            assert code is MQTTErrorCode.MQTT_ERR_SUCCESS
            self._until("the subscription is answered", lambda mid=mid: mid in self._acks)

    def publish(self, topic: str, payload: bytes) -> str:
        """Publish, and return what the broker says to it."""
        mid = self._client.publish(topic, payload, qos=1).mid
        self._until("the message is answered", lambda: mid in self._acks or self.lost)
        return self._acks.get(mid, "")

    def wait_for(self, payload: bytes) -> None:
        """Wait until *payload* has come."""
        self._until(f"{payload!r} arrives", lambda: payload in [one for _, one in self.heard])

    def listen_a_moment(self) -> None:
        """Take in what is there."""
        self._client.loop(0.1)

    def vanish(self) -> None:
        """Go without a word, as when the power goes: the broker then speaks the will."""
        sock = self._client.socket()
        if isinstance(sock, socket.socket):
            sock.close()

    def close(self) -> None:
        """Say goodbye."""
        self._client.disconnect()

    def _until(self, what: str, seen: Any) -> None:
        def looked() -> bool:
            self._client.loop(0.1)
            return bool(seen())

        wait_for(what, looked, 60)


def payloads(caller: Caller) -> Sequence[bytes]:
    """Return what *caller* heard, without topics."""
    return [payload for _, payload in caller.heard]


@contextmanager
def secured(folder: Path) -> Iterator[Secured]:
    """Set a centre and its broker up, and clear them away."""
    stage = Secured(folder)
    try:
        stage.broker.start()
        yield stage
    finally:
        stage.close()
