"""The form of an evidence bundle: its files, its manifest, its lines. Pure.

Owns what stands where in the ZIP (docs/evidence.md). The manifest is one JSON object, signed by the
centre; it states what no box can sign (class, roster, timetable, rules), names every chain with the
box's key, and every file with its SHA-256. Promises that what is read is exactly what was signed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import astuple, dataclass
from typing import Any, Protocol

from edge.chain import SALT_BYTES, event_from_row
from edge.decisions import decisions_to_json, parse_decisions
from edge.documents import lesson_from_json, lesson_to_json
from edge.events import canonical
from edge.forms import BadDocument, time_from_json, time_to_json
from edge.model import Instant, Lesson, Profile, Trainee, TrainingClass
from edge.proof import Record
from edge.rules.credit import Drawn
from edge.rules.profile import profile_from_mapping, profile_to_mapping
from edge.rules.rulings import Decision
from edge.settings import ConfigError
from edge.signing import signed
from sync.messages import Anchor

FORM = 1
MANIFEST, SIGNATURE, INDEX = "manifest.json", "manifest.sig", "index.html"
FIGURES, ANCHORS, NOTE = "figures.json", "anchors.jsonl", "README.txt"
# Every name that may stand in a bundle: short, ASCII, and the same on every system.
NAMES = re.compile(
    r"index\.html|manifest\.json|manifest\.sig|figures\.json|anchors\.jsonl|README\.txt|"
    r"stamps/[0-9]{1,6}\.(txt|tsr)|chains/[0-9]{1,4}\.jsonl|"
    r"documents/[0-9a-f]{64}\.json|media/[0-9a-f]{64}\.(jpg|png|mp4|bin)"
)
SCHOOL, AUTHORITY = "school", "authority"
# Why the body of an event is not in a bundle, and how a media file that events name stands.
WITHHELD, ERASED = "withheld", "erased"
HERE, AWAY, GONE = "here", "away", "erased"

# What the signature covers begins with this, so that it can be mistaken for no other.
_PURPOSE = b"classbox-bundle-1\n"
_RAW = ("body_hash", "prev_hash", "hash", "signature")
_HEX_KEY = re.compile(r"[0-9a-f]{64}")


class BadForm(ValueError):
    """Bytes are no part of a bundle; the text says which place is wrong."""


class Bundle(Protocol):
    """A bundle as it lies there: file names, and the bytes of each."""

    def names(self) -> tuple[str, ...]:
        """Return the names of the files, in their order."""
        ...

    def read(self, name: str) -> bytes:
        """Return the bytes of a file."""
        ...


@dataclass(frozen=True, slots=True)
class Sitting:
    """A lesson as the centre states it: the boxes it took place at, the rules that judge it.

    ``decisions``: what people decided about its hours, each with who, when and why.
    """

    lesson: Lesson
    boxes: tuple[str, ...]
    profile: Profile
    draw: Drawn | None
    decisions: tuple[Decision, ...] = ()


@dataclass(frozen=True, slots=True)
class ChainOf:
    """A stretch of a box's chain: events ``first`` to ``last``, in ``file``.

    ``lineage``: the ledgers of the line from its root to ``ledger``, each with the last event that
    it holds of it (the next one begins there; 0 for the last). ``key``: the box's raw Ed25519 key.
    ``received``: per boot, the smallest time at which the centre held an event of it less that
    event's monotonic clock, microseconds.
    """

    box: str
    lineage: tuple[tuple[str, int], ...]
    key: bytes
    first: int
    last: int
    file: str
    received: Mapping[str, int]

    @property
    def root(self) -> str:
        """The name that the chain was born under."""
        return self.lineage[0][0]

    def owns(self, ledger: str, seq: int) -> bool:
        """Tell whether event *seq* of *ledger* lies on this line."""
        began = 0
        for name, until in self.lineage:
            if name == ledger:
                return seq > began and (not until or seq <= until)
            began = until
        return False


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a bundle holds. ``media``: SHA-256 → here | away (not at the centre) | erased.

    ``pages``: which version of this software's rules and pages made them (pages.VERSION).

    ``filed_hours``: the lesson hours of the filing, 0 when nobody stated them. ``since`` and
    ``until`` bound the start of the lessons. ``files``: name → SHA-256 of every other file.
    """

    pages: int
    made_at: Instant
    centre: str
    key: bytes
    copy: str
    zone: str
    the_class: TrainingClass
    instructors: Mapping[str, str]
    filed_hours: int
    since: Instant
    until: Instant
    sittings: tuple[Sitting, ...]
    chains: tuple[ChainOf, ...]
    media: Mapping[str, str]
    files: Mapping[str, str]


