"""What people decided about hours: reviews, corrections, approvals (decisions 8 to 15). Pure.

Owns the JSON form of the document ``decisions``. Facts are never changed: a decision stands beside
them, with who made it, when and why. The document only grows; what a later decision overrules
stays in it, and stays visible (decision 9).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from edge.events import canonical
from edge.forms import BadDocument, listing, only, text, time, time_to_json, unique
from edge.model import Instant
from edge.rules.reasons import WAIVABLE, Code
from edge.rules.rulings import Action, Decision

_KEYS = ("id", "lesson", "action", "by", "at", "reason", "trainee", "hours", "settles", "until")


def parse_decisions(values: Mapping[str, Any]) -> tuple[Decision, ...]:
    """Return the decisions of a document in the order in which they were made."""
    only(values, ("decisions",), "")
    decisions = [
        _decision(entry, f"decisions[{number}]")
        for number, entry in enumerate(listing(values, "decisions", ""))
    ]
    unique([one.id for one in decisions], "decisions")
    return tuple(sorted(decisions, key=lambda one: (one.at, one.id)))


def decisions_to_json(decisions: tuple[Decision, ...]) -> bytes:
    """Return the document that ``parse_decisions`` reads."""
    return canonical({"decisions": [_entry(one) for one in decisions]})


def _decision(entry: Any, place: str) -> Decision:
    only(entry, _KEYS, place)
    action = text(entry, "action", place)
    if action not in set(Action):
        raise BadDocument(f"{place}.action: {action!r} is none of {', '.join(Action)}")
    for key in ("id", "lesson", "by", "reason"):
        if not text(entry, key, place).strip():
            raise BadDocument(f"{place}.{key}: empty. A decision says who decided what, and why.")
    hours = listing(entry, "hours", place, [])
    if not all(
        isinstance(hour, int) and not isinstance(hour, bool) and hour >= 1 for hour in hours
    ):
        raise BadDocument(f"{place}.hours: lesson hours count from 1, such as [1, 2]")
    return Decision(
        id=text(entry, "id", place),
        lesson_id=text(entry, "lesson", place),
        action=Action(action),
        by=text(entry, "by", place),
        at=time(entry, "at", place),
        reason=text(entry, "reason", place),
        trainee=text(entry, "trainee", place, ""),
        hours=tuple(sorted({hour - 1 for hour in hours})),
        settles=_settles(entry, place, action),
        until=_until(entry, place, action),
    )


def _settles(entry: Mapping[str, Any], place: str, action: str) -> Code | None:
    code = text(entry, "settles", place, "")
    if action != Action.WAIVE:
        if code:
            raise BadDocument(f'{place}.settles: belongs to the action "waive" only')
        return None
    if code not in {str(one) for one in WAIVABLE}:
        known = ", ".join(sorted(WAIVABLE))
        raise BadDocument(f"{place}.settles: {code!r}: write which doubt is settled: {known}")
    return Code(code)


def _until(entry: Mapping[str, Any], place: str, action: str) -> Instant | None:
    if action != Action.EXTEND:
        if "until" in entry:
            raise BadDocument(f'{place}.until: belongs to the action "extend" only')
        return None
    for key in ("trainee", "hours"):
        if entry.get(key):
            raise BadDocument(f"{place}.{key}: an overrun is approved for the whole lesson")
    return time(entry, "until", place)


def _entry(one: Decision) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "id": one.id,
        "lesson": one.lesson_id,
        "action": str(one.action),
        "by": one.by,
        "at": time_to_json(one.at),
        "reason": one.reason,
    }
    if one.trainee:
        entry["trainee"] = one.trainee
    if one.hours:
        entry["hours"] = [hour + 1 for hour in one.hours]
    if one.settles is not None:
        entry["settles"] = str(one.settles)
    if one.until is not None:
        entry["until"] = time_to_json(one.until)
    return entry
