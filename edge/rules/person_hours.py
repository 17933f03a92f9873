"""One trainee's hours in one lesson: what their scans give, and what people decided. Pure.

Strong scans are those that nobody has to look at: of a way that counts, at a time that is known
well enough. What a pair of strong scans covers is 有效. What only weaker ones could cover is
待审核. So a weak scan never takes away what strong ones give.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from edge.model import Scan, Segment, Window
from edge.policies import Basis, Pairing, Policy, Way
from edge.rules.attendance import Mark, attend
from edge.rules.lesson_facts import Credit, Facts, HourCredit, Seen, of_kind, touches
from edge.rules.missing import Missing, beyond_limit, missing_pair
from edge.rules.moments import doubtful
from edge.rules.reasons import Code, Reason
from edge.rules.rulings import Action, last_application

_WORSE = (Credit.VALID, Credit.PENDING, Credit.INVALID)
_NOTES = {
    Code.SUBSTITUTE,
    Code.SPOT_CHECK_IMPOSSIBLE,
    Code.EXTENDED,
    Code.WAIVED,
    Code.BEYOND_LIMIT,
}
_RULED = {
    Action.APPLY: (Credit.PENDING, Code.APPLIED),
    Action.ACCEPT: (Credit.VALID, Code.ACCEPTED),
    Action.REJECT: (Credit.INVALID, Code.REJECTED),
}


class Person:
    """One trainee's hours in one lesson."""

    def __init__(
        self, facts: Facts, person: str, segments: Sequence[Segment], share: Reason | None
    ) -> None:
        self._facts = facts
        self._profile = facts.profile
        self._person = person
        self._segments = segments
        self._share = share
        self._unused: list[Scan] = []
        self._seen = {one.scan.id: one for one in facts.seen.get(person, ())}
        # They are scans, and stay; but no reckoning of hours may rest on them.
        self._late = {one.id: self._seen.pop(one.id) for one in self._arrears()}
        self._waivers = [one for one in of_kind(facts, Action.WAIVE) if one.trainee in ("", person)]

    def hours(self, lesson: Sequence[tuple[Credit, Reason]]) -> tuple[HourCredit, ...]:
        """Return the credit of each lesson hour, in order."""
        weak = {scan_id: self._weaknesses(one) for scan_id, one in self._seen.items()}
        full = self._marks(self._seen)
        used = {one.id for mark in full for one in (mark.check_in, mark.check_out) if one}
        beyond = beyond_limit((one.scan for one in self._seen.values()), self._profile)
        self._unused = [one for one in beyond if one.id not in used]
        found: list[HourCredit] = []
        strong: dict[frozenset[str], tuple[Mark, ...]] = {}
        for segment in self._segments:
            for hour in segment.hours:
                open_doubts = {
                    scan_id: [one for one in reasons if not self._settled(one.code, hour)]
                    for scan_id, reasons in weak.items()
                }
                unused = {one.id for one in self._unused}
                ids = frozenset(one for one, left in open_doubts.items() if not left) - unused
                if ids not in strong:
                    strong[ids] = self._marks(ids)
                reasons = self._of_scans(segment, hour, strong[ids], full, open_doubts)
                reasons += [*lesson, *self._of_hour(hour)]
                settled = {one.code for left in weak.values() for one in left}
                found.append(self._decided(self._summed(hour, reasons, settled)))
        return tuple(sorted(found, key=lambda one: one.hour))

    def _marks(self, ids: Iterable[str]) -> tuple[Mark, ...]:
        known = {**self._seen, **self._late}
        return attend(self._segments, [known[one].scan for one in ids], self._profile)

    def _weaknesses(self, one: Seen) -> list[Reason]:
        """Return why a person must look at a scan before it counts."""
        scan, rule, found = one.scan, self._profile.manual_entry, list[Reason]()
        at = {"at": scan.at}
        if self._profile.pairing is not Pairing.DAY and doubtful(one.moment, self._segments):
            found.append(doubt(one))
        if self._profile.policy(scan.way) is Policy.PENDING:
            found.append(Reason(Code.WAY_PENDING, {**at, "way": str(scan.way)}))
        if scan.way is not Way.MANUAL:
            return found
        if not rule.allowed:
            found.append(Reason(Code.MANUAL_NOT_ALLOWED, at))
        if not one.photo:
            found.append(Reason(Code.MANUAL_WITHOUT_PHOTO, at))
        if one.reason not in rule.reasons:
            found.append(Reason(Code.MANUAL_WITHOUT_REASON, at))
        if self._share is not None:
            found.append(self._share)
        times = self._facts.earlier_manual.get(self._person, 0) + 1
        if times >= rule.review_times:
            values = {"count": times, "limit": rule.review_times}
            found.append(Reason(Code.MANUAL_TIMES, values))
        return found

    def _of_scans(
        self,
        segment: Segment,
        hour: int,
        strong: Sequence[Mark],
        full: Sequence[Mark],
        doubts: Mapping[str, Sequence[Reason]],
    ) -> list[tuple[Credit, Reason]]:
        """Return what the scans give: by the strong ones, else by all of them."""
        sure, reason = self._pair(segment, hour, strong[segment.number])
        if sure is Credit.VALID:
            return [(sure, reason)]
        credit, reason = self._pair(segment, hour, full[segment.number])
        if credit is not Credit.INVALID:
            mark = full[segment.number]
            used = [one for one in (mark.check_in, mark.check_out) if one is not None]
            pending = [reason] if credit is Credit.PENDING else []
            pending += [one for scan in used for one in doubts[scan.id]]
            # Which scan came first may itself rest on a weak one.
            pending = pending or [one for left in doubts.values() for one in left]
            return [(Credit.PENDING, one) for one in _unique(pending)]
        possible = self._possible(segment, full[segment.number])
        if possible:
            return [(Credit.PENDING, one) for one in possible]
        return [(Credit.INVALID, self._without_walk_ins(segment) or reason)]

    def _without_walk_ins(self, segment: Segment) -> Reason | None:
        """Return that only walk-ins in arrears would have given the hours, if that is why."""
        received = self._facts.received_at
        if received is None or not self._late:
            return None
        mark = self._marks({*self._seen, *self._late})[segment.number]
        used = [one for one in (mark.check_in, mark.check_out) if one is not None]
        late = [one for one in used if one.id in self._late]
        if len(used) < 2 or not late:
            return None
        return Reason(Code.WALK_IN_ARREARS, {"at": late[0].at, "received": received})

    def _arrears(self) -> list[Scan]:
        """Return the walk-ins that give no hours: the roster was approved after S (14)."""
        received = self._facts.received_at
        if received is None or received <= self._facts.lesson.start:
            return []
        return [one.scan for one in self._seen.values() if one.scan.way is Way.WALK_IN]

    def _pair(self, segment: Segment, hour: int, mark: Mark) -> tuple[Credit, Reason]:
        """Return what a segment's pair of scans gives one of its hours."""
        came, left = mark.check_in, mark.check_out
        if came is None or left is None:
            seen = [one.scan for one in self._seen.values()]
            missing = Missing(segment, mark, seen, self._profile, self._facts.now)
            return Credit.INVALID, missing_pair(missing)
        if self._profile.pairing is Pairing.DAY:
            return self._cover(hour, came, left)
        length = left.at - came.at
        most = self._profile.hours_a_segment * self._profile.lesson_hour
        times: dict[str, int | str] = {
            "check_in": came.at,
            "check_out": left.at,
            "length": length,
        }
        if self._profile.basis is Basis.CLOCK and length > most:
            return Credit.INVALID, Reason(Code.TOO_LONG, {**times, "most": most})
        return Credit.VALID, Reason(
            Code.COMPLETE,
            {
                **times,
                "way_in": str(came.way),
                "way_out": str(left.way),
                "in_opens": segment.check_in.opens,
                "in_closes": segment.check_in.closes,
                "out_opens": segment.check_out.opens,
                "out_closes": segment.check_out.closes,
            },
        )

    def _cover(self, hour: int, came: Scan, left: Scan) -> tuple[Credit, Reason]:
        """Return what the first and the last scan of a day give one lesson hour (R11)."""
        this = self._facts.lesson.hours[hour]
        begin, end = self._seen[came.id], self._seen[left.id]
        times: dict[str, int | str] = {"check_in": came.at, "check_out": left.at}
        last = begin.moment.latest
        if last is not None and last <= this.start and end.moment.earliest >= this.end:
            return Credit.VALID, Reason(Code.COVERED, times)
        times |= {"starts": this.start, "ends": this.end}
        if came.at <= this.start and left.at >= this.end:
            unsure = begin if last is None or last > this.start else end
            return Credit.PENDING, doubt(unsure)
        until = end.moment.latest
        if begin.moment.earliest >= this.end or (until is not None and until <= this.start):
            return Credit.INVALID, Reason(Code.NOT_COVERED, times)
        return Credit.PENDING, Reason(Code.PARTLY_COVERED, times)

    def _possible(self, segment: Segment, mark: Mark) -> list[Reason]:
        """Return the doubts by which a pair that is missing may yet exist (decision 15)."""
        open_scans = [
            one for one in self._seen.values() if one.moment.earliest != one.moment.latest
        ]
        came = [mark.check_in.id] if mark.check_in else _touching(open_scans, segment.check_in)
        left = [mark.check_out.id] if mark.check_out else _touching(open_scans, segment.check_out)
        if not came or not left or len({*came, *left}) < 2:
            return []
        ends = {one.id for one in (mark.check_in, mark.check_out) if one is not None}
        wanted = [one for one in (*came, *left) if one not in ends]
        return _unique(doubt(self._seen[one]) for one in wanted)

    def _of_hour(self, hour: int) -> list[tuple[Credit, Reason]]:
        count = self._facts.missed.get(hour, 0)
        found: list[tuple[Credit, Reason]] = []
        if count:
            found.append((Credit.PENDING, Reason(Code.SNAPSHOT_MISSED, {"count": count})))
        limit = self._profile.scans_a_day
        for one in self._unused:
            found.append((Credit.VALID, Reason(Code.BEYOND_LIMIT, {"at": one.at, "limit": limit})))
        return found

    def _settled(self, code: Code, hour: int) -> bool:
        return any(
            one.settles is code and one.concerns(self._person, hour) for one in self._waivers
        )

    def _summed(
        self, hour: int, reasons: Iterable[tuple[Credit, Reason]], settled: Iterable[Code]
    ) -> HourCredit:
        """Return the worst that is not settled, with its reasons first and then what is noted."""
        doubts = {*settled}
        left: list[tuple[Credit, Reason]] = []
        for state, one in reasons:
            if state is Credit.PENDING and self._settled(one.code, hour):
                doubts.add(one.code)
            else:
                left.append((state, one))
        for waiver in self._waivers:
            if waiver.settles in doubts and waiver.concerns(self._person, hour):
                said_by: dict[str, int | str] = {"by": waiver.by, "at": waiver.at}
                said_by["why"] = waiver.reason
                left.append((Credit.VALID, Reason(Code.WAIVED, said_by)))
        worst = max((state for state, _ in left), key=_WORSE.index)
        said = [one for state, one in left if state is worst]
        notes = [one for state, one in left if state is not worst and one.code in _NOTES]
        return HourCredit(hour, worst, tuple(_unique([*said, *notes])))

    def _decided(self, found: HourCredit) -> HourCredit:
        """Return the hour after what was decided about it; what it was stays visible."""
        limit = last_application(self._facts.lesson, self._profile)
        for one in of_kind(self._facts, Action.APPLY, Action.ACCEPT, Action.REJECT):
            if not one.concerns(self._person, found.hour):
                continue
            values: dict[str, int | str] = {"by": one.by, "at": one.at, "why": one.reason}
            if one.action is Action.APPLY:
                if found.credit is not Credit.INVALID:
                    continue  # nothing to correct, or it is looked at already
                if one.at > limit:
                    late = Reason(Code.APPLIED_LATE, {**values, "limit": limit})
                    found = replace(found, reasons=(*found.reasons, late))
                    continue
            credit, code = _RULED[one.action]
            before = replace(found, former=())
            reasons = (Reason(code, values),)
            found = HourCredit(found.hour, credit, reasons, (*found.former, before))
        return found


def doubt(one: Seen) -> Reason:
    """Return that a scan's time is not known well enough, with its bounds (decision 15)."""
    latest = one.moment.latest
    return Reason(
        Code.TIME_DOUBTFUL,
        {
            "at": one.scan.at,
            "earliest": one.moment.earliest,
            "latest": "" if latest is None else latest,
        },
    )


def _touching(seen: Iterable[Seen], window: Window) -> list[str]:
    return [one.scan.id for one in seen if touches(one.moment, window)]


def _unique(reasons: Iterable[Reason]) -> list[Reason]:
    found: list[Reason] = []
    for one in reasons:
        if one not in found:
            found.append(one)
    return found
