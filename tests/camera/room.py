"""A classroom to test with: virtual cameras, a box, and its recorder as a real process."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import av

from camera.footage import gaps
from edge import events, queries
from edge.clock import SystemClock
from edge.events import Body, RecordingGap, RecordingStored
from edge.ledger import Ledger
from edge.media import MediaStore
from edge.model import (
    SECOND,
    Instant,
    Lesson,
    LessonHour,
    Margin,
    Profile,
    SnapshotRule,
    Window,
)
from edge.queries import shipped_profile
from tests.boxes import CLASS_ID, TEACHER_ID, open_ledger, roster_of, send_documents
from tests.processes import CLASSBOX, Child, NotInTime, wait_for


def short_profile(
    hour_s: int, margin_s: int = 3, slots: Sequence[tuple[int, int, int]] = ()
) -> Profile:
    """Return a profile with lesson hours of *hour_s* s and snapshots at (from, aim, to) s."""
    return replace(
        shipped_profile("default"),
        name="short",
        lesson_hour=hour_s * SECOND,
        recording=Margin(margin_s * SECOND, margin_s * SECOND),
        snapshots=tuple(SnapshotRule(*(part * SECOND for part in slot)) for slot in slots),
    )


def lesson_from(start: Instant, hour_s: int, lesson_id: str = "lesson-1") -> Lesson:
    """Return a lesson of one lesson hour."""
    return Lesson(
        id=lesson_id,
        class_id=CLASS_ID,
        class_name="中式面点师（初级）2026-3 班",
        room="203",
        instructors=(TEACHER_ID,),
        hours=(LessonHour(start, start + hour_s * SECOND),),
        profile="short",
    )


def now() -> Instant:
    """Return the wall time."""
    return SystemClock().now().at


class Room:
    """One box with classroom cameras in a folder of its own."""

    def __init__(
        self,
        folder: Path,
        cameras: Iterable[dict[str, str]],
        *,
        segment: str = "00:05",
        inside: Sequence[str] = (),
    ) -> None:
        """*cameras*: the settings of each, ``address`` at least; *inside*: see OnvifCamera."""
        self.folder = folder
        self.data_dir = folder / "box"
        self.settings = folder / "box.toml"
        tables = [
            "[[camera]]\n"
            + "".join(
                f"{key} = {json.dumps(value)}\n"
                for key, value in {"id": f"cam-{number}", "label": f"C{number}", **camera}.items()
            )
            for number, camera in enumerate(cameras, start=1)
        ]
        self.settings.write_text(
            f'[box]\nid = "room-203"\nroom = "203"\ndata_dir = "box"\nruntime_dir = "run"\n'
            f'[recording]\nsegment = "{segment}"\n' + "\n".join(tables),
            "utf-8",
        )
        self.recorder = Child(
            "recorder",
            [*inside, CLASSBOX, "--config", self.settings, "recorder"],
            folder / "recorder.log",
        )

    def plan(self, lessons: tuple[Lesson, ...], profile: Profile) -> None:
        """Put a timetable in force, as the centre would."""
        with self.ledger() as ledger:
            send_documents(ledger, lessons, roster_of(), {profile.name: profile})

    def start(self) -> None:
        """Start the recorder and wait until it is up."""
        self.recorder.start()
        wait_for("the recorder is ready", lambda: self.recorder.said("ready"))

    @contextmanager
    def ledger(self) -> Iterator[Ledger]:
        """Open the box's ledger beside the running recorder."""
        with open_ledger(self.data_dir, SystemClock()) as ledger:
            yield ledger

    def facts(self, kind: type[Body]) -> list[Any]:
        """Return the bodies of all events of that kind, in order."""
        with self.ledger() as ledger:
            return [
                events.decode(record.event.kind, record.body)
                for record in ledger.records()
                if record.event.kind == kind.kind and record.body is not None
            ]

    def snapshots(self, lesson_id: str = "lesson-1") -> list[tuple[int, int, str]]:
        """Return (hour, number, state) of the lesson's snapshots."""
        with self.ledger() as ledger, ledger.store.read() as connection:
            rows = queries.snapshots(connection, lesson_id)
        return [(row["hour"], row["number"], row["state"]) for row in rows]

    def lamps(self) -> dict[str, dict[str, Any]]:
        """Return what the kiosk's lamps would show of each camera."""
        try:
            shown = json.loads((self.folder / "run" / "recorder.json").read_text("utf-8"))
        except FileNotFoundError:
            return {}
        cameras: dict[str, dict[str, Any]] = shown["cameras"]
        return cameras

    def state(self, camera: str = "cam-1") -> str:
        """Return what the kiosk's lamp would show, empty while it shows nothing."""
        return str(self.lamps().get(camera, {}).get("state", ""))

    def cause(self, camera: str = "cam-1") -> str:
        """Return the sentence that stands beside the lamp."""
        shown = json.loads((self.folder / "run" / "recorder.json").read_text("utf-8"))
        return str(shown["cameras"][camera]["cause"])

    def unaccounted(
        self, lesson_id: str, recording: Window, camera: str = "cam-1"
    ) -> tuple[Window, ...]:
        """Return the stretches of a recording for which there is neither video nor a gap."""
        with self.ledger() as ledger, ledger.store.read() as connection:
            return gaps(connection, lesson_id, camera, recording, recording.closes)

    def media(self, sha256: str) -> Path:
        """Return where a media file lies."""
        return MediaStore(self.data_dir / "media").path(sha256)

    def recording_process(self) -> int:
        """Return the process id of the recorder's (first) child."""
        children = Path(f"/proc/{self.recorder.pid}/task/{self.recorder.pid}/children")
        return int(children.read_text().split()[0])

    def unfinished(self) -> list[str]:
        """Return what still lies in ``incoming``."""
        return sorted(os.listdir(self.data_dir / "media" / "incoming"))


