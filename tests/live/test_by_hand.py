"""Lessons that staff have recorded by hand, before recording would begin by itself (R14)."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from edge import requests
from tests.live.stage import Classroom
from tests.processes import wait_for

WITHIN_MS = 40_000


def list_of(room: Classroom, page: Page) -> None:
    """Open the list of lessons in English."""
    page.context.add_cookies([{"name": "console_language", "value": "en", "url": room.address}])
    page.goto(f"{room.address}/live")


def test_lessons_are_chosen_at_the_console_and_recorded_before_their_time(
    room: Classroom, page: Page
) -> None:
    """From S−10 a tick and a button do it; the box answers with an event and records."""
    room.open(begins_in_s=300)
    list_of(room, page)
    row = page.locator("tbody tr").first
    expect(row).to_contain_text("Not recording")
    row.get_by_role("checkbox").check()
    page.get_by_role("button", name="Start recording the chosen lessons").click()
    result = page.locator("#orders + .card tbody tr")
    expect(result).to_contain_text("recording was started", timeout=WITHIN_MS)
    wait_for("video reaches the disk", room.records, 60)
    (ordered,) = room.facts("recording.ordered")
    assert (ordered.lesson_id, ordered.by) == ("lesson-1", "console")
    expect(page.locator("tbody tr").first).to_contain_text("Being recorded", timeout=WITHIN_MS)
    page.goto(f"{room.address}/live?state=offline")
    expect(page.locator(".calm")).to_contain_text("No lesson of today matches")


def test_a_box_that_is_offline_is_named_and_begins_when_it_is_back(
    room: Classroom, page: Page
) -> None:
    """The order waits for the box until the lesson's end."""
    room.open(begins_in_s=300)
    room.stage.wait_until_complete()
    room.stage.link.stop()
    list_of(room, page)
    expect(page.locator("tbody tr").first).to_contain_text("Box offline", timeout=WITHIN_MS)
    page.locator("tbody tr").first.get_by_role("checkbox").check()
    page.get_by_role("button", name="Start recording the chosen lessons").click()
    result = page.locator("#orders + .card tbody tr")
    expect(result).to_contain_text("room-203")
    expect(result).to_contain_text("the box is offline", timeout=WITHIN_MS)
    room.stage.start(room.stage.link)
    expect(result).to_contain_text("recording was started", timeout=WITHIN_MS)
    wait_for("video reaches the disk", room.records, 60)


def test_too_early_and_unknown_lessons_are_refused_by_the_box(room: Classroom) -> None:
    """Whoever asks too early, or for another room's lesson, hears why."""
    room.open(begins_in_s=1200)
    ledger = room.stage.ledger
    early = requests.ask(ledger, requests.RECORD, {"lesson": "lesson-1", "by": "x"}, 10**9)
    other = requests.ask(ledger, requests.RECORD, {"lesson": "elsewhere", "by": "x"}, 10**9)
    wait_for("both are answered", lambda: len(room.facts("request.refused")) == 2, 40)
    reasons = {one.request_id: one.reason for one in room.facts("request.refused")}
    assert reasons[early].startswith("too early")
    assert "knows no such lesson" in reasons[other]
    assert room.facts("recording.ordered") == []
