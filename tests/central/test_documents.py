"""Documents at the centre: checked, numbered, answered to a hello; the command that stores them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from edge.cli import main
from edge.documents import ROSTER, TIMETABLE, BadDocument, roster_to_json, timetable_to_json
from sync.central import documents, tables
from sync.central.documents import TooBig, store_document
from sync.central.share import Share
from sync.messages import Ack, Document, Held
from tests.boxes import at, roster_of, two_hours
from tests.central.centres import Centre, hello_of
from tests.chains import Chain

BOX = "room-203"
ROSTER_1, ROSTER_2 = (roster_to_json(roster_of(count)) for count in (3, 4))
TIMETABLE_1 = timetable_to_json((two_hours(at("09:00")),))


def test_versions_count_up_and_the_same_content_is_not_a_new_one(centre: Centre) -> None:
    """Storing different content makes the next version; storing the same again does not."""
    versions = [
        store_document(centre.store, BOX, ROSTER, content, 1)
        for content in (ROSTER_1, ROSTER_1, ROSTER_2, ROSTER_1)
    ]
    assert versions == [1, 1, 2, 3]


def test_a_document_that_a_box_would_refuse_is_not_stored(centre: Centre) -> None:
    """The centre reads a document as the box will; the error names the place."""
    with pytest.raises(BadDocument, match=r"classes\[0\]"):
        store_document(centre.store, BOX, ROSTER, b'{"classes":[{}],"instructors":[]}', 1)
    lesson = two_hours(at("09:00"))
    many = timetable_to_json((replace(lesson, class_name="长" * 6_000_000),))
    with pytest.raises(TooBig, match="Leave out"):
        store_document(centre.store, BOX, TIMETABLE, many, 1)
    assert centre.rows(tables.document) == []


def test_a_hello_is_answered_with_what_the_box_lacks(centre: Centre) -> None:
    """Missing and older documents follow the answer, rosters before timetables."""
    store_document(centre.store, BOX, TIMETABLE, TIMETABLE_1, 1)
    store_document(centre.store, BOX, ROSTER, ROSTER_1, 1)
    store_document(centre.store, BOX, ROSTER, ROSTER_2, 1)
    epoch = centre.store.epoch
    chain = Chain()
    roster = Document(ROSTER, epoch, 2, "", ROSTER_2)
    timetable = Document(TIMETABLE, epoch, 1, "", TIMETABLE_1)
    assert centre.hear(BOX, hello_of(chain)) == [Ack(chain.uuid, 0, "1"), roster, timetable]
    has = {ROSTER: Held(epoch, 1), TIMETABLE: Held(epoch, 1)}
    assert centre.hear(BOX, hello_of(chain, documents=has))[1:] == [roster]
    has = {ROSTER: Held(epoch, 2), TIMETABLE: Held("before the restore", 7)}
    assert centre.hear(BOX, hello_of(chain, documents=has))[1:] == [timetable]


def test_documents_are_kept_by_the_broker(centre: Centre) -> None:
    """Every document goes out retained, so that a box that comes later finds it."""
    store_document(centre.store, BOX, ROSTER, ROSTER_1, 1)
    for out in (*centre.events.announcements(Share().has), *centre.heard(BOX, hello_of(Chain()))):
        assert out.retain == isinstance(out.message, Document)
        if out.retain:
            assert out.topic == "classbox/1/f/room-203/down/doc/roster/1"


def test_a_box_under_a_new_key_finds_nothing_of_the_old_one(centre: Centre) -> None:
    """What the broker keeps for the old key is taken back before the documents go out anew."""
    store_document(centre.store, BOX, ROSTER, ROSTER_1, 1)
    chain = Chain()
    centre.know(chain)
    has = {ROSTER: Held(centre.store.epoch, 1)}
    assert [out.retain for out in centre.heard(BOX, hello_of(chain, documents=has))] == [False]
    key = X25519PrivateKey.generate().public_key().public_bytes_raw()
    said = centre.heard(BOX, hello_of(chain, sealing_key=key))
    there = "classbox/1/f/room-203/down/doc/roster/1"
    assert [(out.topic, out.payload() == b"") for out in said[1:]] == [
        (there, True),
        (there, False),
    ]
    assert all(out.retain for out in said[1:])


def test_the_last_parts_of_a_longer_version_are_taken_back(centre: Centre) -> None:
    """A document that became shorter leaves no parts of the old one at the broker."""
    centre.know(Chain())
    lesson = two_hours(at("09:00"))
    many = tuple(replace(lesson, id=f"lesson-{number}") for number in range(2000))
    store_document(centre.store, BOX, TIMETABLE, timetable_to_json(many), 1)
    parts = len(centre.events.documents([BOX]))
    assert parts > 2
    store_document(centre.store, BOX, TIMETABLE, TIMETABLE_1, 2)
    said = centre.events.documents([BOX])
    assert [out.payload() == b"" for out in said] == [False] + [True] * (parts - 1)


def centre_toml(folder: Path, more: str = "") -> Path:
    """Write the settings of a centre."""
    path = folder / "centre.toml"
    path.write_text(f'[centre]\ndata_dir = "data"\n{more}', "utf-8")
    return path


def test_the_publish_command_stores_a_document(tmp_path: Path) -> None:
    """``classbox centre publish`` takes JSON or TOML and says which version it became."""
    settings = str(centre_toml(tmp_path))
    (tmp_path / "roster.json").write_bytes(ROSTER_1)
    (tmp_path / "roster.toml").write_text(
        'classes = []\n[[instructors]]\nid = "t-1"\nname = "王老师"\npin_hash = "-"\n', "utf-8"
    )
    run = CliRunner().invoke
    for file, version in (("roster.json", 1), ("roster.toml", 2)):
        arguments = ["--config", settings, "centre", "publish", BOX, ROSTER, str(tmp_path / file)]
        done = run(main, arguments)
        assert done.exit_code == 0, done.output
        assert f"version {version}" in done.output


@pytest.mark.parametrize(
    ("box", "content", "complaint"),
    [
        (BOX, b"not json", "not JSON"),
        (BOX, b"{}", "classes: must be a list"),
        ("room/203", ROSTER_1, "not the id of a box"),
    ],
)
def test_the_publish_command_says_what_is_wrong(
    tmp_path: Path, box: str, content: bytes, complaint: str
) -> None:
    """A document or a box id that cannot be used ends as one clear line, without a trace."""
    settings = str(centre_toml(tmp_path))
    file = tmp_path / "roster.json"
    file.write_bytes(content)
    done = CliRunner().invoke(
        main, ["--config", settings, "centre", "publish", box, ROSTER, str(file)]
    )
    assert done.exit_code == 1
    assert complaint in done.output
    assert "Traceback" not in done.output


def test_wrong_settings_name_the_key_and_the_line(tmp_path: Path) -> None:
    """A misspelt key or a database that is not supported is one clear line."""
    for more, complaint in (
        ('databse = "sqlite:///x"\n', "line 3: centre.databse: is not a setting"),
        ('database = "mysql://x"\n', "line 3: centre.database: mysql is not supported"),
        ("[console]\nport = 0\n", "line 4: console.port: 0 is out of range"),
    ):
        settings = str(centre_toml(tmp_path, more))
        done = CliRunner().invoke(main, ["--config", settings, "centre", "boxes"])
        assert done.exit_code == 1
        assert complaint in done.output


def test_the_boxes_command_lists_backlogs(tmp_path: Path) -> None:
    """``classbox centre boxes`` prints one JSON object a box."""
    settings = str(centre_toml(tmp_path))
    (tmp_path / "data").mkdir()
    centre = Centre(tmp_path / "data")
    centre.hear(BOX, hello_of(Chain(), head=12))
    centre.store.close()
    done = CliRunner().invoke(main, ["--config", settings, "centre", "boxes"])
    assert done.exit_code == 0, done.output
    assert '"box": "room-203"' in done.output
    assert '"backlog": 12' in done.output


def test_content_is_found_by_its_hash(centre: Centre) -> None:
    """A lesson cites its documents by hash; the centre still has that very content."""
    store_document(centre.store, BOX, ROSTER, ROSTER_1, 1)
    store_document(centre.store, BOX, ROSTER, ROSTER_2, 1)
    first = centre.rows(tables.document)[0]
    with centre.store.reading() as connection:
        assert documents.content_of(connection, first.sha256) == ROSTER_1
        assert documents.content_of(connection, "0" * 64) is None
