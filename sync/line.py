"""One connection to the broker: paho-mqtt kept at arm's length, shared by box and centre.

Owns the network thread. Promises that whatever arrives goes into one queue in its order, that
a lost connection is announced and tried again after 1, 2, 4 … 30 s with a fresh client, so that
nothing waits in a library's memory to be sent twice, and that nothing here blocks the caller.

paho acknowledges to the broker only when told to: see ``Arrived.done``.
"""

from __future__ import annotations

import contextlib
import queue
import random
import socket
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessage, MQTTMessageInfo
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from sync.messages import PACKET_LIMIT
from sync.tls import Context

if TYPE_CHECKING:
    from paho.mqtt.client import SocketLike  # which exists for type checkers only

T = TypeVar("T")

KEEPALIVE_S = 20
_FIRST_PAUSE_S = 1.0
_LONGEST_PAUSE_S = 30.0
_CONNECT_WITHIN_S = 5.0
_CLOSE_WITHIN_S = 1.0
# What the broker may send before it is acknowledged (MQTT 5, Receive Maximum).
_IN_FLIGHT = 200


@dataclass(frozen=True, slots=True)
class Connected:
    """The connection stands and the subscriptions are in force."""


@dataclass(frozen=True, slots=True)
class Lost:
    """There is no connection; ``cause`` says why in words."""

    cause: str


@dataclass(frozen=True, slots=True)
class Arrived:
    """A message. Call ``done`` when it is dealt with: only then does the broker let go of it."""

    topic: str
    payload: bytes
    done: Callable[[], None]


Happening = Connected | Lost | Arrived


