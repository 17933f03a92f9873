"""The pages in a real Chromium at the size of the touch screen."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from edge import teaching
from edge.events import RecordingStored, SnapshotTaken
from edge.model import Way
from tests.boxes import LESSON_ID, TEACHER_ID, at
from tests.kiosk.stage import PIN, PIN_HASH, Stage
from tests.screens import people, pictures

SMALLEST_TARGET = 48
PAGES = (
    "/",
    "/lessons",
    f"/lessons/{LESSON_ID}",
    "/status",
    "/instructor/login",
    "/nothing-here",
)
INSTRUCTORS = (
    "/instructor",
    f"/instructor/lessons/{LESSON_ID}/end",
    f"/instructor/lessons/{LESSON_ID}/manual",
    f"/instructor/lessons/{LESSON_ID}/spot-check",
    f"/lessons/{LESSON_ID}?view=snapshots",
    f"/lessons/{LESSON_ID}/film",
)
# Everything that a finger may want to hit, and how large it is; a tile's input covers the tile.
TARGETS = """() => [...document.querySelectorAll("a, button, input:not([type=hidden])")]
  .filter((one) => one.checkVisibility())
  .map((one) => [one.outerHTML.slice(0, 80), one.getBoundingClientRect()])
  .map(([what, box]) => [what, Math.round(box.width), Math.round(box.height)])"""
# Elements whose content is larger than they are, though they neither scroll nor end in "…".
OVERFLOWS = """() => [...document.querySelectorAll("body, body *")]
  .filter((one) => one.checkVisibility() && !one.closest("svg, dialog, video, .hidden"))
  .filter((one) => {
    const style = getComputedStyle(one);
    if (style.overflowY === "auto" || style.textOverflow === "ellipsis") return false;
    return one.scrollWidth > one.clientWidth + 1 && one.clientWidth > 0
        || one.scrollHeight > one.clientHeight + 1 && one.clientHeight > 0
           && style.overflowY === "hidden";
  })
  .map((one) => one.outerHTML.slice(0, 90))"""
BEYOND = """() => [...document.querySelectorAll("body *")]
  .filter((one) => one.checkVisibility())
  .filter((one) => !one.closest("svg, dialog, .hidden, .scroller, .scrolls, .tiles"))
  .map((one) => [one.outerHTML.slice(0, 90), one.getBoundingClientRect()])
  .filter(([, box]) => box.right > innerWidth + 1 || box.bottom > innerHeight + 1)
  .map(([what]) => what)"""
CUT_SHORT = """() => [...document.querySelectorAll("button, .button, .lamp span, .window p, h1")]
  .filter((one) => one.checkVisibility() && !one.closest(".hidden"))
  .filter((one) => one.scrollWidth > one.clientWidth + 1)
  .map((one) => one.textContent.trim())"""

# Text whose contrast with what lies behind it is too low. Half-transparent grounds are laid over
# white, the worst case for the light words on them.
FAINT = """() => {
  const parse = (text) => (text.match(/[\\d.]+/g) ?? [0, 0, 0, 0]).map(Number);
  const over = ([r, g, b, a = 1], [R, G, B]) =>
    [r * a + R * (1 - a), g * a + G * (1 - a), b * a + B * (1 - a)];
  const ground = (one) => {
    if (!one) return [255, 255, 255];
    const own = parse(getComputedStyle(one).backgroundColor);
    return own.length === 3 ? own : own[3] ? over(own, [255, 255, 255]) : ground(one.parentElement);
  };
  const light = (rgb) => {
    const [r, g, b] = rgb.map((v) => v / 255)
      .map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  return [...document.querySelectorAll("body *")]
    .filter((one) => one.checkVisibility() && !one.closest("dialog, :disabled, .hidden"))
    .filter((one) => [...one.childNodes].some((node) => node.nodeType === 3 && node.data.trim()))
    .map((one) => {
      const style = getComputedStyle(one), back = ground(one);
      const both = [light(over(parse(style.color), back)), light(back)];
      const high = Math.max(...both), low = Math.min(...both);
      const size = parseFloat(style.fontSize), bold = style.fontWeight >= 700;
      const needed = size >= 24 || (bold && size >= 18.66) ? 3 : 4.5;
      return [(high + 0.05) / (low + 0.05), needed, one.outerHTML.slice(0, 80)];
    })
    .filter(([ratio, needed]) => ratio < needed)
    .map(([ratio, , what]) => [ratio.toFixed(2), what]);
}"""


@pytest.fixture
def page(browser: Browser, stage: Stage) -> Iterator[Page]:
    """Return a page on the served kiosk that tolerates no error of its own scripts."""
    problems: list[str] = []
    with stage.served() as url:
        opened = browser.new_page(viewport={"width": 1024, "height": 600}, base_url=url)
        opened.on("pageerror", lambda error: problems.append(str(error)))
        opened.on(
            "console",
            lambda said: problems.append(said.text) if "Security Policy" in said.text else None,
        )
        yield opened
        opened.close()
    assert not problems


def log_in(page: Page) -> None:
    """Log in at the PIN pad, with fingers."""
    page.goto("/instructor/login")
    page.locator(".who .tile").first.click()
    for digit in PIN:
        page.locator(f"[data-key='{digit}']").click()
    page.locator(".enter").click()
    expect(page.get_by_role("button", name="log out")).to_be_visible()


def test_a_scan_changes_the_screen_without_a_reload(page: Page, stage: Stage) -> None:
    """The greeting appears, the count grows, the chip goes."""
    stage.door()
    page.goto("/")
    expect(page.locator(".count b")).to_have_text("0")
    stage.door(greet=stage.scan("p-1"), person="p-1")
    expect(page.locator("#say b")).to_have_text("李*华 (01), checked in")
    expect(page.locator(".count b")).to_have_text("1")
    expect(page.locator(".chips")).not_to_contain_text("李*华")


def test_the_door_picture_comes_and_goes(page: Page, stage: Stage) -> None:
    """A fresh picture is shown; when the camera falls silent, words take its place."""
    stage.picture(pictures.door())
    page.goto("/")
    expect(page.locator("#door-picture")).to_be_visible()
    expect(page.locator("#door-picture")).to_be_hidden(timeout=10_000)
    expect(page.locator(".no-picture")).to_be_visible()
    expect(page.locator("#say")).to_contain_text("The door camera gives no picture")


def test_the_countdown_runs_by_the_boxs_clock(page: Page, stage: Stage) -> None:
    """Whatever the browser's own clock says."""
    page.clock.set_fixed_time(0)
    page.goto("/")
    expect(page.locator(".window .v")).to_have_text("25:01 left")
    expect(page.locator(".clock")).to_have_text("08:50")


def test_a_killed_kiosk_comes_back_to_the_same_screen(browser: Browser, stage: Stage) -> None:
    """The page keeps what it shows, tries again, and catches up by itself."""
    with stage.served() as url:
        port = int(url.rsplit(":", 1)[1])
        page = browser.new_page(viewport={"width": 1024, "height": 600})
        page.goto(url)
        expect(page.locator(".count b")).to_have_text("0")
    stage.scan("p-1")
    stage.reopen()
    with stage.served(port):
        expect(page.locator(".count b")).to_have_text("1", timeout=15_000)
    page.close()


def test_a_lesson_is_held_with_fingers_only(page: Page, stage: Stage) -> None:
    """Start, enter somebody by hand, end: on the touch screen alone."""
    stage.picture(pictures.door())
    page.goto("/")
    page.get_by_role("link", name="Start the lesson").click()
    page.locator(".who .tile").first.click()
    for digit in PIN:
        page.locator(f"[data-key='{digit}']").click()
    page.locator(".enter").click()
    page.get_by_role("button", name="Start the lesson").click()
    expect(page.locator(".note")).to_contain_text("The lesson has started")
    page.get_by_role("link", name="Enter by hand").click()
    expect(page.get_by_role("button", name="Enter")).to_be_disabled()
    page.locator(".people .tile", has_text="赵敏").click()
    page.locator(".reason .tile", has_text="Face not enrolled").click()
    page.get_by_role("button", name="Enter 1").click()
    expect(page.locator(".note").first).to_contain_text("1 person entered")
    page.get_by_role("link", name="End the lesson").click()
    page.get_by_role("button", name="End it now").click()
    expect(page.locator(".note").first).to_contain_text("The lesson has ended")
    page.get_by_role("button", name="log out").click()
    expect(page.locator(".count b")).to_have_text("1")


def fill(stage: Stage) -> None:
    """Put a full class, records and faults on the box."""
    stage.send(people.lessons(), people.roster(PIN_HASH), version=2)
    for number in range(1, 30):
        stage.scan(f"p-{number}")
    stage.scan("p-30", way=Way.MANUAL)
    taken = SnapshotTaken(LESSON_ID, 0, 1, "front", at("09:05"), "key_frame", "", 0)
    draft = stage.media.draft(taken)
    draft.write(pictures.jpeg(pictures.classroom(5)))
    draft.store(stage.ledger)
    part = RecordingStored(LESSON_ID, "front", at("09:00"), at("09:03"), "", 0, True)
    draft = stage.media.draft(part)
    pictures.film(draft.path, seconds=1)
    draft.store(stage.ledger)
    stage.recorder("offline")
    stage.link(False, 12)


def check(page: Page, where: str) -> None:
    """Hold a page to what a finger and an eye need."""
    targets: list[Any] = page.evaluate(TARGETS)
    small = [one for one in targets if min(one[1:]) < SMALLEST_TARGET]
    assert not small, (where, small)
    for name, script in (("overflows", OVERFLOWS), ("beyond", BEYOND), ("cut short", CUT_SHORT)):
        found = page.evaluate(script)
        assert not found, (where, name, found)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_page_fits_and_can_be_touched(page: Page, stage: Stage, language: str) -> None:
    """At 1024 × 600 nothing overflows or is cut, and no target is smaller than 48 pixels."""
    fill(stage)
    page.goto("/")
    if language == "zh":
        page.locator(".language button").click()
    for path in PAGES:
        page.goto(path)
        check(page, path)
    log_in_any(page)
    for path in INSTRUCTORS:
        page.goto(path)
        check(page, path)
    teaching.open_lesson(stage.ledger, LESSON_ID, TEACHER_ID)
    page.goto("/instructor")
    check(page, "/instructor, open")


def log_in_any(page: Page) -> None:
    """Log in whatever the language."""
    page.goto("/instructor/login")
    page.locator(".who .tile").first.click()
    page.locator("#pin").fill(PIN)
    page.locator(".enter").click()
    page.wait_for_url("**/instructor")


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_message_fits_the_main_screen(page: Page, stage: Stage, language: str) -> None:
    """Greetings, refusals and guidance in both languages, with all lamps out."""
    fill(stage)
    stage.clock.quality = type(stage.clock.quality)("unsynchronised")
    page.goto("/")
    if language == "zh":
        page.locator(".language button").click()
    guides = ("not_recognised", "step_aside", "one_at_a_time", "come_closer", "looking", "none")
    for guide in guides:
        stage.door(guide)
        page.goto("/")
        check(page, guide)
    for time in ("08:30", "08:51", "09:20", "10:29", "10:31", "10:50"):
        stage.clock.jump(at(time))
        for person in ("p-28", "p-40", "p-99"):
            stage.door(greet=stage.scan(person), person=person)
            page.goto("/")
            check(page, f"{person} at {time}")


def test_the_stage_needs_no_more_than_its_folder(stage: Stage, tmp_path: Path) -> None:
    """Nothing is written outside the box's own folders."""
    stage.client().get("/")
    assert {one.name for one in tmp_path.iterdir()} == {"data", "run"}


def test_text_has_the_contrast_that_eyes_need(page: Page, stage: Stage) -> None:
    """WCAG AA: 4.5 to 1, and 3 to 1 for large text, on every page and in every tone."""
    fill(stage)
    found: dict[str, Any] = {}

    def look(where: str) -> None:
        faint = page.evaluate(FAINT)
        if faint:
            found[where] = faint

    for path in PAGES:
        page.goto(path)
        look(path)
    for guide in ("not_recognised", "looking", "none"):
        stage.door(guide)
        page.goto("/")
        look(guide)
    stage.door(greet=stage.scan("p-40"), person="p-40")
    page.goto("/")
    look("greeting")
    log_in(page)
    for path in INSTRUCTORS:
        page.goto(path)
        look(path)
    assert not found
