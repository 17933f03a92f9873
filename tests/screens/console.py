"""The console's screens: a morning at a school, made of real events through the real intake."""

from __future__ import annotations

import hashlib
import tempfile
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from PIL import Image, ImageDraw, ImageFilter
from playwright.sync_api import Browser, ViewportSize
from sqlalchemy import select

from camera import watermark
from edge import events
from edge.camera_events import RecordingOrdered
from edge.clock import local
from edge.directions import Draw, draws_to_json
from edge.documents import DRAWS, ROSTER, TIMETABLE, Roster, roster_to_json, timetable_to_json
from edge.events import SnapshotMissed, SnapshotTaken
from edge.health_events import AlertRaised, DiskPlanned
from edge.model import MINUTE, SECOND, Instant, Lesson, LessonHour, Trainee, TrainingClass
from edge.picture_events import PictureProcessed, SpotCheckConfirmed, SpotCheckTaken
from sync.central import books, config, orders, tables
from sync.central.documents import store_document
from sync.central.viewing import Key, Seen, Stage, Viewing
from sync.messages import CHUNK_BYTES, Chunk
from tests.boxes import TEACHER_ID, at
from tests.browser import chromium
from tests.central.centres import Centre, hello_of, open_centre
from tests.central.days import opened, scan
from tests.central.served import console_of, served
from tests.chains import Chain
from tests.screens import pictures
from tests.screens.people import CLASS, NAMES, roster
from tests.screens.pictures import classroom, jpeg
from tests.screens.shots import save

SIZE: ViewportSize = {"width": 1440, "height": 900}
LANGUAGES = ("zh", "en")
NOW = at("10:12:20")
CAMERA = "classroom"


class Looking(Viewing):
    """Stands in for live view: a classroom of this moment, without a broker."""

    def __init__(self, centre: Centre) -> None:
        settings = f'[centre]\ndata_dir = "{centre.folder}"\n[broker]\nhost = "127.0.0.1"\n'
        parsed = config.parse(settings + 'security = "none"\n', "centre.toml", Path("/"))
        super().__init__(centre.store, centre.clock, centre.signer, parsed)

    def look(self, key: Key, again: bool = False) -> Seen:
        """Return a live picture, of one room one that has stopped."""
        if key.box == "room-105":
            return Seen(Stage.NO_PICTURE, CAMERA, 1, 30.0, "offline")
        return Seen(Stage.LIVE, CAMERA, 1, 0.8)

    def picture(self, key: Key, number: int) -> bytes:
        """Return the classroom."""
        return jpeg(classroom(30))


