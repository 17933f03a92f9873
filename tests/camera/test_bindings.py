"""Which cameras belong to the room: by settings and by facts, moved, linked and unbound."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from camera.discovery import Found
from camera.door import bound_door
from camera.failures import Failure, StreamFailed
from camera.photo import is_whole_jpeg
from camera.whereabouts import Refusals, Whereabouts, find, same_camera
from edge import bindings, cameras, requests
from edge.bindings import Binding, NotBound
from edge.camera_events import CameraClockSet, CameraIdentified, CameraMoved, CameraSetUp
from edge.clock import SimulatedClock, SystemClock
from edge.config import CameraConfig, parse
from edge.events import Body, RecordingStored, RequestAnswered, RequestRefused
from edge.ledger import Ledger, projection_rows
from edge.logins import Login, Logins
from edge.model import MINUTE, ClockQuality
from tests.boxes import open_ledger, with_a_camera
from tests.camera.room import Room, everything_plays, ongoing, records_again
from tests.processes import wait_for
from tests.virtual_cameras import VirtualCamera
from tests.virtual_cameras.network import NOT_ROOT, Cable, may_lay_cables
from tests.virtual_cameras.onvif import OnvifCamera
from tests.virtual_cameras.onvif_device import OnvifDevice

SPARE = Binding("spare", "备用", "rtsp://10.0.0.9/1", role="spare", serial="C31234567")


def in_force(ledger: Ledger, folder: Path) -> tuple[CameraConfig, ...]:
    with ledger.store.read() as connection:
        return bindings.in_force(connection, with_a_camera(folder), Logins(folder))


def test_cameras_of_settings_and_bound_ones_are_in_force(tmp_path: Path) -> None:
    """Classroom cameras come before spare ones; each with its own login; door cameras last."""
    with open_ledger(tmp_path, SystemClock()) as ledger:
        config, logins = with_a_camera(tmp_path), Logins(tmp_path)
        door = Binding("a-door", "门口", "v4l2:/dev/video0", role="door")
        bindings.bind(ledger, config, logins, door, Login())
        bindings.bind(ledger, config, logins, SPARE, Login("admin", "secret"))
        with pytest.raises(NotBound, match=r"in box\.toml"):
            bindings.bind(ledger, config, logins, replace(SPARE, id="wall"), Login())
        found = in_force(ledger, tmp_path)
        assert [one.id for one in found] == ["wall", "spare", "a-door"]
        assert (found[1].user, found[1].password) == ("admin", "secret")
        assert "secret" not in repr(found)
        bindings.unbind(ledger, "spare")
        assert [one.id for one in in_force(ledger, tmp_path)] == ["wall", "a-door"]


def test_a_lost_key_costs_the_login_and_not_the_other_cameras(tmp_path: Path) -> None:
    """The camera is then refused, and says how to give the login again."""
    with open_ledger(tmp_path, SystemClock()) as ledger:
        bindings.bind(
            ledger, with_a_camera(tmp_path), Logins(tmp_path), SPARE, Login("u", "secret")
        )
        (tmp_path / "keys" / "cameras.key").unlink()
        assert [(one.id, one.user) for one in in_force(ledger, tmp_path)] == [
            ("wall", ""),
            ("spare", ""),
        ]


def test_a_login_moved_to_another_camera_does_not_open(tmp_path: Path) -> None:
    """Who can write to the database cannot send one camera's password to another."""
    with open_ledger(tmp_path, SystemClock()) as ledger:
        config, logins = with_a_camera(tmp_path), Logins(tmp_path)
        bindings.bind(ledger, config, logins, SPARE, Login("u", "secret"))
        with ledger.writing() as writer:
            writer.execute("UPDATE camera_login SET camera = 'wall'")
        with ledger.store.read() as connection, pytest.raises(Exception, match="does not open"):
            logins.of(connection, "wall")


def test_a_moved_camera_is_followed_until_its_settings_change(tmp_path: Path) -> None:
    """Two moves count from the address in the settings; a new address there ends them."""
    with open_ledger(tmp_path, SystemClock()) as ledger:
        ledger.append(CameraMoved("wall", "S", "onvif://10.0.0.8", "onvif://10.0.0.20"))
        ledger.append(CameraMoved("wall", "S", "onvif://10.0.0.20", "onvif://10.0.0.21"))
        ledger.append(CameraIdentified("wall", "Acme", "Eye", "S", "1", ""))
        (wall,) = in_force(ledger, tmp_path)
        assert (wall.address, wall.serial) == ("onvif://10.0.0.21", "S")
        with ledger.store.read() as connection:
            facts = cameras.stated(connection)["wall"]
        assert cameras.address_now("onvif://10.0.0.99", facts) == "onvif://10.0.0.99"


