"""A centre that is slow, because many boxes come at once, is not made slower by them."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

import pytest

from sync import delivery
from sync.delivery import Delivery, Greet, Send, State
from sync.pace import Flow


@dataclass
class SlowCentre:
    """Deals with one message of everybody's queue each ``seconds``; the queue takes ``most``."""

    seconds: float
    most: int
    queue: deque[tuple[int, Greet | int]] = field(default_factory=deque)
    last: dict[int, int] = field(default_factory=dict)
    free_at: float = 0.0
    dealt_with: int = 0
    dropped: int = 0

    def send(self, box: int, what: Greet | int) -> None:
        """Take a hello, or the place behind which one event follows; forget what is too much."""
        if len(self.queue) < self.most:
            self.queue.append((box, what))
        else:
            self.dropped += 1

    def answer(self, now: float) -> list[tuple[int, int, int]]:
        """Return box, hello answered (0 for none) and last event held, of what is done by *now*."""
        said = []
        while self.queue and now >= self.free_at:
            self.free_at = now + self.seconds
            self.dealt_with += 1
            box, what = self.queue.popleft()
            held = self.last.get(box, 0)
            if isinstance(what, Greet):
                said.append((box, what.number, held))
            else:
                self.last[box] = held + 1 if what == held else held
                said.append((box, 0, self.last[box]))
        return said


def let_work(centre: SlowCentre, boxes: list[Delivery], within: float) -> float:
    """Let the boxes bring home what they hold; return how many seconds it took, at most *within*.

    One message holds one event.
    """
    now = 0.0
    here = [delivery.connected(box, now) for box in boxes]
    while any(box.acked < box.head for box in here) and now < within:
        for number, answer, seq in centre.answer(now):
            box = here[number]
            if answer:
                here[number] = delivery.answered(box, answer, seq, now)
            else:
                here[number] = delivery.acknowledged(box, seq, now)
        for number, box in enumerate(here):
            box = delivery.ticked(box, now)
            while not isinstance(what := delivery.step(box, now), delivery.Wait):
                if isinstance(what, Greet):
                    centre.send(number, what)
                    box = delivery.greeted(box, what.number, now)
                else:
                    assert isinstance(what, Send)
                    centre.send(number, what.after)
                    box = delivery.sent(box, what.after + 1, now)
            here[number] = box
        now += 0.1
    boxes[:] = here
    return now


@pytest.mark.parametrize("count", [10, 50, 100])
def test_boxes_come_home_however_late_the_answers_come(count: int) -> None:
    """All of it arrives, though hellos alone take longer than a box waits, and the queue overflows.

    And much of what the centre does is of use.
    """
    centre = SlowCentre(seconds=0.1, most=80)
    boxes = [delivery.grown(Delivery(), 10) for _ in range(count)]
    useful = count * (10 + 1)
    let_work(centre, boxes, within=4 * useful * centre.seconds + 60)
    assert [box.acked for box in boxes] == [10] * count
    assert centre.dealt_with < 4 * useful


def test_a_hello_that_is_not_answered_is_said_again_later_and_later() -> None:
    """After 3, 6, 12, 24 and then each 30 s: a centre that is gone for a week hears little."""
    box, now, pauses = delivery.connected(Delivery(head=1), 0.0), 0.0, []
    for number in range(1, 8):
        assert delivery.step(box, now) == Greet(number)
        box = delivery.greeted(box, number, now)
        wait = delivery.step(box, now)
        assert isinstance(wait, delivery.Wait)
        assert wait.until is not None
        pauses.append(wait.until - now)
        now = wait.until
        box = delivery.ticked(box, now)
    assert pauses == [3, 6, 12, 24, 30, 30, 30]
    again = delivery.connected(box, now)
    assert delivery.step(delivery.greeted(again, 8, now), now) == delivery.Wait(now + 3)


def test_a_late_answer_does_not_make_the_box_ask_at_once() -> None:
    """It would be late again. A centre that begins anew, unasked, is greeted at once."""
    box = delivery.greeted(delivery.connected(Delivery(head=5), 0.0), 1, 0.0)
    box = delivery.greeted(box, 2, 3.0)
    late = delivery.answered(box, 1, 0, 4.0)
    assert isinstance(delivery.step(late, 4.0), delivery.Wait)
    assert delivery.step(delivery.acknowledged(box, 0, 4.0), 4.0) == Greet(3)
    home = delivery.answered(late, 2, 0, 8.0)
    assert home.state is State.STREAMING
    sent = delivery.sent(home, 1, 8.0)
    assert delivery.ticked(sent, 17.9).state is State.STREAMING  # it took 5 s: 10 are allowed
    assert delivery.ticked(sent, 18.1).state is State.ASKING


def test_what_is_lost_halves_what_may_be_under_way_and_what_arrives_widens_it() -> None:
    """Down to one message, and up again to the pace's window."""
    box = delivery.greeted(delivery.connected(Delivery(head=500), 0.0), 1, 0.0)
    box = delivery.answered(box, 1, 0, 0.0)
    rooms = []
    for _ in range(6):
        box = delivery.sent(box, box.sent + 1, 0.0)
        box = delivery.ticked(box, box.stalls_at)
        rooms.append(box.flow.room(box.pace))
        box = delivery.greeted(box, box.hello + 1, 0.0)
        box = delivery.answered(box, box.hello, box.acked, 0.0)
    assert rooms == [10, 5, 2, 1, 1, 1]
    for seq in range(1, 30):
        box = delivery.sent(box, seq, 0.0)
        box = delivery.acknowledged(box, seq, 0.0)
    assert box.flow == Flow()
