"""Documents from the centre's store to the box's ledger: sealed, whole or refused, caught up."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from edge import bindings, events, queries
from edge.cli import main
from edge.clock import SimulatedClock
from edge.config import parse
from edge.decisions import decisions_to_json
from edge.directions import Draw, draws_to_json, notices_to_json
from edge.document_events import DocumentApplied, DocumentRefused
from edge.documents import (
    BINDINGS,
    DECISIONS,
    DRAWS,
    KINDS,
    NOTICES,
    PROFILES,
    ROSTER,
    TIMETABLE,
    BadDocument,
    roster_to_json,
    timetable_to_json,
)
from edge.keys import Signer
from edge.ledger import Ledger
from edge.logins import Logins
from edge.model import DAY, MINUTE, Notice
from edge.queries import shipped_profile
from edge.rulebook import Rulebook, profiles_to_json
from edge.rules.rulings import Action, Decision
from sync import seal, wire
from sync.central import answers, documents, projections, tables
from sync.central.documents import sealed, store_document
from sync.central.logins import with_sealed_logins
from sync.central.outgoing import Outgoing
from sync.central.restore import begin_anew
from sync.central.views import Paper
from sync.letters import Letters
from sync.messages import Batch, Document, Held, Hello, Record
from sync.post import Post
from sync.seal import Letter
from tests.boxes import LESSON_ID, at, open_ledger, roster_of, two_hours
from tests.central.centres import Centre

BOX = "room-203"
NOW = at("09:00")
SETTINGS = '[box]\nid = "room-203"\nroom = "203"\n'
NOTICE = Notice("n-1", NOW, NOW + DAY, "消防演练", "Fire drill", "十点演练", "At ten.")


def directed(password: str = "hunter2") -> dict[str, Any]:
    """Return a document as staff write it, with a login in the open."""
    front = {"id": "front", "label": "前", "address": "rtsp://10.0.0.9/1", "serial": "C31234567"}
    login = {"user": "admin", "password": password, "code": "QWERTY"}
    return {"cameras": [{**front, **login}], "links": []}


CONTENTS = {
    PROFILES: profiles_to_json(Rulebook.of([shipped_profile("default")])),
    ROSTER: roster_to_json(roster_of()),
    TIMETABLE: timetable_to_json((two_hours(NOW),)),
    DRAWS: draws_to_json((Draw(LESSON_ID, "县人社局", NOW - DAY),)),
    DECISIONS: decisions_to_json(
        (Decision("d-1", LESSON_ID, Action.ACCEPT, "县人社局", NOW, "核实"),)
    ),
    BINDINGS: json.dumps(directed()).encode(),
    NOTICES: notices_to_json((NOTICE,)),
}


class Both:
    """A centre, a broker that keeps what is retained, and a box that comes and goes."""

    def __init__(self, folder: Path, ledger: Ledger, clock: SimulatedClock) -> None:
        (folder / "centre").mkdir()
        self.folder = folder
        self.centre = Centre(folder / "centre", NOW)
        self.ledger = ledger
        self.clock = clock
        self.config = replace(parse(SETTINGS, "box.toml", folder), data_dir=folder / "box")
        self.letters = Letters(BOX, folder / "box", trust_first=True)
        self.letters.meet(self.centre.signer.public_key)
        self.post = self.started()
        self.retained: dict[str, bytes] = {}
        self._sent = 0

    def started(self) -> Post:
        """Return the post of a link that starts."""
        return Post(self.ledger, self.config, self.letters)

    def publish(self, kind: str, content: bytes | None = None) -> int:
        """Publish as the command does; return the version."""
        stated = CONTENTS[kind] if content is None else content
        with self.centre.store.reading() as connection:
            if kind == BINDINGS:
                stated = with_sealed_logins(connection, BOX, stated, self.centre.signer)
        return store_document(self.centre.store, BOX, kind, stated, NOW)

    def announce(self) -> None:
        """Let the ingest publish what is in force, for the broker to keep."""
        self._keep(self.centre.events.documents([BOX]))

    def deliver(self) -> None:
        """Let the box connect to the broker and find what is retained there."""
        for payload in self.retained.values():
            self._take(payload)

    def hello(self, resync: bool = False) -> list[str]:
        """Let the box say hello, send its events, take the answer; return the kinds it was sent."""
        head, head_hash = self.ledger.head()
        with self.ledger.store.read() as connection:
            in_force = queries.documents_in_force(connection)
        hello = Hello(
            id="1",
            ledger=self.ledger.uuid,
            head=head,
            head_hash=head_hash,
            acked=self._sent,
            public_key=self.ledger.public_key,
            sealing_key=self.letters.public_key,
            at=NOW,
            clock="synchronised",
            software="test",
            media_waiting=0,
            documents={}
            if resync
            else {row["kind"]: Held(row["epoch"], row["version"]) for row in in_force},
        )
        said = self.centre.heard(BOX, hello)
        records = tuple(
            Record(one.event, one.salt, one.body) for one in self.ledger.events(self._sent, 500)
        )
        if records:
            self.centre.heard(BOX, Batch(self.ledger.uuid, self._sent, records))
            self._sent = head
        self._keep(said)
        parts = [out.message for out in said if isinstance(out.message, Document)]
        for part in parts:
            self.post.take(part)
        return [part.kind for part in parts]

    def in_force(self) -> dict[str, int]:
        """Return the version of each kind that the box has in force."""
        with self.ledger.store.read() as connection:
            return {row["kind"]: row["version"] for row in queries.documents_in_force(connection)}

    def said(self, kind: type[events.Body]) -> list[events.Body]:
        """Return the bodies of the ledger's events of *kind*."""
        return [
            events.decode(record.event.kind, record.body)
            for record in self.ledger.records()
            if record.event.kind == kind.kind and record.body is not None
        ]

    def papers(self) -> dict[str, Paper]:
        """Return what the console knows of this box's documents."""
        with self.centre.store.reading() as connection:
            known = answers.papers(connection, self.centre.store.epoch)
        return {paper.kind: paper for paper in known[BOX]}

    def _keep(self, said: list[Outgoing]) -> None:
        for out in said:
            if out.retain:
                self.retained[out.topic] = out.payload()

    def _take(self, payload: bytes) -> None:
        if payload:
            message = wire.decode(payload)
            assert isinstance(message, Document)
            self.post.take(message)