def test_a_rebuild_gives_the_same_cameras(tmp_path: Path) -> None:
    """What is known of cameras is derived from the events alone."""
    with open_ledger(tmp_path, SystemClock()) as ledger:
        config, logins = with_a_camera(tmp_path), Logins(tmp_path)
        bindings.bind(ledger, config, logins, SPARE, Login("u", "secret"))
        bindings.bind(ledger, config, logins, replace(SPARE, id="b", address="rtsp://h/2"), Login())
        bindings.unbind(ledger, "b")
        bindings.link(ledger, "spare", "lesson-1", linked=True)
        ledger.append(CameraMoved("wall", "S", "onvif://10.0.0.8", "onvif://10.0.0.20"))
        ledger.append(CameraSetUp("wall", "H264", 1920, 1080, 25, 2000, 4096, ("no_osd",)))
        before = projection_rows(ledger)
        ledger.rebuild()
        assert projection_rows(ledger) == before
        assert [one.user for one in in_force(ledger, tmp_path)] == ["", "u"]


@pytest.mark.parametrize(
    ("role", "linked", "expected"),
    [
        ("classroom", (), True),
        ("spare", (), False),
        ("spare", ("c",), True),
        ("classroom", ("other",), False),
        ("door", ("c",), False),
    ],
)
def test_who_films_a_lesson(role: str, linked: tuple[str, ...], expected: bool) -> None:
    """All of the classroom, unless the lesson has cameras of its own; the door's never."""
    camera = CameraConfig("c", "C", "rtsp", "rtsp://h/1", "tcp", "", "", role=role)
    links = {"lesson-1": frozenset(linked)} if linked else {}
    assert bindings.films(camera, "lesson-1", links) is expected


@pytest.mark.parametrize(
    ("known", "said", "expected"),
    [
        ("", "S1", True),
        ("C31234567", "DS-2CD2143G0-I20180801AAWRC31234567", True),
        ("ds-2cd-c31234567", "C31234567", True),
        ("C31234567", "DS-2CD2143G0-I20180801AAWRC31234568", False),
        ("7", "DS-2CD2143G0-I20180801AAWRC31234567", False),
    ],
)
def test_a_label_and_a_camera_may_write_one_number_differently(
    known: str, said: str, expected: bool
) -> None:
    """Labels show the end of what ONVIF says; a few letters in common tell nothing."""
    assert same_camera(known, said) is expected


def test_a_strangers_camera_is_never_taken_for_the_rooms(tmp_path: Path) -> None:
    """After a shuffle of addresses another room's camera answers: it is refused by its number."""
    with OnvifDevice() as device, open_ledger(tmp_path, SystemClock()) as ledger:
        camera = CameraConfig(
            *("c", "C", "onvif", device.address, "tcp", device.user, device.password),
            serial="SOMEONE-ELSES-1",
        )
        where = Whereabouts(camera, ledger, "Asia/Shanghai")
        with pytest.raises(StreamFailed, match="another camera answers there") as caught:
            wait_for("an answer", where.address)
        assert caught.value.kind is Failure.ANOTHER
        assert where.identity is None and where.stream() == ""


def test_a_search_asks_each_camera_once_and_no_camera_that_works(tmp_path: Path) -> None:
    """Cameras lock the account of who tries often: a refusal is remembered."""
    with OnvifDevice(password="of another room") as other, OnvifDevice(serial="MINE-0001") as mine:
        camera = CameraConfig(
            *("c", "C", "onvif", "onvif://10.0.0.8", "tcp", mine.user, mine.password),
            serial="MINE-0001",
        )
        seen = [Found(one.address, "", "", "", "") for one in (other, mine)]
        refused: Refusals = set()
        assert find(camera, frozenset(), refused, seen) == mine.address
        tries = other.refused
        assert tries > 0
        assert find(camera, frozenset({mine.address}), refused, seen) == ""
        assert other.refused == tries


def test_a_camera_back_from_a_power_cut_is_set_right_by_the_recorder(tmp_path: Path) -> None:
    """Its pictures said 1970 until then: the fact is in the ledger. A box in doubt sets nothing."""
    clock = SimulatedClock(SystemClock().now().at)
    with OnvifDevice() as device, open_ledger(tmp_path, clock) as ledger:
        camera = CameraConfig(
            *("c", "C", "onvif", device.address, "tcp", device.user, device.password)
        )
        for quality, kept in (
            (ClockQuality.UNSYNCHRONISED, True),
            (ClockQuality.SYNCHRONISED, False),
        ):
            device.clock_offset = timedelta(days=-20_000)
            clock.reboot(SystemClock().now().at, "boot-2", quality)
            wait_for("an answer", Whereabouts(camera, ledger, "Asia/Shanghai").address)
            assert (device.clock_offset == timedelta(days=-20_000)) is kept
        kinds = [record.event.kind for record in ledger.records()]
        assert kinds.count(CameraClockSet.kind) == 1


