"""A lesson played in a real browser: the steps that every journey takes.

The page objects here know the kiosk's and the console's pages; the journeys know the story.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, Page, ViewportSize, expect
from sqlalchemy import create_engine, text

from edge import queries
from edge.clock import SystemClock
from edge.ledger import projection_rows
from edge.model import SECOND, Instant, Lesson, Profile
from edge.rules.attendance import Mark, attend
from edge.rules.lessons import attendance_window, recording_window
from edge.rules.segments import segments_of
from edge.rules.snapshots import plan
from tests.boxes import LESSON_ID
from tests.brokers import Broker
from tests.journey.profile import journey_profile
from tests.processes import wait_for
from tests.system import PERSON_AT_THE_DOOR, PIN, System, lesson_at, portrait, roster
from tests.virtual_cameras import VirtualCamera

CLASS = {"01": "艾琳", "02": "赵敏", "03": "陈晓明", "04": "欧阳飞雪"}
# From the timetable's arrival to the lesson's start: the instructor logs in meanwhile.
HEAD_START = 28 * SECOND

LOADED = "all => all.every(one => { one.loading = 'eager'; return one.naturalWidth > 0; })"


@dataclass
class Stage:
    """A running system with one lesson on its timetable, and a browser before it.

    ``kiosk`` is the touch screen; the console is opened when it is needed.
    """

    system: System
    browser: Browser
    kiosk: Page
    lesson: Lesson
    profile: Profile

    def now(self) -> Instant:
        """Return the wall time."""
        return SystemClock().now().at

    def wait_until(self, instant: Instant) -> None:
        """Wait for a time of the lesson."""
        left = (instant - self.now()) / SECOND
        wait_for(f"the time {instant}", lambda: self.now() >= instant, max(left, 0) + 5)

    def instructor_starts(self) -> None:
        """Log in with the PIN at the touch screen and start the lesson."""
        self._log_in("开始上课")
        self.kiosk.get_by_role("button", name="开始上课").click()
        wait_for("the lesson is open", lambda: self._state() == "open")

    def trainee_checks_in(self) -> None:
        """Wait until the person at the door is checked in."""
        wait_for(
            "the trainee is checked in",
            lambda: self.marks()[0].check_in is not None,
            self._left(segments_of(self.lesson, self.profile)[0].check_in.closes),
        )

    def instructor_ends(self) -> None:
        """End the lesson at its time, at the touch screen."""
        self.wait_until(self.lesson.end + SECOND)
        self._log_in("讲师")
        self.kiosk.get_by_role("button", name="下课").click()
        wait_for("the lesson is held", lambda: self._state() == "held")

    def trainee_checks_out(self) -> None:
        """Wait until the person at the door is checked out."""
        wait_for(
            "the trainee is checked out",
            lambda: self.marks()[-1].check_out is not None,
            self._left(segments_of(self.lesson, self.profile)[-1].check_out.closes),
        )

    def recording_ends(self) -> None:
        """Wait until the recorder has stored the last part."""
        closes = recording_window(self.lesson, self.profile).closes
        self.wait_until(closes)
        wait_for("the recording is stored", lambda: self._covered_until() >= closes - 3 * SECOND)

    def kiosk_plays_the_recording(self) -> None:
        """See the records of the lesson at the touch screen: snapshots, and video that moves."""
        self._log_in("讲师")
        self.kiosk.goto(f"{self.system.kiosk_url}lessons/{LESSON_ID}?view=snapshots")
        pictures = self.kiosk.locator(".snapshots img")
        expect(pictures).to_have_count(len(plan(self.lesson, self.profile)))
        wait_for(
            "the snapshots are shown",
            lambda: pictures.evaluate_all(LOADED),
        )
        self.kiosk.goto(f"{self.system.kiosk_url}lessons/{LESSON_ID}/film")
        video = self.kiosk.locator("video").first
        video.evaluate("video => { video.muted = true; return video.play(); }")
        wait_for("the video plays", lambda: video.evaluate("video => video.currentTime") > 1)

    def console_shows_everything(self) -> None:
        """See at the centre what the box knows: attendance, snapshots, recordings."""
        wait_for("all events reach the centre", self._centre_has_all_events, 60)
        wait_for("all pictures reach the centre", self._centre_has_all_pictures, 60)
        page = self.browser.new_page(viewport=ViewportSize(width=1440, height=900))
        page.goto(self.system.console_url)
        expect(page.get_by_text(self.lesson.class_name).first).to_be_visible()
        page.get_by_role("link", name=self.lesson.class_name).first.click()
        expect(page.get_by_text("艾琳").first).to_be_visible()
        pictures = page.locator("img[src*='/media/']")
        wait_for("snapshots on the console", lambda: pictures.count() >= 6)
        wait_for(
            "the snapshots have arrived whole",
            lambda: pictures.evaluate_all(LOADED),
        )
        page.close()

    def nothing_is_lost_or_doubled(self, gaps_allowed: bool = False) -> None:
        """Hold box and centre against each other and against the plan."""
        said = self.system.run(self.system.box_toml, "ledger", "verify")
        assert said.rstrip().endswith("0 problems"), said
        with self.system.ledger() as ledger:
            live = projection_rows(ledger)
            ledger.rebuild()
            assert projection_rows(ledger) == live
            events = [record.event for record in ledger.records()]
            with ledger.store.read() as connection:
                taken = queries.snapshots(connection, LESSON_ID)
                parts = queries.recordings(connection, LESSON_ID)
                gaps = queries.gaps(connection, LESSON_ID)
        slots = [(slot.hour, slot.number) for slot in plan(self.lesson, self.profile)]
        assert [(row["hour"], row["number"]) for row in taken] == slots
        assert [row["state"] for row in taken] == ["taken"] * len(slots)
        for kind in ("lesson.opened", "lesson.ended"):
            assert [event.kind for event in events].count(kind) == 1
        kinds = [event.kind for event in events]
        assert kinds.count("snapshot.taken") == len(slots)
        pieces = sorted(
            [(row["starts"], row["ends"]) for row in parts]
            + [(row["starts"], row["ends"]) for row in gaps]
        )
        window = recording_window(self.lesson, self.profile)
        reached = window.opens
        for starts, ends in pieces:
            assert starts - reached <= 3 * SECOND, "video is missing and no gap says so"
            reached = max(reached, ends)
        assert window.closes - reached <= 3 * SECOND
        missing = sum(row["ends"] - row["starts"] for row in gaps)
        assert missing <= (20 if gaps_allowed else 5) * SECOND

    def marks(self) -> tuple[Mark, ...]:
        """Return what the person at the door has of the lesson's segments."""
        with self.system.ledger() as ledger, ledger.store.read() as connection:
            scans = queries.scans_of_person(
                connection,
                PERSON_AT_THE_DOOR,
                attendance_window(self.lesson, self.profile),
            )
        return attend(segments_of(self.lesson, self.profile), scans, self.profile)

    def _log_in(self, way_in: str) -> None:
        """Go from the public screen, where nobody is logged in, to the instructor's own."""
        self.kiosk.goto(self.system.kiosk_url)
        self.kiosk.get_by_role("link", name=way_in).click(timeout=40_000)
        self.kiosk.get_by_role("radio", name="王老师").check()
        for digit in PIN:
            self.kiosk.get_by_role("button", name=digit, exact=True).click()
        self.kiosk.get_by_role("button", name="登录").click()

    def _left(self, closes: Instant) -> float:
        return max(0.0, (closes - self.now()) / SECOND) + 1

    def _state(self) -> str:
        with self.system.ledger() as ledger, ledger.store.read() as connection:
            lesson = queries.lesson(connection, LESSON_ID)
        return str(lesson.state) if lesson else ""

    def _covered_until(self) -> Instant:
        with self.system.ledger() as ledger, ledger.store.read() as connection:
            parts = queries.recordings(connection, LESSON_ID)
        return max((row["ends"] for row in parts), default=0)

    def _centre_has_all_events(self) -> bool:
        with self.system.ledger() as ledger:
            ours = [(record.event.seq, record.event.hash) for record in ledger.records()]
            uuid = ledger.uuid
        theirs = self._centre(
            "SELECT seq, hash FROM event WHERE ledger = :ledger ORDER BY seq", uuid
        )
        return theirs[: len(ours)] == ours

    def _centre_has_all_pictures(self) -> bool:
        with self.system.ledger() as ledger, ledger.store.read() as connection:
            ours = {
                row["sha256"]
                for row in connection.execute(
                    "SELECT sha256 FROM media WHERE sort IN ('snapshot', 'photo')"
                )
            }
        theirs = {
            file.name for file in (self.system.folder / "centre").rglob("*") if len(file.name) == 64
        }
        return ours <= theirs

    def _centre(self, statement: str, ledger_uuid: str) -> list[tuple[int, bytes]]:
        engine = create_engine(f"sqlite:///{self.system.folder / 'centre' / 'centre.db'}")
        try:
            with engine.connect() as connection:
                rows = connection.execute(text(statement), {"ledger": ledger_uuid})
                return [(row[0], bytes(row[1])) for row in rows]
        finally:
            engine.dispose()


