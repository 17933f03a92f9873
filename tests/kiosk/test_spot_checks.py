"""A spot check at the touch screen: greyed out or taken, looked at, confirmed, judged."""

from __future__ import annotations

import http.client
import subprocess
import sys
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from PIL import Image
from playwright.sync_api import Browser as Chromium
from playwright.sync_api import Page, expect

from edge import requests
from edge.directions import Verdict
from edge.events import RequestRefused
from edge.picture_events import SpotCheckConfirmed, SpotCheckTaken
from kiosk_ui import phone, spot_checks
from kiosk_ui.phone import NotAPhoto, Phones
from tests.boxes import LESSON_ID, TEACHER_ID, at, lesson_of, roster_of
from tests.kiosk.spot_checks import asked, draw, recorder_answers, store_counted
from tests.kiosk.stage import PIN_HASH, Stage
from tests.kiosk.test_browser import log_in
from tests.kiosk.test_lesson import bodies
from tests.screens import pictures
from tests.virtual_cameras.network import BOX_ADDRESS, NOT_ROOT, Cable, may_lay_cables

PAGE = f"/instructor/lessons/{LESSON_ID}/spot-check"


@pytest.fixture
def page(chromium_browser: Chromium, stage: Stage) -> Iterator[Page]:
    """Return a page on the served kiosk."""
    with stage.served() as url:
        opened = chromium_browser.new_page(viewport={"width": 1024, "height": 600}, base_url=url)
        yield opened
        opened.close()


@pytest.fixture
def chromium_browser(browser: Chromium) -> Chromium:
    """Return the browser of the session, under a name that is not that of Flask's client."""
    return browser


@pytest.mark.parametrize(
    ("now", "drawn", "reason"),
    [
        ("09:30", False, "This lesson was not drawn"),
        ("09:14", True, "due 09:15–10:05"),
        ("10:06", True, "it was due 09:15–10:05"),
    ],
)
def test_it_is_greyed_out_with_the_reason_in_words(
    page: Page, stage: Stage, now: str, drawn: bool, reason: str
) -> None:
    """The button is there and cannot be pressed; beside it stands why, and when it can be."""
    stage.clock.at = at(now)
    if drawn:
        draw(stage)
    log_in(page)
    tile = page.locator(".task", has_text="Spot check")
    expect(tile).to_have_class("task off")
    expect(tile).to_contain_text(reason)
    tile.click()
    expect(page.get_by_role("button", name="Take the photos")).to_be_disabled()
    expect(page.locator(".start .hint")).to_contain_text(reason)
    expect(page.get_by_role("button", name="use a phone")).to_have_count(0)


def test_a_lesson_too_short_for_it_says_so(stage: Stage) -> None:
    """A lesson of 35 minutes has no such window (无法抽查), and a forged form takes nothing."""
    stage.send([lesson_of(("09:00", "09:35"))], roster_of(5, PIN_HASH), version=2)
    draw(stage)
    stage.clock.at = at("09:20")
    teacher = stage.client()
    teacher.log_in(TEACHER_ID)
    assert "too short" in teacher.get(PAGE)
    teacher.post(PAGE)
    assert asked(stage) is None


def test_one_tap_proposes_and_one_confirms(page: Page, stage: Stage) -> None:
    """Taken, looked at, confirmed: two facts and the instructor's word, then the verdict."""
    stage.clock.at = at("09:20")
    draw(stage)
    for person in ("p-1", "p-2", "p-3", "p-4", "p-5"):
        stage.scan(person, at("08:55"))
    log_in(page)
    page.locator(".task", has_text="Spot check").click()
    page.get_by_role("button", name="Take the photos").click()
    expect(page.get_by_text("Taking the photos")).to_be_visible()
    recorder_answers(stage, heads=2)
    expect(page.locator(".proposal img")).to_have_count(2)
    expect(page.locator(".confirm .note")).to_contain_text(
        "About 2 people in the picture, 5 checked in"
    )
    expect(page.locator(".confirm .note.care")).to_contain_text("in view of the camera")
    assert bodies(stage, SpotCheckTaken.kind) == []
    page.locator(".proposal .tile").nth(1).click()
    page.get_by_role("button", name="Everyone is in these photos").click()
    expect(page.get_by_text("Waits for the authority")).to_be_visible()
    (taken,) = bodies(stage, SpotCheckTaken.kind)
    (confirmed,) = bodies(stage, SpotCheckConfirmed.kind)
    assert (taken["source"], taken["sort"], taken["number"]) == ("classroom", "photo", 1)
    assert confirmed["items"] == [taken["sha256"]]
    assert (confirmed["by"], confirmed["present"]) == (TEACHER_ID, 5)
    assert stage.media.path(taken["sha256"]).stat().st_size == taken["bytes"]

    draw(stage, Verdict("rejected", "县人社局", at("12:00"), "后排看不清"), version=2)
    page.goto(PAGE)
    expect(page.get_by_text("Rejected by the authority: 后排看不清")).to_be_visible()
    draw(stage, Verdict("approved", "县人社局", at("13:00")), version=3)
    page.reload()
    expect(page.get_by_text("Approved by the authority")).to_be_visible()


