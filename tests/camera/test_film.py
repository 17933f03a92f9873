"""A lesson's recording as one MP4: real parts of real cameras, joined, read by other programs."""

from __future__ import annotations

import io
import json
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, BinaryIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from playwright.sync_api import Browser

from edge.film import TYPE, Film, NothingToJoin, cues, join, webvtt
from edge.film.parts import contents, lasts
from edge.model import SECOND, Window
from edge.rules.timeline import Gap, Part, Sort, Timeline, timeline
from tests.camera.parts import drafts, recorded
from tests.processes import wait_for
from tests.virtual_cameras import VirtualCamera

START = 1_790_000_000 * SECOND
GAP = 3 * SECOND
# Seeks and returns how wide the picture is that is shown then.
SEEK = """(video, at) => new Promise(done => {
    video.requestVideoFrameCallback((now, frame) => done(frame.width));
    video.currentTime = at;
})"""


@dataclass
class Footage:
    """The parts of a lesson: their bytes, and their line of time."""

    files: dict[str, bytes]
    line: Timeline

    def open(self, sha256: str) -> BinaryIO | None:
        """Return a part's file, None when it is gone."""
        return io.BytesIO(self.files[sha256]) if sha256 in self.files else None

    def film(self) -> Film:
        """Return the parts joined."""
        return join(
            self.line,
            self.open,
            caption,
            lambda stretch: f"no video: {stretch.cause}",
            {"title": "中式面点师 · 203", "date": "2026-09-21", "comment": "cam-1"},
        )


