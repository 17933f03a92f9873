"""Which cameras belong to this room, and the acts that change it.

Owns the way from settings, events and documents to the cameras in force, and back: ``bind``,
``unbind``, ``link`` and ``set_login`` are what the command line and the kiosk call. Promises that a
camera's login is stored in the same transaction as the fact that it is bound.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields, replace
from urllib.parse import urlsplit

from edge import cameras, documents, queries
from edge.camera_events import CameraBound, CameraLinked, CameraUnbound
from edge.config import CameraConfig, Config
from edge.directions import CAMERA_ID, Bindings, CameraDirection
from edge.keys import KeyProblem
from edge.ledger import Ledger, Writer
from edge.logins import Login, Logins, forget
from edge.model import DAY, Instant
from edge.rules.lessons import recorded_at, recording_window

BOX, CENTRE = "box", "centre"
_PROTOCOLS = {
    "rtsp": "rtsp",
    "rtsps": "rtsp",
    "http": "onvif",
    "https": "onvif",
    "onvif": "onvif",
    "v4l2": "v4l2",
}


class NotBound(ValueError):
    """A camera cannot be bound, linked or found as asked; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Binding:
    """A camera as it is to be bound. ``type``, ``serial``: as staff record them; may be empty."""

    id: str
    label: str
    address: str
    role: str = "classroom"
    type: str = ""
    serial: str = ""
    transport: str = "tcp"
    manufacturer: str = ""
    model: str = ""

    def __post_init__(self) -> None:
        """Raise NotBound where a part cannot be used."""
        if not CAMERA_ID.fullmatch(self.id):
            raise NotBound(f"{self.id!r}: an id is made of letters, digits, - and _ only.")
        if self.role not in cameras.ROLES:
            raise NotBound(f"{self.role!r}: a camera's role is one of {', '.join(cameras.ROLES)}.")
        if self.transport not in ("tcp", "udp"):
            raise NotBound(f"{self.transport!r}: the transport of a stream is tcp or udp.")
        if protocol_of(self.address) == "v4l2" and self.role != "door":
            raise NotBound(
                "a USB camera serves at the door only: recordings need the H.264 video of a "
                "network camera. Bind it with --role door."
            )


def protocol_of(address: str) -> str:
    """Return onvif, rtsp or v4l2. Raises NotBound where *address* is none of them."""
    try:
        parts = urlsplit(address)
        host, login = parts.hostname, parts.username is not None
        _ = parts.port
    except ValueError:
        parts, host, login = urlsplit(""), None, False
    protocol = _PROTOCOLS.get(parts.scheme, "")
    if not protocol or not (parts.path.startswith("/dev/") if protocol == "v4l2" else host):
        raise NotBound(
            "that is no camera's address. Write onvif://HOST:PORT for an ONVIF camera, "
            "rtsp://HOST:PORT/PATH for an RTSP stream, or v4l2:/dev/video0 for a USB camera."
        )
    if login:
        raise NotBound(
            "leave user and password out of the address: everybody who sees it would know them. "
            "Give --user; the password is asked for."
        )
    return protocol


def full(address: str) -> str:
    """Return *address* with the scheme that a bare host (ONVIF) or device means."""
    if address.startswith("/dev/"):
        return f"v4l2:{address}"
    return address if ":/" in address else f"onvif://{address}"


def bind(
    ledger: Ledger, config: Config, logins: Logins, binding: Binding, login: Login, by: str = BOX
) -> None:
    """Let the camera belong to the box's room, with its login. Raises NotBound."""
    if any(camera.id == binding.id for camera in config.cameras):
        raise NotBound(
            f"{binding.id}: a camera of this id stands in box.toml. Take another id, or remove it "
            "there first."
        )
    with ledger.writing() as writer:
        for one, facts in cameras.stated(writer.connection).items():
            bound = facts.get(cameras.BOUND)
            if bound and one != binding.id and bound["address"] == binding.address:
                raise NotBound(f"{binding.address} is bound already, as {one}.")
        logins.put(writer, binding.id, login)
        bind_within(writer, binding, config.room, by)


