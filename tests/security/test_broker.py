"""The real broker under the generated configuration: each client its own things and no others."""

from __future__ import annotations

import socket
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sync import tls
from sync.central.authority import Authority
from sync.messages import (
    ACK,
    EVENTS,
    FRAME,
    HELLO,
    MEDIA,
    PREFIX,
    REQUEST,
    WATCH,
    shard_topic,
    topic,
)
from sync.tls import Credentials
from tests.security.conftest import A, B
from tests.security.stage import Caller, Secured, payloads

REFUSED = "Not authorized"


@contextmanager
def calling(
    stage: Secured, credentials: Credentials | None, name: str = "", *topics: str
) -> Iterator[Caller]:
    """Open a connection that the broker takes, subscribed to *topics*."""
    caller = Caller(stage.port, credentials, name)
    assert caller.connect() == "Success"
    caller.subscribe(*topics)
    try:
        yield caller
    finally:
        caller.close()


def test_each_may_say_and_hear_what_is_its_own(stage: Secured) -> None:
    """A box's two connections and the ingester reach each other: the list is not merely shut."""
    with (
        calling(stage, stage.of_ingester(), "", f"{PREFIX}/+/+/up/#") as ingester,
        calling(stage, stage.of_box(A), "", topic(A, ACK), topic(A, REQUEST)) as facts,
        calling(stage, stage.of_box(A, "media")) as media,
    ):
        assert facts.publish(topic(A, HELLO), b"hello") == "Success"
        assert media.publish(topic(A, MEDIA), b"chunk") == "Success"
        ingester.wait_for(b"chunk")
        ingester.publish(topic(A, ACK), b"ack")
        facts.wait_for(b"ack")
    assert sorted(payloads(ingester)) == [b"chunk", b"hello"]


def test_box_a_cannot_speak_as_box_b(stage: Secured) -> None:
    """What A publishes under B's name, or its own other connection's, reaches nobody."""
    with (
        calling(stage, stage.of_ingester(), "", f"{PREFIX}/+/+/up/#") as ingester,
        calling(stage, stage.of_box(A)) as box,
    ):
        for channel in (HELLO, EVENTS, MEDIA):
            assert box.publish(topic(B, channel), b"forged") == REFUSED
        assert box.publish(topic(A, MEDIA), b"forged") == REFUSED
        assert box.publish(topic(A, HELLO), b"own") == "Success"
        ingester.wait_for(b"own")
    assert payloads(ingester) == [b"own"]


def test_box_a_cannot_read_what_is_written_to_box_b(stage: Secured) -> None:
    """A may subscribe to whatever it likes: it hears its own commands only."""
    wanted = (topic(B, ACK), topic(B, REQUEST), f"{PREFIX}/+/+/down/#", "#")
    with (
        calling(stage, stage.of_ingester()) as ingester,
        calling(stage, stage.of_box(A), "", *wanted) as box,
    ):
        for channel in (ACK, REQUEST):
            assert ingester.publish(topic(B, channel), b"for b") == "Success"
        ingester.publish(topic(A, ACK), b"for a")
        box.wait_for(b"for a")
    assert set(payloads(box)) == {b"for a"}


def test_only_the_console_sees_pictures_and_only_their_box_sends_them(stage: Secured) -> None:
    """Another box neither sends nor hears A's pictures, and nor does A's connection of facts."""
    every = f"{PREFIX}/+/+/up/#"
    with (
        calling(stage, stage.of_console(), "", every, shard_topic("+", FRAME)) as console,
        calling(stage, stage.of_box(B, "media"), "", every, topic(A, FRAME)) as other,
        calling(
            stage, stage.of_box(B), "", every, topic(A, FRAME), topic(A, WATCH)
        ) as eavesdropper,
        calling(stage, stage.of_box(A)) as facts,
        calling(stage, stage.of_box(A, "media"), "", topic(A, WATCH)) as media,
    ):
        assert other.publish(topic(A, FRAME), b"forged") == REFUSED
        assert facts.publish(topic(A, FRAME), b"forged") == REFUSED
        assert facts.publish(topic(A, EVENTS), b"a fact") == "Success"
        assert media.publish(topic(A, MEDIA), b"a chunk") == "Success"
        assert media.publish(topic(A, FRAME), b"picture") == "Success"
        console.wait_for(b"picture")
        assert console.publish(topic(A, WATCH), b"somebody looks") == "Success"
        media.wait_for(b"somebody looks")
        other.listen_a_moment()
        eavesdropper.listen_a_moment()
    assert set(payloads(console)) == {b"picture"}
    assert payloads(other) == payloads(eavesdropper) == []


