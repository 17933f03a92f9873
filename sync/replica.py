"""What the centre's words mean for this box's chain: from messages to inputs of the delivery. Pure.

A chain may go by several names (``edge.lineage``), and several machines may hear what the centre
says to one box. Promises that only what is about this chain, and only answers to this process's
own questions, moves its delivery.
"""

from __future__ import annotations

from edge.lineage import Lineage
from sync import delivery
from sync.delivery import Delivery
from sync.messages import Ack, BadMessage, Compared, Refused


def hear(
    here: Delivery,
    message: Ack | Refused | Compared,
    lineage: Lineage,
    token: str,
    compares: bool,
    now: float,
) -> Delivery:
    """Return the delivery after *message*.

    *token*: what the names of this process's hellos and questions begin with. *compares*: whether
    the centre can be asked where both histories part. Raises BadMessage for another's ledger.
    """
    ends = end_of(lineage, message.ledger)
    match message:
        case Ack():
            # What the centre holds of an older name beyond its end is another disk's.
            seq = message.seq if ends is None else min(message.seq, ends)
            number = own(message.answer, token)
            if number is None:
                return delivery.acknowledged(here, seq, now)
            return delivery.answered(here, number, seq, now, message.agrees)
        case Refused():
            if message.cause == "fork" and compares:
                return delivery.differs(here, now)
            return delivery.refused(here, now)
        case Compared():
            number = own(message.id, token)
            if number is None:
                return here
            return delivery.compared(here, number, message.agree, now)


def end_of(lineage: Lineage, ledger: str) -> int | None:
    """Return where *ledger* ends on this chain, None for the one written now.

    Raises BadMessage for a name that is none of this chain's.
    """
    try:
        return lineage.ends(ledger)
    except KeyError as error:
        raise BadMessage(f"about ledger {ledger}, which is not this box's") from error


def own(name: str, token: str) -> int | None:
    """Return the number in a hello's or question's *name*, None when another process chose it."""
    begins, _, number = name.partition(".")
    return int(number) if begins == token and number.isdecimal() else None


def known_as(here: Delivery, lineage: Lineage) -> str:
    """Return the name under which the centre knows what it holds of this chain."""
    return lineage.at(max(here.acked, 1)).ledger