def test_the_door_camera_may_be_bound_too(tmp_path: Path) -> None:
    """The greeter takes it where the settings name none, with its login."""
    with open_ledger(tmp_path, SystemClock()) as ledger:
        config, logins = with_a_camera(tmp_path), Logins(tmp_path)
        assert bound_door(ledger.store, config) is None
        door = Binding("d", "门口", "rtsp://10.0.0.9/1", role="door")
        bindings.bind(ledger, config, logins, door, Login("u", "p"))
        found = bound_door(ledger.store, config)
        assert found is not None and found.source == "rtsp://u:p@10.0.0.9/1"
        assert "rtsp" not in repr(found)


def test_the_recorder_follows_bindings_while_it_runs(tmp_path: Path) -> None:
    """A camera bound in mid-lesson is recorded from then on, another unbound no more."""
    with VirtualCamera(user="u", password="pw-good") as camera:
        room = Room(tmp_path, [])
        window = ongoing(room)
        config = parse(room.settings.read_text("utf-8"), "box.toml", tmp_path)
        logins = Logins(room.data_dir)
        with room.ledger() as ledger:
            binding = Binding("cam-1", "C1", camera.address)
            bindings.bind(ledger, config, logins, binding, Login("u", "pw-bad"))
            wait_for("the lamp shows it", lambda: room.state() == "refused")
            bindings.set_login(ledger, logins, "cam-1", Login("u", "pw-good"))
            wait_for("a recording", lambda: room.state() == "recording")
            bindings.unbind(ledger, "cam-1")
        wait_for("its part is stored", lambda: room.facts(RecordingStored))
        wait_for("its lamp is gone", lambda: not room.lamps())
        room.recorder.stop()
        everything_plays(room, window)
        log = room.recorder.log.read_text("utf-8")
    assert "pw-good" not in log and "pw-bad" not in log


def test_the_recorder_tries_cameras_for_the_kiosk(tmp_path: Path) -> None:
    """A request bound to a camera is answered with a photo in tmpfs, or with words."""
    with VirtualCamera() as camera:
        room = Room(tmp_path, [{"address": camera.address}])
        room.start()
        with room.ledger() as ledger:
            tried = requests.ask(ledger, requests.CAMERA_TEST, {"camera": "cam-1"}, MINUTE)
            unknown = requests.ask(ledger, requests.CAMERA_TEST, {"camera": "cam-9"}, MINUTE)
            plain = requests.ask(ledger, requests.CAMERA_SET_UP, {"camera": "cam-1"}, MINUTE)

            def answers() -> list[Body | None]:
                with ledger.store.read() as connection:
                    return [requests.answer_of(connection, one) for one in (tried, unknown, plain)]

            wait_for("three answers", lambda: all(answers()))
            good, *refused = answers()
        room.recorder.stop()
    assert isinstance(good, RequestAnswered)
    assert good.result == {"photo": "test-cam-1.jpg", "findings": ["no_onvif"]}
    assert is_whole_jpeg((tmp_path / "run" / "test-cam-1.jpg").read_bytes())
    assert all(isinstance(one, RequestRefused) for one in refused)


@pytest.mark.skipif(not may_lay_cables(), reason=NOT_ROOT)
def test_a_camera_that_moved_is_found_again_by_its_serial_number(tmp_path: Path) -> None:
    """Its address changes in mid-lesson: searched for, stated, recorded again."""
    with Cable() as cable, OnvifCamera(cable) as camera:
        room = Room(tmp_path, [], inside=cable.box)
        with room.ledger() as ledger:
            binding = Binding("cam-1", "C1", camera.address)
            login = Login(camera.user, camera.password)
            config = parse(room.settings.read_text("utf-8"), "box.toml", tmp_path)
            bindings.bind(ledger, config, Logins(room.data_dir), binding, login)
        before = camera.address
        window = ongoing(room)
        records_again(room, 1)
        cable.give("192.0.2.99")
        wait_for("the camera is found again", lambda: room.facts(CameraMoved), 90)
        records_again(room, 2)
        room.recorder.stop()
        assert room.facts(CameraMoved) == [
            CameraMoved("cam-1", camera.serial, before, camera.address)
        ]
        assert len(room.facts(CameraIdentified)) == 1
        assert len(room.facts(RecordingStored)) >= 2
        everything_plays(room, window)
        assert camera.password not in room.recorder.log.read_text("utf-8")
