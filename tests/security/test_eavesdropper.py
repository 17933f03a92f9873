"""Somebody listens: with all rights at the broker itself, or on the line to it."""

from __future__ import annotations

import base64
import itertools
import json
import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

from edge.documents import (
    PROFILES,
    ROSTER,
    TIMETABLE,
    roster_to_json,
    timetable_to_json,
)
from edge.events import RequestAnswered, ScanMade
from edge.media import MediaStore
from edge.model import Trainee
from edge.queries import shipped_profile
from edge.rulebook import Rulebook, profiles_to_json
from sync.central.authority import Authority
from sync.central.documents import store_document
from sync.messages import PREFIX
from tests.boxes import at, roster_of, two_hours
from tests.processes import CLASSBOX, Child, wait_for
from tests.security.stage import Caller, Secured, done, secured

BOX = "room-203"
NAME, STUDENT, TEACHER = "司徒听音", "2026117734", "欧阳讲台"
PERSON = "p-overheard"
PHOTO = b"a photo of somebody at the door " * 4000
CLASS_NAME, CLASS_ID = "中式面点师（窃听）班", "class-overheard"
# What must not be readable at the broker; the centre's documents are sealed to the box.
PERSONAL = {"name": NAME, "student number": STUDENT, "teacher": TEACHER, "class": CLASS_NAME}


class Tap:
    """A wire to the broker that remembers every byte that passed, either way."""

    def __init__(self, to_port: int) -> None:
        self._to_port = to_port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.heard = bytearray()
        self._open: list[socket.socket] = []
        threading.Thread(target=self._listen, daemon=True).start()

    def close(self) -> None:
        for one in (self._listener, *self._open):
            shut(one)

    def _listen(self) -> None:
        while True:
            try:
                here, _ = self._listener.accept()
            except OSError:
                return
            there = socket.create_connection(("127.0.0.1", self._to_port))
            self._open += [here, there]
            for source, sink in ((here, there), (there, here)):
                threading.Thread(target=self._pass, args=(source, sink), daemon=True).start()

    def _pass(self, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while block := source.recv(65536):
                self.heard += block
                sink.sendall(block)
        for one in (source, sink):
            shut(one)


def shut(one: socket.socket) -> None:
    """Close a socket under whoever waits for it."""
    with suppress(OSError):
        one.shutdown(socket.SHUT_RDWR)
    one.close()


@contextmanager
def spied(folder: Path) -> Iterator[tuple[Secured, Tap, Caller]]:
    """A centre, a tap on the box's way to the broker, and a spy who may read everything there."""
    with secured(folder) as stage:
        stage.authority.own("spy")
        access = stage.settings.parent / "acl"
        access.write_text(access.read_text("ascii") + "\nuser spy\ntopic read #\n", "ascii")
        stage.broker.stop()
        stage.broker.start()
        tap = Tap(stage.port)
        spy = Caller(stage.port, Authority.own_files(stage.authority.folder, "spy"))
        assert spy.connect() == "Success"
        spy.subscribe("#")
        try:
            yield stage, tap, spy
        finally:
            spy.close()
            tap.close()


def a_day(stage: Secured, tap: Tap, spy: Caller) -> None:
    """Let documents, a request, scans, a photo and receipts pass, as on any day."""
    settings = stage.enrol(BOX)
    settings.write_text(
        settings.read_text("utf-8").replace(f"port = {stage.port}", f"port = {tap.port}"), "utf-8"
    )
    base = roster_of(4)
    (group,) = base.classes
    roster = replace(
        base,
        classes=(
            replace(
                group,
                id=CLASS_ID,
                name=CLASS_NAME,
                trainees=(*group.trainees, Trainee(PERSON, STUDENT, NAME)),
            ),
        ),
        instructors=(replace(base.instructors[0], name=TEACHER),),
    )
    lesson = replace(two_hours(at("09:00")), class_id=CLASS_ID, class_name=CLASS_NAME)
    now = stage.now
    with stage.ledger(BOX) as ledger:
        store_document(
            stage.store,
            BOX,
            PROFILES,
            profiles_to_json(Rulebook.of([shipped_profile("default")])),
            now,
        )
        store_document(stage.store, BOX, ROSTER, roster_to_json(roster), now)
        store_document(stage.store, BOX, TIMETABLE, timetable_to_json((lesson,)), now)
        media = MediaStore(stage.folder / BOX / "media")
        draft = media.draft(ScanMade(PERSON, now, "face", "", 9_000), "photo")
        draft.write(PHOTO)
        draft.store(ledger)
        ingest = Child(
            "ingest",
            [CLASSBOX, "--config", stage.centre_toml, "centre", "ingest"],
            stage.folder / "ingest.log",
        )
        link = Child("link", [CLASSBOX, "--config", settings, "link"], stage.folder / "link.log")
        try:
            ingest.start()
            wait_for("the ingest is connected", lambda: ingest.said("ingest: connected"), 60)
            link.start()
            shown = stage.folder / f"{BOX}-run" / "link.json"

            def complete() -> bool:
                spy.listen_a_moment()
                told = json.loads(shown.read_bytes()) if shown.exists() else {}
                with ledger.store.read() as connection:
                    kinds = connection.execute("SELECT kind FROM document_in_force").fetchall()
                return (
                    len(kinds) == 3
                    and told.get("acked") == ledger.head()[0]
                    and told.get("media_waiting") == 0
                )

            wait_for("everything has arrived", complete, 120)
            done(stage.centre_toml, "centre", "request", BOX, "send_media", "--lesson", CLASS_NAME)

            def answered() -> bool:
                spy.listen_a_moment()
                kinds = [record.event.kind for record in ledger.records()]
                return RequestAnswered.kind in kinds

            wait_for("the request is answered", answered, 60)
            wait_for("the answer is home", complete, 60)
        finally:
            link.stop()
            ingest.stop()


def readable(payload: bytes) -> Iterator[bytes]:
    """Yield a payload, and whatever in it is base64: the bodies of events travel so."""
    yield payload
    line = payload.partition(b"\n")[0]
    try:
        values = json.loads(line)
    except ValueError:
        return
    for text in _texts(values):
        try:
            yield base64.b64decode(text, validate=True)
        except ValueError:
            continue


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)


