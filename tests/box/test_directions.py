"""What the centre directs in a room: cameras, draws, notices, and from when which rules hold."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from edge import bindings, cameras, queries
from edge.bindings import Binding, NotBound
from edge.clock import SimulatedClock
from edge.config import CameraConfig
from edge.directions import (
    TO_BE_FOUND,
    Bindings,
    CameraDirection,
    Draw,
    bindings_to_json,
    draws_to_json,
    notices_to_json,
    parse_bindings,
    parse_notices,
)
from edge.documents import BINDINGS, DRAWS, NOTICES, PROFILES, BadDocument, Parsed
from edge.documents import parse as parse_document
from edge.inbox import apply_document, erase_notices
from edge.ledger import Ledger, Writer, projection_rows
from edge.logins import Login, Logins
from edge.model import MINUTE, Margin, Notice
from edge.queries import shipped_profile
from edge.rulebook import Dated, Rulebook, profiles_to_json
from edge.teaching import end_lesson, open_lesson
from tests.boxes import (
    LESSON_ID,
    TEACHER_ID,
    at,
    open_ledger,
    roster_of,
    send_documents,
    two_hours,
    with_a_camera,
)

LESSON = two_hours(at("09:00"))
FRONT = CameraDirection(
    id="front",
    label="前",
    role="classroom",
    address="rtsp://10.0.0.9/1",
    transport="tcp",
    type="枪机",
    manufacturer="Hikvision",
    model="DS-2CD",
    serial="C31234567",
    login=b"",
)
BY_NUMBER = replace(FRONT, id="back", label="后", address=TO_BE_FOUND, serial="C39999999")
DRAWN = Draw(LESSON_ID, "县人社局", at("08:00", "2026-11-20"))
NOTICE = Notice("n-1", at("08:00"), at("12:00"), "消防演练", "Fire drill", "十点演练", "At ten.")


@pytest.fixture
def clock() -> SimulatedClock:
    return SimulatedClock(at("08:50"))


@pytest.fixture
def ledger(tmp_path: Path, clock: SimulatedClock) -> Iterator[Ledger]:
    with open_ledger(tmp_path, clock) as opened:
        yield opened


class Room:
    """A box that is told by documents which cameras belong to its room."""

    def __init__(self, ledger: Ledger, folder: Path) -> None:
        self.ledger = ledger
        self.config = with_a_camera(folder)
        self.logins = Logins(folder)
        self.opened = Login("admin", "secret", "ABCDEF")
        self._version = 0

    def direct(
        self, *directed: CameraDirection, links: dict[str, tuple[str, ...]] | None = None
    ) -> None:
        """Put a document with these cameras in force."""
        document = Bindings(directed, tuple(sorted((links or {}).items())))

        def besides(writer: Writer, parsed: Parsed) -> None:
            assert parsed == document
            bindings.direct(writer, self.config, self.logins, document, lambda one: self.opened)

        self._version += 1
        content = bindings_to_json(document)
        assert apply_document(self.ledger, BINDINGS, "e", self._version, content, besides)

    def in_force(self) -> dict[str, CameraConfig]:
        """Return the room's cameras by id."""
        with self.ledger.store.read() as connection:
            found = bindings.in_force(connection, self.config, self.logins)
        return {one.id: one for one in found}

    def bind(self, binding: Binding, login: Login | None = None) -> None:
        """Bind a camera at the box, by hand."""
        bindings.bind(self.ledger, self.config, self.logins, binding, login or Login())


@pytest.fixture
def room(ledger: Ledger, tmp_path: Path) -> Room:
    return Room(ledger, tmp_path)


def test_every_direction_reads_back_as_it_was_written() -> None:
    """Writing and reading are each other's inverse, the camera known by its number included."""
    sealed = replace(FRONT, id="c", address="rtsp://a/2", serial="", login=b"sealed")
    directed = Bindings((FRONT, BY_NUMBER, sealed), ((LESSON_ID, ("back",)),))
    strict = replace(shipped_profile("default"), version=2)
    book = Rulebook((Dated(shipped_profile("default")), Dated(strict, at("08:00"))))
    assert parse_document(BINDINGS, bindings_to_json(directed)) == directed
    assert parse_document(DRAWS, draws_to_json((DRAWN,))) == (DRAWN,)
    assert parse_document(NOTICES, notices_to_json((NOTICE,))) == (NOTICE,)
    assert parse_document(PROFILES, profiles_to_json(book)) == book


