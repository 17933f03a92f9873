"""One lesson, end to end: all well; without a broker; with every service killed once."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Browser, expect

from edge.model import SECOND
from tests.journey.stage import on_stage


def test_a_lesson_from_start_to_console(tmp_path: Path, browser: Browser, film: Path) -> None:
    """Start, check-in, video and snapshots, end, check-out: all of it reaches the centre."""
    with on_stage(tmp_path, browser, film) as stage:
        stage.instructor_starts()
        stage.kiosk.goto(stage.system.kiosk_url)
        stage.trainee_checks_in()
        expect(stage.kiosk.locator("#side")).to_contain_text("1")
        stage.instructor_ends()
        stage.trainee_checks_out()
        stage.recording_ends()
        stage.kiosk_plays_the_recording()
        stage.console_shows_everything()
        stage.nothing_is_lost_or_doubled()


def test_a_lesson_without_a_broker(tmp_path: Path, browser: Browser, film: Path) -> None:
    """The broker is down for the whole lesson and forgot everything: all of it arrives later."""
    with on_stage(tmp_path, browser, film) as stage:
        stage.system.broker.kill()
        stage.instructor_starts()
        stage.kiosk.goto(stage.system.kiosk_url)
        expect(stage.kiosk.locator("footer")).to_contain_text("网络：异常", timeout=30_000)
        stage.trainee_checks_in()
        stage.instructor_ends()
        stage.trainee_checks_out()
        stage.recording_ends()
        stage.system.broker.start()
        stage.console_shows_everything()
        stage.nothing_is_lost_or_doubled()


def test_a_lesson_with_every_service_killed(tmp_path: Path, browser: Browser, film: Path) -> None:
    """Each service of the box is killed in mid-lesson: only video is missing, and it says so."""
    with on_stage(tmp_path, browser, film) as stage:
        stage.instructor_starts()
        stage.trainee_checks_in()
        stage.wait_until(stage.lesson.start + 6 * SECOND)
        for service in ("recorder", "greeter", "kiosk", "link"):
            stage.system.restart(service)
        stage.instructor_ends()
        stage.trainee_checks_out()
        stage.recording_ends()
        stage.kiosk_plays_the_recording()
        stage.console_shows_everything()
        stage.nothing_is_lost_or_doubled(gaps_allowed=True)