def test_a_form_that_comes_twice_stores_once(stage: Stage) -> None:
    """Two taps, or a browser that sends again after a cut: the same facts, not more."""
    stage.clock.at = at("09:20")
    draw(stage)
    teacher = stage.client()
    teacher.log_in(TEACHER_ID)
    teacher.post(PAGE)
    check = asked(stage)
    recorder_answers(stage)
    found = spot_checks.proposal(stage.parts, check or "")
    assert found is not None
    chosen = [one.file for one in found.items]
    for _ in range(2):
        status, _page = teacher.post(f"{PAGE}/{check}", item=chosen)
        assert status == 200
    assert len(bodies(stage, SpotCheckTaken.kind)) == 2
    assert len(bodies(stage, SpotCheckConfirmed.kind)) == 1


def test_without_a_photo_nothing_is_confirmed(stage: Stage) -> None:
    """Nothing chosen, or pictures that are gone: the page says so and stores nothing."""
    stage.clock.at = at("09:20")
    draw(stage)
    teacher = stage.client()
    teacher.log_in(TEACHER_ID)
    teacher.post(PAGE)
    check = asked(stage)
    recorder_answers(stage)
    assert "Choose at least one photo" in teacher.post(f"{PAGE}/{check}")[1]
    for file in stage.config.runtime_dir.glob("spot-check-*"):
        file.unlink()
    assert "no longer there" in teacher.post(f"{PAGE}/{check}", item="x")[1]
    assert bodies(stage, SpotCheckConfirmed.kind) == []


def test_a_dead_camera_offers_the_phone(page: Page, stage: Stage) -> None:
    """The recorder has no picture: the page says what to do, and a phone's photo is marked."""
    stage.clock.at = at("09:20")
    draw(stage)
    log_in(page)
    page.goto(PAGE)
    page.get_by_role("button", name="Take the photos").click()
    expect(page.get_by_text("Taking the photos")).to_be_visible()
    check = asked(stage)
    assert check is not None
    with stage.ledger.writing() as writer:
        requests.answer(
            writer, check, RequestRefused(check, requests.SPOT_CHECK, "no camera answers")
        )
    expect(page.get_by_text("The classroom camera gives no picture")).to_be_visible()
    page.get_by_role("button", name="use a phone").click()
    expect(page.locator("svg.qr")).to_be_visible()
    address = page.locator(".by-phone .hint").first.inner_text()
    phone_page = page.context.browser.new_page()  # type: ignore[union-attr]  # it has one
    phone_page.goto(address)
    phone_page.set_input_files(
        "[name=photo]",
        {"name": "IMG_1.jpg", "mimeType": "image/jpeg", "buffer": from_a_phone()},
    )
    phone_page.get_by_role("button", name="Send").click()
    expect(phone_page.get_by_text("1 photo has arrived")).to_be_visible()
    expect(page.locator(".proposal img")).to_have_count(1)
    expect(page.locator(".proposal .tile")).to_contain_text("phone photo")
    page.get_by_role("button", name="Everyone is in these photos").click()
    expect(page.get_by_text("Waits for the authority")).to_be_visible()
    phone_page.close()
    (taken,) = bodies(stage, SpotCheckTaken.kind)
    assert (taken["source"], taken["camera"]) == ("phone", "")
    stored = stage.media.path(taken["sha256"]).read_bytes()
    assert b"GPS-SECRET" not in stored and Image.open(BytesIO(stored)).format == "JPEG"
    with pytest.raises(OSError, match="refused"):
        get(address)