@pytest.fixture
def both(tmp_path: Path) -> Iterator[Both]:
    clock = SimulatedClock(NOW)
    with open_ledger(tmp_path / "box", clock, BOX) as ledger:
        made = Both(tmp_path, ledger, clock)
        made.hello()  # so that the centre knows what to seal to
        yield made
        made.centre.store.close()


def publish_everything(both: Both) -> None:
    for kind in KINDS:
        both.publish(kind)


def test_every_kind_of_document_arrives_and_the_console_says_so(both: Both) -> None:
    """In the answer to a hello, in the order in which one rests on another; then not again."""
    publish_everything(both)
    assert {paper.state for paper in both.papers().values()} == {"coming"}
    assert both.hello() == list(KINDS)
    assert both.in_force() == dict.fromkeys(KINDS, 1)
    assert both.hello() == []
    assert {kind: paper.state for kind, paper in both.papers().items()} == dict.fromkeys(
        KINDS, "in_force"
    )


@pytest.mark.parametrize("way", ["retained", "hello"])
def test_a_box_that_was_away_for_a_month_catches_up(both: Both, way: str) -> None:
    """From what the broker kept, or from the centre where the broker forgot it: the newest only."""
    publish_everything(both)
    both.hello()
    for day in range(30):
        both.publish(NOTICES, notices_to_json((replace(NOTICE, id=f"n-{day}"),)))
        both.publish(TIMETABLE, timetable_to_json((two_hours(NOW + day * MINUTE),)))
        both.announce()
    if way == "retained":
        both.deliver()
        assert both.hello() == []
    else:
        both.retained.clear()
        assert both.hello() == [TIMETABLE, NOTICES]
    assert (both.in_force()[TIMETABLE], both.in_force()[NOTICES]) == (30, 31)
    applied = [one for one in both.said(DocumentApplied) if isinstance(one, DocumentApplied)]
    assert len([one for one in applied if one.document == TIMETABLE]) == 2


