"""Several ingesters divide the boxes: each box has one, whatever their number."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.central.share import Share
from sync.messages import SHARDS, topic


@given(of=st.integers(1, 16), box=st.from_regex(r"[A-Za-z0-9_-]{1,64}", fullmatch=True))
def test_every_box_has_exactly_one_ingester(of: int, box: str) -> None:
    """Whatever a box is called, one share has it, and subscribes to the digit of its topics."""
    shares = [Share(number, of) for number in range(1, of + 1)]
    (one,) = [share for share in shares if share.has(box)]
    assert topic(box, "up/hello").split("/")[2] in one.digits


@pytest.mark.parametrize("of", [1, 2, 3, 5, 16])
def test_the_digits_are_dealt_out_evenly(of: int) -> None:
    """No ingester has more than one digit more than another."""
    counts = [len(Share(number, of).digits) for number in range(1, of + 1)]
    assert sum(counts) == len(SHARDS)
    assert max(counts) - min(counts) <= 1


@pytest.mark.parametrize(("number", "of"), [(0, 1), (2, 1), (1, 17), (-1, 3), (1, 0)])
def test_a_share_that_does_not_exist_is_refused(number: int, of: int) -> None:
    """The message says what --number and --of may be."""
    with pytest.raises(ValueError, match="--number"):
        Share(number, of)
