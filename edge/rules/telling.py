"""A trainee's hours told in sentences, as kiosk and console show them. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from edge.rules.credit import Credit, HourCredit
from edge.rules.reasons import Code, Reason, explain


@dataclass(frozen=True, slots=True)
class Passage:
    """Lesson hours (indices from 0, one after another) that are judged alike, and why.

    ``former``: what was said of them before a person decided, oldest first (decision 9). ``due``:
    nothing is lost yet, the scan that is missing may still come.
    """

    hours: tuple[int, ...]
    credit: Credit
    sentences: tuple[str, ...]
    former: tuple[str, ...]
    due: bool = False


def tell(hours: Iterable[HourCredit], language: str, zone: ZoneInfo) -> tuple[Passage, ...]:
    """Return *hours* in passages, in their order; *language* is ``zh`` or anything for English."""
    runs: list[list[HourCredit]] = []
    for one in hours:
        if runs and _alike(runs[-1][-1], one):
            runs[-1].append(one)
        else:
            runs.append([one])
    return tuple(
        Passage(
            hours=tuple(one.hour for one in run),
            credit=run[0].credit,
            sentences=_told(run[0].reasons, language, zone),
            due=run[0].reasons[0].code in (Code.CHECK_IN_DUE, Code.CHECK_OUT_DUE),
            former=tuple(
                text for old in run[0].former for text in _told(old.reasons, language, zone)
            ),
        )
        for run in runs
    )


def _told(reasons: Sequence[Reason], language: str, zone: ZoneInfo) -> tuple[str, ...]:
    return tuple(explain(one, language, zone) for one in reasons)


def _alike(one: HourCredit, other: HourCredit) -> bool:
    before = [(old.credit, old.reasons) for old in one.former]
    return (one.credit, one.reasons, before) == (
        other.credit,
        other.reasons,
        [(old.credit, old.reasons) for old in other.former],
    )
