"""The film at the console: what arrived plays and is kept as a file, the rest is asked for."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient
from playwright.sync_api import Browser, Page, expect

from edge.events import LessonEnded, RecordingGap, RecordingStored, SnapshotTaken
from edge.model import MINUTE, SECOND, Instant
from kiosk_ui.server import Server
from sync.central import tables
from sync.messages import CHUNK_BYTES, Chunk
from tests.boxes import LESSON_ID, TEACHER_ID, at, two_hours
from tests.central.centres import Centre, open_centre
from tests.central.days import opened
from tests.central.served import console_of
from tests.chains import Chain
from tests.film.conftest import Made
from tests.film.players import Player, seconds
from tests.processes import wait_for
from tests.screens import pictures

START = at("09:00")
GAP = 20 * SECOND
FILM = f"/lesson/{LESSON_ID}/film"
CAMERA = "classroom"


class Afternoon:
    """A centre after a lesson of one box, whose recordings are on their way."""

    def __init__(self, centre: Centre, made: tuple[Made, Made]) -> None:
        self.centre = centre
        self.app: Flask = console_of(centre)
        self.chain = Chain("room-203", "ledger-1", born=at("08:00"))
        centre.know(self.chain)
        lesson = two_hours(START)
        self.resumes = START + made[0].lasts + GAP
        self.third = self.resumes + made[1].lasts
        tail = b"\0\0\0\x10free" + bytes(8)
        # The third part is the first once more, under a name of its own.
        self.files = [made[0].content, made[1].content, made[0].content + tail]
        starts = (START, self.resumes, self.third)
        lasts = (made[0].lasts, made[1].lasts, made[0].lasts)
        centre.learn(self.chain, opened(lesson), at=START - 10 * MINUTE)
        for content, begins, length in zip(self.files, starts, lasts, strict=True):
            centre.learn(self.chain, part(content, begins, begins + length), at=begins + length)
        gap = RecordingGap(LESSON_ID, CAMERA, START + lasts[0], self.resumes, "camera_silent")
        picture = pictures.jpeg(pictures.classroom(5))
        name = hashlib.sha256(picture).hexdigest()
        taken = SnapshotTaken(
            LESSON_ID, 0, 1, CAMERA, START + 2 * SECOND, "key_frame", name, len(picture)
        )
        centre.learn(self.chain, gap, taken, LessonEnded(LESSON_ID, TEACHER_ID), at=at("10:30"))
        self.bring(picture)
        centre.clock.at = at("11:00")

    def bring(self, content: bytes) -> None:
        """Let a file arrive."""
        name = hashlib.sha256(content).hexdigest()
        for offset in range(0, len(content), CHUNK_BYTES):
            data = content[offset : offset + CHUNK_BYTES]
            self.centre.hear(self.chain.box, Chunk(name, len(content), offset, data))

    def client(self) -> FlaskClient:
        """Return a browser without a window, in English."""
        client = self.app.test_client()
        client.set_cookie("console_language", "en")
        return client

    def film(self) -> tuple[str, str, bytes]:
        """Return the addresses of the film and of its download, and all its bytes."""
        client = self.client()
        told = client.get(f"{FILM}/state").get_json()
        with client.get(told["film"]["src"]) as whole:
            return told["film"]["src"], told["download"]["src"], whole.data


def part(content: bytes, starts: Instant, ends: Instant) -> RecordingStored:
    """Return the event of a part."""
    name = hashlib.sha256(content).hexdigest()
    return RecordingStored(LESSON_ID, CAMERA, starts, ends, name, len(content), False)


@contextmanager
def served(app: Flask) -> Iterator[str]:
    """Serve *app*, by a server that ends what it began before it closes; yield the address."""
    server = Server(app, "127.0.0.1", 0, threads=8)
    server.start()
    try:
        yield f"http://127.0.0.1:{server.port}"
    finally:
        server.close()


@pytest.fixture
def afternoon(tmp_path: Path, made: tuple[Made, Made]) -> Iterator[Afternoon]:
    """Return a centre to which two parts of three have come."""
    with open_centre(tmp_path, START) as centre:
        found = Afternoon(centre, made)
        for content in found.files[:2]:
            found.bring(content)
        yield found


@pytest.fixture
def page(browser: Browser, afternoon: Afternoon) -> Iterator[Page]:
    """Return a page on the served console, in English."""
    problems: list[str] = []
    with served(afternoon.app) as url:
        opened_page = browser.new_page(viewport={"width": 1440, "height": 900}, base_url=url)
        cookie = {"name": "console_language", "value": "en", "url": url}
        opened_page.context.add_cookies([cookie])  # type: ignore[list-item]
        opened_page.on("pageerror", lambda error: problems.append(str(error)))
        opened_page.on(
            "console",
            lambda told: problems.append(told.text) if "Security Policy" in told.text else None,
        )
        yield opened_page
        opened_page.close()
    assert not problems


def test_what_arrived_plays_across_a_gap(page: Page, afternoon: Afternoon) -> None:
    """From the lesson's line to the moment that was touched, and on over the gap."""
    page.goto(f"/lesson/{LESSON_ID}")
    page.get_by_role("link", name="Play the recording").click()
    player = Player(page)
    player.shows_picture()
    assert player.wall() == "09:00:00"
    page.locator(".item.snapshot").click()
    picture = page.locator(".picture img")
    wait_for("the snapshot is shown", lambda: picture.evaluate("image => image.naturalWidth") > 0)
    assert player.wall() == "09:00:02"
    page.locator(".item.gap").click()
    expect(player.told).to_have_text("No video: the camera froze or its cable was cut")
    player.play.click()
    player.reaches(seconds(afternoon.resumes - START) + 0.2)
    assert player.video.evaluate("video => video.error") is None


