"""Evidence bundles: what stands in them, what they prove, and how they look on an office PC."""

from __future__ import annotations

import hashlib
import io
import json
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from playwright.sync_api import Browser, Page

from edge.cli import main
from edge.clock_events import ClockCorrected
from edge.events import BodyErased, MediaDeleted, ServiceStarted
from edge.model import DAY, MINUTE, SECOND, ClockQuality, Reading, Trainee
from edge.rules.credit import Credit
from sync.central import books, credits, evidence, witness
from sync.central.bundle import facts, figures, form
from sync.central.bundle.dating import Dating
from tests.boxes import CLASS_ID
from tests.bundle.stage import START, STRANGER, School, taught
from tests.bundle.tampering import CHAIN, Parts, check, fault_of
from tests.central.stamping import stamping

# C:\\Users\\somebody\\Downloads\\evidence-of-a-class\\evidence-of-a-class\\ and room to spare.
_WINDOWS = 260 - 120


def test_a_good_bundle_is_accepted_and_says_what_it_proves(school: School, whole: bytes) -> None:
    """Figures counted again, and since when nothing was changed."""
    proven = check(whole, school.centre.signer.public_key)
    assert proven.figures.passing == 9
    assert [proven.figures.total(state) for state in Credit] == [33, 11, 4]
    assert proven.since == school.centre.clock.now().at
    assert (proven.events, proven.withheld, proven.erased) == (school.chain.head, 4, 0)


def test_a_bundle_counts_what_the_console_shows(school: School, whole: bytes) -> None:
    """The same marks, snapshots and gaps from events as from the database."""
    parts = Parts(whole)
    manifest = parts.manifest()
    told = facts.gathered(
        manifest, [(one, list(form.lines_in(parts[one.file]))) for one in manifest.chains]
    )
    now = school.centre.clock.now().at
    with school.centre.store.reading() as connection:
        for one in told.lessons:
            planned = books.lesson(connection, one.lesson.id)
            assert planned is not None
            shown = evidence.of_lesson(connection, planned, now)
            assert [pupil.marks for pupil in one.pupils] == [each.marks for each in shown.attendees]
            judged = credits.of_lesson(connection, planned, shown.shots, now)
            assert {each.trainee.id: each.hours for each in one.pupils} == judged.hours
            assert [(shot.sha256, shot.copy, shot.heads, shot.present) for shot in one.shots] == [
                (shot.sha256, shot.copy, shot.heads, shot.present) for shot in shown.shots
            ]
            assert [span for span, _ in one.gaps] == [hole.span for hole in shown.holes]


def test_nothing_of_others_is_in_a_bundle(school: School, whole: bytes) -> None:
    """No other class's trainee, no PIN's hash; of their scans only what names nobody."""
    for name, content in Parts(whole).files:
        assert STRANGER.encode() not in content, name
        assert b"PIN's hash" not in content, name


def test_the_schools_copy_masks_id_numbers(school: School, whole: bytes) -> None:
    """First 6 characters (R22); the authority's copy shows them whole, and has the sample."""
    identity = school.trainees[1].id
    shown = Parts(whole)[form.INDEX].decode()
    assert identity not in shown and identity[:6] + "*" in shown and "回访" not in shown
    theirs = Parts(school.bundle(form.AUTHORITY))[form.INDEX].decode()
    assert identity in theirs and "电话回访抽样" in theirs


def test_the_sample_can_be_drawn_again(school: School) -> None:
    """By anybody, with a tool for SHA-256: a tenth rounded up, from the heads of the chains."""
    parts = Parts(school.bundle(form.AUTHORITY))
    told = json.loads(parts[form.FIGURES])
    head = parts.events()[-1]["hash"]
    assert told["seed"] == hashlib.sha256(f"classbox-sample-1\n{head}\n".encode()).hexdigest()
    lots = {
        one.number: hashlib.sha256(f"{told['seed']}\n{one.id}".encode()).hexdigest()
        for one in school.trainees
    }
    assert told["sample"] == sorted(sorted(lots, key=lambda number: lots[number])[:2])
    for count, drawn in ((0, 0), (1, 1), (10, 1), (11, 2), (50, 5)):
        people = [Trainee(str(number), "", "x") for number in range(count)]
        assert len(figures.drawn(people, "seed")) == drawn