def test_an_older_version_does_no_harm(both: Both) -> None:
    """A broker that kept the last month's documents changes nothing on a newer box."""
    both.publish(DRAWS)
    both.announce()
    old = dict(both.retained)
    both.publish(DRAWS, draws_to_json(()))
    both.hello()
    both.retained = old
    both.deliver()
    assert both.in_force() == {DRAWS: 2}
    with both.ledger.store.read() as connection:
        assert queries.draw_of(connection, LESSON_ID) is None


def test_a_restored_centre_is_obeyed_again(both: Both) -> None:
    """Its new epoch counts from one, and the box takes it whatever it had before."""
    for count in range(5):
        both.publish(NOTICES, notices_to_json((replace(NOTICE, id=f"n-{count}"),)))
    both.hello()
    assert both.in_force() == {NOTICES: 5}
    with both.centre.store.writing() as connection:
        begin_anew(connection, NOW)
    both.centre.store.close()
    both.centre = Centre(both.folder / "centre", NOW)
    assert both.hello() == [NOTICES]
    assert both.in_force() == {NOTICES: 1}
    assert both.papers()[NOTICES].state == "coming"  # the event is on its way
    both.hello()
    assert both.papers()[NOTICES].state == "in_force"


def spoiled(both: Both, kind: str, content: bytes, version: int) -> list[Document]:
    """Return a document that only a centre of other software would send."""
    document = documents.Stored(kind, both.centre.store.epoch, version, content)
    return sealed(document, BOX, both.letters.public_key, both.centre.signer)


@pytest.mark.parametrize("kind", KINDS)
def test_a_document_that_makes_no_sense_is_refused_whole_and_once(both: Both, kind: str) -> None:
    """What was in force stays in force; the reason is an event, however often it comes again."""
    both.publish(kind)
    both.hello()
    before = both.in_force()
    for _ in range(2):
        for part in spoiled(both, kind, b'{"lessons": [{}]}', 2):
            both.post.take(part)
        both.post = both.started()  # a restart of the link does not state it again
    assert both.in_force() == before
    refused = both.said(DocumentRefused)
    assert len(refused) == 1
    assert isinstance(refused[0], DocumentRefused)
    assert (refused[0].document, refused[0].version) == (kind, 2)
    assert "must be a list" in refused[0].reason or "not known here" in refused[0].reason


def test_the_console_shows_why_a_box_refused_and_sends_it_no_more(both: Both) -> None:
    """A camera that box.toml calls otherwise: the person who published reads what to mend."""
    config = parse(
        SETTINGS + '[[camera]]\nid = "wall"\naddress = "rtsp://10.0.0.9/1"\n', "box.toml", Path()
    )
    both.config = replace(config, data_dir=both.config.data_dir)
    both.post = both.started()
    both.publish(NOTICES)
    both.publish(BINDINGS)
    both.hello()
    assert both.in_force() == {NOTICES: 1}
    assert both.hello() == [BINDINGS]  # its event came with this hello
    assert both.hello() == []
    paper = both.papers()[BINDINGS]
    assert (paper.state, paper.published, paper.in_force) == ("refused", 1, 0)
    assert "is camera wall of this box's box.toml" in paper.reason
    assert both.hello(resync=True) == [BINDINGS, NOTICES]
    with both.centre.store.writing() as connection:
        projections.rebuild(connection)
    assert both.papers()[BINDINGS] == paper
    stated = directed()
    stated["cameras"][0]["id"] = "wall"
    both.publish(BINDINGS, json.dumps(stated).encode())
    both.hello()
    both.hello()
    assert both.papers()[BINDINGS] == Paper(BINDINGS, 2, 2)