def test_the_console_can_say_nothing_but_that_somebody_looks(stage: Secured) -> None:
    """Its certificate neither acknowledges, nor asks, nor hears what is sent to boxes."""
    with (
        calling(stage, stage.of_box(A), "", topic(A, ACK), topic(A, REQUEST)) as box,
        calling(stage, stage.of_ingester()) as ingester,
        calling(stage, stage.of_console(), "", f"{PREFIX}/+/+/down/#") as console,
    ):
        for channel in (ACK, REQUEST, EVENTS, FRAME):
            assert console.publish(topic(A, channel), b"forged") == REFUSED
        ingester.publish(topic(A, REQUEST), b"a letter")
        box.wait_for(b"a letter")
        console.listen_a_moment()
    assert payloads(box) == [b"a letter"]
    assert payloads(console) == []


def test_a_box_has_none_of_the_ingesters_rights(stage: Secured) -> None:
    """A can neither acknowledge in the centre's name nor hear what other boxes send."""
    with (
        calling(stage, stage.of_ingester()) as ingester,
        calling(stage, stage.of_box(B), "", topic(B, ACK)) as other,
        calling(stage, stage.of_box(A), "", f"{PREFIX}/+/+/up/#", topic(A, ACK)) as box,
    ):
        assert box.publish(topic(B, ACK), b"forged") == REFUSED
        assert box.publish(topic(A, ACK), b"forged") == REFUSED
        assert other.publish(topic(B, EVENTS), b"secret") == "Success"
        ingester.publish(topic(B, ACK), b"to b")
        ingester.publish(topic(A, ACK), b"to a")
        other.wait_for(b"to b")
        box.wait_for(b"to a")
    assert payloads(other) == [b"to b"]
    assert payloads(box) == [b"to a"]


def test_a_box_that_calls_itself_an_ingester_is_a_box(stage: Secured) -> None:
    """The names of ingesters hold a dot, which no box's id may have."""
    stage.enrol("ingest-1")
    with calling(stage, stage.of_box("ingest-1"), "", f"{PREFIX}/+/+/up/#") as box:
        assert box.publish(topic(A, ACK), b"forged") == REFUSED


def test_nobody_leaves_a_will_in_anothers_name(stage: Secured) -> None:
    """A will is spoken when its owner vanishes; one for another's topics never is."""
    with (
        calling(stage, stage.of_ingester(), "", f"{PREFIX}/+/+/up/#") as ingester,
        calling(stage, stage.of_box(B), "", topic(B, ACK)) as other,
    ):
        for name, channel, will in (
            (B, HELLO, b"forged"),
            (B, ACK, b"forged"),
            (A, HELLO, b"own"),  # that wills are spoken at all
        ):
            caller = Caller(stage.port, stage.of_box(A), will=(topic(name, channel), will))
            if caller.connect() == "Success":
                stage.wait_until_gone(A, caller.vanish)
        ingester.publish(topic(B, ACK), b"marker")
        other.wait_for(b"marker")
        ingester.wait_for(b"own")
    assert payloads(ingester) == [b"own"]
    assert payloads(other) == [b"marker"]


def test_nobody_takes_over_anothers_session(stage: Secured) -> None:
    """The name is the certificate's: who names B's client id throws out nobody."""
    with (
        calling(stage, stage.of_box(B), B, topic(B, ACK)) as other,
        calling(stage, stage.of_ingester()) as ingester,
        calling(stage, stage.of_box(A), B, topic(B, ACK)) as box,
    ):
        ingester.publish(topic(B, ACK), b"still there")
        other.wait_for(b"still there")
        ingester.publish(topic(A, ACK), b"for a")
        box.listen_a_moment()
        assert not other.lost
    assert payloads(box) == []


