"""TOML text → checked values, with errors that name the key, the line and the remedy.

Owns how settings are read; box and centre each say which settings they have. Pure: the text
comes in as an argument.
"""

from __future__ import annotations

import ipaddress
import re
import tomllib
from collections.abc import Callable, Iterable
from typing import Any, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

T = TypeVar("T")


class ConfigError(ValueError):
    """A setting is wrong; the message says where it stands and what to write instead."""


class Settings:
    """A document that hands out checked values and knows which keys nobody asked for.

    ``source`` is what errors call the document, normally its file name; ``text`` is its TOML,
    empty when the values came in another form and there are no lines to name.
    """

    def __init__(self, values: dict[str, Any], source: str, text: str = "") -> None:
        self._text = text
        self.source = source
        self.root = Table(self, values, "")

    @classmethod
    def of_toml(cls, text: str, source: str) -> Settings:
        """Return the settings of a TOML *text*."""
        try:
            return cls(tomllib.loads(text), source, text)
        except tomllib.TOMLDecodeError as error:
            raise ConfigError(f"{source}: not valid TOML: {error}. Correct that line.") from error

    def error(self, path: str, message: str) -> ConfigError:
        """Return an error about the key at *path*, with its line where it can be found."""
        line = self._line_of(path)
        where = f"{self.source} line {line}" if line else self.source
        return ConfigError(f"{where}: {path}: {message}")

    def _line_of(self, path: str) -> int:
        """Return the line (from 1) on which the key at *path* stands, 0 when it is absent.

        Tables of an array are counted, so ``camera[1].address`` finds the second [[camera]].
        """
        table, _, key = path.rpartition(".")
        name, _, number = table.partition("[")
        wanted = int(number.rstrip("]")) if number else 0
        inside = table == ""
        seen = -1
        table_line = 0
        for line_number, line in enumerate(self._text.splitlines(), start=1):
            header = re.match(r"\s*\[\[?\s*([\w.-]+)\s*\]\]?", line)
            if header:
                seen += header[1] == name
                inside = header[1] == name and (seen == wanted or not number)
                table_line = line_number if inside else table_line
                if table == "" and header[1] == key:
                    return line_number
            elif inside and re.match(rf"\s*\"?{re.escape(key)}\"?\s*=", line):
                return line_number
        return table_line


