"""What the centre holds, seen by an outside witness: stated, stamped, and checked later."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st
from rfc3161_client import HashAlgorithm, TimestampRequestBuilder

from edge.cli import main
from edge.events import LedgerBranched, ServiceStarted
from edge.keys import Signer
from edge.model import DAY
from edge.settings import ConfigError
from sync.central import anchors, config, tables, witness
from sync.central.statement import BadStatement, Head, Statement, read, write
from sync.messages import Ancestor, Batch
from tests.central.centres import Centre, hello_of
from tests.central.stamping import StampAuthority, stamping
from tests.chains import Chain
from tests.processes import free_port

names = st.text(st.characters(codec="utf-8"), max_size=30)
heads = st.builds(Head, names, names, st.integers(1, 2**40), st.binary(min_size=32, max_size=32),
                  st.integers(0, 2**50))  # fmt: skip


@pytest.fixture(scope="module")
def signer(tmp_path_factory: pytest.TempPathFactory) -> Signer:
    """A centre's key."""
    return Signer(tmp_path_factory.mktemp("key") / "centre.key")


@pytest.fixture
def authority(tmp_path: Path) -> Iterator[StampAuthority]:
    """An outside witness that is up."""
    with stamping(tmp_path / "outside") as opened:
        yield opened


class Office:
    """A centre's settings, and its commands run in this process."""

    def __init__(self, folder: Path, authority: StampAuthority, centre: Centre) -> None:
        self.folder = folder
        self.centre = centre
        self.settings = folder / "centre.toml"
        self.set_up(f'[witness]\naddress = "{authority.address}"\nroots = "{authority.roots}"\n')

    def set_up(self, more: str) -> None:
        self.settings.write_text(
            f'[centre]\nname = "Centre"\ndata_dir = "{self.centre.folder}"\n{more}', "utf-8"
        )

    def run(self, *words: str, status: int = 0) -> str:
        command = ["--config", str(self.settings), "centre", "witness", *words]
        done: Result = CliRunner().invoke(main, command)
        assert done.exit_code == status, done.output
        return done.output

    def grow(self, chain: Chain, days: int) -> None:
        """Let the box write an event, and the ingest anchor its chain *days* later."""
        self.centre.learn(chain, ServiceStarted("link", "1"))
        self.centre.clock.advance(days * DAY)
        with self.centre.store.writing() as connection:
            anchors.make(connection, self.centre.clock.now().at, self.centre.signer)


@pytest.fixture
def office(tmp_path: Path, authority: StampAuthority) -> Iterator[Office]:
    """A centre with an anchored chain of two events."""
    (tmp_path / "data").mkdir()
    centre = Centre(tmp_path / "data")
    opened = Office(tmp_path, authority, centre)
    chain = Chain()
    centre.know(chain)
    opened.grow(chain, 2)
    yield opened
    centre.store.close()


@given(centre=names, stated=st.lists(heads, max_size=4))
def test_a_statement_comes_back_as_it_was_signed(
    signer: Signer, centre: str, stated: list[Head]
) -> None:
    """Whatever boxes and chains are called; equal heads give equal bytes in any order."""
    ordered = tuple(sorted(stated, key=lambda head: (head.box, head.ledger)))
    content = write(Statement(centre, signer.public_key, tuple(stated)), signer.sign)
    assert read(content) == Statement(centre, signer.public_key, ordered)
    assert write(read(content), signer.sign) == content


@given(place=st.integers(0, 10**6), value=st.integers(0, 255), kind=st.sampled_from("rcid"))
def test_a_changed_statement_is_none(signer: Signer, place: int, value: int, kind: str) -> None:
    """A byte replaced, cut off, put in or taken out: refused, never misread."""
    head = Head("room-203", "ledger-1", 7, bytes(32), 1_700_000_000_000_000)
    content = write(Statement("校", signer.public_key, (head,)), signer.sign)
    place %= len(content)
    byte = bytes([value])
    changed = {
        "r": content[:place] + byte + content[place + 1 :],
        "c": content[:place],
        "i": content[:place] + byte + content[place:],
        "d": content[:place] + content[place + 1 :],
    }[kind]
    if changed != content:
        with pytest.raises(BadStatement):
            read(changed)