def found(needles: dict[str, str], heard: Sequence[tuple[str, bytes]]) -> list[tuple[str, str]]:
    """Return what stands readable in what topic, in any spelling that JSON or a log may use."""
    spellings = {
        what: {text.encode(), json.dumps(text)[1:-1].encode(), text.encode("utf-16-le")}
        for what, text in needles.items()
    }
    return [
        (what, topic)
        for (topic, payload), (what, forms) in itertools.product(heard, spellings.items())
        if any(form in part for part in (topic.encode(), *readable(payload)) for form in forms)
    ]


def test_who_reads_everything_at_the_broker_learns_no_name(tmp_path: Path) -> None:
    """All that passed and all that is retained: no name, number, teacher or class in it.

    Facts travel under ids, which the rosters explain, and those are sealed. On the line there is
    not even that: neither ids nor photos.
    """
    with spied(tmp_path) as (stage, tap, spy):
        a_day(stage, tap, spy)
        late = Caller(stage.port, Authority.own_files(stage.authority.folder, "spy"))
        assert late.connect() == "Success"
        spy.close()
        late.subscribe("#")

        def came() -> bool:
            late.listen_a_moment()
            return len(late.heard) >= 3

        wait_for("what is retained comes", came)
        line = bytes(tap.heard)
        late.close()
    channels = {
        topic.split("/", 4)[4].split("/")[1] for topic, _ in spy.heard if topic.startswith(PREFIX)
    }
    assert {"hello", "events", "media", "ack", "media_ack", "doc", "request"} <= channels
    kept = {topic.split("/")[6] for topic, _ in late.heard if "/down/doc/" in topic}
    assert kept == {ROSTER, TIMETABLE, PROFILES}
    assert found(PERSONAL, [*spy.heard, *late.heard]) == []
    # That the search would find it: what is said by ids, and what is not sealed, is readable here.
    assert found({"id": PERSON}, spy.heard) != []
    assert any(PHOTO[:1000] in payload for _, payload in spy.heard)
    assert len(line) > len(PHOTO)
    for needle in (PERSON.encode(), PHOTO[:200], NAME.encode(), b"classbox/1/", b"ledger"):
        assert needle not in line
