"""What goes wrong with cameras, from the lens to the screens: said with its remedy, and over again.

Real cameras, a real box and a real centre; alerts have their patience, so it takes minutes.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from threading import Event, Thread
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from playwright.sync_api import Browser, Page

from camera.picture import HEIGHT, MEDIAN_OF, WIDTH
from camera.sight import Sight, kept_view
from edge import alerts, bindings, queries
from edge.bindings import Binding
from edge.clock import SystemClock
from edge.config import parse
from edge.logins import Login, Logins
from edge.model import SECOND
from tests.brokers import Broker
from tests.camera.room import Room, ongoing, records_again
from tests.camera.small_disk import in_own_disk
from tests.camera.test_picture import report
from tests.processes import wait_for
from tests.system import System, lesson_at, roster
from tests.virtual_cameras import VirtualCamera, classroom

Image = NDArray[np.uint8]
Standing = set[tuple[str, str]]
# Looks, their median and the longest patience are about two minutes on a busy machine.
RAISED_WITHIN, CLEARED_WITHIN = 240, 240
REEL = 8


@dataclass(frozen=True)
class Fault:
    """One camera's fault: its code, what the touch screen says to do, and what the console says."""

    code: str
    remedy: str
    console: str


FAULTS = {
    "A1": Fault("picture_black", "请开灯，或取下镜头盖", "画面全黑"),
    "A2": Fault("picture_covered", "请移开镜头前的遮挡物", "镜头被遮挡"),
    "A3": Fault("picture_frozen", "请拔掉它的电源，十秒后再插上", "画面静止"),
    "A4": Fault("view_changed", "请把它转回对准教室", "画面变动"),
    "A5": Fault("offline", "请检查 A5 号网线", "摄像头离线"),
    "A6": Fault("refused", "请联系技术人员", "摄像头拒绝"),
}


@pytest.mark.real_speed
def test_each_fault_of_a_camera_is_said_with_its_remedy_and_clears_by_itself(
    tmp_path: Path, browser: Browser
) -> None:
    """Not bound; then black, covered, frozen, turned away, off, refused: ledger, kiosk, console."""
    profile = queries.shipped_profile("demo")
    with ExitStack() as stack:
        system = stack.enter_context(_system(tmp_path))
        kiosk, console = (_page(stack, browser, width) for width in (1024, 1440))
        lesson = lesson_at(SystemClock().now().at + 20 * SECOND, profile, hours=6)
        system.publish(lesson, profile, roster({"01": "艾琳"}))
        system.wait_for_documents()

        def said(on: Page, url: str, text: str) -> bool:
            on.goto(url)
            return text in on.inner_text("body")

        kiosk_says = partial(said, kiosk, f"{system.kiosk_url}status")
        console_says = partial(said, console, system.console_url)

        wait_for("no camera is bound", lambda: _standing(system) == {("box", "not_bound")}, 90)
        assert kiosk_says("请技术人员绑定摄像头")
        wait_for("the console says so", lambda: console_says("未绑定摄像头"), 30)

        cameras = _cameras(stack)
        room, reels = _reels(tmp_path)
        _remember(system, "A4", room)
        for name, camera in cameras.items():
            _bind(system, name, camera, "wrong" if name == "A6" else camera.password)
        wait_for("it is bound", lambda: ("box", "not_bound") not in _standing(system), 30)
        for name, reel in reels.items():
            cameras[name].show(reel)
        cameras["A5"].kill()
        expected = {(name, fault.code) for name, fault in FAULTS.items()}
        wait_for("every fault is raised", lambda: expected <= _standing(system), RAISED_WITHIN)
        assert _standing(system) == expected, "and nothing that is not so"
        for name, fault in FAULTS.items():
            assert kiosk_says(name) and kiosk_says(fault.remedy), (name, fault)
            wait_for("the console says so", partial(console_says, fault.console), 30)
        kiosk.goto(system.kiosk_url)
        assert "有不计课时风险" in kiosk.inner_text("body")

        for name in reels:
            cameras[name].show(tmp_path / "room")
        cameras["A5"].restart()
        _correct(system, "A6", cameras["A6"])
        wait_for("all is well", lambda: _standing(system) == set(), CLEARED_WITHIN)
        assert not any(kiosk_says(fault.remedy) for fault in FAULTS.values())
        wait_for(
            "the console is quiet",
            lambda: not any(console_says(fault.console) for fault in FAULTS.values()),
            30,
        )


@pytest.mark.real_speed
def test_a_recording_process_that_dies_again_and_again_is_said_to_record_nothing(
    tmp_path: Path,
) -> None:
    """As where memory is short: the camera answers, no video is kept; the alert is not about it."""
    with VirtualCamera() as camera:
        room = Room(tmp_path, [{"address": camera.address}], segment="01:00")
        ongoing(room)
        records_again(room, 1)
        with _killing(room):
            wait_for(
                "it is raised", lambda: _alerts(room.ledger) == {("cam-1", "not_recording")}, 60
            )
        assert room.state() == "not_recording"
        wait_for("it is cleared", lambda: _alerts(room.ledger) == set(), 60)
        room.recorder.stop()


