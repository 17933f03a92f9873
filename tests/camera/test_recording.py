"""The recording process and the stream under it, against real RTSP cameras."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import av
import pytest

from camera import photo
from camera.failures import Failure, StreamFailed
from camera.photo import is_whole_jpeg
from camera.recording import Order
from camera.segment import duration_of, mend
from camera.stream import Stream, with_login
from camera.supervision import Child, NoPhoto
from edge.clock import SystemClock
from edge.model import MINUTE, SECOND
from tests.camera.parts import drafts, said
from tests.camera.room import frames, sound_of
from tests.processes import wait_for
from tests.virtual_cameras import VirtualCamera
from tests.virtual_cameras.cut_cable import CutCable


@pytest.fixture(scope="module")
def camera() -> Iterator[VirtualCamera]:
    """Lend one camera with a login and a slow group of pictures."""
    with VirtualCamera(user="viewer", password="p@ss: w/rd", key_frame_seconds=2) as running:
        yield running


def login(camera: VirtualCamera) -> str:
    """Return the camera's address with its login in it."""
    return with_login(camera.address, camera.user, camera.password)


def child_of(folder: Path, address: str, segment_s: int = 600) -> Child:
    """Start a recording process for *address*."""
    return Child(Order("cam-1", address, "tcp", str(folder / "media"), segment_s * SECOND))


@pytest.mark.parametrize(
    ("audio", "recorded"),
    [("", ""), ("aac", "aac"), ("alaw", "aac"), ("mulaw", "aac"), ("opus", "")],
)
def test_sound_never_costs_the_picture(tmp_path: Path, audio: str, recorded: str) -> None:
    """AAC is copied, G.711 becomes AAC, other sound is left out with a word; the picture plays."""
    with VirtualCamera(audio=audio) as camera:
        child = child_of(tmp_path, camera.address)
        child.record(("lesson-1",))
        wait_for("video is on the disk", lambda: child.grows() and said(child, "alive")[2:])
        child.stop()
    (note,) = (report["note"] for report in said(child, "streaming"))
    assert ("set its audio encoding to AAC" in note) == (audio == "opus")
    ((body, path),) = drafts(tmp_path)
    shown = frames(path)
    assert shown[0] == 0.0
    assert len(shown) > 10
    codec, seconds = sound_of(path)
    assert codec == recorded
    if recorded:
        assert abs(seconds - shown[-1]) < 1.0
    assert body.end > body.start and not body.interrupted


def test_the_first_group_of_pictures_is_kept(camera: VirtualCamera, tmp_path: Path) -> None:
    """The first key frame of an RTSP session has no time stamps and counts all the same."""
    with Stream(login(camera)) as stream:
        first = next(iter(stream.packets()))
        assert first.is_keyframe and first.dts == 0
    child = child_of(tmp_path, login(camera))
    child.record(("lesson-1",))
    wait_for("a part is open", lambda: said(child, "opened"))
    child.stop()
    ((_, path),) = drafts(tmp_path)
    assert frames(path)[0] == 0.0


def test_parts_are_cut_at_key_frames_and_leave_nothing_out(
    camera: VirtualCamera, tmp_path: Path
) -> None:
    """Each part plays by itself from its first picture; one ends where the next begins."""
    child = child_of(tmp_path, login(camera), segment_s=2)
    child.record(("lesson-1",))
    wait_for("a second part is open", lambda: len(said(child, "opened")) >= 2)
    child.stop()
    parts = drafts(tmp_path)
    assert len(parts) >= 2
    for (body, path), (following, _) in pairwise(parts):
        assert body.end == following.start
        played = duration_of(path)
        assert played is not None and abs(played - (body.end - body.start)) < SECOND // 2
    assert sum(len(frames(path)) for _, path in parts) > 15


def test_the_last_key_frame_is_a_picture(camera: VirtualCamera, tmp_path: Path) -> None:
    """A photo shows the present moment, without a second connection to the camera."""
    child = child_of(tmp_path, login(camera))
    try:
        wait_for("the camera streams", lambda: said(child, "alive"))
        picture = tmp_path / "picture.jpg"
        at = child.photo(picture)
        assert is_whole_jpeg(picture.read_bytes())
        assert 0 <= SystemClock().now().at - at < MINUTE
    finally:
        child.kill()
    with pytest.raises(NoPhoto):
        child.photo(tmp_path / "another.jpg")


def test_a_quick_look_gives_a_picture_too(camera: VirtualCamera, tmp_path: Path) -> None:
    """Without a recording the first key frame of a new session serves."""
    picture = tmp_path / "picture.jpg"
    assert photo.from_stream(login(camera), "tcp", picture) > 0
    assert is_whole_jpeg(picture.read_bytes())


def test_a_killed_process_loses_the_last_moment_only(camera: VirtualCamera, tmp_path: Path) -> None:
    """After kill -9 the draft says when it began, and the file plays up to the kill."""
    child = child_of(tmp_path, login(camera))
    child.record(("lesson-1",))
    wait_for("some seconds are recorded", lambda: len(said(child, "alive")) >= 4)
    child.kill()
    killed = SystemClock().now().at
    ((body, path),) = drafts(tmp_path)
    assert body.end == body.start and body.interrupted
    mend(path)
    played = duration_of(path)
    assert played is not None
    assert killed - (body.start + played) < 3 * SECOND
    assert len(frames(path)) > 10


