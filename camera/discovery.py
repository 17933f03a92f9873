"""Which cameras are there: a WS-Discovery probe on every interface, and the box's own devices.

Owns how cameras are looked for. Promises an end in time, and leniency: whatever an answer looks
like, a camera counts that says an address (packages that insist on the right Action miss many).
An answer is hearsay from the network: only the address it came from is believed, and no login is
sent to anybody here.
"""

from __future__ import annotations

import html
import re
import select
import socket
import struct
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from camera.onvif_client import SERVICE_PATH, dialled
from edge.clock import monotonic

GROUP, PORT = "239.255.255.250", 3702
LISTEN_S = 3.0
# UDP loses packets, and cameras answer after a random delay of up to half a second.
_ASK_AT_S = (0.0, 0.25, 1.0)
_MOST = 256
_LARGEST_ANSWER = 65_535
_SYSFS = Path("/sys/class/video4linux")
# Cameras differ in which of these they answer; the last is any device at all.
_TYPES = ("dn:NetworkVideoTransmitter", "tds:Device", "")
_PROBE = (
    '<?xml version="1.0" encoding="UTF-8"?>'
    '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" '
    'xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing" '
    'xmlns:d="http://schemas.xmlsoap.org/ws/2005/04/discovery" '
    'xmlns:dn="http://www.onvif.org/ver10/network/wsdl" '
    'xmlns:tds="http://www.onvif.org/ver10/device/wsdl">'
    "<s:Header><a:MessageID>urn:uuid:{id}</a:MessageID>"
    "<a:To>urn:schemas-xmlsoap-org:ws:2005:04:discovery</a:To>"
    "<a:Action>http://schemas.xmlsoap.org/ws/2005/04/discovery/Probe</a:Action></s:Header>"
    "<s:Body><d:Probe>{types}</d:Probe></s:Body></s:Envelope>"
)


@dataclass(frozen=True, slots=True)
class Found:
    """A camera that may be bound. Texts are its own words, empty where it says nothing.

    ``address``: onvif://HOST:PORT[/PATH] or v4l2:/dev/videoN. ``endpoint``: the id by which it is
    known to WS-Discovery, usually the same for its whole life.
    """

    address: str
    name: str
    model: str
    mac: str
    endpoint: str


def cameras(listen_s: float = LISTEN_S) -> list[Found]:
    """Return what answers on the network within *listen_s*, then the devices of this machine."""
    return [*on_the_network(listen_s), *devices()]


def on_the_network(listen_s: float = LISTEN_S) -> list[Found]:
    """Return the ONVIF cameras that answer within *listen_s* seconds, each once, by address."""
    found: dict[str, Found] = {}
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ear:
        ear.bind(("", 0))
        ear.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 1)
        for content, sender in _answers(ear, listen_s):
            for one in read_answer(content, sender):
                found.setdefault(one.address, one)
            if len(found) >= _MOST:
                break  # nobody has so many cameras: somebody floods the network
    return sorted(found.values(), key=lambda one: one.address)


def read_answer(content: bytes, sender: str) -> list[Found]:
    """Return the cameras in one answer from the host *sender*.

    Read as text, not as XML: real answers break the rules of both XML and WS-Discovery. A host
    that the camera reports is replaced by the *sender*; it may be the one it had at the factory.
    """
    text = content.decode("utf-8", "replace")
    # One piece for each match; an answer with a single one needs no ProbeMatch at all.
    pieces = re.split(r"<(?:[\w.-]+:)?ProbeMatch[\s>]", text)
    return [one for piece in (pieces[1:] or pieces) if (one := _match(piece, sender)) is not None]


def devices(folder: Path = _SYSFS) -> list[Found]:
    """Return the capture devices of this machine, such as USB cameras (V4L2).

    *folder*: where the kernel lists them. A camera has several nodes; index 0 gives pictures.
    """
    found = []
    for entry in sorted(folder.glob("video*"), key=lambda one: (len(one.name), one.name)):
        try:
            index = (entry / "index").read_text("ascii").strip()
            name = (entry / "name").read_text("utf-8", "replace").strip()
        except OSError:
            continue  # unplugged in this moment
        if index == "0":
            found.append(Found(f"v4l2:/dev/{entry.name}", name, "", "", ""))
    return found


def _answers(ear: socket.socket, listen_s: float) -> Iterator[tuple[bytes, str]]:
    """Ask on every interface, and yield each datagram with the address that it came from."""
    began = monotonic()
    to_ask = list(_ASK_AT_S)
    while (passed := monotonic() - began) < listen_s:
        if to_ask and passed >= to_ask[0]:
            to_ask.pop(0)
            _ask(ear)
        until = min([listen_s, *to_ask]) - passed
        if select.select([ear], [], [], max(0.0, until))[0]:
            content, (sender, _) = ear.recvfrom(_LARGEST_ANSWER)
            yield content, sender


def _ask(ear: socket.socket) -> None:
    for number, _ in socket.if_nameindex():
        try:
            ear.setsockopt(
                socket.IPPROTO_IP,
                socket.IP_MULTICAST_IF,
                struct.pack("@4s4si", b"\0" * 4, b"\0" * 4, number),
            )
            for types in _TYPES:
                ear.sendto(_probe(types), (GROUP, PORT))
        except OSError:
            continue  # an interface without an address, or down: the others are asked


def _probe(types: str) -> bytes:
    wanted = f"<d:Types>{types}</d:Types>" if types else ""
    return _PROBE.format(id=uuid.uuid4(), types=wanted).encode("ascii")


def _match(piece: str, sender: str) -> Found | None:
    addresses = _text(piece, "XAddrs").split()
    address = _reachable(addresses, sender)
    if not address:
        return None
    scopes = _text(piece, "Scopes").split()
    return Found(
        address=address,
        name=_scope(scopes, "name"),
        model=_scope(scopes, "hardware"),
        mac=_mac(_scope(scopes, "mac") or _scope(scopes, "MAC")),
        endpoint=_text(piece.partition("EndpointReference")[2], "Address"),
    )


def _text(piece: str, element: str) -> str:
    found = re.search(rf"<(?:[\w.-]+:)?{element}\b[^>]*>([^<]*)<", piece)
    return html.unescape(found[1]).strip() if found else ""


def _reachable(addresses: Iterable[str], sender: str) -> str:
    """Return the device service's address at the *sender*, preferring one that it names itself."""
    sound = []
    for one in addresses:
        try:
            parts = urlsplit(one)
            if parts.scheme in ("http", "https") and parts.hostname:
                sound.append((parts.hostname != sender, parts.port, one))
        except ValueError:
            continue  # a port that is none
    if not sound:
        return ""
    reported = min(sound, key=lambda entry: entry[0])[2]
    parts = urlsplit(dialled(reported, f"http://{sender}"))
    scheme = "https" if parts.scheme == "https" else "onvif"
    path = "" if parts.path in ("", "/", SERVICE_PATH) and scheme == "onvif" else parts.path
    return f"{scheme}://{parts.netloc}{path}"


def _scope(scopes: Iterable[str], name: str) -> str:
    """Return the words of the first scope …/NAME/WORDS; cameras write any prefix before it."""
    for scope in scopes:
        _, mark, words = scope.partition(f"/{name}/")
        if mark and words:
            return unquote(words, "utf-8", "replace").replace("_", " ").strip("/")
    return ""


def _mac(text: str) -> str:
    digits = re.sub(r"[^0-9a-f]", "", text.lower())
    return ":".join(digits[at : at + 2] for at in range(0, 12, 2)) if len(digits) == 12 else ""
