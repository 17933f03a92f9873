"""The kiosk's screens: every state that matters to somebody who stands before it."""

from __future__ import annotations

import os
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, Page, ViewportSize

from edge import teaching
from edge.directions import Draw, draws_to_json, notices_to_json
from edge.documents import DRAWS, NOTICES
from edge.events import RecordingGap, RecordingStored, SnapshotMissed, SnapshotTaken
from edge.health_events import AlertRaised, DiskPlanned
from edge.inbox import apply_document
from edge.live_events import LiveViewStarted
from edge.model import MINUTE, SECOND, ClockQuality, Instant, Way
from tests.boxes import LESSON_ID, TEACHER_ID, at
from tests.browser import chromium
from tests.kiosk.spot_checks import draw, recorder_answers, store_counted
from tests.kiosk.stage import PIN, PIN_HASH, Stage
from tests.screens import people, pictures
from tests.screens.shots import save

SIZE: ViewportSize = {"width": 1024, "height": 600}
# The film is there, and the picture of the moment that was sought.
SHOWN = (
    "() => { const v = document.querySelector('video'); return v.readyState > 1 && !v.seeking; }"
)
LANGUAGES = ("zh", "en")
SPOT_CHECK = f"/instructor/lessons/{LESSON_ID}/spot-check"


@dataclass
class Scene:
    """One box at one moment, a page on it, and where its pictures go."""

    stage: Stage
    page: Page
    url: str
    out: Path
    language: str

    def go(self, path: str) -> None:
        """Open a page."""
        self.page.goto(self.url + path)

    def shoot(self, name: str) -> None:
        """Save what is shown."""
        self.page.evaluate("document.fonts.ready")
        save(self.page, self.out / f"kiosk-{name}.{self.language}.png")
        print(f"kiosk-{name}.{self.language}.png")

    def door(self, name: str, guide: str = "none", greet: str = "", person: str = "") -> None:
        """Save the main screen with the door camera's picture."""
        self.stage.door(guide, greet, person)
        self.stage.picture(pictures.door())
        self.go("/")
        self.page.wait_for_selector("#door-picture:not([hidden])")
        self.shoot(name)

    def log_in(self) -> None:
        """Log in as the lesson's instructor."""
        self.go("/instructor/login")
        self.page.locator(".who .tile").first.click()
        for digit in PIN:
            self.page.click(f"[data-key='{digit}']")
        self.page.click(".enter")
        self.page.wait_for_url("**/instructor")


def shoot(out: Path) -> None:
    """Take all of the kiosk's screenshots."""
    with chromium() as browser:
        for language in LANGUAGES:
            for tell in SCENES:
                _play(browser, out, language, tell)


def _play(browser: Browser, out: Path, language: str, tell: Callable[[Scene], None]) -> None:
    with (
        tempfile.TemporaryDirectory() as folder,
        _stage(Path(folder), language) as stage,
        stage.served() as url,
        _kept_fresh(stage.config.runtime_dir),
    ):
        page = browser.new_page(viewport=SIZE, locale="zh-CN")
        try:
            tell(Scene(stage, page, url, out, language))
        finally:
            page.close()


@contextmanager
def _kept_fresh(folder: Path) -> Iterator[None]:
    """Keep what the other services say from growing old while a page is prepared."""
    stop = threading.Event()

    def touch() -> None:
        while not stop.wait(0.3):
            for file in folder.iterdir():
                with suppress(FileNotFoundError):
                    os.utime(file)

    thread = threading.Thread(target=touch)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


@contextmanager
def _stage(folder: Path, language: str) -> Iterator[Stage]:
    stage = Stage(folder, at("08:20"), language)
    stage.config.data_dir.chmod(0o750)  # as systemd makes it; the doctor looks
    stage.send(people.lessons(), people.roster(PIN_HASH))
    stage.recorder("waiting")
    stage.link(True)
    try:
        yield stage
    finally:
        stage.close()


def _set(scene: Scene, now: Instant) -> None:
    scene.stage.clock.at = now
    scene.page.clock.set_fixed_time(now / 1_000_000)


def _arrive(stage: Stage, without: tuple[str, ...], last: str = "") -> str:
    """Let the class check in from 08:46 on, *last* as the last one; return their event."""
    came = [f"p-{number}" for number in range(1, len(people.NAMES) + 1)]
    came = [one for one in came if one not in without and one != last]
    for number, one in enumerate(came):
        stage.scan(one, at("08:46") + number * 9 * SECOND)
    return stage.scan(last, at("08:52")) if last else ""


def _before(scene: Scene) -> None:
    _set(scene, at("08:20"))
    scene.go("/")
    scene.shoot("idle")


