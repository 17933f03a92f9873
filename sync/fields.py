"""Reading the head of a message: each field with its type and range checked. Pure.

Promises that whatever stands in the JSON, the answer is a value of the wanted type or a
``BadMessage`` that names the field.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from typing import Any, TypeVar

from sync.messages import BadMessage

KIND = re.compile(r"[a-z_]{1,32}")
SHA256 = re.compile(r"[0-9a-f]{64}")
_LARGEST = 2**63 - 1

T = TypeVar("T")


def b64(content: bytes) -> str:
    """Return the text form of raw bytes."""
    return base64.b64encode(content).decode("ascii")


class Head:
    """The fields of a head, taken out with their types and ranges checked."""

    def __init__(self, values: Mapping[str, Any], place: str = "") -> None:
        self._values = values
        self._place = place or str(values.get("type"))

    def _get(self, key: str, kind: type[T]) -> T:
        value = self._values.get(key)
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            raise BadMessage(f"{self._place}: {key}: must be {kind.__name__}")
        return value

    def text(self, key: str, longest: int = 256, default: str | None = None) -> str:
        """Return a text without control characters, at most *longest* letters."""
        if default is not None and key not in self._values:
            return default
        value = self._get(key, str)
        # What PostgreSQL and a log line cannot hold is nobody's id.
        if len(value) > longest or any(ord(letter) < 32 for letter in value):
            raise BadMessage(f"{self._place}: {key}: too long, or with control characters")
        try:
            value.encode("utf-8")
        except UnicodeEncodeError as error:
            raise BadMessage(f"{self._place}: {key}: not valid text") from error
        return value

    def lines(self, key: str, longest: int) -> str:
        """Return a text of lines, at most *longest* letters."""
        value = self._get(key, str)
        Head({"": value.replace("\n", "")}, f"{self._place}: {key}").text("", longest)
        return value

    def name(self, key: str, form: re.Pattern[str]) -> str:
        """Return a text of exactly that *form*."""
        value = self._get(key, str)
        if not form.fullmatch(value):
            raise BadMessage(f"{self._place}: {key}: not of the form {form.pattern}")
        return value

    def whole(self, key: str, least: int = 0, default: int | None = None) -> int:
        """Return a whole number, at least *least* and within 64 bits."""
        if default is not None and key not in self._values:
            return default
        value = self._get(key, int)
        if not least <= value <= _LARGEST:
            raise BadMessage(f"{self._place}: {key}: out of range")
        return value

    def flag(self, key: str, default: bool | None = None) -> bool:
        """Return true or false."""
        if default is not None and key not in self._values:
            return default
        return self._get(key, bool)

    def raw(self, key: str, length: int | None = None, default: bytes | None = None) -> bytes:
        """Return the bytes that stand there as base64, exactly *length* where given.

        Absent or empty they are the *default*, where there is one.
        """
        if default is not None and not self._values.get(key):
            return default
        try:
            value = base64.b64decode(self._get(key, str), validate=True)
        except (binascii.Error, ValueError) as error:
            raise BadMessage(f"{self._place}: {key}: not base64") from error
        if length is not None and len(value) != length:
            raise BadMessage(f"{self._place}: {key}: {len(value)} bytes instead of {length}")
        return value

    def absent(self, key: str) -> bool:
        """Tell whether the field is missing or null."""
        return self._values.get(key) is None

    def words(self, key: str, most: int = 64) -> tuple[str, ...]:
        """Return the texts of a list of at most *most*; absent, it is empty."""
        if key not in self._values:
            return ()
        found = self._get(key, list)
        if len(found) > most:
            raise BadMessage(f"{self._place}: {key}: {len(found)} entries; at most {most} travel")
        return tuple(Head({"": entry}, f"{self._place}: {key}").text("") for entry in found)

    def heads(self, key: str, default: tuple[Head, ...] | None = None) -> list[Head]:
        """Return the objects of a list."""
        if default is not None and key not in self._values:
            return list(default)
        return [
            Head(self._object(entry), f"{key}[{number}]")
            for number, entry in enumerate(self._get(key, list))
        ]

    def named(self, key: str) -> dict[str, Head]:
        """Return the objects of an object by their names, which are texts like any other."""
        entries = self._get(key, dict)
        for name in entries:
            Head({"": name}, f"{self._place}: {key}").text("")
        return {
            name: Head(self._object(entry), f"{key}.{name:.40}") for name, entry in entries.items()
        }

    def _object(self, entry: Any) -> Mapping[str, Any]:
        if not isinstance(entry, dict):
            raise BadMessage(f"{self._place}: an entry is not an object")
        return entry
