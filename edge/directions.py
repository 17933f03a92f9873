"""What the centre directs in a room: its cameras, lessons drawn for spot checks, notices. Pure.

Owns the JSON forms of the documents ``bindings``, ``draws`` and ``notices``.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from edge.camera_events import ROLES
from edge.events import canonical
from edge.forms import BadDocument, choice, listing, only, text, time, time_to_json, unique
from edge.model import Instant, Notice
from edge.rules.credit import Drawn

# A camera that is known by its number only is looked for: this name resolves nowhere (RFC 6761).
TO_BE_FOUND = "onvif://to-be-found.invalid"
NOTICE_LETTERS = 140  # R26
_TITLE_LETTERS = 40
CAMERA_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_ADDRESS = re.compile(r"(onvif|https?|rtsps?)://(\[[0-9a-fA-F:]+\]|[\w.-]+)(:\d{1,5})?(/\S*)?")
_DEVICE = re.compile(r"v4l2:/dev/[\w./-]+")
_CAMERA_KEYS = (
    "id", "label", "role", "address", "transport", "type", "manufacturer", "model", "serial",
    "login",
)  # fmt: skip
_NOTICE_KEYS = ("id", "from", "until", "title", "body")
APPROVED, REJECTED = VERDICTS = ("approved", "rejected")
SECRETS = ("user", "password", "code")


@dataclass(frozen=True, slots=True)
class CameraDirection:
    """A camera that belongs to the room (R13), as staff recorded it.

    ``address``: TO_BE_FOUND when only ``serial`` is known. ``login``: a letter sealed to the box
    that holds user, password and verification code; empty when the box keeps what it has.
    """

    id: str
    label: str
    role: str
    address: str
    transport: str
    type: str
    manufacturer: str
    model: str
    serial: str
    login: bytes


@dataclass(frozen=True, slots=True)
class Bindings:
    """The cameras of a room, and which of them film a lesson that not all of them film."""

    cameras: tuple[CameraDirection, ...]
    links: tuple[tuple[str, tuple[str, ...]], ...]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the authority says of a lesson's spot check. ``result``: approved | rejected."""

    result: str
    by: str
    at: Instant
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Draw:
    """A lesson drawn for a spot check (R6): by whom, and when.

    ``verdict`` is None while the authority has not decided: that is pending, not rejected.
    """

    lesson_id: str
    by: str
    drawn_at: Instant
    verdict: Verdict | None = None


def drawn_of(draw: Draw | None) -> Drawn | None:
    """Return what the hours of a lesson depend on of its draw, None when it was not drawn."""
    if draw is None:
        return None
    found = draw.verdict
    return Drawn(draw.by, found.result, found.by, found.reason) if found else Drawn(draw.by)


def parse_bindings(values: Mapping[str, Any]) -> Bindings:
    """Return the cameras and links of a document. It never holds a login that others can read."""
    only(values, ("cameras", "links"), "")
    cameras = tuple(
        _camera(entry, f"cameras[{number}]")
        for number, entry in enumerate(listing(values, "cameras", ""))
    )
    unique([one.id for one in cameras], "cameras")
    _distinct(cameras)
    known = {one.id for one in cameras}
    links: list[tuple[str, tuple[str, ...]]] = []
    for number, entry in enumerate(listing(values, "links", "", [])):
        place = f"links[{number}]"
        only(entry, ("lesson", "cameras"), place)
        ids = tuple(str(one) for one in listing(entry, "cameras", place))
        for one in ids:
            if one not in known:
                raise BadDocument(f"{place}.cameras: {one!r} is not among this document's cameras")
        links.append((text(entry, "lesson", place), ids))
    unique([lesson for lesson, _ in links], "links", "lesson")
    return Bindings(cameras, tuple(links))


def bindings_to_json(bindings: Bindings) -> bytes:
    """Return the document that ``parse_bindings`` reads."""
    return canonical(
        {
            "cameras": [_camera_entry(one) for one in bindings.cameras],
            "links": [
                {"lesson": lesson, "cameras": list(cameras)} for lesson, cameras in bindings.links
            ],
        }
    )


def parse_draws(values: Mapping[str, Any]) -> tuple[Draw, ...]:
    """Return the lessons of a draw document."""
    only(values, ("drawn",), "")
    draws: list[Draw] = []
    for number, entry in enumerate(listing(values, "drawn", "")):
        place = f"drawn[{number}]"
        only(entry, ("lesson", "by", "at", "verdict"), place)
        lesson = text(entry, "lesson", place)
        if not lesson:
            raise BadDocument(f"{place}.lesson: name the lesson that is drawn")
        verdict = verdict_from(entry["verdict"], place) if "verdict" in entry else None
        draws.append(Draw(lesson, text(entry, "by", place), time(entry, "at", place), verdict))
    unique([one.lesson_id for one in draws], "drawn", "lesson")
    return tuple(draws)


def draws_to_json(draws: tuple[Draw, ...]) -> bytes:
    """Return the document that ``parse_draws`` reads."""
    drawn: list[dict[str, Any]] = []
    for one in draws:
        entry = {"lesson": one.lesson_id, "by": one.by, "at": time_to_json(one.drawn_at)}
        verdict = {"verdict": verdict_to_json(one.verdict)} if one.verdict else {}
        drawn.append({**entry, **verdict})
    return canonical({"drawn": drawn})