def write(manifest: Manifest, sign: Callable[[bytes], bytes]) -> tuple[bytes, bytes]:
    """Return the manifest's file and the file of its signature by *sign* (of ``manifest.key``)."""
    content = canonical(_to_json(manifest)) + b"\n"
    return content, sign(_PURPOSE + content).hex().encode("ascii") + b"\n"


def read(content: bytes) -> Manifest:
    """Return the manifest in *content*. Raises BadForm, also for what was not understood."""
    try:
        manifest = _from_json(json.loads(content))
        again = canonical(_to_json(manifest)) + b"\n"
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, IndexError) as error:
        raise BadForm(f"it is not of this form ({error})") from error
    except (BadDocument, ConfigError) as error:
        raise BadForm(str(error)) from error
    if again != content:
        raise BadForm("it holds what this version does not understand")
    return manifest


def signature_holds(content: bytes, signature: bytes, key: bytes) -> bool:
    """Tell whether *signature* (its file) is that of *key* under the manifest's *content*."""
    try:
        raw = bytes.fromhex(signature.decode("ascii").strip())
    except ValueError:
        return False
    exact = raw.hex().encode("ascii") + b"\n" == signature
    return exact and signed(key, _PURPOSE + content, raw)


def key_in_groups(key: bytes) -> str:
    """Return a public key so that people can read it out: hexadecimal, in groups of four."""
    digits = key.hex()
    return " ".join(digits[place : place + 4] for place in range(0, len(digits), 4))


def key_from(text: str) -> bytes:
    """Return the key that somebody typed; spaces, colons and capitals do no harm.

    Raises ValueError.
    """
    digits = re.sub(r"[\s:-]", "", text).lower()
    if not _HEX_KEY.fullmatch(digits):
        raise ValueError("a fingerprint is 64 digits and letters a to f")
    return bytes.fromhex(digits)


def line_of(record: Record, absent: str = "") -> bytes:
    """Return one event as a line. *absent*: why its body is not there (withheld | erased)."""
    event = record.event
    values: dict[str, Any] = {
        "seq": event.seq,
        "id": event.id,
        "kind": event.kind,
        "at": event.reading.at,
        "boot": event.reading.boot,
        "mono": event.reading.mono,
        "clock": event.reading.clock,
    }
    values |= {name: getattr(event, name).hex() for name in _RAW}
    if absent or record.salt is None or record.body is None:
        return canonical(values | {"absent": absent or ERASED}) + b"\n"
    body = record.body.decode("utf-8")
    return canonical(values | {"salt": record.salt.hex(), "body": body}) + b"\n"


@dataclass(frozen=True, slots=True)
class Line:
    """An event as a bundle holds it. ``absent``: why its body is not there, empty when it is."""

    record: Record
    absent: str


def lines_in(content: bytes) -> Iterable[Line]:
    """Yield the events of a chain's file. Raises BadForm, which names the line."""
    for number, text in enumerate(content.splitlines(), start=1):
        try:
            values = json.loads(text)
            event = event_from_row(values | {name: bytes.fromhex(values[name]) for name in _RAW})
            absent = values.get("absent", "")
            if absent:
                line = Line(Record(event, None, None), str(absent))
                known = {WITHHELD, ERASED}
            else:
                salt = bytes.fromhex(values.get("salt", ""))
                if len(salt) != SALT_BYTES:
                    raise BadForm(f"line {number}: event {event.seq}: a body without its salt")
                line = Line(Record(event, salt, values["body"].encode("utf-8")), "")
                known = {""}
            again = line_of(line.record, line.absent)
        except BadForm:
            raise
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise BadForm(f"line {number}: it is no event") from error
        if again != text + b"\n" or absent not in known:
            raise BadForm(f"line {number}: it holds what this version does not understand")
        yield line


def anchors_to(anchors: Iterable[Anchor]) -> bytes:
    """Return the file of the centre's anchors, one a line."""
    return b"".join(
        canonical(
            {
                "ledger": one.ledger,
                "seq": one.seq,
                "hash": one.hash.hex(),
                "at": one.at,
                "signature": one.signature.hex(),
            }
        )
        + b"\n"
        for one in anchors
    )


