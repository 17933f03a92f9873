"""Setting a camera up through ONVIF: clock, encoder, and the text in its picture.

Runs in a short-lived process (``python -m camera.onvif_setup``; see ``camera.onvif_client``).
Promises to change only what is out of bounds, to ask afterwards what really holds (cameras agree
and do nothing), and to name each limitation instead of assuming: see ``camera.findings``.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from camera.failures import StreamFailed
from camera.findings import Finding
from camera.oneshot import answer, ask
from camera.onvif import identify, recording_profile, set_clock
from camera.onvif_client import Session, number_of, part, text_of

DEADLINE_S = 90.0
LARGEST = (1920, 1080)
LEAST_HEIGHT = 720
SLOWEST, FASTEST = 10, 25  # frames a second; 25 where neither fits
KEY_FRAME_EVERY_S = 2
KILOBITS = 4096
# The room's name goes here; whatever else a camera draws, it is left alone.
_CORNER = "LowerLeft"


@dataclass(frozen=True, slots=True)
class Encoding:
    """What a video encoder does. ``gov``: frames from one key frame to the next, 0 if unknown."""

    encoding: str
    width: int
    height: int
    frame_rate: int
    gov: int
    kilobits: int

    @property
    def key_frame_every(self) -> int:
        """Milliseconds from one key frame to the next."""
        return 1000 * self.gov // self.frame_rate if self.frame_rate else 0


@dataclass(frozen=True, slots=True)
class Offer:
    """What an encoder can do in H.264: sizes, and most frames a second and from key to key."""

    sizes: tuple[tuple[int, int], ...]
    frame_rate: int
    gov: int


@dataclass(frozen=True, slots=True)
class SetUp:
    """What came of it. ``clock_ahead``: seconds before it was set; ``clock``: see Identity."""

    encoding: Encoding
    clock: str
    clock_ahead: int
    findings: tuple[Finding, ...]


def set_up(address: str, user: str, password: str, *, zone: str, text: str) -> SetUp:
    """Set up the camera at *address*, with *text* in its picture. Raises StreamFailed.

    *zone*: the box's time zone, empty while the box does not know the time.
    """
    question = {"address": address, "user": user, "password": password, "zone": zone, "text": text}
    found = ask("camera.onvif_setup", question, DEADLINE_S)
    return SetUp(
        Encoding(**found["encoding"]),
        found["clock"],
        found["clock_ahead"],
        tuple(Finding(code) for code in found["findings"]),
    )


def wanted_of(now: Encoding, offer: Offer) -> Encoding:
    """Return what the encoder should do: as *now*, but for what is out of bounds."""
    fits = [size for size in offer.sizes if size[0] <= LARGEST[0] and size[1] <= LARGEST[1]]
    good = now.encoding == "H264" and LEAST_HEIGHT <= now.height <= LARGEST[1]
    width, height = (now.width, now.height) if good or not fits else max(fits)
    rate = now.frame_rate if SLOWEST <= now.frame_rate <= FASTEST else FASTEST
    rate = min(rate, offer.frame_rate) or rate
    most = min(KEY_FRAME_EVERY_S * rate, offer.gov or KEY_FRAME_EVERY_S * rate)
    gov = now.gov if now.encoding == "H264" and 0 < now.gov <= most else most
    kilobits = now.kilobits if 0 < now.kilobits <= KILOBITS else KILOBITS
    return Encoding("H264", width, height, rate, gov, kilobits)


def limits_of(encoding: Encoding) -> list[Finding]:
    """Return what is amiss with what a camera sends, in the order of weight."""
    if encoding.encoding != "H264":
        return [Finding.NO_H264]
    found = [
        (encoding.height < LEAST_HEIGHT, Finding.SMALL_PICTURE),
        (encoding.key_frame_every > 1000 * KEY_FRAME_EVERY_S, Finding.RARE_KEY_FRAMES),
        (encoding.kilobits > KILOBITS, Finding.HIGH_BITRATE),
    ]
    return [finding for amiss, finding in found if amiss]


def _set_up_camera(question: dict[str, Any]) -> dict[str, Any]:
    session = Session(question["address"], question["user"], question["password"])
    ahead = round(session.ahead.total_seconds())
    who = identify(session)
    findings: list[Finding] = []
    clock = _clock(session, question["zone"], ahead, findings)
    profile = recording_profile(session.call(session.media.GetProfiles), session.address)
    encoding = _encoder(session, profile, findings)
    _osd(session, profile, question["text"], findings)
    found = session.attempt(session.media.GetSnapshotUri, {"ProfileToken": profile.token})
    if not text_of(found, "Uri"):
        findings.append(Finding.NO_SNAPSHOT_ADDRESS)
    if not who["serial"]:
        findings.append(Finding.NO_SERIAL)
    return {
        "encoding": asdict(encoding),
        "clock": clock,
        "clock_ahead": ahead,
        "findings": findings,
    }


def _clock(session: Session, zone: str, ahead: int, findings: list[Finding]) -> str:
    if not zone:
        findings.append(Finding.BOX_TIME_UNKNOWN)
        return "kept"
    clock = set_clock(session, zone)
    if clock != "kept":
        findings.append(Finding.CLOCK_SET if clock == "set" else Finding.CLOCK_REFUSED)
    return clock


def _encoder(session: Session, profile: Any, findings: list[Finding]) -> Encoding:
    config = part(profile, "VideoEncoderConfiguration")
    if config is None:
        findings.append(Finding.NO_H264)
        return Encoding("", 0, 0, 0, 0, 0)
    now = _encoding(config)
    offer = _offer(session, profile, config)
    if offer is None and now.encoding != "H264":
        findings.append(Finding.NO_H264)
        return now
    if offer is not None and (target := wanted_of(now, offer)) != now:
        _apply(config, target)
        session.attempt(
            session.media.SetVideoEncoderConfiguration,
            {"Configuration": config, "ForcePersistence": True},
        )
        fresh = {
            str(one.token): one.VideoEncoderConfiguration
            for one in session.call(session.media.GetProfiles)
        }
        now = _encoding(fresh.get(str(profile.token)) or config)
        if now != target:
            findings.append(Finding.ENCODER_FIXED)
    findings += limits_of(now)
    return now


def _offer(session: Session, profile: Any, config: Any) -> Offer | None:
    """Return what the encoder can do in H.264, None where it cannot or does not say."""
    options = session.attempt(
        session.media.GetVideoEncoderConfigurationOptions,
        {"ProfileToken": profile.token, "ConfigurationToken": config.token},
    )
    h264 = part(options, "H264")
    if h264 is None:
        return None
    sizes = tuple(
        (number_of(one, "Width"), number_of(one, "Height"))
        for one in part(h264, "ResolutionsAvailable") or ()
    )
    return Offer(
        sizes,
        number_of(h264, "FrameRateRange", "Max"),
        number_of(h264, "GovLengthRange", "Max"),
    )


def _encoding(config: Any) -> Encoding:
    return Encoding(
        encoding=text_of(config, "Encoding"),
        width=number_of(config, "Resolution", "Width"),
        height=number_of(config, "Resolution", "Height"),
        frame_rate=number_of(config, "RateControl", "FrameRateLimit"),
        gov=number_of(config, "H264", "GovLength"),
        kilobits=number_of(config, "RateControl", "BitrateLimit"),
    )


def _apply(config: Any, target: Encoding) -> None:
    config.Encoding = target.encoding
    config.Resolution = {"Width": target.width, "Height": target.height}
    interval = number_of(config, "RateControl", "EncodingInterval") or 1
    config.RateControl = {
        "FrameRateLimit": target.frame_rate,
        "EncodingInterval": interval,
        "BitrateLimit": target.kilobits,
    }
    h264_profile = text_of(config, "H264", "H264Profile") or "Main"
    config.H264 = {"GovLength": target.gov, "H264Profile": h264_profile}


def _osd(session: Session, profile: Any, text: str, findings: list[Finding]) -> None:
    """Have the time and *text* drawn into the picture; other texts are left alone."""
    source = text_of(profile, "VideoSourceConfiguration", "token")
    drawn = _texts(session, source)
    if drawn is None:
        findings.append(Finding.NO_OSD)
        return
    if not _shows_time(drawn):
        _draw(session, source, "", "UpperLeft", {"Type": "DateAndTime"})
    if text and not _shows(drawn, text):
        ours = [
            one for one in drawn if _is_plain(one) and text_of(one, "Position", "Type") == _CORNER
        ]
        token = str(ours[0].token) if ours else ""
        _draw(session, source, token, _CORNER, {"Type": "Plain", "PlainText": text})
    drawn = _texts(session, source) or []
    if not _shows_time(drawn):
        findings.append(Finding.NO_OSD_TIME)
    if text and not _shows(drawn, text):
        findings.append(Finding.NO_OSD_ROOM)


def _texts(session: Session, source: str) -> list[Any] | None:
    """Return the texts that are drawn, None where the camera knows no such thing."""
    try:
        found = session.call(session.media.GetOSDs, {"ConfigurationToken": source})
    except StreamFailed:
        return None
    return [one for one in found or () if part(one, "TextString") is not None]


def _draw(session: Session, source: str, token: str, corner: str, content: dict[str, str]) -> None:
    osd = {
        "token": token,
        "VideoSourceConfigurationToken": {"_value_1": source},
        "Type": "Text",
        "Position": {"Type": corner},
        "TextString": content,
    }
    media = session.media
    session.attempt(media.SetOSD if token else media.CreateOSD, {"OSD": osd})


def _is_plain(osd: Any) -> bool:
    return text_of(osd, "TextString", "Type") == "Plain"


def _shows(drawn: Iterable[Any], text: str) -> bool:
    return any(_is_plain(one) and text_of(one, "TextString", "PlainText") == text for one in drawn)


def _shows_time(drawn: Iterable[Any]) -> bool:
    kinds = {text_of(one, "TextString", "Type") for one in drawn}
    return "DateAndTime" in kinds or {"Date", "Time"} <= kinds


if __name__ == "__main__":
    answer(_set_up_camera)