def test_names_are_short_and_plain(whole: bytes) -> None:
    """Windows unpacks them below any folder, in any language of the system."""
    names = zipfile.ZipFile(io.BytesIO(whole)).namelist()
    assert names[0] == form.INDEX
    assert max(map(len, names)) < _WINDOWS
    assert all(name.isascii() and form.NAMES.fullmatch(name) for name in names)


def test_equal_records_give_equal_bundles(school: School) -> None:
    """At the same time; nothing in it depends on when or where files were written."""
    assert school.bundle() == school.bundle()


def test_every_sort_of_exception_is_named_even_where_there_is_none(whole: bytes) -> None:
    """An inspector sees that it was looked for."""
    page = Parts(whole)[form.INDEX].decode()
    listed = re.findall(r'<div class="odd"><span>(.*?)</span><b class="(\w+)">(.*?)</b>', page)
    assert len(listed) == len(figures.EXCEPTIONS)
    assert all((kind == "none") == (number == "无") for _, kind, number in listed)
    assert {number for _, kind, number in listed if kind == "none"} == {"无"}


def test_a_later_stretch_begins_after_an_anchor(school: School) -> None:
    """Two days of two years need not all be handed over; both ends are signed by the centre."""
    from sync.central.bundle import gather

    office = gather.Office("", "Asia/Shanghai", school.centre.media, school.centre.signer)
    wish = gather.Wish(CLASS_ID, form.SCHOOL, START + 12 * 60 * MINUTE, START + 30 * DAY)
    written = io.BytesIO()
    gather.make(school.centre.store, office, wish, school.centre.clock.now().at, written)
    parts = Parts(written.getvalue())
    stated = parts.manifest().chains[0]
    first, *others = parts.anchors()
    last = others[-1]
    assert (first.seq, last.seq) == (stated.first - 1, stated.last)
    assert parts.events()[0]["seq"] == stated.first > 1
    key = school.centre.signer.public_key
    assert len(check(parts.zipped(), key).manifest.sittings) == 1
    parts.put_anchors(others)
    parts.signed(school.centre.signer)
    assert fault_of(parts.zipped(), key) == (
        "anchor_missing",
        f"{CHAIN} (room-203): {stated.first - 1}",
    )


def test_what_was_erased_is_said_and_a_body_that_comes_back_is_a_fault(tmp_path: Path) -> None:
    """The chain stays whole without it; claiming that an erased body is there is refused."""
    with taught(tmp_path) as school:
        parts = Parts(school.bundle())
        seq = parts.seq_of("scan.made")
        before = parts.events()[seq - 1]
        photo = json.loads(before["body"])["photo"]
        end = school.centre.clock.now().at
        school.tell(end, BodyErased([seq], "withdrawn"))
        school.tell(end, MediaDeleted(photo, "photo", "erased"))
        school.forget(photo)
        parts = Parts(school.bundle())
        key = school.centre.signer.public_key
        proven = check(parts.zipped(), key)
        assert (proven.erased, proven.figures.count("body_erased")) == (1, 1)
        events = parts.events()
        del events[seq - 1]["absent"]
        events[seq - 1] |= {"body": before["body"], "salt": before["salt"]}
        parts.put(events)
        parts.signed(school.centre.signer)
        assert fault_of(parts.zipped(), key) == (
            "erased_present",
            f"{CHAIN} (room-203): {seq} scan.made",
        )


def test_a_picture_that_never_came_is_an_exception(tmp_path: Path) -> None:
    """It is listed with its hash; the bundle is as good without it."""
    with taught(tmp_path) as school:
        photo = json.loads(Parts(school.bundle()).events()[2]["body"])["photo"]
        school.centre.media.delete(photo)
        proven = check(school.bundle(), school.centre.signer.public_key)
        assert proven.absent == 1
        assert proven.figures.count("media_away") == 1


def test_a_class_without_a_lesson_says_so(tmp_path: Path) -> None:
    """Planned lessons in the past that no box recorded are exceptions, not hours."""
    school = School(tmp_path)
    school.centre.clock.advance(10 * DAY)
    proven = check(school.bundle(), school.centre.signer.public_key)
    assert (proven.events, proven.figures.count("not_held"), proven.figures.held) == (0, 2, 0)
    school.centre.store.close()


