"""One school for all tests of bundles: it is only read."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.bundle.stage import School, taught
from tests.bundle.tampering import Parts


@pytest.fixture(scope="session")
def school(tmp_path_factory: pytest.TempPathFactory) -> Iterator[School]:
    """A class that was taught twice, the first time with something of every trouble."""
    with taught(tmp_path_factory.mktemp("school")) as opened:
        yield opened


@pytest.fixture(scope="session")
def whole(school: School) -> bytes:
    """Its bundle, as the centre made it."""
    return school.bundle()


@pytest.fixture
def parts(whole: bytes) -> Parts:
    """The same, taken apart."""
    return Parts(whole)