def test_a_statement_names_the_newest_anchor_of_each_chain(centre: Centre) -> None:
    """One line a chain, whatever the database; before the first anchor there is nothing to say."""
    one, other = Chain(), Chain("room-204", "ledger-2")

    def stated() -> bytes | None:
        with centre.store.reading() as connection:
            return witness.statement(connection, "Centre", centre.signer)

    assert stated() is None
    for chain in (one, other):
        centre.know(chain)
        centre.learn(chain, ServiceStarted("link", "1"))
    for _ in range(2):
        centre.clock.advance(2 * DAY)
        with centre.store.writing() as connection:
            anchors.make(connection, centre.clock.now().at, centre.signer)
        centre.learn(one, ServiceStarted("link", "2"))
    content = stated()
    assert content is not None
    assert content == stated()
    found = {head.box: (head.seq, head.hash) for head in read(content).heads}
    assert found == {
        "room-203": (3, one.records[2].event.hash),
        "room-204": (2, other.records[1].event.hash),
    }
    with centre.store.reading() as connection:
        assert witness.compare(connection, content, centre.signer.public_key) == (
            witness.Finding(2, ())
        )


def test_a_head_below_a_branch_is_found_under_the_older_name(centre: Centre) -> None:
    """A box that went on under a new name still holds what was stated of the old one."""
    box = Chain()
    centre.know(box)
    centre.learn(box, ServiceStarted("link", "1"))
    centre.clock.advance(2 * DAY)
    with centre.store.writing() as connection:
        anchors.make(connection, centre.clock.now().at, centre.signer)
    base = box.head
    digest = box.records[base - 1].event.hash.hex()
    box.append(LedgerBranched("ledger-9", box.uuid, base, digest, "restored"))
    centre.hear(box.box, hello_of(box, ledger="ledger-9", lineage=(Ancestor(box.uuid, base),)))
    centre.hear(box.box, Batch("ledger-9", base, (box.records[-1],)))
    centre.clock.advance(2 * DAY)
    with centre.store.writing() as connection:
        anchors.make(connection, centre.clock.now().at, centre.signer)
        content = witness.statement(connection, "", centre.signer)
        assert content is not None
        found = witness.compare(connection, content, centre.signer.public_key)
    assert found == witness.Finding(2, ())


def test_stamps_are_kept_on_each_database(centre: Centre) -> None:
    """Number, statement and response come back as they were stored."""
    with centre.store.writing() as connection:
        first = witness.keep(connection, 5, "https://tsa.example/", b"statement", b"\x00response")
        second = witness.keep(connection, 6, "https://tsa.example/", b"later", b"\xff")
        last = witness.newest(connection)
    assert second > first
    assert last == witness.Stamp(second, 6, "https://tsa.example/", b"later", b"\xff")


def test_a_stamp_is_obtained_once_for_what_is_anchored(
    office: Office, authority: StampAuthority
) -> None:
    """The daily command asks when there is something new; only a hash leaves the centre."""
    assert "stamp 1 is stored" in office.run("stamp")
    assert "stamp 1 covers all" in office.run("stamp")
    assert len(authority.asked) == 1
    (row,) = office.centre.rows(tables.stamp)
    assert hashlib.sha512(row.statement).digest() in authority.asked[0]
    assert len(authority.asked[0]) < 200
    office.grow(Chain(), 2)
    office.centre.learn(chain := Chain("room-204", "ledger-2"))
    office.centre.know(chain)
    office.grow(chain, 2)
    assert "stamp 2 is stored" in office.run("stamp")
    told = [json.loads(line) for line in office.run("check").splitlines()]
    assert [(one["stamp"], one["agree"], one["problems"]) for one in told] == [
        (1, 1, []),
        (2, 2, []),
    ]


def test_openssl_takes_what_was_exported(office: Office, authority: StampAuthority) -> None:
    """An auditor needs none of our software to check a stamp."""
    office.run("stamp")
    file = office.folder / "heads.txt"
    office.run("export", str(file), "--stamp", "1")
    stamp = file.with_name("heads.txt.tsr")
    assert authority.verifies(file, stamp)
    file.write_bytes(file.read_bytes() + b" ")
    assert not authority.verifies(file, stamp)


def test_records_that_were_changed_here_later_are_noticed(office: Office) -> None:
    """A centre that rewrites its own records, anchors and all, disagrees with its stamps."""
    office.run("stamp")
    with office.centre.store.writing() as connection:
        event = tables.event
        connection.execute(event.update().where(event.c.seq == 2).values(hash=b"x" * 32))
    (told,) = [json.loads(line) for line in office.run("check", status=1).splitlines()]
    assert told["agree"] == 0
    assert "event 2" in told["problems"][0]
    assert "is another one now" in told["problems"][0]
    with office.centre.store.writing() as connection:
        connection.execute(event.delete().where(event.c.seq == 2))
    assert "is not held any more" in office.run("check", status=1)