def camera(**changes: Any) -> dict[str, Any]:
    return {"cameras": [{"id": "front", "label": "前", "address": "rtsp://10.0.0.9/1", **changes}]}


def notice(**changes: Any) -> dict[str, Any]:
    stated = {
        "id": "n",
        "from": "2026-11-23T08:00:00+08:00",
        "until": "2026-11-24T08:00:00+08:00",
        "title": {"zh": "通知"},
        "body": {"zh": "十点演练"},
    }
    return {"notices": [{**stated, **changes}]}


@pytest.mark.parametrize(
    ("kind", "content", "complaint"),
    [
        (BINDINGS, {}, "cameras: must be a list"),
        (BINDINGS, camera(id="a b"), r"cameras\[0\].id: 'a b': letters"),
        (BINDINGS, camera(label=" "), r"cameras\[0\].label: empty"),
        (BINDINGS, camera(role="roof"), r"cameras\[0\].role: 'roof' is none of classroom"),
        (BINDINGS, camera(transport="sctp"), r"cameras\[0\].transport: 'sctp'"),
        (BINDINGS, camera(address="10.0.0.9"), r"cameras\[0\].address: write onvif://"),
        (BINDINGS, camera(address="rtsp://a:b@10.0.0.9/1"), "leave user and password out"),
        (BINDINGS, camera(address="v4l2:/dev/video0"), "a USB camera serves at the door only"),
        (BINDINGS, camera(address=""), r"cameras\[0\]: give `address` or `serial`"),
        (BINDINGS, camera(password="secret"), r"cameras\[0\].password: .* travels sealed"),
        (BINDINGS, camera(login="%"), r"cameras\[0\].login: not a sealed login"),
        (BINDINGS, camera(lable="前"), r"cameras\[0\].lable: not known here"),
        (BINDINGS, {"cameras": camera()["cameras"] * 2}, r"cameras\[1\].id: 'front' stands"),
        (
            BINDINGS,
            {"cameras": [*camera()["cameras"], *camera(id="back")["cameras"]]},
            r"cameras\[1\].address: .* is front's already",
        ),
        (
            BINDINGS,
            {**camera(), "links": [{"lesson": "l", "cameras": ["back"]}]},
            r"links\[0\].cameras: 'back' is not among",
        ),
        (DRAWS, {"drawn": [{"lesson": ""}]}, r"drawn\[0\].lesson: name the lesson"),
        (DRAWS, {"drawn": [{"lesson": "l", "by": "x"}]}, r"drawn\[0\].at: must be text"),
        (NOTICES, notice(body={"zh": "长" * 141}), r"body.zh: 141 letters; at most 140 fit"),
        (NOTICES, notice(body={}), r"notices\[0\].body: empty"),
        (NOTICES, notice(until="2026-11-23T08:00:00+08:00"), r"until: must be later"),
        (NOTICES, notice(id=3), r"notices\[0\].id: must be text"),
        (NOTICES, notice(**{"from": "2026-11-23T08:00:00"}), "lacks its offset"),
    ],
)
def test_a_bad_direction_names_the_place(kind: str, content: object, complaint: str) -> None:
    """Whoever made the document can find the mistake."""
    with pytest.raises(BadDocument, match=complaint):
        parse_document(kind, json.dumps(content).encode())


def test_one_language_of_a_notice_stands_for_both() -> None:
    """A school that writes Chinese only still has a notice on an English screen."""
    (read,) = parse_notices(notice())
    assert (read.title_en, read.body_en) == ("通知", "十点演练")


def test_cameras_of_a_document_belong_to_the_room(room: Room) -> None:
    """With what staff recorded of them; what box.toml states stays beside them."""
    room.direct(replace(FRONT, login=b"sealed"), BY_NUMBER)
    found = room.in_force()
    assert list(found) == ["wall", "back", "front"]
    assert (found["front"].password, found["front"].serial) == ("secret", "C31234567")
    assert (found["back"].address, found["back"].password) == (TO_BE_FOUND, "")
    with room.ledger.store.read() as connection:
        assert cameras.stated(connection)["front"][cameras.BOUND]["model"] == "DS-2CD"