def test_a_phone_in_another_network_is_told_from_one_that_has_come(
    page: Page, stage: Stage
) -> None:
    """A phone that cannot reach the box says so to nobody but its owner; the screen helps."""
    stage.clock.at = at("09:20")
    draw(stage)
    log_in(page)
    page.clock.install()
    page.goto(PAGE)
    page.get_by_role("button", name="use a phone").click()
    expect(page.locator("svg.qr")).to_be_visible()
    nobody = page.get_by_text("No phone has opened the page yet")
    expect(nobody).to_be_hidden()
    page.clock.fast_forward("00:21")
    expect(nobody).to_be_visible()
    expect(page.locator("[data-unopened]")).to_contain_text("turn off mobile data")
    address = page.locator(".by-phone .hint").first.inner_text()
    assert get(address) == 200
    page.clock.fast_forward("00:02")
    expect(page.get_by_text("The phone has opened the page")).to_be_visible()
    expect(nobody).to_be_hidden()


@pytest.mark.skipif(not may_lay_cables(), reason=NOT_ROOT)
def test_phones_are_invited_into_the_network_that_leads_on() -> None:
    """Between the cameras' own network and the school's it is the school's; alone, the one."""

    def invited_to(cable: Cable) -> str:
        look = "from kiosk_ui.phone import address_here; print(address_here())"
        done = subprocess.run(
            [*cable.box, sys.executable, "-c", look], capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    with Cable() as cable:
        assert invited_to(cable) == BOX_ADDRESS
        for step in (
            "link add school type veth peer name far",
            "link set far up",
            "link set school up",
            "addr add 10.9.8.7/24 dev school",
            "route add default via 10.9.8.1",
        ):
            subprocess.run([*cable.box, "ip", *step.split()], check=True)
        assert invited_to(cable) == "10.9.8.7"


def from_a_phone() -> bytes:
    """Return a photo that names the phone, as phones' photos do."""
    exif = Image.Exif()
    exif[0x010E] = "GPS-SECRET"
    out = BytesIO()
    pictures.classroom(3).save(out, "JPEG", exif=exif)
    assert b"GPS-SECRET" in out.getvalue()
    return out.getvalue()


def get(address: str, path: str | None = None) -> int:
    """Return the status of a page."""
    parts = urlsplit(address)
    connection = http.client.HTTPConnection(parts.netloc, timeout=10)
    try:
        connection.request("GET", path or parts.path)
        return connection.getresponse().status
    finally:
        connection.close()


def test_behind_the_phones_door_there_is_one_page_only(stage: Stage) -> None:
    """Without the secret nothing is there, nor any page of the kiosk; a new code voids the old."""
    door = Phones("127.0.0.1", 0)
    try:
        address = door.invite(stage.parts, "0" * 32)
        assert get(address) == 200
        assert [
            get(address, path) for path in ("/", "/wrong", "/lessons", "/status", "/media/x")
        ] == ([404] * 5)
        assert urlsplit(door.invite(stage.parts, "1" * 32)).path != urlsplit(address).path
    finally:
        door.close()


@pytest.mark.parametrize("content", [b"", b"\xff\xd8\xff\xd9", b"<svg/>", b"GIF89a"])
def test_what_only_looks_like_a_photo_is_refused(content: bytes) -> None:
    """What cannot be decoded never reaches the screen."""
    with pytest.raises(NotAPhoto):
        phone.photo(content)


def test_a_crash_between_picture_and_word_leaves_nothing_confirmed(
    stage: Stage, tmp_path: Path
) -> None:
    """A whole picture becomes a fact at the next start, a torn one goes; neither is confirmed."""
    whole, torn = (
        SpotCheckTaken(LESSON_ID, "c" * 32, number, "photo", "phone", "", at("09:20"), "", 0)
        for number in (1, 2)
    )
    stage.media.draft(whole).write(from_a_phone())
    stage.media.draft(torn).write(from_a_phone()[:500])
    spot_checks.finish(stage.media, stage.ledger)
    assert [one["number"] for one in bodies(stage, SpotCheckTaken.kind)] == [1]
    assert bodies(stage, SpotCheckConfirmed.kind) == []
    assert stage.media.unfinished([SpotCheckTaken.kind]) == []


def test_the_instructor_hears_of_a_count_that_does_not_fit(stage: Stage) -> None:
    """While the lesson lasts its page compares the last snapshot's heads with who is in."""
    for number in range(1, 6):
        stage.scan(f"p-{number}", at("08:55"))
    store_counted(stage, at("09:05"), heads=1)
    teacher = stage.client()
    teacher.log_in(TEACHER_ID)
    stage.clock.at = at("09:06")
    page = teacher.get("/instructor")
    assert "About 1 people in the picture, 5 checked in" in page
    assert "Look who has left" in page
    shown = teacher.get(f"/lessons/{LESSON_ID}?view=snapshots")
    assert "about 1 in the picture, 5 checked in" in shown
    stage.clock.at = at("10:31")
    assert "in the picture" not in teacher.get("/instructor")
