"""One event as it travels: what is done by hand for speed is what is done in general."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge import chain
from edge.chain import Event
from edge.events import canonical
from edge.model import ClockQuality, Reading
from sync import records
from sync.fields import Head
from sync.messages import BadMessage, Record

texts = st.text(st.characters(codec="utf-8"), max_size=70)
names = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=70)
wholes = st.integers(0, 2**63 - 1)
hashes = st.binary(min_size=32, max_size=32)
Beside = tuple[bytes, bytes] | tuple[None, None]
erased: st.SearchStrategy[tuple[None, None]] = st.just((None, None))
bodies: st.SearchStrategy[Beside] = st.one_of(erased, st.tuples(hashes, st.binary(max_size=90)))


def events(words: st.SearchStrategy[str]) -> st.SearchStrategy[Event]:
    """Any event with these words in its header."""
    short = words.map(lambda text: text[:64])
    return st.builds(
        Event,
        st.integers(1, 2**63 - 1),
        words,
        short,
        st.builds(
            Reading,
            wholes,
            short,
            wholes,
            st.sampled_from(ClockQuality),
        ),
        hashes,
        hashes,
        hashes,
        st.binary(min_size=64, max_size=64),
    )


def fields_of(record: Record) -> dict[str, Any]:
    """Return the fields of a record as docs/protocol.md lists them."""

    def text(content: bytes | None) -> str | None:
        return None if content is None else b64encode(content).decode("ascii")

    event = record.event
    return {
        "seq": event.seq,
        "id": event.id,
        "kind": event.kind,
        "at": event.reading.at,
        "boot": event.reading.boot,
        "mono": event.reading.mono,
        "clock": str(event.reading.clock),
        "body_hash": text(event.body_hash),
        "prev_hash": text(event.prev_hash),
        "hash": text(event.hash),
        "signature": text(event.signature),
        "salt": text(record.salt),
        "body": text(record.body),
    }


@given(events(texts))
def test_the_hash_of_a_header_is_that_of_its_canonical_form(event: Event) -> None:
    """Whatever letters stand in it: boxes in the field have signed these bytes."""
    reading = event.reading
    header = canonical(
        [
            "classbox-event-1",
            event.seq,
            event.id,
            event.kind,
            reading.at,
            reading.boot,
            reading.mono,
            reading.clock,
            event.body_hash.hex(),
            event.prev_hash.hex(),
        ]
    )
    assert chain.recomputed_hash(event) == hashlib.sha256(header).digest()


@given(events(texts), st.none() | st.tuples(hashes, st.binary(max_size=90)))
def test_an_event_travels_in_canonical_form(
    event: Event, beside: tuple[bytes, bytes] | None
) -> None:
    """Its JSON is what the general encoder makes of its fields, bodies erased or not."""
    record = Record(event, *(beside or (None, None)))
    assert records.encode(record) == canonical(fields_of(record))


@given(events(names), bodies)
def test_what_travelled_is_the_same_event(event: Event, beside: Beside) -> None:
    """What was encoded decodes to an equal record."""
    record = Record(event, *beside)
    assert records.decode(fields_of(record), Head({}), "records[0]") == record


wrong: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=300),
    st.binary(max_size=90).map(lambda content: b64encode(content).decode("ascii")),
    st.lists(st.integers(), max_size=2),
    st.just({}),
)


@given(events(names), st.data())
def test_a_field_that_is_wrong_is_refused_by_its_name(event: Event, data: st.DataObject) -> None:
    """A field with anything else in it is either as good as any, or named in the refusal."""
    fields = fields_of(Record(event, bytes(32), b"{}"))
    field = data.draw(st.sampled_from(sorted(fields)))
    fields[field] = data.draw(wrong)
    try:
        record = records.decode(fields, Head({}), "records[7]")
    except BadMessage as error:
        assert field in str(error)
    else:
        found = fields_of(record)
        if record.body is None:
            assert fields["salt"] is None or fields["body"] is None
            fields["salt"] = fields["body"] = None
        assert found == fields


@pytest.mark.parametrize("entry", [None, 3, "text", [], ["seq"], {}])
def test_an_entry_that_is_no_event_is_refused(entry: Any) -> None:
    """Nor does it raise anything but what says that the message is bad."""
    with pytest.raises(BadMessage):
        records.decode(entry, Head({}), "records[7]")
