"""Reading what a document from the centre states: each value with its place, times as text. Pure.

Promises that a value which cannot be used ends as a ``BadDocument`` that names its place, so that
the person who made the document can mend it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, tzinfo
from typing import Any, TypeVar

from edge.model import Instant, Invalid

T = TypeVar("T")


class BadDocument(ValueError):
    """A document cannot be used; the message names the place and the remedy."""


def built(build: Callable[..., T], place: str, **values: Any) -> T:
    """Return what *build* makes of *values*; what it finds invalid is said with the place."""
    try:
        return build(**values)
    except Invalid as error:
        raise BadDocument(f"{place}: {error}") from error


def listing(entry: Any, key: str, place: str, default: list[Any] | None = None) -> list[Any]:
    """Return the list that *entry* holds under *key*."""
    value = _field(entry, key, place)
    if value is None and default is not None:
        return default
    if not isinstance(value, list):
        raise BadDocument(f"{where(place, key)}: must be a list")
    return value


def text(
    entry: Any, key: str, place: str, default: str | None = None, longest: int | None = None
) -> str:
    """Return the text under *key*, of at most *longest* letters."""
    value = _field(entry, key, place)
    if value is None and default is not None:
        return default
    if not isinstance(value, str):
        raise BadDocument(f"{where(place, key)}: must be text")
    if longest is not None and len(value) > longest:
        raise BadDocument(f"{where(place, key)}: {len(value)} letters; at most {longest} fit")
    return value


def choice(entry: Any, key: str, place: str, among: Sequence[str], default: str) -> str:
    """Return the text under *key*, which is one of *among*."""
    value = text(entry, key, place, default)
    if value not in among:
        raise BadDocument(f"{where(place, key)}: {value!r} is none of {', '.join(among)}")
    return value


def time(entry: Any, key: str, place: str) -> Instant:
    """Return the instant under *key*: ISO 8601 with its offset from UTC."""
    try:
        return time_from_json(text(entry, key, place))
    except ValueError as error:
        if isinstance(error, BadDocument):
            raise
        raise BadDocument(f"{where(place, key)}: {error}") from error


def only(entry: Any, known: Sequence[str], place: str) -> None:
    """Refuse keys that are not *known*: a misspelt one would be left out in silence."""
    if not isinstance(entry, dict):
        raise BadDocument(f"{place or 'document'}: must be an object")
    for key in sorted(set(entry) - set(known)):
        raise BadDocument(f"{where(place, key)}: not known here. Known: {', '.join(known)}.")


def unique(ids: Sequence[str], place: str, key: str = "id") -> None:
    """Refuse a list in which one of *ids* stands twice."""
    seen: set[str] = set()
    for number, one in enumerate(ids):
        if one in seen:
            raise BadDocument(f"{place}[{number}].{key}: {one!r} stands there twice")
        seen.add(one)


def where(place: str, key: str) -> str:
    """Return the place of *key* inside *place*."""
    return f"{place}.{key}" if place else key


def time_to_json(instant: Instant) -> str:
    """Return *instant* as ISO 8601 in UTC."""
    return datetime.fromtimestamp(instant / 1_000_000, tz=UTC).isoformat()


def local(instant: Instant, zone: tzinfo) -> datetime:
    """Return *instant* as a time of day in *zone*, for people to read."""
    return datetime.fromtimestamp(instant / 1_000_000, tz=UTC).astimezone(zone)


def time_from_json(text: str) -> Instant:
    """Return the instant of an ISO 8601 time; raises ValueError when it names no UTC offset."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"{text!r} lacks its offset. Write for example 2026-11-23T09:00:00+08:00.")
    since = moment - datetime(1970, 1, 1, tzinfo=UTC)
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


def _field(entry: Any, key: str, place: str) -> Any:
    if not isinstance(entry, dict):
        raise BadDocument(f"{place or 'document'}: must be an object")
    return entry.get(key)