def verdict_from(entry: Any, place: str) -> Verdict:
    """Return the verdict that stands at *place* of a document."""
    place = f"{place}.verdict"
    only(entry, ("result", "by", "at", "reason"), place)
    result = text(entry, "result", place)
    if result not in VERDICTS:
        raise BadDocument(f"{place}.result: {result!r} is none of {', '.join(VERDICTS)}")
    reason = text(entry, "reason", place, "")
    return Verdict(result, text(entry, "by", place), time(entry, "at", place), reason)


def verdict_to_json(verdict: Verdict) -> dict[str, str]:
    """Return what ``verdict_from`` reads."""
    return {
        "result": verdict.result,
        "by": verdict.by,
        "at": time_to_json(verdict.at),
        "reason": verdict.reason,
    }


def parse_notices(values: Mapping[str, Any]) -> tuple[Notice, ...]:
    """Return the notices of a document, in the order of their beginning."""
    only(values, ("notices",), "")
    notices: list[Notice] = []
    for number, entry in enumerate(listing(values, "notices", "")):
        place = f"notices[{number}]"
        only(entry, _NOTICE_KEYS, place)
        title = _both(entry.get("title"), f"{place}.title", _TITLE_LETTERS)
        body = _both(entry.get("body"), f"{place}.body", NOTICE_LETTERS)
        notice = Notice(
            text(entry, "id", place),
            time(entry, "from", place),
            time(entry, "until", place),
            *title,
            *body,
        )
        if notice.valid_from >= notice.valid_until:
            raise BadDocument(f"{place}.until: must be later than `from`")
        notices.append(notice)
    unique([one.id for one in notices], "notices")
    return tuple(sorted(notices, key=lambda one: (one.valid_from, one.id)))


def notices_to_json(notices: tuple[Notice, ...]) -> bytes:
    """Return the document that ``parse_notices`` reads."""
    return canonical(
        {
            "notices": [
                {
                    "id": one.id,
                    "from": time_to_json(one.valid_from),
                    "until": time_to_json(one.valid_until),
                    "title": {"zh": one.title_zh, "en": one.title_en},
                    "body": {"zh": one.body_zh, "en": one.body_en},
                }
                for one in notices
            ]
        }
    )


def _both(entry: Any, place: str, longest: int) -> tuple[str, str]:
    """Return a text in Chinese and in English; where one is left out the other stands for both."""
    only(entry, ("zh", "en"), place)
    zh, en = (text(entry, language, place, "", longest).strip() for language in ("zh", "en"))
    if not zh and not en:
        raise BadDocument(f"{place}: empty. Write it in `zh`, in `en` or in both.")
    return zh or en, en or zh


def _camera(entry: Any, place: str) -> CameraDirection:
    if isinstance(entry, dict):
        for key in SECRETS:
            if key in entry:
                raise BadDocument(
                    f"{place}.{key}: a camera's login travels sealed to its box. Let the centre do "
                    "that: classbox centre publish."
                )
    only(entry, _CAMERA_KEYS, place)
    one = text(entry, "id", place)
    if not CAMERA_ID.fullmatch(one):
        raise BadDocument(f"{place}.id: {one!r}: letters, digits, - and _ only, at most 64")
    label = text(entry, "label", place, longest=64).strip()
    if not label:
        raise BadDocument(f"{place}.label: empty. Write what people call this camera.")
    serial = text(entry, "serial", place, "", longest=64).strip()
    role = choice(entry, "role", place, ROLES, "classroom")
    return CameraDirection(
        id=one,
        label=label,
        role=role,
        address=_address(text(entry, "address", place, ""), serial, role, place),
        transport=choice(entry, "transport", place, ("tcp", "udp"), "tcp"),
        type=text(entry, "type", place, "", longest=64),
        manufacturer=text(entry, "manufacturer", place, "", longest=64),
        model=text(entry, "model", place, "", longest=64),
        serial=serial,
        login=_sealed(text(entry, "login", place, ""), place),
    )


def _camera_entry(one: CameraDirection) -> dict[str, str]:
    entry = {key: getattr(one, key) for key in _CAMERA_KEYS if key != "login"}
    if one.address == TO_BE_FOUND:
        del entry["address"]
    if one.login:
        entry["login"] = base64.b64encode(one.login).decode("ascii")
    return entry


def _address(address: str, serial: str, role: str, place: str) -> str:
    if not address:
        if not serial:
            raise BadDocument(
                f"{place}: give `address` or `serial`: by its serial number the box finds an ONVIF "
                "camera on its network"
            )
        return TO_BE_FOUND
    if _DEVICE.fullmatch(address):
        if role != "door":
            raise BadDocument(f"{place}.address: a USB camera serves at the door only")
        return address
    if "@" in address:
        raise BadDocument(
            f"{place}.address: leave user and password out of it and give `user` and `password`"
        )
    if not _ADDRESS.fullmatch(address):
        raise BadDocument(
            f"{place}.address: write onvif://HOST:PORT, rtsp://HOST:PORT/PATH or v4l2:/dev/video0"
        )
    return address


def _sealed(login: str, place: str) -> bytes:
    try:
        return base64.b64decode(login, validate=True)
    except binascii.Error as error:
        raise BadDocument(f"{place}.login: not a sealed login. Publish it again.") from error


def _distinct(cameras: tuple[CameraDirection, ...]) -> None:
    for key in ("address", "serial"):
        seen: dict[str, str] = {TO_BE_FOUND: "", "": ""}
        for number, one in enumerate(cameras):
            value = getattr(one, key)
            if seen.get(value):
                raise BadDocument(
                    f"cameras[{number}].{key}: {value} is {seen[value]}'s already: two names for "
                    "one camera"
                )
            seen.setdefault(value, one.id)
