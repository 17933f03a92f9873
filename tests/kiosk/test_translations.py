"""No string is untranslated, in the catalogue or on the pages."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from edge import teaching
from edge.model import Instructor, Trainee, TrainingClass
from tests.boxes import LESSON_ID, TEACHER_ID, at, roster_of, two_hours
from tests.catalogues import KIOSK, read
from tests.kiosk.stage import PIN_HASH, Browser, Stage

GUIDES = ("none", "come_closer", "one_at_a_time", "hold_still", "looking", "step_aside",
          "not_recognised", "camera_out")  # fmt: skip
PAGES = (
    "/",
    "/lessons",
    f"/lessons/{LESSON_ID}",
    f"/lessons/{LESSON_ID}?view=snapshots",
    f"/lessons/{LESSON_ID}/film",
    "/status",
    "/instructor/login",
    "/instructor",
    f"/instructor/lessons/{LESSON_ID}/end",
    f"/instructor/lessons/{LESSON_ID}/manual",
    "/nothing-here",
)
PLACEHOLDER = re.compile(r"%\((\w+)\)[sd]")
# What a page may hold in the other language: its own name of it, ids, and nothing else.
ALLOWED = {"English", "中文", "room-203"}


@pytest.mark.parametrize("file", list(KIOSK.files()), ids=lambda file: file.parts[-3])
def test_every_message_of_the_source_is_translated(file: Path) -> None:
    """With the same placeholders, nothing fuzzy and nothing left over."""
    catalogue = read(file)
    asked = {message.id for message in KIOSK.asked() if message.id}
    known = {message.id: message for message in catalogue if message.id}
    assert known.keys() == asked, "run: python -m tests.catalogues"
    for message in known.values():
        assert not message.fuzzy, message.id
        ids = message.id if isinstance(message.id, tuple) else (message.id,)
        said = message.string if isinstance(message.string, tuple | list) else (message.string,)
        for one in said:
            assert one, f"not translated: {message.id}"
            assert set(PLACEHOLDER.findall(one)) == set(PLACEHOLDER.findall(str(ids[-1]))), (
                message.id
            )


def test_no_text_stands_in_a_template_untranslated() -> None:
    """Every visible word of a template goes through the catalogue."""
    for file in sorted((KIOSK.package / "templates").rglob("*.html")):
        attributes = r"\{% block \w+_(class|data) %\}.*?\{% endblock %\}"
        text = re.sub(attributes, "", file.read_text(), flags=re.S)
        text = re.sub(r"\{#.*?#\}|\{\{.*?\}\}|\{%.*?%\}|<[^>]*>", " ", text, flags=re.S)
        assert not re.search(r"[A-Za-z]{2,}|[\u4e00-\u9fff]", text), (file.name, text.split())


class Visible(HTMLParser):
    """Collects what a person sees or hears of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Collect the attributes that are read out."""
        self._hidden += tag in ("script", "style")
        spoken = ("aria-label", "alt", "title", "data-count", "data-none")
        self.texts += [value or "" for name, value in attrs if name in spoken]

    def handle_endtag(self, tag: str) -> None:
        """Leave a hidden element."""
        self._hidden -= tag in ("script", "style")

    def handle_data(self, data: str) -> None:
        """Collect visible text."""
        if not self._hidden:
            self.texts.append(data)


def visible(page: str) -> str:
    """Return the visible text of *page*."""
    parser = Visible()
    parser.feed(page)
    text = " ".join(parser.texts)
    for allowed in ALLOWED:
        text = text.replace(allowed, "")
    return text


def walk(stage: Stage, browser: Browser) -> str:
    """Return the visible text of every page in many states."""
    texts: list[str] = []

    def collect() -> None:
        texts.extend(visible(browser.get(page)) for page in PAGES)

    collect()
    browser.log_in(TEACHER_ID, "0000")
    texts.append(visible(browser.log_in(TEACHER_ID)[1]))
    texts.extend(visible(browser.get(page)) for page in PAGES[1:])
    for guide in GUIDES:
        stage.door(guide)
        texts.append(visible(browser.get("/")))
    for time in ("08:30", "08:50", "08:51", "09:20", "10:30", "10:31"):
        stage.clock.jump(at(time))
        for person in ("p-1", "p-2", "p-99", TEACHER_ID):
            stage.door(greet=stage.scan(person), person=person)
            texts.append(visible(browser.get("/")))
    for state in (
        "recording",
        "waiting",
        "offline",
        "refused",
        "unusable",
        "not_recording",
        "disk_full",
    ):
        stage.recorder(state)
        stage.link(state == "recording", 3)
        texts.append(visible(browser.get("/status")))
        texts.append(visible(browser.get("/")))
    stage.clock.jump(at("09:30"))
    teaching.open_lesson(stage.ledger, LESSON_ID, TEACHER_ID)
    browser.log_in(TEACHER_ID)
    texts.extend(visible(browser.get(page)) for page in PAGES[1:])
    stage.clock.jump(at("10:32"))
    teaching.end_lesson(stage.ledger, LESSON_ID, TEACHER_ID)
    collect()
    return "\n".join(texts)


@pytest.fixture
def named(stage: Stage) -> Stage:
    """Return the box with names of digits only, which belong to no language."""
    roster = roster_of(3, PIN_HASH)
    group = roster.classes[0]
    trainees = tuple(Trainee(one.id, one.number, "12") for one in group.trainees)
    neutral = TrainingClass(group.id, "7-3", "1", "1", group.received_at, trainees)
    lesson = replace(two_hours(at("09:00")), class_name="7-3")
    documents = type(roster)((neutral,), (Instructor(TEACHER_ID, "77", PIN_HASH),))
    stage.send([lesson], documents, version=2)
    return stage


def test_chinese_pages_hold_no_english(named: Stage) -> None:
    """Every page, in many states, read word by word."""
    browser = named.client()
    browser.post("/language", language="zh")
    assert set(re.findall(r"[A-Za-z]{2,}", walk(named, browser))) == set()


def test_english_pages_hold_no_chinese(named: Stage) -> None:
    """And the other way round."""
    browser = named.client()
    browser.post("/language", language="en")
    assert set(re.findall(r"[\u3000-\u9fff\uff00-\uffef]+", walk(named, browser))) == set()
