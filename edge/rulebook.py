"""The rule profiles that hold in a room, and from when each does. Pure.

Owns the JSON form of the document ``profiles``. A profile is data: named, versioned. Several
versions of one name stand side by side, each with the time from which it holds; a lesson goes by
the one that holds when it starts. What a lesson was opened under is frozen with it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from edge.events import canonical
from edge.forms import BadDocument, listing, time, time_to_json
from edge.model import Instant, Profile
from edge.rules.profile import profile_from_mapping, profile_to_mapping
from edge.settings import ConfigError

ALWAYS: Instant = 0
_HOLDS_FROM = "holds_from"


@dataclass(frozen=True, slots=True)
class Dated:
    """A profile and from when it holds; ALWAYS where nothing was said."""

    profile: Profile
    holds_from: Instant = ALWAYS


@dataclass(frozen=True, slots=True)
class Rulebook:
    """The profiles in force, by name and then by the time from which they hold."""

    entries: tuple[Dated, ...] = ()

    @classmethod
    def of(cls, profiles: Iterable[Profile]) -> Rulebook:
        """Return a book of profiles that hold always."""
        return cls(tuple(sorted(map(Dated, profiles), key=_order)))

    def holding(self, name: str, at: Instant) -> Profile | None:
        """Return the profile of that name that holds at *at*.

        None where the book does not know the name, or none of its versions holds yet.
        """
        known = [one for one in self.entries if one.profile.name == name and one.holds_from <= at]
        return known[-1].profile if known else None

    @property
    def profiles(self) -> tuple[Profile, ...]:
        """Every profile, of whatever time."""
        return tuple(one.profile for one in self.entries)


def parse_profiles(values: Mapping[str, Any]) -> Rulebook:
    """Return the book that a document states; later versions of a name hold from a later time."""
    entries = sorted(
        (
            _dated(entry, f"profiles[{number}]")
            for number, entry in enumerate(listing(values, "profiles", ""))
        ),
        key=_order,
    )
    for before, after in pairwise(entries):
        name = after.profile.name
        if before.profile.name != name:
            continue
        if before.holds_from == after.holds_from:
            raise BadDocument(
                f"profiles: {name!r} stands there twice for the same time. Give the later version "
                f'a `{_HOLDS_FROM}`, such as "2026-12-01T00:00:00+08:00".'
            )
        if before.profile.version >= after.profile.version:
            raise BadDocument(
                f"profiles: {name!r}: version {after.profile.version} holds from a later time than "
                f"version {before.profile.version}: give it a higher number."
            )
    return Rulebook(tuple(entries))


def profiles_to_json(book: Rulebook) -> bytes:
    """Return the document that ``parse_profiles`` reads."""
    return canonical({"profiles": [_entry(one) for one in book.entries]})


def _dated(entry: Any, place: str) -> Dated:
    if not isinstance(entry, dict):
        raise BadDocument(f"{place}: must be an object")
    since = time(entry, _HOLDS_FROM, place) if _HOLDS_FROM in entry else ALWAYS
    values = {key: value for key, value in entry.items() if key != _HOLDS_FROM}
    try:
        return Dated(profile_from_mapping(values, place), since)
    except ConfigError as error:
        raise BadDocument(str(error)) from error


def _entry(one: Dated) -> dict[str, Any]:
    entry = profile_to_mapping(one.profile)
    if one.holds_from != ALWAYS:
        entry[_HOLDS_FROM] = time_to_json(one.holds_from)
    return entry


def _order(one: Dated) -> tuple[str, Instant]:
    return one.profile.name, one.holds_from
