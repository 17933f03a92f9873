"""Requests at the centre: filed, sealed, said again until they are answered or expired."""

from __future__ import annotations

import json

import pytest

from edge.events import PersonEnrolled, RequestAnswered, RequestRefused
from sync import seal
from sync.central import projections, requests, tables
from sync.central.requests import NoSuchBox
from sync.messages import Request
from tests.central.centres import SEALING_KEY, Centre, hello_of
from tests.chains import Chain

BOX = "room-203"
SOON = 1_000


def file(centre: Centre, kind: str = "resync", **args: object) -> str:
    """File a request for BOX."""
    with centre.store.writing() as connection:
        return requests.file(connection, centre.clock.now().at, BOX, kind, args, "a clerk", SOON)


def asked(centre: Centre, chain: Chain) -> list[str]:
    """Return the ids of the requests that follow the answer to a hello."""
    told = centre.hear(BOX, hello_of(chain))
    return [message.id for message in told if isinstance(message, Request)]


def states(centre: Centre) -> list[str]:
    """Return the states of all requests."""
    with centre.store.reading() as connection:
        told = requests.listed(connection, centre.clock.now().at, everything=True)
    return [str(one["state"]) for one in told]


def test_a_request_is_said_with_each_hello_until_it_is_answered(centre: Centre) -> None:
    """It is no retained message: the box that comes asks, and hears it until it has answered."""
    chain = Chain()
    centre.know(chain)
    request_id = file(centre)
    assert asked(centre, chain) == [request_id]
    assert asked(centre, chain) == [request_id]
    centre.learn(chain, RequestAnswered(request_id, "resync", {"well": "done"}))
    assert asked(centre, chain) == []
    with centre.store.reading() as connection:
        (told,) = requests.listed(connection, 1, everything=True)
        assert requests.listed(connection, 1, everything=False) == []
    assert (told["state"], told["answer"]) == ("answered", {"well": "done"})


def test_what_expired_is_not_said_any_more(centre: Centre) -> None:
    """A box that was away for too long does not hear of it; staff see that it expired."""
    chain = Chain()
    centre.know(chain)
    file(centre)
    centre.clock.advance(SOON)
    assert asked(centre, chain) == []
    assert states(centre) == ["expired"]


def test_only_its_box_reads_a_request(centre: Centre) -> None:
    """Kind and arguments are sealed to the box and signed by the centre."""
    chain = Chain()
    centre.know(chain)
    request_id = file(centre, "send_media", lesson="lesson-1")
    (out,) = centre.events.requests([BOX])
    assert isinstance(out.message, Request)
    assert (out.retain, b"lesson-1" in out.message.sealed) == (False, False)
    letter = seal.unseal(out.message.sealed, BOX, "request", SEALING_KEY, centre.signer.public_key)
    head = {"id": request_id, "kind": "send_media", "expires": out.message.expires}
    assert letter.head == head
    assert json.loads(letter.content) == {"lesson": "lesson-1"}


def test_the_same_wish_twice_is_one_request(centre: Centre) -> None:
    """While it is open it is not filed again; once answered it may be."""
    chain = Chain()
    centre.know(chain)
    first = file(centre)
    assert file(centre) == first
    centre.learn(chain, RequestRefused(first, "resync", "not today"))
    assert file(centre) != first
    assert sorted(states(centre)) == ["open", "refused"]


def test_a_box_answers_only_its_own_requests(centre: Centre) -> None:
    """Another box that names the id marks nothing."""
    chain, other = Chain(), Chain("room-204", "ledger-2")
    centre.know(chain)
    centre.know(other)
    request_id = file(centre)
    centre.learn(other, RequestAnswered(request_id, "resync", {}))
    assert states(centre) == ["open"]


def test_an_enrolment_answers_the_request_for_it(centre: Centre) -> None:
    """A service answers with the event of what it did, where there is one."""
    chain = Chain()
    centre.know(chain)
    request_id = file(centre, "enrol", person_id="p-1")
    centre.learn(chain, PersonEnrolled("p-1", "net", "1", "camera", request_id))
    assert states(centre) == ["answered"]


def test_a_rebuild_leaves_the_requests_alone(centre: Centre) -> None:
    """What staff filed is no projection; the answers stay with it."""
    chain = Chain()
    centre.know(chain)
    centre.learn(chain, RequestAnswered(file(centre), "resync", {}))
    before = centre.rows(tables.request)
    with centre.store.writing() as connection:
        projections.rebuild(connection)
    assert centre.rows(tables.request) == before


def test_a_box_that_was_never_heard_cannot_be_asked(centre: Centre) -> None:
    """A misspelt name is said at once."""
    with pytest.raises(NoSuchBox, match="room-203: no box of this name"):
        file(centre)
