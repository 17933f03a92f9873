"""Staff look into a lesson: from the camera to Chromium, every process real."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from sync.central import tables
from tests.live.stage import BOX, Classroom
from tests.processes import wait_for

WITHIN_MS = 40_000


def look(room: Classroom, page: Page) -> None:
    """Open the room's page in English and wait for the first picture."""
    context = page.context
    context.add_cookies([{"name": "console_language", "value": "en", "url": room.address}])
    page.goto(f"{room.address}/live/{BOX}")
    stands(page, "live")


def stands(page: Page, *stages: str) -> None:
    """Wait until the view stands as one of *stages*."""
    page.wait_for_function(
        "stages => stages.includes(view.dataset.stage)", arg=list(stages), timeout=WITHIN_MS
    )


def said(page: Page) -> str:
    """Return what the page says below the picture."""
    return page.locator("#view .status").inner_text()


def pixels(page: Page) -> str:
    """Return the picture that is shown, as text."""
    script = """() => {
        const image = view.querySelector("img"), canvas = document.createElement("canvas");
        canvas.width = image.naturalWidth; canvas.height = image.naturalHeight;
        canvas.getContext("2d").drawImage(image, 0, 0);
        return canvas.toDataURL("image/png");
    }"""
    return str(page.evaluate(script))


def newer(page: Page, than: int) -> int:
    """Wait for a picture after number *than*; return its number."""
    page.wait_for_function("than => Number(view.dataset.number) > than", arg=than, timeout=40_000)
    return int(page.evaluate("Number(view.dataset.number)"))


def test_a_picture_appears_changes_and_stops_when_the_page_is_left(
    room: Classroom, page: Page
) -> None:
    """The ledger says who looked from when to when; afterwards no picture is made or kept."""
    room.open()
    wait_for("the lesson is recorded", room.records, 60)
    look(room, page)
    first = pixels(page)
    number = newer(page, newer(page, 0))
    assert number > 1
    assert pixels(page) != first
    (started,) = room.facts("live_view.started")
    assert (started.camera, started.lesson_id, started.by) == ("front", "lesson-1", "console")
    assert room.facts("live_view.ended") == []

    other = page.context.new_page()  # a second member of staff looks at the same room
    other.goto(f"{room.address}/live/{BOX}")
    stands(other, "live")
    other.close()
    assert len(room.facts("live_view.started")) == 1, "both share one view"

    page.goto(f"{room.address}/lesson/lesson-1")
    wait_for("the view ends by itself", lambda: room.facts("live_view.ended"), 60)
    (ended,) = room.facts("live_view.ended")
    assert (ended.request_id, ended.cause) == (started.request_id, "unwatched")
    assert ended.frames >= number
    wait_for("no picture is left", lambda: not room.frame().exists())
    expect(page.locator("#looked + .card")).to_contain_text("nobody was looking", timeout=WITHIN_MS)
    room.stage.wait_until_complete()
    assert [row.by for row in room.stage.rows(tables.live_view)] == ["console"]


@pytest.mark.real_speed
def test_a_camera_that_goes_out_is_said_and_its_picture_is_not_called_live(
    room: Classroom, page: Page
) -> None:
    """Without a picture the page says why; when the camera is back, so is the picture."""
    room.open()
    wait_for("the lesson is recorded", room.records, 60)
    look(room, page)
    room.camera.kill()
    stands(page, "no_picture")
    assert "it cannot be reached" in said(page)
    assert page.locator(".frame.not-live").count() == 1
    before = int(page.evaluate("Number(view.dataset.number)"))
    room.camera.restart()
    newer(page, before)
    stands(page, "live")


@pytest.mark.real_speed
def test_a_box_that_goes_offline_is_said_and_comes_back_to_a_new_view(
    room: Classroom, page: Page
) -> None:
    """A killed link leaves no view open: the next start states its end."""
    room.open()
    wait_for("the lesson is recorded", room.records, 60)
    look(room, page)
    room.stage.link.kill()
    stands(page, "old")
    assert "Not live" in said(page)
    stands(page, "offline")
    assert "offline since" in said(page)
    room.stage.start(room.stage.link)
    stands(page, "ended")
    assert said(page) == "Stopped: the box was restarted."
    page.get_by_role("button", name="Look again").click()
    stands(page, "live")
    assert [one.cause for one in room.facts("live_view.ended")] == ["link_restarted"]
    assert len(room.facts("live_view.started")) == 2


@pytest.mark.real_speed
def test_on_a_slow_line_records_go_first_and_pictures_become_fewer(
    room: Classroom, page: Page
) -> None:
    """A picture a second or less, none in a queue; the ledger is acknowledged all the while."""
    room.open()
    wait_for("the lesson is recorded", room.records, 60)
    look(room, page)
    room.stage.box_wire.throttle(24 * 1024)
    room.stage.write(300)
    room.stage.wait_until_complete()
    number = newer(page, int(page.evaluate("Number(view.dataset.number)")))
    newer(page, number)
    room.stage.box_wire.throttle(None)
    stands(page, "live")
    assert len(room.facts("live_view.started")) == 1


@pytest.mark.parametrize("camera", ["", "?camera=attic"])
def test_outside_of_a_lesson_nobody_looks_into_a_room(
    room: Classroom, page: Page, camera: str
) -> None:
    """Before the lesson, or through a camera that does not film it, the box refuses."""
    room.open(begins_in_s=-5 if camera else 400)
    page.context.add_cookies([{"name": "console_language", "value": "en", "url": room.address}])
    page.goto(f"{room.address}/live/{BOX}{camera}")
    stands(page, "refused")
    assert ("No camera films" if camera else "only during lessons") in said(page)
    assert room.facts("live_view.started") == []
    assert not room.frame().exists()
