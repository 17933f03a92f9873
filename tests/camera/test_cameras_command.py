"""``classbox cameras`` as a technician uses it, with real cameras and real processes."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from camera.photo import is_whole_jpeg
from edge import cameras, events
from edge.camera_events import CameraBound, CameraIdentified, CameraSetUp, CameraUnbound
from edge.clock import SystemClock
from edge.events import Body
from tests.boxes import lesson_of, open_ledger, roster_of, send_documents
from tests.processes import CLASSBOX
from tests.virtual_cameras import VirtualCamera
from tests.virtual_cameras.onvif_device import OnvifDevice

PASSWORD = "s3cret-of-the-camera"
CODE = "ABCDEF"


@dataclass
class Desk:
    """A technician's desk: one box's settings, and files with a password and a code."""

    folder: Path

    def __post_init__(self) -> None:
        self.settings = self.folder / "box.toml"
        self.settings.write_text(
            '[box]\nid = "room-203"\nroom = "203"\ndata_dir = "box"\nruntime_dir = "run"\n'
            'clock = "trusted"\n',
            "utf-8",
        )
        (self.folder / "password").write_text(f"{PASSWORD}\n")
        (self.folder / "code").write_text(f"{CODE}\n")

    def classbox(self, *words: str | Path) -> subprocess.CompletedProcess[str]:
        """Run ``classbox cameras …``."""
        return subprocess.run(
            [CLASSBOX, "--config", self.settings, "cameras", *words],
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "TMPDIR": str(self.folder)},
        )

    def add(self, address: str, *words: str | Path) -> subprocess.CompletedProcess[str]:
        """Add a camera with the password of the file."""
        login = ("--user", "admin", "--password-file", self.folder / "password")
        return self.classbox("add", address, "--name", "前摄像头", *login, *words)

    def facts(self, kind: type[Body]) -> list[Body]:
        """Return the bodies of all events of that kind."""
        with open_ledger(self.folder / "box", SystemClock()) as ledger:
            return [
                events.decode(record.event.kind, record.body)
                for record in ledger.records()
                if record.event.kind == kind.kind and record.body is not None
            ]

    def leaks(self) -> list[str]:
        """Return the files of the box that hold the password or the code."""
        return [
            file.name
            for file in (self.folder / "box").rglob("*")
            if file.is_file() and any(one.encode() in file.read_bytes() for one in (PASSWORD, CODE))
        ]


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """Lend a desk."""
    return Desk(tmp_path)


def test_an_onvif_camera_is_bound_tried_and_set_up(desk: Desk, tmp_path: Path) -> None:
    """One command from the address to a camera that records; every word of staff is kept."""
    with (
        VirtualCamera(user="admin", password=PASSWORD) as lens,
        OnvifDevice(stream=lens.address, password=PASSWORD) as device,
    ):
        picture = tmp_path / "test.jpg"
        bare = device.address.removeprefix("onvif://")
        done = desk.add(
            *(bare, "--photo", picture, "--type", "半球", "--serial", "C31234567"),
            *("--code-file", tmp_path / "code"),
        )
        assert done.returncode == 0, done.stderr
        assert is_whole_jpeg(picture.read_bytes())
        assert "登录成功" in done.stdout and "Acme Eye 4" in done.stdout
        assert desk.facts(CameraBound) == [
            CameraBound(
                camera="camera-1",
                label="前摄像头",
                type="半球",
                role="classroom",
                room="203",
                protocol="onvif",
                address=device.address,
                transport="tcp",
                serial="C31234567",
                by="box",
            )
        ]
        (said,), (made,) = desk.facts(CameraIdentified), desk.facts(CameraSetUp)
        assert isinstance(said, CameraIdentified) and said.serial == device.serial
        assert isinstance(made, CameraSetUp) and made.findings == ["no_snapshot_address"]
        assert [one.text for one in device.osds] == ["", "203"]

        again = desk.add(device.address)
        assert again.returncode == 1 and "bound already, as camera-1" in again.stderr
        shown = desk.classbox("show", "camera-1").stdout
        assert "验证码 code: 已登记" in shown and "Acme Eye 4" in shown and "半球" in shown
        assert "抓拍改从视频流中取" in shown
        assert device.address in desk.classbox("list").stdout
    outputs = done.stdout + done.stderr + shown
    assert PASSWORD not in outputs and CODE not in outputs
    assert desk.leaks() == []


def test_a_wrong_password_is_said_and_nothing_is_bound(desk: Desk) -> None:
    """gst-rtsp-server with Digest: the right password gives a picture, the wrong one words."""
    with VirtualCamera(user="admin", password="another") as lens:
        refused = desk.add(lens.address)
    assert refused.returncode == 1
    assert "用户名或密码不对" in refused.stderr and PASSWORD not in refused.stderr
    assert desk.facts(CameraBound) == []
    with VirtualCamera(user="admin", password=PASSWORD) as lens:
        bound = desk.add(lens.address)
        assert bound.returncode == 0 and "没有 ONVIF" in bound.stdout
        assert desk.classbox("test", "camera-1").returncode == 0
        (desk.folder / "password").write_text("mistyped")
        changed = desk.classbox(
            *("login", "camera-1", "--user", "admin", "--password-file", desk.folder / "password")
        )
        assert changed.returncode == 0
        tested = desk.classbox("test", "camera-1")
    assert tested.returncode == 1 and "用户名或密码不对" in tested.stdout


def test_a_camera_that_is_not_there_yet_can_be_bound_anyway(desk: Desk) -> None:
    """Prepared at the desk before it hangs on the wall."""
    assert desk.add("rtsp://127.0.0.1:9/x").returncode == 1
    done = desk.add("rtsp://127.0.0.1:9/x", "--anyway", "--id", "front")
    assert done.returncode == 0 and "连接不上摄像机" in done.stdout
    assert len(desk.facts(CameraBound)) == 1


def test_a_removed_camera_leaves_no_login_and_its_id_to_nobody(desk: Desk) -> None:
    """Recordings go by the id: another camera must not get it by itself."""
    desk.add("rtsp://127.0.0.1:9/x", "--anyway")
    assert desk.classbox("remove", "camera-1").returncode == 0
    assert desk.facts(CameraUnbound) == [CameraUnbound("camera-1", "box")]
    with open_ledger(desk.folder / "box", SystemClock()) as ledger, ledger.store.read() as rows:
        assert rows.execute("SELECT count(*) FROM camera_login").fetchone()[0] == 0
    assert desk.classbox("remove", "camera-1").returncode == 1
    assert "camera-2" in desk.add("rtsp://127.0.0.1:9/x", "--anyway").stdout


@pytest.mark.parametrize(
    ("address", "says"),
    [
        ("rtsp://admin:pw@10.0.0.8/1", "leave user and password out"),
        ("http:///onvif", "no camera's address"),
        ("v4l2:/dev/video0", "at the door only"),
    ],
)
def test_an_address_that_cannot_be_is_refused(desk: Desk, address: str, says: str) -> None:
    """What a technician might type, with what to do instead."""
    done = desk.classbox("add", address, "--name", "x", "--anyway")
    assert done.returncode == 1 and says in done.stderr
    assert "pw" not in done.stderr


def test_a_usb_camera_that_is_unplugged_is_named(desk: Desk) -> None:
    """The door camera's device is missing: its name and what to look at."""
    done = desk.classbox("add", "/dev/video97", "--name", "door", "--role", "door")
    assert done.returncode == 1 and "no camera at /dev/video97" in done.stderr