def test_what_a_document_no_longer_states_is_bound_no_more(room: Room) -> None:
    """Its login is forgotten with it; what somebody bound by hand stays."""
    room.bind(Binding("own", "自备", "rtsp://10.0.0.20/1"), Login("me", "mine"))
    room.direct(replace(FRONT, login=b"sealed"), BY_NUMBER)
    room.direct(BY_NUMBER)
    assert set(room.in_force()) == {"wall", "own", "back"}
    with room.ledger.store.read() as connection:
        assert room.logins.of(connection, "front") == Login()
    assert room.in_force()["own"].password == "mine"


@pytest.mark.parametrize(
    "own",
    [
        Binding("front", "手工", "rtsp://10.0.0.77/1"),
        Binding("mine", "手工", FRONT.address),
        Binding("mine", "手工", "rtsp://10.0.0.77/1", serial=FRONT.serial),
    ],
    ids=["same id", "same address", "same number"],
)
def test_a_document_wins_over_what_was_bound_by_hand(room: Room, own: Binding) -> None:
    """By id, address or serial number it is the same camera, and recorded once."""
    room.bind(own, Login("me", "mine"))
    room.direct(FRONT)
    found = room.in_force()
    assert set(found) == {"wall", "front"}
    assert (found["front"].label, found["front"].address) == ("前", FRONT.address)
    # Without a login in the document the box keeps the one it has for that id.
    assert found["front"].password == ("mine" if own.id == "front" else "")


def test_box_toml_holds_against_a_document(room: Room) -> None:
    """Its cameras stay as written there; under another name the document is refused whole."""
    room.direct(replace(FRONT, id="wall"))
    assert room.in_force()["wall"].address == "onvif://10.0.0.8"
    head = room.ledger.head()
    with pytest.raises(NotBound, match=r"is camera wall of this box's box\.toml"):
        room.direct(FRONT, replace(BY_NUMBER, address="onvif://10.0.0.8"))
    assert room.ledger.head() == head
    assert "front" not in room.in_force()


def test_a_camera_that_stands_as_it_was_is_not_bound_again(room: Room) -> None:
    """A new version that changes another camera forgets neither its place nor its identity."""
    room.direct(FRONT)
    before = room.ledger.head()[0]
    room.direct(FRONT)
    kinds = [record.event.kind for record in room.ledger.events(before)]
    assert kinds == ["document.applied"]


def test_links_follow_the_document(room: Room) -> None:
    """A lesson that it names is filmed by those cameras; one that it names no more, by all."""
    room.direct(FRONT, BY_NUMBER, links={"a": ("back",), "b": ("front", "back")})
    bindings.link(room.ledger, "front", "own", linked=True)
    room.direct(FRONT, BY_NUMBER, links={"b": ("front",)})
    with room.ledger.store.read() as connection:
        assert cameras.links(connection) == {
            "b": frozenset({"front"}),
            "own": frozenset({"front"}),
        }


def test_directed_cameras_come_out_of_a_rebuild(room: Room) -> None:
    """Binding, unbinding and linking are events; the projections follow from them."""
    room.direct(FRONT, BY_NUMBER, links={"a": ("back",)})
    room.direct(BY_NUMBER)
    live = projection_rows(room.ledger)
    room.ledger.rebuild()
    assert projection_rows(room.ledger) == live


def drawn(ledger: Ledger) -> Draw | None:
    with ledger.store.read() as connection:
        return queries.draw_of(connection, LESSON_ID)


def test_a_lesson_is_drawn_as_long_as_the_document_says(ledger: Ledger) -> None:
    """A draw that is taken back before the lesson greys the spot check out again."""
    assert drawn(ledger) is None
    apply_document(ledger, DRAWS, "e", 1, draws_to_json((DRAWN,)))
    assert drawn(ledger) == DRAWN
    apply_document(ledger, DRAWS, "e", 2, draws_to_json(()))
    assert drawn(ledger) is None


def test_a_lesson_that_was_opened_stays_drawn(ledger: Ledger) -> None:
    """What was taken for the authority stays evidence; a rebuild knows it too."""
    send_documents(ledger, (LESSON,), roster_of())
    apply_document(ledger, DRAWS, "e", 1, draws_to_json((DRAWN,)))
    open_lesson(ledger, LESSON_ID, TEACHER_ID)
    apply_document(ledger, DRAWS, "e", 2, draws_to_json(()))
    assert drawn(ledger) == DRAWN
    ledger.rebuild()
    assert drawn(ledger) == DRAWN


