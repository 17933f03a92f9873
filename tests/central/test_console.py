"""The console's pages: what they show, in which words, and what they refuse."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator

import pytest
from flask.testing import FlaskClient
from playwright.sync_api import Browser

from edge import events
from edge.documents import ROSTER, TIMETABLE, roster_to_json, timetable_to_json
from edge.events import SnapshotTaken
from edge.health_events import AlertCleared, AlertRaised, DiskPlanned
from edge.model import MINUTE, SECOND, Trainee
from sync.central.documents import store_document
from sync.messages import Chunk, Offer
from tests.boxes import CLASS_ID, LESSON_ID, at, roster_of, two_hours
from tests.catalogues import CONSOLE, read
from tests.central.centres import Centre, hello_of
from tests.central.days import START, busy_day, opened, scan, sha
from tests.central.served import console_of, served
from tests.chains import Chain
from tests.processes import wait_for
from tests.screens.pictures import classroom, jpeg

BOX = "room-203"
LESSON = f"/lesson/{LESSON_ID}"


@pytest.fixture
def client(centre: Centre) -> Iterator[FlaskClient]:
    """A browser of a centre at 10:00 that knows the timetable and the roster of one box."""
    centre.clock.at = at("10:00")
    store_document(centre.store, BOX, ROSTER, roster_to_json(roster_of(3)), at("07:00"))
    store_document(centre.store, BOX, TIMETABLE, timetable_to_json((two_hours(START),)), 1)
    with console_of(centre).test_client() as browser:
        yield browser


def text_of(client: FlaskClient, path: str, language: str = "en") -> str:
    """Return a page without its tags, spaces folded."""
    client.set_cookie("console_language", language)
    answer = client.get(path)
    assert answer.status_code == 200
    page = re.sub(r"<(script|title)[^>]*>.*?</\1>", " ", answer.get_data(as_text=True), flags=re.S)
    return " ".join(re.sub(r"<[^>]+>", " ", page).split())


@pytest.mark.parametrize(("language", "words"), [("en", "Development mode"), ("zh", "开发模式")])
def test_development_mode_is_said_on_every_page(centre: Centre, language: str, words: str) -> None:
    """A way to the boxes that is open stands on each page; one with TLS is not worth a word."""
    open_way = '[broker]\nsecurity = "none"\n'
    for more, said in ((open_way, True), ("", False)):
        with console_of(centre, more).test_client() as browser:
            for page in ("/", "/boxes"):
                assert (words in text_of(browser, page, language)) == said


def test_an_empty_centre_says_what_to_do_next(centre: Centre) -> None:
    """Without boxes and timetables the pages are calm and name the command."""
    with console_of(centre).test_client() as client:
        assert "classbox centre publish" in text_of(client, "/")
        assert "No box has reported yet." in text_of(client, "/boxes")


def test_the_day_shows_lessons_that_were_only_planned(client: FlaskClient) -> None:
    """A lesson of the timetable is there before its box has said anything."""
    page = text_of(client, "/")
    assert "09:00–10:30" in page
    assert "中式面点师（初级）2026-3 班" in page
    assert "Not started" in page
    assert "was due at 09:00; remind the instructor" in page


def test_a_lesson_shows_attendance_by_the_rules(client: FlaskClient, centre: Centre) -> None:
    """In and out times, the way, who is missing: derived from scans as on the box."""
    chain = Chain()
    centre.know(chain)
    busy_day(centre, chain)
    centre.clock.at = at("12:00")
    page = text_of(client, LESSON)
    assert "2 / 3 checked in" in page
    assert "1 not checked in 03 陈晓明" in page
    assert "01 李明华 08:55:00 face 10:30:00 face" in page
    assert "02 赵敏 09:03:00 by hand · Face not recognised none" in page
    assert "Instructor" not in page
    assert "王老师" in page


def test_the_evidence_of_a_lesson_is_all_there(client: FlaskClient, centre: Centre) -> None:
    """Recording from–to, gaps with causes, snapshots on their way and missing."""
    chain = Chain()
    centre.know(chain)
    busy_day(centre, chain)
    centre.clock.at = at("12:00")
    page = text_of(client, LESSON)
    assert "08:45:00 – 09:30:00 45 min classroom 5.0 MB interrupted kept on the box" in page
    assert "09:30:00 – 09:40:00 10 min classroom – gap the camera does not answer" in page
    assert "on its way 09:05:00 Hour 1 · 1" in page
    assert "✕ missing 09:22 Hour 1 · 2 the camera does not answer" in page
    assert "not heard of yet 09:40 Hour 1 · 3" in page
    assert "10 minutes of video are missing from 09:30" in page
    zh = text_of(client, LESSON, "zh")
    assert "09:30 起录像缺 10 分钟（摄像头无应答）" in zh
    assert "暂计，以主管部门认定为准" in zh


def test_a_recording_says_where_it_is(client: FlaskClient, centre: Centre) -> None:
    """Only on the box, on its way, here to be played with seeking, or deleted there."""
    chain = Chain()
    centre.know(chain)
    lesson = busy_day(centre, chain)
    film = b"\0\0\0\x20ftypisom" + bytes(1000)
    name, start = hashlib.sha256(film).hexdigest(), START + 40 * MINUTE
    other = hashlib.sha256(b"other").hexdigest()
    for moment, sha256 in ((start, name), (start + MINUTE, other)):
        body = events.RecordingStored(
            lesson.id, "classroom", moment, moment + 1, sha256, 1012, False
        )
        centre.learn(chain, body)
    gone = events.MediaDeleted(other, "recording", "limit")
    chain.append(gone, 1, gone.id_of(other, chain.head))
    centre.hear(chain.box, chain.batch(chain.head - 1))
    centre.clock.at = at("12:00")
    page = text_of(client, LESSON)
    assert page.count("kept on the box") == 2
    assert page.count("deleted on the box, never here") == 1
    centre.hear(chain.box, Chunk(name, len(film), 0, film[:506]))
    assert "on its way, 50 %" in text_of(client, LESSON)
    centre.hear(chain.box, Chunk(name, len(film), 506, film[506:]))
    assert "complete play" in text_of(client, LESSON)
    with client.get(f"/media/{name}", headers={"Range": "bytes=4-7"}) as answer:
        assert (answer.status_code, answer.data, answer.mimetype) == (206, b"ftyp", "video/mp4")


def test_a_running_recording_is_drawn_until_now(client: FlaskClient, centre: Centre) -> None:
    """What has begun and is not stored yet counts as running while its box is heard."""
    chain = Chain()
    centre.know(chain)
    lesson = two_hours(START)
    centre.learn(
        chain,
        events.CameraHealth("classroom", "online", ""),
        opened(lesson),
        events.RecordingStarted(LESSON_ID, "classroom", START - 15 * MINUTE),
        at=START - 10 * MINUTE,
    )
    assert "08:45:00 – … – classroom – running" in text_of(client, LESSON)
    assert "Normal" in text_of(client, "/")
    centre.learn(chain, events.CameraHealth("classroom", "offline", "no answer"), at=at("09:50"))
    assert "08:45:00 – 09:50:00" in text_of(client, LESSON)
    page = text_of(client, "/")
    assert "Not recording" in page
    assert "Camera out Room 203 · room-203 since 09:50 (the camera does not answer)" in page


def test_a_silent_box_and_a_doubtful_clock_are_said(client: FlaskClient, centre: Centre) -> None:
    """A box that was not heard for a minute is silent; one without time is doubtful."""
    centre.hear(BOX, hello_of(Chain(), at=at("10:00"), clock="unsynchronised", head=30))
    assert "its records are marked until it is synchronised" in text_of(client, "/")
    centre.clock.advance(90 * SECOND)
    page = text_of(client, "/")
    assert "last heard at 10:00:00; check its power and network" in page
    assert "0 / 1 online" in page
    assert "30 records" in page
    assert "Silent 10:00:00" in text_of(client, "/boxes")


def test_incidents_are_shown_until_somebody_resolves_them(
    client: FlaskClient, centre: Centre
) -> None:
    """Another key under a box's name is at the top of the day and listed with the box."""
    centre.know(Chain())
    centre.hear(BOX, hello_of(Chain(name="impostor")))
    assert "Unknown key room-203" in text_of(client, "/")
    assert "other_key" not in text_of(client, "/boxes")
    assert "Find out which before either is trusted" in text_of(client, "/boxes")