def test_stamps_of_an_authority_are_in_it_and_hold(tmp_path: Path) -> None:
    """Real RFC 3161 stamps; with the authority's roots the check says when it saw the chains."""
    with taught(tmp_path / "school") as school, stamping(tmp_path / "outside") as authority:
        roots = witness.roots_in(authority.roots)
        with school.centre.store.reading() as connection:
            content = witness.statement(connection, "Centre", school.centre.signer)
        assert content is not None
        response = witness.obtain(authority.address, content, roots)
        now = school.centre.clock.now().at
        with school.centre.store.writing() as connection:
            witness.keep(connection, now, authority.address, content, response)
        file = tmp_path / "bundle.zip"
        file.write_bytes(school.bundle())
        assert check(file.read_bytes(), school.centre.signer.public_key).unchecked_stamps == 1
        words = ["--trust", school.centre.signer.public_key.hex(), "--roots", str(authority.roots)]
        done = CliRunner().invoke(main, ["evidence", "verify", str(file), *words])
        assert done.exit_code == 0 and "时间戳机构证明" in done.output, done.output
        parts = Parts(file.read_bytes())
        parts["stamps/1.tsr"] = response[:-40] + bytes(40)
        parts.signed(school.centre.signer)
        file.write_bytes(parts.zipped())
        done = CliRunner().invoke(main, ["evidence", "verify", str(file), *words])
        assert done.exit_code == 1 and "stamps/1.tsr" in done.output


def test_times_of_a_box_without_a_clock_are_those_of_the_console() -> None:
    """A boot that was corrected later is dated by that; one that never was, by its neighbours."""
    from tests.chains import Chain

    chain = Chain()
    chain.append(ServiceStarted("link", "1"), START)
    lost = Reading(5, "boot-2", 60_000_000_000, ClockQuality.UNSYNCHRONISED)
    event = replace(chain.records[-1].event, seq=3, reading=lost)
    after = Reading(START + DAY, "boot-3", 1_000_000, ClockQuality.SYNCHRONISED)
    last = replace(chain.records[-1].event, seq=4, reading=after)
    said = [(record.event, None) for record in chain.records] + [(event, None), (last, None)]
    moment = Dating(said, {}).moment(lost, 2)
    assert moment.latest is not None
    assert START <= moment.at <= moment.latest <= START + DAY + SECOND
    assert not moment.known
    truth = ClockCorrected("boot-2", START, 1000, "centre")
    known = [*said[:2], (event, truth), said[3]]
    at, exact = Dating(known, {}).scanned(lost, 2)
    assert (at, exact.known) == (START + 60_000_000, True)


class Bureau:
    """A centre's settings and its commands; the bureau's own machine has neither."""

    def __init__(self, school: School, folder: Path) -> None:
        self.file = folder / "evidence.zip"
        self.settings = folder / "centre.toml"
        self.settings.write_text(
            f'[centre]\nname = "校"\ndata_dir = "{school.centre.folder}"\n', "utf-8"
        )

    def centre(self, *words: str, status: int = 0) -> str:
        command = ["--config", str(self.settings), "centre", "evidence", *words]
        done: Result = CliRunner().invoke(main, command)
        assert done.exit_code == status, done.output
        return done.output


@pytest.fixture
def bureau(school: School, tmp_path: Path) -> Bureau:
    """Who makes a bundle, and who checks it."""
    return Bureau(school, tmp_path)


def test_a_bundle_is_made_and_checked_at_the_command_line(
    school: School, bureau: Bureau, tmp_path: Path
) -> None:
    """Fingerprint and file go different ways; the check runs where there is no setting at all."""
    days = ("--from", "2026-11-01", "--to", "2026-12-01", "--filed-hours", "4")
    told = bureau.centre("bundle", CLASS_ID, str(bureau.file), "--authority", *days)
    fingerprint = bureau.centre("key").strip()
    assert fingerprint in told
    classbox = Path(sys.executable).with_name("classbox")
    command = [str(classbox), "evidence", "verify", str(bureau.file)]
    elsewhere = {"PATH": "/usr/bin", "HOME": str(tmp_path), "PYTHONUTF8": "1"}

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*command, *words], cwd=tmp_path, env=elsewhere, capture_output=True, text=True
        )

    done = run("--trust", fingerprint.upper())
    assert done.returncode == 0, done.stderr
    assert "起未发现改动；不能证明内容真实，请结合照片核对" in done.stdout
    wrong = run("--trust", "0" * 64)
    assert wrong.returncode == 1
    assert "不是由您所信任的中心签名" in wrong.stdout and fingerprint in wrong.stdout
    assert run("--trust", "0000").returncode == 2


