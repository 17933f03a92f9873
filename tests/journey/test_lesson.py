"""One lesson, end to end: all well; without a broker; with every service killed once."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Browser, ViewportSize, expect

from edge.model import SECOND
from tests.journey.stage import on_stage

KIOSK = ViewportSize(width=1024, height=600)


def test_a_lesson_from_start_to_console(tmp_path: Path, browser: Browser, film: Path) -> None:
    """Start, check-in, video and snapshots, end, check-out: all of it reaches the centre."""
    with on_stage(tmp_path, browser, film) as stage:
        kiosk = browser.new_page(viewport=KIOSK)
        stage.instructor_starts(kiosk)
        kiosk.goto(stage.system.kiosk_url)
        stage.trainee_checks_in()
        expect(kiosk.locator("#side")).to_contain_text("1")
        stage.instructor_ends(kiosk)
        stage.trainee_checks_out()
        stage.recording_ends()
        stage.kiosk_plays_the_recording(kiosk)
        stage.console_shows_everything()
        stage.nothing_is_lost_or_doubled()


def test_a_lesson_without_a_broker(tmp_path: Path, browser: Browser, film: Path) -> None:
    """The broker is down for the whole lesson and forgot everything: all of it arrives later."""
    with on_stage(tmp_path, browser, film) as stage:
        stage.system.broker.kill()
        kiosk = browser.new_page(viewport=KIOSK)
        stage.instructor_starts(kiosk)
        kiosk.goto(stage.system.kiosk_url)
        expect(kiosk.locator("footer")).to_contain_text("网络已断开", timeout=30_000)
        stage.trainee_checks_in()
        stage.instructor_ends(kiosk)
        stage.trainee_checks_out()
        stage.recording_ends()
        stage.system.broker.start()
        stage.console_shows_everything()
        stage.nothing_is_lost_or_doubled()


def test_a_lesson_with_every_service_killed(tmp_path: Path, browser: Browser, film: Path) -> None:
    """Each service of the box is killed in mid-lesson: only video is missing, and it says so."""
    with on_stage(tmp_path, browser, film) as stage:
        kiosk = browser.new_page(viewport=KIOSK)
        stage.instructor_starts(kiosk)
        stage.trainee_checks_in()
        stage.wait_until(stage.lesson.start + 6 * SECOND)
        for service in ("recorder", "greeter", "kiosk", "link"):
            stage.system.restart(service)
        stage.instructor_ends(kiosk)
        stage.trainee_checks_out()
        stage.recording_ends()
        stage.kiosk_plays_the_recording(kiosk)
        stage.console_shows_everything()
        stage.nothing_is_lost_or_doubled(gaps_allowed=True)
