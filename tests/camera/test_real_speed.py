"""A lesson in the demo profile, at real speed, with a camera that fails in every way."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from threading import Event

import pytest

from edge import bindings, queries
from edge.bindings import Binding
from edge.camera_events import CameraMoved
from edge.config import parse
from edge.events import RecordingGap, RecordingStored, SnapshotMissed, SnapshotTaken
from edge.film import Film, join
from edge.logins import Login, Logins
from edge.model import SECOND, Instant, Window
from edge.rules.lessons import recording_window
from edge.rules.snapshots import plan
from edge.rules.timeline import Gap, Part, Sort, Timeline, timeline
from tests.camera.room import Room, frames, now
from tests.processes import wait_for
from tests.system import lesson_at
from tests.virtual_cameras.network import NOT_ROOT, Cable, may_lay_cables
from tests.virtual_cameras.onvif import OnvifCamera

TRUE_TO = 2 * SECOND
ELSEWHERE = "192.0.2.99"


@dataclass
class Outage:
    """What really happened: no video came from ``begins`` on, for one of these reasons."""

    cause: set[str]
    begins: Instant


def at(moment: Instant) -> None:
    """Wait until *moment*."""
    Event().wait(max(0, moment - now()) / SECOND)


@pytest.mark.real_speed
@pytest.mark.skipif(not may_lay_cables(), reason=NOT_ROOT)
def test_gaps_match_the_truth_to_two_seconds(tmp_path: Path) -> None:
    """Killed, frozen, restarted and moved in one lesson: the ledger tells when, how long and why.

    The truth is what came out of the cable, read beside both.
    """
    profile = queries.shipped_profile("demo")
    gone = {"camera_unreachable", "camera_hung_up", "camera_silent"}
    outages: list[Outage] = []
    with Cable() as cable, OnvifCamera(cable) as camera, cable.metered() as meter:
        room = Room(tmp_path, [], segment="00:30", inside=cable.box)
        _bind(room, camera)
        before = camera.address
        lesson = lesson_at(now() + 50 * SECOND, profile, hours=1)
        window = recording_window(lesson, profile)
        room.plan((lesson,), profile)
        room.start()

        def records_again() -> None:
            wait_for(
                "it records again",
                lambda: (
                    any(gap.end > outages[-1].begins for gap in room.facts(RecordingGap))
                    and room.state() == "recording"
                ),
                90,
            )

        wait_for("the lamp is lit", lambda: room.state() == "recording", 60)
        at(lesson.start - 3 * SECOND)
        camera.kill()
        outages.append(Outage(gone, now()))
        at(lesson.start + 42 * SECOND)  # past the first snapshot's window
        camera.start()
        records_again()

        at(lesson.start + 85 * SECOND)  # the second snapshot is due in five seconds
        camera.freeze()
        outages.append(Outage({"camera_silent"}, now()))
        at(lesson.start + 100 * SECOND)
        camera.resume()
        records_again()

        at(lesson.start + 120 * SECOND)
        camera.restart()
        outages.append(Outage(gone, now()))
        records_again()

        at(lesson.start + 143 * SECOND)  # in the third snapshot's window, before its aim
        cable.give(ELSEWHERE)
        outages.append(Outage(gone, now()))
        records_again()
        assert room.facts(CameraMoved) == [
            CameraMoved("cam-1", camera.serial, before, camera.address)
        ]

        at(window.closes)
        wait_for("it is recorded to its end", lambda: not room.unaccounted(lesson.id, window), 60)
        room.recorder.stop()

    # Beside what is staged, ipycam hangs up after each half minute: it promises 60 s, and waits 30.
    films = meter.films()
    holes = [Window(one.closes, other.opens) for one, other in pairwise(films)]
    gaps = [gap for gap in room.facts(RecordingGap) if gap.end > window.opens + TRUE_TO]
    for gap in gaps:
        assert any(_same(gap, hole) for hole in holes), (gap, holes)
    for hole in holes:
        if window.opens < hole.opens and hole.closes < window.closes:
            assert any(_same(gap, hole) for gap in gaps), (hole, gaps)
    for outage in outages:
        (gap,) = (gap for gap in gaps if gap.start <= outage.begins + TRUE_TO < gap.end)
        assert gap.cause in outage.cause, (gap, outage)
    assert room.unaccounted(lesson.id, window) == ()
    stated = {(hour, number): state for hour, number, state in room.snapshots(lesson.id)}
    assert stated == {(0, 1): "missed", (0, 2): "taken", (0, 3): "taken"}
    (missed,) = room.facts(SnapshotMissed)
    assert "camera" in missed.detail
    slots = {slot.number: slot for slot in plan(lesson, profile)}
    for shot in room.facts(SnapshotTaken):
        assert slots[shot.number].window.holds(shot.at)
        assert any(film.opens - TRUE_TO <= shot.at <= film.closes + TRUE_TO for film in films)
    _the_film_has_it_all(room, tmp_path, window)


def _bind(room: Room, camera: OnvifCamera) -> None:
    config = parse(room.settings.read_text("utf-8"), "box.toml", room.folder)
    with room.ledger() as ledger:
        binding = Binding("cam-1", "C1", camera.address)
        login = Login(camera.user, camera.password)
        bindings.bind(ledger, config, Logins(room.data_dir), binding, login)


def _same(gap: RecordingGap, hole: Window) -> bool:
    """Tell whether what the ledger states is what the cable saw, to two seconds at both ends."""
    return abs(gap.start - hole.opens) <= TRUE_TO and abs(gap.end - hole.closes) <= TRUE_TO


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
