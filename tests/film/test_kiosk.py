"""The film at the touch screen: real parts, a real Chromium, ranges of bytes, parts that go."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from camera import footage
from camera.recording import Order
from camera.supervision import Child
from edge.clock_events import ClockCorrected
from edge.events import MediaDeleted, RecordingGap, RecordingStored, ScanMade, SnapshotTaken
from edge.model import MINUTE, SECOND, ClockQuality, Instant, Window
from tests.boxes import LESSON_ID, TEACHER_ID, at, roster_of, two_hours
from tests.camera.parts import said
from tests.film.conftest import Made
from tests.film.players import Player, seconds
from tests.kiosk.stage import PIN, PIN_HASH, Stage
from tests.processes import wait_for
from tests.screens import pictures
from tests.virtual_cameras import VirtualCamera

START = at("09:00")
AXIS = Window(START - 15 * MINUTE, START + 105 * MINUTE)
GAP = 20 * SECOND
FILM = f"/lessons/{LESSON_ID}/film"


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    """Return a box at 11:00 whose lesson, 09:00 to 10:30, is over."""
    opened = Stage(tmp_path, at("11:00"))
    opened.send([two_hours(START)], roster_of(5, PIN_HASH))
    yield opened
    opened.close()


@pytest.fixture
def page(browser: Browser, stage: Stage) -> Iterator[Page]:
    """Return a page on the served kiosk, with the instructor logged in."""
    problems: list[str] = []
    with stage.served() as url:
        opened = browser.new_page(viewport={"width": 1024, "height": 600}, base_url=url)
        opened.on("pageerror", lambda error: problems.append(str(error)))
        opened.on(
            "console",
            lambda told: problems.append(told.text) if "Security Policy" in told.text else None,
        )
        opened.goto("/instructor/login")
        for digit in PIN:
            opened.locator(f"[data-key='{digit}']").click()
        opened.locator(".enter").click()
        expect(opened.get_by_role("button", name="log out")).to_be_visible()
        yield opened
        opened.close()
    assert not problems


def store(stage: Stage, part: Made, starts: Instant, camera: str = "front") -> str:
    """Put a part into the ledger as the recorder does; return its SHA-256."""
    body = RecordingStored(LESSON_ID, camera, starts, starts + part.lasts, "", 0, False)
    draft = stage.media.draft(body)
    # Two parts never hold the same bytes; these would, when a test stores one twice.
    draft.write(part.content + b"\0\0\0\x10free" + starts.to_bytes(8, "big"))
    stored = draft.store(stage.ledger)
    with stage.ledger.store.read() as connection:
        row = connection.execute("SELECT sha256 FROM media WHERE seq = ?", (stored.seq,)).fetchone()
    return str(row["sha256"])


def broken_lesson(stage: Stage, made: tuple[Made, Made]) -> tuple[list[str], Instant]:
    """Store two parts with a gap between them; return their names, and when the second begins."""
    first, second = made
    names = [store(stage, first, START)]
    resumes = START + first.lasts + GAP
    stage.ledger.append(
        RecordingGap(LESSON_ID, "front", START + first.lasts, resumes, "camera_silent")
    )
    names.append(store(stage, second, resumes))
    return names, resumes


def test_a_lesson_with_a_gap_plays_and_seeks(
    page: Page, stage: Stage, made: tuple[Made, Made]
) -> None:
    """One film in the classroom's own time; a gap says why, and playing passes over it."""
    _, resumes = broken_lesson(stage, made)
    page.goto(FILM)
    player = Player(page)
    player.shows_picture()
    assert player.wall() == "09:00:00"
    whole = seconds(resumes - START + made[1].lasts)
    assert abs(player.video.evaluate("video => video.duration") - whole) < 0.5
    page.locator(".item.gap").click()
    expect(player.told).to_have_text("No video: the camera froze or its cable was cut")
    page.get_by_role("button", name="4×").click()
    player.play.click()
    beyond = seconds(resumes - START)
    player.reaches(beyond + 0.2)
    assert player.video.evaluate("video => video.playbackRate") == 4
    expect(player.told).to_be_empty()
    wait_for("it ends", lambda: player.video.evaluate("video => video.ended"))
    expect(page.get_by_role("button", name="Play", exact=True)).to_be_visible()
    assert player.video.evaluate("video => video.error") is None