def bind_within(writer: Writer, binding: Binding, room: str, by: str) -> None:
    """Append the fact that the camera is bound, in the writer's transaction."""
    writer.append(
        CameraBound(
            camera=binding.id,
            label=binding.label,
            type=binding.type,
            role=binding.role,
            room=room,
            protocol=protocol_of(binding.address),
            address=binding.address,
            transport=binding.transport,
            serial=binding.serial,
            by=by,
            manufacturer=binding.manufacturer,
            model=binding.model,
        )
    )


def unbind(ledger: Ledger, camera: str, by: str = BOX) -> None:
    """Let the camera belong to the room no more, and forget its login. Raises NotBound."""
    with ledger.writing() as writer:
        _require_bound(writer, camera)
        forget(writer, camera)
        writer.append(CameraUnbound(camera, by))


def set_login(ledger: Ledger, logins: Logins, camera: str, login: Login) -> None:
    """Replace the camera's login. Raises NotBound."""
    with ledger.writing() as writer:
        _require_bound(writer, camera)
        logins.put(writer, camera, login)


def link(ledger: Ledger, camera: str, lesson_id: str, *, linked: bool, by: str = BOX) -> None:
    """Let the camera film the lesson, or no more; what stands so already is not stated again."""
    with ledger.writing() as writer:
        now = cameras.links(writer.connection).get(lesson_id, frozenset())
        if (camera in now) != linked:
            writer.append(CameraLinked(camera, lesson_id, linked, by))


def direct(
    writer: Writer,
    config: Config,
    logins: Logins,
    directed: Bindings,
    opened: Callable[[CameraDirection], Login],
) -> None:
    """Let the room have the cameras that the centre's document states, in the writer's transaction.

    - A camera of box.toml stays as that file says, whatever the document states for its id.
    - What somebody bound at the box stays, unless the document states a camera of the same id,
      address or serial number: then the document holds.
    - What an earlier document bound and this one does not state belongs to the room no more.
    - A camera without a login keeps the one that the box has for it.

    *opened* opens a camera's sealed login. Raises NotBound, with the remedy, when the document
    calls a camera of box.toml by another name.
    """
    for camera in config.cameras:
        for one in directed.cameras:
            if one.address == camera.address and one.id != camera.id:
                raise NotBound(
                    f"cameras: {one.id}: {one.address} is camera {camera.id} of this box's "
                    "box.toml. Give it that id, or remove it from that file."
                )
    bound = {
        camera: facts[cameras.BOUND]
        for camera, facts in cameras.stated(writer.connection).items()
        if cameras.BOUND in facts
    }
    stated = {one.id for one in directed.cameras}
    for known, fact in bound.items():
        if known not in stated and (fact["by"] == CENTRE or _is_among(fact, directed)):
            forget(writer, known)
            writer.append(CameraUnbound(known, CENTRE))
    for one in directed.cameras:
        binding = _binding(one)
        if one.login:
            logins.put(writer, one.id, opened(one))
        if not _stands(bound.get(one.id), binding):
            bind_within(writer, binding, config.room, CENTRE)
    _link_as_directed(writer, directed)


def _binding(one: CameraDirection) -> Binding:
    return Binding(**{key.name: getattr(one, key.name) for key in fields(Binding)})


def _is_among(fact: cameras.Fact, directed: Bindings) -> bool:
    return any(
        fact["address"] == one.address or (one.serial and fact["serial"] == one.serial)
        for one in directed.cameras
    )


def _stands(fact: cameras.Fact | None, binding: Binding) -> bool:
    """Tell whether it is bound exactly so already: bound anew, its place would be forgotten."""
    if fact is None or fact["by"] != CENTRE:
        return False
    return all(fact.get(key, "") == value for key, value in asdict(binding).items() if key != "id")


def _link_as_directed(writer: Writer, directed: Bindings) -> None:
    """Let lessons be filmed as the document says; links that only an earlier one states end."""
    wanted = {lesson: frozenset(linked) for lesson, linked in directed.links}
    now = cameras.links(writer.connection)
    for lesson_id in _linked_before(writer) - set(wanted):
        wanted[lesson_id] = frozenset()
    for lesson_id, linked in sorted(wanted.items()):
        have = now.get(lesson_id, frozenset())
        for camera in sorted(have - linked):
            writer.append(CameraLinked(camera, lesson_id, linked=False, by=CENTRE))
        for camera in sorted(linked - have):
            writer.append(CameraLinked(camera, lesson_id, linked=True, by=CENTRE))


