"""Live updates: every open page hears of every change."""

from __future__ import annotations

import json
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from edge.clock import monotonic
from kiosk_ui.live import MOST_STREAMS
from tests.kiosk.stage import Stage

PATIENCE_S = 10.0


class Stream:
    """An open stream, read as a browser would."""

    def __init__(self, url: str) -> None:
        self._answer = urllib.request.urlopen(url + "/stream", timeout=PATIENCE_S)

    def state(self) -> dict[str, Any]:
        """Return the next whole state."""
        kind = ""
        for line in self._answer:
            text = line.decode().rstrip("\n")
            if text.startswith("event: "):
                kind = text[7:]
            elif text.startswith("data: ") and not kind:
                state: dict[str, Any] = json.loads(text[6:])
                return state
            elif not text:
                kind = ""
        raise EOFError("the stream ended")

    def close(self) -> None:
        """Go away without a word."""
        self._answer.close()


@contextmanager
def stream(url: str) -> Iterator[Stream]:
    """Open a stream and close it."""
    opened = Stream(url)
    try:
        yield opened
    finally:
        opened.close()


def until(stream: Stream, words: str) -> dict[str, Any]:
    """Read states until one holds *words*."""
    end = monotonic() + PATIENCE_S
    while monotonic() < end:
        state = stream.state()
        if words in json.dumps(state["regions"], ensure_ascii=False):
            return state
    raise AssertionError(f"the screen never said {words!r}")


def test_a_committed_scan_reaches_the_open_screen(stage: Stage) -> None:
    """Whoever wrote it, in whatever process."""
    stage.door()
    with stage.served() as url, stream(url) as screen:
        assert screen.state()["layout"] == "door"
        stage.door(greet=stage.scan("p-1"), person="p-1")
        until(screen, "李*华 (01), checked in")


def test_a_page_that_lost_its_stream_gets_the_whole_state_again(stage: Stage) -> None:
    """What happened meanwhile is in the first message."""
    with stage.served() as url:
        with stream(url) as screen:
            screen.state()
        stage.scan("p-1")
        with stream(url) as screen:
            first = screen.state()
    assert set(first["regions"]) == {"head", "idle", "say", "side", "foot"}
    assert "<b>1</b>" in first["regions"]["side"]


def test_a_service_that_speaks_in_the_runtime_folder_is_heard(stage: Stage) -> None:
    """Guidance and lamps change without any event in the ledger."""
    stage.door()
    stage.recorder("waiting")
    stage.link(True)
    with stage.served() as url, stream(url) as screen:
        screen.state()
        stage.door("one_at_a_time")
        until(screen, "One at a time, please")
        # Nothing worse than the network is to be said.
        stage.picture()
        stage.link(False)
        until(screen, "No network")


def test_time_alone_changes_the_screen(stage: Stage) -> None:
    """A window that closes is noticed without any event."""
    stage.clock.at += 25 * 60 * 1_000_000
    with stage.served() as url, stream(url) as screen:
        assert "Check-in is open" in screen.state()["regions"]["side"]
        stage.clock.advance(2_000_000)
        assert "In class" in until(screen, "In class")["regions"]["side"]


def test_forgotten_streams_give_way_to_new_ones(stage: Stage) -> None:
    """A browser that reloads again and again never uses up the kiosk's threads."""
    with stage.served() as url:
        opened = [Stream(url) for _ in range(MOST_STREAMS)]
        for one in opened:
            one.state()
        with stream(url) as screen:
            assert screen.state()["layout"] == "door"
            ended = threading.Event()

            def read() -> None:
                try:
                    while True:
                        opened[0].state()
                except EOFError:
                    ended.set()

            reader = threading.Thread(target=read)
            reader.start()
            assert ended.wait(PATIENCE_S), "the oldest stream ends"
            reader.join()
        for one in opened:
            one.close()
