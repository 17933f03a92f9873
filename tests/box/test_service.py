"""The loop, the stop signal, readiness and the watchdog."""

from __future__ import annotations

import logging
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from edge.clock import SystemClock
from edge.service import Service
from tests.boxes import open_ledger
from tests.processes import wait_for

PROGRAM = """
import sys
from pathlib import Path
from edge import box
def body(service):
    service.ready("in the test")
    print("up", flush=True)
    service.loop(service.progress, every=0.05)
sys.exit(box.run("greeter", Path(sys.argv[1]), body))
"""


@pytest.fixture
def box_toml(tmp_path: Path) -> Path:
    file = tmp_path / "box.toml"
    file.write_text('[box]\nid = "b"\nroom = "1"\ndata_dir = "data"\nruntime_dir = "run"\n')
    return file


def start(box_toml: Path, environment: dict[str, str] | None = None) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(box_toml)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **(environment or {})},
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "up\n"
    return process


def test_a_service_says_ready_feeds_the_watchdog_and_stops(tmp_path: Path, box_toml: Path) -> None:
    """Systemd hears READY, WATCHDOG at real progress, and STOPPING at SIGTERM; status 0."""
    address = tmp_path / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(address))
        manager.settimeout(10)
        process = start(box_toml, {"NOTIFY_SOCKET": str(address)})
        assert manager.recv(100) == b"READY=1\nSTATUS=in the test"
        assert manager.recv(100) == b"WATCHDOG=1"
        process.send_signal(signal.SIGTERM)
        while (message := manager.recv(100)) == b"WATCHDOG=1":
            pass
        assert message == b"STOPPING=1"
    process.communicate(timeout=10)
    assert process.returncode == 0


def test_a_service_runs_once_on_a_box(box_toml: Path) -> None:
    """A second one ends with a clear line and leaves the first alone."""
    first = start(box_toml)
    second = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(box_toml)],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert second.returncode != 0
    assert "the greeter of this box runs already" in second.stderr
    first.kill()
    first.communicate(timeout=10)
    third = start(box_toml)  # a killed service leaves no lock behind
    third.terminate()
    third.communicate(timeout=10)
    assert third.returncode == 0


def test_a_start_is_stated_when_the_service_is_ready(box_toml: Path) -> None:
    """One event for a service that came up; none for one that never got ready."""
    for program in (PROGRAM, PROGRAM.replace('service.ready("in the test")', "service.stop.set()")):
        process = subprocess.Popen(
            [sys.executable, "-c", program, str(box_toml)], stdout=subprocess.PIPE, text=True
        )
        assert process.stdout is not None
        assert process.stdout.readline() == "up\n"
        process.terminate()
        process.communicate(timeout=30)
    with open_ledger(box_toml.parent / "data", SystemClock(), "b") as ledger:
        kinds = [record.event.kind for record in ledger.events()]
    assert kinds == ["ledger.born", "service.started"]


def test_an_error_is_said_once_and_tried_again(caplog: pytest.LogCaptureFixture) -> None:
    """A step that fails twice and then succeeds: one line for the failure, one for the end."""
    service = Service("test")
    tries: list[int] = []

    def step() -> None:
        tries.append(1)
        if len(tries) < 3:
            raise OSError("no camera")
        service.stop.set()

    caplog.set_level(logging.INFO, logger="classbox")
    service.loop(step, every=0)
    assert len(tries) == 3
    said = [record.getMessage() for record in caplog.records]
    assert said == ["test: OSError: no camera", "test: carries on"]


def test_nothing_is_waited_for_that_never_comes() -> None:
    """Our own waiting in tests ends with a sentence."""
    with pytest.raises(AssertionError, match="not within 0 s: the moon"):
        wait_for("the moon", lambda: False, within=0)


SPINNING = """
import sys
from edge import service

def body(one):
    print("up", flush=True)
    one.loop(lambda: None, 0.0)

sys.exit(service.main("spinning", body))
"""


def test_a_signal_at_any_moment_stops_a_service() -> None:
    """A loop that holds its own event's lock most of the time still hears SIGTERM, every time."""
    processes = [
        subprocess.Popen([sys.executable, "-c", SPINNING], stdout=subprocess.PIPE, text=True)
        for _ in range(8)
    ]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "up\n"
        process.send_signal(signal.SIGTERM)
    for process in processes:
        try:
            process.communicate(timeout=20)
        finally:
            process.kill()
        assert process.returncode == 0