def test_a_torn_end_is_cut_off(camera: VirtualCamera, tmp_path: Path) -> None:
    """Wherever a file is cut, what came before the torn fragment plays, if there is any."""
    child = child_of(tmp_path, login(camera))
    child.record(("lesson-1",))
    wait_for("some seconds are recorded", lambda: len(said(child, "alive")) >= 4)
    child.kill()
    ((_, path),) = drafts(tmp_path)
    whole = path.read_bytes()
    shown = []
    for cut in (0, 5, 40, *range(1000, len(whole), len(whole) // 7), len(whole) - 1):
        path.write_bytes(whole[:cut])
        mend(path)
        shown.append(len(frames(path)) if duration_of(path) else 0)
    assert shown == sorted(shown)
    assert shown[:3] == [0, 0, 0] and shown[-1] > 10


def test_the_process_ends_when_its_parent_is_gone(camera: VirtualCamera, tmp_path: Path) -> None:
    """Without the kernel's help too: a closed standard input ends it, and the part with it."""
    child = child_of(tmp_path, login(camera))
    child.record(("lesson-1",))
    wait_for("it records", lambda: child.grows())
    assert child._process.stdin is not None
    child._process.stdin.close()
    wait_for("it ends", lambda: not child.running)
    child.kill()
    ((body, _),) = drafts(tmp_path)
    assert body.end > body.start


def test_the_login_stands_in_no_process_list(camera: VirtualCamera, tmp_path: Path) -> None:
    """Neither the command line nor the environment of a child holds it."""
    child = child_of(tmp_path, login(camera))
    try:
        wait_for("the camera streams", lambda: said(child, "alive"))
        for file in ("cmdline", "environ"):
            content = Path(f"/proc/{child.pid}/{file}").read_bytes()
            assert b"w%2Frd" not in content and camera.password.encode() not in content
    finally:
        child.kill()


def failure_of(address: str, transport: str = "auto") -> StreamFailed:
    """Return how dialling *address* fails."""
    with pytest.raises(StreamFailed) as caught:
        Stream(address, transport=transport)
    return caught.value


def test_what_goes_wrong_is_told_apart(camera: VirtualCamera) -> None:
    """Refused, unknown path, absent, not RTSP: each message names its own remedy."""
    wrong = with_login(camera.address, "viewer", "wr0ng")
    cases = {
        camera.address: (Failure.REFUSED, "password"),
        wrong: (Failure.REFUSED, "password"),
        login(camera).replace("/main", "/other"): (Failure.UNUSABLE, "path"),
        "rtsp://127.0.0.1:9/main": (Failure.UNREACHABLE, "power"),
        "rtsp://no-such-camera.invalid/main": (Failure.UNREACHABLE, "address"),
    }
    for address, (kind, word) in cases.items():
        failure = failure_of(address)
        assert failure.kind is kind, address
        assert word in str(failure)
        assert "wr0ng" not in str(failure) and "w%2Frd" not in str(failure)


def test_a_frozen_camera_is_silent_and_not_something_else() -> None:
    """It takes the connection and never answers: look at its cable, not at its address."""
    with VirtualCamera() as camera:
        camera.freeze()
        assert failure_of(camera.address).kind is Failure.SILENT


def test_a_camera_that_goes_away_in_mid_picture_leaves_no_half_of_one(
    camera: VirtualCamera, tmp_path: Path
) -> None:
    """Its last parameter sets have come and the picture has not: a player would stop at them."""
    with CutCable(camera.port) as cable:
        child = child_of(tmp_path, login(camera).replace(str(camera.port), str(cable.port)))
        child.record(("lesson-1",))
        wait_for("the cut is told", lambda: said(child, "failed"))
        child.stop()
    assert said(child, "failed")[0]["kind"] == Failure.ENDED
    ((_, path),) = drafts(tmp_path)
    with av.open(str(path)) as container:
        packets = [packet for packet in container.demux(video=0) if packet.size]
    assert len(frames(path)) == len(packets) > 0


@pytest.mark.parametrize(
    ("answer", "kind"), [(b"", Failure.ENDED), (b"SSH-2.0-OpenSSH_9.2\r\n", Failure.UNUSABLE)]
)
def test_a_connection_closed_without_a_word_is_no_other_service(answer: bytes, kind: str) -> None:
    """A camera that starts takes the connection and hangs up; only who says something else is."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def answer_all() -> None:
            with contextlib.suppress(OSError):  # it listens no more
                while True:
                    asked, _peer = listening.accept()
                    with asked:
                        asked.recv(4096)
                        asked.sendall(answer)

        server = threading.Thread(target=answer_all)
        server.start()
        with pytest.raises(StreamFailed) as failed:
            Stream(f"rtsp://127.0.0.1:{listening.getsockname()[1]}/main", transport="tcp")
        listening.shutdown(socket.SHUT_RDWR)
        server.join()
    assert failed.value.kind == kind


@pytest.mark.parametrize("codec", ["h265", "mjpeg"])
def test_other_video_than_h264_is_refused_with_the_remedy(codec: str) -> None:
    """In Chromium an H.265 file plays sound only and raises no error: say so beforehand."""
    with VirtualCamera(codec=codec) as camera:
        failure = failure_of(camera.address)
    assert failure.kind is Failure.UNUSABLE
    assert "H.264" in str(failure)


def test_a_camera_without_tcp_is_named() -> None:
    """A UDP-only camera is no dead camera: whoever insists on TCP hears it, all others record."""
    with VirtualCamera(udp_only=True) as camera:
        failure = failure_of(camera.address, "tcp")
        with Stream(camera.address) as stream:
            assert next(iter(stream.packets())).is_keyframe
    assert failure.kind is Failure.UNUSABLE
    assert "transport" in str(failure)


def test_basic_authentication_works_too() -> None:
    """Old cameras know no digest."""
    with (
        VirtualCamera(user="viewer", password="p", auth="basic") as camera,
        Stream(login(camera)) as stream,
    ):
        assert next(iter(stream.packets())).is_keyframe
