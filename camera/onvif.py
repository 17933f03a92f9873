"""What a camera says of itself by ONVIF: who it is, and where its stream and snapshots are.

Asked in a short-lived process (``python -m camera.onvif``; see ``camera.onvif_client``). Promises a
proof of the password: only an authenticated call is one. A camera whose clock was reset, by a power
cut or a spent battery, is set right on the way, for its time stands in every picture.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from camera.failures import Failure, StreamFailed
from camera.oneshot import answer, ask
from camera.onvif_client import (
    Session,
    clock_ahead,
    dialled,
    number_of,
    posix_zone,
    text_of,
    time_parts,
)

DEADLINE_S = 45.0
# A camera's clock may be this many seconds off before it is set.
CLOCK_TOLERANCE_S = 2


@dataclass(frozen=True, slots=True)
class Identity:
    """What a camera says of itself. ``snapshot`` may be empty; addresses hold no login.

    ``mac``: of its (first) network interface, lower case with colons, empty where it does not say.
    ``clock_ahead``: seconds by which the camera's clock was ahead of the box's when it was asked.
    ``clock``: kept (not to be set, or right) | set | refused. ``substream``: the address of its
    smallest other H.264 stream; may be empty.
    """

    manufacturer: str
    model: str
    serial: str
    firmware: str
    mac: str
    stream: str
    snapshot: str
    clock_ahead: int
    clock: str
    substream: str = ""


def look_up(address: str, user: str, password: str, *, zone: str = "") -> Identity:
    """Ask the camera at *address* (onvif://HOST:PORT or its http address). Raises StreamFailed.

    *zone*: the box's time zone when its time is good enough to set the camera's clock by; empty
    leaves the clock alone.
    """
    question = {"address": address, "user": user, "password": password, "zone": zone}
    return Identity(**ask("camera.onvif", question, DEADLINE_S))


def identify(session: Session) -> dict[str, str]:
    """Return who the camera is, with the proof of the login. Raises StreamFailed."""
    who = session.call(session.device.GetDeviceInformation)
    interfaces = session.attempt(session.device.GetNetworkInterfaces) or []
    addresses = [text_of(one, "Info", "HwAddress") for one in interfaces]
    return {
        "manufacturer": text_of(who, "Manufacturer"),
        "model": text_of(who, "Model"),
        "serial": text_of(who, "SerialNumber"),
        "firmware": text_of(who, "FirmwareVersion"),
        "mac": next((one.lower().replace("-", ":") for one in addresses if one), ""),
    }


def set_clock(session: Session, zone: str) -> str:
    """Set the camera's clock from the box's where it is off: kept | set | refused.

    Call it after the login was proved. Whether it was set, the camera itself is asked.
    """
    if abs(session.ahead.total_seconds()) <= CLOCK_TOLERANCE_S:
        return "kept"
    session.attempt(
        session.device.SetSystemDateAndTime,
        {
            "DateTimeType": "Manual",
            "DaylightSavings": False,
            "TimeZone": {"TZ": posix_zone(zone)},
            "UTCDateTime": time_parts(),
        },
    )
    session.log_in_by(clock_ahead(session.address))
    return "set" if abs(session.ahead.total_seconds()) <= CLOCK_TOLERANCE_S else "refused"


def recording_profile(profiles: Any, address: str) -> Any:
    """Return the first profile with H.264 video, else the first one. Raises StreamFailed."""
    if not profiles:
        raise StreamFailed(
            Failure.UNUSABLE,
            f"{address}: the camera offers no media profile. Make one on the camera's own page.",
        )
    for profile in profiles:
        if text_of(profile, "VideoEncoderConfiguration", "Encoding") == "H264":
            return profile
    return profiles[0]


def smaller_profile(profiles: Any, main: Any) -> Any:
    """Return the profile with the smallest H.264 picture that is smaller than *main*'s, or None."""
    smaller = [
        profile
        for profile in profiles
        if text_of(profile, "VideoEncoderConfiguration", "Encoding") == "H264"
        and _pixels(profile) < _pixels(main)
    ]
    return min(smaller, key=_pixels, default=None)


def _pixels(profile: Any) -> int:
    width = number_of(profile, "VideoEncoderConfiguration", "Resolution", "Width")
    height = number_of(profile, "VideoEncoderConfiguration", "Resolution", "Height")
    return width * height


def _stream_of(token: str) -> dict[str, Any]:
    return {
        "StreamSetup": {"Stream": "RTP-Unicast", "Transport": {"Protocol": "RTSP"}},
        "ProfileToken": token,
    }


def _ask_camera(question: dict[str, Any]) -> dict[str, Any]:
    session = Session(question["address"], question["user"], question["password"])
    ahead = round(session.ahead.total_seconds())
    who = identify(session)
    clock = set_clock(session, question["zone"]) if question.get("zone") else "kept"
    media, address = session.media, session.address
    profiles = session.call(media.GetProfiles)
    main = recording_profile(profiles, address)
    profile = main.token
    found = session.call(media.GetStreamUri, _stream_of(profile))
    stream = text_of(found, "Uri")
    if not stream:
        raise StreamFailed(
            Failure.UNUSABLE,
            f"{address}: the camera says no address for its stream. Restart it; if that does not "
            "help, give its rtsp:// address instead.",
        )
    less = smaller_profile(profiles, main)
    substream = ""
    if less is not None:
        found = session.attempt(media.GetStreamUri, _stream_of(less.token))
        substream = text_of(found, "Uri")
    # Many cameras have no snapshot address; the stream gives pictures too.
    snapshot = text_of(session.attempt(media.GetSnapshotUri, {"ProfileToken": profile}), "Uri")
    identity = Identity(
        **who,
        stream=dialled(stream, address),
        snapshot=dialled(snapshot, address) if snapshot else "",
        clock_ahead=ahead,
        clock=clock,
        substream=dialled(substream, address) if substream else "",
    )
    return asdict(identity)


if __name__ == "__main__":
    answer(_ask_camera)