@pytest.mark.real_speed
def test_a_full_disk_is_said_at_both_screens_and_costs_no_check_in_and_no_snapshot(
    tmp_path: Path,
) -> None:
    """A disk of 200 MiB fills in mid-lesson; with room again everybody hears nothing more."""
    disk = tmp_path / "box"
    disk.mkdir()
    in_own_disk(disk, "tests.journey.full_disk", kilobytes=200 * 1024, within=300)


@contextmanager
def _killing(room: Room) -> Iterator[None]:
    """Kill the recording process whenever there is one."""
    done = Event()

    def kill() -> None:
        while not done.wait(0.2):
            children = Path(f"/proc/{room.recorder.pid}/task/{room.recorder.pid}/children")
            for child in children.read_text("ascii").split():
                os.kill(int(child), signal.SIGKILL)

    killer = Thread(target=kill)
    killer.start()
    try:
        yield
    finally:
        done.set()
        killer.join()


def _alerts(ledger: Callable[[], Any]) -> Standing:
    with ledger() as opened, opened.store.read() as connection:
        return {(one.case.subject, one.case.code) for one in alerts.standing(connection)}


def _standing(system: System) -> Standing:
    return _alerts(system.ledger)


@contextmanager
def _system(folder: Path) -> Iterator[System]:
    with Broker() as broker:
        system = System(folder, broker, "", "")
        try:
            system.start_centre()
            system.start_box("link", "recorder", "kiosk")
            yield system
        finally:
            system.close()


def _page(stack: ExitStack, browser: Browser, width: int) -> Page:
    page = browser.new_page(viewport={"width": width, "height": 900}, locale="zh-CN")
    stack.callback(page.close)
    return page


def _cameras(stack: ExitStack) -> dict[str, VirtualCamera]:
    cameras = {name: VirtualCamera(rate=8) for name in FAULTS}
    cameras["A3"] = VirtualCamera(rate=8, kilobits=0)
    cameras["A6"] = VirtualCamera(rate=8, user="viewer", password="right")
    for camera in cameras.values():
        stack.enter_context(camera)
    return cameras


def _bind(system: System, name: str, camera: VirtualCamera, password: str) -> None:
    config = parse(system.box_toml.read_text("utf-8"), "box.toml", system.folder)
    with system.ledger() as ledger:
        login = Login(camera.user, password) if camera.user else Login("", "")
        binding = Binding(name, name, camera.address)
        bindings.bind(ledger, config, Logins(config.data_dir), binding, login)


def _correct(system: System, name: str, camera: VirtualCamera) -> None:
    config = parse(system.box_toml.read_text("utf-8"), "box.toml", system.folder)
    with system.ledger() as ledger:
        login = Login(camera.user, camera.password)
        bindings.set_login(ledger, Logins(config.data_dir), name, login)


def _remember(system: System, name: str, room: Image) -> None:
    """Let the box have learnt the view of a camera yesterday."""
    small = cv2.cvtColor(
        cv2.resize(room, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA), cv2.COLOR_BGR2GRAY
    ).astype(np.uint8)
    path = kept_view(system.folder / "box", name)
    sight = Sight(path)
    for number in range(MEDIAN_OF):
        sight.hear(report(small, mark=number))
    sight.findings()
    assert path.exists()


def _reels(folder: Path) -> tuple[Image, dict[str, Path]]:
    """Draw the room, and what cameras show that are black, covered, frozen and turned away."""
    classroom.draw_reel(folder / "room")
    room = np.asarray(cv2.imread(str(folder / "room" / "00010.jpg")), np.uint8)
    chance = np.random.default_rng(4)

    def noisy(image: Image) -> Image:
        noise = chance.integers(0, 7, image.shape)
        return np.clip(image.astype(np.int16) + noise, 0, 255).astype(np.uint8)

    turned = cv2.warpAffine(
        room,
        np.asarray([[1, 0, 400], [0, 1, 0]], np.float32),
        (room.shape[1], room.shape[0]),
        borderMode=cv2.BORDER_REFLECT,
    ).astype(np.uint8)
    shown = {
        "A1": [noisy(np.zeros_like(room)) for _ in range(REEL)],
        "A2": [noisy(np.full_like(room, (70, 90, 140))) for _ in range(REEL)],
        "A3": [room],
        "A4": [noisy(turned) for _ in range(REEL)],
    }
    for name, images in shown.items():
        (folder / name).mkdir()
        for number, image in enumerate(images):
            cv2.imwrite(str(folder / name / f"{number:05d}.jpg"), image)
    return room, {name: folder / name for name in shown}
