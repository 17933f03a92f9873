"""A lesson in the demo profile, at real speed, with a camera that fails in every way."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from threading import Event

import pytest

from edge import queries
from edge.events import RecordingGap, RecordingStored, SnapshotMissed
from edge.film import Film, join
from edge.model import SECOND, Instant, Window
from edge.rules.lessons import recording_window
from edge.rules.timeline import Gap, Part, Sort, Timeline, timeline
from tests.camera.room import Room, frames, now
from tests.processes import wait_for
from tests.system import lesson_at
from tests.virtual_cameras import VirtualCamera

TRUE_TO = 2 * SECOND


@dataclass
class Outage:
    """What really happened: no video came from ``begins`` on, for that reason."""

    cause: set[str]
    begins: Instant


def at(moment: Instant) -> None:
    """Wait until *moment*."""
    Event().wait(max(0, moment - now()) / SECOND)


@pytest.mark.real_speed
def test_gaps_match_the_truth_to_two_seconds(tmp_path: Path) -> None:
    """Killed, frozen and restarted in one lesson: the ledger tells when, how long, and why."""
    profile = queries.shipped_profile("demo")
    plays = tmp_path / "plays"
    outages: list[Outage] = []
    with VirtualCamera(audio="aac", plays=plays) as camera:
        room = Room(tmp_path, [{"address": camera.address}], segment="00:30")
        lesson = lesson_at(now() + 40 * SECOND, profile, hours=1)
        window = recording_window(lesson, profile)
        room.plan((lesson,), profile)
        room.start()
        wait_for("the lamp is lit", lambda: room.state() == "recording", 60)

        at(lesson.start + 2 * SECOND)
        camera.kill()
        outages.append(Outage({"camera_unreachable", "camera_hung_up"}, now()))
        at(lesson.start + 44 * SECOND)  # past the first snapshot's window
        camera.restart()
        wait_for("it records again", lambda: room.state() == "recording", 60)

        at(lesson.start + 90 * SECOND)
        camera.freeze()
        outages.append(Outage({"camera_silent"}, now()))
        at(lesson.start + 110 * SECOND)
        camera.resume()
        wait_for("it records again", lambda: len(room.facts(RecordingGap)) == 2, 60)

        at(lesson.start + 150 * SECOND)
        camera.restart()
        outages.append(Outage({"camera_unreachable", "camera_hung_up"}, now()))
        wait_for("it records again", lambda: len(room.facts(RecordingGap)) == 3, 60)

        wait_for("the lesson is over", lambda: room.state() == "waiting", 150)
        room.recorder.stop()

    gaps = [gap for gap in room.facts(RecordingGap) if gap.end > window.opens + TRUE_TO]
    sent = [int(line) for line in plays.read_text("ascii").split()]
    assert len(gaps) == len(outages), gaps
    for gap, outage in zip(gaps, outages, strict=True):
        assert gap.cause in outage.cause
        assert abs(gap.start - outage.begins) <= TRUE_TO, (gap, outage)
        assert any(abs(gap.end - play) <= TRUE_TO for play in sent), (gap, sent)
    assert room.unaccounted(lesson.id, window) == ()
    stated = {(hour, number): state for hour, number, state in room.snapshots(lesson.id)}
    assert stated == {(0, 1): "missed", (0, 2): "taken", (0, 3): "taken"}
    (missed,) = room.facts(SnapshotMissed)
    assert "cannot be reached" in missed.cause
    _the_film_has_it_all(room, tmp_path, window)


def _the_film_has_it_all(room: Room, folder: Path, window: Window) -> None:
    """Hold the joined film to the line of time: every picture in it, at its own place."""
    line = timeline(
        window,
        [Part(one.start, one.end, one.sha256, one.bytes) for one in room.facts(RecordingStored)],
        [Gap(one.start, one.end, one.cause) for one in room.facts(RecordingGap)],
    )
    assert line.of(Sort.UNSTATED) == ()
    film = folder / "film.mp4"
    with film.open("wb") as file:
        file.writelines(_joined(room, line).read())
    shown = frames(film)
    stored = [frames(room.media(one.sha256)) for one in room.facts(RecordingStored)]
    assert len(shown) == sum(len(part) for part in stored)
    bars = [
        (line.offset(one.starts) / SECOND, line.offset(one.ends) / SECOND)
        for one in line.of(Sort.VIDEO)
    ]
    assert all(any(begins - 0.01 <= at < ends for begins, ends in bars) for at in shown)


def _joined(room: Room, line: Timeline) -> Film:
    return join(line, lambda sha256: room.media(sha256).open("rb"), str, lambda gap: gap.cause, {})
