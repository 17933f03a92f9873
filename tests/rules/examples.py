"""The examples of ``docs/rules.md``, read as they stand there, and what the rules say of them."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from zoneinfo import ZoneInfo

from edge.model import SECOND, Lesson, LessonHour, LessonState, Profile, Scan
from edge.policies import Basis, Pairing, Way
from edge.queries import shipped_profile
from edge.rules.credit import Drawn, Facts, HourCredit, Judged, Opener, Seen, judge
from edge.rules.moments import Moment
from edge.rules.reasons import Code, explain
from edge.rules.rulings import Action, Decision
from tests.boxes import CLASS_ID, LESSON_ID, TEACHER_ID, at, lesson_of

PAGE = Path(__file__).parents[2] / "docs" / "rules.md"
ZONE = ZoneInfo("Asia/Shanghai")
TRAINEE = "trainee"
AUTHORITY, SCHOOL = "县人社局", "明德学校"
WORDS = {"valid": "有效", "pending": "待审核", "invalid": "无效"}


@dataclass(frozen=True)
class Example:
    """One line of the table, as text."""

    number: str
    rule: str
    profile: str
    lesson: str
    case: str
    scans: str
    counts: str
    zh: str
    en: str

    def judged(self) -> tuple[HourCredit, ...]:
        """Return what the rules say of the trainee's hours."""
        return judge(self.facts()).hours[TRAINEE]

    def facts(self) -> Facts:
        """Return the case as the rules take it."""
        profile = _profile(self.profile)
        facts = Facts(
            lesson=_lesson(self.lesson, profile.name),
            profile=profile,
            trainees=(TRAINEE,),
            seen={TRAINEE: _scans(self.scans)},
            opener=Opener(TEACHER_ID, "王老师", filed=True),
            received_at=at("08:00", "2026-11-01"),
        )
        for part in filter(None, (one.strip() for one in self.case.split(";"))):
            facts = _with(facts, part)
        return facts


def examples() -> list[Example]:
    """Return every example of the page."""
    return [Example(*row) for row in rows("| No. | Rule |")]


def rows(heading: str) -> list[list[str]]:
    """Return the cells of the table whose heading begins so."""
    lines = PAGE.read_text("utf-8").splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith(heading))
    found: list[list[str]] = []
    for line in lines[start + 2 :]:
        if not line.startswith("|"):
            break
        found.append([cell.strip().strip("–").strip() for cell in line.strip("|").split("|")])
    return found


def said(hours: tuple[HourCredit, ...]) -> str:
    """Return the credits as the column says them, such as ``1–2 有效, 3–4 无效``."""
    runs: list[list[HourCredit]] = []
    for one in hours:
        if runs and runs[-1][-1].credit is one.credit:
            runs[-1].append(one)
        else:
            runs.append([one])
    return ", ".join(f"{_span(run)} {WORDS[run[0].credit]}" for run in runs)


def told(hours: tuple[HourCredit, ...], language: str) -> str:
    """Return the explanations of one hour of each run of equal ones, in their order."""
    texts: list[str] = []
    for one in hours:
        text = " ".join(explain(reason, language, ZONE) for reason in one.reasons)
        if text not in texts:
            texts.append(text)
    return " / ".join(texts)


def _span(run: list[HourCredit]) -> str:
    first, last = run[0].hour + 1, run[-1].hour + 1
    return f"{first}" if first == last else f"{first}–{last}"


def _profile(text: str) -> Profile:
    name, _, change = text.partition(", ")
    profile = shipped_profile(name)
    assert profile.name == name, text
    changes: dict[str, Callable[[], Profile]] = {
        "": lambda: profile,
        "limit by the clock": lambda: replace(profile, basis=Basis.CLOCK),
        "one pair a lesson": lambda: replace(profile, pairing=Pairing.LESSON),
        "no manual entry": lambda: replace(
            profile, manual_entry=replace(profile.manual_entry, allowed=False)
        ),
    }
    return changes[change]()


def _lesson(text: str, profile: str) -> Lesson:
    hours = []
    for pair in text.split():
        start, end = (at(one) for one in pair.split("–"))
        hours.append(LessonHour(start, end if end > start else end + 86_400 * SECOND))
    for number in range(1, len(hours)):
        if hours[number].start < hours[number - 1].end:
            day = 86_400 * SECOND
            hours[number] = LessonHour(hours[number].start + day, hours[number].end + day)
    whole = lesson_of(("09:00", "09:45"), profile=profile)
    return replace(whole, hours=tuple(hours), state=LessonState.HELD)


_SCAN = re.compile(
    r"(?:(\d\d-\d\d) )?(\d\d:\d\d(?::\d\d)?)(?: ±(\d+) min)?"
    r"(?: (face|card|PIN|manual|walk-in|palm))?(, no photo)?(, no reason)?"
)