@contextmanager
def on_stage(folder: Path, browser: Browser, film: Path) -> Iterator[Stage]:
    """Set everything up: services running, somebody enrolled, the lesson about to begin."""
    profile = journey_profile()
    with Broker() as broker, VirtualCamera() as camera:
        system = System(folder, broker, camera.address, f"file:{film}")
        kiosk = browser.new_page(viewport=ViewportSize(width=1024, height=600))
        try:
            system.start_centre()
            system.start_box("link")
            later = lesson_at(SystemClock().now().at + 3600 * SECOND, profile)
            system.publish(later, profile, roster(CLASS))
            system.wait_for_documents()
            system.run(system.box_toml, "people", "consent", PERSON_AT_THE_DOOR, "--signed")
            system.run(
                system.box_toml, "people", "add", PERSON_AT_THE_DOOR, "--photo", str(portrait())
            )
            system.start_box("recorder", "greeter", "kiosk")
            lesson = lesson_at(SystemClock().now().at + HEAD_START, profile)
            system.publish(lesson, profile, roster(CLASS))
            system.wait_for_documents()
            yield Stage(system, browser, kiosk, lesson, profile)
        except BaseException:
            picture = folder / "kiosk.png"
            kiosk.screenshot(path=picture)
            print(f"{kiosk.url} looked like {picture}")
            for child in system.children.values():
                print(json.dumps({"log of": child.name, "its end": child.tail()}, indent=1))
            raise
        finally:
            kiosk.close()
            system.close()