def test_a_stamp_of_another_authority_is_not_taken(
    office: Office, authority: StampAuthority, tmp_path: Path
) -> None:
    """Before storing and at each check the certificates must lead to the roots that were given."""
    with stamping(tmp_path / "another") as another:
        office.set_up(f'[witness]\naddress = "{another.address}"\nroots = "{authority.roots}"\n')
        assert "belong to the same authority" in office.run("stamp", status=1)
        assert office.centre.rows(tables.stamp) == []
        office.set_up(f'[witness]\naddress = "{another.address}"\nroots = "{another.roots}"\n')
        office.run("stamp")
        assert "the stamp" in office.run("check", "--roots", str(authority.roots), status=1)
        assert json.loads(office.run("check"))["problems"] == []


def test_a_stamp_outlives_the_certificate_that_gave_it(office: Office, tmp_path: Path) -> None:
    """Certificates must have been valid when they stamped: years later the stamp still holds."""
    with stamping(tmp_path / "old", "2025-01-01") as old:
        office.set_up(f'[witness]\naddress = "{old.address}"\nroots = "{old.roots}"\n')
        office.run("stamp")
        told = json.loads(office.run("check"))
    assert told["stamped"].startswith("2025-01-01T12:")
    assert (told["agree"], told["problems"]) == (1, [])


def test_an_answer_that_is_no_stamp_changes_nothing(
    office: Office, authority: StampAuthority
) -> None:
    """Noise, a refusal, a stamp of something else, one that is too long: said, and not stored."""
    other = TimestampRequestBuilder(b"something else", HashAlgorithm.SHA512).build()
    for answer in (
        b"",
        b"<html>",
        bytes(300_000),
        authority.reply(other.as_bytes()),
        authority.reply(b"0\x03\x02\x01\x01"),  # a malformed request is refused in a valid answer
    ):
        authority.answer = answer
        assert "its answer is no use" in office.run("stamp", status=1)
    authority.status = 503
    assert "no answer (HTTP Error 503" in office.run("stamp", status=1)
    assert office.centre.rows(tables.stamp) == []


def test_without_a_network_nothing_is_lost(office: Office, authority: StampAuthority) -> None:
    """The command says what to do and ends with 1; the next day's stamp covers it as well."""
    office.set_up(
        f'[witness]\naddress = "http://127.0.0.1:{free_port()}/"\nroots = "{authority.roots}"\n'
    )
    assert "the next stamp covers what this one would have" in office.run("stamp", status=1)
    assert "no stamp is stored yet" in office.run("check")


def test_a_centre_without_an_authority_says_so(office: Office) -> None:
    """Status 78 keeps the unit from trying again; the file for the authority needs none."""
    office.set_up("")
    assert "no time stamp authority is set" in office.run("stamp", status=78)
    file = office.folder / "heads.txt"
    assert office.centre.signer.public_key.hex() in office.run("export", str(file))
    told = json.loads(office.run("check", str(file)))
    assert (told["agree"], told["stamped"], told["problems"]) == (1, None, [])
    assert "there is no stamp 4" in office.run("export", str(file), "--stamp", "4", status=1)
    file.write_bytes(file.read_bytes().replace(b"room-203", b"room-204"))
    assert "its signature does not hold" in office.run("check", str(file), status=1)


def test_another_centres_statement_is_not_ours(office: Office, signer: Signer) -> None:
    """A file signed with another key is named as such, however valid it is in itself."""
    file = office.folder / "heads.txt"
    file.write_bytes(write(Statement("Centre", signer.public_key, ()), signer.sign))
    assert "not this centre's" in office.run("check", str(file), status=1)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ('[witness]\naddress = "file:///etc/passwd"\nroots = "r.pem"\n', "is no address"),
        ('[witness]\naddress = "https://tsa.example"\n', "witness.roots"),
    ],
)
def test_settings_of_the_witness_that_cannot_work_are_refused(settings: str, message: str) -> None:
    """The error names the key; only http and https are asked."""
    with pytest.raises(ConfigError, match=message):
        config.parse(settings, "centre.toml", Path("/"))