def test_a_spare_camera_is_linked_to_a_lesson(desk: Desk) -> None:
    """The link is a fact; unknown cameras and lessons are refused."""
    desk.add("rtsp://127.0.0.1:9/x", "--anyway", "--role", "spare")
    with open_ledger(desk.folder / "box", SystemClock()) as ledger:
        send_documents(ledger, (lesson_of(("09:00", "09:45")),), roster_of())
    assert desk.classbox("link", "camera-9", "lesson-1").returncode == 1
    assert desk.classbox("link", "camera-1", "lesson-9").returncode == 1
    assert desk.classbox("link", "camera-1", "lesson-1").returncode == 0
    with open_ledger(desk.folder / "box", SystemClock()) as ledger, ledger.store.read() as rows:
        assert cameras.links(rows) == {"lesson-1": frozenset({"camera-1"})}
    assert desk.classbox("link", "camera-1", "lesson-1", "--off").returncode == 0
    with open_ledger(desk.folder / "box", SystemClock()) as ledger, ledger.store.read() as rows:
        assert cameras.links(rows) == {}


def test_all_cameras_are_tried_at_once(desk: Desk) -> None:
    """``classbox cameras test`` names what works and what does not, and its exit status."""
    assert "classbox cameras add" in desk.classbox("test").stderr
    with VirtualCamera() as camera:
        with desk.settings.open("a", encoding="utf-8") as file:
            file.write(
                f'[[camera]]\nid = "front"\naddress = "{camera.address}"\n'
                '[[camera]]\nid = "back"\naddress = "rtsp://127.0.0.1:9/x"\n'
            )
        done = desk.classbox("test")
    assert done.returncode == 1
    lines = done.stdout.splitlines()
    front = next(line for line in lines if line.startswith("front: 试拍照片"))
    assert is_whole_jpeg(Path(front.rpartition(": ")[2]).read_bytes())
    assert any(line.startswith("back: 连接不上摄像机") for line in lines)