def test_the_line_of_the_lesson_leads_to_the_film(page: Page, afternoon: Afternoon) -> None:
    """Touching the second part there plays the second part."""
    page.goto(f"/lesson/{LESSON_ID}")
    bars = page.locator("svg.line rect.film")
    assert bars.evaluate_all("all => all.map(one => one.getAttribute('class'))") == [
        "film here",
        "film here",
        "film box",
    ]
    # Seconds of a lesson of hours are a pixel here: too narrow for a hand.
    bars.nth(1).dispatch_event("click")
    player = Player(page)
    player.shows_picture()
    assert abs(player.at() - seconds(afternoon.resumes - START)) < 0.1


def test_what_is_still_on_the_box_is_asked_for_once_and_plays_when_it_comes(
    page: Page, afternoon: Afternoon
) -> None:
    """The page says what is not here; one press files the request; the player goes on by itself."""
    page.goto(FILM)
    player = Player(page)
    player.shows_picture()
    first = player.source()
    expect(page.locator("#rest")).to_contain_text("of video are still on the box.")
    page.locator(".item.elsewhere").click()
    expect(player.told).to_have_text("Still on the box, not here yet")
    page.get_by_role("button", name="Ask for it now").click()
    expect(page.locator("#rest")).to_contain_text("Asked for.")
    expect(page.get_by_role("button", name="Ask for it now")).to_be_hidden()
    (row,) = afternoon.centre.rows(tables.request)
    assert (row.box, row.kind, row.args) == ("room-203", "send_media", b'{"lesson":"lesson-1"}')
    page.reload()
    expect(page.locator("#rest")).to_contain_text("Asked for.")
    player = Player(page)
    player.shows_picture()
    page.get_by_role("button", name="4×").click()
    player.play.click()
    expect(player.told).to_have_text(
        "You have seen all that is here. It goes on by itself when more arrives."
    )
    afternoon.bring(afternoon.files[2])
    wait_for("the longer film is played", lambda: player.source() != first)
    player.reaches(seconds(afternoon.third - START) + 0.2)
    expect(page.locator("#rest")).to_be_hidden()