def test_a_cameras_login_is_readable_by_its_box_alone(both: Both) -> None:
    """Neither the centre's database nor the box's holds the password as it was written."""
    both.publish(BINDINGS)
    both.hello()
    logins = Logins(both.config.data_dir)
    with both.ledger.store.read() as connection:
        (camera,) = bindings.in_force(connection, both.config, logins)
        login = logins.of(connection, "front")
    assert (camera.user, camera.password, login.code) == ("admin", "hunter2", "QWERTY")
    for database in (both.folder / "centre" / "centre.db", both.folder / "box" / "ledger.db"):
        for file in database.parent.glob(f"{database.name}*"):
            assert b"hunter2" not in file.read_bytes()
            assert b"QWERTY" not in file.read_bytes()


def test_a_login_for_another_box_or_camera_is_refused(both: Both) -> None:
    """A sealed login copied into another document opens nothing."""
    content = with_login(both, X25519PrivateKey.generate().public_key().public_bytes_raw(), "front")
    for part in spoiled(both, BINDINGS, content, 1):
        both.post.take(part)
    content = with_login(both, both.letters.public_key, "back")
    for part in spoiled(both, BINDINGS, content, 2):
        both.post.take(part)
    reasons = [one.reason for one in both.said(DocumentRefused) if isinstance(one, DocumentRefused)]
    assert "is not sealed to this box's key" in reasons[0]
    assert "it is the one of back" in reasons[1]
    assert both.in_force() == {}


def with_login(both: Both, key: bytes, camera: str) -> bytes:
    letter = Letter(BOX, seal.CAMERA_LOGIN, {"camera": camera}, b"{}")
    login = base64.b64encode(seal.seal(letter, key, both.centre.signer.sign)).decode()
    stated = {"id": "front", "label": "前", "address": "rtsp://10.0.0.9/1", "login": login}
    return json.dumps({"cameras": [stated]}).encode()


def test_logins_wait_until_the_box_has_said_its_key(tmp_path: Path) -> None:
    """Nothing is stored in the open meanwhile; the message says what to do."""
    (tmp_path / "centre").mkdir()
    centre = Centre(tmp_path / "centre", NOW)
    with (
        centre.store.reading() as connection,
        pytest.raises(BadDocument, match="has not said its key yet"),
    ):
        with_sealed_logins(connection, BOX, CONTENTS[BINDINGS], centre.signer)
    assert centre.rows(tables.document) == []
    centre.store.close()


def test_publishing_cameras_and_listing_what_the_boxes_have(both: Both) -> None:
    """``publish`` seals logins; ``documents`` says how each stands, one JSON object a line."""
    settings = both.folder / "centre.toml"
    settings.write_text(f'[centre]\ndata_dir = "{both.folder}/centre"\n', "utf-8")
    file = both.folder / "cameras.toml"
    file.write_text(
        '[[cameras]]\nid = "front"\nlabel = "前"\nserial = "C1"\npassword = "hunter2"\n', "utf-8"
    )
    arguments = ["--config", str(settings), "centre"]
    done = CliRunner().invoke(main, [*arguments, "publish", BOX, BINDINGS, str(file)])
    assert done.exit_code == 0, done.output
    assert "bindings version 1" in done.output
    both.publish(NOTICES)
    both.hello()
    both.hello()
    both.publish(NOTICES, notices_to_json(()))
    listed = CliRunner().invoke(main, [*arguments, "documents", BOX])
    assert [json.loads(line) for line in listed.output.splitlines()] == [
        {"box": BOX, "kind": BINDINGS, "state": "in_force", "published": 1, "in_force": 1},
        {"box": BOX, "kind": NOTICES, "state": "coming", "published": 2, "in_force": 1},
    ]
    assert CliRunner().invoke(main, [*arguments, "documents", "other"]).output == ""
    assert Signer(both.folder / "centre" / "keys" / "centre.key").public_key


def test_the_text_of_notices_goes_when_they_are_over(both: Both) -> None:
    """The link looks once a minute; nothing of it is left in the files of the database."""
    both.publish(NOTICES)
    both.hello()
    both.post.step(100.0)
    both.clock.jump(NOW + DAY)
    both.post.step(130.0)
    files = list((both.folder / "box").glob("ledger.db*"))
    assert any("消防演练".encode() in file.read_bytes() for file in files)
    both.post.step(161.0)
    assert not any("消防演练".encode() in file.read_bytes() for file in files)
