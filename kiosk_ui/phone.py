"""A phone's photo for a spot check, over the room's own network.

Owns a door that is open only while an instructor invites: its own port, one page, a secret in its
address, some minutes. Nothing else of the box can be reached there. Promises that what comes in is
decoded and written anew before anybody looks at it: no location, no name of the phone, no file
that only looks like a picture.
"""

from __future__ import annotations

import contextlib
import fcntl
import hmac
import io
import secrets
import socket
import struct
import threading
from dataclasses import dataclass
from pathlib import Path

from flask import Flask, Response, abort, render_template, request, send_file
from PIL import Image, ImageOps, UnidentifiedImageError

from edge.clock import monotonic
from edge.look.language import Babel, _, locale
from kiosk_ui import spot_checks
from kiosk_ui.parts import Parts, hang, parts
from kiosk_ui.server import Server

INVITED_S = 600.0
LARGEST = 25 * 1024 * 1024
_PHOTOS = 6
_SIDE = 2560
_PIXELS = 60_000_000
_THREADS = 2
_SIOCGIFADDR = 0x8915
_FAR = ("203.0.113.1", 9)  # RFC 5737: in nobody's network


class NotAPhoto(ValueError):
    """What was sent cannot be used."""


@dataclass(slots=True)
class _Invitation:
    check: str
    until: float
    server: Server
    opened: threading.Event  # a phone has shown the page: it can reach this box


class Phones:
    """The door for phones; at most one invitation at a time."""

    def __init__(self, host: str, port: int) -> None:
        """*host* empty: the box's address on the room's network. *port* 0 takes a free one."""
        self._host = host
        self._port = port
        self._lock = threading.Lock()
        self._open: _Invitation | None = None

    def invite(self, box: Parts, check: str) -> str:
        """Open the door of *box*; return the address to scan, empty without a network."""
        self.close()
        host = self._host or address_here()
        if not host:
            return ""
        secret = secrets.token_urlsafe(16)
        with self._lock:
            opened = threading.Event()
            server = Server(_app(box, check, secret, opened), host, self._port, _THREADS)
            server.start()
            self._open = _Invitation(check, monotonic() + INVITED_S, server, opened)
            return f"http://{host}:{server.port}/{secret}"

    def opened(self, check: str) -> bool:
        """Tell whether a phone that was invited to *check* has opened its page."""
        invitation = self._open
        return invitation is not None and invitation.check == check and invitation.opened.is_set()

    def look(self) -> None:
        """Close the door when the time of the invitation is over."""
        if self._open is not None and monotonic() > self._open.until:
            self.close()

    def close(self) -> None:
        """Close the door."""
        with self._lock:
            invitation, self._open = self._open, None
        if invitation is not None:
            invitation.server.close()


def address_here() -> str:
    """Return this machine's IPv4 address on the network that leads on; empty without any network.

    Where none leads on, the first that is not loopback. Cameras have a network of their own that
    leads nowhere, and phones are not in it.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ear:
        with contextlib.suppress(OSError):  # no way on
            ear.connect(_FAR)  # nothing is sent: only the route is looked up
            return str(ear.getsockname()[0])
        for _number, name in socket.if_nameindex():
            with contextlib.suppress(OSError):  # an interface without an address
                asked = struct.pack("256s", name.encode()[:15])
                answer = fcntl.ioctl(ear.fileno(), _SIOCGIFADDR, asked)
                found = socket.inet_ntoa(answer[20:24])
                if not found.startswith("127."):
                    return found
    return ""


def photo(content: bytes) -> bytes:
    """Return the picture that *content* holds as a JPEG of our own. Raises NotAPhoto."""
    try:
        with Image.open(io.BytesIO(content), formats=("JPEG", "PNG", "WEBP")) as sent:
            if sent.width * sent.height > _PIXELS:
                raise NotAPhoto("too many pixels")
            upright = ImageOps.exif_transpose(sent).convert("RGB")
    except (UnidentifiedImageError, OSError, SyntaxError, Image.DecompressionBombError) as error:
        raise NotAPhoto(str(error)) from error
    upright.thumbnail((_SIDE, _SIDE))
    out = io.BytesIO()
    upright.save(out, "JPEG", quality=88)
    return out.getvalue()


def _app(box: Parts, check: str, secret: str, opened: threading.Event) -> Flask:
    app = Flask(__name__, static_folder=None)
    app.config.update(MAX_CONTENT_LENGTH=LARGEST, BABEL_DEFAULT_LOCALE=box.config.language)
    hang(app, box)
    Babel(app, locale_selector=_language)
    app.jinja_env.globals["language"] = lambda: locale().language
    app.add_url_rule("/style.css", "style", _style)
    app.add_url_rule(
        "/<given>", "page", lambda given: _page(given, secret, opened), methods=["GET"]
    )
    app.add_url_rule(
        "/<given>", "send", lambda given: _send(given, secret, check), methods=["POST"]
    )
    app.after_request(_headers)
    return app


def _style() -> Response:
    return send_file(Path(__file__).parent / "static" / "phone.css", mimetype="text/css")


def _headers(response: Response) -> Response:
    response.headers["Content-Security-Policy"] = (
        "default-src 'none'; style-src 'self'; form-action 'self'"
    )
    response.headers["Cache-Control"] = "no-store"
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


def _language() -> str:
    return request.accept_languages.best_match(("zh", "en")) or parts().config.language


def _check(given: str, secret: str) -> None:
    if not hmac.compare_digest(given.encode(), secret.encode()):
        abort(404)


def _page(given: str, secret: str, opened: threading.Event) -> str:
    _check(given, secret)
    opened.set()
    return render_template("phone.html", sent=0, problem="")


def _send(given: str, secret: str, check: str) -> tuple[str, int]:
    _check(given, secret)
    proposed = spot_checks.proposal(parts(), check)
    known = len(proposed.items) if proposed else 0
    files = [one for one in request.files.getlist("photo") if one.filename]
    if not files:
        return render_template("phone.html", sent=known, problem=_("No photo was chosen.")), 400
    if known + len(files) > _PHOTOS:
        problem = _("%(num)d photos are enough.", num=_PHOTOS)
        return render_template("phone.html", sent=known, problem=problem), 400
    for one in files:
        try:
            content = photo(one.stream.read())
        except NotAPhoto:
            problem = _("This is not a photo that can be used. Please take it with the camera.")
            return render_template("phone.html", sent=known, problem=problem), 400
        spot_checks.add_from_phone(parts(), check, content, parts().ledger.clock.now().at)
        known += 1
    return render_template("phone.html", sent=known, problem=""), 200