def caption(at: int) -> str:
    """Return the watermark of that second."""
    return datetime.fromtimestamp(at // SECOND, UTC).strftime("%Y-%m-%d %H:%M:%S") + " 203"


@pytest.fixture(scope="module")
def footage(tmp_path_factory: pytest.TempPathFactory) -> Footage:
    """Lend a broken lesson: AAC, a gap, a change of size in mid-stream, a gap, G.711."""
    files: dict[str, bytes] = {}
    parts: list[Part] = []
    gaps: list[Gap] = []
    at = START
    for number, (audio, resize) in enumerate((("aac", False), ("aac", True), ("alaw", False))):
        folder = tmp_path_factory.mktemp("recorded")
        with VirtualCamera(audio=audio) as camera:
            recorded(folder, camera, 3, resize)
        found = drafts(folder)
        shift = at - found[0][0].start
        for which, (body, path) in enumerate(found):
            name = f"part-{number}-{which}"
            files[name] = path.read_bytes()
            parts.append(Part(body.start + shift, body.end + shift, name, len(files[name])))
        gaps.append(Gap(parts[-1].ends, parts[-1].ends + GAP, "camera_silent"))
        at = gaps[-1].ends
    return Footage(files, timeline(Window(START + SECOND, at), parts, gaps))


@pytest.fixture(scope="module")
def joined(footage: Footage, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Lend the film as a file."""
    path = tmp_path_factory.mktemp("film") / "film.mp4"
    path.write_bytes(b"".join(footage.film().read()))
    return path


def probed(path: Path, *arguments: str) -> Any:
    """Return what ffprobe says."""
    done = subprocess.run(
        ["ffprobe", "-v", "error", "-of", "json", *arguments, str(path)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == ""
    return json.loads(done.stdout)


def video_stretches(footage: Footage) -> list[tuple[float, float]]:
    """Return where the line has video, in seconds; parts that follow each other as one."""
    found: list[tuple[float, float]] = []
    for one in footage.line.of(Sort.VIDEO):
        begins = footage.line.offset(one.starts) / SECOND
        ends = footage.line.offset(one.ends) / SECOND
        if found and begins - found[-1][1] < 0.01:
            found[-1] = (found[-1][0], ends)
        else:
            found.append((begins, ends))
    return found


def test_gaps_are_as_long_in_the_film_as_they_were(footage: Footage, joined: Path) -> None:
    """Each picture stands where the box's time has it; nothing is shown where nothing was."""
    packets = probed(joined, "-select_streams", "v", "-show_entries", "packet=dts_time")["packets"]
    shown = [float(packet["dts_time"]) for packet in packets]
    assert shown == sorted(set(shown))
    stretches = video_stretches(footage)
    assert len(stretches) == 3
    for at in shown:
        assert any(begins - 0.001 <= at < ends for begins, ends in stretches)
    for begins, ends in stretches:
        inside = [at for at in shown if begins - 0.001 <= at < ends]
        assert abs(inside[0] - begins) < 0.01
        assert ends - inside[-1] < 0.5


def test_every_picture_and_every_sound_decodes(footage: Footage, joined: Path) -> None:
    """ffmpeg, which nobody here wrote, finds nothing wrong and nothing missing."""
    counts = []
    for path in (joined, *(_written(joined, name, one) for name, one in footage.files.items())):
        streams = probed(
            path, "-count_frames", "-show_entries", "stream=codec_type,nb_read_frames"
        )["streams"]
        frames = {"video": 0, "audio": 0}
        for stream in streams:
            if stream["codec_type"] in frames:
                frames[stream["codec_type"]] += int(stream["nb_read_frames"])
        counts.append(frames)
    whole, *parts = counts
    assert whole["video"] == sum(part["video"] for part in parts) > 60
    silent = 1  # of the sound that begins late
    assert whole["audio"] == sum(part["audio"] for part in parts) + silent > 60


def _written(beside: Path, name: str, content: bytes) -> Path:
    path = beside.with_name(f"{name}.mp4")
    path.write_bytes(content)
    return path


def test_the_watermark_and_the_metadata_can_be_read(footage: Footage, joined: Path) -> None:
    """The text track tells the wall time of each second, and in a gap its cause."""
    told = probed(joined, "-show_entries", "format=duration:format_tags:stream=codec_name")
    assert told["format"]["tags"]["title"] == "中式面点师 · 203"
    assert told["format"]["tags"]["creation_time"].startswith("2026-09-21T")
    assert [one["codec_name"] for one in told["streams"]] == ["h264", "aac", "aac", "mov_text"]
    assert abs(float(told["format"]["duration"]) - video_stretches(footage)[-1][1]) < 0.1
    packets = probed(joined, "-select_streams", "s", "-show_entries", "packet=pts_time")["packets"]
    said = list(cues(footage.line, caption, lambda one: one.cause))
    assert len(packets) == len(said)
    for packet, cue in zip(packets, said, strict=True):
        assert abs(float(packet["pts_time"]) - cue.starts / SECOND) < 0.002
    text = joined.read_bytes()
    assert b"2026-09-21 14:13:22 203" in text and b"no video: camera_silent" in text


def test_the_same_is_had_as_webvtt(footage: Footage) -> None:
    """A player shows it without looking into the file."""
    lines = webvtt(cues(footage.line, caption, lambda one: one.cause)).splitlines()
    assert lines[:4] == ["WEBVTT", "", "00:00:00.000 --> 00:00:01.000", "2026-09-21 14:13:20 203"]
    assert lines.count("camera_silent") == 3


@settings(max_examples=60)
@given(data=st.data())
def test_any_range_of_bytes_is_what_the_whole_has_there(
    footage: Footage, joined: Path, data: st.DataObject
) -> None:
    """A player that seeks and a download that is resumed get the same film."""
    film, whole = footage.film(), joined.read_bytes()
    assert film.size == len(whole)
    at = data.draw(st.integers(0, film.size))
    size = data.draw(st.integers(0, 300_000))
    assert b"".join(film.read(at, size)) == whole[at : at + size]


def test_what_was_deleted_is_left_out(footage: Footage, tmp_path: Path) -> None:
    """A part that is gone costs its own time; without any there is nothing to join."""
    name = next(iter(footage.files))
    rest = {one: content for one, content in footage.files.items() if one != name}
    path = tmp_path / "film.mp4"
    path.write_bytes(b"".join(replace(footage, files=rest).film().read()))
    packets = probed(path, "-select_streams", "v", "-show_entries", "packet=dts_time")["packets"]
    assert abs(float(packets[0]["dts_time"]) - video_stretches(footage)[1][0]) < 0.01
    with pytest.raises(NothingToJoin):
        replace(footage, files={}).film()
    with pytest.raises(NothingToJoin):
        replace(footage, files=dict.fromkeys(footage.files, b"\0\0\0\x18ftypisom")).film()


@settings(max_examples=40)
@given(data=st.data())
def test_of_a_part_that_is_being_written_what_is_whole_counts(
    footage: Footage, data: st.DataObject
) -> None:
    """Wherever its end is just now: whole fragments, and how long they are."""
    content = next(iter(footage.files.values()))
    whole = contents(io.BytesIO(content))
    first = whole.fragments[0].at
    cut = data.draw(st.integers(first, len(content)))
    there = contents(io.BytesIO(content[:cut]))
    assert there.fragments == tuple(one for one in whole.fragments if one.at + one.size <= cut)
    assert lasts(there) <= lasts(whole)
    assert lasts(whole) > 2 * SECOND


@pytest.fixture
def page(footage: Footage) -> Iterator[str]:
    """Serve a page with the film in a player, by Range, on a loopback port."""
    film = footage.film()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

        def do_GET(self) -> None:
            """Answer with the page, or with the part of the film that is asked for."""
            at, until = 0, film.size
            if self.path != "/film.mp4":
                content: Iterator[bytes] = iter([b"<video muted src=film.mp4></video>"])
                at, until, kind = 0, 34, "text/html"
            else:
                kind = TYPE
                if asked := self.headers.get("Range"):
                    begins, _, ends = asked.removeprefix("bytes=").partition("-")
                    at = int(begins)
                    until = int(ends) + 1 if ends else film.size
                content = film.read(at, until - at)
            self.send_response(206 if "Range" in self.headers else 200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(until - at))
            self.send_header("Accept-Ranges", "bytes")
            if "Range" in self.headers:
                self.send_header("Content-Range", f"bytes {at}-{until - 1}/{film.size}")
            self.end_headers()
            try:
                for block in content:
                    self.wfile.write(block)
            except (BrokenPipeError, ConnectionResetError):
                self.close_connection = True  # the player seeks elsewhere

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    thread.join()
    server.server_close()


def test_chromium_plays_and_seeks_it(browser: Browser, page: str, footage: Footage) -> None:
    """It knows how long the film is, plays across a gap, and shows each size at its own place."""
    tab = browser.new_page()
    tab.goto(page)
    video = tab.locator("video")
    wait_for("the film is known", lambda: video.evaluate("video => video.readyState") >= 2)
    stretches = video_stretches(footage)
    duration = video.evaluate("video => video.duration")
    assert abs(duration - stretches[-1][1]) < 1
    for at, width in (
        (stretches[0][0] + 0.5, 1280),
        (stretches[1][1] - 0.7, 640),
        (stretches[1][0] + 0.5, 1280),
    ):
        assert video.evaluate(SEEK, at) == width
    video.evaluate("(video, at) => { video.currentTime = at; }", stretches[0][1] - 0.7)
    video.evaluate("video => video.play()")
    beyond = stretches[1][0] + 0.5
    wait_for("the gap is passed", lambda: video.evaluate("video => video.currentTime") > beyond, 20)
    assert video.evaluate("video => video.error") is None
    tab.close()