def test_keys_do_what_fingers_do(page: Page, stage: Stage, made: tuple[Made, Made]) -> None:
    """The line is a slider that says the time and what is missing; the space bar plays."""
    broken_lesson(stage, made)
    page.goto(FILM)
    player = Player(page)
    player.shows_picture()
    player.line.focus()
    page.keyboard.press("ArrowRight")
    expect(player.line).to_have_attribute(
        "aria-valuetext", "09:00:05, No video: the camera froze or its cable was cut"
    )
    page.keyboard.press("Home")
    expect(player.line).to_have_attribute("aria-valuetext", "08:45:00, No video here yet")
    page.keyboard.press(" ")
    player.reaches(0.2)
    page.keyboard.press(" ")
    wait_for("it rests", lambda: player.video.evaluate("video => video.paused"))


def test_marks_lead_to_their_moment_and_show_their_photo(
    page: Page, stage: Stage, made: tuple[Made, Made]
) -> None:
    """A snapshot on the line and in the list; a check-in with its name."""
    broken_lesson(stage, made)
    taken = SnapshotTaken(LESSON_ID, 0, 1, "front", START + 2 * SECOND, "key_frame", "", 0)
    draft = stage.media.draft(taken)
    draft.write(pictures.jpeg(pictures.classroom(5)))
    draft.store(stage.ledger)
    stage.ledger.append(ScanMade("p-2", START + 3 * SECOND, "face", photo="", score=8000))
    page.goto(FILM)
    player = Player(page)
    player.shows_picture()
    page.locator(".item.snapshot").click()
    picture = page.locator(".picture img")
    wait_for("the snapshot is shown", lambda: picture.evaluate("image => image.naturalWidth") > 0)
    assert player.wall() == "09:00:02"
    page.get_by_role("button", name="Close").click()
    expect(picture).to_be_hidden()
    page.get_by_role("button", name="赵敏 checked in").click()
    player.shows_picture()
    assert abs(player.at() - 3) < 0.1
    player.touch(START + 2 * SECOND, AXIS.opens, AXIS.closes)
    expect(picture).to_be_visible()


def test_the_other_camera_shows_the_same_moment(
    page: Page, stage: Stage, made: tuple[Made, Made]
) -> None:
    """Whoever doubts what one camera shows looks through the other."""
    store(stage, made[0], START)
    store(stage, made[1], START, "spare")
    page.goto(FILM)
    player = Player(page)
    player.shows_picture()
    before = player.source()
    player.play.click()
    player.reaches(2)
    player.play.click()
    shown = player.wall()
    page.get_by_role("link", name="Camera spare").click()
    other = Player(page)
    other.shows_picture()
    assert other.source() != before
    assert other.wall() == shown != "09:00:00"


def test_a_part_that_vanishes_while_it_plays_is_said_and_passed(
    page: Page, stage: Stage, made: tuple[Made, Made]
) -> None:
    """Retention deletes the second part of three: what is left plays on, and the hole says so."""
    names, resumes = broken_lesson(stage, made)
    third = resumes + made[1].lasts + GAP
    store(stage, made[0], third)
    page.goto(FILM)
    player = Player(page)
    player.shows_picture()
    before = player.source()
    stage.ledger.append(MediaDeleted(names[1], "recording", "safe"))
    stage.media.delete(names[1])
    # The browser holds a film this small whole; by another address it must ask for it again.
    assert page.evaluate("address => fetch(address).then(answer => answer.status)", before) == 410
    player.video.evaluate("(video, address) => { video.src = `${address}?again`; }", before)
    wait_for("another film is played", lambda: player.source() and before not in player.source())
    player.shows_picture()
    page.locator(".item.deleted").click()
    expect(player.told).to_have_text("No longer on this box")
    player.play.click()
    player.reaches(seconds(third - START) + 0.2)


