"""A lesson's film as pages show and send it, the same at kiosk and console.

Owns what a player is told (the state of a line, as JSON) and how bytes of a film are sent. A film
is known by its *edition*, a hash of all that is in it, so its bytes never change under one address:
when a part arrives, is deleted or gets another time there is another film at another address, and
the old one is gone (410). Whoever played it asks for the state and goes on in the new one.
"""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

from flask import Response, request
from werkzeug.exceptions import ServiceUnavailable

from edge.clock import local
from edge.film import TYPE, Film, NothingToJoin, Opener, join
from edge.model import Instant
from edge.rules.timeline import Stretch, Timeline

# A player reads on only when it needs to, and would hold a thread of the server until then; it is
# given this much at a time and asks for the next (RFC 9110, 15.3.7: it must look what it got).
_AT_A_TIME = 1 << 20
_KEPT = 3
_DOWNLOADS = 4
_REMEMBERED = 64


@dataclass(frozen=True, slots=True)
class Showing:
    """One camera's recording of a lesson, to be shown.

    ``growing``: more of it may come. ``caption`` says what is watermarked on a second, ``says``
    what a stretch without video is, in the language of the request; ``metadata`` as ``film.join``.
    """

    line: Timeline
    growing: bool
    caption: Callable[[Instant], str]
    says: Callable[[Stretch], str]
    metadata: Mapping[str, str]

    @property
    def edition(self) -> str:
        """What names the film; empty while there is none."""
        film = self.line.filmed()
        if film is None:
            return ""
        told = [
            (one.starts, one.ends, one.part.sha256 if one.part else "", self.says(one))
            for one in film.stretches
        ]
        content = repr((told, self.caption(film.begins), sorted(self.metadata.items())))
        return hashlib.sha256(content.encode("utf-8")).hexdigest()[:20]

    def state(self, address: Callable[[str], str], exact: Callable[[Stretch], str]) -> Any:
        """Return what the player is told, as JSON; times are ms since 1970.

        *address*: the film's by its edition. *exact*: how exactly a stretch's time is known, in
        words.
        """
        film, edition = self.line.filmed(), self.edition
        return {
            "begins": self.line.begins / 1000,
            "ends": max(self.line.axis.closes, *(one.ends for one in self.line.stretches)) / 1000,
            "growing": self.growing,
            "film": {
                "src": address(edition),
                "begins": film.begins / 1000,
                "ends": film.axis.closes / 1000,
            }
            if film
            else None,
            "stretches": [
                {
                    "sort": str(one.sort),
                    "begins": one.starts / 1000,
                    "ends": one.ends / 1000,
                    "says": self.says(one),
                    "exact": exact(one),
                }
                for one in self.line.stretches
            ],
        }


def captions(room: str, zone: ZoneInfo) -> Callable[[Instant], str]:
    """Return what says the watermark of a second: when and where, to people and to programs."""

    def caption(at: Instant) -> str:
        moment = local(at, zone)
        offset = moment.strftime("%z")
        return f"{moment:%Y-%m-%d %H:%M:%S} UTC{offset[:3]}:{offset[3:]} {room}"

    return caption


def told_mark(
    at: Instant, sort: str, title: str, detail: str = "", picture: str = "", small: str = ""
) -> Any:
    """Return a mark as the player is told it.

    *picture*: the address of one, if there is any; *small*: that of a small copy.
    """
    return {
        "at": at / 1000,
        "sort": sort,
        "title": title,
        "detail": detail,
        "picture": picture,
        "small": small or picture,
    }


@dataclass
class _Download:
    """How far a download is."""

    sent: int
    total: int


