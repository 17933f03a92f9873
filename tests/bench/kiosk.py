"""How soon the touch screen says what was committed, and what the whole box takes of the memory.

``kiosk p95``: from the commit of a scan until a frame of Chromium shows the new count, over a
class of 50 who come one after another. ``memory``: all services of the box, without Chromium,
while two cameras are recorded.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import quantiles

from playwright.sync_api import Page, ViewportSize

from edge import events, queries
from edge.clock import SystemClock, monotonic
from edge.events import RecordingStarted, ScanMade
from edge.ledger import Ledger
from edge.model import MINUTE, Way
from tests.bench.figures import Figure
from tests.bench.usage import megabytes, with_children
from tests.boxes import send_documents
from tests.brokers import Broker
from tests.browser import chromium
from tests.demo.door_film import make_film
from tests.processes import wait_for
from tests.system import BOX_SERVICES, PERSON_AT_THE_DOOR, System, lesson_at, portrait, roster
from tests.virtual_cameras import VirtualCamera

CLASS_SIZE = 50
SCREEN: ViewportSize = {"width": 1024, "height": 600}
_COUNT = ".count b"
# The time is taken in the frame after the change: what was painted is what somebody can read.
_WATCH_THE_COUNT = """(selector) => {
  window.shown = {};
  const look = () => {
    const count = document.querySelector(selector)?.textContent;
    if (count !== undefined && !(count in window.shown)) {
      window.shown[count] = null;
      requestAnimationFrame(() => setTimeout(() => {
        window.shown[count] = performance.timeOrigin + performance.now();
      }));
    }
  };
  new MutationObserver(look).observe(document.body, {childList: true, subtree: true});
  look();
}"""
_TRANSFERRED = """() => ["navigation", "resource"]
  .flatMap((sort) => performance.getEntriesByType(sort))
  .filter((one) => !one.name.includes("stream") && !one.name.includes("door"))
  .reduce((sum, one) => sum + one.transferSize, 0)"""


def figures() -> Iterator[Figure]:
    """Measure on a whole box with real services, two virtual cameras and a class of 50."""
    with tempfile.TemporaryDirectory(prefix="bench-kiosk-") as name, _box(Path(name)) as system:
        yield Figure(
            name="cold start",
            ours=lambda: _cold_start(system),
            reference=None,
            unit="s until the first useful screen",
            reference_is="",
            goal="",
            rounds=3,
        )
        yield Figure(
            name="kiosk p95",
            ours=lambda: _committed_to_shown(system),
            reference=None,
            unit="ms",
            reference_is="",
            goal="ours <= 100",
            rounds=1,
        )
        yield Figure(
            name="page size",
            ours=lambda: _page_size(system),
            reference=None,
            unit="kB of the check-in page with all it loads",
            reference_is="",
            goal="",
            rounds=1,
        )
        system.start_box("link", "recorder", "greeter")
        wait_for("both cameras are recorded", lambda: len(_recorded(system)) == 2, 90)
        yield Figure(
            name="memory",
            ours=lambda: _memory(system),
            reference=None,
            unit="MB",
            reference_is="",
            goal="ours <= 450",
            rounds=1,
        )


@contextmanager
def _box(folder: Path) -> Iterator[System]:
    """Prepare a box whose lesson takes check-ins now; only its kiosk runs at first."""
    film = make_film(folder / "door.mp4", portrait())
    with Broker() as broker, VirtualCamera() as front, VirtualCamera() as back:
        system = System(folder, broker, front.address, f"file:{film}")
        second = f'\n[[camera]]\nid = "back"\nlabel = "A2"\naddress = "{back.address}"\n'
        with system.box_toml.open("a", encoding="utf-8") as settings:
            settings.write(second)
        profile = queries.shipped_profile("default")
        names = {f"{number:02d}": f"学员{number:02d}" for number in range(1, CLASS_SIZE + 1)}
        with system.ledger() as ledger:
            lesson = lesson_at(SystemClock().now().at + 10 * MINUTE, profile)
            send_documents(ledger, (lesson,), roster(names))
        system.run(system.box_toml, "people", "consent", PERSON_AT_THE_DOOR, "--signed")
        system.run(system.box_toml, "people", "add", PERSON_AT_THE_DOOR, "--photo", str(portrait()))
        try:
            system.start_box("kiosk")
            yield system
        finally:
            system.close()


def _cold_start(system: System) -> float:
    """Return how long the kiosk's service takes to serve the screen, beginning as a process."""
    kiosk = system.children["kiosk"]
    kiosk.kill()
    with _screen() as page:
        began = monotonic()
        kiosk.start()
        wait_for("the kiosk listens", lambda: _listens(page, system.kiosk_url))
        page.wait_for_selector(_COUNT)
        return monotonic() - began


def _committed_to_shown(system: System) -> float:
    with _screen() as page, system.ledger() as ledger:
        page.goto(system.kiosk_url)
        page.wait_for_selector(_COUNT)
        page.evaluate(_WATCH_THE_COUNT, _COUNT)
        waits = [_one(page, ledger, number) for number in range(1, CLASS_SIZE + 1)]
    return quantiles(waits, n=20)[-1]


def _one(page: Page, ledger: Ledger, number: int) -> float:
    """Let one more trainee check in; return the milliseconds from the commit to the frame."""
    clock = ledger.clock
    ledger.append(ScanMade(f"p-{number}", clock.now().at, Way.FACE, photo="", score=8000))
    committed = clock.now().at / 1000
    shown = page.wait_for_function("(count) => window.shown[count]", arg=str(number))
    return float(shown.json_value()) - committed


def _page_size(system: System) -> float:
    with _screen() as page:
        page.goto(system.kiosk_url)
        page.wait_for_selector(_COUNT)
        return float(page.evaluate(_TRANSFERRED)) / 1000


def _memory(system: System) -> float:
    return sum(
        megabytes(pid) for name in BOX_SERVICES for pid in with_children(system.children[name].pid)
    )


def _recorded(system: System) -> set[str]:
    with system.ledger() as ledger:
        bodies = [
            events.decode(record.event.kind, record.body)
            for record in ledger.events(0)
            if record.event.kind == RecordingStarted.kind and record.body
        ]
    return {body.camera for body in bodies if isinstance(body, RecordingStarted)}


def _listens(page: Page, url: str) -> bool:
    try:
        answer = page.goto(url)
    except Exception as error:
        if "ERR_CONNECTION_REFUSED" in str(error):
            return False
        raise
    return answer is not None and answer.ok


@contextmanager
def _screen() -> Iterator[Page]:
    with chromium() as browser:
        page = browser.new_page(viewport=SCREEN)
        try:
            yield page
        finally:
            page.close()
