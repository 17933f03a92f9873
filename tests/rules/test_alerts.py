"""Alerts: raised once, cleared once, and nothing flaps."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from edge.rules.alerts import BOX, PATIENCE, Alarm, Case, Change, Code

OFFLINE = Case("cam-1", Code.OFFLINE)
cases = st.builds(Case, st.sampled_from(["cam-1", "cam-2", BOX]), st.sampled_from(list(Code)))
looks = st.lists(
    st.tuples(
        st.floats(0, 100),
        st.dictionaries(cases, st.none() | st.just("it is so"), max_size=4),
    ),
    max_size=30,
)


def run(
    alarm: Alarm, looks: list[tuple[float, dict[Case, str | None]]]
) -> list[tuple[float, Change]]:
    """Let *alarm* look, each time so many seconds later; return what it states, and when."""
    now, made = 0.0, []
    for later, seen in looks:
        now += later
        for change in alarm.step(seen, now):
            alarm.stated(change)
            made.append((now, change))
    return made


def test_every_code_has_its_patience() -> None:
    """No alert is raised or cleared at a moment that nobody chose."""
    assert set(PATIENCE) == set(Code)


@given(looks)
def test_raised_and_cleared_in_turn(looks: list[tuple[float, dict[Case, str | None]]]) -> None:
    """Whatever is seen: each case's changes alternate and begin with a raising."""
    turns: dict[Case, list[bool]] = {}
    for _, change in run(Alarm(), looks):
        turns.setdefault(change.case, []).append(change.raised)
    for turn in turns.values():
        assert turn == [number % 2 == 0 for number in range(len(turn))]


@given(looks)
def test_nothing_changes_that_did_not_last(
    looks: list[tuple[float, dict[Case, str | None]]],
) -> None:
    """Between two changes of one case lies at least the patience of the second."""
    last: dict[Case, float] = {}
    for now, change in run(Alarm(), looks):
        patience = PATIENCE[change.case.code]
        wait = patience.raises if change.raised else patience.clears
        assert now - last.get(change.case, 0.0) >= wait
        last[change.case] = now


def test_a_camera_that_restarts_calls_nobody() -> None:
    """Gone for less than its patience, over and over: nothing is stated."""
    flapping: list[tuple[float, dict[Case, str | None]]] = [
        (10, {OFFLINE: "away" if number % 2 else None}) for number in range(50)
    ]
    assert run(Alarm(), flapping) == []


def test_a_camera_that_is_gone_is_called_for_once() -> None:
    """It is raised when patience ends, with what was seen last, and cleared when it is back."""
    gone: dict[Case, str | None] = {OFFLINE: "cannot be reached"}
    back: dict[Case, str | None] = {OFFLINE: None}
    made = run(Alarm(), [(1, gone), (19, gone), (1, gone), (60, gone), (5, back), (20, back)])
    assert made == [
        (21.0, Change(OFFLINE, True, "cannot be reached")),
        (106.0, Change(OFFLINE, False)),
    ]


def test_what_cannot_be_seen_keeps_its_alert() -> None:
    """Between lessons no camera is dialled: what was wrong is not right for that."""
    alarm = Alarm([OFFLINE])
    assert run(alarm, [(3600, {}), (3600, {})]) == []
    assert alarm.standing == {OFFLINE}


def test_what_could_not_be_stated_is_stated_at_the_next_look() -> None:
    """The disk was full when the event was to be written: it is not forgotten."""
    alarm = Alarm()
    case = Case(BOX, Code.DISK_FULL)
    assert [change.case for change in alarm.step({case: "full"}, 1.0)] == [case]
    assert [change.case for change in alarm.step({case: "full"}, 2.0)] == [case]