def _directed(scene: Scene) -> None:
    """Notices of the school, and a lesson that was drawn for a spot check."""
    stage = scene.stage
    drawn = Draw(LESSON_ID, "历城区人社局", at("16:00", "2026-11-20"))
    apply_document(stage.ledger, DRAWS, "epoch-1", 1, draws_to_json((drawn,)))
    apply_document(stage.ledger, NOTICES, "epoch-1", 1, notices_to_json(people.NOTICES))
    _set(scene, at("08:20"))
    scene.go("/")
    scene.shoot("notices")
    scene.go("/lessons")
    scene.shoot("lessons-notices")
    teaching_at(stage, at("08:58"), at("09:20"))
    _set(scene, at("09:20"))
    scene.log_in()
    scene.shoot("spot-check-due")
    _set(scene, at("10:31"))
    scene.go("/instructor")
    scene.shoot("spot-check-over")


def _arriving(scene: Scene) -> None:
    stage = scene.stage
    stage.recorder("recording")
    _set(scene, at("08:45") + 20 * SECOND)
    scene.door("check-in-first")
    stage.link(False, 12)
    greeted = _arrive(stage, people.ABSENT, people.LI)
    _set(scene, at("08:52") + SECOND)
    scene.door("checked-in", greet=greeted, person=people.LI)
    stage.link(True)
    _set(scene, at("08:53"))
    scene.door("already", greet=stage.scan(people.LI), person=people.LI)
    scene.door("one-at-a-time", "one_at_a_time")
    scene.door("looking", "looking")
    _set(scene, at("09:18"))
    scene.door("too-late", greet=stage.scan("p-3"), person="p-3")


def _troubles(scene: Scene) -> None:
    stage = scene.stage
    _arrive(stage, people.ABSENT)
    _set(scene, at("08:54"))
    scene.door("not-recognised", "not_recognised")
    stage.recorder("offline", "no answer")
    stage.link(False, 12)
    stage.clock.quality = ClockQuality.UNSYNCHRONISED
    scene.door("lamps")
    scene.go("/status")
    scene.shoot("status")
    stage.clock.quality = ClockQuality.SYNCHRONISED
    stage.link(True)
    stage.recorder("recording")
    stage.ledger.append(DiskPlanned("full", True, 9 * 10**10, 2 * 10**11, 12))
    scene.door("conditions-good")
    stage.ledger.append(AlertRaised("front", "view_changed", "likeness 0.08", LESSON_ID))
    stage.ledger.append(DiskPlanned("substream", True, 2 * 10**10, 2 * 10**11, 9))
    stage.ledger.append(AlertRaised("box", "disk_degraded", "19000 MiB are free", LESSON_ID))
    scene.door("conditions-at-risk")
    scene.go("/status")
    scene.shoot("status-alerts")
    scene.go("/doctor")
    scene.shoot("doctor")
    (stage.config.runtime_dir / "door.jpg").unlink()
    scene.go("/")
    scene.shoot("door-camera-out")
    scene.go("/nothing-here")
    scene.shoot("problem")


def _teaching(scene: Scene) -> None:
    _arrive(scene.stage, people.ABSENT)
    scene.stage.recorder("recording")
    _set(scene, at("09:40"))
    teaching_at(scene.stage, at("08:58"), at("09:40"))
    scene.door("in-class")
    view = LiveViewStarted("view-1", "front", LESSON_ID, "console", at("09:50"))
    scene.stage.ledger.append(view)
    scene.door("watched")


def teaching_at(stage: Stage, opened: Instant, now: Instant) -> None:
    """Open the lesson at *opened* and go on to *now*."""
    stage.clock.at = opened
    teaching.open_lesson(stage.ledger, LESSON_ID, TEACHER_ID)
    stage.clock.at = now


def _leaving(scene: Scene) -> None:
    stage = scene.stage
    _arrive(stage, people.ABSENT)
    teaching_at(stage, at("08:58"), at("10:31"))
    stage.recorder("recording")
    stay = ("p-6", "p-19", "p-33")
    came = [one for one in stage.parts.ledger.events(0, 500) if one.event.kind == "scan.made"]
    assert came
    last = ""
    for number in range(1, len(people.NAMES) + 1):
        person = f"p-{number}"
        if person not in people.ABSENT and person not in stay:
            last = stage.scan(person, at("10:29") + number * 2 * SECOND)
    _set(scene, at("10:31"))
    scene.door("end-on-time")
    _set(scene, at("10:30") + 25 * SECOND)
    scene.door("checked-out", greet=last, person="p-42")
    for person in stay:
        stage.scan(person, at("10:33"))
    _set(scene, at("10:34"))
    teaching.end_lesson(stage.ledger, LESSON_ID, TEACHER_ID)
    stage.recorder("waiting")
    stage.link(False, 12)
    scene.door("may-go")


def _instructor(scene: Scene) -> None:
    stage = scene.stage
    stage.recorder("recording")
    _arrive(stage, people.ABSENT)
    _set(scene, at("08:56"))
    scene.stage.picture(pictures.door())
    scene.go("/instructor/login")
    for digit in "1357":
        scene.page.click(f"[data-key='{digit}']")
    scene.shoot("pin")
    scene.page.click(".enter")
    scene.page.wait_for_selector(".trouble:not(:empty)")
    scene.shoot("pin-wrong")
    scene.log_in()
    stage.recorder("offline")
    scene.go("/instructor")
    scene.shoot("instructor-record")
    stage.recorder("recording")
    scene.go("/instructor")
    scene.shoot("instructor-start")
    scene.page.click("form .huge")
    scene.page.wait_for_selector(".note")
    scene.shoot("instructor-teaching")
    scene.go(f"/instructor/lessons/{LESSON_ID}/end")
    scene.shoot("end-early")
    stage.picture(pictures.door())
    scene.go(f"/instructor/lessons/{LESSON_ID}/manual")
    scene.page.locator(".people .tile").nth(1).click()
    scene.page.locator(".reason .tile").nth(0).click()
    stage.picture(pictures.door() + b" ")
    scene.page.evaluate("document.querySelector('.photo img').decode()")
    scene.shoot("manual")