@pytest.mark.real_speed
def test_a_lesson_that_is_being_recorded_plays_and_goes_on(
    browser: Browser, tmp_path: Path
) -> None:
    """What is on the disk plays, the part under way with it; at its end the player waits."""
    with VirtualCamera(audio="aac") as camera:
        child = Child(Order("front", camera.address, "tcp", str(tmp_path / "data/media"), MINUTE))
        child.record((LESSON_ID,))
        wait_for("it grows", lambda: len(said(child, "alive")) > 3)
        begun = said(child, "opened")[0]["start"]
        stage = Stage(tmp_path, begun)
        stage.send([two_hours(begun)], roster_of(5, PIN_HASH))
        with stage.served() as url:
            page = browser.new_page(viewport={"width": 1024, "height": 600}, base_url=url)
            page.goto("/instructor/login")
            for digit in PIN:
                page.locator(f"[data-key='{digit}']").click()
            page.locator(".enter").click()
            page.goto(FILM)
            player = Player(page)
            player.shows_picture()
            first = player.source()
            ends = player.video.evaluate("video => video.duration")
            player.play.click()
            wait_for("a longer film is played", lambda: player.source() != first)
            wait_for(
                "it goes on where the shorter one ended",
                lambda: player.source() != first and player.at() > ends,
            )
            child.stop()
            (draft,) = stage.media.unfinished([RecordingStored.kind])
            footage.store(draft, stage.ledger)
            film = logged_in(stage).get(f"{FILM}/state").get_json()["film"]
            wait_for("the stored part is played", lambda: player.source().endswith(film["src"]))
            player.shows_picture()
            assert player.video.evaluate("video => video.error") is None
            page.close()
        stage.close()


def film_of(stage: Stage) -> tuple[str, bytes]:
    """Return the film's address, and all of it."""
    client = logged_in(stage)
    source = str(client.get(f"{FILM}/state").get_json()["film"]["src"])
    with client.get(source) as whole:
        assert whole.status_code == 200
        assert whole.headers["Accept-Ranges"] == "bytes"
        return source, whole.data


def logged_in(stage: Stage):  # type: ignore[no-untyped-def]  # a client of Flask's
    """Return a client with the instructor logged in."""
    browser = stage.client()
    browser.log_in(TEACHER_ID)
    return browser.client


@pytest.mark.parametrize(
    ("asked", "begins", "ends"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=100-299", 100, 300),
        ("bytes=500000-", 500_000, None),
        ("bytes=-700", -700, None),
    ],
)
def test_a_range_is_answered_with_its_bytes(
    stage: Stage, made: tuple[Made, Made], asked: str, begins: int, ends: int | None
) -> None:
    """A player that seeks asks for any of them."""
    broken_lesson(stage, made)
    source, whole = film_of(stage)
    with logged_in(stage).get(source, headers={"Range": asked}) as answer:
        wanted = whole[begins:ends][: 1 << 20]
        first = begins % len(whole)
        assert answer.status_code == 206
        assert answer.data == wanted
        last = first + len(wanted) - 1
        assert answer.headers["Content-Range"] == f"bytes {first}-{last}/{len(whole)}"


def test_a_player_is_given_a_megabyte_at_a_time(stage: Stage, made: tuple[Made, Made]) -> None:
    """One that pauses holds no thread of the server; asking on it gets the whole film."""
    for number in range(6):
        store(stage, made[0], START + number * MINUTE)
    source, whole = film_of(stage)
    client, got = logged_in(stage), b""
    while len(got) < len(whole):
        with client.get(source, headers={"Range": f"bytes={len(got)}-"}) as answer:
            assert 0 < len(answer.data) <= 1 << 20
            got += answer.data
    assert len(whole) > 1 << 20
    assert got == whole


@pytest.mark.parametrize("asked", ["bytes={size}-", "bytes={size}-{size}"])
def test_a_range_beyond_the_film_is_refused(
    stage: Stage, made: tuple[Made, Made], asked: str
) -> None:
    """416, with the size that the film has."""
    broken_lesson(stage, made)
    source, whole = film_of(stage)
    with logged_in(stage).get(source, headers={"Range": asked.format(size=len(whole))}) as answer:
        assert answer.status_code == 416
        assert answer.headers["Content-Range"] == f"bytes */{len(whole)}"