def test_lessons_go_by_the_version_that_holds_when_they_start(ledger: Ledger) -> None:
    """A profile that holds from next week leaves this week's lessons alone."""
    now = shipped_profile("default")
    later = replace(now, version=2, check_in=Margin(30 * MINUTE, 0))
    book = Rulebook((Dated(now), Dated(later, at("00:00", "2026-11-30"))))
    apply_document(ledger, PROFILES, "e", 1, profiles_to_json(book))
    before, after = two_hours(at("09:00", "2026-11-29")), two_hours(at("09:00", "2026-11-30"))
    with ledger.store.read() as connection:
        assert queries.profile_of(connection, before) == now
        assert queries.profile_of(connection, after) == later


def test_lessons_of_the_past_keep_the_rules_they_were_held_under(
    ledger: Ledger, clock: SimulatedClock
) -> None:
    """A version that is said later to have held earlier judges no lesson that was opened before."""
    send_documents(ledger, (LESSON,), roster_of(), {"default": shipped_profile("default")})
    open_lesson(ledger, LESSON_ID, TEACHER_ID)
    end_lesson(ledger, LESSON_ID, TEACHER_ID)
    clock.advance(3 * 24 * 60 * MINUTE)
    later = replace(shipped_profile("default"), version=2, pass_percent=90)
    book = Rulebook((Dated(later, at("00:00", "2026-11-01")),))
    apply_document(ledger, PROFILES, "epoch-1", 2, profiles_to_json(book))
    with ledger.store.read() as connection:
        assert queries.profile_of(connection, LESSON).version == 1
        assert queries.profile_of(connection, replace(LESSON, id="another")).version == 2


@pytest.mark.parametrize(
    ("entries", "complaint"),
    [
        ((Dated(shipped_profile("default")),) * 2, "stands there twice for the same time"),
        (
            (
                Dated(replace(shipped_profile("default"), version=2)),
                Dated(shipped_profile("default"), at("08:00")),
            ),
            "give it a higher number",
        ),
    ],
)
def test_versions_of_a_profile_follow_one_another(
    entries: tuple[Dated, ...], complaint: str
) -> None:
    """One name, one time, one version; and the later it holds the higher its number."""
    with pytest.raises(BadDocument, match=complaint):
        parse_document(PROFILES, profiles_to_json(Rulebook(entries)))


def held_texts(ledger: Ledger) -> int:
    with ledger.store.read() as connection:
        return len(
            connection.execute("SELECT 1 FROM document WHERE kind = ?", (NOTICES,)).fetchall()
        )


def test_notices_are_shown_in_their_time_and_erased_after_it(ledger: Ledger) -> None:
    """The text goes from the box when the last one is over; that it was in force stays known."""
    other = replace(NOTICE, id="n-2", valid_from=at("11:00"), valid_until=at("14:00"))
    apply_document(ledger, NOTICES, "e", 1, notices_to_json((NOTICE, other)))

    def shown(now: int, dated: bool = True) -> list[str]:
        with ledger.store.read() as connection:
            return [one.id for one in queries.notices(connection) if one.shown(now, dated)]

    assert shown(at("08:00") - 1) == []
    assert shown(at("08:00")) == ["n-1"]
    assert shown(at("08:00"), dated=False) == ["n-1", "n-2"]
    assert shown(at("12:00")) == ["n-2"]
    assert not erase_notices(ledger, at("13:59"))
    assert erase_notices(ledger, at("14:00"))
    assert not erase_notices(ledger, at("14:00"))
    assert held_texts(ledger) == 0
    assert shown(at("08:00")) == []
    live = projection_rows(ledger)
    ledger.rebuild()
    assert projection_rows(ledger) == live
    assert not apply_document(ledger, NOTICES, "e", 1, notices_to_json((NOTICE, other)))


def test_new_notices_leave_nothing_of_the_old_ones(ledger: Ledger) -> None:
    """What the school took back is not kept on the box either."""
    apply_document(ledger, NOTICES, "e", 1, notices_to_json((NOTICE,)))
    apply_document(ledger, NOTICES, "e", 2, notices_to_json(()))
    assert held_texts(ledger) == 1
    with ledger.store.read() as connection:
        assert queries.notices(connection) == ()


def test_a_login_in_the_open_never_reaches_a_box() -> None:
    """Whatever a document states, its reader refuses a password that others could read."""
    for key in ("user", "password", "code"):
        with pytest.raises(BadDocument, match="sealed to its box"):
            parse_bindings(camera(**{key: "x"}))
