"""One piece of slow work beside the service loop."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Task(Generic[T]):
    """Runs *work* in a thread that never keeps the process from ending."""

    def __init__(self, work: Callable[[], T]) -> None:
        """Begin at once."""
        self._work = work
        self._value: T | None = None
        self._error: Exception | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    @property
    def done(self) -> bool:
        """Whether ``result`` answers without waiting."""
        return not self._thread.is_alive()

    def result(self) -> T:
        """Return what the work returned, or raise what it raised."""
        self._thread.join()
        if self._error is not None:
            raise self._error
        return self._value  # type: ignore[return-value]  # the work returned it, even if None

    def _run(self) -> None:
        try:
            self._value = self._work()
        except Exception as error:
            self._error = error