def anchors_in(content: bytes) -> tuple[Anchor, ...]:
    """Return the anchors of that file. Raises BadForm, which names the line."""
    found: list[Anchor] = []
    for number, text in enumerate(content.splitlines(), start=1):
        try:
            values = json.loads(text)
            anchor = Anchor(
                str(values["ledger"]),
                int(values["seq"]),
                bytes.fromhex(values["hash"]),
                int(values["at"]),
                bytes.fromhex(values["signature"]),
            )
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise BadForm(f"line {number}: it is no anchor") from error
        if anchors_to([anchor]) != text + b"\n":
            raise BadForm(f"line {number}: it holds what this version does not understand")
        found.append(anchor)
    return tuple(found)


def suffix_of(begin: bytes) -> str:
    """Return how a media file's name ends by its first bytes: jpg, png, mp4, else bin."""
    if begin.startswith(b"\xff\xd8\xff"):
        return "jpg"
    if begin.startswith(b"\x89PNG"):
        return "png"
    return "mp4" if begin[4:8] == b"ftyp" else "bin"


def _to_json(manifest: Manifest) -> dict[str, Any]:
    the_class = manifest.the_class
    return {
        "form": FORM,
        "pages": manifest.pages,
        "made_at": time_to_json(manifest.made_at),
        "centre": manifest.centre,
        "key": manifest.key.hex(),
        "copy": manifest.copy,
        "zone": manifest.zone,
        "class": {
            "id": the_class.id,
            "name": the_class.name,
            "period_id": the_class.period_id,
            "approved_by": the_class.approved_by,
            "received_at": time_to_json(the_class.received_at),
            "trainees": [
                {"id": one.id, "number": one.number, "name": one.name} for one in the_class.trainees
            ],
        },
        "instructors": dict(manifest.instructors),
        "filed_hours": manifest.filed_hours,
        "since": time_to_json(manifest.since),
        "until": time_to_json(manifest.until),
        "lessons": [
            {
                "lesson": lesson_to_json(one.lesson),
                "boxes": list(one.boxes),
                "profile": profile_to_mapping(one.profile),
                "draw": None if one.draw is None else list(astuple(one.draw)),
                "decisions": json.loads(decisions_to_json(one.decisions)),
            }
            for one in manifest.sittings
        ],
        "chains": [
            {
                "box": one.box,
                "lineage": [[name, until] for name, until in one.lineage],
                "key": one.key.hex(),
                "first": one.first,
                "last": one.last,
                "file": one.file,
                "received": dict(one.received),
            }
            for one in manifest.chains
        ],
        "media": dict(manifest.media),
        "files": dict(manifest.files),
    }


def _from_json(values: Any) -> Manifest:
    if values["form"] != FORM:
        raise BadForm(f"form {values['form']!r:.20}; this version reads {FORM}")
    stated = values["class"]
    if values["copy"] not in (SCHOOL, AUTHORITY):
        raise BadForm("copy: neither school nor authority")
    return Manifest(
        pages=int(values["pages"]),
        made_at=time_from_json(values["made_at"]),
        centre=str(values["centre"]),
        key=bytes.fromhex(values["key"]),
        copy=values["copy"],
        zone=str(values["zone"]),
        the_class=TrainingClass(
            str(stated["id"]),
            str(stated["name"]),
            str(stated["period_id"]),
            str(stated["approved_by"]),
            time_from_json(stated["received_at"]),
            tuple(Trainee(one["id"], one["number"], one["name"]) for one in stated["trainees"]),
        ),
        instructors={str(key): str(name) for key, name in values["instructors"].items()},
        filed_hours=int(values["filed_hours"]),
        since=time_from_json(values["since"]),
        until=time_from_json(values["until"]),
        sittings=tuple(
            Sitting(
                lesson_from_json(one["lesson"]),
                tuple(map(str, one["boxes"])),
                profile_from_mapping(one["profile"], "profile"),
                None if one["draw"] is None else Drawn(*map(str, one["draw"])),
                parse_decisions(one["decisions"]),
            )
            for one in values["lessons"]
        ),
        chains=tuple(
            ChainOf(
                str(one["box"]),
                tuple((str(name), int(until)) for name, until in one["lineage"]),
                bytes.fromhex(one["key"]),
                int(one["first"]),
                int(one["last"]),
                str(one["file"]),
                {str(boot): int(value) for boot, value in one["received"].items()},
            )
            for one in values["chains"]
        ),
        media={str(name): str(state) for name, state in values["media"].items()},
        files={str(name): str(digest) for name, digest in values["files"].items()},
    )