def frames(path: Path) -> list[float]:
    """Return the seconds at which the pictures of a video are shown; each one is decoded."""
    with av.open(str(path)) as container:
        return sorted(
            float(frame.time)
            for frame in container.decode(container.streams.video[0])
            if frame.time is not None
        )


def sound_of(path: Path) -> tuple[str, float]:
    """Return codec and seconds of a video's sound, ("", 0) when it has none."""
    with av.open(str(path)) as container:
        if not container.streams.audio:
            return "", 0.0
        audio = container.streams.audio[0]
        samples = sum(frame.samples for frame in container.decode(audio))
        return audio.codec_context.name, samples / audio.codec_context.sample_rate


HOUR_S = 120


def ongoing(room: Room, slots: tuple[tuple[int, int, int], ...] = ()) -> Window:
    """Begin a lesson a moment ago that outlasts the test; return its recording's window."""
    start = now() - SECOND
    room.plan((lesson_from(start, HOUR_S),), short_profile(HOUR_S, margin_s=0, slots=slots))
    room.start()
    return Window(start, start + HOUR_S * SECOND)


def records_again(room: Room, gaps: int) -> None:
    """Wait until that many gaps are stated and the lamp is lit again."""
    try:
        wait_for(
            f"{gaps} gaps and a recording",
            lambda: len(room.facts(RecordingGap)) == gaps and room.state() == "recording",
            40,
        )
    except NotInTime as error:
        raise NotInTime(
            f"{error}; {room.state()}: {room.cause()}\n{room.facts(RecordingGap)}\n"
            f"{room.recorder.tail()}"
        ) from None


def everything_plays(room: Room, window: Window) -> None:
    """Hold the stored parts to the promise: all time accounted for, nothing twice, all plays."""
    parts = [part for part in room.facts(RecordingStored) if part.lesson_id == "lesson-1"]
    assert len({part.sha256 for part in parts}) == len(parts)
    for part in parts:
        # A part of key frames may be over after its first.
        assert len(frames(room.media(part.sha256))) > (part.quality != "key_frames")
    last = max(part.end for part in parts)
    assert room.unaccounted("lesson-1", Window(window.opens, last)) == ()
    assert room.unfinished() == []
    with room.ledger() as ledger:
        assert ledger.verify().intact
