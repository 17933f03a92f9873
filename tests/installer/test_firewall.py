"""The firewall, loaded by the real kernel between two machines that a cable joins."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.installer.conftest import Box
from tests.virtual_cameras.network import BOX_ADDRESS, NOT_ROOT, Cable, may_lay_cables

pytestmark = [
    pytest.mark.skipif(not may_lay_cables(), reason=NOT_ROOT),
    pytest.mark.skipif(
        shutil.which("nft") is None, reason="nft is missing; ./box test installs it"
    ),
]

# Listens on the TCP ports named, and answers UDP datagrams on the port behind them.
_LISTEN = """
import selectors, socket, sys
waiting = selectors.DefaultSelector()
for port in sys.argv[1].split(","):
    waiting.register(socket.create_server(("0.0.0.0", int(port))), selectors.EVENT_READ)
udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
udp.bind(("0.0.0.0", int(sys.argv[2])))
waiting.register(udp, selectors.EVENT_READ)
print("listening", flush=True)
while True:
    for key, _ in waiting.select():
        if key.fileobj is udp:
            udp.sendto(*udp.recvfrom(99))
        else:
            key.fileobj.accept()
"""

# Prints which TCP ports of a host answer. A packet that is dropped answers never: five seconds do.
_KNOCK = """
import concurrent.futures, socket, sys
def answers(port):
    try:
        socket.create_connection((sys.argv[1], int(port)), timeout=5).close()
    except OSError:
        return False
    return True
ports = sys.argv[2].split(",")
with concurrent.futures.ThreadPoolExecutor() as pool:
    print(*[port for port, open in zip(ports, pool.map(answers, ports)) if open])
"""

# Sends a datagram from a port and prints what comes back.
_ASK = """
import socket, sys
asking = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
asking.bind(("0.0.0.0", int(sys.argv[3])))
asking.settimeout(5)
asking.sendto(b"heard", (sys.argv[1], int(sys.argv[2])))
try:
    print(asking.recv(99).decode())
except TimeoutError:
    print("nothing")
"""


def said(side: list[str], program: str, *arguments: str) -> list[str]:
    """Run a Python program on one side of the cable; return its lines."""
    done = subprocess.run(
        [*side, sys.executable, "-c", program, *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return done.stdout.split()


@contextmanager
def listening(side: list[str], tcp: str, udp: str) -> Iterator[None]:
    """Listen on that side."""
    process = subprocess.Popen(
        [*side, sys.executable, "-c", _LISTEN, tcp, udp], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    try:
        assert process.stdout.readline() == "listening\n"
        yield
    finally:
        process.kill()
        process.communicate()


def load(cable: Cable, root: Path) -> None:
    """Load the rules that the installer wrote, as the unit does."""
    subprocess.run([*cable.box, "nft", "-f", str(root / "etc/classbox/firewall.nft")], check=True)


@pytest.mark.parametrize(
    ("part", "settings", "open_ports"),
    [
        ("box", "", ["8601"]),
        ("box", "[kiosk]\nphone_port = 0\n", []),
        ("box", '[kiosk]\nhost = "0.0.0.0"\nphone_port = 8700\n', ["8600", "8700"]),
        ("centre", "", ["8883"]),
        ("centre", '[console]\nhost = "0.0.0.0"\n', ["8700", "8883"]),
    ],
)
def test_open_is_what_listens_by_the_settings(
    box: Box, root: Path, part: str, settings: str, open_ports: list[str]
) -> None:
    """From the network only those ports answer; the machine itself reaches all of its own."""
    file = root / f"etc/classbox/{part}.toml"
    file.parent.mkdir()
    head = '[box]\nid = "a"\nroom = "a"\n' if part == "box" else "[centre]\n"
    file.write_text(head + settings)
    assert box("install", part).returncode == 0
    ports = "22,8600,8601,8700,8883"
    with Cable() as cable, listening(cable.box, ports, "5000"):
        assert said(cable.camera, _KNOCK, BOX_ADDRESS, ports) == ports.split(",")
        load(cable, root)
        assert said(cable.camera, _KNOCK, BOX_ADDRESS, ports) == open_ports
        assert said(cable.box, _KNOCK, "127.0.0.1", ports) == ports.split(",")


def test_cameras_are_still_found_and_reached(box: Box, root: Path) -> None:
    """Answers to a multicast question come from port 3702; what the box asks for comes in."""
    box("install", "box")
    with Cable() as cable:
        load(cable, root)
        with listening(cable.box, "5001", "5000"):
            assert said(cable.camera, _ASK, BOX_ADDRESS, "5000", "3702") == ["heard"]
            assert said(cable.camera, _ASK, BOX_ADDRESS, "5000", "3703") == ["nothing"]
        with listening(cable.camera, "554", "5000"):
            assert said(cable.box, _KNOCK, cable.address, "554") == ["554"]
            assert said(cable.box, _ASK, cable.address, "5000", "6000") == ["heard"]


def test_rules_of_others_stay(box: Box, root: Path) -> None:
    """Loading twice replaces our own table and touches no other."""
    box("install", "box")
    with Cable() as cable:
        nft = [*cable.box, "nft"]
        subprocess.run([*nft, "add table inet somebody"], check=True)
        load(cable, root)
        load(cable, root)
        tables = subprocess.run(
            [*nft, "list", "tables"], capture_output=True, text=True, check=True
        )
        assert tables.stdout.splitlines() == ["table inet somebody", "table inet classbox"]
        rules = subprocess.run(
            [*nft, "list", "ruleset"], capture_output=True, text=True, check=True
        )
        assert rules.stdout.count("tcp dport 8601 accept") == 1