def test_without_a_certificate_nobody_comes_in(stage: Secured) -> None:
    """TLS alone is not enough: the broker hangs up."""
    context = ssl.create_default_context(cafile=str(stage.authority.ca))
    assert Caller(stage.port, None, context=context).connect() == ""


def test_a_certificate_of_another_authority_is_refused(stage: Secured, tmp_path: Path) -> None:
    """A rogue authority with the same name signs nothing that the broker takes."""
    rogue = Authority.create(tmp_path / "rogue", stage.config.name)
    own = rogue.own(A)
    credentials = Credentials(stage.authority.ca, own.certificate, own.key)
    assert Caller(stage.port, credentials).connect() == ""


def test_plain_text_is_refused(stage: Secured) -> None:
    """Who speaks MQTT without TLS gets no answer."""
    assert Caller(stage.port, None).connect() == ""


@pytest.mark.parametrize(("version", "taken"), [("-tls1_1", False), ("-tls1_2", True)])
def test_an_old_tls_is_refused(stage: Secured, version: str, taken: bool) -> None:
    """TLS 1.1 ends in the handshake; a client that can do no better than 1.2 comes in."""
    box = stage.of_box(A)
    done = subprocess.run(
        [
            *("openssl", "s_client", "-connect", f"127.0.0.1:{stage.port}", version),
            *("-cipher", "ALL:@SECLEVEL=0", "-CAfile", str(box.ca)),
            *("-cert", str(box.certificate), "-key", str(box.key)),
        ],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode == 0) == taken, done.stderr
    assert ("alert protocol version" in done.stderr) != taken


def test_a_box_checks_whom_it_speaks_to(stage: Secured, tmp_path: Path) -> None:
    """A broker with a certificate of another authority, or for another host, is hung up on."""
    box = stage.of_box(A)
    rogue = Authority.create(tmp_path / "rogue", stage.config.name)
    for ca, host in ((rogue.ca, "127.0.0.1"), (box.ca, "127.0.0.2")):
        for trusted in (True, False):  # without dates, everything else still counts
            context = tls.context(Credentials(ca, box.certificate, box.key), trusted)
            with socket.create_connection(("127.0.0.1", stage.port), 10) as plain:
                try:
                    context.wrap_socket(plain, server_hostname=host).close()
                except ssl.SSLCertVerificationError:
                    continue
                raise AssertionError("it took another broker for its own")


def test_a_revoked_box_stays_out(stage: Secured) -> None:
    """The running broker reads its list again; both connections are void, the others are not."""
    settings = stage.enrol("room-stolen")
    facts, media = stage.of_box("room-stolen"), stage.of_box("room-stolen", "media")
    resumable = tls.context(facts, dates_trusted=True)
    resumable.maximum_version = ssl.TLSVersion.TLSv1_2
    with (
        socket.create_connection(("127.0.0.1", stage.port), 10) as plain,
        resumable.wrap_socket(plain, server_hostname="127.0.0.1") as before,
    ):
        session = before.session
    stage.revoke("room-stolen")
    for credentials in (facts, media):
        assert Caller(stage.port, credentials).connect() == ""
    with calling(stage, stage.of_box(A)):
        pass
    # A session begun before is no way round the list.
    with socket.create_connection(("127.0.0.1", stage.port), 10) as plain:
        try:
            with resumable.wrap_socket(
                plain, server_hostname="127.0.0.1", session=session
            ) as again:
                assert not again.session_reused
                assert again.recv(1) == b""
        except OSError:
            pass
    assert settings.exists()


def test_two_revocations_within_a_second_both_count(stage: Secured) -> None:
    """Each list is later than the one before, or the broker would go by the older of two."""
    for box in ("room-x", "room-y"):
        stage.enrol(box)
    for box in ("room-x", "room-y"):
        stage.revoke(box)
    for box in ("room-x", "room-y"):
        assert Caller(stage.port, stage.of_box(box)).connect() == ""