def _scans(text: str) -> list[Seen]:
    found: list[Seen] = []
    for number, part in enumerate(one.strip() for one in text.split(";") if one.strip()):
        match = _SCAN.fullmatch(part)
        assert match, f"not a scan: {part!r}"
        day, time, off, way, no_photo, no_reason = match.groups()
        when = at(time, f"2026-{day}") if day else at(time)
        error = int(off or 0) * 60 * SECOND
        code = {"PIN": "pin", "walk-in": "walk_in"}.get(way or "face", way or "face")
        scan = Scan(f"{number:02d}", TRAINEE, when, Way.of(code))
        reason = "face_not_recognised" if code == "manual" and not no_reason else ""
        moment = Moment(when, when - error, when + error, known=True)
        found.append(Seen(scan, moment, not no_photo, reason))
    return found


def _with(facts: Facts, part: str) -> Facts:
    """Return *facts* under one circumstance of the column."""
    for pattern, change in _CIRCUMSTANCES:
        match = re.fullmatch(pattern, part)
        if match:
            return change(facts, match)
    raise AssertionError(f"not a circumstance: {part!r}")


def _state(state: LessonState) -> Callable[[Facts, re.Match[str]], Facts]:
    return lambda facts, _: replace(facts, lesson=replace(facts.lesson, state=state))


def _by_hand(facts: Facts, match: re.Match[str]) -> Facts:
    total, by_hand = int(match[1]), int(match[2])
    others = [f"other-{number}" for number in range(1, total)]
    mine = any(one.scan.way is Way.MANUAL for one in facts.seen[TRAINEE])
    seen = dict(facts.seen)
    for other in others[: by_hand - mine]:
        scan = Scan(f"{other}-scan", other, at("09:01"), Way.MANUAL)
        when = Moment(scan.at, scan.at, scan.at, known=True)
        seen[other] = [Seen(scan, when, True, "face_not_recognised")]
    return replace(facts, trainees=(TRAINEE, *others), seen=seen)


def _decided(action: Action, by: str) -> Callable[[Facts, re.Match[str]], Facts]:
    def change(facts: Facts, match: re.Match[str]) -> Facts:
        groups = match.groupdict()
        number = len(facts.decisions)
        made = Decision(
            id=f"d-{number}",
            lesson_id=LESSON_ID,
            action=action,
            by=by,
            at=at("10:00", f"2026-{groups.get('day') or '11-24'}"),
            reason=groups["why"],
            trainee=TRAINEE if action is not Action.EXTEND else "",
            settles=Code(groups["code"]) if groups.get("code") else None,
            until=at(groups["until"]) if groups.get("until") else None,
        )
        return replace(facts, decisions=(*facts.decisions, made))

    return change


_WHY = r" \((?P<why>[^)]+)\)"
_CIRCUMSTANCES: tuple[tuple[str, Callable[[Facts, re.Match[str]], Facts]], ...] = (
    ("lesson cancelled", _state(LessonState.CANCELLED)),
    ("lesson postponed", _state(LessonState.POSTPONED)),
    ("lesson made up elsewhere", _state(LessonState.MADE_UP)),
    ("nobody started the lesson", _state(LessonState.PLANNED)),
    (r"now (\d\d:\d\d)", lambda facts, match: replace(facts, now=at(match[1]))),
    (
        r"filing received (\d\d:\d\d)",
        lambda facts, match: replace(facts, received_at=at(match[1])),
    ),
    (
        "substitute, filed",
        lambda facts, _: replace(facts, opener=Opener("t-li", "李老师", filed=True)),
    ),
    (
        "substitute, not filed",
        lambda facts, _: replace(facts, opener=Opener("t-sun", "孙老师", filed=False)),
    ),
    ("drawn", lambda facts, _: replace(facts, drawn=Drawn(AUTHORITY))),
    ("drawn, approved", lambda facts, _: replace(facts, drawn=Drawn(AUTHORITY, "approved"))),
    (
        r"drawn, rejected \(([^)]+)\)",
        lambda facts, match: replace(
            facts, drawn=Drawn(AUTHORITY, "rejected", AUTHORITY, match[1])
        ),
    ),
    (
        r"(\d) snapshots? missed in hour (\d)",
        lambda facts, match: replace(facts, missed={int(match[2]) - 1: int(match[1])}),
    ),
    (r"(\d+) trainees, (\d+) by hand", _by_hand),
    (
        r"by hand in (\d) lessons before",
        lambda facts, match: replace(
            _by_hand(facts, _matched("20 trainees, 1 by hand")),
            earlier_manual={TRAINEE: int(match[1])},
        ),
    ),
    (r"school applies (?P<day>\d\d-\d\d)" + _WHY, _decided(Action.APPLY, SCHOOL)),
    (r"authority accepts (?P<day>\d\d-\d\d)" + _WHY, _decided(Action.ACCEPT, AUTHORITY)),
    (r"authority rejects (?P<day>\d\d-\d\d)" + _WHY, _decided(Action.REJECT, AUTHORITY)),
    (r"reviewer settles (?P<code>\w+)" + _WHY, _decided(Action.WAIVE, AUTHORITY)),
    (r"check-out approved until (?P<until>\d\d:\d\d)" + _WHY, _decided(Action.EXTEND, AUTHORITY)),
)


def _matched(text: str) -> re.Match[str]:
    match = re.fullmatch(r"(\d+) trainees, (\d+) by hand", text)
    assert match
    return match


__all__ = ["CLASS_ID", "Example", "Judged", "examples", "rows", "said", "told"]