def test_a_picture_is_served_whole_and_small(client: FlaskClient, centre: Centre) -> None:
    """Snapshots come as JPEG with a small copy; what is not there or not a name is 404."""
    centre.know(Chain())
    picture = jpeg(classroom(1))
    name = hashlib.sha256(picture).hexdigest()
    centre.hear(BOX, Offer(name, len(picture), "snapshot"), Chunk(name, len(picture), 0, picture))
    with client.get(f"/media/{name}") as whole, client.get(f"/media/{name}/small") as small:
        assert whole.data == picture
        assert (whole.mimetype, small.mimetype) == ("image/jpeg", "image/jpeg")
        assert len(small.data) < len(picture)
    for path in (f"/media/{sha('other')}", "/media/..%2f..%2fcentre.db", "/media/x/small"):
        assert client.get(path).status_code == 404
    bogus = b"<html>not a picture</html>"
    name = hashlib.sha256(bogus).hexdigest()
    centre.hear(BOX, Chunk(name, len(bogus), 0, bogus))
    assert client.get(f"/media/{name}").status_code == 404
    assert client.get(f"/media/{name}/small").status_code == 404


def test_nothing_comes_from_outside_and_scripts_cannot_be_smuggled_in(
    client: FlaskClient, centre: Centre
) -> None:
    """Every answer carries the policy; what a box or a roster says is text, never markup."""
    roster = roster_of(1)
    (the_class,) = roster.classes
    evil = type(the_class)(
        the_class.id, "<script>alert(1)</script>", "", "", 1, (Trainee("p-1", "1", "<b>x</b>"),)
    )
    store_document(
        centre.store, BOX, ROSTER, roster_to_json(type(roster)((evil,), roster.instructors)), 2
    )
    for path in ("/", LESSON, "/boxes", "/nowhere"):
        answer = client.get(path)
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        page = answer.get_data(as_text=True)
        assert "<b>x</b>" not in page
        assert not re.search(r"(src|href)=\"(https?:)?//", page)
        assert not re.search(r"<[^>]+ style=", page)
        assert not re.search(r"<script(?![^>]* src=)", page)


