"""Enrolment at the screen, in a real Chromium: consent first, refusals that say what to do."""

from __future__ import annotations

from playwright.sync_api import Browser, Page, expect

from edge import consents, requests
from edge.consent_events import ConsentGiven, ConsentWithdrawn
from edge.events import Body, PersonEnrolled, RequestRefused, TemplateDeleted, decode
from tests.boxes import TEACHER_ID
from tests.kiosk.stage import Stage
from tests.kiosk.test_browser import BEYOND, OVERFLOWS, log_in
from tests.kiosk.test_browser import page as page

_PERSON = "/instructor/enrol/p-1"


def bodies(stage: Stage) -> list[Body]:
    """Return what the events say of people."""
    return [
        decode(record.event.kind, record.body or b"{}")
        for record in stage.ledger.records()
        if record.event.kind.startswith(("consent.", "person."))
    ]


def answer(stage: Stage, reason: str = "") -> None:
    """Be the greeter: refuse for *reason*, or enrol."""
    asked = requests.claim(stage.ledger, ("enrol",), "greeter")
    assert asked is not None
    person = str(asked.args["person_id"])
    with stage.ledger.writing() as writer:
        if reason:
            requests.answer(writer, asked.id, RequestRefused(asked.id, "enrol", reason))
            return
        writer.execute(
            "INSERT INTO template VALUES (?, 'fr', '1', zeroblob(12), zeroblob(8))", (person,)
        )
        requests.answer(writer, asked.id, PersonEnrolled(person, "fr", "1", "camera", asked.id))


def test_consent_comes_before_the_camera(page: Page, stage: Stage) -> None:
    """The words are shown, the tap is an event, refusals say what to do, then it is done."""
    stage.door()
    log_in(page)
    page.get_by_role("link", name="Enrol faces").click()
    page.locator("a[href$='/enrol/p-1']").click()
    expect(page.locator("body")).to_contain_text("Saying no has no effect on my classes")
    assert not page.evaluate(OVERFLOWS) and not page.evaluate(BEYOND)
    assert bodies(stage) == []
    page.get_by_role("button", name="I agree, enrol my face").click()
    expect(page.locator("body")).to_contain_text("Look straight at the door camera")
    (given,) = bodies(stage)
    assert isinstance(given, ConsentGiven)
    assert (given.person_id, given.way, given.witness) == ("p-1", "kiosk", TEACHER_ID)
    assert given.text_sha256 == consents.text_sha256("en")
    for reason, says in (
        ("blurred", "Hold still"),
        ("several_faces", "Only one person"),
        ("somebody_else", "twins use their PINs"),
    ):
        answer(stage, reason)
        expect(page.locator(".said")).to_contain_text(says)
        page.get_by_role("button", name="Look at the door camera").click()
    answer(stage)
    expect(page.locator(".said")).to_contain_text("can check in by face")
    expect(page.locator("a[href$='/enrol/p-1']")).to_contain_text("enrolled")


def test_who_does_not_agree_is_not_enrolled(page: Page, stage: Stage) -> None:
    """Saying no leads back, with no event and no request to the camera."""
    log_in(page)
    page.goto(_PERSON)
    page.get_by_role("link", name="No, I use PIN or card").click()
    expect(page.locator("a[href$='/enrol/p-1']")).to_be_visible()
    assert bodies(stage) == []
    assert requests.claim(stage.ledger, ("enrol",), "greeter") is None


def test_under_14_a_guardian_must_agree(page: Page, stage: Stage) -> None:
    """Without name and way the page says so and keeps what was typed."""
    log_in(page)
    page.goto(_PERSON)
    page.locator("summary").click()
    page.get_by_label("The person is under 14").check()
    page.get_by_role("button", name="I agree, enrol my face").click()
    expect(page.locator(".trouble")).to_contain_text("Under 14 a guardian must agree")
    assert bodies(stage) == []
    page.get_by_label("Name of the guardian").fill("李父")
    page.get_by_label("By phone").check()
    page.get_by_role("button", name="I agree, enrol my face").click()
    expect(page.locator("body")).to_contain_text("Look straight at the door camera")
    (given,) = bodies(stage)
    assert isinstance(given, ConsentGiven)
    assert (given.guardian, given.guardian_way) == ("李父", "phone")


def test_consent_is_taken_back_at_the_screen(page: Page, stage: Stage) -> None:
    """One tap: the withdrawal and the receipt of the deletion, and nobody enrolled."""
    log_in(page)
    page.goto(_PERSON)
    page.get_by_role("button", name="I agree, enrol my face").click()
    expect(page.locator("body")).to_contain_text("Look straight at the door camera")
    answer(stage)
    expect(page.locator(".said")).to_contain_text("can check in by face")
    page.goto(_PERSON)
    page.get_by_role("button", name="Take the consent back").click()
    expect(page.locator(".said")).to_contain_text("the face is deleted")
    assert bodies(stage)[-2:] == [
        ConsentWithdrawn("p-1", "kiosk", TEACHER_ID),
        TemplateDeleted("p-1", "withdrawn"),
    ]
    page.goto(_PERSON)
    expect(page.get_by_role("button", name="I agree, enrol my face")).to_be_visible()


def test_only_an_instructor_gets_there(stage: Stage, browser: Browser) -> None:
    """Without a login every page of it leads to the PIN pad."""
    with stage.served() as url:
        stranger = browser.new_page(base_url=url)
        for path in ("/instructor/enrol", _PERSON, f"{_PERSON}/look/none"):
            stranger.goto(path)
            assert "/instructor/login" in stranger.url
        stranger.close()