@dataclass
class Films:
    """The films that are being looked at, joined once; and the downloads under way."""

    _films: OrderedDict[str, Film] = field(default_factory=OrderedDict)
    _downloads: OrderedDict[str, _Download] = field(default_factory=OrderedDict)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _free: threading.BoundedSemaphore = field(
        default_factory=lambda: threading.BoundedSemaphore(_DOWNLOADS)
    )

    def get(
        self,
        edition: str,
        showing: Callable[[], Showing | None],
        open_part: Opener,
        has: Callable[[str], bool],
    ) -> Film | None:
        """Return the film of that edition; None when there is none, or a part of it is gone.

        *showing* is asked when it is not at hand; *has* tells whether a part's file is there.
        """
        with self._lock:  # joining reads every part's heads: once is enough
            film = self._films.get(edition)
            if film is None:
                shown = showing()
                line = shown.line.filmed() if shown else None
                if shown is None or line is None or shown.edition != edition:
                    return None
                try:
                    film = join(line, open_part, shown.caption, shown.says, shown.metadata)
                except NothingToJoin:
                    return None
                self._films[edition] = film
                while len(self._films) > _KEPT:
                    self._films.popitem(last=False)
            if not all(map(has, film.parts)):
                del self._films[edition]
                return None
            self._films.move_to_end(edition)
        return film

    def progress(self, name: str) -> Mapping[str, int]:
        """Return how many bytes of a download were sent, and of how many; zeros when unknown."""
        found = self._downloads.get(name, _Download(0, 0))
        return {"sent": found.sent, "total": found.total}

    def download(self, film: Film, edition: str, file_name: str, name: str) -> Response:
        """Return the whole film as a file to keep, or the rest of one that broke off.

        *name*: under which ``progress`` will know it. At most four at a time, for each holds a
        thread of the server: further ones raise
        ServiceUnavailable.
        """
        if not self._free.acquire(blocking=False):
            raise ServiceUnavailable
        begins, ends = 0, film.size
        wanted = _wanted(film, edition)
        if wanted is not None:
            begins, ends = wanted
        if begins >= ends or request.method == "HEAD":
            self._free.release()
            return send(film, edition)
        counted = _Download(begins, film.size)
        if name:
            with self._lock:
                self._downloads[name] = counted
                while len(self._downloads) > _REMEMBERED:
                    self._downloads.popitem(last=False)
        response = _response(film, edition, begins, ends, wanted is not None)
        response.response = _Counted(film.read(begins, ends - begins), counted, self._free.release)
        response.headers["Content-Disposition"] = (
            f"attachment; filename=\"lesson.mp4\"; filename*=UTF-8''{quote(file_name)}"
        )
        return response


class _Counted:
    """Blocks of a download; whoever iterates closes it, then it says that it is over."""

    def __init__(
        self, blocks: Iterator[bytes], counted: _Download, over: Callable[[], None]
    ) -> None:
        self._blocks = blocks
        self._counted = counted
        self._over: Callable[[], None] | None = over

    def __iter__(self) -> Iterator[bytes]:
        for block in self._blocks:
            yield block
            self._counted.sent += len(block)

    def close(self) -> None:
        over, self._over = self._over, None
        if over is not None:
            over()


def send(film: Film, edition: str) -> Response:
    """Return the range of *film* that is asked for, at most 1 MiB of it; or all of it.

    416 with the film's size for a range beyond its end. What is no range of bytes, and several at
    once, are ignored (RFC 9110, 14.2), and so is a range of another film (``If-Range``).
    """
    wanted = _wanted(film, edition)
    if wanted is None:
        return _response(film, edition, 0, film.size, part=False)
    begins, ends = wanted
    if begins >= ends:
        return Response(status=416, headers={"Content-Range": f"bytes */{film.size}"})
    return _response(film, edition, begins, min(ends, begins + _AT_A_TIME), part=True)


def gone() -> Response:
    """Return the answer for a film that is no more: something in it was deleted, or came."""
    return Response(status=410)


def _wanted(film: Film, edition: str) -> tuple[int, int] | None:
    """Return the bytes that are asked for; an empty range when they lie beyond the film's end."""
    asked = request.range
    if asked is None or asked.units != "bytes" or len(asked.ranges) != 1:
        return None
    condition = request.if_range
    if condition.date is not None or condition.etag not in (None, edition):
        return None
    return asked.range_for_length(film.size) or (film.size, film.size)


def _response(film: Film, edition: str, begins: int, ends: int, part: bool) -> Response:
    response = Response(
        film.read(begins, ends - begins), status=206 if part else 200, mimetype=TYPE
    )
    response.content_length = ends - begins
    response.set_etag(edition)
    response.headers["Accept-Ranges"] = "bytes"
    response.headers["Cache-Control"] = "private, no-store"
    if part:
        response.headers["Content-Range"] = f"bytes {begins}-{ends - 1}/{film.size}"
    return response
