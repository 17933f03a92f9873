"""A lesson under way, from the camera to the console: every process is real.

Owns what it starts. ``Classroom`` adds to the stage of ``tests.faults`` a camera, the recorder, the
console and a lesson that is being taught; box and centre are behind wires of their own.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from edge import events
from edge.documents import PROFILES, ROSTER, TIMETABLE, roster_to_json, timetable_to_json
from edge.events import Body
from edge.model import SECOND, Lesson
from edge.rulebook import Rulebook, profiles_to_json
from tests.boxes import roster_of
from tests.camera.room import lesson_from, now, short_profile
from tests.faults.stage import BOX, Stage, staged
from tests.processes import CLASSBOX, Child, free_port, wait_for
from tests.virtual_cameras import VirtualCamera

HOUR_S = 600


class Classroom:
    """One room whose lesson began a moment ago."""

    def __init__(self, stage: Stage, camera: VirtualCamera, margin_s: int = 0) -> None:
        self.stage = stage
        self.camera = camera
        self.port = free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        box_toml, centre_toml = stage.folder / "box.toml", stage.folder / "centre.toml"
        # The machine of a test has no NTP, and a box without a date refuses nothing as too early.
        dated = box_toml.read_text("utf-8").replace("[box]\n", '[box]\nclock = "trusted"\n')
        box_toml.write_text(dated, "utf-8")
        _append(
            box_toml, f'[[camera]]\nid = "front"\nlabel = "Front"\naddress = "{camera.address}"\n'
        )
        _append(centre_toml, f"[console]\nport = {self.port}\nsilent_after = 12\n")
        self.recorder = Child(
            "recorder", [CLASSBOX, "--config", box_toml, "recorder"], stage.folder / "recorder.log"
        )
        self.console = Child(
            "console",
            [CLASSBOX, "--config", centre_toml, "centre", "console"],
            stage.folder / "console.log",
        )
        self.margin_s = margin_s

    def plan(self, begins_in_s: int = -5) -> Lesson:
        """Publish a lesson that begins so many seconds from now; return it."""
        lesson = lesson_from(now() + begins_in_s * SECOND, HOUR_S)
        profile = short_profile(HOUR_S, self.margin_s)
        self.stage.publish(PROFILES, profiles_to_json(Rulebook.of([profile])))
        self.stage.publish(ROSTER, roster_to_json(roster_of()))
        self.stage.publish(TIMETABLE, timetable_to_json((lesson,)))
        return lesson

    def open(self, begins_in_s: int = -5) -> Lesson:
        """Start everything with a lesson; return it once the box knows it."""
        lesson = self.plan(begins_in_s)
        self.stage.start(self.stage.ingest, self.stage.link)
        wait_for("the timetable is in force", lambda: TIMETABLE in self.stage.in_force())
        self.stage.start(self.recorder, self.console)
        return lesson

    def records(self) -> bool:
        """Tell whether the box said that it records."""
        return bool(self.facts("recording.started"))

    def facts(self, kind: str) -> list[Any]:
        """Return the bodies of the box's events of that kind."""
        found: list[Body] = [
            events.decode(record.event.kind, record.body)
            for record in self.stage.ledger.records()
            if record.event.kind == kind and record.body is not None
        ]
        return found

    def frame(self) -> Path:
        """Return where the recorder leaves pictures for the link."""
        return self.stage.folder / "run" / "live-front.frame"

    def close(self) -> None:
        """End what it started."""
        self.console.stop()
        self.recorder.stop()


def _append(file: Path, text: str) -> None:
    file.write_text(file.read_text("utf-8") + text, "utf-8")


@contextmanager
def classroom(folder: Path, margin_s: int = 0) -> Iterator[Classroom]:
    """Open a room and clear it away."""
    with staged(folder) as stage, VirtualCamera(key_frame_seconds=2) as camera:
        room = Classroom(stage, camera, margin_s)
        try:
            yield room
        finally:
            room.close()


__all__ = ["BOX", "Classroom", "classroom"]
