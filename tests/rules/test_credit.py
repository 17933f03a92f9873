"""What always holds of lesson hours, whatever the timetable, profile, scans and decisions."""

from __future__ import annotations

import random
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from edge.model import MINUTE, SECOND, Scan
from edge.policies import Basis, Handover, Way
from edge.rules.credit import Credit, Facts, judge
from edge.rules.moments import Moment
from edge.rules.reasons import Code, explain
from edge.rules.rulings import Action, Decision
from edge.rules.segments import segments_of
from tests.boxes import LESSON_ID, at
from tests.rules.cases import PEOPLE, ZONE, facts, seen
from tests.rules.examples import Example

# A drawn case is large: fewer of them than usual say as much in the time that a test may take.
SLOW = (HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large)
MANY = settings(max_examples=50, deadline=None, suppress_health_check=SLOW)
RANK = {Credit.INVALID: 0, Credit.PENDING: 1, Credit.VALID: 2}


def credits_of(case: Facts) -> dict[str, list[Credit]]:
    return {person: [one.credit for one in hours] for person, hours in judge(case).hours.items()}


@MANY
@given(facts())
def test_every_hour_of_everybody_is_judged_once_and_explained(case: Facts) -> None:
    """Credit never exceeds the hours; each has a reason that reads in both languages."""
    for person in case.trainees:
        hours = judge(case).hours[person]
        assert [one.hour for one in hours] == list(range(len(case.lesson.hours)))
        for one in hours:
            assert one.reasons
            for language in ("zh", "en"):
                assert all(explain(reason, language, ZONE) for reason in one.reasons)


@MANY
@given(facts(), st.randoms(use_true_random=False))
def test_the_order_of_arrival_does_not_matter(case: Facts, shuffle: random.Random) -> None:
    """Decision 2: boxes are merged later; scans and decisions may come in any order."""
    mixed = {person: shuffle.sample(list(made), len(made)) for person, made in case.seen.items()}
    decisions = tuple(shuffle.sample(case.decisions, len(case.decisions)))
    assert judge(replace(case, seen=mixed, decisions=decisions)) == judge(case)


@MANY
@given(facts(), st.data())
def test_one_trainee_never_changes_another(case: Facts, data: st.DataObject) -> None:
    """But for the share of manual entries, which is the class's (decision 8)."""
    made = data.draw(seen(case.lesson, "extra"))
    assume(all(one.scan.way is not Way.MANUAL for one in made))
    others = {**case.seen, PEOPLE[0]: [one for one in made]}
    before = replace(case, seen={**case.seen, PEOPLE[0]: []})
    for person in PEOPLE[1:]:
        changed = credits_of(replace(case, seen=others))[person]
        if not any(one.scan.way is Way.MANUAL for one in case.seen.get(PEOPLE[0], ())):
            assert changed == credits_of(before)[person]


@MANY
@given(facts(limited=False), st.data())
def test_one_more_scan_never_takes_hours_away(case: Facts, data: st.DataObject) -> None:
    """Unless a rule says so: the clock's limit, windows that overlap (decision 5), many by hand."""
    segments = segments_of(case.lesson, case.profile)
    apart = all(
        before.check_out.last < after.check_in.opens for before, after in pairwise(segments)
    )
    assume(apart and case.profile.basis is Basis.SCHEDULE)
    assume(not any(one.action is Action.EXTEND for one in case.decisions))
    extra = [
        replace(one, scan=replace(one.scan, person_id=PEOPLE[0]))
        for one in data.draw(seen(case.lesson, "extra"))
        if one.scan.way is not Way.MANUAL
    ]
    before = credits_of(case)[PEOPLE[0]]
    more = {**case.seen, PEOPLE[0]: [*case.seen.get(PEOPLE[0], ()), *extra]}
    after = credits_of(replace(case, seen=more))[PEOPLE[0]]
    # An application is about hours that do not count: where they do by now there is none.
    assume(not case.decisions)
    assert all(RANK[new] >= RANK[old] for old, new in zip(before, after, strict=True))


@MANY
@given(facts())
def test_nobody_unseen_has_hours_unless_a_person_decided(case: Facts) -> None:
    """Decision 7: nothing is ever filled in."""
    empty = replace(case, seen={}, decisions=())
    assert all(one is Credit.INVALID for hours in credits_of(empty).values() for one in hours)


@MANY
@given(facts())
def test_a_better_known_time_settles_and_never_contradicts(case: Facts) -> None:
    """Decision 15: what is beyond doubt stays so when the times are known exactly."""
    exact = {
        person: [replace(one, moment=_exactly(one.scan)) for one in made]
        for person, made in case.seen.items()
    }
    sharp = credits_of(replace(case, seen=exact))
    for person, hours in judge(case).hours.items():
        for one, now in zip(hours, sharp[person], strict=True):
            codes = {reason.code for reason in one.reasons}
            if one.credit is Credit.VALID and Code.WAIVED not in codes:
                assert now is Credit.VALID


@MANY
@given(facts(), st.sampled_from([Action.ACCEPT, Action.REJECT]))
def test_the_last_word_of_the_authority_stands(case: Facts, action: Action) -> None:
    """Decision 9: it decides, and what the hour was before stays visible."""
    word = Decision("zz-last", LESSON_ID, action, "县人社局", at("23:00", "2027-01-01"), "终审")
    before = judge(case).hours
    for person, hours in judge(replace(case, decisions=(*case.decisions, word))).hours.items():
        for one, old in zip(hours, before[person], strict=True):
            assert one.credit is (Credit.VALID if action is Action.ACCEPT else Credit.INVALID)
            assert one.former[-1].credit is old.credit
            assert one.former[-1].reasons == old.reasons


@MANY
@given(facts(handover=Handover.ONE_SCAN), facts())
def test_equal_facts_give_equal_results_with_their_versions(case: Facts, other: Facts) -> None:
    """Decision 2: the result names the versions of what judged it."""
    assert judge(case) == judge(replace(case))
    assert judge(other).profile_version == other.profile.version


def test_a_scan_with_an_unknown_end_is_in_doubt() -> None:
    """A box that never met a source: a scan may have been any time later; a person decides."""
    case = Example(
        "", "", "jinan", "09:00–09:45 09:45–10:30", "", "08:52; 10:00", "", "", ""
    ).facts()
    first, last = case.seen["trainee"]
    unknown = replace(last, moment=Moment(last.scan.at, last.scan.at, None, known=False))
    found = judge(replace(case, seen={"trainee": [first, unknown]})).hours["trainee"]
    assert {one.credit for one in found} == {Credit.PENDING}
    assert "未知时刻" in explain(found[0].reasons[0], "zh", ZONE)


@pytest.mark.parametrize("beyond", [0, 1])
def test_a_doubt_begins_with_the_edge_itself(beyond: int) -> None:
    """Decisions 4 and 15: an interval that ends inside the window's last second is in no doubt."""
    case = Example("", "", "jinan", "09:00–09:45", "", "09:14; 09:45", "", "", "").facts()
    first, last = case.seen["trainee"]
    latest = at("09:15") + SECOND - 2 + beyond
    moment = Moment(first.scan.at, first.scan.at - MINUTE, latest, known=True)
    found = judge(replace(case, seen={"trainee": [replace(first, moment=moment), last]}))
    wanted = Credit.PENDING if beyond else Credit.VALID
    assert found.hours["trainee"][0].credit is wanted


def _exactly(scan: Scan) -> Moment:
    return Moment(scan.at, scan.at, scan.at, known=True)