def test_a_page_that_shows_everything_gets_no_answer(client: FlaskClient, centre: Centre) -> None:
    """The live part is sent again only when it differs from what the browser shows."""
    page = client.get("/").get_data(as_text=True)
    found = re.search(r"seen=([0-9a-f]{16})", page)
    assert found is not None
    same = client.get("/", query_string={"seen": found[1]})
    assert (same.status_code, same.data) == (204, b"")
    centre.know(Chain())
    changed = client.get("/", query_string={"seen": found[1]}).get_data(as_text=True)
    assert changed.lstrip().startswith('<div id="live"')
    assert "room-203" in changed


def test_the_language_is_chosen_by_a_visible_control(client: FlaskClient) -> None:
    """Chinese first; the button switches and comes back to the same page, never elsewhere."""
    assert "需要处理" in client.get("/").get_data(as_text=True)
    for back, where in (
        (LESSON, LESSON),
        ("https://evil.example/x", "/x"),
        ("//evil.example/x", "/"),
        ("javascript:alert(1)", "/"),
    ):
        answer = client.post("/language", data={"language": "en", "back": back})
        assert answer.status_code == 302
        assert answer.headers["Location"] in (where, "/")
    assert "Needs attention" in client.get("/").get_data(as_text=True)
    assert client.post("/language", data={"language": "xx"}).status_code == 400


def test_a_page_that_is_not_there_says_so(client: FlaskClient) -> None:
    """An unknown lesson is a page in plain words with a way back."""
    client.set_cookie("console_language", "en")
    answer = client.get("/lesson/none")
    assert answer.status_code == 404
    assert "There is nothing here" in answer.get_data(as_text=True)
    assert "Back to today" in answer.get_data(as_text=True)


def test_every_sentence_has_its_chinese() -> None:
    """The catalogue knows every message of the source and translates it."""
    wanted = {message.id for message in CONSOLE.asked() if message.id}
    (file,) = CONSOLE.files()
    translated = {message.id for message in read(file) if message.id and message.string}
    assert wanted - translated == set()
    for message in read(file):
        strings = message.string if isinstance(message.string, tuple) else (message.string,)
        assert all(strings), message.id


