"""A broker with two boxes and an ingester for each module of tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.security.stage import Secured, secured

A, B = "room-a", "room-b"


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secured]:
    """A centre, its broker, and the enrolled boxes ``room-a`` and ``room-b``."""
    with secured(tmp_path_factory.mktemp("secured")) as opened:
        opened.enrol(A)
        opened.enrol(B)
        yield opened
