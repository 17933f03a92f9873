"""The statement of a centre's chain heads that goes to an outside witness. Pure.

Owns its form: lines that people can read, one JSON object for each chain, the centre's Ed25519
signature under all of it. Promises that equal heads give equal bytes, that what ``read`` returns
is exactly what was signed, and that it names boxes and chains and no person.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from edge.events import canonical
from edge.forms import time_from_json, time_to_json
from edge.model import Instant
from edge.signing import signed

FORM = 1
# What the signature covers begins with this, so that it can be mistaken for no other.
_PURPOSE = b"classbox-statement-1\n"
_PREAMBLE = """\
# The heads of the chains of records that this centre holds, one chain a line. Whoever keeps this
# file can prove later that no record up to these was changed, removed or slipped in since.
# 本文件逐行列出本中心所存各终端记录链的最新一条记录。
# 留存本文件，日后即可证明此前的记录未被改动、删除或补入。
# classbox-central witness check FILE / 核验命令
"""


class BadStatement(ValueError):
    """Bytes are no statement of a centre; the text says what is wrong."""


@dataclass(frozen=True, slots=True)
class Head:
    """The last event of a chain that the centre had anchored: its ``seq`` and hash (32 bytes).

    ``at``: the centre's wall time of the anchor, microseconds.
    """

    box: str
    ledger: str
    seq: int
    hash: bytes
    at: Instant


@dataclass(frozen=True, slots=True)
class Statement:
    """What a centre states. ``key``: its raw Ed25519 public key, under which this is signed."""

    centre: str
    key: bytes
    heads: tuple[Head, ...]


def write(statement: Statement, sign: Callable[[bytes], bytes]) -> bytes:
    """Return *statement* as a file, signed by *sign* (of ``statement.key``)."""
    told = _told(statement)
    return told + _line({"signature": sign(_PURPOSE + told).hex()})


def read(content: bytes) -> Statement:
    """Return the statement in the file *content*. Raises BadStatement, also when it was changed.

    Whether ``key`` is that of the centre one expects is for the caller to compare.
    """
    told, _, last = content.rstrip(b"\n").rpartition(b"\n")
    told += b"\n"
    try:
        lines = [json.loads(line) for line in told.splitlines() if not line.startswith(b"#")]
        signature = bytes.fromhex(json.loads(last)["signature"])
        first, *rest = lines
        statement = Statement(
            str(first["centre"]),
            bytes.fromhex(first["key"]),
            tuple(_head(entry) for entry in rest),
        )
        again = _told(statement)
    except (ValueError, KeyError, TypeError, IndexError, OverflowError, RecursionError) as error:
        raise BadStatement("it is no statement of a centre, or not of this form") from error
    # Written again it must be the same: nothing stands there that was not understood.
    if again != told or content != told + _line({"signature": signature.hex()}):
        raise BadStatement("it was changed, or was written by another version")
    if not signed(statement.key, _PURPOSE + told, signature):
        raise BadStatement("its signature does not hold: it was changed")
    return statement


def _told(statement: Statement) -> bytes:
    first = {
        "form": FORM,
        "centre": statement.centre,
        "key": statement.key.hex(),
        "chains": len(statement.heads),
    }
    ordered = sorted(statement.heads, key=lambda head: (head.box, head.ledger))
    return b"".join([_PREAMBLE.encode("utf-8"), _line(first), *_lines(ordered)])


def _lines(heads: Iterable[Head]) -> Iterable[bytes]:
    for head in heads:
        yield _line(
            {
                "box": head.box,
                "chain": head.ledger,
                "event": head.seq,
                "hash": head.hash.hex(),
                "held": time_to_json(head.at),
            }
        )


def _line(entry: dict[str, Any]) -> bytes:
    return canonical(entry) + b"\n"


def _head(entry: Any) -> Head:
    if type(entry["event"]) is not int:
        raise ValueError("event")
    return Head(
        box=str(entry["box"]),
        ledger=str(entry["chain"]),
        seq=entry["event"],
        hash=bytes.fromhex(entry["hash"]),
        at=time_from_json(entry["held"]),
    )
