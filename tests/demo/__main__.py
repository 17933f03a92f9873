"""Run the whole product until Ctrl-C: ``./box demo``.

A private broker, the centre, the box's services, a virtual RTSP camera in the classroom and a
film of somebody walking up to the door. Everything listens on loopback and ends with this
process, however it ends.
"""

from __future__ import annotations

import argparse
import shutil
import signal
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from threading import Event
from types import FrameType
from zoneinfo import ZoneInfo

from edge import events, queries
from edge.clock import SystemClock, local
from edge.events import SnapshotMissed, SnapshotTaken
from edge.ledger import Ledger
from edge.model import SECOND, Instant, Lesson, Profile
from edge.rules.attendance import Kind, attend, meaning
from edge.rules.lessons import attendance_window, over
from edge.rules.segments import segments_of
from edge.teaching import NotAllowed, open_lesson
from tests.boxes import LESSON_ID, TEACHER_ID
from tests.brokers import Broker
from tests.demo.door_film import make_film
from tests.processes import NotInTime
from tests.system import PERSON_AT_THE_DOOR, PIN, System, lesson_at, portrait, roster
from tests.virtual_cameras import VirtualCamera

# The lesson starts this long after everything is up: time to open the two pages.
HEAD_START = 40 * SECOND
# When nobody has tapped "start" this long after S, the demo does it for them.
PATIENCE = 20 * SECOND
CLASS = {
    "01": "艾琳",
    "02": "赵敏",
    "03": "陈晓明",
    "04": "欧阳飞雪",
    "05": "吴刚",
    "06": "孙丽",
}
ZONE = ZoneInfo("Asia/Shanghai")


def main() -> int:
    """Parse the arguments, run the demo, and clean up."""
    parser = argparse.ArgumentParser(prog="./box demo", description="One lesson, end to end.")
    parser.add_argument(
        "--webcam", action="store_true", help="use /dev/video0 at the door instead of the film"
    )
    parser.add_argument("--keep", action="store_true", help="keep the demo's folder at the end")
    parser.add_argument(
        "--lessons", type=int, default=0, help="end after that many lessons (default: Ctrl-C)"
    )
    options = parser.parse_args()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupt)
    folder = Path(tempfile.mkdtemp(prefix="classbox-demo-"))
    try:
        _run(folder, options.webcam, options.lessons)
    except KeyboardInterrupt:
        _say("ending everything …")
    except NotInTime as error:
        _say(f"something did not come up: {error}")
        _say(f"the logs are in {folder / 'logs'}")
        return 1
    finally:
        if options.keep:
            _say(f"kept: {folder}")
        elif not isinstance(sys.exc_info()[1], Exception):
            shutil.rmtree(folder, ignore_errors=True)
    return 0


def _run(folder: Path, webcam: bool, lessons: int) -> None:
    clock = SystemClock()
    profile = queries.shipped_profile("demo")
    _say("drawing a classroom and a door …")
    source = "v4l2:/dev/video0" if webcam else f"file:{make_film(folder / 'door.mp4', portrait())}"
    with Broker() as broker, VirtualCamera() as camera:
        system = System(folder, broker, camera.address, source)
        try:
            _say(f"broker on port {broker.port}, classroom camera at {camera.address}")
            system.start_centre()
            _say("centre is up")
            first = lesson_at(clock.now().at + 3600 * SECOND, profile)
            system.start_box("link")
            system.publish(first, profile, roster(CLASS))
            system.wait_for_documents()
            _say("timetable, roster and rules reached the box")
            system.run(system.box_toml, "people", "consent", PERSON_AT_THE_DOOR, "--signed")
            system.run(
                system.box_toml, "people", "add", PERSON_AT_THE_DOOR, "--photo", str(portrait())
            )
            _say(f"enrolled trainee 01 ({CLASS['01']}) from a photo")
            system.start_box("recorder", "greeter", "kiosk")
            _say("box is up")
            _offer(system, webcam)
            _follow(system, clock, profile, lessons)
        finally:
            system.close()


def _offer(system: System, webcam: bool) -> None:
    print(
        f"\n    kiosk    {system.kiosk_url}      (instructor's PIN: {PIN})"
        f"\n    console  {system.console_url}\n",
        flush=True,
    )
    if not webcam and Path("/dev/video0").exists():
        _say("a webcam is here: ./box demo --webcam puts it at the door")