def _records(scene: Scene) -> None:
    stage = scene.stage
    _arrive(stage, people.ABSENT)
    stage.scan("p-3", at("08:59"), Way.MANUAL)
    teaching_at(stage, at("08:58"), at("10:29"))
    for number in range(1, 39):
        stage.scan(f"p-{number}", at("10:29") + number * 3 * SECOND)
    _store_media(stage)
    _set(scene, at("11:05"))
    teaching.end_lesson(stage.ledger, LESSON_ID, TEACHER_ID)
    scene.go(f"/lessons/{LESSON_ID}")
    scene.shoot("record-public")
    scene.log_in()
    scene.go("/lessons")
    scene.shoot("lessons")
    for view in ("attendance", "snapshots"):
        scene.go(f"/lessons/{LESSON_ID}?view={view}")
        scene.page.wait_for_load_state("networkidle")
        scene.shoot(f"record-{view}")
    scene.go(f"/lessons/{LESSON_ID}?why=p-3#p-03")
    scene.shoot("record-why")
    _film(scene)


def _film(scene: Scene) -> None:
    page = scene.page
    scene.go(f"/lessons/{LESSON_ID}/film#{at('09:22') // 1000}")
    page.wait_for_function(SHOWN)
    page.evaluate(f"document.querySelector('[data-at=\"{at('09:22') // 1000}\"] button').click()")
    page.wait_for_function(SHOWN)
    page.evaluate("document.querySelector('.picture img').decode()")
    scene.shoot("record-recording")
    page.locator(".item.gap").click()
    page.wait_for_selector(".stage.empty")
    scene.shoot("record-gap")


def _store_media(stage: Stage) -> None:
    for hour, minute in enumerate((0, 45)):
        for number, offset in enumerate((5, 22, 40), 1):
            when = at("09:00") + (minute + offset) * MINUTE
            if (hour, number) == (1, 2):
                stage.ledger.append(
                    SnapshotMissed(LESSON_ID, hour, number, "front", "camera offline")
                )
                continue
            taken = SnapshotTaken(LESSON_ID, hour, number, "front", when, "key_frame", "", 0)
            draft = stage.media.draft(taken)
            draft.write(pictures.jpeg(pictures.classroom(minute + offset)))
            draft.store(stage.ledger)
    parts = (("08:45", "09:00"), ("09:00", "10:05"), ("10:09", "10:30"), ("10:30", "10:45"))
    for number, (starts, ends) in enumerate(parts):
        stored = RecordingStored(
            LESSON_ID, "front", at(starts), at(ends), "", 0, interrupted=number == 1
        )
        draft = stage.media.draft(stored)
        pictures.long_film(draft.path, (at(ends) - at(starts)) // MINUTE)
        draft.store(stage.ledger)
    stage.ledger.append(RecordingGap(LESSON_ID, "front", at("10:05"), at("10:09"), "camera_silent"))


def _spot_check(scene: Scene) -> None:
    stage, page = scene.stage, scene.page
    stage.recorder("recording")
    _arrive(stage, people.ABSENT)
    teaching_at(stage, at("08:58"), at("09:06"))
    taken = store_counted(stage, at("09:05"), heads=31)
    assert taken
    scene.log_in()
    scene.shoot("heads-fewer")
    scene.go(SPOT_CHECK)
    scene.shoot("spot-check-not-drawn")
    draw(stage)
    _set(scene, at("09:20"))
    scene.go(SPOT_CHECK)
    scene.shoot("spot-check-open")
    page.click(".start .huge")
    page.wait_for_selector(".waiting")
    scene.shoot("spot-check-taking")
    recorder_answers(stage, heads=37)
    page.wait_for_selector(".proposal")
    page.wait_for_load_state("networkidle")
    scene.shoot("spot-check-proposed")
    page.click(".confirm .huge")
    page.wait_for_selector(".taken")
    scene.shoot("spot-check-confirmed")
    stage.parts.phones.close()
    page.click("form[action$='/phone'] button")
    page.wait_for_selector("svg.qr")
    scene.shoot("spot-check-phone")
    # As after twenty seconds without a phone.
    page.evaluate("document.querySelector('[data-unopened]').hidden = false")
    scene.shoot("spot-check-phone-elsewhere")
    stage.parts.phones.close()


_STANDING = (_before, _directed, _arriving, _troubles, _teaching, _leaving)
SCENES = (*_STANDING, _instructor, _records, _spot_check)
