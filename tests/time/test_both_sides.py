"""Box and centre reckon alike: the same corrected times, the same attendance, honest doubts."""

from __future__ import annotations

from edge import times
from edge.events import ServiceStarted
from edge.model import MINUTE
from sync.central import projections
from sync.central import times as central_times
from tests.boxes import at
from tests.time.both import Both
from tests.time.stage import DAY, WEEK, hold_the_lesson


def test_both_sides_correct_alike(both: Both) -> None:
    """Whether the truth comes in the same message as the scans or in a later one."""
    hold_the_lesson(both.box)
    both.bring()
    both.box.wait(WEEK)
    both.box.learn()
    both.box.scan("p-3")
    both.bring()
    assert both.scans_of_the_centre() == both.scans_of_the_box()
    assert [error is not None for _, _, error in both.scans_of_the_box()] == [True] * 4 + [False]
    with both.centre.store.writing() as connection:
        projections.rebuild(connection)
    assert both.scans_of_the_centre() == both.scans_of_the_box()


def test_one_message_with_scans_and_truth_corrects_them(both: Both) -> None:
    """A month's backlog brings both at once."""
    scans = hold_the_lesson(both.box)
    both.box.wait(DAY)
    both.box.learn()
    both.bring()
    assert both.scans_of_the_centre() == both.scans_of_the_box()
    shown = both.evidence()
    assert len(shown.looks) == len(scans)
    assert all(look.moment.known and not look.doubtful for look in shown.looks.values())
    assert shown.undated == 0


def test_a_scan_near_a_windows_edge_is_in_doubt_when_its_error_crosses_it(both: Both) -> None:
    """A week of drift is a minute: who came half a minute before the window closed may be late."""
    box = both.box
    hold_the_lesson(box)
    box.wait(WEEK)
    box.learn()
    both.bring()
    assert not any(look.doubtful for look in both.evidence().looks.values())
    box.reboot("boot-2")
    box.true = at("09:14") + 30_000_000
    box.scan("p-3")
    box.wait(WEEK)
    box.learn()
    both.bring()
    doubts = [look.scan.person_id for look in both.evidence().looks.values() if look.doubtful]
    assert doubts == ["p-3"]


def test_scans_of_a_box_that_never_knew_the_time_are_said_to_be_there(both: Both) -> None:
    """They count for nothing yet, and nobody overlooks them."""
    scans = hold_the_lesson(both.box)
    both.bring()
    shown = both.evidence()
    assert (len(shown.looks), shown.undated) == (0, len(scans))


def test_the_centre_knows_besides_when_it_received_an_event(both: Both) -> None:
    """So its interval lies within the box's, and still holds the truth."""
    box = both.box
    box.learn()
    box.reboot("boot-2", off=DAY)
    seq, true = box.scan("p-1"), box.true
    box.wait(10 * MINUTE)
    both.bring()
    box.reboot("boot-3", off=WEEK)
    box.learn()
    box.ledger.append(ServiceStarted("link", "1"))
    both.bring()
    event = box.ledger.events(seq - 1, 1)[0].event
    with box.ledger.store.read() as connection:
        by_box = times.moment(connection, seq)
    with both.centre.store.reading() as connection:
        by_centre = central_times.reach(
            connection, "room-203", box.ledger.uuid, seq, event.reading.boot
        ).moment(event.reading)
    assert by_box.latest is not None
    assert by_centre.latest is not None
    assert by_box.earliest == by_centre.earliest <= true
    assert true <= by_centre.latest <= true + 11 * MINUTE < by_box.latest