class Line:
    """A connection that comes back by itself. Happenings go into *into*, in their order.

    *context* is asked before each connection: by then the clock may be known, or the certificate
    replaced. Without it the connection is in the clear (development, on loopback).
    """

    def __init__(
        self,
        host: str,
        port: int,
        client_id: str,
        subscriptions: Sequence[str],
        into: Callable[[Happening], None],
        context: Context | None = None,
    ) -> None:
        self._host = host
        self._port = port
        self._client_id = client_id
        self._subscriptions = list(subscriptions)
        self._into = into
        self._context = context
        self._client: Client | None = None
        self._offered: tuple[Client, MQTTMessageInfo] | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"line {client_id}", daemon=True)

    def start(self) -> None:
        """Begin to connect; returns at once."""
        self._thread.start()

    def close(self) -> None:
        """Disconnect and end the thread; what cannot be said in time is left unsaid."""
        self._stop.set()
        client = self._client
        if client is not None:
            client.disconnect()
            if self._thread.is_alive():
                self._thread.join(_CLOSE_WITHIN_S)
            _close(client)  # the other end may never have answered
        if self._thread.is_alive():
            self._thread.join(_CLOSE_WITHIN_S)  # a thread that still connects ends with us

    def publish(self, topic: str, payload: bytes, retain: bool = False) -> bool:
        """Send at QoS 1; False when there is no connection, and then nothing was kept."""
        client = self._client
        if client is None or not client.is_connected():
            return False
        return client.publish(topic, payload, qos=1, retain=retain).rc is (
            MQTTErrorCode.MQTT_ERR_SUCCESS
        )

    def offer(self, topic: str, payload: bytes) -> bool:
        """Send at QoS 0 what nobody needs later; False when it cannot go at once.

        That is without a connection, or while what was last offered has not left: nothing piles up.
        """
        client, before = self._client, self._offered
        if client is None or not client.is_connected():
            return False
        if before is not None and before[0] is client and not before[1].is_published():
            return False
        sent = client.publish(topic, payload, qos=0)
        self._offered = (client, sent)
        return sent.rc is MQTTErrorCode.MQTT_ERR_SUCCESS

    def _run(self) -> None:
        pause = _FIRST_PAUSE_S
        while not self._stop.is_set():
            reached = threading.Event()
            cause = self._once(reached)
            if self._stop.is_set():
                return
            self._into(Lost(cause))
            pause = _FIRST_PAUSE_S if reached.is_set() else min(pause * 2, _LONGEST_PAUSE_S)
            # Boxes that lost the same broker should not all return in the same instant.
            self._stop.wait(pause * random.uniform(0.5, 1.0))

    def _once(self, reached: threading.Event) -> str:
        """Hold one connection until it ends; return why it ended."""
        causes: list[str] = []
        client = self._make(reached, causes)
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        properties.ReceiveMaximum = _IN_FLIGHT
        properties.MaximumPacketSize = PACKET_LIMIT
        try:
            if self._context is not None:
                client.tls_set_context(self._context())
            client.connect(
                self._host, self._port, KEEPALIVE_S, clean_start=True, properties=properties
            )
            self._client = client
            if not self._stop.is_set():
                client.loop_forever()
        except OSError as error:
            causes.append(f"{self._host}:{self._port}: {error.strerror or error}")
        finally:
            self._client = None
            _close(client)
        return causes[0] if causes else "the connection ended"

    def _make(self, reached: threading.Event, causes: list[str]) -> Client:
        client = Client(
            CallbackAPIVersion.VERSION2,
            client_id=self._client_id,
            protocol=MQTTProtocolVersion.MQTTv5,
            reconnect_on_failure=False,
            manual_ack=True,
        )
        client.connect_timeout = _CONNECT_WITHIN_S
        client.max_inflight_messages_set(_IN_FLIGHT)

        def on_socket_open(client: Client, userdata: Any, sock: SocketLike) -> None:
            # Nagle and delayed acknowledgements together cost 45 ms a round trip.
            if isinstance(sock, socket.socket):
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

        def on_connect(
            client: Client,
            userdata: Any,
            flags: ConnectFlags,
            reason: ReasonCode,
            properties: Properties | None,
        ) -> None:
            if reason.is_failure:
                causes.append(f"the broker refuses: {reason}")
                client.disconnect()
                return
            client.subscribe([(topic, 1) for topic in self._subscriptions])

        def on_subscribe(
            client: Client,
            userdata: Any,
            mid: int,
            reasons: list[ReasonCode],
            properties: Properties | None,
        ) -> None:
            refused = [str(reason) for reason in reasons if reason.is_failure]
            if refused:
                causes.append(f"the broker refuses the subscription: {refused[0]}")
                client.disconnect()
                return
            reached.set()
            self._into(Connected())

        def on_message(client: Client, userdata: Any, message: MQTTMessage) -> None:
            mid, qos = message.mid, message.qos
            self._into(
                Arrived(
                    message.topic, bytes(message.payload), lambda: _acknowledge(client, mid, qos)
                )
            )

        def on_disconnect(
            client: Client,
            userdata: Any,
            flags: DisconnectFlags,
            reason: ReasonCode,
            properties: Properties | None,
        ) -> None:
            unknown = str(reason) == "Unspecified error"  # paho's word for an end without one
            if not unknown:
                causes.append(f"disconnected: {reason}")
            elif self._context is not None and not reached.is_set():
                # With TLS 1.3 a broker refuses a certificate after the client's handshake is done.
                causes.append("the broker does not take this certificate, or is not one")
            else:
                causes.append("the connection broke")

        client.on_socket_open = on_socket_open
        client.on_connect = on_connect
        client.on_subscribe = on_subscribe
        client.on_message = on_message
        client.on_disconnect = on_disconnect
        return client


class Inbox(Generic[T]):
    """A queue that its one reader can wait for; network threads put into it."""

    def __init__(self) -> None:
        self._queue: queue.SimpleQueue[T] = queue.SimpleQueue()

    def put(self, one: T) -> None:
        """Add at the end."""
        self._queue.put(one)

    def length(self) -> int:
        """Return how many wait to be taken."""
        return self._queue.qsize()

    def take(self, timeout: float, most: int = 1000) -> list[T]:
        """Return what has come, waiting up to *timeout* seconds for the first."""
        found: list[T] = []
        try:
            found.append(self._queue.get(timeout > 0, timeout))
            while len(found) < most:
                found.append(self._queue.get_nowait())
        except queue.Empty:
            pass
        return found


def _acknowledge(client: Client, mid: int, qos: int) -> None:
    if client.is_connected():
        client.ack(mid, qos)


def _close(client: Client) -> None:
    sock = client.socket()
    if isinstance(sock, socket.socket):
        with contextlib.suppress(OSError):  # it may have ended by itself
            sock.shutdown(socket.SHUT_RDWR)  # closing alone would not wake who waits in it
        sock.close()