def test_snapshots_appear_without_reloading(
    client: FlaskClient, centre: Centre, browser: Browser
) -> None:
    """In a real browser a scan and a picture show up by themselves; a dead centre is said."""
    chain = Chain()
    centre.know(chain)
    centre.learn(chain, opened(two_hours(START)), at=START - MINUTE)
    problems: list[str] = []
    with served(console_of(centre)) as url, browser.new_page() as page:
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on(
            "console", lambda said: problems.append(said.text) if said.type == "error" else None
        )
        page.context.add_cookies([{"name": "console_language", "value": "en", "url": url}])
        page.goto(f"{url}{LESSON}")
        assert page.locator(".shots img").count() == 0
        picture = jpeg(classroom(3))
        name = hashlib.sha256(picture).hexdigest()
        taken = SnapshotTaken(
            LESSON_ID, 0, 1, "classroom", START + 5 * MINUTE, "key_frame", name, len(picture)
        )
        centre.learn(chain, taken, scan("p-1", START - MINUTE))
        centre.hear(BOX, Chunk(name, len(picture), 0, picture))
        page.wait_for_selector(".shots img", timeout=15_000)
        page.wait_for_selector("text=08:59:00", timeout=15_000)
        assert page.evaluate("document.querySelector('.shots img').decode().then(() => true)")
        assert problems == []
        assert not page.locator(".stale").is_visible()
        page.route("**/lesson/**", lambda route: route.abort())
        wait_for("the page says that it is old", page.locator(".stale").is_visible, 15)
        page.unroute("**/lesson/**")
        wait_for("and that it is well", lambda: not page.locator(".stale").is_visible(), 15)


def test_what_a_box_says_is_wrong_is_shown_with_its_remedy(
    client: FlaskClient, centre: Centre
) -> None:
    """An alert and its camera's state are one line; it goes when the box says it is over."""
    chain = Chain()
    centre.know(chain)
    centre.learn(
        chain,
        opened(two_hours(START)),
        events.CameraHealth("front", "offline", "no answer"),
        AlertRaised("front", "offline", "no answer", LESSON_ID),
        AlertRaised("back", "view_changed", "likeness 0.07", LESSON_ID),
        AlertRaised("box", "disk_degraded", "900 MiB are free", LESSON_ID),
        DiskPlanned("substream", True, 9 * 10**8, 6 * 10**10, 9),
        at=at("09:50"),
    )
    page = text_of(client, "/")
    assert page.count("Camera out") == 1
    assert "camera front since 09:50; check its cable and power" in page
    assert "camera back shows another view than in the last lesson since 09:50" in page
    assert "video is recorded smaller since 09:50" in page
    assert "no video since" not in page, "one fault is one line"
    boxes = text_of(client, "/boxes")
    assert "back View changed" in boxes
    assert "smaller video 9 days" in boxes
    centre.learn(
        chain,
        events.CameraHealth("front", "online", ""),
        AlertCleared("front", "offline"),
        AlertCleared("back", "view_changed"),
        AlertCleared("box", "disk_degraded"),
        DiskPlanned("full", True, 5 * 10**10, 6 * 10**10, 20),
        at=at("09:55"),
    )
    page = text_of(client, "/")
    assert "Camera out" not in page and "another view" not in page
    boxes = text_of(client, "/boxes")
    assert "View changed" not in boxes and "20 days" in boxes


def test_a_trainee_page_says_why_each_hour_counts(client: FlaskClient, centre: Centre) -> None:
    """Staff read the reasons of every lesson hour, and the lesson page leads there."""
    chain = Chain("room-203")
    for kind, content in (
        (ROSTER, roster_to_json(roster_of())),
        (TIMETABLE, timetable_to_json((two_hours(START),))),
    ):
        store_document(centre.store, "room-203", kind, content, 1)
    centre.know(chain)
    centre.learn(chain, opened(two_hours(START)), scan("p-1", START), scan("p-1", at("10:27")))
    centre.clock.at = at("12:00")
    page = client.get(f"/class/{CLASS_ID}/trainee/p-1").get_data(as_text=True)
    assert "10:27 签退早于签退开始时间 10:29" in page
    assert f"/class/{CLASS_ID}/trainee/p-1" in client.get(f"/lesson/{LESSON_ID}").get_data(True)
    assert client.get(f"/class/{CLASS_ID}/trainee/nobody").status_code == 404
