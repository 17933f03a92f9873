"""Which name each stretch of a chain goes by, after branches. Pure.

A ledger is born under one uuid. Where the centre holds other events behind some event, the chain
goes on from there under a new uuid (event ``ledger.branched``) and nothing is written again: the
stretch up to there keeps its old name, what follows has the new one. Promises that every seq has
exactly one name, and that both ends compute the same.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Stretch:
    """The events behind ``after``, up to where the next stretch begins, belong to ``ledger``."""

    ledger: str
    after: int


@dataclass(frozen=True, slots=True)
class Lineage:
    """The stretches of one chain in their order; the first begins with the chain."""

    stretches: tuple[Stretch, ...]

    @classmethod
    def of(cls, born: str, branches: Iterable[tuple[str, int]]) -> Lineage:
        """Return the lineage of ledger *born* after *branches* (uuid, base), oldest first.

        A branch below an earlier one takes that one's events along: they follow its base.
        """
        stretches = [Stretch(born, 0)]
        for ledger, base in branches:
            stretches = [one for one in stretches if one.after < base or one.after == 0]
            stretches.append(Stretch(ledger, base))
        return cls(tuple(stretches))

    @property
    def ledger(self) -> str:
        """The name of what is written now."""
        return self.stretches[-1].ledger

    def at(self, seq: int) -> Stretch:
        """Return the stretch that event *seq* (from 1) belongs to."""
        return next(one for one in reversed(self.stretches) if one.after < seq or one.after == 0)

    def ends(self, ledger: str) -> int | None:
        """Return the last seq that belongs to *ledger*: None for the present one's, which grows.

        Raises KeyError for a ledger that is none of this chain's.
        """
        for one, following in zip(self.stretches, self.stretches[1:], strict=False):
            if one.ledger == ledger:
                return following.after
        if ledger != self.ledger:
            raise KeyError(ledger)
        return None

    def ancestors(self) -> list[tuple[str, int]]:
        """Return the older names with the last seq of each, the nearest first."""
        pairs = zip(self.stretches, self.stretches[1:], strict=False)
        return [(one.ledger, following.after) for one, following in pairs][::-1]
