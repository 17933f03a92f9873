"""The way to speak ONVIF with one camera: logging in, calling, and saying what went wrong.

Owns the use of onvif-zeep, for ``camera.onvif`` and ``camera.onvif_setup`` in their short-lived
processes: the library takes 50 MB and hangs for ever on a dead host. Promises an end after
``TIMEOUT_S`` to every call, addresses that can be dialled from here (cameras report what they
believe is their own), a login that works when the camera's clock is wrong, and errors in plain
sentences (the library says only "Unknown error").
"""

from __future__ import annotations

import email.utils
import logging
import re
import urllib.error
import urllib.request
from datetime import UTC, datetime, timedelta
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit
from zoneinfo import ZoneInfo

from camera.failures import Failure, StreamFailed
from edge.clock import inherited

TIMEOUT_S = 5
_LARGEST = 1_000_000
SERVICE_PATH = "/onvif/device_service"
_DEVICE = "http://www.onvif.org/ver10/device/wsdl"
_MEDIA = "http://www.onvif.org/ver10/media/wsdl"
_ENVELOPE = (
    '<?xml version="1.0" encoding="UTF-8"?>'
    '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Body>'
    f'<{{call}} xmlns="{_DEVICE}"/></s:Body></s:Envelope>'
)
_REFUSALS = ("not authorized", "notauthorized", "unauthorized", "401", "403", "forbidden")


def service_address(address: str) -> str:
    """Return the http address of the device service that *address* means."""
    parts = urlsplit(address)
    scheme = "https" if parts.scheme == "https" else "http"
    path = parts.path if len(parts.path) > 1 else SERVICE_PATH
    return urlunsplit((scheme, parts.netloc.rpartition("@")[2], path, "", ""))


def dialled(reported: str, address: str) -> str:
    """Return *reported* with the host that was dialled; port, path and query stay."""
    parts = urlsplit(reported)
    host = urlsplit(address).hostname or ""
    if ":" in host:
        host = f"[{host}]"
    netloc = f"{host}:{parts.port}" if parts.port else host
    return urlunsplit(parts._replace(netloc=netloc))


class Session:
    """Calls to one camera, with its login and its own clock.

    ``ahead``: how far the camera's clock is ahead of the box's, asked before logging in.
    """

    def __init__(self, address: str, user: str, password: str) -> None:
        """Ask the time; nothing is proved before the first authenticated call."""
        # onvif-zeep sends log lines to standard error as soon as it is imported.
        logging.disable(logging.CRITICAL)
        import onvif  # type: ignore[import-untyped]  # it has no types
        import requests
        from zeep.cache import InMemoryCache
        from zeep.transports import Transport

        self.address = service_address(address)
        self.ahead = clock_ahead(self.address)
        self._user, self._password = user, password
        self._library = onvif
        self._transport: Any = Transport(  # type: ignore[no-untyped-call]  # zeep has few types
            timeout=TIMEOUT_S,
            operation_timeout=TIMEOUT_S,
            cache=InMemoryCache(),  # type: ignore[no-untyped-call]  # the same
        )
        self._transport.session.trust_env = False  # a camera is never behind a proxy
        if user:  # some cameras take the login by HTTP Digest instead of WS-Security
            self._transport.session.auth = requests.auth.HTTPDigestAuth(user, password)
        self._media: Any = None
        self.device = self._service("devicemgmt", _DEVICE, "DeviceBinding", self.address)

    @property
    def media(self) -> Any:
        """The media service, wherever the camera says that it is."""
        if self._media is None:
            found = self.call(self.device.GetCapabilities, {"Category": "Media"})
            where = text_of(found, "Media", "XAddr") or self.address
            self._media = self._service(
                "media", _MEDIA, "MediaBinding", dialled(where, self.address)
            )
        return self._media

    def call(self, function: Any, *arguments: Any) -> Any:
        """Call the camera. Raises StreamFailed instead of whatever the library raises."""
        try:
            return function(*arguments)
        except self._library.ONVIFError as error:
            raise _explained(error, self.address) from None

    def attempt(self, function: Any, *arguments: Any) -> Any:
        """Call the camera for what it may well not offer; None when it does not."""
        try:
            return self.call(function, *arguments)
        except StreamFailed as failure:
            if failure.kind is Failure.UNREACHABLE:
                raise
            return None

    def log_in_by(self, ahead: timedelta) -> None:
        """Go by another difference of the clocks from here on, since the camera's was set."""
        self.ahead = ahead
        self._media = None
        self.device = self._service("devicemgmt", _DEVICE, "DeviceBinding", self.address)

    def _service(self, name: str, namespace: str, binding: str, address: str) -> Any:
        # onvif-zeep puts its WSDL files beside its package.
        folder = Path(self._library.__file__).parent.parent / "wsdl"
        return self.call(
            lambda: self._library.ONVIFService(
                address,
                self._user,
                self._password,
                str(folder / f"{name}.wsdl"),
                no_cache=True,
                dt_diff=self.ahead,
                binding_name=f"{{{namespace}}}{binding}",
                transport=self._transport,
            )
        )


