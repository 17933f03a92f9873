"""What a camera says of itself by ONVIF: who it is, and where its stream and snapshots are.

Owns the use of onvif-zeep, in a short-lived process (``python -m camera.onvif``): the library
takes 50 MB and hangs for ever on a dead host. Promises a proof of the password (only an
authenticated call is one), addresses that can be dialled from here (cameras report what they
believe is their own), a login that works when the camera's clock is wrong, and errors in plain
sentences (the library says only "Unknown error").
"""

from __future__ import annotations

import email.utils
import logging
import re
import urllib.error
import urllib.request
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from camera.failures import Failure, StreamFailed
from camera.oneshot import answer, ask
from edge.clock import SystemClock

TIMEOUT_S = 5
DEADLINE_S = 45.0
SERVICE_PATH = "/onvif/device_service"
_DEVICE = "http://www.onvif.org/ver10/device/wsdl"
_MEDIA = "http://www.onvif.org/ver10/media/wsdl"
_ASK_TIME = (
    '<?xml version="1.0" encoding="UTF-8"?>'
    '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Body>'
    f'<GetSystemDateAndTime xmlns="{_DEVICE}"/></s:Body></s:Envelope>'
)
_REFUSALS = ("not authorized", "notauthorized", "unauthorized", "401", "403", "forbidden")


@dataclass(frozen=True, slots=True)
class Identity:
    """What a camera says of itself. ``snapshot`` may be empty; addresses hold no login.

    ``clock_ahead``: seconds by which the camera's clock is ahead of the box's.
    """

    manufacturer: str
    model: str
    serial: str
    firmware: str
    stream: str
    snapshot: str
    clock_ahead: int


def look_up(address: str, user: str, password: str) -> Identity:
    """Ask the camera at *address* (onvif://HOST:PORT or its http address). Raises StreamFailed."""
    question = {"address": address, "user": user, "password": password}
    return Identity(**ask("camera.onvif", question, DEADLINE_S))


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


def _ask_camera(question: dict[str, Any]) -> dict[str, Any]:
    # onvif-zeep sends log lines to standard error as soon as it is imported.
    logging.disable(logging.CRITICAL)
    address = service_address(question["address"])
    ahead = _clock_ahead(address)
    session = _Session(address, question["user"], question["password"], ahead)
    device = session.service("devicemgmt", _DEVICE, "DeviceBinding", address)
    who = session.call(device.GetDeviceInformation)
    media_address = session.call(device.GetCapabilities, {"Category": "Media"}).Media.XAddr
    media = session.service("media", _MEDIA, "MediaBinding", dialled(media_address, address))
    profile = _recording_profile(session.call(media.GetProfiles), address)
    stream = session.call(
        media.GetStreamUri,
        {
            "StreamSetup": {"Stream": "RTP-Unicast", "Transport": {"Protocol": "RTSP"}},
            "ProfileToken": profile,
        },
    ).Uri
    try:
        snapshot = session.call(media.GetSnapshotUri, {"ProfileToken": profile}).Uri
    except StreamFailed:
        snapshot = ""  # many cameras have none; the stream gives pictures too
    return {
        "manufacturer": who.Manufacturer or "",
        "model": who.Model or "",
        "serial": who.SerialNumber or "",
        "firmware": who.FirmwareVersion or "",
        "stream": dialled(stream, address),
        "snapshot": dialled(snapshot, address) if snapshot else "",
        "clock_ahead": round(ahead.total_seconds()),
    }


class _Session:
    """Calls to one camera, with its login and its clock."""

    def __init__(self, address: str, user: str, password: str, ahead: timedelta) -> None:
        import onvif  # type: ignore[import-untyped]  # it has no types
        from zeep.cache import InMemoryCache
        from zeep.transports import Transport

        self._address, self._user, self._password, self._ahead = address, user, password, ahead
        self._library = onvif
        self._transport: Any = Transport(  # type: ignore[no-untyped-call]  # zeep has few types
            timeout=TIMEOUT_S,
            operation_timeout=TIMEOUT_S,
            cache=InMemoryCache(),  # type: ignore[no-untyped-call]  # the same
        )
        self._transport.session.trust_env = False  # a camera is never behind a proxy

    def service(self, name: str, namespace: str, binding: str, address: str) -> Any:
        # onvif-zeep puts its WSDL files beside its package.
        folder = Path(self._library.__file__).parent.parent / "wsdl"
        return self.call(
            lambda: self._library.ONVIFService(
                address,
                self._user,
                self._password,
                str(folder / f"{name}.wsdl"),
                no_cache=True,
                dt_diff=self._ahead,
                binding_name=f"{{{namespace}}}{binding}",
                transport=self._transport,
            )
        )

    def call(self, function: Any, *arguments: Any) -> Any:
        """Call the camera. Raises StreamFailed instead of whatever the library raises."""
        try:
            return function(*arguments)
        except self._library.ONVIFError as error:
            raise _explained(error, self._address) from None


def _explained(error: Exception, address: str) -> StreamFailed:
    import requests

    cause = error.__context__ or error
    text = str(cause).lower()
    if isinstance(cause, requests.ConnectionError | requests.Timeout):
        return _unreachable(address)
    if any(word in text for word in _REFUSALS) or ("password" in text or "authent" in text):
        return StreamFailed(
            Failure.REFUSED,
            f"{address}: the camera refused the user name or the password. Correct `user` and "
            "`password` of this camera in box.toml. Many cameras have ONVIF users of their own, "
            "to be made on the camera's page.",
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


def _clock_ahead(address: str) -> timedelta:
    """Return how far the camera's clock is ahead, asked without a login.

    A login carries the time; a camera whose clock is hours off refuses it. Some cameras want a
    login even for their time; the Date of their refusal is used then.
    """
    request = urllib.request.Request(
        address, _ASK_TIME.encode(), {"Content-Type": "application/soap+xml; charset=utf-8"}
    )
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=TIMEOUT_S) as response:
            date, content = response.headers["Date"], response.read().decode("utf-8", "replace")
    except urllib.error.HTTPError as error:
        with error:
            date, content = error.headers["Date"], ""
    except OSError:
        raise _unreachable(address) from None
    except (HTTPException, ValueError):
        raise _not_onvif(address) from None
    camera_time = _time_in(content) or _time_of_header(date)
    if camera_time is None:
        return timedelta(0)
    ours = datetime.fromtimestamp(SystemClock().now().at / 1_000_000, UTC)
    return camera_time - ours


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


def _recording_profile(profiles: Any, address: str) -> str:
    """Return the token of the first profile with H.264 video, else of the first one."""
    if not profiles:
        raise StreamFailed(
            Failure.UNUSABLE,
            f"{address}: the camera offers no media profile. Make one on the camera's own page.",
        )
    for profile in profiles:
        encoder = getattr(profile, "VideoEncoderConfiguration", None)
        if encoder is not None and str(encoder.Encoding) == "H264":
            return str(profile.token)
    return str(profiles[0].token)


if __name__ == "__main__":
    answer(_ask_camera)