def test_a_download_says_how_far_it_is(page: Page, afternoon: Afternoon) -> None:
    """The browser keeps the film as a file with a name for people; the page shows the progress."""
    _, _, whole = afternoon.film()
    page.goto(FILM)
    with page.expect_download() as waiting:
        page.get_by_role("link", name="Download the film").click()
    download = waiting.value
    assert download.suggested_filename == (
        "2026-11-23 0900 203 中式面点师（初级）2026-3 班 classroom.mp4"
    )
    kept = Path(download.path()).read_bytes()
    assert kept == whole
    expect(page.locator("#download span")).to_contain_text("✓ sent")
    assert page.locator("progress").evaluate("bar => bar.value === bar.max") is True


def test_a_download_that_broke_off_is_resumed(afternoon: Afternoon) -> None:
    """Range and If-Range: the rest, to the end, in one answer."""
    source, address, whole = afternoon.film()
    client = afternoon.client()
    with client.get(address) as answer:
        assert (answer.status_code, answer.data) == (200, whole)
        assert answer.headers["Content-Disposition"].startswith("attachment;")
        tag = answer.headers["ETag"]
    with client.get(address, headers={"Range": "bytes=1000-", "If-Range": tag}) as answer:
        assert (answer.status_code, answer.data) == (206, whole[1000:])
    with client.get(address, headers={"Range": f"bytes={len(whole)}-"}) as answer:
        assert answer.status_code == 416
    with client.head(address) as answer:
        assert answer.content_length == len(whole)
    assert source != address


def test_four_downloads_at_a_time(afternoon: Afternoon) -> None:
    """A fifth is refused with words, and may go once another is over, however that ended."""
    _, address, whole = afternoon.film()
    client = afternoon.client()
    running = [client.get(address, buffered=False) for _ in range(4)]
    with client.get(address) as refused:
        assert refused.status_code == 503
        assert "downloaded already" in refused.get_data(as_text=True)
    running[0].close()
    with client.get(address) as answer:
        assert answer.data == whole
    for one in running[1:]:
        one.close()


def test_a_viewer_who_leaves_in_the_middle_frees_the_place(afternoon: Afternoon) -> None:
    """Over the real server: a connection that ends counts no longer."""
    _, address, whole = afternoon.film()
    with served(afternoon.app) as url:
        host = urlsplit(url).netloc
        for _ in range(6):
            connection = HTTPConnection(host)
            connection.request("GET", address)
            answer = connection.getresponse()
            assert answer.status == 200
            answer.read(1000)
            connection.close()
            wait_for("there is a place again", lambda: served_whole(host, address) == whole)


def served_whole(host: str, address: str) -> bytes:
    """Return the whole film by the server, nothing while it refuses."""
    connection = HTTPConnection(host)
    connection.request("GET", address)
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    return content if answer.status == 200 else b""


def test_a_range_of_the_film(afternoon: Afternoon) -> None:
    """Good ones, one beyond the end, and a film that is no more."""
    source, _, whole = afternoon.film()
    client = afternoon.client()
    with client.get(source, headers={"Range": "bytes=10-19"}) as answer:
        assert (answer.status_code, answer.data) == (206, whole[10:20])
    with client.get(source, headers={"Range": f"bytes={len(whole)}-"}) as answer:
        assert answer.status_code == 416
        assert answer.headers["Content-Range"] == f"bytes */{len(whole)}"
    afternoon.bring(afternoon.files[2])
    afternoon.centre.media.delete(hashlib.sha256(afternoon.files[0]).hexdigest())
    assert client.get(source).status_code == 410
    assert client.get(f"{FILM}/room-203/other/0123.mp4").status_code == 410


def test_another_site_cannot_ask(afternoon: Afternoon) -> None:
    """A form of theirs cannot send our header."""
    client = afternoon.client()
    assert client.post(f"{FILM}/ask").status_code == 400
    assert not afternoon.centre.rows(tables.request)
    for _ in range(2):
        assert client.post(f"{FILM}/ask", headers={"X-Classbox": "console"}).status_code == 204
    assert len(afternoon.centre.rows(tables.request)) == 1


def test_a_lesson_without_a_recording(afternoon: Afternoon) -> None:
    """The page opens and says so; an unknown lesson does not exist."""
    client = afternoon.client()
    assert client.get("/lesson/unknown/film").status_code == 404
    assert client.get("/lesson/unknown/film/state").status_code == 404