def _follow(system: System, clock: SystemClock, profile: Profile, lessons: int) -> None:
    """Give one lesson after the other, and say what the ledger says."""
    pause = Event()
    held = 0
    seen = 0
    with system.ledger() as ledger:
        seen = ledger.head()[0]
        while not lessons or held < lessons:
            held += 1
            start = _full_ten_seconds(clock.now().at + HEAD_START)
            lesson = _numbered(lesson_at(start, profile), held)
            system.publish(lesson, profile, roster(CLASS))
            _say(f"lesson {held} starts at {_time(lesson.start)} and ends at {_time(lesson.end)}")
            opened = False
            while not over(lesson, profile, clock.now().at):
                for record in ledger.events(seen):
                    seen = record.event.seq
                    sentence = _sentence(ledger, record.event.kind, record.body, lesson, profile)
                    if sentence:
                        _say(sentence)
                if not opened and clock.now().at > lesson.start + PATIENCE:
                    opened = True
                    _open_for_them(ledger, lesson)
                pause.wait(0.3)
    _say("that was the demo")


def _open_for_them(ledger: Ledger, lesson: Lesson) -> None:
    try:
        if open_lesson(ledger, lesson.id, TEACHER_ID):
            _say("nobody started the lesson at the kiosk, so the demo did")
    except NotAllowed as error:
        _say(f"the lesson could not be opened: {error.code}")


def _sentence(
    ledger: Ledger, kind: str, content: bytes | None, lesson: Lesson, profile: Profile
) -> str:
    """Return what an event says to somebody who watches the demo; "" for the dull ones."""
    body = events.decode(kind, content or b"{}")
    match body:
        case events.ScanMade():
            return _scan_sentence(ledger, body, lesson, profile)
        case SnapshotTaken():
            return f"snapshot {body.number} of lesson hour {body.hour + 1}: {body.bytes // 1024} kB"
        case SnapshotMissed():
            return f"snapshot {body.number} of lesson hour {body.hour + 1} missed: {body.cause}"
        case events.RecordingStarted():
            return f"recording {body.camera}"
        case events.RecordingStored():
            seconds = (body.end - body.start) // SECOND
            return f"recording part stored: {seconds} s, {body.bytes // 1024} kB"
        case events.RecordingGap():
            seconds = (body.end - body.start) // SECOND
            return f"recording gap of {seconds} s: {body.detail or body.cause}"
        case events.LessonOpened():
            return "lesson opened by the instructor"
        case events.LessonEnded():
            return f"lesson ended by {body.by}"
        case events.CameraHealth():
            return f"camera {body.camera}: {body.state} {body.cause}".rstrip()
        case _:
            return ""


def _scan_sentence(ledger: Ledger, body: events.ScanMade, lesson: Lesson, profile: Profile) -> str:
    with ledger.store.read() as connection:
        scans = queries.scans_of_person(
            connection, body.person_id, attendance_window(lesson, profile)
        )
        name = queries.person_name(connection, body.person_id)
    earlier = [scan for scan in scans if scan.at < body.at]
    marks = attend(segments_of(lesson, profile), earlier, profile)
    found = meaning(marks, body.at, profile)
    words = {
        Kind.CHECK_IN: "checked in",
        Kind.CHECK_OUT: "checked out",
        Kind.ALREADY: "seen again, already checked in",
        Kind.TOO_EARLY: "seen, too early",
        Kind.TOO_LATE: "seen, too late",
        Kind.OUTSIDE: "seen outside every window",
    }
    score = f", score {body.score / 10_000:.2f}" if body.score else ""
    return f"{name} {words[found.kind]} by {body.way}{score}"


def _numbered(lesson: Lesson, number: int) -> Lesson:
    return replace(lesson, id=f"{LESSON_ID}-{number}")


def _full_ten_seconds(instant: Instant) -> Instant:
    return instant // (10 * SECOND) * 10 * SECOND + 10 * SECOND


def _time(instant: Instant) -> str:
    return local(instant, ZONE).strftime("%H:%M:%S")


def _say(sentence: str) -> None:
    print(f"[{_time(SystemClock().now().at)}] {sentence}", flush=True)


def _interrupt(number: int, frame: FrameType | None) -> None:
    # Once is enough: a second Ctrl-C must not stop us from ending what we started.
    for one in (signal.SIGINT, signal.SIGTERM):
        signal.signal(one, signal.SIG_IGN)
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
