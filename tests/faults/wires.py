"""A wire between a process and the broker that a test can hold, cut, throttle and measure."""

from __future__ import annotations

import socket
import threading

from edge.clock import monotonic

_BLOCK = 16 * 1024
# What the kernel keeps under way on a throttled wire, so that its delay is one of the network and
# not one of a megabyte of buffers.
_BUFFER = 32 * 1024


class Wire:
    """A TCP relay on a loopback port. Names: ``up`` is towards the broker, ``down`` is back."""

    def __init__(self, to_port: int) -> None:
        self._to_port = to_port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._flows = {"up": threading.Event(), "down": threading.Event()}
        for flow in self._flows.values():
            flow.set()
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._closed = False
        self._passed = {"up": 0, "down": 0}
        self._limit: int | None = None
        self._rate: int | None = None
        self._free_at = {"up": 0.0, "down": 0.0}
        self._never = threading.Event()
        threading.Thread(target=self._listen, name="wire", daemon=True).start()

    def hold(self, way: str) -> None:
        """Let nothing more pass that way; the connection stays open."""
        self._flows[way].clear()

    def hold_after(self, count: int) -> None:
        """Hold the way up once *count* more bytes have passed."""
        with self._lock:
            self._limit = self._passed["up"] + count

    def throttle(self, bytes_a_second: int | None) -> None:
        """Let no more than that pass each way, all connections together; None: any amount."""
        with self._lock:
            self._rate = bytes_a_second

    def flow(self) -> None:
        """Let everything pass again that was held."""
        with self._lock:
            self._limit = None
        for flow in self._flows.values():
            flow.set()

    def passed(self, way: str) -> int:
        """Return how many bytes have passed that way so far."""
        with self._lock:
            return self._passed[way]

    def holding(self) -> bool:
        """Tell whether the limit of ``hold_after`` was reached."""
        return not self._flows["up"].is_set()

    def cut(self) -> None:
        """Break every connection; new ones may be made."""
        with self._lock:
            ends, self._open = self._open, set()
        for end in ends:
            _end(end)

    def close(self) -> None:
        """End the wire."""
        self._closed = True
        self._listener.close()
        self.flow()
        self.cut()

    def _listen(self) -> None:
        while not self._closed:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            try:
                far = socket.create_connection(("127.0.0.1", self._to_port), 5)
            except OSError:
                near.close()
                continue
            far.settimeout(None)
            for end in (near, far):
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                end.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER)
            with self._lock:
                self._open |= {near, far}
            for way, source, target in (("up", near, far), ("down", far, near)):
                threading.Thread(
                    target=self._relay, args=(way, source, target), name=f"wire {way}", daemon=True
                ).start()

    def _relay(self, way: str, source: socket.socket, target: socket.socket) -> None:
        try:
            while block := source.recv(_BLOCK):
                self._flows[way].wait()
                self._take_turn(way, len(block))
                target.sendall(block)
                with self._lock:
                    self._passed[way] += len(block)
                    reached = way == "up" and self._limit is not None
                    if reached and self._passed["up"] >= (self._limit or 0):
                        self._limit = None
                        self._flows["up"].clear()
        except OSError:
            pass  # one end is gone; the other learns it below
        finally:
            with self._lock:
                self._open -= {source, target}
            for end in (source, target):
                _end(end)

    def _take_turn(self, way: str, count: int) -> None:
        """Wait until *count* bytes more fit through a throttled wire."""
        with self._lock:
            if self._rate is None:
                return
            now = monotonic()
            self._free_at[way] = through = max(now, self._free_at[way]) + count / self._rate
        self._never.wait(through - now)


def _end(end: socket.socket) -> None:
    # Closing alone would leave it open for as long as another thread waits in it.
    try:
        end.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass  # it had ended by itself
    finally:
        end.close()