def test_the_check_needs_no_database_and_no_unix(
    school: School, whole: bytes, tmp_path: Path
) -> None:
    """An auditor's office PC has Python and three libraries: the rest may be missing."""
    file = tmp_path / "bundle.zip"
    file.write_bytes(whole)
    missing = ("fcntl", "pwd", "grp", "resource", "termios", "sqlite3", "sqlalchemy", "flask",
               "babel", "werkzeug", "paho", "numpy", "cv2", "PIL", "argon2")  # fmt: skip
    asked = (
        f"import sys; sys.modules.update(dict.fromkeys({missing!r})); "
        "import runpy; sys.argv = ['verify', 'verify', *sys.argv[1:]]; "
        "runpy.run_module('sync.central.bundle.verify_command', run_name='__main__')"
    )
    key = school.centre.signer.public_key.hex()
    command = [sys.executable, "-X", "utf8", "-c", asked, str(file), "--trust", key]
    done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("核验通过")


def test_who_asks_for_nothing_hears_what_to_do(bureau: Bureau) -> None:
    """A class that nobody teaches leaves no file behind."""
    told = bureau.centre("bundle", "class-9", str(bureau.file), status=1)
    assert "class-9: no timetable names a lesson of this class" in told
    assert not bureau.file.exists() and not bureau.file.with_name("evidence.zip.part").exists()


@pytest.fixture(scope="module")
def unpacked(school: School, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The authority's copy, extracted as Explorer does it."""
    folder = tmp_path_factory.mktemp("unpacked")
    zipfile.ZipFile(io.BytesIO(school.bundle(form.AUTHORITY))).extractall(folder)
    return folder / form.INDEX


@pytest.fixture(scope="module")
def complaints() -> list[str]:
    """What the browser complains of."""
    return []


@pytest.fixture(scope="module")
def page(browser: Browser, unpacked: Path, complaints: list[str]) -> Iterator[Page]:
    """The page, opened from the disk."""
    opened = browser.new_page(viewport={"width": 1440, "height": 900})
    opened.on("console", lambda message: complaints.append(message.text))
    opened.goto(unpacked.as_uri())
    yield opened
    opened.close()


def test_the_page_opens_from_a_disk_with_its_pictures(page: Page, complaints: list[str]) -> None:
    """Every picture of the contact sheet is shown, and the browser has nothing to complain of."""
    page.goto(page.url.partition("#")[0])
    page.wait_for_function(
        "[...document.querySelectorAll('#shots img')].every(one => one.naturalWidth > 0)"
    )
    assert page.locator("#shots img").count() == 13
    assert complaints == []


def test_a_click_shows_the_photos_and_escape_leads_back(page: Page) -> None:
    """Enrolment, in and out side by side; the keyboard is where it was."""
    cell = page.locator("#c1-1-1")
    cell.click()
    look = page.locator("#t1-1-1")
    assert look.is_visible()
    page.wait_for_function(
        "[...document.querySelectorAll('#t1-1-1 img')].every(one => one.naturalWidth > 0)"
    )
    assert look.locator("img").count() == 2
    assert "登记照未保存在中心" in look.inner_text()
    page.keyboard.press("Escape")
    assert not look.is_visible()
    assert page.evaluate("document.activeElement.id") == "c1-1-1"


def test_without_a_script_everything_can_be_read(page: Page, unpacked: Path) -> None:
    """Offices switch scripts off: a click leads to the photos and back all the same."""
    browser = page.context.browser
    assert browser is not None
    plain = browser.new_context(java_script_enabled=False).new_page()
    plain.goto(unpacked.as_uri())
    plain.locator("#c4-1-1").click()
    assert plain.locator("#t4-1-1").is_visible()
    plain.locator("#t4-1-1 .close").click()
    assert not plain.locator("#t4-1-1").is_visible()
    assert plain.locator("#page1 .sums b").all_inner_texts() == ["36", "33", "11", "4"]