class Room:
    """One box and its lesson of the morning."""

    def __init__(self, centre: Centre, box: str, room: str, class_name: str, size: int) -> None:
        self.centre = centre
        self.chain = Chain(box, f"ledger-{box}", born=at("07:40"))
        self.lessons = (
            _lesson(box, room, class_name, "09:00", "morning"),
            _lesson(box, room, class_name, "14:00", "afternoon"),
        )
        self.lesson = self.lessons[0]
        people = tuple(
            Trainee(f"{box}-{number}", f"{number:02d}", NAMES[(number * 5 + len(box)) % len(NAMES)])
            for number in range(1, size + 1)
        )
        if room == "203":
            people = tuple(
                Trainee(f"{box}-{number}", f"{number:02d}", NAMES[number - 1])
                for number in range(1, size + 1)
            )
        known = roster("-")
        the_class = TrainingClass(
            box, class_name, "2026-JN-0031", "县人社局", at("08:00", "2026-11-01"), people
        )
        self.people = people
        self.pending: list[tuple[Instant, events.Body]] = []
        self.files: list[bytes] = []
        self._publish(Roster((the_class,), known.instructors))

    def _publish(self, known: Roster) -> None:
        store, box = self.centre.store, self.chain.box
        store_document(store, box, ROSTER, roster_to_json(known), at("07:00"))
        store_document(store, box, TIMETABLE, timetable_to_json(self.lessons), at("07:00"))

    def say(self, moment: Instant, body: events.Body) -> None:
        """Let the box write something at that time."""
        self.pending.append((moment, body))

    def arrive(self, present: int, by_hand: int = 0, photos: int = 12) -> None:
        """Let the first *present* people check in, some of them by hand."""
        for number, person in enumerate(self.people[:present]):
            moment = self.lesson.start - 14 * MINUTE + (number * 37 % 29) * 41 * SECOND
            manual = number % 7 == 3 and by_hand > 0
            by_hand -= manual
            photo = self.file(_portrait(number)) if number < photos else ""
            self.say(moment, scan(person.id, moment, "manual" if manual else "face", photo))

    def file(self, content: bytes) -> str:
        """Keep a picture to be sent, and return its name."""
        self.files.append(content)
        return hashlib.sha256(content).hexdigest()

    def snapshots(self, until: Instant) -> None:
        """Let the box take the planned snapshots up to *until*."""
        for hour, times in enumerate((("5", "22.5", "40"), ("5", "22.5", "40"))):
            for number, minutes in enumerate(times, start=1):
                moment = self.lesson.hours[hour].start + int(float(minutes) * MINUTE)
                if moment > until:
                    return
                sha256 = self.file(jpeg(classroom(moment // MINUTE + len(self.chain.box))))
                method = "from_recording" if (hour, number) == (0, 2) else "key_frame"
                self.say(
                    moment,
                    SnapshotTaken(self.lesson.id, hour, number, CAMERA, moment, method, sha256, 9),
                )
                copy = self.file(marked(classroom(moment // MINUTE), moment))
                counted = 37 - number * 4 * hour
                self.say(
                    moment + 2 * SECOND,
                    PictureProcessed(
                        sha256, self.lesson.id, copy, 9, counted, "fr_detect", "0.0.1"
                    ),
                )

    def spot_check(self, moment: Instant, present: int) -> None:
        """Let the lesson be drawn, and the instructor confirm two photos and one by phone."""
        drawn = Draw(self.lesson.id, "历城区人社局", at("07:00"))
        store_document(
            self.centre.store, self.chain.box, DRAWS, draws_to_json((drawn,)), at("07:00")
        )
        names = []
        for number, source in enumerate(("classroom", "classroom", "phone"), start=1):
            taken = moment + number * 2 * SECOND
            names.append(self.file(marked(classroom(100 + number), taken)))
            self.say(
                taken,
                SpotCheckTaken(
                    self.lesson.id, "a" * 32, number, "photo", source, CAMERA, taken, names[-1], 9
                ),
            )
        self.say(
            moment + 20 * SECOND,
            SpotCheckConfirmed(self.lesson.id, "a" * 32, TEACHER_ID, names, present),
        )

    def film(self, starts: Instant, ends: Instant, step: int = 15, arrives: bool = False) -> None:
        """Let the box record, in parts of *step* minutes; the first of them *arrives*."""
        self.say(starts, events.RecordingStarted(self.lesson.id, CAMERA, starts))
        while starts < ends - step * MINUTE:
            until = starts + step * MINUTE
            content = _film(step) if arrives and until <= at("09:30") else b""
            body = events.RecordingStored(
                self.lesson.id, CAMERA, starts, until, self.file(content), 168_400_000, False
            )
            self.say(until, body)
            starts = until

    def send(self, seen: Instant, backlog: int = 0, **changes: Any) -> None:
        """Bring everything to the centre, the last of it heard at *seen*."""
        for moment, body in sorted(self.pending, key=lambda entry: entry[0]):
            self.chain.append(body, moment)
        self.centre.clock.at = seen
        box = self.chain.box
        head = self.chain.head + backlog
        hello = hello_of(self.chain, head=head, at=seen, software="0.1.0", **changes)
        self.centre.hear(box, hello, self.chain.batch())
        for content in filter(None, self.files):
            sha256 = hashlib.sha256(content).hexdigest()
            for offset in range(0, len(content), CHUNK_BYTES):
                data = content[offset : offset + CHUNK_BYTES]
                self.centre.hear(box, Chunk(sha256, len(content), offset, data))


def shoot(out: Path) -> None:
    """Take all of the console's screenshots."""
    with tempfile.TemporaryDirectory() as folder, open_centre(Path(folder), NOW) as centre:
        busy = morning(centre)
        app = console_of(centre, viewing=Looking(centre))
        with served(app) as url, chromium() as browser:
            for language in LANGUAGES:
                _shoot(browser, url, out, language, busy)


def morning(centre: Centre) -> Lesson:
    """Fill *centre* with a morning at 10:12; return the lesson with something to see."""
    first = Room(centre, "room-203", "203", CLASS, 42)
    first.say(at("08:40"), events.CameraHealth(CAMERA, "online", ""))
    first.say(at("08:40"), DiskPlanned("full", True, 18 * 10**10, 25 * 10**10, 24))
    first.say(at("08:52"), opened(first.lesson))
    first.film(at("08:45"), NOW)
    first.arrive(38, by_hand=5, photos=30)
    first.snapshots(NOW)
    first.spot_check(at("09:24"), 38)
    first.send(NOW - 3 * SECOND)

    broken = Room(centre, "room-105", "实训楼 105", "汽车维修工（中级）2026-2 班", 30)
    broken.say(at("08:55"), opened(broken.lesson))
    broken.film(at("08:45"), at("09:41"), step=8, arrives=True)
    why = "rtsp://10.1.4.17/1: the camera cannot be reached. Check that it has power."
    broken.say(at("09:41"), events.CameraHealth(CAMERA, "offline", why))
    body = events.RecordingGap(broken.lesson.id, CAMERA, at("09:41"), at("10:05"), why)
    broken.say(at("10:05"), body)
    broken.say(at("09:41:20"), AlertRaised(CAMERA, "offline", why, broken.lesson.id))
    broken.arrive(29)
    broken.snapshots(at("09:41"))
    missed = SnapshotMissed(broken.lesson.id, 1, 1, CAMERA, why)
    broken.say(at("09:56"), missed)
    broken.send(NOW - 5 * SECOND, media_waiting=3)

    west = Room(centre, "west-2", "西区 2", "养老护理员（中级）2026-1 班", 24)
    west.say(at("08:40"), events.CameraHealth(CAMERA, "online", ""))
    west.say(at("08:50"), opened(west.lesson))
    west.film(at("08:45"), NOW)
    west.say(at("08:50"), AlertRaised(CAMERA, "view_changed", "likeness 0.07", ""))
    west.say(at("08:51"), DiskPlanned("substream", True, 9 * 10**9, 62 * 10**9, 9))
    west.say(at("08:51:01"), AlertRaised("box", "disk_degraded", "9 GB are free", ""))
    west.arrive(24)
    west.snapshots(NOW)
    west.send(NOW - 8 * SECOND, clock="unsynchronised")

    away = Room(centre, "west-3", "西区 3", "电工（初级）2026-5 班", 28)
    away.send(at("08:47:31"), backlog=9)

    centre.clock.at = NOW
    with centre.store.writing() as connection:
        wanted = [books.lesson(connection, room.lesson.id) for room in (broken, west, away)]
        orders.give(connection, NOW - 40 * SECOND, [one for one in wanted if one], "console")
        filed = connection.execute(select(tables.request).order_by(tables.request.c.box)).all()
    answers = {row.box: row.id for row in filed}
    west.say(NOW - 39 * SECOND, RecordingOrdered(west.lesson.id, "console", answers["west-2"]))
    west.send(NOW - 4 * SECOND, clock="unsynchronised")
    return broken.lesson


@cache
def _film(minutes: int) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        pictures.long_film(Path(folder) / "part.mp4", minutes)
        return (Path(folder) / "part.mp4").read_bytes()


def _lesson(box: str, room: str, class_name: str, start: str, part: str) -> Lesson:
    begin = at(start)
    return Lesson(
        id=f"{box}-{part}",
        class_id=box,
        class_name=class_name,
        room=room,
        instructors=(TEACHER_ID,),
        hours=tuple(
            LessonHour(begin + number * 45 * MINUTE, begin + (number + 1) * 45 * MINUTE)
            for number in range(2)
        ),
        profile="default",
    )


def marked(image: Image.Image, moment: Instant) -> bytes:
    """Return a picture with the watermark that a box gives it."""
    when = local(moment, ZoneInfo("Asia/Shanghai"))
    return watermark.marked(
        jpeg(image), [f"203 教室 · {CLASS}", f"{when:%Y-%m-%d %H:%M:%S} UTC+08:00"]
    )


def _portrait(number: int) -> bytes:
    """Return a drawn face: nobody's."""
    coats = ("#2f4f63", "#6b4f3a", "#7a2f3a", "#3f5f3f", "#4a4a6a", "#8a6d3b")
    image = Image.new("RGB", (320, 320), ("#cfd8d4", "#d9d4c7", "#c9d3de")[number % 3])
    draw = ImageDraw.Draw(image)
    draw.rounded_rectangle((50, 230, 270, 380), 80, fill=coats[number % len(coats)])
    draw.ellipse((95, 50, 225, 180), fill="#2a2422")
    draw.ellipse(
        (102, 70 + number % 5 * 3, 218, 236), fill=("#e3b995", "#d8a983", "#ecc7a6")[number % 3]
    )
    draw.arc((140, 175, 180, 205), 20, 160, fill="#9a5a4a", width=4)
    for x in (138, 182):
        draw.ellipse((x - 6, 138, x + 6, 148), fill="#2a2422")
    return jpeg(image.filter(ImageFilter.GaussianBlur(1.2)))


def _shoot(browser: Browser, url: str, out: Path, language: str, busy: Lesson) -> None:
    page = browser.new_page(viewport=SIZE)
    page.context.add_cookies([{"name": "console_language", "value": language, "url": url}])
    pages = {
        "today": "/",
        "lesson": f"/lesson/{busy.id}",
        "attendance": "/lesson/room-203-morning",
        "spot-check": "/lesson/room-203-morning",
        "trainee": f"/class/{busy.class_id}/trainee/{busy.id.removesuffix('-morning')}-1",
        "boxes": "/boxes",
        "live": "/live",
        "live-room": "/live/room-203",
        "live-out": "/live/room-105",
        "film": f"/lesson/{busy.id}/film#{at('09:12') // 1000}",
    }
    for name, path in pages.items():
        page.goto(url + path)
        page.evaluate("document.fonts.ready")
        page.evaluate(
            "Promise.all([...document.images].map((image) => { image.loading = 'eager';"
            " return image.decode().catch(() => null); }))"
        )
        if name.startswith("live-"):
            page.wait_for_selector("#view[data-stage]")
        if name == "attendance":
            page.locator("#people").scroll_into_view_if_needed()
            page.evaluate("document.getElementById('people').scrollIntoView()")
        if name == "spot-check":
            page.evaluate("document.getElementById('shots').scrollIntoView()")
        if name == "film":
            page.wait_for_function(
                "() => { const v = document.querySelector('video');"
                " return v.readyState > 1 && !v.seeking; }"
            )
        save(page, out / f"console-{name}.{language}.png")
        print(f"console-{name}.{language}.png")
    page.close()