class Table:
    """One table of a Settings document."""

    def __init__(self, settings: Settings, values: dict[str, Any], path: str) -> None:
        self._settings = settings
        self._values = values
        self._path = path
        self._asked: set[str] = set()

    def __contains__(self, key: str) -> bool:
        self._asked.add(key)
        return key in self._values

    def where(self, key: str) -> str:
        """Return the full path of *key*."""
        return f"{self._path}.{key}" if self._path else key

    def error(self, key: str, message: str) -> ConfigError:
        """Return an error about *key* of this table."""
        return self._settings.error(self.where(key), message)

    def text(self, key: str, default: str | None = None, choices: Iterable[str] = ()) -> str:
        """Return a string, one of *choices* where given; without a default the key is needed."""
        value = self._value(key, str, "text in quotes", default)
        allowed = tuple(choices)
        if allowed and value not in allowed:
            raise self.error(key, f"{value!r} is not known. Write one of: {', '.join(allowed)}.")
        return value

    def whole(self, key: str, default: int | None = None, least: int = 0, most: int = 2**53) -> int:
        """Return a whole number within [least, most]."""
        value = self._value(key, int, "a whole number", default)
        if not least <= value <= most:
            raise self.error(key, f"{value} is out of range. Write {least} to {most}.")
        return value

    def flag(self, key: str, default: bool | None = None) -> bool:
        """Return true or false."""
        return self._value(key, bool, "true or false", default)

    def texts(self, key: str, default: tuple[str, ...] | None = None) -> tuple[str, ...]:
        """Return a list of strings."""
        values = self._value(key, list, 'a list such as ["a", "b"]', list(default or ()) or None)
        if not all(isinstance(value, str) for value in values):
            raise self.error(key, 'every entry must be text in quotes, such as ["a", "b"].')
        return tuple(values)

    def converted(self, key: str, convert: Callable[[str], T], default: str | None = None) -> T:
        """Return ``convert(text)``; a ValueError of *convert* becomes an error about *key*."""
        value = self.text(key, default)
        try:
            return convert(value)
        except ValueError as error:
            raise self.error(key, f"{error}") from error

    def time_zone(self, key: str, default: str | None = None) -> str:
        """Return the name of a time zone that exists."""
        value = self.text(key, default)
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError) as error:
            message = f"{value!r} is not a time zone. Write for example Asia/Shanghai."
            raise self.error(key, message) from error
        return value

    def table(self, key: str) -> Table:
        """Return a table inside this one; an absent one is empty."""
        self._asked.add(key)
        value = self._values.get(key, {})
        if not isinstance(value, dict):
            raise self.error(key, f"must be a table: write [{self.where(key)}] on a line.")
        return Table(self._settings, value, self.where(key))

    def tables(self, key: str) -> list[Table]:
        """Return the tables of an array ([[key]]); an absent array is empty."""
        self._asked.add(key)
        value = self._values.get(key, [])
        if not isinstance(value, list) or not all(isinstance(entry, dict) for entry in value):
            raise self.error(key, f"must be tables: write [[{self.where(key)}]] before each one.")
        return [
            Table(self._settings, entry, f"{self.where(key)}[{number}]")
            for number, entry in enumerate(value)
        ]

    def finish(self) -> None:
        """Refuse keys that nobody asked for: a misspelt setting must not be ignored."""
        for key in self._values:
            if key not in self._asked:
                known = ", ".join(sorted(self._asked))
                raise self.error(key, f"is not a setting. Known here: {known}.")

    def _value(self, key: str, kind: type[T], wanted: str, default: T | None) -> T:
        self._asked.add(key)
        value = self._values.get(key, default)
        if value is None:
            raise self.error(key, f"is missing. Write {key} = … ({wanted}).")
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            raise self.error(key, f"must be {wanted}, not {value!r}.")
        return value


def duration(text: str) -> int:
    """Return the microseconds of ``"MM:SS"``, minutes and seconds; raises ValueError."""
    match = re.fullmatch(r"(\d{1,5}):([0-5]\d)", text)
    if not match:
        raise ValueError(f'{text!r} is not minutes and seconds. Write "MM:SS", such as "22:30".')
    return (int(match[1]) * 60 + int(match[2])) * 1_000_000


def duration_text(microseconds: int) -> str:
    """Return the ``"MM:SS"`` form of a duration of whole seconds."""
    minutes, seconds = divmod(microseconds // 1_000_000, 60)
    return f"{minutes:02d}:{seconds:02d}"


def hours_of_day(text: str) -> tuple[int, int] | None:
    """Return the seconds since midnight of ``"HH:MM-HH:MM"``; None for ``"always"``.

    The second may be before the first: then the hours go over midnight. Raises ValueError.
    """
    if text == "always":
        return None
    match = re.fullmatch(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)", text)
    if not match or match[1] + match[2] == match[3] + match[4]:
        raise ValueError(f'{text!r} is not hours of the day. Write "18:00-06:30" or "always".')
    from_hour, from_minute, to_hour, to_minute = (int(part) for part in match.groups())
    return (from_hour * 60 + from_minute) * 60, (to_hour * 60 + to_minute) * 60


def broker_security(table: Table, host: str | None = None) -> tuple[str, str]:
    """Return the keys ``host`` (by default *host*) and ``security`` of a broker's table.

    Only on loopback, where nobody listens in, may a broker be spoken to without TLS.
    """
    host = table.text("host", host)
    security = table.text("security", "tls", choices=("tls", "none"))
    if security == "none" and not _is_loopback(host):
        raise table.error(
            "security",
            f"without TLS everybody between here and {host} reads and writes along. "
            'Write "tls", and enrol this machine; "none" is for 127.0.0.1 only.',
        )
    return host, security


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
