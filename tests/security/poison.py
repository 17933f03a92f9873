"""Messages that nobody of ours would send: noise, and true messages bent a little (hypothesis).

What is drawn says how to bend, and not into what: the true messages change from try to try.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

DEEP = 100_000
# What no field may hold, whatever its type; some of it JSON can say and no database can store.
ODD: tuple[Any, ...] = (
    None, True, False, -1, 0, 1, 2**31, 2**63 - 1, 2**63, 2**64, 10**400, 0.5, 1e308,
    float("nan"), float("inf"), "", "x", "\x00", "\n", "\ud800", "é" * 5000, "=" * 44, "AAAA",
    [], [[]], [None], {}, {"": {}}, {"\ud800": {"epoch": 1}}, {"\x00": {"epoch": "", "version": 0}},
    [{}], [{"ledger": "x", "base": 2**63 - 1}], ["x"] * 2000,
)  # fmt: skip


@dataclass(frozen=True)
class Bend:
    """What to do to one of some true messages. Numbers count round what there is of each."""

    how: str
    which: int
    place: int
    odd: int
    noise: bytes

    def of(self, true: Sequence[bytes]) -> bytes:
        """Return the message that comes of it."""
        payload = true[self.which % len(true)]
        place = self.place % len(payload)
        match self.how:
            case "noise":
                return self.noise
            case "flip":
                return payload[:place] + bytes([self.odd % 256]) + payload[place + 1 :]
            case "cut":
                return payload[:place]
            case "double":
                return payload + payload
            case "grow":
                return payload + self.noise
            case "deep":
                return payload[:place] + b"[" * DEEP
        line, newline, data = payload.partition(b"\n")
        head = json.loads(line)
        places = _places(head)
        holder, key = places[self.place % len(places)]
        if self.how == "put":
            holder[key] = ODD[self.odd % len(ODD)]
        elif isinstance(holder, dict):
            del holder[key]
        else:
            holder.append(holder[key])
        # A lone surrogate goes as \ud800, which is how JSON can say it.
        return json.dumps(head).encode("ascii") + newline + data


HOW = ("noise", "flip", "cut", "double", "grow", "deep", "put", "put", "put", "put", "omit", "omit")
bends = st.builds(
    Bend,
    how=st.sampled_from(HOW),
    which=st.integers(0, 11),
    place=st.integers(0, 5000),
    odd=st.integers(0, 255),
    noise=st.binary(min_size=1, max_size=60)
    | st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=8),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=8), inner),
        max_leaves=8,
    ).map(lambda value: json.dumps(value).encode("ascii")),
)


def _places(value: Any) -> list[tuple[Any, Any]]:
    """Return every place in a JSON value that holds something, as container and key."""
    found: list[tuple[Any, Any]] = []
    entries = value.items() if isinstance(value, dict) else enumerate(value)
    for key, inner in list(entries):
        found.append((value, key))
        if isinstance(inner, dict | list):
            found += _places(inner)
    return found