def _linked_before(writer: Writer) -> set[str]:
    """Return the lessons that the document in force until now links cameras to."""
    row = writer.execute(
        "SELECT content FROM document_in_force JOIN document USING (sha256) "
        "WHERE document_in_force.kind = ?",
        (documents.BINDINGS,),
    ).fetchone()
    if row is None:
        return set()
    before = documents.parse(documents.BINDINGS, row["content"])
    assert isinstance(before, Bindings)
    return {lesson_id for lesson_id, _ in before.links}


def in_force(
    connection: sqlite3.Connection, config: Config, logins: Logins
) -> tuple[CameraConfig, ...]:
    """Return the room's cameras with their logins: of the settings, then those bound, by id.

    Classroom cameras come before spare ones and those before the door's. Addresses are the present
    ones of cameras that moved. A login that does not open counts as none: that camera will be
    refused, and says so with the remedy, while the others work.
    """
    stated = cameras.stated(connection)
    bound = [
        _bound(camera, facts[cameras.BOUND], _login(connection, logins, camera))
        for camera, facts in stated.items()
        if cameras.BOUND in facts
    ]
    own = {camera.id for camera in config.cameras}
    every = [*config.cameras, *(camera for camera in bound if camera.id not in own)]
    every.sort(key=lambda camera: cameras.ROLES.index(camera.role))
    return tuple(_present(camera, stated.get(camera.id, {})) for camera in every)


def films(camera: CameraConfig, lesson_id: str, links: dict[str, frozenset[str]]) -> bool:
    """Tell whether *camera* films the lesson: linked cameras do, else all of the classroom.

    A door camera never does: it proves nothing about a classroom (decision 11).
    """
    return _films(camera.id, camera.role, lesson_id, links)


def filming(
    connection: sqlite3.Connection, config: Config, now: Instant, dated: bool
) -> dict[str, str]:
    """Return which lesson each camera is to film at *now*, classroom cameras first.

    Of lessons that follow each other closely, the later one: the one whose people come in.
    """
    links, ordered = cameras.links(connection), cameras.ordered(connection)
    near = queries.lessons(connection, now - DAY, now + DAY)
    known = {one.id: one for one in (*queries.open_lessons(connection), *near)}
    filmed = [
        lesson.id
        for lesson in sorted(known.values(), key=lambda lesson: lesson.start)
        if recorded_at(
            lesson,
            recording_window(lesson, queries.profile_of(connection, lesson)),
            now,
            dated=dated,
            ordered=lesson.id in ordered,
        )
    ]
    roles = {**cameras.roles(connection), **{one.id: one.role for one in config.cameras}}
    found: dict[str, str] = {}
    for camera, role in sorted(roles.items(), key=lambda one: cameras.ROLES.index(one[1])):
        mine = [lesson for lesson in filmed if _films(camera, role, lesson, links)]
        if mine:
            found[camera] = mine[-1]
    return found


def _films(camera: str, role: str, lesson_id: str, links: Mapping[str, frozenset[str]]) -> bool:
    if role == "door":
        return False
    linked = links.get(lesson_id, frozenset())
    return camera in linked if linked else role == "classroom"


def _login(connection: sqlite3.Connection, logins: Logins, camera: str) -> Login:
    try:
        return logins.of(connection, camera)
    except KeyProblem:
        return Login()


def _bound(camera: str, bound: cameras.Fact, login: Login) -> CameraConfig:
    return CameraConfig(
        id=camera,
        label=bound["label"],
        kind=bound["protocol"],
        address=bound["address"],
        transport=bound["transport"],
        user=login.user,
        password=login.password,
        role=bound["role"],
        serial=bound["serial"],
    )


def _present(camera: CameraConfig, facts: cameras.Facts) -> CameraConfig:
    """Return *camera* with its present address, and the serial number that it says itself."""
    said = facts.get(cameras.IDENTIFIED, {}).get("serial", "")
    return replace(
        camera,
        address=cameras.address_now(camera.address, facts),
        serial=said or camera.serial,
    )


def _require_bound(writer: Writer, camera: str) -> None:
    if cameras.BOUND not in cameras.stated(writer.connection).get(camera, {}):
        raise NotBound(f"{camera}: no camera of this id is bound. See: classbox cameras list.")