@pytest.mark.parametrize(
    "asked", ["bytes=9-3", "bytes=a-b", "bytes=-0", "pages=1-2", "bytes=0-1,5-9", "bytes"]
)
def test_what_is_no_single_range_is_ignored(
    stage: Stage, made: tuple[Made, Made], asked: str
) -> None:
    """The whole film, as RFC 9110 has it."""
    broken_lesson(stage, made)
    source, whole = film_of(stage)
    with logged_in(stage).get(source, headers={"Range": asked}) as answer:
        assert (answer.status_code, answer.data) == (200, whole)


def test_a_range_of_another_film_is_not_mixed_in(stage: Stage, made: tuple[Made, Made]) -> None:
    """If-Range with another film's tag gets the whole."""
    broken_lesson(stage, made)
    source, whole = film_of(stage)
    client = logged_in(stage)
    with client.head(source) as answer:
        tag = answer.headers["ETag"]
        assert answer.content_length == len(whole)
    for condition, status in ((tag, 206), ('"another"', 200)):
        headers = {"Range": "bytes=5-9", "If-Range": condition}
        with client.get(source, headers=headers) as answer:
            assert answer.status_code == status


def test_a_film_is_for_instructors(stage: Stage, made: tuple[Made, Made]) -> None:
    """Without a login the page asks for one, and neither state nor film exists."""
    broken_lesson(stage, made)
    source, _ = film_of(stage)
    client = stage.client().client
    assert "/instructor/login" in client.get(FILM).headers["Location"]
    assert client.get(f"{FILM}/state").status_code == 404
    assert client.get(source).status_code == 404


def test_a_film_that_has_changed_is_gone(stage: Stage, made: tuple[Made, Made]) -> None:
    """Its address never gives other bytes: 410, until somebody asks what there is now."""
    names, _ = broken_lesson(stage, made)
    source, whole = film_of(stage)
    stage.media.delete(names[0])
    client = logged_in(stage)
    assert client.get(source, headers={"Range": "bytes=0-9"}).status_code == 410
    again, rest = film_of(stage)
    assert again != source
    assert len(rest) < len(whole)
    assert client.get(f"{FILM}/front/0123456789.mp4").status_code == 410


def test_a_part_that_goes_while_it_is_sent_breaks_the_answer_off(
    stage: Stage, made: tuple[Made, Made]
) -> None:
    """The rest is missing, and nothing else is put in its place."""
    names, _ = broken_lesson(stage, made)
    source, whole = film_of(stage)
    answer = logged_in(stage).get(source, buffered=False)
    blocks = answer.iter_encoded()
    got = next(blocks)
    stage.media.delete(names[1])
    got += b"".join(blocks)
    answer.close()
    assert answer.content_length == len(whole)
    assert len(got) < len(whole)
    assert whole.startswith(got)


def test_a_lesson_without_a_recording_says_so(page: Page) -> None:
    """Nothing to play is no error."""
    page.goto(FILM)
    expect(page.locator(".told")).to_have_text(
        "There is nothing to play yet. It appears here by itself."
    )


def test_a_film_in_corrected_time_says_how_exactly_it_is_known(
    stage: Stage, made: tuple[Made, Made]
) -> None:
    """A part of a boot whose clock was wrong stands where it was filmed after all."""
    stage.clock.reboot(at("03:00"), "doubtful-boot", ClockQuality.UNSYNCHRONISED)
    store(stage, made[0], at("03:00"))
    truth = ClockCorrected("doubtful-boot", START, 2 * SECOND, "centre")
    stage.ledger.append(truth)
    told = logged_in(stage).get(f"{FILM}/state").get_json()
    (video,) = [one for one in told["stretches"] if one["sort"] == "video"]
    assert video["begins"] == START / 1000
    assert video["exact"] == "corrected, ± 2 s"