def part(answer: Any, *names: str) -> Any:
    """Return a part of an answer by the names that lead to it; None where the camera left it out.

    Cameras leave out what the standard requires, and answer what they were not asked.
    """
    for name in names:
        answer = getattr(answer, name, None)
    return answer


def text_of(answer: Any, *names: str) -> str:
    """Return a part of an answer as text, empty where it is missing."""
    value = part(answer, *names)
    return "" if value is None else str(value).strip()


def number_of(answer: Any, *names: str) -> int:
    """Return a part of an answer as a whole number, 0 where it is missing or none."""
    try:
        return int(text_of(answer, *names))
    except ValueError:
        return 0


def box_time() -> datetime:
    """Return the box's time; meaningful where the box knows the date (``Clock.dated``)."""
    return datetime.fromtimestamp(inherited().now().at / 1_000_000, UTC)


def time_parts() -> dict[str, dict[str, int]]:
    """Return the box's time as ONVIF's UTCDateTime."""
    now = box_time()
    return {
        "Time": {"Hour": now.hour, "Minute": now.minute, "Second": now.second},
        "Date": {"Year": now.year, "Month": now.month, "Day": now.day},
    }


def posix_zone(zone: str) -> str:
    """Return the time zone *zone* (Asia/Shanghai) as cameras want it: CST-8, the sign reversed.

    Only the offset of today goes in: a rule for summer time few cameras follow.
    """
    here = box_time().astimezone(ZoneInfo(zone))
    offset = here.utcoffset() or timedelta(0)
    minutes = int(offset.total_seconds()) // 60
    hours, rest = divmod(abs(minutes), 60)
    name = here.tzname() or ""
    letters = name if name.isalpha() and len(name) >= 3 else "LOC"
    return f"{letters}{'-' if minutes > 0 else ''}{hours}" + (f":{rest:02d}" if rest else "")


def clock_ahead(address: str) -> timedelta:
    """Return how far the camera's clock is ahead of the box's, asked without a login.

    A login carries the time; a camera whose clock is hours off refuses it. Some cameras want a
    login even for their time; the Date of their refusal is used then. Raises StreamFailed.
    """
    content, date = unauthenticated(address, "GetSystemDateAndTime")
    camera_time = _time_in(content) or _time_of_header(date)
    return camera_time - box_time() if camera_time else timedelta(0)


def unauthenticated(address: str, call: str) -> tuple[str, str | None]:
    """Return what the device service at *address* answers to *call*, and its HTTP Date.

    The answer is empty where the camera wants a login. Raises StreamFailed.
    """
    request = urllib.request.Request(
        address,
        _ENVELOPE.format(call=call).encode(),
        {"Content-Type": "application/soap+xml; charset=utf-8"},
    )
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=TIMEOUT_S) as response:
            return response.read(_LARGEST).decode("utf-8", "replace"), response.headers["Date"]
    except urllib.error.HTTPError as error:
        with error:
            return "", error.headers["Date"]
    except OSError:
        raise _unreachable(address) from None
    except (HTTPException, ValueError):
        raise _not_onvif(address) from None


def _explained(error: Exception, address: str) -> StreamFailed:
    import requests

    cause = error.__context__ or error
    text = str(cause).lower()
    if isinstance(cause, requests.ConnectionError | requests.Timeout):
        return _unreachable(address)
    if any(word in text for word in _REFUSALS) or ("password" in text or "authent" in text):
        return StreamFailed(
            Failure.REFUSED,
            f"{address}: the camera refused the user name or the password. Correct them: classbox "
            "cameras login, or `user` and `password` in box.toml. Many cameras have ONVIF users "
            "of their own, to be made on the camera's page.",
        )
    return _not_onvif(address)


def _unreachable(address: str) -> StreamFailed:
    return StreamFailed(
        Failure.UNREACHABLE,
        f"{address}: the camera cannot be reached. Check that it has power, that its cable is "
        "plugged in, and that address and port are right (ONVIF is usually at 80, 8080 or 8000).",
    )


def _not_onvif(address: str) -> StreamFailed:
    return StreamFailed(
        Failure.UNUSABLE,
        f"{address}: what answers there does not speak ONVIF as expected. Switch ONVIF on on the "
        "camera's own page, or give its rtsp:// address instead.",
    )


def _time_in(content: str) -> datetime | None:
    """Return the UTCDateTime of a GetSystemDateAndTime answer."""
    utc = re.search(r"UTCDateTime\b.*?/(?:\w+:)?UTCDateTime", content, re.DOTALL)
    numbers = [
        re.search(rf"<(?:\w+:)?{name}>\s*(\d+)\s*<", utc[0] if utc else "")
        for name in ("Year", "Month", "Day", "Hour", "Minute", "Second")
    ]
    try:
        year, month, day, hour, minute, second = (int(found[1]) for found in numbers if found)
        return datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    except ValueError:
        return None


def _time_of_header(date: str | None) -> datetime | None:
    try:
        return email.utils.parsedate_to_datetime(date) if date else None
    except ValueError:
        return None
